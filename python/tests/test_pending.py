"""What ``AsyncSession.get()`` returns: a coroutine, a future and a context manager at once; it starts when awaited."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import sys
import weakref
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pabal
import pytest
import uvloop
from pabal import exceptions
from support.nginx import Nginx
from support.scripted import Connection, ScriptedServer

Run = Callable[[Any], Any]


@pytest.fixture
def url(nginx: Nginx) -> str:
    return nginx.url + "/price"


def quote(response: pabal.Response) -> float:
    return float(response.json()["price"])


def test_await(url: str, run: Run) -> None:
    async def main() -> None:
        async with pabal.AsyncSession() as session:
            assert quote(await session.get(url)) == 123.45

    run(main())


def test_gather_makes_no_tasks(url: str, run: Run) -> None:
    async def main() -> None:
        async with pabal.AsyncSession() as session:
            tasks = len(asyncio.all_tasks())
            gathered = asyncio.gather(*[session.get(url) for _ in range(300)])
            assert len(asyncio.all_tasks()) == tasks
            assert [quote(response) for response in await gathered] == [123.45] * 300

    run(main())


def test_tasks(url: str, run: Run) -> None:
    async def main() -> None:
        async with pabal.AsyncSession() as session:
            task = asyncio.create_task(session.get(url))
            assert isinstance(task, asyncio.Task) or sys.version_info < (3, 12)
            assert quote(await task) == 123.45
            assert quote(await asyncio.ensure_future(session.get(url))) == 123.45
            assert quote(await asyncio.get_running_loop().create_task(session.get(url))) == 123.45

    run(main())


@pytest.mark.skipif(sys.version_info < (3, 11), reason="TaskGroup came with 3.11")
def test_task_group(url: str, run: Run) -> None:
    async def main() -> None:
        async with pabal.AsyncSession() as session:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(session.get(url)) for _ in range(20)]
            assert [quote(task.result()) for task in tasks] == [123.45] * 20

    run(main())


def test_wait_for_shield_wait_and_as_completed(url: str, run: Run) -> None:
    async def main() -> None:
        async with pabal.AsyncSession() as session:
            assert quote(await asyncio.wait_for(session.get(url), 5)) == 123.45
            assert quote(await asyncio.shield(session.get(url))) == 123.45
            for done in asyncio.as_completed([session.get(url) for _ in range(5)]):
                assert quote(await done) == 123.45
            finished, rest = await asyncio.wait([asyncio.ensure_future(session.get(url)) for _ in range(5)])
            assert len(finished) == 5
            assert not rest

    run(main())


@pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio.timeout came with 3.11")
def test_asyncio_timeout(hung: ScriptedServer, url: str, run: Run) -> None:
    async def main() -> None:
        async with pabal.AsyncSession() as session:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await session.get(hung.url)
            assert (await session.get(url)).ok

    run(main())


def test_asyncio_run_takes_it(url: str) -> None:
    assert quote(asyncio.run(pabal.AsyncSession().get(url))) == 123.45
    assert quote(uvloop.run(pabal.AsyncSession().get(url))) == 123.45


def test_async_with(url: str, run: Run) -> None:
    async def main() -> None:
        async with pabal.AsyncSession() as session:
            async with session.get(url) as response:
                assert quote(response) == 123.45
            async with session.stream("GET", url) as response:
                assert not response.is_stream_consumed
                assert (await response.aread()).startswith(b"{")

    run(main())


def test_what_it_claims_to_be(url: str, run: Run) -> None:
    async def main() -> None:
        async with pabal.AsyncSession() as session:
            pending = session.get(url)
            assert isinstance(pending, Coroutine)
            assert isinstance(pending, Awaitable)
            assert asyncio.iscoroutine(pending)
            assert not pending.done()
            assert "not started" in repr(pending)
            assert asyncio.isfuture(pending)
            assert pending.get_loop() is asyncio.get_running_loop()  # type: ignore[attr-defined]
            with pytest.raises(asyncio.InvalidStateError):
                pending.result()
            response = await pending
            assert pending.done()
            assert not pending.cancelled()
            assert pending.result() is response
            assert pending.exception() is None
            assert not pending.cancel()
            assert await pending is response  # as a future, and unlike a coroutine

    run(main())


def test_callbacks(url: str, run: Run) -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")

    async def main() -> None:
        async with pabal.AsyncSession() as session:
            seen: list[Any] = []
            variable.set("outer")
            pending = session.get(url)
            pending.add_done_callback(lambda done: seen.append((done, variable.get())))
            removed: list[Any] = []
            pending.add_done_callback(removed.append)
            assert pending.remove_done_callback(removed.append) == 1
            context = contextvars.copy_context()
            context.run(variable.set, "inner")
            pending.add_done_callback(lambda done: seen.append((done, variable.get())), context=context)
            await pending
            await asyncio.sleep(0)
            assert seen == [(pending, "outer"), (pending, "inner")]
            assert not removed
            pending.add_done_callback(lambda done: seen.append("late"))
            assert seen[-1] != "late"
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert seen[-1] == "late"

    run(main())


def test_nothing_starts_before_it_is_awaited(scripted: Callable[..., ScriptedServer], run: Run) -> None:
    running, most = [0], [0]

    def script(connection: Connection) -> None:
        while connection.read_request():
            running[0] += 1
            most[0] = max(most[0], running[0])
            connection.socket.settimeout(20)
            threading_sleep(0.005)
            running[0] -= 1
            connection.answer()

    from time import sleep as threading_sleep

    server = scripted(script)

    async def main() -> None:
        async with pabal.AsyncSession() as session:
            prepared = [session.get(server.url) for _ in range(40)]
            await asyncio.sleep(0.05)
            assert server.connections == 0
            semaphore = asyncio.Semaphore(3)

            async def limited(request: pabal.PendingResponse) -> pabal.Response:
                async with semaphore:
                    return await request

            assert all(response.ok for response in await asyncio.gather(*map(limited, prepared)))
            assert most[0] <= 3
            assert server.connections <= 3

    run(main())


def test_what_is_never_awaited_costs_nothing(no_leaks: None, url: str, run: Run) -> None:
    async def main() -> None:
        async with pabal.AsyncSession() as session:
            for _ in range(1000):
                session.get(url)
            session.get("nonsense")

    run(main())


@pytest.fixture
def hung(scripted: Callable[..., ScriptedServer]) -> ScriptedServer:
    def script(connection: Connection) -> None:
        connection.read_request()
        connection.wait_closed()

    return scripted(script)


def test_cancelling(hung: ScriptedServer, url: str, run: Run) -> None:
    async def main() -> None:
        async with pabal.AsyncSession() as session:
            never = session.get(url)
            assert never.cancel()
            assert never.cancelled()
            with pytest.raises(asyncio.CancelledError):
                await never

            task = asyncio.ensure_future(session.get(hung.url))
            await asyncio.sleep(0.02)
            task.cancel("because")
            with pytest.raises(asyncio.CancelledError):
                await task

            async def wrapped() -> pabal.Response:
                return await session.get(hung.url)

            outer = asyncio.create_task(wrapped())
            await asyncio.sleep(0.02)
            outer.cancel()
            with pytest.raises(asyncio.CancelledError):
                await outer

            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(session.get(hung.url), 0.02)

            gathered = asyncio.gather(*[session.get(hung.url) for _ in range(10)])
            await asyncio.sleep(0.02)
            gathered.cancel()
            with pytest.raises(asyncio.CancelledError):
                await gathered
            assert quote(await session.get(url)) == 123.45

    run(main())


def test_a_shielded_request_goes_on(url: str, run: Run) -> None:
    async def main() -> None:
        async with pabal.AsyncSession() as session:
            inner = asyncio.ensure_future(session.get(url))
            with pytest.raises(asyncio.CancelledError):
                outer = asyncio.shield(inner)
                outer.cancel()
                await outer
            assert quote(await inner) == 123.45

    run(main())


def test_a_gathered_request_that_is_cancelled_alone_tells_the_gather(url: str, run: Run) -> None:
    async def main() -> None:
        async with pabal.AsyncSession() as session:
            cancelled, kept = session.get(url), session.get(url)
            gathered = asyncio.gather(cancelled, kept, return_exceptions=True)
            assert cancelled.cancel("not wanted any more")
            outcome, response = await asyncio.wait_for(gathered, 5)
            assert isinstance(outcome, asyncio.CancelledError)
            assert quote(response) == 123.45

    run(main())


def test_one_failure_does_not_stop_a_gather(url: str, run: Run) -> None:
    async def main() -> None:
        async with pabal.AsyncSession() as session:
            good, bad, again = await asyncio.gather(
                session.get(url), session.get("http://127.0.0.1:1/"), session.get(url), return_exceptions=True
            )
            assert isinstance(good, pabal.Response)
            assert isinstance(bad, exceptions.ConnectionRefused)
            assert isinstance(again, pabal.Response)
            with pytest.raises(exceptions.ConnectionRefused):
                await asyncio.gather(session.get(url), session.get("http://127.0.0.1:1/"))

    run(main())


def test_the_same_request_in_a_gather_twice(url: str, run: Run) -> None:
    async def main() -> None:
        async with pabal.AsyncSession() as session:
            request = session.get(url)
            first, second = await asyncio.gather(request, request)
            assert first is second

    run(main())


def test_outside_of_a_loop_it_is_a_clear_error() -> None:
    pending = pabal.AsyncSession().get("http://127.0.0.1:1/")
    with pytest.raises(RuntimeError, match="loop"):
        pending.send(None)


def test_a_session_moves_to_another_loop(url: str) -> None:
    session = pabal.AsyncSession()

    async def main() -> None:
        assert (await session.get(url)).ok

    for _ in range(3):
        asyncio.run(main())
        uvloop.run(main())


def test_closing(hung: ScriptedServer, url: str, run: Run) -> None:
    async def main() -> None:
        session = pabal.AsyncSession()
        waiting = asyncio.ensure_future(session.get(hung.url))
        await asyncio.sleep(0.02)
        await session.aclose()
        assert session.is_closed
        with pytest.raises((exceptions.SessionClosed, exceptions.RequestCancelled)):
            await waiting
        with pytest.raises(exceptions.SessionClosed):
            await session.get(url)
        await session.aclose()
        session.close()

    run(main())


def test_nothing_is_left_behind(no_leaks: None, url: str, run: Run) -> None:
    async def main() -> None:
        async with pabal.AsyncSession() as session:
            await asyncio.gather(*[session.get(url) for _ in range(50)])
        forgotten = pabal.AsyncSession()
        await forgotten.get(url)

    for _ in range(3):
        run(main())


def test_responses_and_requests_are_freed(url: str, run: Run) -> None:
    async def main() -> list[int]:
        counts: list[int] = []
        async with pabal.AsyncSession() as session:
            for _ in range(4):
                await asyncio.gather(*[session.get(url) for _ in range(500)])
                gc.collect()
                counts.append(len(gc.get_objects()))
        return counts

    counts = run(main())
    assert counts[-1] - counts[1] < 100


def test_it_can_be_referenced_weakly(url: str, run: Run) -> None:
    async def main() -> None:
        async with pabal.AsyncSession() as session:
            pending = session.get(url)
            reference = weakref.ref(pending)
            await pending
            del pending
            await asyncio.sleep(0)
            gc.collect()
            assert reference() is None

    run(main())


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with 3.12")
def test_eager_tasks(url: str) -> None:
    async def main() -> None:
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined]
        async with pabal.AsyncSession() as session:
            assert quote(await asyncio.create_task(session.get(url))) == 123.45

    asyncio.run(main())
