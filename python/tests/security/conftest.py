"""What the tests of bad input share: an exchange that must be refused, by either role."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator

import pabal
import pytest
from pabal import exceptions
from pabal._engine import DemoServer
from support.misbehaving import saying
from support.scripted import ScriptedServer

Start = Callable[..., ScriptedServer]
#: Refuses a response: given its bytes.
RefuseResponse = Callable[[bytes], None]
#: Refuses a request: given its bytes; returns what the server said.
RefuseRequest = Callable[[bytes], bytes]


@pytest.fixture(params=["whole", "byte by byte"])
def by_byte(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "byte by byte")


@pytest.fixture
def refuse_response(no_leaks: None, scripted: Start, by_byte: bool) -> RefuseResponse:
    """A response that is the server's fault, to a sync and an async session; the next request is served."""

    def told(error: exceptions.PabalError, url: str) -> None:
        assert isinstance(error, exceptions.ProtocolError)
        assert (error.whose, error.phase, error.url) == ("peer", "read", url)

    def refuse(raw: bytes) -> None:
        server = scripted(saying(raw, by_byte))
        with pabal.Session(timeout=20) as session:
            with pytest.raises(exceptions.PabalError) as caught:
                session.get(server.url + "/x")
            told(caught.value, server.url + "/x")
            assert session.get(server.url).text == "ok"
        other = scripted(saying(raw, by_byte))

        async def main() -> None:
            async with pabal.AsyncSession(timeout=20) as asynchronous:
                with pytest.raises(exceptions.PabalError) as caught:
                    await asynchronous.get(other.url + "/x")
                told(caught.value, other.url + "/x")
                assert (await asynchronous.get(other.url)).text == "ok"

        asyncio.run(main())

    return refuse


@pytest.fixture
def embedded() -> Iterator[int]:
    """The port of pabal's own server."""
    server = DemoServer(tls=False)
    yield server.port
    server.stop()


def exchanged(port: int, raw: bytes, by_byte: bool = False) -> bytes:
    """What a server on this machine says to these bytes until it closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        said = b""
        try:
            for piece in (raw[at : at + 1] for at in range(len(raw))) if by_byte else (raw,):
                client.sendall(piece)
        except ConnectionError:
            pass  # it has heard enough
        try:
            while piece := client.recv(65536):
                said += piece
        except ConnectionError:
            pass
        return said


@pytest.fixture
def refuse_request(embedded: int, by_byte: bool) -> RefuseRequest:
    """A request that is the client's fault: one 400 and the end of the connection; others are served."""

    def refuse(raw: bytes) -> bytes:
        said = exchanged(embedded, raw + b"GET /smuggled-secret HTTP/1.1\r\nHost: a\r\n\r\n", by_byte)
        assert said.startswith(b"HTTP/1.1 400 "), said
        assert said.count(b"HTTP/1.1 ") == 1, "nothing behind it is taken for a request"
        assert b"smuggled-secret" not in said
        good = exchanged(embedded, b"GET /price HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert good.startswith(b"HTTP/1.1 200 ")
        return said

    return refuse
