"""``response.raw._original_response``: what cookie jars read of ``http.client``'s response."""

from __future__ import annotations

from typing import Any

__all__ = ["Message", "Original"]


class Message:
    """Headers as ``http.client`` shows them."""

    def __init__(self, headers: Any) -> None:
        self._headers = headers

    def get_all(self, name: str, failobj: Any = None) -> Any:
        return self._headers.getlist(name, failobj) or failobj

    getheaders = get_all

    def get(self, name: str, default: Any = None) -> Any:
        return self._headers.get(name, default)

    def items(self) -> Any:
        return self._headers.items()

    def keys(self) -> Any:
        return [name for name, _ in self._headers.items()]


class Original:
    """What is left of ``http.client``'s response: the headers, for cookie jars, and whether it is closed."""

    def __init__(self, owner: Any) -> None:
        self._owner = owner
        self.msg = Message(owner.headers)

    def isclosed(self) -> bool:
        return bool(self._owner.closed)

    def close(self) -> None:
        self._owner.close()
