"""Every way a request can fail, as one tree.

    PabalError (OSError)
    ├── InvalidURL, InvalidHeader, InvalidArgument, Unsupported     the caller's; ValueError too; nothing was sent
    ├── SessionClosed, StreamConsumed, ResponseNotRead              the caller's; RuntimeError too
    ├── TransportError (ConnectionError)
    │   ├── ConnectError       ResolveError (HostNotFound), ConnectionRefused, NetworkUnreachable, AddressRefused
    │   │   └── ProxyError     ProxyAuthenticationError: the proxy is at fault, not what lies behind it
    │   ├── TLSError           TLSHandshakeError, TrustStoreError, ClientCertificateError
    │   │   └── CertificateError    CertificateExpired, …NotYetValid, …WrongHost, …SelfSigned, …Untrusted, …Invalid
    │   ├── ConnectionClosed   ConnectionReset, WriteError
    │   └── StreamReset        one exchange of many on an HTTP/2 connection
    ├── RequestTimeout (TimeoutError)
    │                          PoolTimeout, ResolveTimeout, ConnectTimeout (ProxyTimeout), TLSTimeout, WriteTimeout,
    │                          ReadTimeout, TotalTimeout
    ├── ProtocolError          HeadTooLarge, IncompleteBody: the peer broke HTTP
    ├── DecodeError            JSONDecodeError; the body is not what its headers say
    ├── BodyTooLarge           more than the caller allows to be held in memory
    ├── RedirectError          TooManyRedirects, UnfollowableRedirect, BodyNotReplayable
    ├── HTTPStatusError        only by ``Response.raise_for_status()``
    └── RequestBodyError, TooManyOpenFiles, RequestCancelled

Each carries ``code`` (the engine's stable name of what happened), ``phase`` (when), ``whose`` fault it is
(``"caller"``, ``"peer"``, ``"proxy"``, ``"network"`` or ``"local"``), ``errno`` when the operating system said no, and
``request`` (method and URL, without credentials). All can be pickled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from pabal._json import JSONDecodeError as JSONDecodeError
    from pabal.response import Response
    from pabal.trace import Trace

__all__ = [
    "BY_CODE",
    "TIMEOUT_BY_PHASE",
    "AddressRefused",
    "BodyNotReplayable",
    "BodyTooLarge",
    "CertificateError",
    "CertificateExpired",
    "CertificateInvalid",
    "CertificateNotYetValid",
    "CertificateSelfSigned",
    "CertificateUntrusted",
    "CertificateWrongHost",
    "ClientCertificateError",
    "ConnectError",
    "ConnectTimeout",
    "ConnectionClosed",
    "ConnectionRefused",
    "ConnectionReset",
    "DecodeError",
    "FailedRequest",
    "HTTPStatusError",
    "HeadTooLarge",
    "HostNotFound",
    "IncompleteBody",
    "InvalidArgument",
    "InvalidHeader",
    "InvalidURL",
    "JSONDecodeError",
    "NetworkUnreachable",
    "PabalError",
    "PoolTimeout",
    "ProtocolError",
    "ProxyAuthenticationError",
    "ProxyError",
    "ProxyTimeout",
    "RateLimited",
    "ReadTimeout",
    "RedirectError",
    "RequestBodyError",
    "RequestCancelled",
    "RequestTimeout",
    "ResolveError",
    "ResolveTimeout",
    "ResponseNotRead",
    "SessionClosed",
    "StreamConsumed",
    "StreamReset",
    "TLSError",
    "TLSHandshakeError",
    "TLSTimeout",
    "TooManyOpenFiles",
    "TooManyRedirects",
    "TotalTimeout",
    "TransportError",
    "TrustStoreError",
    "UnfollowableRedirect",
    "Unsupported",
    "WriteError",
    "WriteTimeout",
]


def redact(url: str) -> str:
    """The URL with its user information replaced, fit for messages and logs."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url
    end = len(rest)
    for mark in "/?#\\":
        found = rest.find(mark)
        if 0 <= found < end:
            end = found
    authority = rest[:end]
    _, at, host = authority.rpartition("@")
    return f"{scheme}://***@{host}{rest[end:]}" if at else url


def _without_userinfo(url: str | None) -> str:
    return redact(url or "").replace("***@", "", 1)


class FailedRequest:
    """What was asked when it failed: ``method`` and ``url``, the latter without credentials."""

    __slots__ = ("method", "url")

    method: str
    url: str

    def __init__(self, method: str, url: str) -> None:
        self.method = method
        self.url = redact(url)

    def __repr__(self) -> str:
        return f"{self.method} {self.url}".lstrip()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FailedRequest):
            return NotImplemented
        return self.method == other.method and self.url == other.url

    def __hash__(self) -> int:
        return hash((self.method, self.url))


class PabalError(IOError):
    """The base of every exception of this package."""

    #: The engine's stable name of what happened, e.g. ``"connection_refused"``.
    code: str = ""
    #: The phase of the request: prepare, pool, resolve, connect, proxy, tls, write, read, total; or empty.
    phase: str = ""
    #: Whose fault it is: ``"caller"``, ``"peer"``, ``"proxy"``, ``"network"`` or ``"local"``.
    whose: str = "local"
    #: The request that failed, or None when there was none yet.
    request: FailedRequest | None = None
    #: Whether the head of the response had arrived: what failed then was its body.
    head_arrived: bool = False

    def __init__(
        self,
        message: str = "",
        *,
        code: str = "",
        phase: str = "",
        whose: str = "",
        errno: int | None = None,
        request: FailedRequest | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        if code:
            self.code = code
        if phase:
            self.phase = phase
        if whose:
            self.whose = whose
        if errno:
            self.errno = errno
        if request is not None:
            self.request = request

    #: As the engine gives it; what ``trace`` is made of.
    _trace_parts: Any = None

    @property
    def trace(self) -> Trace | None:
        """When what happened until it failed; None when nothing was sent or tried."""
        if self._trace_parts is None:
            return None
        from pabal.trace import Trace

        return Trace(self._trace_parts)

    @property
    def elapsed(self) -> float | None:
        """Seconds from the beginning of the request to the failure."""
        trace = self.trace
        return None if trace is None else trace.elapsed

    @property
    def url(self) -> str | None:
        """The URL that was asked for, without credentials."""
        return self.request.url if self.request is not None else None

    def __str__(self) -> str:
        return f"{self.message} ({self.request!r})" if self.request is not None else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self._state())

    def _state(self) -> dict[str, object]:
        state = dict(self.__dict__)
        if self.errno:
            state["errno"] = self.errno
        return state


def _rebuild(cls: type[PabalError], message: str, state: Mapping[str, object]) -> PabalError:
    error = cls.__new__(cls)
    PabalError.__init__(error, message)
    for name, value in state.items():
        setattr(error, name, value)
    return error


# --- the caller's -----------------------------------------------------------------------------------------------------


class InvalidURL(PabalError, ValueError):
    """The URL cannot be parsed, or has no host, or a scheme that is not http(s)."""

    code, phase, whose = "invalid_url", "prepare", "caller"


class InvalidHeader(PabalError, ValueError):
    """A field name or value holds what RFC 9110 section 5 forbids (NUL, CR, LF, …); nothing was sent."""

    code, phase, whose = "invalid_header", "prepare", "caller"


class InvalidArgument(PabalError, ValueError):
    """Arguments that contradict each other or make no sense; nothing was sent."""

    code, phase, whose = "invalid_argument", "prepare", "caller"


class Unsupported(InvalidArgument):
    """Something HTTP knows and this version of pabal does not do."""

    code = "unsupported"


class SessionClosed(PabalError, RuntimeError):
    """The session was closed before or while the request ran."""

    code, whose = "session_closed", "caller"


class StreamConsumed(PabalError, RuntimeError):
    """The body of this response was already read as a stream, or the response was closed."""

    code, phase, whose = "stream_consumed", "read", "caller"


class ResponseNotRead(PabalError, RuntimeError):
    """The body of a streamed async response was asked for before ``await response.aread()``."""

    code, phase, whose = "response_not_read", "read", "caller"


class RequestBodyError(PabalError):
    """The body given by the caller failed while it was read, or was shorter or longer than announced."""

    code, phase, whose = "request_body_failed", "write", "caller"


class BodyTooLarge(PabalError):
    """The response body is larger than may be held in memory; stream it instead."""

    code, phase, whose = "body_too_large", "read", "peer"


# --- reaching the peer ------------------------------------------------------------------------------------------------


class TransportError(PabalError, ConnectionError):
    """No connection could be had, or it broke."""

    whose = "network"


class ConnectError(TransportError):
    """No connection to the peer could be made."""

    code, phase = "connect_failed", "connect"


class ResolveError(ConnectError):
    """The resolver failed: no server answered, or it answered nonsense."""

    code, phase = "resolver_failed", "resolve"


class HostNotFound(ResolveError):
    """The name does not exist, or has no address."""

    code = "host_not_found"


class ConnectionRefused(ConnectError, ConnectionRefusedError):
    """Nothing listens at the peer's address."""

    code, whose = "connection_refused", "peer"


class NetworkUnreachable(ConnectError):
    """There is no route to the peer."""

    code = "network_unreachable"


class AddressRefused(ConnectError):
    """The session's own `pabal.SafeResolver` refuses the address; nothing was sent."""

    code, whose = "address_refused", "caller"


class ProxyError(ConnectError):
    """The proxy cannot be reached, does not let us through, or broke its protocol; nothing was sent to the origin.

    ``code`` tells which: ``proxy_unreachable``, ``proxy_tls_failed``, ``proxy_auth_required``, ``proxy_refused`` or
    ``proxy_failed``. (An http:// request that an HTTP proxy forwards is answered by the proxy itself when it fails:
    that is a response, with a status such as 407 or 502.)
    """

    code, phase, whose = "proxy_failed", "proxy", "proxy"

    #: The HTTP status, or SOCKS's reply, with which the proxy refused the tunnel; 0 when it was not for that.
    status: int = 0


class ProxyAuthenticationError(ProxyError):
    """The proxy wants credentials, or others: 407, or SOCKS's ways to say so."""

    code = "proxy_auth_required"


class ConnectionClosed(TransportError):
    """The peer closed the connection before it had answered."""

    code, phase, whose = "connection_closed", "read", "peer"


class ConnectionReset(ConnectionClosed, ConnectionResetError):
    """The connection was reset while in use."""

    code = "connection_reset"


class WriteError(ConnectionClosed):
    """The request could not be written."""

    code, phase = "write_failed", "write"


class StreamReset(TransportError):
    """The peer ended this exchange before it had answered, and kept the connection (HTTP/2 and later)."""

    code, phase, whose = "stream_reset", "read", "peer"


class TooManyOpenFiles(PabalError):
    """This process may open no more descriptors: lower ``Limits.max_connections`` or raise ``ulimit -n``."""

    code, phase = "too_many_open_files", "connect"


# --- TLS --------------------------------------------------------------------------------------------------------------


class TLSError(TransportError):
    """TLS failed; the certificate errors below say more where they can."""

    code, phase, whose = "tls_failed", "tls", "peer"


class TLSHandshakeError(TLSError):
    """The two sides could not agree: no common version or cipher, an alert, or the peer does not speak TLS."""

    code = "tls_handshake_failed"


class TrustStoreError(TLSError):
    """The certificates to trust cannot be read (``verify=``, SSL_CERT_FILE, …)."""

    code, whose = "trust_store_unreadable", "caller"


class ClientCertificateError(TLSError):
    """The client certificate or its key cannot be used (``cert=``)."""

    code, whose = "client_certificate_unusable", "caller"


class CertificateError(TLSError):
    """The peer's certificate was not accepted."""

    code = "certificate_invalid"


class CertificateInvalid(CertificateError):
    """The peer's certificate is malformed or may not be used for this."""


class CertificateExpired(CertificateError):
    """The peer's certificate, or one it hangs on, has expired."""

    code = "certificate_expired"


class CertificateNotYetValid(CertificateError):
    """The peer's certificate is not valid yet; perhaps this machine's clock is wrong."""

    code = "certificate_not_yet_valid"


class CertificateWrongHost(CertificateError):
    """The peer's certificate is for another host."""

    code = "certificate_wrong_host"


class CertificateSelfSigned(CertificateError):
    """The peer's certificate is signed by itself."""

    code = "certificate_self_signed"


class CertificateUntrusted(CertificateError):
    """The peer's certificate leads to no root that is trusted here."""

    code = "certificate_untrusted"


# --- time and will ----------------------------------------------------------------------------------------------------


class RequestTimeout(PabalError, TimeoutError):
    """A limit of ``pabal.Timeout`` ran out; the subclass and ``phase`` say which."""

    code, whose = "timed_out", "network"


class PoolTimeout(RequestTimeout):
    """No connection became free in time; ``Limits`` allows fewer than are wanted."""

    phase, whose = "pool", "caller"


class ConnectTimeout(RequestTimeout, ConnectError):
    """The peer did not accept a connection in time."""

    code, phase = "timed_out", "connect"


class ProxyTimeout(ConnectTimeout, ProxyError):
    """The proxy was not reached, or did not make a tunnel, in time."""

    code, phase, whose = "timed_out", "proxy", "proxy"


class ResolveTimeout(RequestTimeout, ResolveError):
    """The name was not resolved in time."""

    code, phase = "timed_out", "resolve"


class TLSTimeout(RequestTimeout, TLSError):
    """The TLS handshake did not finish in time."""

    code, phase, whose = "timed_out", "tls", "peer"


class WriteTimeout(RequestTimeout):
    """The peer took no more of the request for too long."""

    phase, whose = "write", "peer"


class ReadTimeout(RequestTimeout):
    """The peer sent nothing for too long."""

    phase, whose = "read", "peer"


class TotalTimeout(RequestTimeout):
    """The request as a whole took too long."""

    phase = "total"


class RateLimited(PabalError):
    """So many requests wait for the session's rate limiter that it takes no more."""

    code, phase, whose = "rate_limited", "pool", "caller"


class RequestCancelled(PabalError):
    """The request was cancelled, e.g. by closing the session it ran in."""

    code, whose = "cancelled", "caller"


# --- the peer broke the rules -----------------------------------------------------------------------------------------


class ProtocolError(PabalError):
    """The peer did not speak HTTP as RFC 9110 and 9112 demand."""

    code, phase, whose = "malformed_message", "read", "peer"


class HeadTooLarge(ProtocolError):
    """The peer's header block is larger than is accepted."""

    code = "head_too_large"


class IncompleteBody(ProtocolError):
    """The connection ended before the announced body did."""

    code = "body_incomplete"


class DecodeError(PabalError):
    """The body is not what its headers say (gzip, br, zstd, charset, JSON), or unpacks beyond all bounds."""

    code, phase, whose = "content_coding_failed", "read", "peer"


class RedirectError(PabalError):
    """A redirect could not be followed."""

    code, phase, whose = "unfollowable_redirect", "read", "peer"


class UnfollowableRedirect(RedirectError):
    """The redirect leads to something that is not an http(s) URL."""


class TooManyRedirects(RedirectError):
    """More redirects than ``session.max_redirects``."""

    code = "too_many_redirects"


class BodyNotReplayable(RedirectError):
    """The request must be sent again, but its body was a stream that can be read only once."""

    code, whose = "body_not_replayable", "caller"


class HTTPStatusError(PabalError):
    """The status says failure (4xx or 5xx); raised by ``Response.raise_for_status()`` only.

    ``response`` is the response itself (None once the exception went through pickle).
    """

    code, phase, whose = "http_status", "read", "peer"

    response: Response | None

    def __init__(self, message: str = "", *, response: Response | None = None) -> None:
        super().__init__(message)
        self.response = response
        self.status_code: int = 0 if response is None else response.status_code
        if response is not None:
            self.request = FailedRequest(response.request.method, response.url)

    def __str__(self) -> str:
        return self.message

    def _state(self) -> dict[str, object]:
        return {**super()._state(), "response": None}


#: What the engine's error codes become; ``timed_out`` is told apart by its phase.
BY_CODE: dict[str, type[PabalError]] = {
    "invalid_url": InvalidURL,
    "invalid_header": InvalidHeader,
    "invalid_argument": InvalidArgument,
    "unsupported": Unsupported,
    "session_closed": SessionClosed,
    "host_not_found": HostNotFound,
    "resolver_failed": ResolveError,
    "connection_refused": ConnectionRefused,
    "network_unreachable": NetworkUnreachable,
    "connect_failed": ConnectError,
    "address_refused": AddressRefused,
    "too_many_open_files": TooManyOpenFiles,
    "proxy_unreachable": ProxyError,
    "proxy_tls_failed": ProxyError,
    "proxy_auth_required": ProxyAuthenticationError,
    "proxy_refused": ProxyError,
    "proxy_failed": ProxyError,
    "tls_handshake_failed": TLSHandshakeError,
    "tls_failed": TLSError,
    "certificate_expired": CertificateExpired,
    "certificate_not_yet_valid": CertificateNotYetValid,
    "certificate_wrong_host": CertificateWrongHost,
    "certificate_self_signed": CertificateSelfSigned,
    "certificate_untrusted": CertificateUntrusted,
    "certificate_invalid": CertificateInvalid,
    "trust_store_unreadable": TrustStoreError,
    "client_certificate_unusable": ClientCertificateError,
    "connection_closed": ConnectionClosed,
    "connection_reset": ConnectionReset,
    "write_failed": WriteError,
    "stream_reset": StreamReset,
    "malformed_message": ProtocolError,
    "head_too_large": HeadTooLarge,
    "body_incomplete": IncompleteBody,
    "content_coding_failed": DecodeError,
    "body_too_large": BodyTooLarge,
    "too_many_redirects": TooManyRedirects,
    "unfollowable_redirect": UnfollowableRedirect,
    "body_not_replayable": BodyNotReplayable,
    "request_body_failed": RequestBodyError,
    "rate_limited": RateLimited,
    "timed_out": RequestTimeout,
    "cancelled": RequestCancelled,
}

TIMEOUT_BY_PHASE: dict[str, type[RequestTimeout]] = {
    "pool": PoolTimeout,
    "resolve": ResolveTimeout,
    "connect": ConnectTimeout,
    "proxy": ProxyTimeout,
    "tls": TLSTimeout,
    "write": WriteTimeout,
    "read": ReadTimeout,
    "total": TotalTimeout,
}


def from_engine(
    code: str,
    phase: str,
    whose: str,
    errno: int,
    message: str,
    url: str | None = None,
    method: str = "",
    status: int = 0,
) -> PabalError:
    """The exception for an error of the engine; called by the bindings."""
    cls = BY_CODE.get(code, PabalError)
    if code == "timed_out":
        cls = TIMEOUT_BY_PHASE.get(phase, RequestTimeout)
    request = FailedRequest(method, url) if url else None
    if request is not None:  # the engine's messages end with the request, for C++; here str() adds it
        message = message.removesuffix(f" [{method} {_without_userinfo(url)}]")
    made = cls(
        message or code.replace("_", " "),
        code=code,
        phase="" if phase == "none" else phase,
        whose=whose,
        errno=errno or None,
        request=request,
    )
    if status and isinstance(made, ProxyError):
        made.status = status
    return made


def __getattr__(name: str) -> object:
    # json is imported only when something failed to parse
    if name == "JSONDecodeError":
        from pabal._json import JSONDecodeError

        globals()[name] = JSONDecodeError
        return JSONDecodeError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
