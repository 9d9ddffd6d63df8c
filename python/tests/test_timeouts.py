"""Timeouts: each phase has its own, and the error names it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pabal
import pytest
from pabal import exceptions
from support.scripted import Connection, ScriptedServer

Start = Callable[..., ScriptedServer]

SOON = 0.15


@pytest.fixture
def hung(scripted: Start) -> ScriptedServer:
    """Takes a request and never answers."""

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.wait_closed()

    return scripted(script)


@pytest.fixture
def black_hole() -> Iterator[str]:
    """A listener whose backlog is full: the kernel drops further SYNs."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        filling: list[socket.socket] = []
        for _ in range(4):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
            filling.append(client)
        time.sleep(0.05)
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        for client in filling:
            client.close()


class Case:
    """One phase: what runs out, against which URL, with which options."""

    def __init__(self, kind: type[exceptions.RequestTimeout], url: str, **options: Any) -> None:
        self.kind, self.url, self.options = kind, url, options


@pytest.fixture(params=["connect", "tls", "read", "read pair", "total", "total of connect", "write"])
def case(request: pytest.FixtureRequest, hung: ScriptedServer, black_hole: str, scripted: Start) -> Case:
    def deaf(connection: Connection) -> None:
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        released.wait(5)

    released = threading.Event()
    request.addfinalizer(released.set)
    if request.param == "write":
        server = scripted(deaf)
        return Case(exceptions.WriteTimeout, server.url, timeout=pabal.Timeout(write=SOON), data=bytes(100_000_000))
    cases = {
        "connect": Case(exceptions.ConnectTimeout, f"http://{black_hole}/", timeout=pabal.Timeout(connect=SOON)),
        "tls": Case(exceptions.TLSTimeout, hung.url.replace("http:", "https:"), timeout=pabal.Timeout(tls=SOON)),
        "read": Case(exceptions.ReadTimeout, hung.url, timeout=pabal.Timeout(read=SOON)),
        "read pair": Case(exceptions.ReadTimeout, hung.url, timeout=(5, SOON)),
        "total": Case(exceptions.TotalTimeout, hung.url, timeout=SOON),
        "total of connect": Case(exceptions.TotalTimeout, f"http://{black_hole}/", timeout=SOON),
    }
    return cases[request.param]


def test_the_error_names_the_phase(no_leaks: None, case: Case) -> None:
    begun = time.monotonic()
    with pabal.Session() as session, pytest.raises(exceptions.RequestTimeout) as caught:
        session.request("POST" if "data" in case.options else "GET", case.url, **case.options)
    assert SOON * 0.8 < time.monotonic() - begun < 3
    assert type(caught.value) is case.kind
    assert isinstance(caught.value, TimeoutError)
    assert caught.value.phase in type(caught.value).__name__.lower()
    assert caught.value.url is not None
    assert case.url.rstrip("/") in caught.value.url


def test_the_same_when_awaited(case: Case, run: Callable[[Any], Any]) -> None:
    async def main() -> None:
        async with pabal.AsyncSession() as session:
            with pytest.raises(case.kind):
                await session.request("POST" if "data" in case.options else "GET", case.url, **case.options)

    run(main())


def test_waiting_for_a_connection(hung: ScriptedServer, run: Callable[[Any], Any]) -> None:
    import asyncio

    async def main() -> None:
        async with pabal.AsyncSession(limits=pabal.Limits(max_connections=1)) as session:
            first = asyncio.ensure_future(session.get(hung.url, timeout=2))
            await asyncio.sleep(0.05)
            with pytest.raises(exceptions.PoolTimeout):
                await session.get(hung.url, timeout=pabal.Timeout(pool=SOON))
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first

    run(main())


def dribbling(pause: float) -> Callable[[Connection], None]:
    def script(connection: Connection) -> None:
        while connection.read_request():
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
            for _ in range(10):
                time.sleep(pause)
                connection.send(b"x")

    return script


def test_read_is_the_silence_not_the_whole(scripted: Start) -> None:
    server = scripted(dribbling(0.05))
    assert pabal.get(server.url, timeout=pabal.Timeout(read=0.3)).content == b"x" * 10
    with pytest.raises(exceptions.TotalTimeout):
        pabal.get(server.url, timeout=0.3)


def test_total_ends_with_the_head_of_a_stream(scripted: Start) -> None:
    server = scripted(dribbling(0.05))
    with pabal.stream("GET", server.url, timeout=0.3) as response:
        assert b"".join(response.iter_bytes()) == b"x" * 10
    slow = scripted(dribbling(0.5))
    stream = pabal.stream("GET", slow.url, timeout=pabal.Timeout(read=0.2))
    with stream as response, pytest.raises(exceptions.ReadTimeout):
        list(response.iter_bytes())


def test_the_sessions_timeout_and_the_requests(hung: ScriptedServer) -> None:
    with pabal.Session(timeout=SOON) as session:
        with pytest.raises(exceptions.TotalTimeout):
            session.get(hung.url)
        with pytest.raises(exceptions.ReadTimeout):
            session.get(hung.url, timeout=pabal.Timeout(read=SOON))
        session.timeout = pabal.Timeout(read=SOON)
        with pytest.raises(exceptions.ReadTimeout):
            session.get(hung.url)


def test_thousands_of_timeouts_leave_the_pool_sound(
    no_leaks: None, hung: ScriptedServer, scripted: Start, run: Callable[[Any], Any]
) -> None:
    import asyncio

    def good(connection: Connection) -> None:
        while connection.read_request():
            connection.answer()

    fine = scripted(good)

    async def main() -> None:
        async with pabal.AsyncSession(limits=pabal.Limits(max_connections_per_host=50)) as session:
            for _ in range(3):
                outcomes = await asyncio.gather(
                    *[session.get(hung.url, timeout=0.1) for _ in range(700)], return_exceptions=True
                )
                assert {type(each) for each in outcomes} <= {exceptions.TotalTimeout, exceptions.PoolTimeout}
                assert (await session.get(fine.url)).ok

    run(main())
