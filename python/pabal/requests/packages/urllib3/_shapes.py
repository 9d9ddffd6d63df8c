"""Exceptions in urllib3's shape, for where no urllib3 is installed; see `_installed`."""

from __future__ import annotations

from typing import Any


class HTTPError(Exception):
    """The base of the errors."""


class HTTPWarning(Warning):
    """The base of the warnings."""


class PoolError(HTTPError):
    """Something about a pool."""

    def __init__(self, pool: Any, message: str) -> None:
        self.pool = pool
        self._message = message
        super().__init__(f"{pool}: {message}")

    def __reduce__(self) -> Any:
        return type(self), (None, self._message)


class RequestError(PoolError):
    """A request that a pool could not do."""

    def __init__(self, pool: Any, url: str | None, message: str) -> None:
        self.url = url
        super().__init__(pool, message)

    def __reduce__(self) -> Any:
        return type(self), (None, self.url, None)


class SSLError(HTTPError):
    """TLS failed."""


class ProxyError(HTTPError):
    """The proxy failed."""

    original_error: Exception | None

    def __init__(self, message: str, error: Exception | None = None) -> None:
        super().__init__(message, error)
        self.original_error = error


class DecodeError(HTTPError):
    """The body is not what Content-Encoding says."""


class ProtocolError(HTTPError):
    """Something unexpected in the middle of an exchange."""


ConnectionError = ProtocolError


class MaxRetryError(RequestError):
    """All retries are used up; ``reason`` is the last error."""

    def __init__(self, pool: Any, url: str | None, reason: Exception | None = None) -> None:
        self.reason = reason
        super().__init__(pool, url, f"Max retries exceeded with url: {url} (Caused by {reason!r})")

    def __reduce__(self) -> Any:
        return type(self), (None, self.url, self.reason)


class HostChangedError(RequestError):
    """A redirect left the pool's host."""

    def __init__(self, pool: Any, url: str, retries: Any = 3) -> None:
        super().__init__(pool, url, f"Tried to open a foreign host with url: {url}")
        self.retries = retries


class TimeoutStateError(HTTPError):
    """A ``Timeout`` was used the wrong way."""


class TimeoutError(HTTPError):
    """A time limit ran out."""


class ReadTimeoutError(TimeoutError, RequestError):
    """... while waiting for the server."""


class ConnectTimeoutError(TimeoutError):
    """... while connecting."""


class NewConnectionError(HTTPError):
    """No connection could be made."""

    def __init__(self, conn: Any, message: str) -> None:
        self.conn = conn
        self._message = message
        super().__init__(f"{conn}: {message}")

    @property
    def pool(self) -> Any:
        """Whose connection it would have been."""
        return self.conn

    def __reduce__(self) -> Any:
        return type(self), (None, self._message)


class NameResolutionError(NewConnectionError):
    """The host's name has no address."""

    def __init__(self, host: str, conn: Any, reason: Any) -> None:
        self._host, self._reason = host, reason
        super().__init__(conn, f"Failed to resolve '{host}' ({reason})")

    def __reduce__(self) -> Any:
        return type(self), (self._host, None, self._reason)


class EmptyPoolError(PoolError):
    """No connection became free in time."""


class FullPoolError(PoolError):
    """No more connections fit in."""


class ClosedPoolError(PoolError):
    """The pool was closed."""


class LocationValueError(ValueError, HTTPError):
    """A URL that cannot be used."""


class LocationParseError(LocationValueError):
    """A URL that cannot be parsed."""

    def __init__(self, location: str) -> None:
        super().__init__(f"Failed to parse: {location}")
        self.location = location


class URLSchemeUnknown(LocationValueError):
    """A scheme that nobody here speaks."""

    def __init__(self, scheme: str) -> None:
        super().__init__(f"Not supported URL scheme {scheme}")
        self.scheme = scheme


class ResponseError(HTTPError):
    """A status that ``Retry`` did not accept."""

    GENERIC_ERROR = "too many error responses"
    SPECIFIC_ERROR = "too many {status_code} error responses"


class SecurityWarning(HTTPWarning):
    """Something is less secure than it should be."""


class InsecureRequestWarning(SecurityWarning):
    """A request over TLS without verification."""


class NotOpenSSLWarning(SecurityWarning):
    """Kept for programs that silence it."""


class SystemTimeWarning(SecurityWarning):
    """Kept for programs that silence it."""


class InsecurePlatformWarning(SecurityWarning):
    """Kept for programs that silence it."""


class SNIMissingWarning(SecurityWarning):
    """Kept for programs that silence it."""


class SubjectAltNameWarning(SecurityWarning):
    """Kept for programs that silence it."""


class DependencyWarning(HTTPWarning):
    """Kept for programs that silence it."""


class ResponseNotChunked(ProtocolError, ValueError):
    """``read_chunked`` of a response that is not chunked."""


class BodyNotHttplibCompatible(HTTPError):
    """Kept for programs that catch it."""


class IncompleteRead(HTTPError):
    """The body ended early: ``partial`` bytes came, ``expected`` more were announced."""

    def __init__(self, partial: int, expected: int | None) -> None:
        super().__init__(partial, expected)
        self.partial = partial
        self.expected = expected

    def __repr__(self) -> str:
        return f"IncompleteRead({self.partial} bytes read, {self.expected} more expected)"


class InvalidChunkLength(ProtocolError):
    """Kept for programs that catch it."""


class InvalidHeader(HTTPError):
    """A header that none may have."""


class ProxySchemeUnknown(AssertionError, URLSchemeUnknown):
    """A proxy with a scheme that nobody here speaks."""


class ProxySchemeUnsupported(ValueError):
    """Kept for programs that catch it."""


class HeaderParsingError(HTTPError):
    """Kept for programs that catch it."""


class UnrewindableBodyError(HTTPError):
    """A body that cannot be sent again."""
