"""Storms: cancelled, timed out and abandoned by the thousand, at every phase; afterwards all is as before."""

from __future__ import annotations

import asyncio
import random
import ssl
import threading
from collections.abc import Callable
from typing import Any

import pabal
import pytest
from support.scripted import Connection, ScriptedServer

Run = Callable[[Any], Any]
Start = Callable[..., ScriptedServer]


def moody(seed: int) -> Callable[[Connection], None]:
    """Answers at once, late, in halves, or never."""
    generator = random.Random(seed)

    def script(connection: Connection) -> None:
        pause = threading.Event()
        while connection.read_request():
            mood = generator.random()
            if mood < 0.4:
                connection.answer(b"x" * generator.choice([0, 10, 100_000]))
            elif mood < 0.6:
                pause.wait(generator.random() * 0.02)
                connection.answer(b"late")
            elif mood < 0.8:
                connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n" + b"x" * 100)
                pause.wait(generator.random() * 0.02)
                connection.send(b"x" * 100)
            elif mood < 0.9:
                return
            else:
                connection.wait_closed()
                return

    return script


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("limit", [3, 100])
def test_a_storm_of_cancellations(
    limit: int, tls: bool, no_leaks: None, scripted: Start, run: Run, tls_context: ssl.SSLContext
) -> None:
    server = scripted(moody(limit), tls_context if tls else None)

    def good(connection: Connection) -> None:
        while connection.read_request():
            connection.answer(b"good")

    fine = scripted(good)
    generator = random.Random(limit)

    async def one(session: pabal.AsyncSession) -> None:
        kind = generator.random()
        request: Any
        if kind < 0.7:
            request = asyncio.ensure_future(session.get(server.url, timeout=0.2))
        elif kind < 0.85:
            request = asyncio.ensure_future(session.post(server.url, content=iter([b"x" * 1000] * 5), timeout=0.2))
        else:

            async def read() -> bytes:
                async with session.stream("GET", server.url, timeout=pabal.Timeout(0.2, read=0.2)) as response:
                    return await response.aread()

            request = asyncio.ensure_future(read())
        await asyncio.sleep(generator.random() * 0.03)
        if generator.random() < 0.7:
            request.cancel()
        await asyncio.gather(request, return_exceptions=True)

    async def main() -> None:
        limits = pabal.Limits(max_connections=limit, max_connections_per_host=limit)
        async with pabal.AsyncSession(limits=limits, verify=False) as session:
            for _ in range(3):
                await asyncio.gather(*[one(session) for _ in range(150 if tls else 400)])
                answers = await asyncio.wait_for(asyncio.gather(*[session.get(fine.url) for _ in range(20)]), 10)
                assert [answer.text for answer in answers] == ["good"] * 20
        assert len(asyncio.all_tasks()) == 1

    run(main())


def test_cancelled_after_every_number_of_turns(no_leaks: None, scripted: Start, run: Run) -> None:
    """Between the start and the end of a request there are not many turns of the loop: stop after each of them."""
    server = scripted(moody(1))

    async def main() -> None:
        async with pabal.AsyncSession(limits=pabal.Limits(max_connections=2)) as session:
            for turns in range(60):
                task = asyncio.ensure_future(session.get(server.url, timeout=1))
                for _ in range(turns):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    run(main())


def test_an_upload_that_is_cancelled_lets_its_iterator_clean_up(no_leaks: None, scripted: Start, run: Run) -> None:
    def deaf(connection: Connection) -> None:
        connection.read_head()
        connection.wait_closed()

    server = scripted(deaf)
    cleaned: list[int] = []

    async def pieces(number: int) -> Any:
        try:
            while True:
                await asyncio.sleep(0.001)
                yield b"x" * 100
        finally:
            cleaned.append(number)

    async def main() -> None:
        async with pabal.AsyncSession() as session:
            tasks = [asyncio.ensure_future(session.post(server.url, content=pieces(number))) for number in range(20)]
            await asyncio.sleep(0.1)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.sleep(0.05)
            assert sorted(cleaned) == list(range(20))

    run(main())


def test_closing_the_session_in_the_middle(no_leaks: None, scripted: Start, run: Run) -> None:
    server = scripted(moody(5))

    async def main() -> None:
        for _ in range(10):
            session = pabal.AsyncSession()
            requests = asyncio.gather(*[session.get(server.url, timeout=1) for _ in range(50)], return_exceptions=True)
            await asyncio.sleep(0.01)
            await session.aclose()
            assert len(await requests) == 50

    run(main())


def test_a_loop_that_ends_with_requests_under_way(no_leaks: None, scripted: Start, run: Run) -> None:
    server = scripted(moody(6))

    async def main() -> None:
        session = pabal.AsyncSession()
        for _ in range(20):
            task = asyncio.ensure_future(session.get(server.url))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.sleep(0.005)

    for _ in range(5):
        run(main())


def test_threads_that_are_interrupted_by_a_closing_session(no_leaks: None, scripted: Start) -> None:
    server = scripted(moody(7))
    for _ in range(5):
        session = pabal.Session()

        def work(using: pabal.Session = session) -> None:
            for _ in range(20):
                try:
                    using.get(server.url, timeout=0.5)
                except pabal.PabalError:
                    continue

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        threading.Event().wait(0.05)
        session.close()
        for thread in threads:
            thread.join(10)
            assert not thread.is_alive()
