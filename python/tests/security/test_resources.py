"""Resources: what a peer can make us hold, read or do is bounded."""

from __future__ import annotations

import gzip
import socket
import time
from collections.abc import Callable

import pabal
import pytest
from pabal import exceptions
from support.leaks import memory_tells, resident_megabytes
from support.misbehaving import chunks, coded, saying
from support.scripted import Connection, Received, ScriptedServer

from security.conftest import RefuseResponse, exchanged

Start = Callable[..., ScriptedServer]
GET = b"GET /echo HTTP/1.1\r\nHost: a\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        GET + b"A: b\r\n" * 100_000 + b"\r\n",
        GET + b"A: " + b"x" * 1_000_000 + b"\r\n\r\n",
        GET + b"x" * 1_000_000 + b": b\r\n\r\n",
    ],
    ids=["many fields", "a long value", "a long name"],
)
def test_endless_headers_of_a_request_are_a_431(raw: bytes, embedded: int) -> None:
    said = exchanged(embedded, raw)
    assert said.startswith(b"HTTP/1.1 431 ") and said.count(b"HTTP/1.1") == 1


def test_an_endless_target_is_a_414(embedded: int) -> None:
    assert exchanged(embedded, b"GET /" + b"x" * 1_000_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n").startswith(
        b"HTTP/1.1 414 "
    )


def test_endless_trailers_of_a_request_are_refused(embedded: int) -> None:
    raw = GET.replace(b"GET", b"POST") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"A: b\r\n" * 100_000 + b"\r\n"
    assert exchanged(embedded, raw).split(b" ")[1] in (b"400", b"413", b"431")


def test_an_oversized_line_in_tiny_segments_is_counted_as_a_whole(scripted: Start, embedded: int) -> None:
    def dribbling(connection: Connection) -> None:
        connection.read_request()
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.send(b"HTTP/1.1 200 OK\r\nA: ")
        for _ in range(20_000):
            connection.send(b"1234567")

    with pytest.raises(exceptions.ProtocolError):
        pabal.get(scripted(dribbling).url, timeout=60)
    with socket.create_connection(("127.0.0.1", embedded), timeout=20) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.sendall(GET + b"A: ")
        with pytest.raises(ConnectionError):
            for _ in range(2_000_000):
                client.sendall(b"1234567")


@memory_tells
def test_a_flood_of_pipelined_requests_is_not_read_ahead(embedded: int) -> None:
    """The client reads nothing: sooner or later nothing more is taken from it."""
    before = resident_megabytes()
    flood = (GET + b"\r\n") * 1000
    with socket.create_connection(("127.0.0.1", embedded), timeout=1) as client:
        with pytest.raises(TimeoutError):
            for _ in range(100_000):
                client.sendall(flood)
        assert resident_megabytes() - before < 60
        assert exchanged(embedded, GET + b"Connection: close\r\n\r\n").startswith(b"HTTP/1.1 200 ")


def test_a_million_chunks_of_one_byte_cost_linear_time(scripted: Start) -> None:
    def took(count: int) -> float:
        server = scripted(saying(chunks(b"1\r\nx\r\n" * count, b"0\r\n\r\n")))
        with pabal.Session(timeout=100) as session:
            started = time.process_time()
            assert len(session.get(server.url).content) == count
            return time.process_time() - started

    few = max(took(50_000), 0.01)
    assert took(1_000_000) < few * 20 * 4, "twenty times the chunks, at most four times as dear"


@pytest.mark.parametrize("count", [6, 1000])
def test_too_many_content_codings_are_refused(count: int, scripted: Start) -> None:
    server = scripted(saying(coded(", ".join(["gzip"] * count), b"x")))
    with pabal.Session() as session:
        with pytest.raises(exceptions.DecodeError):
            session.get(server.url)
        assert session.get(server.url).text == "ok"


def test_thousands_of_gzip_members_are_refused(scripted: Start) -> None:
    """Hundreds are a file that was compressed in blocks."""
    end = gzip.compress(b"end")
    assert pabal.get(scripted(saying(coded("gzip", gzip.compress(b"") * 1000 + end))).url).text == "end"
    server = scripted(saying(coded("gzip", gzip.compress(b"") * 100_000 + end)))
    with pabal.Session() as session:
        with pytest.raises(exceptions.DecodeError, match="too many members"):
            session.get(server.url)
        assert session.get(server.url).text == "ok"


def test_a_bomb_in_a_redirect_is_not_decoded(scripted: Start) -> None:
    bomb = gzip.compress(bytes(100_000_000), 9)
    requests: list[Received] = []

    def script(connection: Connection) -> None:
        while request := connection.read_request():
            requests.append(request)
            if request.target == "/end":
                connection.answer(b"ok")
            else:
                connection.answer(bomb, "302 Found", "Location: /end", "Content-Encoding: gzip")

    before = resident_megabytes()
    assert pabal.get(scripted(script).url).text == "ok"
    assert resident_megabytes() - before < 60


def test_a_response_that_cannot_even_be_described_is_an_error_and_no_crash(refuse_response: RefuseResponse) -> None:
    refuse_response(b"\xff\xfe\x00%s%n{}" + bytes(range(128, 256)) + b"\r\n\r\n")


@pytest.mark.parametrize("host", [b"", b"Host: a\r\n"])
def test_http_1_0_without_host_is_answered_at_once(host: bytes, embedded: int) -> None:
    """Nobody is looked up for it."""
    started = time.monotonic()
    assert exchanged(embedded, b"GET /price HTTP/1.0\r\n" + host + b"\r\n").split(b" ")[1] == b"200"
    assert time.monotonic() - started < 5


def test_retry_after_for_ever_is_capped(scripted: Start) -> None:
    def script(connection: Connection) -> None:
        while connection.read_request():
            connection.answer(b"", "503 Busy", "Retry-After: 99999999")

    policy = pabal.Retry(1, retry_after_cap=0.01)
    started = time.monotonic()
    assert pabal.get(scripted(script).url, retries=policy).status_code == 503
    assert time.monotonic() - started < 10


def test_resets_between_requests_leave_nothing(no_leaks: None, scripted: Start, embedded: int) -> None:
    def script(connection: Connection) -> None:
        connection.read_request()
        connection.answer(b"ok")
        connection.reset()

    server = scripted(script)
    with pabal.Session() as session:
        for _ in range(200):
            assert session.get(server.url).ok
    for _ in range(200):
        with socket.create_connection(("127.0.0.1", embedded), timeout=20) as client:
            client.sendall(GET + b"\r\n")
            assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
            Connection(client).reset()
    assert exchanged(embedded, GET + b"Connection: close\r\n\r\n").startswith(b"HTTP/1.1 200 ")
