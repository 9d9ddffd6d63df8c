"""What differs when it is awaited: async bodies, many at once, options by the same names."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pabal
import pytest
from pabal import exceptions
from support.leaks import descriptors
from support.nginx import Nginx
from support.scripted import Connection, Received, ScriptedServer

Run = Callable[[Any], Any]
Start = Callable[..., ScriptedServer]


@pytest.fixture
def requests() -> list[Received]:
    return []


@pytest.fixture
def server(scripted: Start, requests: list[Received]) -> ScriptedServer:
    def script(connection: Connection) -> None:
        while request := connection.read_request():
            requests.append(request)
            connection.answer(request.body)

    return scripted(script)


def test_the_same_vocabulary(server: ScriptedServer, requests: list[Received], run: Run) -> None:
    async def main() -> None:
        async with pabal.AsyncSession(
            headers={"X-S": "1"}, params={"k": "v"}, cookies={"c": "d"}, timeout=20
        ) as session:
            for method in ("get", "post", "put", "patch", "delete", "options", "head"):
                await getattr(session, method)(server.url, params={"a": 1}, headers={"X-R": "2"}, auth=("u", "p"))
                request = requests[-1]
                assert (request.method, request.target) == (method.upper(), "/?k=v&a=1")
                assert (request.value("x-s"), request.value("x-r")) == ("1", "2")
                assert request.value("cookie") == "c=d"
                assert request.value("authorization") == "Basic dTpw"
            assert (await session.request("post", server.url, json={"a": 1})).content == b'{"a":1}'
            assert (await session.post(server.url, data={"a": 1})).content == b"a=1"
            assert (await session.post(server.url, content=io.BytesIO(b"x" * 200_000))).content == b"x" * 200_000
            assert b"filename" in (await session.post(server.url, files={"f": b"x"})).content

    run(main())


def test_async_bodies(server: ScriptedServer, requests: list[Received], run: Run) -> None:
    async def pieces(count: int) -> AsyncIterator[bytes]:
        for number in range(count):
            if number % 3 == 0:
                await asyncio.sleep(0.001)
            yield b"%d," % number * 1000

    expected = b"".join([b"%d," % number * 1000 for number in range(50)])

    async def main() -> None:
        async with pabal.AsyncSession() as session:
            responses = await asyncio.gather(*[session.post(server.url, content=pieces(50)) for _ in range(10)])
            assert all(response.content == expected for response in responses)
            assert requests[-1].value("transfer-encoding") == "chunked"
            assert (await session.post(server.url, data=pieces(0))).content == b""

    run(main())


def test_an_error_of_an_async_body_is_the_callers_own(server: ScriptedServer, run: Run) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"x"
        raise KeyError("my own")

    async def wrong() -> AsyncIterator[Any]:
        yield 5

    async def main() -> None:
        async with pabal.AsyncSession() as session:
            with pytest.raises(KeyError, match="my own"):
                await session.post(server.url, content=pieces())
            with pytest.raises(TypeError, match="not int"):
                await session.post(server.url, content=wrong())
            assert (await session.get(server.url)).ok

    run(main())


def test_a_big_file_up(server: ScriptedServer, tmp_path: Path, run: Run) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * 40_000)

    async def main() -> None:
        async with pabal.AsyncSession() as session:
            with path.open("rb") as file:
                assert (await session.put(server.url, content=file)).content == path.read_bytes()

    run(main())


def test_a_response_before_the_upload_is_over(scripted: Start, run: Run) -> None:
    def script(connection: Connection) -> None:
        connection.read_head()
        connection.answer(b"too large", "413 Content Too Large", "Connection: close")
        connection.wait_closed()

    server = scripted(script)

    async def endless() -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(0)
            yield b"x" * 10_000

    async def main() -> None:
        async with pabal.AsyncSession(timeout=10) as session:
            response = await session.post(server.url, content=endless())
            assert (response.status_code, response.text) == (413, "too large")

    run(main())


def test_a_thousand_at_once(nginx: Nginx, run: Run) -> None:
    async def main() -> None:
        async with pabal.AsyncSession(limits=pabal.Limits(max_connections_per_host=200)) as session:
            responses = await asyncio.gather(*[session.get(nginx.url + "/price") for _ in range(2000)])
            assert all(response.json()["price"] == 123.45 for response in responses)
            sockets = [what for what in descriptors().values() if what.startswith("socket:")]
            assert len(sockets) < 230

    run(main())


def test_a_thousand_over_tls(nginx: Nginx, ca_file: str, run: Run) -> None:
    async def main() -> None:
        limits = pabal.Limits(max_connections_per_host=50)
        async with pabal.AsyncSession(limits=limits, verify=ca_file) as session:
            responses = await asyncio.gather(*[session.get(nginx.tls_url + "/price") for _ in range(1000)])
            assert all(response.json()["price"] == 123.45 for response in responses)

    run(main())


def test_waiters_are_served_in_order(scripted: Start, run: Run) -> None:
    order: list[str] = []

    def script(connection: Connection) -> None:
        while request := connection.read_request():
            order.append(request.target)
            connection.answer()

    server = scripted(script)

    async def main() -> None:
        async with pabal.AsyncSession(limits=pabal.Limits(max_connections_per_host=1)) as session:
            await asyncio.gather(*[session.get(f"{server.url}/{number}") for number in range(100)])

    run(main())
    assert order == [f"/{number}" for number in range(100)]


def test_the_loop_is_not_blocked(nginx: Nginx, run: Run) -> None:
    async def main() -> None:
        ticks = [0]

        async def tick() -> None:
            while True:
                ticks[0] += 1
                await asyncio.sleep(0)

        ticker = asyncio.ensure_future(tick())
        async with pabal.AsyncSession() as session:
            for _ in range(50):
                await session.get(nginx.url + "/price")
        ticker.cancel()
        assert ticks[0] >= 50

    run(main())


def test_errors_at_the_call(server: ScriptedServer, run: Run) -> None:
    async def main() -> None:
        async with pabal.AsyncSession() as session:
            with pytest.raises(TypeError):
                session.get(server.url, tiemout=3)  # type: ignore[call-arg]
            waiting = session.get(server.url, headers={"a": "b\r\nc: d"})
            with pytest.raises(exceptions.InvalidHeader):
                await waiting
            with pytest.raises(ValueError, match="data= and as json="):
                await session.post(server.url, data={"a": 1}, json={})

    run(main())
    assert server.connections == 0


def test_two_sessions_on_one_loop(nginx: Nginx, run: Run) -> None:
    async def main() -> None:
        async with pabal.AsyncSession() as one, pabal.AsyncSession() as two:
            responses = await asyncio.gather(
                *[session.get(nginx.url + "/price") for _ in range(20) for session in (one, two)]
            )
            assert all(responses)

    run(main())


def test_tasks_that_still_wait_hear_that_the_session_was_closed(scripted: Callable[..., Any]) -> None:
    server = scripted(lambda connection: connection.wait_closed())

    async def main() -> None:
        session = pabal.AsyncSession()
        tasks = [asyncio.create_task(session.get(server.url)) for _ in range(3)]
        await asyncio.sleep(0.05)
        await session.aclose()
        results = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)
        assert [type(each) for each in results] == [exceptions.SessionClosed] * 3

    asyncio.run(main())
