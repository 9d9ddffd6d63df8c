"""The exceptions of requests, by their names and places in the tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .compat import JSONDecodeError as CompatJSONDecodeError
from .packages.urllib3._shapes import HTTPError as BaseHTTPError

if TYPE_CHECKING:
    from .models import PreparedRequest, Request, Response

__all__ = [
    "ChunkedEncodingError",
    "ConnectTimeout",
    "ConnectionError",
    "ContentDecodingError",
    "FileModeWarning",
    "HTTPError",
    "InvalidHeader",
    "InvalidJSONError",
    "InvalidProxyURL",
    "InvalidSchema",
    "InvalidURL",
    "JSONDecodeError",
    "MissingSchema",
    "ProxyError",
    "ReadTimeout",
    "RequestException",
    "RequestsDependencyWarning",
    "RequestsWarning",
    "RetryError",
    "SSLError",
    "StreamConsumedError",
    "Timeout",
    "TooManyRedirects",
    "URLRequired",
    "UnrewindableBodyError",
]


class RequestException(IOError):
    """The base of them all: ``request`` and ``response`` where there are any."""

    request: Request | PreparedRequest | None
    response: Response | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.response = kwargs.pop("response", None)
        self.request = kwargs.pop("request", None)
        if self.request is None and self.response is not None and hasattr(self.response, "request"):
            self.request = self.response.request
        super().__init__(*args, **kwargs)


class InvalidJSONError(RequestException):
    """JSON that cannot be read or written."""


class JSONDecodeError(InvalidJSONError, CompatJSONDecodeError):
    """The body is not JSON."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        CompatJSONDecodeError.__init__(self, *args)
        InvalidJSONError.__init__(self, *self.args, **kwargs)

    def __reduce__(self) -> Any:
        return CompatJSONDecodeError.__reduce__(self)


class HTTPError(RequestException):
    """The status says failure: see ``Response.raise_for_status``."""


class ConnectionError(RequestException):
    """No connection could be had, or it broke."""


class ProxyError(ConnectionError):
    """The proxy could not be used."""


class SSLError(ConnectionError):
    """TLS failed."""


class Timeout(RequestException):
    """A limit of ``timeout=`` ran out."""


class ConnectTimeout(ConnectionError, Timeout):
    """... before there was a connection; the request may be repeated."""


class ReadTimeout(Timeout):
    """... while waiting for the server."""


class URLRequired(RequestException):
    """A request needs a URL."""


class TooManyRedirects(RequestException):
    """More redirects than ``Session.max_redirects``."""


class MissingSchema(RequestException, ValueError):
    """The URL has no scheme."""


class InvalidSchema(RequestException, ValueError):
    """No adapter is mounted for the URL's scheme."""


class InvalidURL(RequestException, ValueError):
    """The URL makes no sense."""


class InvalidHeader(RequestException, ValueError):
    """A header holds what none may hold."""


class InvalidProxyURL(InvalidURL):
    """The URL of a proxy makes no sense."""


class ChunkedEncodingError(RequestException):
    """The body ended before its time."""


class ContentDecodingError(RequestException, BaseHTTPError):
    """The body is not what Content-Encoding says."""


class StreamConsumedError(RequestException, TypeError):
    """The body was read already."""


class RetryError(RequestException):
    """The retries that ``Retry`` allows are used up."""


class UnrewindableBodyError(RequestException):
    """The request must be sent again, but its body cannot be."""


class RequestsWarning(Warning):
    """The base of the warnings."""


class FileModeWarning(RequestsWarning, DeprecationWarning):
    """A file was opened as text where its size in bytes is needed."""


class RequestsDependencyWarning(RequestsWarning):
    """Kept for programs that silence it."""
