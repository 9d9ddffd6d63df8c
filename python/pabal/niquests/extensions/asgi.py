"""Applications in this process, ASGI: ``AsyncSession(app=application)``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import unquote, urlsplit

from pabal.requests.packages.urllib3._collections import HTTPHeaderDict
from pabal.requests.packages.urllib3._installed import either
from pabal.requests.packages.urllib3._shapes import MaxRetryError
from pabal.requests.packages.urllib3.response import HTTPResponse
from pabal.requests.packages.urllib3.util.retry import Retry

from ..adapters import AsyncBaseAdapter
from ..models import AsyncResponse
from .sgi import body_bytes, build, headers_of, refuse_scheme

__all__ = ["AsyncServerGatewayInterface"]


class AsyncServerGatewayInterface(AsyncBaseAdapter):
    """Calls an ASGI application where others would connect."""

    def __init__(self, app: Any, max_retries: Any = 0) -> None:
        self.app = app
        self.max_retries: Any = Retry.from_int(max_retries)

    def __repr__(self) -> str:
        return "<ASGIAdapter>"

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
        """Asks the application; its answer is read as it makes it."""
        refuse_scheme(request, "ASGI")
        retries = self.max_retries
        path: str = request.path_url
        while True:
            answer = await _Call(self.app, request).begin()
            if not retries.is_retry(request.method, answer.status, "Retry-After" in answer.headers):
                return build(AsyncResponse(), request, answer, self)
            try:
                retries = retries.increment(request.method, path, response=answer)
            except either(MaxRetryError):
                return build(AsyncResponse(), request, answer, self)
            answer.close()
            await asyncio.sleep(retries.get_backoff_time())

    async def close(self) -> None:
        """Nothing to close."""


class _Call:
    """One request to the application, in a task of its own: what it sends comes through a queue of one piece."""

    def __init__(self, app: Any, request: Any) -> None:
        self._app = app
        self._request = request
        self._sent: asyncio.Queue[Any] = asyncio.Queue(1)
        self._pieces: AsyncIterator[bytes] | None = None
        self._over = asyncio.Event()
        self._task: asyncio.Task[Any] | None = None

    async def begin(self) -> HTTPResponse:
        """The head of the answer."""
        body = self._request.body
        if hasattr(body, "__aiter__"):
            self._pieces = body.__aiter__()
        self._task = asyncio.get_running_loop().create_task(self._run())
        head = await self._sent.get()
        if isinstance(head, BaseException):
            raise head
        if head is None:
            raise RuntimeError("the application ended without an answer")
        raw = _ApplicationResponse(
            headers=HTTPHeaderDict((n.decode("latin-1"), v.decode("latin-1")) for n, v in head.get("headers", ())),
            status=head["status"],
            version=11,
            version_string="HTTP/1.1",
            preload_content=False,
            decode_content=False,
            request_method=self._request.method,
            request_url=self._request.url,
        )
        raw.call = self
        return raw

    async def _run(self) -> None:
        try:
            await self._app(self._scope(), self._receive, self._send)
            await self._sent.put(None)
        except Exception as error:
            await self._sent.put(error)

    def _scope(self) -> dict[str, Any]:
        parts = urlsplit(str(self._request.url))
        headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers_of(self._request)
        ]
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": self._request.method,
            "scheme": "http",
            "path": unquote(parts.path or "/"),
            "raw_path": (parts.path or "/").encode("ascii", "replace"),
            "query_string": parts.query.encode("ascii", "replace"),
            "root_path": "",
            "headers": [(b"host", (parts.netloc or "localhost").encode("latin-1")), *headers],
            "client": ("127.0.0.1", 0),
            "server": (parts.hostname or "localhost", parts.port or 80),
        }

    async def _receive(self) -> dict[str, Any]:
        body = self._request.body
        if self._pieces is not None:
            async for piece in self._pieces:
                return {"type": "http.request", "body": piece, "more_body": True}
            self._pieces = None
            self._request_sent = True
            return {"type": "http.request", "body": b"", "more_body": False}
        if not self._request_sent:
            self._request_sent = True
            return {"type": "http.request", "body": body_bytes(body), "more_body": False}
        await self._over.wait()
        return {"type": "http.disconnect"}

    _request_sent = False

    async def _send(self, message: Any) -> None:
        if not self._over.is_set():
            await self._sent.put(message)

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body as the application sends it."""
        while True:
            message = await self._sent.get()
            if isinstance(message, BaseException):
                raise message
            if message is None:
                return
            if message["type"] != "http.response.body":
                continue
            if message.get("body"):
                yield message["body"]
            if not message.get("more_body"):
                self.end()
                return

    def end(self) -> None:
        """Nobody listens any more."""
        self._over.set()
        while not self._sent.empty():
            self._sent.get_nowait()


class _ApplicationResponse(HTTPResponse):
    """``raw`` of such an answer."""

    call: _Call

    async def stream(self, amt: int | None = None, decode_content: bool | None = None) -> AsyncIterator[bytes]:  # type: ignore[override]
        """The body in pieces of ``amt`` bytes, or as it comes."""
        held = b""
        async for piece in self.call.pieces():
            held += piece
            while amt and len(held) >= amt:
                yield held[:amt]
                held = held[amt:]
            if not amt and held:
                yield held
                held = b""
        if held:
            yield held

    def close(self) -> None:
        """Tells the application."""
        self.call.end()
