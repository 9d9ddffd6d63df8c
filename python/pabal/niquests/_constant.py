"""Defaults."""

from __future__ import annotations

from .typing import RetryType, TimeoutType

__all__ = [
    "DEFAULT_POOLBLOCK",
    "DEFAULT_POOLSIZE",
    "DEFAULT_RETRIES",
    "READ_DEFAULT_TIMEOUT",
    "WRITE_DEFAULT_TIMEOUT",
    "default_timeout",
]

#: Seconds, of methods that only read; and of the others.
READ_DEFAULT_TIMEOUT: TimeoutType = 30
WRITE_DEFAULT_TIMEOUT: TimeoutType = 120

DEFAULT_POOLBLOCK: bool = False
DEFAULT_POOLSIZE: int = 10
DEFAULT_RETRIES: RetryType = 0


def default_timeout(method: str | None) -> TimeoutType:
    """The limit of a request that was given none."""
    return READ_DEFAULT_TIMEOUT if (method or "").upper() in ("GET", "HEAD", "OPTIONS") else WRITE_DEFAULT_TIMEOUT
