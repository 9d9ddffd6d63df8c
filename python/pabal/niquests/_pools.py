"""Pools whose requests are awaited: the same attempts, retries and settings over the engine's async session."""

from __future__ import annotations

import asyncio
from typing import Any

from pabal import AsyncSession
from pabal._body import AsyncBody
from pabal.requests.packages.urllib3.connectionpool import HTTPConnectionPool
from pabal.requests.packages.urllib3.poolmanager import PoolManager, ProxyManager

from ._async_raw import AsyncHTTPResponse

__all__ = [
    "AsyncHTTPConnectionPool",
    "AsyncHTTPSConnectionPool",
    "AsyncPoolManager",
    "AsyncProxyManager",
    "EnginePoolManager",
    "EngineProxyManager",
]


class AsyncHTTPConnectionPool(HTTPConnectionPool):
    """Sends requests to one host and port; ``urlopen`` is awaited."""

    _response_class = AsyncHTTPResponse

    async def urlopen(  # type: ignore[override]
        self,
        method: str,
        url: str,
        body: Any = None,
        headers: Any = None,
        retries: Any = None,
        timeout: Any = None,
        chunked: bool = False,
        decode_content: bool = True,
        **_: Any,
    ) -> AsyncHTTPResponse:
        """One request, with the retries that ``retries`` allows. Redirects are the caller's."""
        steps = self._attempts(method, url, body, headers, retries, timeout, chunked)
        try:
            step = next(steps)
            while True:
                try:
                    done = await step()
                except Exception as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(done)
        except StopIteration as end:
            response: AsyncHTTPResponse = end.value
        response.decode_content = decode_content
        return response

    def _body_of(self, body: Any, headers: Any, chunked: bool) -> Any:
        if hasattr(body, "__aiter__"):
            return AsyncBody(body)
        return super()._body_of(body, headers, chunked)

    async def _wait(self, retries: Any, response: Any) -> None:
        seconds = None
        if response is not None and getattr(retries, "respect_retry_after_header", True):
            seconds = retries.get_retry_after(response)
        await asyncio.sleep(seconds or retries.get_backoff_time())


class AsyncHTTPSConnectionPool(AsyncHTTPConnectionPool):
    """The same over TLS."""

    scheme = "https"


class EnginePoolManager(PoolManager):
    """Hands out pools that all send through the engine: niquests builds on another urllib3."""

    _gives_way = False


class EngineProxyManager(EnginePoolManager, ProxyManager):
    """A manager whose requests go through a proxy."""


class AsyncPoolManager(EnginePoolManager):
    """Hands out pools, which all send through one async session of the engine."""

    _pool_classes = {"http": AsyncHTTPConnectionPool, "https": AsyncHTTPSConnectionPool}  # noqa: RUF012
    _engine_class: Any = AsyncSession


class AsyncProxyManager(AsyncPoolManager, ProxyManager):
    """A manager whose requests go through a proxy."""
