"""``HTTPHeaderDict``: header fields that ignore case and keep repeated lines apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any

__all__ = ["HTTPHeaderDict"]


class HTTPHeaderDict(MutableMapping[str, str]):
    """A mapping of names to values, repeats joined by ", "."""

    _lines: dict[str, list[str]]  # lower-case name → [name as it came, value, value …]

    def __init__(self, headers: Any = None, **kwargs: str) -> None:
        self._lines = {}
        if headers is not None:
            self.extend(headers)
        if kwargs:
            self.extend(kwargs)

    def __setitem__(self, key: str, val: str) -> None:
        key = _text(key)
        self._lines[key.lower()] = [key, val]

    def __getitem__(self, key: str) -> str:
        return ", ".join(self._lines[key.lower()][1:])

    def __delitem__(self, key: str) -> None:
        del self._lines[key.lower()]

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key.lower() in self._lines

    def __iter__(self) -> Iterator[str]:
        return iter([line[0] for line in self._lines.values()])

    def __len__(self) -> int:
        return len(self._lines)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping) and not hasattr(other, "keys"):
            return False
        theirs = HTTPHeaderDict(other)
        return {k: v[1:] for k, v in self._lines.items()} == {k: v[1:] for k, v in theirs._lines.items()}

    __hash__ = None  # type: ignore[assignment]

    def add(self, key: str, val: str, *, combine: bool = False) -> None:
        """Appends a line; with ``combine`` to the last line of that name."""
        key, val = _text(key), _text(val)
        line = self._lines.setdefault(key.lower(), [key])
        if combine and len(line) > 1:
            line[-1] += ", " + val
        else:
            line.append(val)

    def extend(self, *args: Any, **kwargs: str) -> None:
        """Appends all lines of a mapping, of pairs, of headers."""
        for given in (*args, kwargs):
            for key, value in _pairs(given):
                self.add(key, value)

    def getlist(self, key: str, default: Any = None) -> list[str]:
        """The values of all lines of that name."""
        line = self._lines.get(key.lower())
        if line is None:
            return [] if default is None else default
        return line[1:]

    getheaders = getallmatchingheaders = iget = get_all = getlist

    def discard(self, key: str) -> None:
        """Removes the name if it is there."""
        self._lines.pop(key.lower(), None)

    def iteritems(self) -> Iterator[tuple[str, str]]:
        """Every line."""
        return ((line[0], value) for line in self._lines.values() for value in line[1:])

    def itermerged(self) -> Iterator[tuple[str, str]]:
        """Every name, with its lines joined."""
        return ((line[0], ", ".join(line[1:])) for line in self._lines.values())

    def items(self) -> Any:
        """Every line."""
        return list(self.iteritems())

    def copy(self) -> HTTPHeaderDict:
        """A copy."""
        return HTTPHeaderDict(self)

    def __repr__(self) -> str:
        return f"HTTPHeaderDict({dict(self.itermerged())})"


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _pairs(given: Any) -> Iterable[tuple[str, str]]:
    if isinstance(given, HTTPHeaderDict):
        return list(given.iteritems())
    if hasattr(given, "items"):
        return list(given.items())
    if hasattr(given, "keys"):
        return [(key, given[key]) for key in given.keys()]  # noqa: SIM118
    return list(given)
