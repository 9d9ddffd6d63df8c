"""``AsyncSession.exchange(finish=…)``: the caller makes the outcome, at once or with a coroutine."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from typing import Any

import pabal
import pytest
from pabal import exceptions
from support.scripted import Connection, ScriptedServer

Run = Callable[[Any], Any]
Start = Callable[..., ScriptedServer]


@pytest.fixture
def url(scripted: Start) -> str:
    def script(connection: Connection) -> None:
        while request := connection.read_request():
            if request.target == "/gone":
                return
            if request.target == "/slow":
                connection.wait_closed()
                return
            connection.answer(b"body")

    return scripted(script).url


def test_the_result_is_what_finish_returns(url: str, run: Run) -> None:
    async def main() -> None:
        async with pabal.AsyncSession() as session:
            seen: list[Any] = []

            def finish(response: Any) -> str:
                seen.append(response)
                return "made"

            pending = session.exchange("GET", url, None, None, finish=finish)
            assert not seen
            assert await pending == "made"
            assert pending.result() == "made"
            assert [type(each) for each in seen] == [pabal.Response]
            assert seen[0].content == b"body"
            gathered = await asyncio.gather(
                *[session.exchange("GET", url, None, None, finish=lambda r: r.content) for _ in range(50)]
            )
            assert gathered == [b"body"] * 50

    run(main())


def test_finish_is_given_what_went_wrong(url: str, run: Run) -> None:
    async def main() -> None:
        async with pabal.AsyncSession() as session:
            given = await session.exchange("GET", url + "/gone", None, None, finish=lambda outcome: outcome)
            assert isinstance(given, exceptions.TransportError)

            def finish(outcome: Any) -> Any:
                raise KeyError("other") from outcome

            with pytest.raises(KeyError) as raised:
                await session.exchange("GET", url + "/gone", None, None, finish=finish)
            assert isinstance(raised.value.__cause__, exceptions.TransportError)

    run(main())


def test_a_coroutine_goes_on(url: str, run: Run) -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="outside")

    async def main() -> None:
        async with pabal.AsyncSession() as session:

            async def again(response: Any) -> Any:
                second = await session.get(url)
                return response.content + second.content, variable.get()

            variable.set("inside")
            assert await session.exchange("GET", url, None, None, finish=again) == (b"bodybody", "inside")
            tasks = [asyncio.create_task(session.exchange("GET", url, None, None, finish=again)) for _ in range(10)]
            assert {first for first, _ in await asyncio.gather(*tasks)} == {b"bodybody"}

            async def fails(response: Any) -> Any:
                await asyncio.sleep(0)
                raise LookupError("later")

            with pytest.raises(LookupError, match="later"):
                await session.exchange("GET", url, None, None, finish=fails)

    run(main())


def test_cancelling_reaches_the_coroutine(url: str, run: Run) -> None:
    async def main() -> None:
        async with pabal.AsyncSession() as session:
            begun, ended = asyncio.Event(), asyncio.Event()

            async def waits(response: Any) -> Any:
                begun.set()
                try:
                    await asyncio.sleep(60)
                finally:
                    ended.set()

            task = asyncio.create_task(session.exchange("GET", url, None, None, finish=waits))
            await begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.wait_for(ended.wait(), 5)
            assert (await session.get(url)).content == b"body"

    run(main())


def test_a_cancelled_request_is_not_finished(url: str, run: Run) -> None:
    async def main() -> None:
        async with pabal.AsyncSession() as session:
            called: list[Any] = []
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(session.exchange("GET", url + "/slow", None, None, finish=called.append), 0.1)
            await asyncio.sleep(0)
            assert called == []

    run(main())


def test_sync_sessions_have_no_such_option(url: str) -> None:
    with pabal.Session() as session, pytest.raises(TypeError, match="finish"):
        session.exchange("GET", url, None, None, finish=None)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def test_under_trio(url: str) -> None:
    import trio

    async def main() -> None:
        async with pabal.AsyncSession() as session:

            async def again(response: Any) -> Any:
                return (await session.get(url)).content

            assert await session.exchange("GET", url, None, None, finish=again) == b"body"
            assert await session.exchange("GET", url, None, None, finish=lambda r: 3) == 3

    trio.run(main)
