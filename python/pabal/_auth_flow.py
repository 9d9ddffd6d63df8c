"""Auth flows: generators that are given the request, yield what to send, and are sent the responses.

``auth_flow(request)`` serves both kinds of session; ``sync_auth_flow(request)`` and ``async_auth_flow(request)`` go
before it. The last response is the caller's. The shapes are httpx's, with `pabal.Request` and `pabal.Response`.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from pabal._body import AsyncBody, Body
from pabal.exceptions import BodyNotReplayable, InvalidArgument

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Mapping
    from types import TracebackType

    from pabal._request import Request
    from pabal.response import Response

__all__ = ["PendingFlow", "run_async", "run_sync"]

#: What concerns the transfer and is passed on with every request of a flow.
PASSED_ON = (
    "timeout",
    "allow_redirects",
    "stream",
    "verify",
    "cert",
    "proxy",
    "proxies",
    "max_redirects",
    "retries",
    "max_body",
    "priority",
    "expect_continue",
    "cookies",
    "hooks",
)

#: Set when the body was read for the flow: its trailers. What goes through bodies (``compress=``, ``trailers=``) is not
#: passed on as such, for it is in the request already.
FOLLOWING = "_following"

#: What exists of a flow for sync and for async sessions.
SYNC, ASYNC = ("sync_auth_flow", "auth_flow"), ("async_auth_flow", "auth_flow")


def _no_auth(request: Request) -> None:
    """Keeps the session's own auth away: the flow is it."""


class _Sender:
    """Sends the requests of one flow."""

    def __init__(self, session: Any, options: Mapping[str, Any]) -> None:
        self._session = session
        self._options = {name: options[name] for name in PASSED_ON if name in options}
        if FOLLOWING in options:
            self._options["trailers"] = options[FOLLOWING]
        self._sent: Any = None

    def __call__(self, request: Request) -> Any:
        """The response, or the awaitable of it."""
        body = request.body
        if isinstance(body, (Body, AsyncBody)):
            if body is self._sent and not body.rewind():
                raise BodyNotReplayable("the auth flow sends the request again, but its body was already consumed")
            self._sent = body
        headers: list[tuple[Any, Any]] = list(request.headers.raw)
        headers += [(name, None) for name in self._session.headers if name not in request.headers]
        return self._session.request(
            request.method, request.url, headers=headers, content=body, auth=_no_auth, **self._options
        )


def _flow_of(auth: Any, names: tuple[str, str], request: Request) -> tuple[str, Any]:
    for name in names:
        method = getattr(auth, name, None)
        if callable(method):
            return name, method(request)
    raise InvalidArgument(f"{type(auth).__name__} is no auth flow for this kind of session: it has no {names[0]}")


def _with_trailers(options: Mapping[str, Any], body: Body | AsyncBody) -> Mapping[str, Any]:
    """The options of a flow whose body became bytes: what was to follow it is passed on by itself."""
    lines = body.trailers()
    return {**options, FOLLOWING: lines} if lines else options


def run_sync(session: Any, auth: Any, request: Request, options: Mapping[str, Any]) -> Response:
    body = request.body
    if getattr(auth, "requires_request_body", False) and isinstance(body, Body):
        request.body = b"".join(iter(body.next_piece, b""))
        options = _with_trailers(options, body)
    flow: Generator[Request, Response, None]
    _, flow = _flow_of(auth, SYNC, request)
    send = _Sender(session, options)
    try:
        following = next(flow, None)
        if following is None:
            raise InvalidArgument("the auth flow yielded no request")
        while True:
            response: Response = send(following)
            try:
                if getattr(auth, "requires_response_body", False):
                    response.content  # noqa: B018 - reads it
                following = flow.send(response)
            except StopIteration:
                return response
            except BaseException:
                response.close()
                raise
            response.close()
    finally:
        flow.close()


async def _whole(body: AsyncBody) -> bytes:
    pieces: list[bytes] = []
    async for piece in body.pieces():
        pieces.append(piece)
    return b"".join(pieces)


async def _as_async(flow: Generator[Request, Response, None]) -> AsyncGenerator[Request, Response]:
    """A sync generator as an async one."""
    try:
        request = next(flow, None)
        while request is not None:
            response = yield request
            try:
                request = flow.send(response)
            except StopIteration:
                return
    finally:
        flow.close()


async def run_async(session: Any, auth: Any, request: Request, options: Mapping[str, Any]) -> Response:
    body = request.body
    if getattr(auth, "requires_request_body", False):
        if isinstance(body, Body):
            request.body = b"".join(iter(body.next_piece, b""))
            options = _with_trailers(options, body)
        elif isinstance(body, AsyncBody):
            request.body = await _whole(body)
            options = _with_trailers(options, body)
    name, made = _flow_of(auth, ASYNC, request)
    flow: AsyncGenerator[Request, Response] = made if name == ASYNC[0] else _as_async(made)
    send = _Sender(session, options)
    try:
        try:
            following = await flow.__anext__()
        except StopAsyncIteration:
            raise InvalidArgument("the auth flow yielded no request") from None
        while True:
            response: Response = await send(following)
            try:
                if getattr(auth, "requires_response_body", False):
                    await response.aread()
                following = await flow.asend(response)
            except StopAsyncIteration:
                return response
            except BaseException:
                response.close()
                raise
            response.close()
    finally:
        await flow.aclose()


class PendingFlow(Coroutine[Any, Any, "Response"]):
    """What a request with an auth flow is in an `AsyncSession`: as `pabal.PendingResponse`, a coroutine and an async
    context manager that starts when it is awaited."""

    __slots__ = ("_begin", "_response", "_running")

    def __init__(self, begin: Callable[[], Coroutine[Any, Any, Response]]) -> None:
        self._begin = begin
        self._running: Coroutine[Any, Any, Response] | None = None
        self._response: Response | None = None

    def _coroutine(self) -> Coroutine[Any, Any, Response]:
        if self._running is None:
            self._running = self._begin()
        return self._running

    def send(self, value: Any) -> Any:
        return self._coroutine().send(value)

    def throw(self, typ: Any, val: Any = None, tb: Any = None) -> Any:
        return self._coroutine().throw(typ if val is None else val)

    def close(self) -> None:
        if self._running is not None:
            self._running.close()

    def __await__(self) -> Generator[Any, Any, Response]:
        return self._coroutine().__await__()

    async def __aenter__(self) -> Response:
        self._response = await self._coroutine()
        return self._response

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._response is not None:
            await self._response.aclose()
