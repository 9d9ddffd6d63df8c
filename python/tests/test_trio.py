"""The same session under trio."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from typing import Any

import pabal
import pytest
import trio
from pabal import exceptions
from support.nginx import Nginx
from support.scripted import Connection, ScriptedServer

Start = Callable[..., ScriptedServer]


def test_awaiting(nginx: Nginx, no_leaks: None) -> None:
    async def main() -> None:
        async with pabal.AsyncSession() as session:
            assert (await session.get(nginx.url + "/price")).json()["price"] == 123.45
            async with session.get(nginx.url + "/price") as response:
                assert response.ok
            with pytest.raises(exceptions.ConnectionRefused):
                await session.get("http://127.0.0.1:1/")
            with pytest.raises(exceptions.InvalidURL):
                await session.get("nonsense")

    for _ in range(3):
        trio.run(main)


def test_many_at_once(nginx: Nginx, ca_file: str) -> None:
    async def main() -> None:
        prices: list[float] = []
        async with pabal.AsyncSession(verify=ca_file, limits=pabal.Limits(max_connections_per_host=20)) as session:

            async def one(url: str) -> None:
                prices.append((await session.get(url)).json()["price"])

            async with trio.open_nursery() as nursery:
                for number in range(200):
                    nursery.start_soon(one, (nginx.tls_url if number % 4 == 0 else nginx.url) + "/price")
        assert prices == [123.45] * 200

    trio.run(main)


def test_streams(nginx: Nginx) -> None:
    data = bytes(range(256)) * 10_000
    (nginx.www / "trio.bin").write_bytes(data)

    async def main() -> None:
        async with pabal.AsyncSession() as session:
            async with session.stream("GET", nginx.url + "/trio.bin") as response:
                whole = b""
                async for piece in response.aiter_bytes():
                    whole += piece
                assert whole == data
            async with session.stream("GET", nginx.url + "/trio.bin") as response:
                assert await response.aread() == data

    trio.run(main)


def test_async_bodies(scripted: Start) -> None:
    def script(connection: Connection) -> None:
        while request := connection.read_request():
            connection.answer(request.body)

    server = scripted(script)

    async def pieces() -> AsyncIterator[bytes]:
        for number in range(20):
            await trio.sleep(0.001)
            yield b"%d," % number

    async def main() -> None:
        async with pabal.AsyncSession() as session:
            response = await session.post(server.url, content=pieces())
            assert response.content == b"".join(b"%d," % number for number in range(20))

    trio.run(main)


def test_cancelling(nginx: Nginx, no_leaks: None, scripted: Start) -> None:
    def script(connection: Connection) -> None:
        connection.read_request()
        connection.wait_closed()

    server = scripted(script)

    async def main() -> None:
        async with pabal.AsyncSession() as session:
            with trio.move_on_after(0.05) as scope:
                await session.get(server.url)
            assert scope.cancelled_caught
            with pytest.raises(trio.TooSlowError):
                with trio.fail_after(0.05):
                    async with session.stream("GET", server.url):
                        pass
            with pytest.raises(exceptions.TotalTimeout):
                await session.get(server.url, timeout=0.05)
            generator = random.Random(3)

            async def one() -> None:
                with trio.move_on_after(generator.random() * 0.02):
                    await session.get(generator.choice([server.url, nginx.url + "/price"]))

            async with trio.open_nursery() as nursery:
                for _ in range(200):
                    nursery.start_soon(one)
            assert (await session.get(nginx.url + "/price")).ok

    trio.run(main)


def test_a_cancelled_scope_starts_nothing(scripted: Start) -> None:
    server = scripted(lambda connection: None)

    async def main() -> None:
        async with pabal.AsyncSession() as session:
            with trio.CancelScope() as scope:
                scope.cancel()
                await session.get(server.url)
        assert scope.cancelled_caught

    trio.run(main)
    assert server.connections == 0


def test_asyncio_afterwards(nginx: Nginx) -> None:
    import asyncio

    session = pabal.AsyncSession()

    async def main(*_: Any) -> None:
        assert (await session.get(nginx.url + "/price")).ok

    trio.run(main)
    asyncio.run(main())
    trio.run(main)
