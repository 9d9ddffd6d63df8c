"""Transport adapters: those of requests with niquests' settings, and their asynchronous twins."""

from __future__ import annotations

import os
from typing import Any, cast

from pabal.requests import adapters as _shared
from pabal.requests.adapters import (
    DEFAULT_CA_BUNDLE_PATH,
    DEFAULT_POOL_TIMEOUT,
    DEFAULT_POOLBLOCK,
    DEFAULT_POOLSIZE,
    DEFAULT_RETRIES,
    CaseInsensitiveDict,
    ClosedPoolError,
    ConnectTimeoutError,
    InvalidSchema,
    MaxRetryError,
    NewConnectionError,
    PoolManager,
    ProtocolError,
    ReadTimeoutError,
    ResponseError,
    Retry,
    SOCKSProxyManager,
    TimeoutSauce,
    _HTTPError,
    _InvalidHeader,
    _ProxyError,
    _SSLError,
    basestring,
    extract_cookies_to_jar,
    parse_url,
    proxy_from_url,
    socket,
    translated,
    typing,
    urldefragauth,
)
from pabal.requests.packages.urllib3.response import HTTPResponse
from pabal.requests.utils import select_proxy

from ._connection_info import note_version
from ._pools import AsyncPoolManager, AsyncProxyManager, EnginePoolManager, EngineProxyManager
from ._settings import refuse_unsupported, source_of, versions_of
from ._upload import Upload
from .exceptions import SSLError
from .extensions.revocation import DEFAULT_STRATEGY
from .models import AsyncResponse, Response
from .utils import get_encoding_from_headers

__all__ = [
    "DEFAULT_CA_BUNDLE_PATH",
    "DEFAULT_POOLBLOCK",
    "DEFAULT_POOLSIZE",
    "DEFAULT_POOL_TIMEOUT",
    "DEFAULT_RETRIES",
    "AsyncBaseAdapter",
    "AsyncHTTPAdapter",
    "BaseAdapter",
    "CaseInsensitiveDict",
    "ClosedPoolError",
    "ConnectTimeoutError",
    "HTTPAdapter",
    "InvalidSchema",
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
    "translated",
    "typing",
    "urldefragauth",
]


class BaseAdapter(_shared.BaseAdapter):
    """What a session needs of a transport."""

    def gather(self, *responses: Any, max_fetch: int | None = None) -> None:
        """Waits for lazy responses; there are none."""


class AsyncBaseAdapter:
    """What an ``AsyncSession`` needs of a transport."""

    async def send(
        self,
        request: Any,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Sends a prepared request; returns its response."""
        raise NotImplementedError

    async def close(self) -> None:
        """Lets go of everything."""
        raise NotImplementedError

    async def gather(self, *responses: Any, max_fetch: int | None = None) -> None:
        """Waits for lazy responses; there are none."""


class HTTPAdapter(_shared.HTTPAdapter, BaseAdapter):
    """HTTP and HTTPS, through an engine session of its own.

    The settings of pools and retries are those of requests. Of the others, those that ask for what the engine does
    anyway, or that only hint, are taken; those that ask for what it cannot do are refused with ``UnsupportedError``.
    """

    __attrs__ = [*_shared.HTTPAdapter.__attrs__, "_allow_incoming_cookies", "_http", "_source"]  # noqa: RUF012
    _pool_manager_class: Any = EnginePoolManager
    _response_class: Any = Response

    def __init__(
        self,
        pool_connections: int = DEFAULT_POOLSIZE,
        pool_maxsize: int = DEFAULT_POOLSIZE,
        max_retries: Any = DEFAULT_RETRIES,
        pool_block: bool = DEFAULT_POOLBLOCK,
        *,
        quic_cache_layer: Any = None,
        disable_http1: bool = False,
        disable_http2: bool = False,
        disable_http3: bool = False,
        max_in_flight_multiplexed: int | None = None,
        resolver: Any = None,
        source_address: tuple[str, int] | None = None,
        disable_ipv4: bool = False,
        disable_ipv6: bool = False,
        happy_eyeballs: bool | int = False,
        keepalive_delay: float | int | None = 600.0,
        keepalive_idle_window: float | int | None = 60.0,
        revocation_configuration: Any = DEFAULT_STRATEGY,
        allow_incoming_cookies: bool = True,
        tls_configuration: Any = None,
    ) -> None:
        refuse_unsupported(
            resolver=resolver,
            revocation_configuration=revocation_configuration,
            tls_configuration=tls_configuration,
        )
        self._source = source_of(source_address, disable_ipv4, disable_ipv6)
        self._http = versions_of(disable_http1, disable_http2, disable_http3)
        super().__init__(pool_connections, pool_maxsize, max_retries, pool_block)
        self._allow_incoming_cookies = allow_incoming_cookies

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any) -> None:
        """Makes ``poolmanager``; connections leave from where, and speak what, the adapter was told."""
        super().init_poolmanager(connections, maxsize, block, **{**self._engine_settings(), **pool_kwargs})

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:
        """The manager of connections through a proxy."""
        return super().proxy_manager_for(proxy, **{**self._engine_settings(), **proxy_kwargs})

    def _engine_settings(self) -> dict[str, Any]:
        return {"source_address": self._source, "http": self._http}

    def get_connection(self, url: str, proxies: Any = None) -> Any:
        """The pool for a URL."""
        return self._manager_for(select_proxy(url, proxies)).connection_from_url(url)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Tells a pool whom to trust and who we are; both by the paths of files."""
        trusted: Any = _as_path(verify)
        if isinstance(trusted, bytes) or (isinstance(trusted, str) and "-----BEGIN" in trusted):
            raise SSLError("pabal takes trusted certificates by the path of a file: verify= holds them itself")
        super().cert_verify(conn, url, trusted, cert)

    def _timeout_of(self, timeout: Any) -> Any:
        if timeout.__class__ is not tuple:
            return super()._timeout_of(timeout)
        if len(timeout) not in (2, 3):
            raise ValueError(
                f"Invalid timeout {timeout}: give (connect, read) or (connect, read, total), or one number for both."
            )
        connect, read, *total = timeout
        return TimeoutSauce(connect=connect, read=read, total=total[0] if total else None)

    def _call_of(
        self, request: Any, stream: bool, timeout: Any, verify: Any, cert: Any, proxies: Any
    ) -> tuple[Any, dict[str, Any]]:
        return super()._call_of(request, stream, timeout, _as_path(verify), cert, proxies)

    def _new_response(self) -> Any:
        return self._response_class()

    def _proxy_from_url(self, proxy: str, **options: Any) -> Any:
        return EngineProxyManager(proxy_url=proxy, **options)

    def build_response(self, req: Any, resp: Any) -> Any:
        """A response from a request and what a pool answered."""
        note_version(req, resp.version)
        made = super().build_response(req, resp)
        made.encoding = get_encoding_from_headers(made.headers)
        return made

    def send(
        self,
        request: Any,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
        on_post_connection: Any = None,
        on_upload_body: Any = None,
        on_early_response: Any = None,
        multiplexed: bool = False,
    ) -> Any:
        """Sends a prepared request; returns its response."""
        with Upload(request, on_upload_body):
            made = super().send(request, stream, timeout, verify, cert, proxies)
        if on_early_response is not None:
            for early in self._early_responses(request, made.raw):
                on_early_response(early)
        return made

    def _early_responses(self, request: Any, answer: Any) -> list[Any]:
        """The 1xx responses that came before a pool's answer, as responses."""
        made: list[Any] = []
        for status, headers in answer.informational:
            early = self.build_response(request, HTTPResponse(headers=headers.items(), status=status))
            early._content, early._content_consumed = b"", True
            made.append(early)
        return made


class AsyncHTTPAdapter(HTTPAdapter, AsyncBaseAdapter):
    """As ``HTTPAdapter``; what takes time is awaited."""

    _pool_manager_class: Any = AsyncPoolManager
    _response_class: Any = AsyncResponse

    def _proxy_from_url(self, proxy: str, **options: Any) -> Any:
        return AsyncProxyManager(proxy_url=proxy, **options)

    async def get_connection(self, url: str, proxies: Any = None) -> Any:
        """The pool for a URL."""
        return super().get_connection(url, proxies)

    async def send(  # type: ignore[override]
        self,
        request: Any,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
        on_post_connection: Any = None,
        on_upload_body: Any = None,
        on_early_response: Any = None,
        multiplexed: bool = False,
    ) -> Any:
        """Sends a prepared request; returns its response, whose body is awaited by whoever wants it."""
        with Upload(request, on_upload_body):
            conn, call = self._call_of(request, stream, timeout, verify, cert, proxies)
            try:
                answer = await conn.urlopen(**call)
            except Exception as error:
                failure = translated(error, request)
                if failure is None:
                    raise
                raise failure from error
        if on_early_response is not None:
            for early in self._early_responses(request, answer):
                await on_early_response(early)
        return self.build_response(request, answer)

    async def close(self) -> None:  # type: ignore[override]
        """Closes all connections."""
        managers = [self.poolmanager, *self.proxy_manager.values()]
        engines = [manager.engine for manager in managers if manager.is_open]
        super().close()
        for engine in engines:
            await engine.aclose()

    async def gather(self, *responses: Any, max_fetch: int | None = None) -> None:  # type: ignore[override]
        """Waits for lazy responses; there are none."""


def _as_path(value: Any) -> Any:
    """A path as text; anything else as it is."""
    return os.fspath(cast("os.PathLike[str]", value)) if hasattr(value, "__fspath__") else value
