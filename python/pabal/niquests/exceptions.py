"""The exceptions of niquests: those of requests, and two more."""

from __future__ import annotations

from pabal.requests.exceptions import *  # noqa: F403
from pabal.requests.exceptions import BaseHTTPError as BaseHTTPError
from pabal.requests.exceptions import RequestException
from pabal.requests.exceptions import __all__ as _shared

__all__ = [*_shared, "MultiplexingError", "UnsupportedError"]  # pyright: ignore[reportUnsupportedDunderAll]


class MultiplexingError(RequestException):
    """Requests on one connection got in each other's way."""


class UnsupportedError(RequestException, NotImplementedError):
    """pabal cannot do what was asked for yet, and does not pretend to."""
