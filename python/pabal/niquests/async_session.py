"""``AsyncSession``: requests that are awaited, many at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import Any

from pabal.requests._redirects import needs_rewind

from . import sessions as _sessions
from ._async_response import settle
from ._connection_info import ConnectionInfo
from ._fast import AsyncShortWay
from ._pools import AsyncHTTPConnectionPool, AsyncPoolManager
from ._session_base import SessionBase
from .adapters import AsyncHTTPAdapter
from .cookies import RequestsCookieJar
from .exceptions import ChunkedEncodingError, ContentDecodingError, TooManyRedirects
from .hooks import async_dispatch_hook
from .models import PreparedRequest, Request, Response
from .sessions import preferred_clock
from .utils import arewind_body, should_check_crl, should_check_ocsp

__all__ = ["AsyncSession", "should_check_crl", "should_check_ocsp"]


class AsyncSession(SessionBase):
    """Requests that are awaited.

        async with niquests.AsyncSession() as session:
            responses = await asyncio.gather(*[session.get(url) for url in urls])
            quotes = [response.json() for response in responses]

    What ``get`` and its kin return can be awaited, gathered, made a task of, cancelled. Plain requests are the
    engine's own awaitables; those that need more (authentication, bodies, hooks, proxies, streaming, …) are coroutines.
    """

    def _mount_defaults(self) -> None:
        self.mount("https://", AsyncHTTPAdapter(**self._adapter_settings()))
        self.mount("http://", AsyncHTTPAdapter(**self._adapter_settings()))

    def _mount_application(self, app: Any) -> None:
        from .extensions.asgi import AsyncServerGatewayInterface

        adapter = AsyncServerGatewayInterface(app, max_retries=self.retries)
        for prefix in ("asgi://", "ws://default", "wss://default", "sse://default", "psse://default"):
            self.mount(prefix, adapter)
        if self.base_url is None:
            self.base_url = "asgi://default"

    def __enter__(self) -> Any:
        raise SyntaxError('an AsyncSession is entered with "async with"')

    async def __aenter__(self) -> Any:
        return self

    async def __aexit__(self, *args: object) -> None:
        await self.close()

    def _netrc_auth(self, url: Any) -> Any:
        return _sessions.get_netrc_auth(url)

    # --- asking -------------------------------------------------------------------------------------------------------

    def request(
        self,
        method: str,
        url: Any,
        params: Any = None,
        data: Any = None,
        headers: Any = None,
        cookies: Any = None,
        files: Any = None,
        auth: Any = None,
        timeout: Any = None,
        allow_redirects: bool = True,
        proxies: Any = None,
        hooks: Any = None,
        stream: Any = None,
        verify: Any = None,
        cert: Any = None,
        json: Any = None,
        override_scheme: str | None = None,
    ) -> Any:
        """A request, to be awaited. The options are those of ``Session.request``."""
        if not (files or auth or proxies or hooks or stream or cert or override_scheme):
            pending = _short_way.pending(
                self, method, url, params, data, json, headers, cookies, timeout, allow_redirects, verify
            )
            if pending is not None:
                return pending
        request = Request(
            method=method.upper(),
            url=url,
            headers=headers,
            files=files,
            data=data or {},
            json=json,
            params=params or {},
            auth=auth,
            cookies=cookies,
            hooks=hooks,
            override_scheme=override_scheme,
        )
        return self._request(request, timeout, allow_redirects, proxies, stream, verify, cert)

    async def _request(
        self, request: Any, timeout: Any, allow_redirects: bool, proxies: Any, stream: Any, verify: Any, cert: Any
    ) -> Any:
        prepared = self.prepare_request(request)
        settings = self.merge_environment_settings(prepared.url, proxies or {}, stream, verify, cert)
        return await self.send(prepared, timeout=timeout, allow_redirects=allow_redirects, **settings)

    def get(
        self,
        url: Any,
        *,
        headers: Any = None,
        timeout: Any = None,
        allow_redirects: bool = True,
        verify: Any = None,
        **kwargs: Any,
    ) -> Any:
        """GET; for the options see ``request``."""
        if not kwargs:
            pending = _short_way.pending(
                self, "GET", url, None, None, None, headers, None, timeout, allow_redirects, verify
            )
            if pending is not None:
                return pending
        return self.request(
            "GET", url, headers=headers, timeout=timeout, allow_redirects=allow_redirects, verify=verify, **kwargs
        )

    def query(self, url: Any, data: Any = None, json: Any = None, **kwargs: Any) -> Any:
        """QUERY: a request with a body that changes nothing."""
        return self.request("QUERY", url, data=data, json=json, **kwargs)

    # --- sending ------------------------------------------------------------------------------------------------------

    async def send(self, request: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        """Sends a prepared request: hooks before it, the adapter, hooks after it, the redirects."""
        allow_redirects = self._complete(request, kwargs)
        request = await self._before(request, kwargs)
        adapter = self.get_adapter(url=request.url)
        begun = preferred_clock()
        answer = await adapter.send(request, **kwargs)
        answer.elapsed = timedelta(seconds=preferred_clock() - begun)
        answer = await async_dispatch_hook("response", request.hooks, answer, **kwargs)
        for earlier in answer.history or ():  # hooks may have asked more than once
            self._keep_cookies(earlier.request, earlier)
        self._keep_cookies(request, answer)
        answer = await self._follow(answer, request, allow_redirects, kwargs)
        answer.history[:] = [await settle(earlier) for earlier in answer.history]
        return answer if kwargs["stream"] else await settle(answer)

    async def _before(self, request: Any, kwargs: dict[str, Any]) -> Any:
        """What happens before anything is sent: authentication that is awaited, hooks."""
        asked = request._asynchronous_auth
        if asked is not None:
            request._asynchronous_auth = None
            changed = await asked(request)
            request.__dict__.update(changed.__dict__)
            request.prepare_content_length(request.body)
        request = await async_dispatch_hook("pre_request", request.hooks, request)
        kwargs["timeout"] = self._timeout_for(request.method, kwargs.get("timeout"))
        if request.hooks.get("pre_send"):
            request.conn_info = ConnectionInfo()
            await async_dispatch_hook("pre_send", request.hooks, request)
        if request.hooks.get("early_response"):
            kwargs["on_early_response"] = partial(async_dispatch_hook, "early_response", request.hooks)
        return request

    async def _follow(self, answer: Any, request: Any, allow_redirects: bool, kwargs: dict[str, Any]) -> Any:
        """The end of a chain of redirects; or the first answer, knowing what would come next."""
        if allow_redirects:
            chain = [answer, *[each async for each in self.resolve_redirects(answer, request, **kwargs)]]
            if len(chain) > 1:
                answer = chain.pop()
                answer.history = chain
        elif answer.is_redirect:
            async for following in self.resolve_redirects(answer, request, yield_requests=True, **kwargs):
                answer._next = following
        return answer

    async def resolve_redirects(  # type: ignore[override]
        self,
        resp: Any,
        req: Any,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
        yield_requests: bool = False,
        **adapter_kwargs: Any,
    ) -> AsyncIterator[Any]:
        """The responses that a redirect leads to, one after the other; or with ``yield_requests`` the next request."""
        followed: list[Any] = []
        target = self.get_redirect_target(resp)
        fragment = _sessions.urlparse(req.url).fragment
        while target:
            resp.history = followed.copy()
            followed.append(resp)
            if not yield_requests:
                try:
                    await settle(resp)  # so that the connection can be used again
                except (ChunkedEncodingError, ContentDecodingError, RuntimeError):
                    resp.raw.close()
            if len(resp.history) >= self.max_redirects:
                raise TooManyRedirects(f"Exceeded {self.max_redirects} redirects.", response=resp)
            req, fragment, proxies = self._redirected(target, resp, req, fragment, proxies)
            if needs_rewind(req):
                await arewind_body(req)
            if yield_requests:
                yield req
                return
            resp = await self.send(
                req,
                stream=stream,
                timeout=timeout,
                verify=verify,
                cert=cert,
                proxies=proxies,
                allow_redirects=False,
                **adapter_kwargs,
            )
            target = self.get_redirect_target(resp)
            yield resp

    async def gather(self, *responses: Any, max_fetch: int | None = None) -> None:
        """Waits for the responses of ``multiplexed=True``. All of them are there: they were awaited."""

    async def close(self) -> None:  # type: ignore[override]
        """Closes all connections of all adapters."""
        for adapter in self.adapters.values():
            await adapter.close()


_short_way = AsyncShortWay(
    _sessions.__dict__,
    AsyncSession,
    AsyncHTTPAdapter,
    prepared_class=PreparedRequest,
    response_class=Response,
    jar_class=RequestsCookieJar,
    pool_class=AsyncHTTPConnectionPool,
    manager_class=AsyncPoolManager,
    others=((globals(), ("async_dispatch_hook", "AsyncHTTPAdapter", "settle")),),
)
