"""Calls that Python code looks at on their way: ``hooks=``, ``progress=``, observers (`pabal.har`, `pabal.otel`).

The engine comes here only for sessions that have hooks and calls that are given some; all others never do. A call is
prepared as usual (`pabal._prepare`), shown to the hooks as a `Request`, and handed back to the engine.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Coroutine, Generator, Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, cast

from pabal import _engine
from pabal._body import AsyncBody, Body, as_body
from pabal._prepare import prepare, url_text
from pabal._request import Request
from pabal.exceptions import InvalidArgument, PabalError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Protocol

    from pabal.response import Response

    class Observer(Protocol):
        """Something that sees both ends of every call; what ``begin`` returns is given to ``end``."""

        def begin(self, request: Request) -> Any: ...
        def end(self, token: Any, request: Request, response: Response | None, error: BaseException | None) -> None: ...


__all__ = ["Call", "HookedResponse", "Hooks", "Ticker", "call_of", "hooks_of", "send", "send_async"]

EVENTS = ("request", "response", "error", "trace")
#: Options that stay what they are on the way through here.
TRANSFER = (
    "timeout",
    "allow_redirects",
    "stream",
    "verify",
    "cert",
    "max_redirects",
    "proxy",
    "proxies",
    "retries",
    "max_body",
    "priority",
    "expect_continue",
)


class Hooks(MutableMapping[str, "list[Callable[..., Any]]"]):
    """The hooks of a session by event: ``session.hooks["response"].append(function)``."""

    __slots__ = ("_lists", "observers")

    def __init__(self) -> None:
        self._lists: dict[str, list[Callable[..., Any]]] = {event: [] for event in EVENTS}
        self.observers: tuple[Observer, ...] = ()

    def __getitem__(self, event: str) -> list[Callable[..., Any]]:
        return self._lists[_event(event)]

    def __setitem__(self, event: str, functions: Callable[..., Any] | list[Callable[..., Any]]) -> None:
        self._lists[_event(event)] = _functions(event, functions)

    def __delitem__(self, event: str) -> None:
        self._lists[_event(event)] = []

    def __iter__(self) -> Iterator[str]:
        return iter(EVENTS)

    def __len__(self) -> int:
        return len(EVENTS)

    def __repr__(self) -> str:
        return f"<Hooks { ({event: functions for event, functions in self._lists.items() if functions})!r}>"

    @property
    def are_none(self) -> bool:
        return not self.observers and not any(self._lists.values())

    @property
    def may_suspend(self) -> bool:
        """Whether one of them is a coroutine function."""
        return any(is_async(each) for functions in self._lists.values() for each in functions)

    def joined(self, other: Hooks) -> Hooks:
        both = Hooks()
        for event in EVENTS:
            both[event] = self[event] + other[event]
        both.observers = self.observers + other.observers
        return both


def is_async(function: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004


def _event(event: object) -> str:
    if event not in EVENTS:
        raise InvalidArgument(f"hooks= has no event {event!r}; there are {', '.join(EVENTS)}")
    return str(event)


def _functions(event: str, given: Any) -> list[Callable[..., Any]]:
    functions: list[Any] = list(cast("list[Any]", given)) if isinstance(given, (list, tuple)) else [given]
    for each in functions:
        if not callable(each):
            raise TypeError(f"a {event} hook must be callable, not {type(each).__name__}")
    return functions


def hooks_of(value: Any) -> Hooks:
    """What ``hooks=`` means."""
    if isinstance(value, Hooks):
        return value
    if not isinstance(value, Mapping):
        raise TypeError(f"hooks= is a mapping of events to functions, not {type(value).__name__}")
    hooks = Hooks()
    for event, functions in cast("Mapping[str, Any]", value).items():
        hooks[event] = [] if functions is None else functions
    return hooks


def refuse_async(hooks: Hooks) -> None:
    """A sync session cannot wait for coroutines."""
    if hooks.may_suspend:
        raise TypeError("hooks of a sync session must be plain functions, not coroutine functions")


# --- progress ---------------------------------------------------------------------------------------------------------


class Ticker:
    """Tells ``function(done, total)`` how far something is, ten times a second at most, and at the end."""

    __slots__ = ("_function", "_last", "_next", "done", "total")

    INTERVAL = 0.1

    def __init__(self, function: Callable[[int, int | None], object], total: int | None) -> None:
        self._function = function
        self._next = 0.0
        self._last = -1
        self.total = total
        self.done = 0

    def add(self, count: int) -> None:
        self.done += count
        now = time.monotonic()
        if now >= self._next or self.done == self.total:
            self._next = now + self.INTERVAL
            self._tell()

    def finish(self) -> None:
        if self._last != self.done:
            self._tell()

    def _tell(self) -> None:
        self._last = self.done
        self._function(self.done, self.total)


class _CountedBody(Body):
    """A body that says how much of it went out."""

    __slots__ = ("_body", "_function", "_ticker")

    PIECE = 64 * 1024

    def __init__(self, body: bytes | Body, function: Callable[[int, int | None], object]) -> None:
        if isinstance(body, bytes):
            from io import BytesIO

            from pabal._body import FileBody

            body = FileBody(BytesIO(body))
        self.size = body.size
        self._body = body
        self._function = function
        self._ticker = Ticker(function, body.size)

    def next_piece(self) -> bytes:
        piece = self._body.next_piece()
        if piece:
            self._ticker.add(len(piece))
        else:
            self._ticker.finish()
        return piece

    def rewind(self) -> bool:
        self._ticker = Ticker(self._function, self.size)
        return self._body.rewind()

    def trailers(self) -> list[tuple[bytes, bytes]] | None:
        return self._body.trailers()


async def _counted(body: AsyncBody, function: Callable[[int, int | None], object]) -> Any:
    ticker = Ticker(function, body.size)
    async for piece in body.pieces():
        yield piece
        ticker.add(len(piece))
    ticker.finish()


def callback_of(name: str, value: Any) -> Callable[[int, int | None], object] | None:
    if value is None:
        return None
    if not callable(value):
        raise TypeError(f"{name}= must be a function of (done, total), not {type(value).__name__}")
    if is_async(value):
        raise TypeError(f"{name}= must be a plain function: it is called while bytes move")
    return cast("Callable[[int, int | None], object]", value)


def _ticker_for(response: Response, function: Callable[[int, int | None], object]) -> Ticker:
    length = response.headers.get("content-length")
    known = length is not None and length.isdigit() and "content-encoding" not in response.headers
    return Ticker(function, int(length) if known and length is not None else None)


# --- a call -----------------------------------------------------------------------------------------------------------


class Call:
    """One call on its way past the hooks. The order: request hooks, ``begin`` of observers, the engine, ``finish…``."""

    __slots__ = (
        "_download",
        "_tokens",
        "_upload",
        "auth",
        "body_size",
        "cookies",
        "flow",
        "hooks",
        "request",
        "session",
        "transfer",
    )

    def __init__(self, session: Any, hooks: Hooks, method: str, url: object, options: dict[str, Any], is_async: bool):
        self.session = session
        self.hooks = hooks
        self._download = callback_of("progress", options.get("progress"))
        self._upload = callback_of("upload_progress", options.get("upload_progress"))
        self.transfer = {name: options[name] for name in TRANSFER if name in options}
        if self._download is not None and self.transfer.get("stream"):
            raise InvalidArgument("with stream=True you read the body yourself: progress= has nothing to count")
        self._tokens: list[tuple[Observer, Any]] = []
        prepared = prepare(session, method, url, options, is_async)
        #: An auth flow sends requests of its own, and each of them comes past the hooks.
        self.flow = prepared if callable(prepared) else None
        if not callable(prepared):
            text, headers, body, self.body_size, self.cookies, self.auth = prepared
            self.request = Request(method, text, headers, body)

    def change(self, changed: Any) -> None:
        """What a request hook returned."""
        if changed is None:
            return
        if not isinstance(changed, Request):
            raise TypeError(f"a request hook returns a Request or None, not {type(changed).__name__}")
        self.request = changed

    def begin(self) -> tuple[str, str, dict[str, Any]]:
        """The request is final: (method, URL, options) for the engine."""
        request = self.request
        for observer in self.hooks.observers:
            self._tokens.append((observer, observer.begin(request)))
        try:
            url = url_text(request.url)
            body: Any = request.body
            if body is not None and not isinstance(body, (bytes, Body, AsyncBody)):
                body = as_body(body, "the body set by a request hook")
            if self._upload is not None and body is not None:
                if isinstance(body, AsyncBody):
                    counted = AsyncBody(_counted(body, self._upload))
                    counted.size, counted.after = body.size, body.trailers
                    body = counted
                else:
                    body = _CountedBody(body, self._upload)
            size = len(body) if isinstance(body, bytes) else 0 if body is None else cast("int | None", body.size)
            prepared = (url, list(request.headers.raw), body, size, self.cookies, self.auth)
        except BaseException as error:
            self.end(None, error)
            raise
        options = dict(self.transfer)
        if self._download is not None:
            options["stream"] = True
        return request.method, url, {**options, "_prepared": prepared}

    def read(self, response: Response) -> Response:
        """Reads the body, piece by piece, for whoever wants to watch."""
        if self._download is None:
            return response
        ticker = _ticker_for(response, self._download)
        pieces: list[bytes] = []
        with response:
            for piece in response.iter_bytes():
                pieces.append(piece)
                ticker.add(len(piece))
            response._keep_content(b"".join(pieces))  # pyright: ignore[reportPrivateUsage]
        ticker.finish()
        return response

    async def aread(self, response: Response) -> Response:
        if self._download is None:
            return response
        ticker = _ticker_for(response, self._download)
        pieces: list[bytes] = []
        async with response:
            async for piece in response.aiter_bytes():
                pieces.append(piece)
                ticker.add(len(piece))
            response._keep_content(b"".join(pieces))  # pyright: ignore[reportPrivateUsage]
        ticker.finish()
        return response

    def end(self, response: Response | None, error: BaseException | None) -> None:
        """Tells the observers, once."""
        tokens, self._tokens = self._tokens, []
        for observer, token in reversed(tokens):
            observer.end(token, self.request, response, error)

    def finish(self, response: Response) -> Response:
        """The response hooks of a session whose hooks do not suspend."""
        try:
            self.end(response, None)
            for hook in self.hooks["response"]:
                response = _replaced(response, hook(response))
            for hook in self.hooks["trace"]:
                hook(response.trace)
        except BaseException:
            response.close()
            raise
        return response

    def fail(self, error: BaseException) -> None:
        self.end(None, error)
        if isinstance(error, PabalError):
            for hook in self.hooks["error"]:
                hook(error)
            if error.trace is not None:
                for hook in self.hooks["trace"]:
                    hook(error.trace)


def _replaced(response: Response, changed: Any) -> Response:
    if changed is None:
        return response
    from pabal.response import Response

    if not isinstance(changed, Response):
        raise TypeError(f"a response hook returns a Response or None, not {type(changed).__name__}")
    return changed


def call_of(session: Any, method: str, url: object, options: dict[str, Any], is_async: bool) -> Call:
    hooks: Hooks = session._hooks or Hooks()
    own = options.pop("hooks", None)
    if own is not None:
        hooks = hooks.joined(hooks_of(own))
    if not is_async:
        refuse_async(hooks)
    return Call(session, hooks, method, url, options, is_async)


# --- sync -------------------------------------------------------------------------------------------------------------


def send(session: Any, method: str, url: object, options: dict[str, Any]) -> Response:
    """A call of a sync session; from the engine."""
    call = call_of(session, method, url, options, False)
    if call.flow is not None:
        return cast("Response", call.flow())
    for hook in call.hooks["request"]:
        call.change(hook(call.request))
    verb, location, given = call.begin()
    try:
        response = call.read(_engine.Session.request(session, verb, location, **given))
    except BaseException as error:
        call.fail(error)
        raise
    return call.finish(response)


# --- async ------------------------------------------------------------------------------------------------------------


def send_async(session: Any, method: str, url: object, options: dict[str, Any]) -> HookedResponse:
    """A call of an async session; from the engine."""
    return HookedResponse(session, method, url, options)


async def _maybe(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


async def _run(session: Any, method: str, url: object, options: dict[str, Any]) -> Response:
    call = call_of(session, method, url, options, True)
    if call.flow is not None:
        return cast("Response", await call.flow())
    hooks = call.hooks
    for hook in hooks["request"]:
        call.change(await _maybe(hook(call.request)))
    verb, location, given = call.begin()
    try:
        response = await call.aread(await _engine.AsyncSession.request(session, verb, location, **given))
    except BaseException as error:
        call.end(None, error)
        if isinstance(error, PabalError):
            for hook in hooks["error"]:
                await _maybe(hook(error))
            if error.trace is not None:
                for hook in hooks["trace"]:
                    await _maybe(hook(error.trace))
        raise
    try:
        call.end(response, None)
        for hook in hooks["response"]:
            response = _replaced(response, await _maybe(hook(response)))
        for hook in hooks["trace"]:
            await _maybe(hook(response.trace))
    except BaseException:
        response.close()
        raise
    return response


class HookedResponse(Coroutine["Any", "Any", "Response"]):
    """What an `AsyncSession` with hooks returns: as `PendingResponse`, with Python code on the way.

    It starts when it is awaited or handed to the loop, can be cancelled at any moment, and can be entered with
    ``async with``. Given to the loop as a future (``add_done_callback``) it runs as an asyncio task.
    """

    __slots__ = ("__weakref__", "_arguments", "_cancelled", "_coroutine", "_response", "_task")

    def __init__(self, session: Any, method: str, url: object, options: dict[str, Any]) -> None:
        self._arguments = (session, method, url, options)
        self._coroutine: Coroutine[Any, Any, Response] | None = None
        self._task: Any = None
        self._response: Response | None = None
        self._cancelled = False

    async def _whole(self) -> Response:
        self._response = await _run(*self._arguments)
        return self._response

    def _begun(self) -> Coroutine[Any, Any, Response]:
        if self._cancelled:
            import asyncio

            raise asyncio.CancelledError
        if self._coroutine is None:
            self._coroutine = self._whole()
        return self._coroutine

    def __await__(self) -> Generator[Any, Any, Response]:
        if self._task is not None:
            return cast("Generator[Any, Any, Response]", self._task.__await__())
        return self._begun().__await__()

    def send(self, value: Any, /) -> Any:
        return self._begun().send(value)

    def throw(self, typ: Any, val: Any = None, tb: Any = None, /) -> Any:
        error = typ if val is None else val
        return self._begun().throw(error if isinstance(error, BaseException) else typ)

    def close(self) -> None:
        self._cancelled = True
        if self._coroutine is not None:
            self._coroutine.close()

    def _as_task(self) -> Any:
        if self._task is None:
            import asyncio

            self._task = asyncio.get_running_loop().create_task(self._begun())
        return self._task

    def cancel(self, msg: Any = None) -> bool:
        if self._task is not None:
            return bool(self._task.cancel(msg))
        if self.done():
            return False
        self.close()
        return True

    def cancelled(self) -> bool:
        return self._cancelled if self._task is None else bool(self._task.cancelled())

    def done(self) -> bool:
        if self._task is not None:
            return bool(self._task.done())
        return self._cancelled or self._response is not None

    def result(self) -> Response:
        if self._task is None and self._response is not None:
            return self._response
        return cast("Response", self._as_task().result())

    def exception(self) -> BaseException | None:
        if self._task is None and self._response is not None:
            return None
        return cast("BaseException | None", self._as_task().exception())

    def add_done_callback(self, callback: Callable[[Any], object], /, *, context: Any = None) -> None:
        self._as_task().add_done_callback(callback, context=context)

    def remove_done_callback(self, callback: Callable[[Any], object], /) -> int:
        return 0 if self._task is None else int(self._task.remove_done_callback(callback))

    async def __aenter__(self) -> Response:
        return await self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._response is not None:
            await self._response.aclose()

    def __repr__(self) -> str:
        state = "done" if self.done() else "not started" if self._coroutine is None else "running"
        return f"<pabal.HookedResponse {state} at {id(self):#x}>"
