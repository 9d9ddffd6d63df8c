"""Many requests with bounded memory: `pabal.gather` and `AsyncSession.map`."""

from __future__ import annotations

import asyncio
import gc
import itertools
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pabal
import pytest
import trio
from pabal import exceptions
from support.leaks import memory_tells, resident_megabytes
from support.nginx import Nginx
from support.scripted import Connection, ScriptedServer

Start = Callable[..., ScriptedServer]
Run = Callable[[Any], Any]


class Gate:
    """Answers a request with its target, as soon as ``target in open``; counts how many wait at once."""

    def __init__(self, delay: float = 0.0) -> None:
        self.delay = delay
        self.now = self.most = self.answered = 0
        self.slow: set[str] = set()
        self._lock = threading.Lock()

    def __call__(self, connection: Connection) -> None:
        while request := connection.read_request():
            with self._lock:
                self.now += 1
                self.most = max(self.most, self.now)
            time.sleep(0.3 if request.target in self.slow else self.delay)
            with self._lock:
                self.now -= 1
                self.answered += 1
            connection.answer(request.target.encode() + request.body)


async def collect(outcomes: AsyncIterator[pabal.Outcome[Any]]) -> list[pabal.Outcome[Any]]:
    return [outcome async for outcome in outcomes]


# --- sync -------------------------------------------------------------------------------------------------------------


def test_gather(nginx: Nginx) -> None:
    outcomes = list(pabal.gather([nginx.url + "/price"] * 250, concurrency=20))
    assert sorted(each.index for each in outcomes) == list(range(250))
    assert all(each.ok and each.error is None for each in outcomes)
    assert outcomes[0].result().json()["price"] == 123.45
    assert repr(outcomes[0]).endswith("<Response [200]>>")


def test_gather_holds_no_more_than_it_should(no_leaks: None, scripted: Start) -> None:
    gate = Gate(0.01)
    server = scripted(gate)
    taken = 0

    def source() -> Iterator[str]:
        nonlocal taken
        for index in range(60):
            taken += 1
            yield f"{server.url}/{index}"

    given = 0
    for _ in pabal.gather(source(), concurrency=5):
        given += 1
        assert taken - given <= 10
    assert (given, taken) == (60, 60)
    assert gate.most <= 5


def test_gather_in_order(scripted: Start) -> None:
    gate = Gate()
    gate.slow = {"/0", "/7"}
    server = scripted(gate)
    urls = [f"{server.url}/{index}" for index in range(30)]
    ordered = list(pabal.gather(urls, concurrency=4, ordered=True))
    assert [each.request for each in ordered] == urls
    assert [each.result().text for each in ordered] == [f"/{index}" for index in range(30)]
    finished = [each.index for each in pabal.gather(urls, concurrency=4)]
    assert finished[0] != 0 and sorted(finished) == list(range(30))


def test_a_request_in_every_form(nginx: Nginx) -> None:
    url = nginx.url + "/headers"
    items: list[Any] = [
        url,
        url.encode(),
        ("put", url),
        ("POST", url, {"json": [1], "headers": {"X-Test": "own"}}),
        pabal.Request("PATCH", url, {"X-Test": "request"}, b"12345"),
        ("PUT", url, {"content": iter([b"ab", b"c"])}),
    ]
    outcomes = list(pabal.gather(items, ordered=True, headers={"X-Test": "common"}))
    texts = [each.result().text.split("|") for each in outcomes]
    assert [text[0] for text in texts] == ["common", "common", "common", "own", "request", "common"]
    assert [text[2] for text in texts] == ["GET", "GET", "PUT", "POST", "PATCH", "PUT"]
    assert texts[4][4] == "5"
    assert outcomes[4].request is items[4]


def test_what_cannot_be_sent_is_an_outcome(nginx: Nginx) -> None:
    items: list[Any] = ["http://", nginx.url + "/gone", 7, ("GET",), ("G T", nginx.url), (5, nginx.url), None]
    items += [("GET", nginx.url, {"stream": True}), ("GET", nginx.url, {"nonsense": 1}), ("GET", nginx.url, 5)]
    items += ["http://127.0.0.1:1/"]
    outcomes = list(pabal.gather(items, ordered=True))
    kinds = [type(each.error) for each in outcomes]
    assert kinds[0] is exceptions.InvalidURL
    assert kinds[1] is type(None) and not outcomes[1].ok and outcomes[1].result().status_code == 410
    assert kinds[2:8] == [
        TypeError,
        exceptions.InvalidArgument,
        ValueError,
        TypeError,
        TypeError,
        exceptions.InvalidArgument,
    ]
    assert kinds[8:10] == [TypeError, TypeError]
    assert kinds[10] is exceptions.ConnectionRefused
    with pytest.raises(exceptions.InvalidURL):
        outcomes[0].result()


def test_the_first_error_can_be_raised(no_leaks: None, nginx: Nginx) -> None:
    outcomes = pabal.gather([nginx.url + "/price", "http://127.0.0.1:1/"], return_exceptions=False, ordered=True)
    assert next(outcomes).ok
    with pytest.raises(exceptions.ConnectionRefused):
        next(outcomes)
    assert list(outcomes) == []


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"concurrency": 0}, ValueError),
        ({"concurrency": 1.5}, TypeError),
        ({"concurrency": True}, TypeError),
        ({"progress": 5}, TypeError),
        ({"stream": True}, ValueError),
        ({"session": 5}, TypeError),
        ({"requests": "http://one"}, TypeError),
        ({"requests": {"http://one": 1}}, TypeError),
        ({"requests": 5}, TypeError),
    ],
)
def test_wrong_arguments_are_told_at_once(change: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        pabal.gather(**{"requests": ["http://127.0.0.1:1"], **change})
    if "session" not in change:
        session = pabal.AsyncSession()
        with pytest.raises(error):
            session.map(**{"requests": ["http://127.0.0.1:1"], **change})


def test_leaving_early_abandons_the_rest(no_leaks: None, scripted: Start) -> None:
    gate = Gate()
    gate.slow = {"/1", "/2"}
    server = scripted(gate)
    started = time.monotonic()
    for outcome in pabal.gather((f"{server.url}/{index}" for index in range(1000)), concurrency=3):
        assert outcome.index == 0
        break
    assert time.monotonic() - started < 0.25
    with pabal.Session() as session:
        for outcome in pabal.gather([server.url + "/0", server.url + "/1"], session=session):
            assert outcome.index == 0
            break
        assert session.get(server.url + "/9").text == "/9"


def test_an_error_of_the_source_comes_last(nginx: Nginx) -> None:
    def source() -> Iterator[str]:
        yield nginx.url + "/price"
        yield nginx.url + "/price"
        raise LookupError("no more")

    outcomes = pabal.gather(source())
    assert next(outcomes).ok and next(outcomes).ok
    with pytest.raises(LookupError):
        next(outcomes)

    async def main() -> None:
        async with pabal.AsyncSession() as session:
            got = 0
            with pytest.raises(LookupError):
                async for outcome in session.map(source()):
                    got += outcome.ok
            assert got == 2

    asyncio.run(main())


def test_progress_counts_requests(nginx: Nginx) -> None:
    told: list[tuple[int, int | None]] = []
    list(pabal.gather([nginx.url + "/price"] * 40, progress=lambda done, total: told.append((done, total))))
    assert told[-1] == (40, 40) and len(told) < 40
    told.clear()
    list(pabal.gather(iter([nginx.url + "/price"]), progress=lambda done, total: told.append((done, total))))
    assert told == [(1, None)]


def test_a_session_is_shared(nginx: Nginx) -> None:
    with pabal.Session(headers={"X-Test": "shared"}) as session:
        session.get(nginx.url + "/price")
        for outcome in pabal.gather([nginx.url + "/headers"] * 20, session=session, concurrency=1):
            assert outcome.result().text.startswith("shared|")
            assert outcome.result().trace.reused
        session.headers["X-Test"] = "changed"
        assert next(pabal.gather([nginx.url + "/headers"], session=session)).result().text.startswith("changed|")
    closed = list(pabal.gather([nginx.url + "/price"], session=session))
    assert isinstance(closed[0].error, exceptions.SessionClosed)


def test_a_body_that_fails_is_an_outcome(scripted: Start) -> None:
    def body() -> Iterator[bytes]:
        yield b"some"
        raise ValueError("mine")

    outcome = next(pabal.gather([("POST", scripted(Gate()).url, {"content": body()})]))
    assert isinstance(outcome.error, ValueError) and outcome.error.args == ("mine",)


def test_many_threads_gather_over_one_session(nginx: Nginx) -> None:
    counts: list[int] = []
    with pabal.Session() as session:

        def work() -> None:
            counts.append(sum(each.ok for each in pabal.gather([nginx.url + "/price"] * 100, session=session)))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert counts == [100] * 4


# --- async ------------------------------------------------------------------------------------------------------------


def test_map(nginx: Nginx, run: Run) -> None:
    async def main() -> None:
        async with pabal.AsyncSession() as session:
            outcomes = await collect(session.map([nginx.url + "/price"] * 300, concurrency=30))
            assert sorted(each.index for each in outcomes) == list(range(300))
            assert all(each.ok for each in outcomes)
            ordered = await collect(session.map([nginx.url + "/price"] * 100, concurrency=7, ordered=True))
            assert [each.index for each in ordered] == list(range(100))

    run(main())


def test_map_takes_an_async_source(no_leaks: None, scripted: Start, run: Run) -> None:
    gate = Gate(0.002)
    server = scripted(gate)

    async def main() -> None:
        taken = 0

        async def source() -> AsyncIterator[str]:
            nonlocal taken
            for index in range(50):
                taken += 1
                if index % 10 == 0:
                    await asyncio.sleep(0.01)
                yield f"{server.url}/{index}"

        async with pabal.AsyncSession() as session:
            given = 0
            async for outcome in session.map(source(), concurrency=4):
                given += 1
                assert outcome.ok
                assert taken - given <= 9
            assert given == 50

    run(main())
    assert gate.most <= 4


def test_a_slow_source_does_not_hold_results_back(nginx: Nginx, run: Run) -> None:
    async def main() -> None:
        async def source() -> AsyncIterator[str]:
            yield nginx.url + "/price"
            await asyncio.sleep(60)

        async with pabal.AsyncSession() as session:
            outcomes = session.map(source())
            first = await asyncio.wait_for(anext(outcomes), 5)
            assert first.ok
            await outcomes.aclose()

    run(main())


def test_map_under_trio(nginx: Nginx) -> None:
    async def main() -> None:
        async def source() -> AsyncIterator[Any]:
            for _ in range(30):
                await trio.lowlevel.checkpoint()
                yield nginx.url + "/price"

        async def body() -> AsyncIterator[bytes]:
            yield b"abc"

        async with pabal.AsyncSession() as session:
            assert len(await collect(session.map([nginx.url + "/price"] * 50, concurrency=5))) == 50
            assert all(each.ok for each in await collect(session.map(source(), concurrency=5)))
            outcomes = await collect(session.map([("PUT", nginx.url + "/headers", {"content": body()})]))
            assert outcomes[0].result().text.split("|")[2] == "PUT"
            with trio.move_on_after(0.05) as scope:
                async for _ in session.map(itertools.repeat(nginx.url + "/price"), concurrency=3):
                    await trio.lowlevel.checkpoint()
            assert scope.cancelled_caught
            assert (await session.get(nginx.url + "/price")).ok

    trio.run(main)


def test_what_cannot_be_sent_does_not_stop_the_map(nginx: Nginx, scripted: Start, run: Run) -> None:
    async def main() -> None:
        async def body() -> AsyncIterator[bytes]:
            yield b"some"
            raise ValueError("mine")

        reader = scripted(Gate())
        items: list[Any] = ["http://", nginx.url + "/price", 5, ("POST", reader.url, {"content": body()})]
        async with pabal.AsyncSession() as session:
            outcomes = await collect(session.map(items, ordered=True))
            kinds = [type(each.error) for each in outcomes]
            assert kinds == [exceptions.InvalidURL, type(None), TypeError, ValueError]
            with pytest.raises(exceptions.InvalidURL):
                await collect(session.map(["http://"], return_exceptions=False))

    run(main())


def test_bodies_of_every_kind(nginx: Nginx, run: Run) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"a" * 10
        yield b"b" * 10

    async def main() -> None:
        url = nginx.url + "/headers"
        items = [
            ("PUT", url, {"content": b"123"}),
            ("PUT", url, {"content": iter([b"x" * 100_000] * 3)}),
            ("PUT", url, {"content": body()}),
        ]
        async with pabal.AsyncSession() as session:
            assert all(each.result().status_code == 200 for each in await collect(session.map(items)))

    run(main())


def test_cancelling_a_map_leaves_nothing(no_leaks: None, scripted: Start, run: Run) -> None:
    gate = Gate(0.2)
    server = scripted(gate)

    async def main() -> None:
        async with pabal.AsyncSession() as session:

            async def work() -> None:
                async for _ in session.map(itertools.repeat(server.url), concurrency=5):
                    pass

            task = asyncio.create_task(work())
            await asyncio.sleep(0.1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.sleep(0.05)
            assert len(asyncio.all_tasks()) == 1

    run(main())
    assert gate.most <= 5


@pytest.mark.parametrize("how", ["break", "with", "error"])
def test_leaving_a_map_early_leaves_nothing(no_leaks: None, scripted: Start, run: Run, how: str) -> None:
    gate = Gate(0.05)
    server = scripted(gate)

    async def source() -> AsyncIterator[str]:
        while True:
            yield server.url

    async def main() -> None:
        async with pabal.AsyncSession() as session:
            if how == "break":
                async for _ in session.map(source(), concurrency=5):
                    break
            elif how == "with":
                async with session.map(source(), concurrency=5) as outcomes:
                    async for _ in outcomes:
                        break
            else:
                with pytest.raises(LookupError):
                    async for _ in session.map(source(), concurrency=5):
                        raise LookupError
            gc.collect()
            await asyncio.sleep(0.1)
            assert len(asyncio.all_tasks()) == 1
            answered = gate.answered
            await asyncio.sleep(0.1)
            assert gate.answered <= answered + 5

    run(main())


def test_closing_the_session_ends_a_map(scripted: Start, run: Run) -> None:
    server = scripted(Gate(0.1))

    async def main() -> None:
        session = pabal.AsyncSession()
        outcomes = session.map([server.url] * 30, concurrency=3)
        assert (await anext(outcomes)).ok
        await session.aclose()
        kinds = {type(each.error) for each in await collect(outcomes)}
        assert exceptions.SessionClosed in kinds

    run(main())


def test_other_tasks_get_their_turn(run: Run) -> None:
    async def main() -> None:
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(other())
        async with pabal.AsyncSession() as session:
            async for outcome in session.map(itertools.repeat("http://", 20_000)):
                assert outcome.error is not None
        task.cancel()
        assert turns > 10

    run(main())


@memory_tells
def test_memory_stays_flat(nginx: Nginx, run: Run) -> None:
    async def main() -> None:
        async with pabal.AsyncSession() as session:
            before = 0.0
            async for outcome in session.map(itertools.repeat(nginx.url + "/price", 12_000), concurrency=50):
                if outcome.index == 3000:
                    gc.collect()
                    before = resident_megabytes()
            assert resident_megabytes() - before < 4

    run(main())
    for outcome in pabal.gather(itertools.repeat(nginx.url + "/price", 12_000), concurrency=50):
        if outcome.index == 3000:
            before = resident_megabytes()
    assert resident_megabytes() - before < 4
