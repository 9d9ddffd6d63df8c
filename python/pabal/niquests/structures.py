"""The mappings of requests, and the caches that programs hand to sessions."""

from __future__ import annotations

import threading
from collections.abc import Iterator, MutableMapping
from typing import Any

from pabal._fork import free_in_children
from pabal.requests.structures import CaseInsensitiveDict as _CaseInsensitiveDict
from pabal.requests.structures import LookupDict

__all__ = [
    "AsyncQuicSharedCache",
    "CaseInsensitiveDict",
    "LookupDict",
    "QuicSharedCache",
    "SharableLimitedDict",
]

CaseInsensitiveDict = _CaseInsensitiveDict


class SharableLimitedDict(MutableMapping[Any, Any]):
    """A dict that several threads may use; when it is full, the oldest entry goes."""

    def __init__(self, max_size: int | None) -> None:
        self._store: dict[Any, Any] = {}
        self._max_size = max_size
        self._lock = free_in_children(threading.RLock())

    def __getstate__(self) -> dict[str, Any]:
        return {"_store": self._store, "_max_size": self._max_size}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = free_in_children(threading.RLock())

    def __getitem__(self, key: Any) -> Any:
        with self._lock:
            return self._store[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        with self._lock:
            if self._max_size and key not in self._store and len(self._store) >= self._max_size:
                del self._store[next(iter(self._store))]
            self._store[key] = value

    def __delitem__(self, key: Any) -> None:
        with self._lock:
            del self._store[key]

    def __iter__(self) -> Iterator[Any]:
        with self._lock:
            return iter(list(self._store))

    def __len__(self) -> int:
        return len(self._store)


class QuicSharedCache(SharableLimitedDict):
    """Which origins speak HTTP/3, by what they or the program said. Kept for programs; pabal does not speak it yet."""

    def __init__(self, max_size: int | None) -> None:
        super().__init__(max_size)
        self._exclusion_store: dict[Any, Any] = {}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._exclusion_store = {}

    def add_domain(self, host: str, port: int | None = None, alt_port: int | None = None) -> None:
        """The origin is known to speak it."""
        self[(host, port or 443)] = (host, alt_port or port or 443)

    def exclude_domain(self, host: str, port: int | None = None, alt_port: int | None = None) -> None:
        """The origin is not to be asked by it."""
        self._exclusion_store[(host, port or 443)] = (host, alt_port or port or 443)

    def __setitem__(self, key: Any, value: Any) -> None:
        if key not in self._exclusion_store:
            super().__setitem__(key, value)


class AsyncQuicSharedCache(QuicSharedCache):
    """The same for an ``AsyncSession``."""
