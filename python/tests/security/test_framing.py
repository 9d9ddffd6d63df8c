"""Framing: whoever is unsure where a message ends must not guess. In both roles, whole and byte by byte."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pabal
import pytest
from support.misbehaving import GOOD, chunks, saying
from support.scripted import Connection, ScriptedServer

from security.conftest import RefuseRequest, RefuseResponse, exchanged

Start = Callable[..., ScriptedServer]
variants = pytest.mark.parametrize

RESPONSE = b"HTTP/1.1 200 OK\r\n"
POST = b"POST /echo HTTP/1.1\r\nHost: a\r\n"

#: Fields that leave it open where the body ends.
AMBIGUOUS = {
    "length and chunked": b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
    "chunked and length": b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n",
    "two lengths": b"Content-Length: 2\r\nContent-Length: 3\r\n",
    "two lengths in one field": b"Content-Length: 2, 3\r\n",
    "xchunked": b"Transfer-Encoding: xchunked\r\n",
    "chunked with a tab before it": b"Transfer-Encoding:\x0bchunked\r\n",
    "chunked twice": b"Transfer-Encoding: chunked, chunked\r\n",
    "chunked twice in two fields": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
}
#: A response whose last coding is not chunked lasts until the end (RFC 9112 section 6.3); a request cannot.
AMBIGUOUS_REQUESTS = {**AMBIGUOUS, "chunked in the middle": b"Transfer-Encoding: chunked, gzip\r\n"}
LENGTHS = {
    "plus": b"+2",
    "minus": b"-2",
    "underscore": b"1_0",
    "unicode digit": "٢".encode(),
    "superscript": "²".encode("latin-1"),
    "hexadecimal": b"0x2",
    "empty": b"",
    "fraction": b"2.0",
    "exponent": b"2e0",
    "inner space": b"2 2",
}
TOO_LARGE = b"99999999999999999999999"
CONTROLS = {"CR": b"\r", "LF folded": b"\n ", "NUL": b"\0", "bell": b"\x07", "DEL": b"\x7f"}
CHUNKED_BADLY = {
    "line ends in LF": b"2\nab\r\n0\r\n\r\n",
    "extension with LF": b"2;a\nb\r\nab\r\n0\r\n\r\n",
    "extension with CR": b"2;a\rb\r\nab\r\n0\r\n\r\n",
    "extension with NUL": b"2;a=\0\r\nab\r\n0\r\n\r\n",
    "size with plus": b"+2\r\nab\r\n0\r\n\r\n",
    "size with underscore": b"0_2\r\nab\r\n0\r\n\r\n",
    "space before the size": b" 2\r\nab\r\n0\r\n\r\n",
    "data longer than its size": b"2\r\nabc\r\n0\r\n\r\n",
    "trailer without colon": b"2\r\nab\r\n0\r\nnocolon\r\n\r\n",
    "trailer with NUL": b"2\r\nab\r\n0\r\nA: \0\r\n\r\n",
    "trailer that ends in LF": b"2\r\nab\r\n0\r\nA: b\n\r\n",
    "folded trailer": b"2\r\nab\r\n0\r\nA: b\r\n c\r\n\r\n",
}


def each(cases: dict[str, bytes]) -> Any:
    return variants("bad", cases.values(), ids=cases.keys())


@each(AMBIGUOUS)
def test_content_length_with_transfer_encoding_or_differing_lengths_is_refused(
    bad: bytes, refuse_response: RefuseResponse
) -> None:
    refuse_response(RESPONSE + bad + b"\r\n0\r\n\r\n")


@each(AMBIGUOUS_REQUESTS)
def test_a_request_with_transfer_encoding_and_length_or_differing_lengths_is_a_400(
    bad: bytes, refuse_request: RefuseRequest
) -> None:
    refuse_request(POST + bad + b"\r\n0\r\n\r\n")


@each({**LENGTHS, "beyond 64 bits": TOO_LARGE})
def test_content_length_with_plus_minus_underscore_or_unicode_digit_is_refused(
    bad: bytes, refuse_response: RefuseResponse
) -> None:
    refuse_response(RESPONSE + b"Content-Length: " + bad + b"\r\n\r\n0123456789")


@each(LENGTHS)
def test_a_request_whose_length_is_no_number_is_a_400(bad: bytes, refuse_request: RefuseRequest) -> None:
    refuse_request(POST + b"Content-Length: " + bad + b"\r\n\r\n")


def test_a_request_whose_length_is_beyond_64_bits_is_a_413(embedded: int, by_byte: bool) -> None:
    said = exchanged(embedded, POST + b"Content-Length: " + TOO_LARGE + b"\r\n\r\nGET / HTTP/1.1\r\n\r\n", by_byte)
    assert said.startswith(b"HTTP/1.1 413 ") and said.count(b"HTTP/1.1") == 1


@each(CONTROLS)
@variants("where", ["value", "name", "reason"])
def test_control_characters_in_a_response_head_are_refused(
    where: str, bad: bytes, refuse_response: RefuseResponse
) -> None:
    head = {
        "value": RESPONSE + b"A: b" + bad + b"c\r\n",
        "name": RESPONSE + b"A" + bad + b": b\r\n",
        "reason": b"HTTP/1.1 200 O" + bad + b"K\r\n",
    }[where]
    refuse_response(head + b"Content-Length: 0\r\n\r\n")


@each(CONTROLS)
@variants("where", ["value", "name", "target", "method"])
def test_control_characters_in_a_request_head_are_a_400(where: str, bad: bytes, refuse_request: RefuseRequest) -> None:
    refuse_request(
        {
            "value": b"GET / HTTP/1.1\r\nHost: a\r\nA: b" + bad + b"c\r\n\r\n",
            "name": b"GET / HTTP/1.1\r\nHost: a\r\nA" + bad + b": b\r\n\r\n",
            "target": b"GET /a" + bad + b"b HTTP/1.1\r\nHost: a\r\n\r\n",
            "method": b"GE" + bad + b"T / HTTP/1.1\r\nHost: a\r\n\r\n",
        }[where]
    )


@each(CHUNKED_BADLY)
def test_malformed_chunks_extensions_and_trailers_of_a_response_are_refused(
    bad: bytes, refuse_response: RefuseResponse
) -> None:
    refuse_response(chunks(bad))


@each(CHUNKED_BADLY)
def test_malformed_chunks_extensions_and_trailers_of_a_request_are_a_400(
    bad: bytes, refuse_request: RefuseRequest
) -> None:
    refuse_request(POST + b"Transfer-Encoding: chunked\r\n\r\n" + bad)


@variants(
    "head",
    [
        b"Host: a\r\nHost: b\r\n",
        b"Host: a\r\nHost: a\r\n",
        b"",
        b"Host: a/b?c#\r\n",
        b"Host: a@b\r\n",
        b"Host: a b\r\n",
        b"Host: a:x\r\n",
        b"Host: a, b\r\n",
        b"Host: [::1\r\n",
    ],
)
def test_two_hosts_no_host_or_a_bad_host_is_a_400(head: bytes, refuse_request: RefuseRequest) -> None:
    refuse_request(b"GET / HTTP/1.1\r\n" + head + b"\r\n")


@variants(
    "raw",
    [
        b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        b"HTTP/1.1 200 OK\r\nA: b\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1\t200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_bare_line_feeds_and_lenient_separators_in_a_response_are_refused(
    raw: bytes, refuse_response: RefuseResponse
) -> None:
    refuse_response(raw)


@variants(
    "raw",
    [
        b"GET / HTTP/1.1\nHost: a\n\n",
        b"GET / HTTP/1.1\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\nA: b\r\n\r\n",
        b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
        b"GET /\x0bHTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET / HTTP/1.12\r\nHost: a\r\n\r\n",
    ],
)
def test_bare_line_feeds_and_lenient_separators_in_a_request_are_a_400(
    raw: bytes, refuse_request: RefuseRequest
) -> None:
    said = refuse_request(raw)
    assert b"Host" not in said, "nothing of the request is said back"


@variants("status", ["204 No Content", "304 Not Modified", "200 OK"])
def test_bytes_after_a_response_without_content_do_not_reach_the_next_request(
    status: str, by_byte: bool, scripted: Start
) -> None:
    """To HEAD, or with a status that has none (RFC 9112 section 6.3). They may come much later than the head."""
    evil = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
    said_all = threading.Event()
    say = saying(f"HTTP/1.1 {status}\r\n".encode() + b"Content-Length: 45\r\n\r\n" + evil, by_byte)

    def script(connection: Connection) -> None:
        try:
            say(connection)  # or as much as the client lets it
        finally:
            said_all.set()
        connection.wait_closed()

    server = scripted(script)
    with pabal.Session(timeout=20) as session:
        assert session.head(server.url).content == b""
        assert said_all.wait(20)
        assert session.get(server.url).text == "ok"
    assert server.connections == 2


def test_an_unknown_upgrade_of_a_request_is_ignored(embedded: int, by_byte: bool) -> None:
    raw = POST + b"Connection: upgrade, close\r\nUpgrade: notupgrade\r\nContent-Length: 2\r\n\r\nhi"
    said = exchanged(embedded, raw, by_byte)
    assert said.startswith(b"HTTP/1.1 200 ") and said.endswith(b"\r\n\r\nhi")


def test_an_upgrade_that_the_server_declines_is_an_ordinary_exchange(scripted: Start) -> None:
    def script(connection: Connection) -> None:
        while connection.read_request():
            connection.send(GOOD)

    server = scripted(script)
    headers = {"Connection": "upgrade", "Upgrade": "notupgrade"}
    with pabal.Session() as session:
        assert session.post(server.url, headers=headers, data=b"body").text == "ok"
        assert session.get(server.url).text == "ok"


def test_a_switch_of_protocols_that_nobody_asked_for_is_refused(refuse_response: RefuseResponse) -> None:
    refuse_response(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")


@variants("method", ["GET\r\nX: y", "G T", "GET ", "", "G\0T", "GÉT"])
def test_a_method_with_line_breaks_is_refused_before_anything_is_sent(method: str, scripted: Start) -> None:
    server = scripted(saying(GOOD))

    async def main() -> None:
        async with pabal.AsyncSession() as session:
            await session.request(method, server.url)

    with pabal.Session() as session, pytest.raises(ValueError, match="method"):
        session.request(method, server.url)
    with pytest.raises(ValueError, match="method"):
        asyncio.run(main())
    assert server.connections == 0


@variants("value", ["a\r\nX: y", "a\nb", "a\rb", "a\0b", "\x7f"])
@variants("where", ["name", "value", "cookie", "target"])
def test_headers_cookies_and_targets_with_line_breaks_are_never_sent(where: str, value: str, scripted: Start) -> None:
    server = scripted(saying(GOOD))
    given: dict[str, Any] = {
        "name": {"headers": {value: "x"}},
        "value": {"headers": {"X": value}},
        "cookie": {"cookies": {"a": value}},
        "target": {},
    }[where]
    url = server.url + ("/" + value if where == "target" else "")
    with pabal.Session() as session, pytest.raises(ValueError):
        session.get(url, **given)
    assert server.connections == 0


@variants("bad", ["a\r\nX: y", "a\nb", "a\rb", "a\0b"])
@variants("where", ["name", "filename", "type", "header"])
def test_multipart_names_types_and_headers_with_line_breaks_are_refused(where: str, bad: str, scripted: Start) -> None:
    server = scripted(saying(GOOD))
    files: dict[str, Any] = {
        "name": {bad: b"x"},
        "filename": {"f": (bad, b"x")},
        "type": {"f": ("n", b"x", bad)},
        "header": {"f": ("n", b"x", "text/plain", {"X": bad})},
    }[where]
    with pabal.Session() as session, pytest.raises(ValueError, match="control character"):
        session.post(server.url, files=files)
    assert server.connections == 0
