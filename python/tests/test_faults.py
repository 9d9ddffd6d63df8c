"""Servers that break the rules: a clear error, nothing lost, nothing leaked, the pool still usable."""

from __future__ import annotations

import asyncio
import gzip
import socket
import threading
import time
import zlib
from collections.abc import Callable
from typing import Any

import pabal
import pytest
from pabal import exceptions
from support.leaks import memory_tells, resident_megabytes
from support.misbehaving import GOOD, chunks, coded, saying
from support.scripted import Connection, ScriptedServer

Start = Callable[..., ScriptedServer]

MALFORMED = {
    "not HTTP": b"SSH-2.0-OpenSSH\r\n\r\n",
    "no version": b"200 OK\r\n\r\n",
    "HTTP/2 in words": b"HTTP/2.0 200 OK\r\n\r\n",
    "HTTP/1.2x": b"HTTP/1.12 200 OK\r\n\r\n",
    "status of two digits": b"HTTP/1.1 20 OK\r\n\r\n",
    "status of four digits": b"HTTP/1.1 2000 OK\r\n\r\n",
    "status with a letter": b"HTTP/1.1 2O0 OK\r\n\r\n",
    "space before the colon": b"HTTP/1.1 200 OK\r\nA : b\r\nContent-Length: 0\r\n\r\n",
    "no colon": b"HTTP/1.1 200 OK\r\nA b\r\nContent-Length: 0\r\n\r\n",
    "empty name": b"HTTP/1.1 200 OK\r\n: b\r\nContent-Length: 0\r\n\r\n",
    "folded line": b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n",
    "leading space": b"HTTP/1.1 200 OK\r\n A: b\r\nContent-Length: 0\r\n\r\n",
    "chunk size is no number": chunks(b"x\r\nab\r\n0\r\n\r\n"),
    "chunk size is negative": chunks(b"-1\r\nab\r\n0\r\n\r\n"),
    "chunk size is empty": chunks(b"\r\nab\r\n0\r\n\r\n"),
    "chunk size with 0x": chunks(b"0x2\r\nab\r\n0\r\n\r\n"),
    "chunk size overflows": chunks(b"fffffffffffffffff\r\nab\r\n0\r\n\r\n"),
    "chunk without its end": chunks(b"2\r\nabc\r\n0\r\n\r\n"),
    "chunk extension without end": chunks(b"2;" + b"a" * 100_000),
    "101 unasked": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
}


@pytest.mark.parametrize("byte_by_byte", [False, True], ids=["whole", "byte by byte"])
@pytest.mark.parametrize("raw", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_responses(raw: bytes, byte_by_byte: bool, no_leaks: None, scripted: Start) -> None:
    if byte_by_byte and len(raw) > 10_000:
        raw = raw[:10_000]
    server = scripted(saying(raw, byte_by_byte))
    with pabal.Session(timeout=10) as session:
        with pytest.raises(exceptions.ProtocolError) as caught:
            session.get(server.url + "/x")
        assert caught.value.whose == "peer"
        assert caught.value.phase == "read"
        assert caught.value.url == server.url + "/x"
        assert session.get(server.url).text == "ok"


OVERSIZED = {
    "status line": b"HTTP/1.1 200 " + b"x" * 1_000_000,
    "one name": b"HTTP/1.1 200 OK\r\n" + b"x" * 1_000_000,
    "one value": b"HTTP/1.1 200 OK\r\nA: " + b"x" * 1_000_000,
    "many fields": b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 100_000,
    "trailers": chunks(b"0\r\n" + b"A: b\r\n" * 100_000),
}


@pytest.mark.parametrize("raw", OVERSIZED.values(), ids=OVERSIZED.keys())
def test_oversized_heads(raw: bytes, scripted: Start) -> None:
    server = scripted(saying(raw))
    with pabal.Session(timeout=10) as session:
        with pytest.raises(exceptions.ProtocolError):
            session.get(server.url)
        assert session.get(server.url).text == "ok"


def test_endless_informational_responses(scripted: Start) -> None:
    server = scripted(saying(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" * 100_000))
    with pabal.Session(timeout=10) as session:
        with pytest.raises(exceptions.PabalError):
            session.get(server.url)
        assert session.get(server.url).text == "ok"


COMPLETE = {
    "with a length": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nA: b\r\n\r\nhello",
    "chunked": chunks(b"3;x=y\r\nhel\r\n", b"2\r\nlo\r\n", b"0\r\nT: u\r\n\r\n"),
    "after a 103": b"HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "gzip": coded("gzip", gzip.compress(b"hello", mtime=0)),
}


@pytest.mark.parametrize("name", COMPLETE)
def test_the_end_comes_at_every_byte(name: str, no_leaks: None, scripted: Start) -> None:
    raw = COMPLETE[name]
    cut = [0]

    def script(connection: Connection) -> None:
        while connection.read_request():
            connection.send(raw[: cut[0]])
            if cut[0] < len(raw):
                return

    def streamed(session: pabal.Session) -> bytes:
        with session.stream("GET", server.url) as response:
            return b"".join(response.iter_bytes())

    server = scripted(script)
    broken = (exceptions.ConnectionClosed, exceptions.IncompleteBody, exceptions.ProtocolError)
    with pabal.Session(timeout=10) as session:
        for cut[0] in range(len(raw)):
            with pytest.raises(broken):
                session.get(server.url, headers={"X-Cut": str(cut[0])})
            with pytest.raises(broken):
                streamed(session)
        cut[0] = len(raw)
        assert session.get(server.url).text == "hello"


@pytest.mark.parametrize("name", COMPLETE)
def test_byte_by_byte_is_the_same_as_whole(name: str, scripted: Start) -> None:
    server = scripted(saying(COMPLETE[name], byte_by_byte=True))
    assert pabal.get(server.url).text == "hello"


def test_a_reset_instead_of_an_answer(scripted: Start) -> None:
    def script(connection: Connection) -> None:
        connection.read_request()
        connection.reset()

    with pytest.raises(exceptions.ConnectionClosed):
        pabal.post(scripted(script).url, data=b"x")


def test_a_reset_within_the_body(scripted: Start) -> None:
    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
        connection.socket.recv(1)

    server = scripted(script)
    with pabal.Session() as session, session.stream("GET", server.url) as response:
        pieces = response.iter_bytes()
        assert next(pieces) == b"abc"


def test_until_the_end_of_the_connection(scripted: Start) -> None:
    server = scripted(saying(b"HTTP/1.1 200 OK\r\n\r\nuntil the end", then_good=False))
    with pabal.Session() as session:
        for _ in range(3):
            assert session.get(server.url).text == "until the end"
    server = scripted(saying(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", then_good=False))
    response = pabal.get(server.url)
    assert (response.http_version, response.text) == ("1.0", "ok")


def test_more_than_was_announced(scripted: Start) -> None:
    """The extra bytes must not become the next response."""
    server = scripted(saying(GOOD + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"))
    with pabal.Session() as session:
        for _ in range(3):
            assert session.get(server.url).text == "ok"


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_bytes_after_what_has_no_body(status: str, scripted: Start) -> None:
    raw = f"HTTP/1.1 {status}\r\nContent-Length: 4\r\n\r\nevil".encode()
    server = scripted(saying(raw))
    with pabal.Session() as session:
        assert session.get(server.url).content == b""
        assert session.get(server.url).text == "ok"


def test_bytes_after_head(scripted: Start) -> None:
    server = scripted(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"))
    with pabal.Session() as session:
        response = session.head(server.url)
        assert (response.content, response.headers["content-length"]) == (b"", "4")
        assert session.get(server.url).text == "ok"


# --- connections that die while idle ----------------------------------------------------------------------------------


def closing_after(count: int, seen: list[str]) -> Callable[[Connection], None]:
    """Serves ``count`` requests on a connection and then closes it without a word."""

    def script(connection: Connection) -> None:
        for _ in range(count):
            request = connection.read_request()
            if request is None:
                return
            seen.append(request.method)
            connection.answer(b"ok")

    return script


def test_a_dead_idle_connection_is_no_error(scripted: Start) -> None:
    seen: list[str] = []
    server = scripted(closing_after(1, seen))
    with pabal.Session() as session:
        for _ in range(20):
            assert session.get(server.url).ok
    assert seen == ["GET"] * 20


def test_a_request_that_may_have_been_done_is_not_repeated(scripted: Start) -> None:
    seen: list[str] = []

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.answer(b"ok")
        request = connection.read_request()
        if request is not None:
            seen.append(request.method)

    server = scripted(script)
    with pabal.Session() as session:
        assert session.get(server.url).ok
        with pytest.raises(exceptions.ConnectionClosed):
            session.post(server.url, data=b"pay")
    assert seen == ["POST"]


def test_a_safe_request_on_a_dying_connection_is_repeated_once(scripted: Start) -> None:
    seen: list[str] = []

    def script(connection: Connection) -> None:
        seen.append("connection")
        connection.read_request()
        connection.answer(b"ok")
        if connection.read_request() is not None:
            seen.append("dropped")

    server = scripted(script)
    with pabal.Session() as session:
        for _ in range(5):
            assert session.get(server.url).ok
    assert seen.count("dropped") == 4


# --- content codings --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(b"hello" * 100)),
        ("x-gzip", gzip.compress(b"hello" * 100)),
        ("gzip", gzip.compress(b"hello" * 50) + gzip.compress(b"hello" * 50)),
        ("deflate", zlib.compress(b"hello" * 100)),
        ("deflate", zlib.compress(b"hello" * 100)[2:-4]),
        ("gzip, deflate", zlib.compress(gzip.compress(b"hello" * 100))),
        ("identity", b"hello" * 100),
        ("GZIP", gzip.compress(b"hello" * 100)),
    ],
)
def test_codings(coding: str, body: bytes, scripted: Start) -> None:
    server = scripted(saying(coded(coding, body), then_good=False))
    assert pabal.get(server.url).content == b"hello" * 100
    with pabal.stream("GET", server.url) as response:
        assert b"".join(response.iter_bytes(7)) == b"hello" * 100


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", b"not gzip at all"),
        ("gzip", gzip.compress(b"hello")[:-5]),
        ("gzip", gzip.compress(b"hello")[:-8] + b"\0" * 8),
        ("deflate", b"\xff" * 20),
        ("br", b"\xff" * 20),
        ("zstd", b"\xff" * 20),
    ],
)
def test_corrupt_codings(coding: str, body: bytes, scripted: Start) -> None:
    server = scripted(saying(coded(coding, body)))
    with pabal.Session() as session:
        with pytest.raises(exceptions.PabalError) as caught:
            session.get(server.url)
        assert isinstance(caught.value, (exceptions.DecodeError, exceptions.IncompleteBody, exceptions.ProtocolError))
        assert session.get(server.url).text == "ok"


@memory_tells
def test_a_bomb_read_in_pieces_takes_little_memory(scripted: Start) -> None:
    bomb = gzip.compress(gzip.compress(bytes(1_000_000_000), 9), 9)
    server = scripted(saying(coded("gzip, gzip", bomb), then_good=False))
    before = resident_megabytes()
    with pabal.stream("GET", server.url) as response:
        for count, piece in enumerate(response.iter_bytes(1_000_000)):
            assert len(piece) == 1_000_000
            if count == 100:
                break
    assert resident_megabytes() - before < 60


def test_a_bomb_asked_for_whole_is_refused(scripted: Start) -> None:
    bomb = gzip.compress(gzip.compress(gzip.compress(bytes(3_000_000_000), 1), 9), 9)
    server = scripted(saying(coded("gzip, gzip, gzip", bomb)))
    before = resident_megabytes()
    with pabal.Session() as session:
        with pytest.raises((exceptions.BodyTooLarge, exceptions.DecodeError)):
            session.get(server.url)
        assert session.get(server.url).text == "ok"
    assert resident_megabytes() - before < 400


# --- no connection ----------------------------------------------------------------------------------------------------


def refused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_refused() -> None:
    with pytest.raises(exceptions.ConnectionRefused) as caught:
        pabal.get(f"http://127.0.0.1:{refused_port()}/")
    assert caught.value.errno
    assert caught.value.phase == "connect"
    assert isinstance(caught.value, ConnectionRefusedError)


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 64 + ".invalid", "-.invalid"])
def test_names_that_do_not_exist(host: str) -> None:
    with pytest.raises((exceptions.ResolveError, exceptions.InvalidURL)):
        pabal.get(f"http://{host}/", timeout=10)


def test_the_same_errors_when_awaited(scripted: Start, run: Callable[[Any], Any]) -> None:
    server = scripted(saying(MALFORMED["folded line"]))

    async def main() -> None:
        async with pabal.AsyncSession() as session:
            with pytest.raises(exceptions.ProtocolError):
                await session.get(server.url)
            with pytest.raises(exceptions.ConnectionRefused):
                await session.get(f"http://127.0.0.1:{refused_port()}/")
            with pytest.raises(ValueError, match="Latin-1"):
                await session.get(server.url, headers={"a": "€"})
            outcomes = await asyncio.gather(
                session.get("nonsense"), session.get(server.url), session.get("http://[::1"), return_exceptions=True
            )
            assert [type(each).__name__ for each in outcomes] == ["InvalidURL", "Response", "InvalidURL"]

    run(main())


# --- idle connections that their servers closed -----------------------------------------------------------------------


class Closing:
    """A server that closes each connection a while after its first response, without a word before."""

    def __init__(self, scripted: Start) -> None:
        self.closed = threading.Event()
        server = scripted(self._serve)
        self.url = server.url
        self.server = server

    def _serve(self, connection: Connection) -> None:
        if connection.read_request():
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            connection.socket.shutdown(socket.SHUT_RDWR)
            self.closed.set()


def test_a_post_is_not_sent_on_an_idle_connection_that_was_closed(scripted: Start) -> None:
    """It could not be sent again. Nobody drives a sync session between its requests."""
    closing = Closing(scripted)
    with pabal.Session() as session:
        for _ in range(5):
            assert session.post(closing.url, content=b"once").text == "ok"
            assert closing.closed.wait(10)
            closing.closed.clear()
    assert closing.server.connections == 5


def test_nor_is_it_by_a_loop_that_was_busy_meanwhile(scripted: Start, run: Callable[[Any], Any]) -> None:
    closing = Closing(scripted)

    async def main() -> None:
        async with pabal.AsyncSession() as session:
            for _ in range(5):
                assert (await session.post(closing.url, content=b"once")).text == "ok"
                assert closing.closed.wait(10)  # the loop stands still
                time.sleep(0.005)
                closing.closed.clear()

    run(main())
    assert closing.server.connections == 5
