"""Many requests with bounded memory: ``pabal.gather`` for sync programs, ``AsyncSession.map`` for async ones.

    for outcome in pabal.gather(urls, concurrency=200, timeout=10):
        print(outcome.request, outcome.error or outcome.response.status_code)

    async for outcome in session.map(urls, concurrency=200):
        ...

Requests are taken from their source only when there is room: at most ``concurrency`` run at once, and at most twice as
many have been started and not yet handed out. The engine runs them in one `_engine.Bulk`, so that there is no task, no
future and no thread for each of them.
"""

from __future__ import annotations

import contextlib
import inspect
import sys
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Callable, Generator, Iterable, Iterator, Mapping, Sized
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from pabal._hooks import Call, Ticker, call_of, callback_of
from pabal._request import Request
from pabal.config import MOST, flag_of
from pabal.exceptions import InvalidArgument

if TYPE_CHECKING:
    from typing import Any

    from typing_extensions import Self, Unpack

    from pabal._engine import Bulk
    from pabal.response import Response
    from pabal.session import AsyncSession, Session
    from pabal.types import CommonOptions

__all__ = ["AsyncOutcomes", "Outcome", "gather"]

ItemT = TypeVar("ItemT")

DEFAULT_CONCURRENCY = 100
#: So many results are handed out without a turn of the event loop at most.
YIELD_AFTER = 128


class Outcome(Generic[ItemT]):
    """What became of one of many requests: ``response`` or ``error`` is set, the other is None."""

    __slots__ = ("error", "index", "request", "response")

    #: The request, as the source gave it.
    request: ItemT
    response: Response | None
    error: Exception | None
    #: Its place in the source, from 0.
    index: int

    def __init__(self, request: ItemT, index: int) -> None:
        self.request = request
        self.response = None
        self.error = None
        self.index = index

    @property
    def ok(self) -> bool:
        """Whether there is a response, and its status is below 400."""
        return self.response is not None and self.response.ok

    def result(self) -> Response:
        """The response; raises the error if there is none."""
        if self.response is None:
            raise self.error if self.error is not None else RuntimeError("this request is not done yet")
        return self.response

    def __repr__(self) -> str:
        came = repr(self.response) if self.response is not None else type(self.error).__name__
        return f"<Outcome {self.index}: {came}>"


def _parts(item: object, common: dict[str, Any]) -> tuple[str, object, dict[str, Any]]:
    """(method, URL, options) of an item: a URL, a `Request`, or (method, URL[, options])."""
    if isinstance(item, str):
        return "GET", item, common
    if isinstance(item, Request):
        return item.method, item.url, {**common, "headers": item.headers or common.get("headers"), "content": item.body}
    if isinstance(item, tuple):
        parts: tuple[Any, ...] = item  # pyright: ignore[reportUnknownVariableType]
        if len(parts) not in (2, 3):
            raise InvalidArgument(f"a request as a tuple is (method, url) or (method, url, options), not {parts!r}")
        if not isinstance(parts[0], str):
            raise TypeError(f"the method must be text, such as 'GET', not {type(parts[0]).__name__}")
        if len(parts) == 2 or parts[2] is None:
            return parts[0], parts[1], common
        if not isinstance(parts[2], Mapping):
            raise TypeError(f"the options of a request are a mapping, not {type(parts[2]).__name__}")
        return parts[0], parts[1], {**common, **cast("Mapping[str, Any]", parts[2])}
    if item is None or isinstance(item, (int, float, list, dict, set)):
        name = type(cast("object", item)).__name__
        raise TypeError(f"a request is a URL, a Request or (method, url, options), not {name}")
    return "GET", item, common


class _Run(Generic[ItemT]):
    """The requests of one source: which may start, which are done, which may be handed out."""

    def __init__(
        self,
        source: object,
        concurrency: int,
        ordered: bool,
        progress: Callable[[int, int | None], object] | None,
        return_exceptions: bool,
        options: dict[str, Any],
    ) -> None:
        if isinstance(concurrency, bool) or not isinstance(concurrency, int):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"concurrency must be an int, not {type(concurrency).__name__}")
        if concurrency < 1:
            raise ValueError(f"concurrency must be at least 1, not {max(concurrency, -MOST)}")
        if concurrency > MOST:
            raise ValueError(f"concurrency must be at most {MOST:,}, which this is not")
        if isinstance(source, (str, bytes, Mapping)) or not isinstance(source, (Iterable, AsyncIterable)):
            kind = type(cast("Any", source)).__name__
            raise TypeError(f"requests are an iterable of requests, not one {kind}")
        if options.get("stream") or "progress" in options:
            raise InvalidArgument("responses are handed out with their bodies: stream= and progress= are not for them")
        self.concurrency = concurrency
        self.window = 2 * concurrency
        self.options = options
        self.started = 0
        self.given = 0
        self.running = 0
        self.exhausted = False
        self.source_error: BaseException | None = None
        self.ready: deque[Outcome[ItemT]] = deque()
        self._ordered = flag_of("ordered", ordered)
        self._return_exceptions = flag_of("return_exceptions", return_exceptions)
        self._parked: dict[int, Outcome[ItemT]] = {}
        self._next = 0
        self._hooked: dict[int, Call] = {}
        self.bulk: Bulk | None = None
        callback = callback_of("progress", progress)
        total = len(source) if isinstance(source, Sized) else None
        self._ticker = None if callback is None else Ticker(callback, total)

    @property
    def has_room(self) -> bool:
        return self.running < self.concurrency and self.started - self.given < self.window

    def start(
        self, session: Any, item: ItemT, is_async: bool
    ) -> tuple[Outcome[ItemT], str, object, dict[str, Any]] | None:
        """Starts a request. What comes back needs a task of its own."""
        outcome = Outcome(item, self.started)
        self.started += 1
        bulk = cast("Bulk", self.bulk)
        try:
            method, url, options = _parts(item, self.options)
            if bulk.start(outcome, method, url, options):
                self.running += 1
                return None
            if is_async:
                self.running += 1
                return outcome, method, url, options
            if options.get("progress") is not None:
                raise InvalidArgument("progress= counts the bytes of one request; here it counts requests")
            call = call_of(session, method, url, dict(options), False)
            for hook in call.hooks["request"]:
                call.change(hook(call.request))
            verb, location, given = call.begin()
            try:
                bulk.start(outcome, verb, location, given)
            except BaseException as error:
                call.fail(error)
                raise
            self._hooked[outcome.index] = call
            self.running += 1
        except Exception as error:
            outcome.error = error
            self.done(outcome)
        return None

    def take(self, batch: list[Outcome[ItemT]]) -> None:
        """These are done."""
        self.running -= len(batch)
        if not self._ordered and not self._hooked:
            self.ready.extend(batch)
            return
        for outcome in batch:
            if self._hooked:
                self._finish(outcome)
            self.done(outcome)

    def _finish(self, outcome: Outcome[ItemT]) -> None:
        call = self._hooked.pop(outcome.index, None)
        if call is None:
            return
        try:
            if outcome.response is not None:
                outcome.response = call.finish(outcome.response)
            elif outcome.error is not None:
                call.fail(outcome.error)
        except Exception as error:
            outcome.response = None
            outcome.error = error

    def done(self, outcome: Outcome[ItemT]) -> None:
        if not self._ordered:
            self.ready.append(outcome)
            return
        self._parked[outcome.index] = outcome
        while (following := self._parked.pop(self._next, None)) is not None:
            self._next += 1
            self.ready.append(following)

    def give(self) -> Outcome[ItemT]:
        """Hands the next one out."""
        outcome = self.ready.popleft()
        self.given += 1
        if self._ticker is not None:
            self._ticker.add(1)
        if outcome.error is not None and not self._return_exceptions:
            raise outcome.error
        return outcome

    def end(self) -> None:
        """Nothing is left; if the source failed, that is said now."""
        if self._ticker is not None:
            self._ticker.finish()
        if self.source_error is not None:
            raise self.source_error

    def close(self) -> None:
        """Abandons whatever still runs."""
        self.exhausted = True
        self.ready.clear()
        self._parked.clear()
        if self.bulk is not None:
            self.bulk.close()
        abandoned, self._hooked = self._hooked, {}
        for call in abandoned.values():
            call.end(None, GeneratorExit())


# --- sync -------------------------------------------------------------------------------------------------------------


def gather(
    requests: Iterable[ItemT],
    *,
    concurrency: int = DEFAULT_CONCURRENCY,
    ordered: bool = False,
    progress: Callable[[int, int | None], object] | None = None,
    session: Session | None = None,
    return_exceptions: bool = True,
    **options: Unpack[CommonOptions],
) -> Generator[Outcome[ItemT], None, None]:
    """Sends many requests at once; yields an `Outcome` for each, as they finish.

    requests
        URLs, `Request` objects, or ``(method, url)`` and ``(method, url, options)`` tuples. Any iterable, also one
        without end: it is asked for the next only when there is room.
    concurrency
        How many run at once. No more than twice as many are started and not yet handed out.
    ordered
        Hand out in the order of the source; a slow request then holds back those behind it.
    progress
        Called as ``progress(done, total)``, ten times a second at most; total is None if the source has no length.
    session
        Whose connections, cookies and defaults to use; by default one of its own, closed at the end.
    return_exceptions
        False raises the first error instead, and abandons the rest.
    options
        Those of `Session.get`, for all requests; what a request says itself goes before.

    What cannot be sent is an outcome too. Statuses are no errors. Leaving the loop early abandons what still runs.
    """
    if isinstance(requests, AsyncIterable):
        raise TypeError("an async iterable needs an AsyncSession: async for outcome in session.map(requests)")
    run: _Run[ItemT] = _Run(requests, concurrency, ordered, progress, return_exceptions, dict(options))
    if session is not None:
        from pabal.session import Session

        if not isinstance(session, Session):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"session= must be a pabal.Session, not {type(session).__name__}")
    return _gather(run, iter(requests), session)


def _gather(
    run: _Run[ItemT], source: Iterator[ItemT], session: Session | None
) -> Generator[Outcome[ItemT], None, None]:
    own = None
    if session is None:
        from pabal.config import Limits
        from pabal.session import Session

        session = own = Session(limits=Limits(max_connections_per_host=max(100, run.concurrency)))
    try:
        bulk = run.bulk = session._bulk()  # pyright: ignore[reportPrivateUsage]
        ready, give = run.ready, run.give
        while True:
            while run.has_room and not run.exhausted:
                try:
                    item = next(source)
                except StopIteration:
                    run.exhausted = True
                except Exception as error:  # told when everything that was started is handed out
                    run.source_error = error
                    run.exhausted = True
                else:
                    run.start(session, item, False)
            if not ready:
                if not run.running:
                    break
                run.take(cast("list[Outcome[ItemT]]", bulk.wait()))
            while ready:
                yield give()
        run.end()
    finally:
        run.close()
        if own is not None:
            own.close()


# --- async ------------------------------------------------------------------------------------------------------------


class _AsyncRun(_Run[ItemT]):
    """As `_Run`, on an event loop: the source may be async; a few requests need tasks (async hooks, async bodies)."""

    def __init__(self, session: AsyncSession, source: object, *arguments: Any) -> None:
        super().__init__(source, *arguments)
        self.session = session
        self.tasks: set[Any] = set()
        self.iterator: Iterator[ItemT] | None = None
        self.aiterator: AsyncIterator[ItemT] | None = None
        if isinstance(source, AsyncIterable):
            self.aiterator = aiter(cast("AsyncIterable[ItemT]", source))
        else:
            self.iterator = iter(cast("Iterable[ItemT]", source))
        self.room: Any = None
        self.feeder: Any = None
        self.on_trio = False

    def begin(self) -> None:
        trio = sys.modules.get("trio")
        self.on_trio = trio is not None and trio.lowlevel.in_trio_run()
        self.bulk = self.session._bulk()  # pyright: ignore[reportPrivateUsage]
        if self.aiterator is not None and not self.on_trio:
            import asyncio

            self.room = asyncio.Event()
            self.feeder = asyncio.get_running_loop().create_task(self._feed(self.aiterator))

    def begin_one(self, item: ItemT) -> None:
        rest = self.start(self.session, item, True)
        if rest is not None:
            self._spawn(*rest)

    def refill(self, source: Iterator[ItemT]) -> None:
        while self.running < self.concurrency and self.started - self.given < self.window and not self.exhausted:
            try:
                item = next(source)
            except StopIteration:
                self.exhausted = True
            except Exception as error:
                self.source_error = error
                self.exhausted = True
            else:
                self.begin_one(item)

    async def _feed(self, source: AsyncIterator[ItemT]) -> None:
        """Reads an async source while results are waited for."""
        bulk = cast("Bulk", self.bulk)
        try:
            while True:
                while not self.has_room:
                    self.room.clear()
                    await self.room.wait()
                item = await anext(source)
                self.begin_one(item)
                if self.ready:
                    bulk.wake()
        except StopAsyncIteration:
            pass
        except Exception as error:
            self.source_error = error
        finally:
            self.exhausted = True
            bulk.wake()

    async def pull(self, source: AsyncIterator[ItemT]) -> None:
        """Under trio an async source is read between results."""
        while self.has_room and not self.exhausted and not self.ready:
            try:
                self.begin_one(await anext(source))
            except StopAsyncIteration:
                self.exhausted = True
            except Exception as error:
                self.source_error = error
                self.exhausted = True

    async def pause(self) -> None:
        """Lets others run."""
        if self.on_trio:
            import trio

            await trio.lowlevel.checkpoint()
        else:
            import asyncio

            await asyncio.sleep(0)

    def _spawn(self, outcome: Outcome[ItemT], method: str, url: object, options: dict[str, Any]) -> None:
        async def run() -> None:
            try:
                outcome.response = await cast("Any", self.session).request(method, url, **options)
            except Exception as error:
                outcome.error = error
            self.running -= 1
            self.done(outcome)
            cast("Bulk", self.bulk).wake()

        if self.on_trio:
            from pabal._trio import spawn

            self.tasks.add(spawn(run))
            return
        import asyncio

        task = asyncio.get_running_loop().create_task(run())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def close(self) -> None:
        super().close()
        tasks, self.tasks = self.tasks, set()
        if self.feeder is not None:
            tasks.add(self.feeder)
            self.feeder = None
        for task in tasks:
            with contextlib.suppress(RuntimeError):  # its loop is closed: nobody will run it
                task.cancel()


class AsyncOutcomes(AsyncIterator[Outcome[ItemT]]):
    """What `AsyncSession.map` returns: ``async for outcome in …``.

    Leaving the loop early, an error in it, or its cancellation abandon what still runs. ``async with`` does so at a
    place you can see; ``aclose`` is there for other arrangements.
    """

    __slots__ = ("_immediate", "_run")

    def __init__(self, run: _AsyncRun[ItemT]) -> None:
        self._run: _AsyncRun[ItemT] | None = run
        self._immediate = 0

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Outcome[ItemT]:
        run = self._run
        if run is None:
            raise StopAsyncIteration
        try:
            if run.bulk is None:
                run.begin()
            if run.iterator is not None:
                run.refill(run.iterator)
            while not run.ready:
                if run.on_trio and run.aiterator is not None:
                    await run.pull(run.aiterator)
                    if run.ready:
                        break
                if run.exhausted and not run.running:
                    if run.ready:
                        break
                    run.end()
                    raise StopAsyncIteration
                self._immediate = 0
                run.take(cast("list[Outcome[ItemT]]", await cast("Bulk", run.bulk).wait()))
                if run.iterator is not None:
                    run.refill(run.iterator)
            outcome = run.give()
            self._immediate += 1
            if self._immediate >= YIELD_AFTER:
                self._immediate = 0
                await run.pause()
        except BaseException:
            self._close()
            raise
        if run.room is not None:
            run.room.set()
        return outcome

    def _close(self) -> None:
        run, self._run = self._run, None
        if run is not None:
            run.close()

    async def aclose(self) -> None:
        """Abandons what still runs."""
        run = self._run
        tasks = [] if run is None or run.on_trio else [each for each in (*run.tasks, run.feeder) if each is not None]
        self._close()
        if tasks:
            import asyncio

            await asyncio.wait(tasks)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __del__(self) -> None:
        self._close()


def map_async(
    session: AsyncSession,
    requests: Iterable[ItemT] | AsyncIterable[ItemT],
    concurrency: int,
    ordered: bool,
    progress: Callable[[int, int | None], object] | None,
    return_exceptions: bool,
    options: dict[str, Any],
) -> AsyncOutcomes[ItemT]:
    """`AsyncSession.map`, which documents it."""
    if inspect.isawaitable(requests):
        raise TypeError("requests are an iterable or an async iterable of requests, not an awaitable")
    return AsyncOutcomes(_AsyncRun(session, requests, concurrency, ordered, progress, return_exceptions, options))
