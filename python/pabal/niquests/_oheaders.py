"""Headers as objects: ``response.oheaders.content_type.charset``. A view; it changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["Header", "Headers"]


class Header:
    """One header: its name, its content, and the parameters in it as attributes."""

    def __init__(self, name: str, content: str) -> None:
        self.name = name
        self.content = content

    def _parameters(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for part in self.content.split(";"):
            key, equals, value = part.strip().partition("=")
            if equals:
                found[key.strip().lower().replace("-", "_")] = value.strip().strip('"')
        return found

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = self._parameters()
        if name.lower() in found:
            return found[name.lower()]
        raise AttributeError(f"'{self.name}' has no parameter '{name}'")

    def __getitem__(self, name: str) -> str:
        return self._parameters()[name.lower().replace("-", "_")]

    def has(self, name: str) -> bool:
        """Whether there is such a parameter."""
        return name.lower().replace("-", "_") in self._parameters()

    def __contains__(self, text: object) -> bool:
        return isinstance(text, str) and text.lower() in self.content.lower()

    def __eq__(self, other: object) -> bool:
        if isinstance(other, str):
            return self.content == other or self.content.partition(";")[0].strip() == other
        return isinstance(other, Header) and (self.name.lower(), self.content) == (other.name.lower(), other.content)

    def __hash__(self) -> int:
        return hash((self.name.lower(), self.content))

    def __str__(self) -> str:
        return self.content

    def __repr__(self) -> str:
        return f"{self.name}: {self.content}"


class Headers:
    """All of them, in order; by attribute or index one, or a list where the name came more than once."""

    def __init__(self, headers: Any) -> None:
        self._headers = [Header(name, str(value)) for name, value in headers]

    def _named(self, name: str) -> list[Header]:
        wanted = name.lower().replace("_", "-")
        return [each for each in self._headers if each.name.lower() == wanted]

    def __getitem__(self, name: str) -> Any:
        found = self._named(name)
        if not found:
            raise KeyError(f"'{name}' header is not defined in headers.")
        return found[0] if len(found) == 1 else found

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"'{name}' header is not defined in headers.") from None

    def get(self, name: str, default: Any = None) -> Any:
        """One header, or ``default``."""
        return self[name] if self._named(name) else default

    def has(self, name: str) -> bool:
        """Whether there is such a header."""
        return bool(self._named(name))

    __contains__ = has

    def keys(self) -> list[str]:
        """Names."""
        return [each.name for each in self._headers]

    def to_dict(self) -> dict[str, str]:
        """Names and contents; of several of one name the last."""
        return {each.name: each.content for each in self._headers}

    def __iter__(self) -> Iterator[Header]:
        return iter(self._headers)

    def __len__(self) -> int:
        return len(self._headers)

    def __repr__(self) -> str:
        return "\n".join(map(repr, self._headers))
