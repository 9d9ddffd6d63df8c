"""Transport adapters: ``HTTPAdapter`` sends through pabal's engine; ``BaseAdapter`` is for those who send otherwise."""

# Names with an underscore that programs import are part of the face.
# pyright: reportPrivateUsage=false
from __future__ import annotations

import os
import socket
import typing
import warnings
from typing import TYPE_CHECKING, Any

from .auth import _basic_auth_str
from .compat import basestring, urlparse
from .cookies import extract_cookies_to_jar
from .exceptions import (
    ConnectionError,
    ConnectTimeout,
    InvalidHeader,
    InvalidProxyURL,
    InvalidSchema,
    InvalidURL,
    ProxyError,
    ReadTimeout,
    RequestException,
    RetryError,
    SSLError,
)
from .models import Response
from .packages.urllib3 import exceptions as _raised
from .packages.urllib3._installed import either, headers_of, retry_of, timeout_of
from .packages.urllib3._shapes import LocationValueError as _LocationValueError
from .packages.urllib3.connectionpool import HTTPConnectionPool
from .packages.urllib3.poolmanager import PoolManager, proxy_from_url
from .packages.urllib3.poolmanager import ProxyManager as SOCKSProxyManager
from .packages.urllib3.util import Timeout as TimeoutSauce
from .packages.urllib3.util import parse_url
from .packages.urllib3.util.retry import Retry
from .structures import CaseInsensitiveDict
from .utils import (
    DEFAULT_ACCEPT_ENCODING,
    DEFAULT_CA_BUNDLE_PATH,
    get_auth_from_url,
    get_encoding_from_headers,
    prepend_scheme_if_needed,
    select_proxy,
    urldefragauth,
)

if TYPE_CHECKING:
    from .packages.urllib3.exceptions import (
        ClosedPoolError,
        ConnectTimeoutError,
        LocationValueError,
        MaxRetryError,
        NewConnectionError,
        ProtocolError,
        ReadTimeoutError,
        ResponseError,
    )
    from .packages.urllib3.exceptions import HTTPError as _HTTPError
    from .packages.urllib3.exceptions import InvalidHeader as _InvalidHeader
    from .packages.urllib3.exceptions import ProxyError as _ProxyError
    from .packages.urllib3.exceptions import SSLError as _SSLError

__all__ = [
    "DEFAULT_CA_BUNDLE_PATH",
    "DEFAULT_POOLBLOCK",
    "DEFAULT_POOLSIZE",
    "DEFAULT_POOL_TIMEOUT",
    "DEFAULT_RETRIES",
    "BaseAdapter",
    "CaseInsensitiveDict",
    "ClosedPoolError",
    "ConnectTimeoutError",
    "HTTPAdapter",
    "InvalidSchema",
    "LocationValueError",
    "MaxRetryError",
    "NewConnectionError",
    "PoolManager",
    "ProtocolError",
    "ReadTimeoutError",
    "ResponseError",
    "Retry",
    "SOCKSProxyManager",
    "TimeoutSauce",
    "_HTTPError",
    "_InvalidHeader",
    "_ProxyError",
    "_SSLError",
    "basestring",
    "extract_cookies_to_jar",
    "parse_url",
    "proxy_from_url",
    "socket",
    "typing",
    "urldefragauth",
]

#: Names of urllib3's exceptions that programs look for here: whose they are is told when they are asked for.
_URLLIB3 = {
    "ClosedPoolError": "ClosedPoolError",
    "ConnectTimeoutError": "ConnectTimeoutError",
    "LocationValueError": "LocationValueError",
    "MaxRetryError": "MaxRetryError",
    "NewConnectionError": "NewConnectionError",
    "ProtocolError": "ProtocolError",
    "ReadTimeoutError": "ReadTimeoutError",
    "ResponseError": "ResponseError",
    "_HTTPError": "HTTPError",
    "_InvalidHeader": "InvalidHeader",
    "_ProxyError": "ProxyError",
    "_SSLError": "SSLError",
}


def __getattr__(name: str) -> Any:
    if name in _URLLIB3:
        return getattr(_raised, _URLLIB3[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


DEFAULT_POOLBLOCK = False
DEFAULT_POOLSIZE = 10
DEFAULT_RETRIES = 0
DEFAULT_POOL_TIMEOUT = None

#: What an error of urllib3's kind becomes: the first name among its bases counts. The installed urllib3's errors, which
#: come from adapters that bring their own pools, are told by their names too.
_CAUSES: tuple[tuple[str, type[RequestException]], ...] = (
    ("NewConnectionError", ConnectionError),
    ("ConnectTimeoutError", ConnectTimeout),
    ("ResponseError", RetryError),
    ("ProxyError", ProxyError),
    ("SSLError", SSLError),
)
_ERRORS: tuple[tuple[str, type[RequestException]], ...] = (
    ("ProtocolError", ConnectionError),
    ("ClosedPoolError", ConnectionError),
    ("EmptyPoolError", ConnectionError),
    ("ProxyError", ProxyError),
    ("SSLError", SSLError),
    ("ReadTimeoutError", ReadTimeout),
    ("ConnectTimeoutError", ConnectTimeout),
    ("NewConnectionError", ConnectionError),
    ("InvalidHeader", InvalidHeader),
    ("URLSchemeUnknown", InvalidSchema),
    ("LocationValueError", InvalidURL),
)


def translated(error: Exception, request: Any) -> Exception | None:
    """The exception of requests for an error of a pool; None for what is no such error."""
    names = {base.__name__ for base in type(error).__mro__}
    if "HTTPError" not in names or isinstance(error, (InvalidHeader, InvalidURL)):
        return (
            ConnectionError(error, request=request)
            if isinstance(error, OSError) and not hasattr(error, "response")
            else None
        )
    if "MaxRetryError" in names:
        reason = {base.__name__ for base in type(getattr(error, "reason", None)).__mro__}
        for name, kind in _CAUSES:
            if name in reason:
                return kind(error, request=request)
        return ConnectionError(error, request=request)
    for name, kind in _ERRORS:
        if name in names:
            return kind(error.args[0] if kind is ProxyError and len(error.args) == 1 else error, request=request)
    return None


def is_chunked(request: Any) -> bool:
    """Whether the body of a prepared request goes out in chunks: nothing says how long it is."""
    return not (request.body is None or "Content-Length" in request.headers)


class BaseAdapter:
    """What a session needs of a transport."""

    def __init__(self) -> None:
        super().__init__()

    def send(
        self,
        request: Any,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> Response:
        """Sends a prepared request; returns its response."""
        raise NotImplementedError

    def close(self) -> None:
        """Lets go of everything."""
        raise NotImplementedError


class HTTPAdapter(BaseAdapter):
    """HTTP and HTTPS, through an engine session of its own.

    ``pool_connections * pool_maxsize`` idle connections are kept; with ``pool_block`` no more than ``pool_maxsize`` are
    opened to one host. ``max_retries`` is a number of retries for connections that fail, or a ``Retry``.
    """

    _pool_manager_class: Any = PoolManager

    __attrs__ = ["max_retries", "config", "_pool_connections", "_pool_maxsize", "_pool_block"]  # noqa: RUF012

    def __init__(
        self,
        pool_connections: int = DEFAULT_POOLSIZE,
        pool_maxsize: int = DEFAULT_POOLSIZE,
        max_retries: Any = DEFAULT_RETRIES,
        pool_block: bool = DEFAULT_POOLBLOCK,
    ) -> None:
        self.max_retries: Any = Retry(0, read=False) if max_retries == DEFAULT_RETRIES else Retry.from_int(max_retries)
        self.config: dict[str, Any] = {}
        self.proxy_manager: dict[str, Any] = {}
        super().__init__()
        self._pool_connections = pool_connections
        self._pool_maxsize = pool_maxsize
        self._pool_block = pool_block
        self.init_poolmanager(pool_connections, pool_maxsize, block=pool_block)

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name, None) for name in self.__attrs__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.proxy_manager = {}
        self.config = {}
        self.__dict__.update(state)
        self.init_poolmanager(self._pool_connections, self._pool_maxsize, block=self._pool_block)

    # --- pools --------------------------------------------------------------------------------------------------------

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = DEFAULT_POOLBLOCK, **pool_kwargs: Any
    ) -> None:
        """Makes ``poolmanager``. Overridden by programs that give it other settings."""
        self._pool_connections = connections
        self._pool_maxsize = maxsize
        self._pool_block = block
        self.poolmanager: Any = self._pool_manager_class(
            num_pools=connections, maxsize=maxsize, block=block, **pool_kwargs
        )

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:
        """The manager of connections through a proxy."""
        manager = self.proxy_manager.get(proxy)
        if manager is None:
            if not proxy.lower().startswith("socks"):
                proxy_kwargs.setdefault("proxy_headers", self.proxy_headers(proxy))
            manager = self._proxy_from_url(
                proxy,
                num_pools=self._pool_connections,
                maxsize=self._pool_maxsize,
                block=self._pool_block,
                **proxy_kwargs,
            )
            self.proxy_manager[proxy] = manager
        return manager

    def _proxy_from_url(self, proxy: str, **options: Any) -> Any:
        return proxy_from_url(proxy, **options)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Tells a pool whom to trust and who we are; ``OSError`` for files that are not there."""
        if url.lower().startswith("https") and verify:
            conn.cert_reqs = "CERT_REQUIRED"
            if verify is not True:
                if not os.path.exists(verify):
                    raise OSError(f"Could not find a suitable TLS CA certificate bundle, invalid path: {verify}")
                place = "ca_cert_dir" if os.path.isdir(verify) else "ca_certs"
                setattr(conn, place, verify)
            elif not isinstance(conn, HTTPConnectionPool) and not _has_roots(conn):
                conn.ca_certs = DEFAULT_CA_BUNDLE_PATH
        else:
            conn.cert_reqs = "CERT_NONE"
            conn.ca_certs = None
            conn.ca_cert_dir = None
        if cert:
            if isinstance(cert, basestring):
                conn.cert_file, conn.key_file = cert, None
            else:
                conn.cert_file, conn.key_file = cert[0], cert[1]
            for what, path in (("certificate", conn.cert_file), ("key", conn.key_file)):
                if path and not os.path.exists(path):
                    raise OSError(f"Could not find the TLS {what} file, invalid path: {path}")

    def build_connection_pool_key_attributes(
        self, request: Any, verify: Any, cert: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """What tells pools apart: scheme, host, port; and the TLS settings."""
        parts = urlparse(request.url)
        host = {"scheme": parts.scheme.lower(), "host": parts.hostname, "port": parts.port}
        options: dict[str, Any] = {"cert_reqs": "CERT_REQUIRED" if verify else "CERT_NONE"}
        if verify and verify is not True:
            options["ca_cert_dir" if os.path.isdir(verify) else "ca_certs"] = verify
        if cert is not None:
            if isinstance(cert, tuple) and len(cert) == 2:  # pyright: ignore[reportUnknownArgumentType]
                options["cert_file"], options["key_file"] = cert
            else:
                options["cert_file"] = cert
        return host, options

    def get_connection_with_tls_context(self, request: Any, verify: Any, proxies: Any = None, cert: Any = None) -> Any:
        """The pool for a request: something with ``urlopen``."""
        try:
            host, options = self.build_connection_pool_key_attributes(request, verify, cert)
        except ValueError as error:
            raise InvalidURL(error, request=request) from error
        manager = self._manager_for(select_proxy(request.url, proxies))
        return manager.connection_from_host(**host, pool_kwargs=options)

    def _manager_for(self, proxy: str | None) -> Any:
        if not proxy:
            return self.poolmanager
        proxy = prepend_scheme_if_needed(proxy, "http")
        if not parse_url(proxy).host:
            raise InvalidProxyURL("Please check proxy URL. It is malformed and could be missing the host.")
        return self.proxy_manager_for(proxy)

    def get_connection(self, url: str, proxies: Any = None) -> Any:
        """The pool for a URL; deprecated, for it knows nothing of TLS settings."""
        warnings.warn(
            "`get_connection` is deprecated: it knows nothing of verify= and cert=. Override and call "
            "`get_connection_with_tls_context` instead.",
            DeprecationWarning,
            stacklevel=2,
        )
        return self._manager_for(select_proxy(url, proxies)).connection_from_url(urlparse(url).geturl())

    def close(self) -> None:
        """Closes all connections."""
        self.poolmanager.clear()
        for manager in self.proxy_manager.values():
            manager.clear()

    # --- what is sent -------------------------------------------------------------------------------------------------

    def request_url(self, request: Any, proxies: Any) -> str:
        """What stands in the first line: path and query, or for an HTTP proxy the whole URL."""
        proxy = select_proxy(request.url, proxies)
        scheme = urlparse(request.url).scheme
        through_http = proxy and not urlparse(proxy).scheme.lower().startswith("socks")
        if through_http and scheme != "https":
            return urldefragauth(request.url)
        return str(request.path_url)

    def add_headers(self, request: Any, **kwargs: Any) -> None:
        """For subclasses that want to add some."""

    def proxy_headers(self, proxy: str) -> dict[str, str]:
        """What is sent to a proxy itself: credentials of its URL."""
        username, password = get_auth_from_url(proxy)
        return {"Proxy-Authorization": _basic_auth_str(username, password)} if username else {}

    def build_response(self, req: Any, resp: Any) -> Any:
        """A ``Response`` from a request and what a pool answered."""
        made = self._new_response()
        made.status_code = getattr(resp, "status", None)
        made.headers = CaseInsensitiveDict(_merged(getattr(resp, "headers", {})))
        made.encoding = get_encoding_from_headers(made.headers)
        made.raw = resp
        made.reason = resp.reason
        made.url = req.url.decode("utf-8") if isinstance(req.url, bytes) else req.url
        extract_cookies_to_jar(made.cookies, req, resp)
        made.request = req
        made.connection = self
        return made

    def _new_response(self) -> Any:
        return Response()

    def send(
        self,
        request: Any,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> Response:
        """Sends a prepared request; returns its response, whose body is read by whoever wants it."""
        conn, call = self._call_of(request, stream, timeout, verify, cert, proxies)
        try:
            answer = conn.urlopen(**call)
        except Exception as error:
            failure = translated(error, request)
            if failure is None:
                raise
            raise failure from error
        return self.build_response(request, answer)  # type: ignore[no-any-return]

    def _timeout_of(self, timeout: Any) -> Any:
        return _timeout(timeout)

    def _call_of(
        self, request: Any, stream: bool, timeout: Any, verify: Any, cert: Any, proxies: Any
    ) -> tuple[Any, dict[str, Any]]:
        """The pool for a request, and how its ``urlopen`` is called."""
        try:
            conn = self.get_connection_with_tls_context(request, verify, proxies=proxies, cert=cert)
        except either(_LocationValueError) as error:
            raise InvalidURL(error, request=request) from error
        self.cert_verify(conn, request.url, verify, cert)
        url = self.request_url(request, proxies)
        self.add_headers(request, stream=stream, timeout=timeout, verify=verify, cert=cert, proxies=proxies)
        limits, retries, headers = self._timeout_of(timeout), self.max_retries, request.headers
        if not isinstance(conn, HTTPConnectionPool):  # one of the installed urllib3
            limits, retries = timeout_of(limits), retry_of(retries)
            headers = headers_of(headers, DEFAULT_ACCEPT_ENCODING)
        return conn, {
            "method": request.method,
            "url": url,
            "body": request.body,
            "headers": headers,
            "redirect": False,
            "assert_same_host": False,
            "preload_content": False,
            "decode_content": False,
            "retries": retries,
            "timeout": limits,
            "chunked": is_chunked(request),
        }


def _has_roots(pool: Any) -> bool:
    """Whether a pool of urllib3 was given a context that says whom to trust."""
    roots = getattr(getattr(pool, "conn_kw", {}).get("ssl_context"), "get_ca_certs", None)
    return roots is not None and bool(roots())


def _timeout(timeout: Any) -> Any:
    if isinstance(timeout, tuple):
        try:
            connect, read = timeout  # pyright: ignore[reportUnknownVariableType]
        except ValueError:
            raise ValueError(
                f"Invalid timeout {timeout}. Pass a (connect, read) timeout tuple, or a single float to set both "
                "timeouts to the same value."
            ) from None
        return TimeoutSauce(connect=connect, read=read)
    if hasattr(timeout, "connect_timeout"):
        return timeout
    return TimeoutSauce(connect=timeout, read=timeout)


def _merged(headers: Any) -> Any:
    """Repeated lines joined."""
    return headers.itermerged() if hasattr(headers, "itermerged") else headers
