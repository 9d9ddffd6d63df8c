"""``Timeout``: limits for connecting and for reading."""

from __future__ import annotations

from typing import Any

__all__ = ["Timeout"]

_DEFAULT: Any = object()


def _checked(value: Any, name: str) -> Any:
    if value is None or value is _DEFAULT:
        return value
    if isinstance(value, bool):
        raise ValueError("Timeout cannot be a boolean value. It must be an int, float or None.")
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"Timeout value {name} was {value}, but it must be an int, float or None.") from None
    if seconds <= 0:
        raise ValueError(
            f"Attempted to set {name} timeout to {value}, but the timeout cannot be set to a value less than or equal "
            "to 0."
        )
    return value


class Timeout:
    """Seconds for the connection to be made and between two pieces of the answer; ``total`` caps both."""

    DEFAULT_TIMEOUT: Any = _DEFAULT

    def __init__(self, total: Any = None, connect: Any = _DEFAULT, read: Any = _DEFAULT) -> None:
        self._connect = _checked(connect, "connect")
        self._read = _checked(read, "read")
        self.total = _checked(total, "total")

    def __repr__(self) -> str:
        return f"Timeout(connect={self._connect!r}, read={self._read!r}, total={self.total!r})"

    __str__ = __repr__

    @classmethod
    def from_float(cls, timeout: Any) -> Timeout:
        """The same limit for both."""
        return cls(read=timeout, connect=timeout)

    def clone(self) -> Timeout:
        """A copy."""
        return Timeout(connect=self._connect, read=self._read, total=self.total)

    @property
    def connect_timeout(self) -> Any:
        """Seconds for connecting, or None."""
        return self._limit(self._connect)

    @property
    def read_timeout(self) -> Any:
        """Seconds for reading, or None."""
        return self._limit(self._read)

    def _limit(self, own: Any) -> Any:
        if own is None or own is _DEFAULT:
            return self.total
        return own if self.total is None else min(own, self.total)
