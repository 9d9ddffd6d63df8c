"""``HTTPConnectionPool``: one origin, as far as programs touch it; the connections are the engine's."""

# Names with an underscore that programs import are part of the face.
# pyright: reportPrivateUsage=false
from __future__ import annotations

import os
import ssl
import sys
import warnings
from collections.abc import Callable, Generator
from functools import lru_cache, partial
from typing import Any

from pabal import exceptions as native_errors
from pabal._body import FileBody, IterableBody, as_bytes
from pabal.config import Timeout as NativeTimeout

from ._installed import either, used
from ._shapes import InsecureRequestWarning, LocationValueError, MaxRetryError, UnrewindableBodyError
from .failures import FINAL, shaped
from .response import HTTPResponse
from .util.request import SKIP_HEADER
from .util.retry import Retry
from .util.timeout import Timeout
from .util.url import parse_url

__all__ = ["HTTPConnectionPool", "HTTPSConnectionPool", "connection_from_url", "engine_body", "engine_timeout"]


class HTTPConnectionPool:
    """Sends requests to one host and port through the engine of its manager."""

    scheme = "http"
    _response_class = HTTPResponse

    def __init__(
        self,
        host: str,
        port: int | None = None,
        timeout: Any = None,
        maxsize: int = 1,
        block: bool = False,
        headers: Any = None,
        retries: Any = None,
        *,
        manager: Any = None,
        **options: Any,
    ) -> None:
        if not host:
            raise used(LocationValueError)("No host specified.")
        self.host = host.strip("[]") if host.startswith("[") else host
        self.port = port or (443 if self.scheme == "https" else 80)
        self.timeout = timeout
        self.headers: Any = headers or {}
        self.retries = retries
        self.num_requests = 0
        self.proxy = options.pop("_proxy", None)
        self.cert_reqs: Any = options.get("cert_reqs")
        self.ca_certs: Any = options.get("ca_certs")
        self.ca_cert_dir: Any = options.get("ca_cert_dir")
        self.cert_file: Any = options.get("cert_file")
        self.key_file: Any = options.get("key_file")
        self.key_password: Any = options.get("key_password")
        self.conn_kw = options
        if manager is None:
            from .poolmanager import PoolManager

            manager = PoolManager(maxsize=maxsize, block=block, **options)
        self._manager = manager
        #: Of a proxy that is reached over TLS. Not `verify`: an adapter sets that to nothing for http:// URLs.
        self._proxy_verify = self.verify

    def __str__(self) -> str:
        return f"{type(self).__name__}(host={self.host!r}, port={self.port!r})"

    def __repr__(self) -> str:
        return f"<{self}>"

    def __enter__(self) -> HTTPConnectionPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Nothing to close here: connections belong to the manager."""

    @property
    def verify(self) -> Any:
        """As the engine wants it: a bool, or the path of a bundle."""
        if self.cert_reqs in ("CERT_NONE", ssl.CERT_NONE):
            return False
        return self.ca_certs or self.ca_cert_dir or self._manager.verify

    @property
    def cert(self) -> Any:
        """As the engine wants it: who we are."""
        if not self.cert_file:
            return None
        if self.key_password:
            return (self.cert_file, self.key_file, self.key_password)
        return (self.cert_file, self.key_file) if self.key_file else self.cert_file

    def _url(self, url: str) -> str:
        if url.startswith(("http://", "https://")):
            return url
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = 443 if self.scheme == "https" else 80
        return f"{self.scheme}://{host}{'' if self.port == usual else f':{self.port}'}{url}"

    def urlopen(
        self,
        method: str,
        url: str,
        body: Any = None,
        headers: Any = None,
        retries: Any = None,
        redirect: bool = True,
        assert_same_host: bool = True,
        timeout: Any = None,
        pool_timeout: Any = None,
        release_conn: bool | None = None,
        chunked: bool = False,
        body_pos: Any = None,
        preload_content: bool = True,
        decode_content: bool = True,
        **_: Any,
    ) -> HTTPResponse:
        """One request, with the retries that ``retries`` allows. Redirects are the caller's."""
        if retries is None or isinstance(retries, (bool, int)):
            retries = Retry.from_int(retries, redirect=redirect, default=self.retries)
        steps = self._attempts(method, url, body, headers, retries, timeout, chunked, body_pos)
        try:
            step = next(steps)
            while True:
                try:
                    done = step()
                except Exception as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(done)
        except StopIteration as end:
            response: HTTPResponse = end.value
        response.decode_content = decode_content
        if preload_content:
            response._body = response.read(decode_content=decode_content)
        return response

    def _attempts(
        self,
        method: str,
        url: str,
        body: Any,
        headers: Any,
        retries: Any,
        timeout: Any,
        chunked: bool,
        body_pos: Any = None,
    ) -> Generator[Callable[[], Any], Any, Any]:
        """What is done in turn for one request, whoever does it: each step is an exchange or a wait, to be called (and
        awaited, by those whose engine is asynchronous); its outcome is sent back here. Returns the response.
        """
        lines = plain_headers(self.headers if headers is None else headers)
        start = body_pos if body_pos is not None else _position(body)
        full = self._url(url)
        while True:
            self.num_requests += 1
            try:
                native = yield partial(self._exchange, method, full, body, lines, timeout, chunked)
            except native_errors.PabalError as error:
                failure = shaped(error, self, url)
                failure.__cause__ = error
                if isinstance(failure, either(*FINAL)):
                    raise failure from error
                retries = retries.increment(method, url, error=failure, _pool=self, _stacktrace=sys.exc_info()[2])
                yield partial(self._wait, retries, None)
                _rewind(body, start)
                continue
            response = self._response_class.of(native, self, retries, method, url)
            if retries.is_retry(method, response.status, "Retry-After" in response.headers):
                try:
                    retries = retries.increment(method, url, response=response, _pool=self)
                except either(MaxRetryError):
                    if retries.raise_on_status:
                        response.drain_conn()
                        raise
                    return response
                response.drain_conn()
                yield partial(self._wait, retries, response)
                _rewind(body, start)
                continue
            return response

    def _body_of(self, body: Any, headers: Any, chunked: bool) -> Any:
        return engine_body(body, headers, chunked)

    def _wait(self, retries: Any, response: Any) -> Any:
        retries.sleep(response)

    def _exchange(self, method: str, url: str, body: Any, headers: Any, timeout: Any, chunked: bool) -> Any:
        by = None
        verify = None
        if self.proxy is not None:
            by = self._manager.proxy_for(url, headers)
            verify = self._proxy_verify
            if verify is False and self.proxy.scheme == "https":
                warn_unverified(self.proxy.host)
        if url.startswith("https:"):
            verify = self.verify
            if verify is False:
                warn_unverified(self.host)
        given = self._body_of(body, headers, chunked)
        return self._manager.engine.exchange(
            method,
            url,
            headers,
            given,
            stream=True,
            timeout=engine_timeout(timeout),
            verify=verify,
            cert=self.cert,
            proxy=by,
        )

    def request(
        self, method: str, url: str, body: Any = None, fields: Any = None, headers: Any = None, **kw: Any
    ) -> Any:
        """One request."""
        return self.urlopen(method, url, body=body, headers=headers, **kw)


class HTTPSConnectionPool(HTTPConnectionPool):
    """The same over TLS."""

    scheme = "https"


def connection_from_url(url: str, **kw: Any) -> HTTPConnectionPool:
    """The pool for a URL."""
    parts = parse_url(url)
    kind = HTTPSConnectionPool if parts.scheme == "https" else HTTPConnectionPool
    return kind(parts.host or "", parts.port, **kw)


def warn_unverified(host: str) -> None:
    """As urllib3 warns; by the installed urllib3's own class if the program uses that, so that its filters work."""
    warnings.warn(
        f"Unverified HTTPS request is being made to host '{host}'. Whoever sits in between can read and change it.",
        used(InsecureRequestWarning),
        stacklevel=2,
    )


def plain_headers(headers: Any) -> dict[Any, Any]:
    """What goes to the engine: a dict, without what urllib3 was told to leave out."""
    lines = {name: value for name, value in headers.items() if value != SKIP_HEADER}
    lowered = {(name.decode("latin-1") if isinstance(name, bytes) else name).lower() for name in headers}
    if "accept-encoding" not in lowered:  # http.client says so
        lines["Accept-Encoding"] = "identity"
    return lines


def engine_body(body: Any, headers: Any, chunked: bool = False) -> Any:
    """A body as ``exchange`` takes it: None, bytes, or something to be read while it is sent."""
    if body is None:
        return None
    whole = as_bytes(body)
    if whole is not None and not chunked:
        return whole
    made = (
        IterableBody([whole]) if whole is not None else FileBody(body) if hasattr(body, "read") else IterableBody(body)
    )
    length = next((v for k, v in headers.items() if k in ("Content-Length", b"Content-Length", "content-length")), None)
    made.size = int(length) if length is not None and not chunked else None
    return made


@lru_cache(256)
def _native_timeout(connect: Any, read: Any) -> NativeTimeout:
    return NativeTimeout(None, resolve=connect, connect=connect, tls=connect, pool=None, write=read, read=read)


def engine_timeout(timeout: Any) -> NativeTimeout:
    """The engine's limits for a ``Timeout``, a number, or None."""
    if timeout is None:
        return _native_timeout(None, None)
    if not hasattr(timeout, "connect_timeout"):
        timeout = Timeout.from_float(timeout)
    connect, read = timeout.connect_timeout, timeout.read_timeout
    return _native_timeout(*(float(limit) if isinstance(limit, (int, float)) else None for limit in (connect, read)))


def _position(body: Any) -> Any:
    if not hasattr(body, "tell"):
        return None
    try:
        return body.tell()
    except (OSError, AttributeError):
        return None


def _rewind(body: Any, start: Any) -> None:
    if body is None or as_bytes(body) is not None or isinstance(body, (list, tuple)):
        return
    if start is None or not hasattr(body, "seek"):
        raise used(UnrewindableBodyError)("the body of the request was read and cannot be sent again")
    body.seek(start, os.SEEK_SET)
