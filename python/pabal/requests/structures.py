"""``CaseInsensitiveDict`` and ``LookupDict``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any, Generic, TypeVar

__all__ = ["CaseInsensitiveDict", "LookupDict"]

_V = TypeVar("_V")


class CaseInsensitiveDict(MutableMapping[str, _V], Generic[_V]):
    """A mapping whose keys match without regard to case; iteration shows each as it was last set."""

    #: lower-case key → (key as it was set, value)
    _store: dict[Any, tuple[str, _V]]

    def __init__(self, data: Mapping[str, _V] | Iterable[tuple[str, _V]] | None = None, **kwargs: _V) -> None:
        self._store = {}
        self.update(() if data is None else data, **kwargs)

    def __setitem__(self, key: str, value: _V) -> None:
        self._store[key.lower()] = (key, value)

    def __getitem__(self, key: str) -> _V:
        return self._store[key.lower()][1]

    def __delitem__(self, key: str) -> None:
        del self._store[key.lower()]

    def __contains__(self, key: object) -> bool:
        return isinstance(key, (str, bytes)) and key.lower() in self._store

    def __iter__(self) -> Iterator[str]:
        return iter([key for key, _ in self._store.values()])

    def __len__(self) -> int:
        return len(self._store)

    def lower_items(self) -> Iterator[tuple[str, _V]]:
        """As ``items()``, with keys in lower case."""
        return ((key, pair[1]) for key, pair in self._store.items())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping):
            return NotImplemented
        theirs: CaseInsensitiveDict[Any] = CaseInsensitiveDict(other)  # pyright: ignore[reportUnknownArgumentType]
        return dict(self.lower_items()) == dict(theirs.lower_items())

    __hash__ = None  # type: ignore[assignment]

    def copy(self) -> CaseInsensitiveDict[_V]:
        """A copy with the same keys and values."""
        made: CaseInsensitiveDict[_V] = CaseInsensitiveDict()
        made._store = self._store.copy()
        return made

    def __repr__(self) -> str:
        return str(dict(self.items()))


class LookupDict(dict[str, Any]):
    """Attributes that can also be read by index; what is not there is None."""

    def __init__(self, name: str | None = None) -> None:
        self.name = name
        super().__init__()

    def __repr__(self) -> str:
        return f"<lookup '{self.name}'>"

    def __getattr__(self, key: str) -> Any:
        try:
            return self.__dict__[key]
        except KeyError:
            raise AttributeError(key) from None

    def __getitem__(self, key: str) -> Any:
        return self.__dict__.get(key)

    def get(self, key: str, default: Any = None) -> Any:
        """The value, or ``default``."""
        return self.__dict__.get(key, default)
