"""From the engine's exceptions to urllib3's shapes: one table."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

from pabal import exceptions as native

from ._installed import used
from ._shapes import (
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
    ProxyError,
    ReadTimeoutError,
    SSLError,
    URLSchemeUnknown,
)

__all__ = ["FINAL", "TABLE", "shaped"]

_Make = Callable[[native.PabalError, Any, str], Exception]


def _protocol(error: native.PabalError, pool: Any, url: str) -> Exception:
    if "more than one Content-Length" in error.message:
        return used(InvalidHeader)(f"Content-Length contained multiple unmatching values: {error.message}")
    if error.head_arrived:
        return used(ProtocolError)(f"Connection broken: {error.message}", error)
    return used(ProtocolError)("Connection aborted.", error)


def _proxy(error: native.PabalError, pool: Any, url: str) -> Exception:
    """Round what happened there, as urllib3 has it: its retries tell by the inner error whether a connection failed."""
    inner: Exception
    status = getattr(error, "status", None)
    if isinstance(error, native.ProxyTimeout):
        inner = used(ConnectTimeoutError)(pool, f"Connection to {_host(pool)} timed out. ({error.message})")
    elif status or isinstance(error, native.ProxyAuthenticationError):
        inner = OSError(f"Tunnel connection failed: {error.message}")
    elif error.code == "proxy_unreachable":
        inner = used(NewConnectionError)(pool, f"Failed to establish a new connection: {error.message}")
    elif error.code == "proxy_tls_failed":
        inner = used(SSLError)(error)
    else:
        inner = used(ProtocolError)("Connection aborted.", error)
    return used(ProxyError)("Unable to connect to proxy", inner)


#: What the ssl module says of a certificate, and OpenSSL's number for it; programs look for these words in messages.
_CERTIFICATES: tuple[tuple[type[native.CertificateError], int, str], ...] = (
    (native.CertificateExpired, 10, "certificate has expired"),
    (native.CertificateNotYetValid, 9, "certificate is not yet valid"),
    (native.CertificateSelfSigned, 18, "self-signed certificate"),
    (native.CertificateUntrusted, 20, "unable to get local issuer certificate"),
    (native.CertificateWrongHost, 62, "Hostname mismatch, certificate is not valid for {host!r}"),
    (native.CertificateError, 1, "unspecified certificate verification error"),
)


def _certificate(error: native.PabalError, pool: Any) -> Exception:
    """Round the ssl module's error, as urllib3 has it."""
    code, text = next((code, text) for kind, code, text in _CERTIFICATES if isinstance(error, kind))
    text = text.format(host=_host(pool))
    inner = ssl.SSLCertVerificationError(
        1, f"[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: {text} ({error.message})"
    )
    inner.reason, inner.library = "CERTIFICATE_VERIFY_FAILED", "SSL"
    inner.verify_code, inner.verify_message = code, text
    inner.__cause__ = error
    return used(SSLError)(inner)


#: Asking again would change nothing.
FINAL = (InvalidHeader, LocationParseError, URLSchemeUnknown, ClosedPoolError)

#: First match counts.
TABLE: tuple[tuple[type[native.PabalError], _Make], ...] = (
    (native.Unsupported, lambda e, pool, url: used(URLSchemeUnknown)(e.message)),
    (native.InvalidURL, lambda e, pool, url: used(LocationParseError)(f"{url}, {e.message}")),
    (native.InvalidHeader, lambda e, pool, url: used(InvalidHeader)(e.message)),
    (native.ProxyError, _proxy),
    (native.SessionClosed, lambda e, pool, url: used(ClosedPoolError)(pool, "Pool is closed.")),
    (
        native.PoolTimeout,
        lambda e, pool, url: used(EmptyPoolError)(
            pool, "Pool reached maximum size and no more connections are allowed."
        ),
    ),
    (
        native.TLSTimeout,
        lambda e, pool, url: used(ReadTimeoutError)(pool, url, f"The TLS handshake timed out. ({e.message})"),
    ),
    (
        native.ConnectTimeout,
        lambda e, pool, url: used(ConnectTimeoutError)(pool, f"Connection to {_host(pool)} timed out. ({e.message})"),
    ),
    (
        native.ResolveTimeout,
        lambda e, pool, url: used(ConnectTimeoutError)(pool, f"Connection to {_host(pool)} timed out. ({e.message})"),
    ),
    (native.WriteTimeout, _protocol),
    (native.RequestTimeout, lambda e, pool, url: used(ReadTimeoutError)(pool, url, f"Read timed out. ({e.message})")),
    (native.CertificateError, lambda e, pool, url: _certificate(e, pool)),
    (native.TLSError, lambda e, pool, url: used(SSLError)(e)),
    (native.ResolveError, lambda e, pool, url: used(NameResolutionError)(_host(pool), pool, e.message)),
    (
        native.ConnectError,
        lambda e, pool, url: used(NewConnectionError)(pool, f"Failed to establish a new connection: {e.message}"),
    ),
    (
        native.TooManyOpenFiles,
        lambda e, pool, url: used(NewConnectionError)(pool, f"Failed to establish a new connection: {e.message}"),
    ),
    (
        native.DecodeError,
        lambda e, pool, url: used(DecodeError)(
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
    return used(HTTPError)(error.message)
