"""From the engine's exceptions to urllib3's shapes: one table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pabal import exceptions as native

from .exceptions import (
    ClosedPoolError,
    ConnectTimeoutError,
    DecodeError,
    EmptyPoolError,
    HTTPError,
    InvalidHeader,
    LocationParseError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    SSLError,
    URLSchemeUnknown,
)

__all__ = ["FINAL", "TABLE", "shaped"]

_Make = Callable[[native.PabalError, Any, str], Exception]


def _protocol(error: native.PabalError, pool: Any, url: str) -> Exception:
    if "more than one Content-Length" in error.message:
        return InvalidHeader(f"Content-Length contained multiple unmatching values: {error.message}")
    if error.head_arrived:
        return ProtocolError(f"Connection broken: {error.message}", error)
    return ProtocolError("Connection aborted.", error)


#: Asking again would change nothing.
FINAL = (InvalidHeader, LocationParseError, URLSchemeUnknown, ClosedPoolError)

#: First match counts.
TABLE: tuple[tuple[type[native.PabalError], _Make], ...] = (
    (native.Unsupported, lambda e, pool, url: URLSchemeUnknown(e.message)),
    (native.InvalidURL, lambda e, pool, url: LocationParseError(f"{url}, {e.message}")),
    (native.InvalidHeader, lambda e, pool, url: InvalidHeader(e.message)),
    (native.SessionClosed, lambda e, pool, url: ClosedPoolError(pool, "Pool is closed.")),
    (
        native.PoolTimeout,
        lambda e, pool, url: EmptyPoolError(pool, "Pool reached maximum size and no more connections are allowed."),
    ),
    (
        native.TLSTimeout,
        lambda e, pool, url: ReadTimeoutError(pool, url, f"The TLS handshake timed out. ({e.message})"),
    ),
    (
        native.ConnectTimeout,
        lambda e, pool, url: ConnectTimeoutError(pool, f"Connection to {_host(pool)} timed out. ({e.message})"),
    ),
    (
        native.ResolveTimeout,
        lambda e, pool, url: ConnectTimeoutError(pool, f"Connection to {_host(pool)} timed out. ({e.message})"),
    ),
    (native.WriteTimeout, _protocol),
    (native.RequestTimeout, lambda e, pool, url: ReadTimeoutError(pool, url, f"Read timed out. ({e.message})")),
    (native.TLSError, lambda e, pool, url: SSLError(e)),
    (native.ResolveError, lambda e, pool, url: NameResolutionError(_host(pool), pool, e.message)),
    (
        native.ConnectError,
        lambda e, pool, url: NewConnectionError(pool, f"Failed to establish a new connection: {e.message}"),
    ),
    (
        native.TooManyOpenFiles,
        lambda e, pool, url: NewConnectionError(pool, f"Failed to establish a new connection: {e.message}"),
    ),
    (
        native.DecodeError,
        lambda e, pool, url: DecodeError(
            f"Received response with a content coding that failed to decode it: {e.message}", e
        ),
    ),
    (native.TransportError, _protocol),
    (native.ProtocolError, _protocol),
    (native.RequestBodyError, _protocol),
)


def _host(pool: Any) -> str:
    return str(getattr(pool, "host", ""))


def shaped(error: native.PabalError, pool: Any, url: str) -> Exception:
    """The exception that urllib3 would have raised for it."""
    for kind, make in TABLE:
        if isinstance(error, kind):
            return make(error, pool, url)
    return HTTPError(error.message)
