"""Servers that break HTTP/3 (aioquic, made to): a response or one named error, and the session goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pabal
import pytest
import trustme
from aioquic.buffer import encode_uint_var
from aioquic.h3.connection import encode_frame
from support.http3 import QUOTE, Http3Server, Request, answer

Run = Callable[[Any], Any]
Break = Callable[[Request], None]

DATA, HEADERS, CANCEL_PUSH, SETTINGS, PUSH_PROMISE, GOAWAY, MAX_PUSH_ID = 0, 1, 3, 4, 5, 7, 13
EARLY_HINTS = (b":status", b"103")
OK = (b":status", b"200")


def integer(value: int, prefix: int, first: int) -> bytes:
    """RFC 7541 section 5.1."""
    most = (1 << prefix) - 1
    if value < most:
        return bytes([first | value])
    out, value = [first | most], value - most
    while value >= 128:
        out.append(value % 128 | 128)
        value //= 128
    return bytes([*out, value])


def section(*lines: tuple[bytes, bytes]) -> bytes:
    """Field lines as literals, without Huffman's code and without a table (RFC 9204 section 4.5.6)."""
    return b"\0\0" + b"".join(
        integer(len(name), 3, 0x20) + name + integer(len(value), 7, 0) + value for name, value in lines
    )


def head(*lines: tuple[bytes, bytes]) -> bytes:
    return encode_frame(HEADERS, section(*lines))


def data(body: bytes) -> bytes:
    return encode_frame(DATA, body)


def says(*pieces: bytes, ends: bool = True) -> Break:
    return lambda request: request.raw(b"".join(pieces), ends)


def with_length(value: bytes, body: bytes) -> Break:
    return says(head(OK, (b"content-length", value)), data(body))


#: The response is malformed: its stream ends, and nothing else does (RFC 9114 section 4.1.2).
MESSAGES: dict[str, Break] = {
    "no status": says(head((b"server", b"x"))),
    "two statuses": says(head(OK, OK)),
    "status after a field": says(head((b"server", b"x"), OK)),
    "status in words": says(head((b":status", b"fine"))),
    "status of two digits": says(head((b":status", b"99"))),
    "status of four digits": says(head((b":status", b"2000"))),
    "a request's pseudo field": says(head(OK, (b":path", b"/"))),
    "an unknown pseudo field": says(head(OK, (b":reason", b"OK"))),
    "a name in capitals": says(head(OK, (b"Server", b"x"))),
    "connection": says(head(OK, (b"connection", b"close"))),
    "transfer-encoding": says(head(OK, (b"transfer-encoding", b"chunked"))),
    "switching protocols": says(head((b":status", b"101"))),
    "a status in trailers": says(head(OK), data(b"x"), head(OK)),
    "less than announced": with_length(b"3", b"xx"),
    "more than announced": with_length(b"1", b"xx"),
    "nothing of what was announced": says(head(OK, (b"content-length", b"1"))),
    "a length in words": with_length(b"two", b"xx"),
    "a negative length": with_length(b"-2", b"xx"),
    "two lengths": says(head(OK, (b"content-length", b"2"), (b"content-length", b"3")), data(b"xx")),
    "an end after 103": says(head(EARLY_HINTS)),
    "33 informational responses": says(*[head(EARLY_HINTS)] * 33, head(OK)),
}

#: The connection cannot go on (RFC 9114 section 8): what breaks it, and the name of the error that the server is told.
CONNECTIONS: dict[str, tuple[Break, str]] = {
    "an end before anything": (says(b""), "H3_FRAME_UNEXPECTED"),
    "content before the head": (says(data(b"x")), "H3_FRAME_UNEXPECTED"),
    "a head after the trailers": (says(head(OK), head((b"a", b"b")), head((b"a", b"b"))), "H3_FRAME_UNEXPECTED"),
    "content after the trailers": (says(head(OK), head((b"a", b"b")), data(b"x")), "H3_FRAME_UNEXPECTED"),
    "SETTINGS on a request": (says(encode_frame(SETTINGS, b"")), "H3_FRAME_UNEXPECTED"),
    "GOAWAY on a request": (says(encode_frame(GOAWAY, b"\0")), "H3_FRAME_UNEXPECTED"),
    "MAX_PUSH_ID on a request": (says(encode_frame(MAX_PUSH_ID, b"\0")), "H3_FRAME_UNEXPECTED"),
    "CANCEL_PUSH on a request": (says(encode_frame(CANCEL_PUSH, b"\0")), "H3_FRAME_UNEXPECTED"),
    "a push that nobody allowed": (says(encode_frame(PUSH_PROMISE, b"\0" + section(OK))), "H3_"),
    "a frame of HTTP/2": (says(encode_frame(2, b"\0" * 5)), "H3_FRAME_UNEXPECTED"),
    "half a frame": (says(head(OK), data(b"xxxx")[:-1]), "H3_FRAME_ERROR"),
    "an entry that does not exist": (says(encode_frame(HEADERS, b"\0\0\x80")), "QPACK_DECOMPRESSION_FAILED"),
    "an entry of the table beyond its end": (
        says(encode_frame(HEADERS, b"\0\0" + integer(200, 6, 0xC0))),
        "QPACK_DECOMPRESSION_FAILED",
    ),
    "entries that never come": (says(encode_frame(HEADERS, b"\x05\0\x80")), "QPACK_DECOMPRESSION_FAILED"),
    "half a field line": (says(encode_frame(HEADERS, b"\0\0\x27")), "QPACK_DECOMPRESSION_FAILED"),
    "an integer without end": (
        says(encode_frame(HEADERS, b"\0\0\xff" + b"\xff" * 20)),
        "QPACK_DECOMPRESSION_FAILED",
    ),
    "second SETTINGS": (lambda request: request.control(encode_frame(SETTINGS, b"")), "H3_FRAME_UNEXPECTED"),
    "content on the control stream": (lambda request: request.control(data(b"x")), "H3_FRAME_UNEXPECTED"),
    "a head on the control stream": (lambda request: request.control(head(OK)), "H3_FRAME_UNEXPECTED"),
    "MAX_PUSH_ID from a server": (
        lambda request: request.control(encode_frame(MAX_PUSH_ID, b"\0")),
        "H3_FRAME_UNEXPECTED",
    ),
    "GOAWAY for a stream of the server's": (
        lambda request: request.control(encode_frame(GOAWAY, encode_uint_var(1))),
        "H3_ID_ERROR",
    ),
    "GOAWAY that takes more than the one before": (
        lambda request: request.control(
            encode_frame(GOAWAY, encode_uint_var(400)) + encode_frame(GOAWAY, encode_uint_var(800))
        ),
        "H3_ID_ERROR",
    ),
    "GOAWAY without a stream": (lambda request: request.control(encode_frame(GOAWAY, b"")), "H3_FRAME_ERROR"),
    "an end of the control stream": (
        lambda request: request.control(b"", ends=True),
        "H3_CLOSED_CRITICAL_STREAM",
    ),
    "an end of the encoder's stream": (
        lambda request: request.encoder(b"", ends=True),
        "H3_CLOSED_CRITICAL_STREAM",
    ),
    "an end of the decoder's stream": (
        lambda request: request.decoder(b"", ends=True),
        "H3_CLOSED_CRITICAL_STREAM",
    ),
    "a second control stream": (lambda request: request.open(b"\0"), "H3_STREAM_CREATION_ERROR"),
    "a push stream": (lambda request: request.open(b"\1\0"), "H3_"),
    "a table larger than allowed": (
        lambda request: request.encoder(integer(1_000_000, 5, 0x20)),
        "QPACK_ENCODER_STREAM_ERROR",
    ),
    "a copy of an entry that does not exist": (
        lambda request: request.encoder(integer(9, 5, 0)),
        "QPACK_ENCODER_STREAM_ERROR",
    ),
    "thanks for a section that was not sent": (
        lambda request: request.decoder(integer(400, 7, 0x80)),
        "QPACK_DECODER_STREAM_ERROR",
    ),
    "an entry more than were sent": (
        lambda request: request.decoder(integer(5, 6, 0)),
        "QPACK_DECODER_STREAM_ERROR",
    ),
}

#: Fields that cannot be: they are passed over.
PASSED_OVER = {
    "a name with a space": (b"ser ver", b"x"),
    "a value with NUL": (b"server", b"a\0b"),
    "a value with a line break": (b"server", b"a\r\nb: c"),
}

#: More than anybody needs.
EXCESSIVE: dict[str, Break] = {
    "300 fields": says(head(OK, *((b"x", b"y") for _ in range(300))), data(QUOTE)),
    "300 trailers": says(head(OK), data(QUOTE), head(*((b"x", b"y") for _ in range(300)))),
}

#: Likewise, and QPACK gives up over it.
ENDLESS: dict[str, Break] = {
    "a value of 100 kB": says(head(OK, (b"x", b"y" * 100_000)), data(QUOTE)),
    "a name of 100 kB": says(head(OK, (b"x" * 100_000, b"y")), data(QUOTE)),
}

#: Odd, and allowed.
ALLOWED: dict[str, Break] = {
    "a frame that nobody knows": says(encode_frame(0x21, b"x" * 1000), head(OK), encode_frame(0x40, b""), data(QUOTE)),
    "a stream that nobody knows": lambda request: (
        request.open(encode_uint_var(0x21) + b"x" * 1000),
        request.raw(head(OK) + data(QUOTE)),
    )[-1],
    "content in crumbs": says(head(OK), *(data(bytes([byte])) for byte in QUOTE)),
    "frames without content": says(head(OK), *[data(b"")] * 200, data(QUOTE)),
    "a length and trailers": says(
        head(OK, (b"content-length", str(len(QUOTE)).encode())), data(QUOTE), head((b"a", b"b"))
    ),
    "no reason to go on sending": lambda request: (request.stop(0x100), request.raw(head(OK) + data(QUOTE)))[-1],
    "unknown settings frame type on the control stream": lambda request: (
        request.control(encode_frame(0x21, b"x" * 100)),
        request.raw(head(OK) + data(QUOTE)),
    )[-1],
    "ever smaller GOAWAYs": lambda request: (
        request.control(encode_frame(GOAWAY, encode_uint_var(400)) + encode_frame(GOAWAY, encode_uint_var(200))),
        request.raw(head(OK) + data(QUOTE)),
    )[-1],
}


@pytest.fixture(scope="module")
def server(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Http3Server]:
    """Breaks what the query names; answers everything else."""

    def misbehave(request: Request) -> None:
        name = request.query.replace("%20", " ").replace("%27", "'")
        if name in MESSAGES:
            MESSAGES[name](request)
        elif name in CONNECTIONS:
            CONNECTIONS[name][0](request)
        elif name in EXCESSIVE | ENDLESS:
            (EXCESSIVE | ENDLESS)[name](request)
        elif name in PASSED_OVER:
            request.raw(head(OK, PASSED_OVER[name]) + data(QUOTE))
        elif name in ALLOWED:
            ALLOWED[name](request)
        else:
            answer(request)

    made = Http3Server(authority.issue_cert("127.0.0.1"), tmp_path_factory.mktemp("http3"), misbehave)
    yield made
    made.stop()


@pytest.fixture
def session(ca_file: str) -> Iterator[pabal.Session]:
    with pabal.Session(verify=ca_file, http="3", timeout=pabal.Timeout(connect=20, read=20)) as made:
        yield made


def is_sound(session: pabal.Session, server: Http3Server) -> bool:
    return all(session.get(f"{server.url}/price").content == QUOTE for _ in range(2))


@pytest.mark.parametrize("name", MESSAGES)
def test_a_malformed_response_ends_its_stream_alone(name: str, server: Http3Server, session: pabal.Session) -> None:
    assert is_sound(session, server)
    before = server.connections
    with pytest.raises(pabal.PabalError) as caught:
        session.get(f"{server.url}/?{name}")
    assert (caught.value.code, caught.value.whose) == ("malformed_message", "peer")
    assert is_sound(session, server)
    assert server.connections == before


@pytest.mark.parametrize("name", CONNECTIONS)
def test_what_breaks_the_connection_is_named(name: str, server: Http3Server, session: pabal.Session) -> None:
    before = server.connections
    with pytest.raises(pabal.PabalError, match=CONNECTIONS[name][1]) as caught:
        session.get(f"{server.url}/?{name}")
    assert (caught.value.code, caught.value.whose) == ("malformed_message", "peer")
    assert is_sound(session, server)
    assert server.connections == before + 2


@pytest.mark.parametrize("name", ALLOWED)
def test_what_is_odd_and_allowed(name: str, server: Http3Server, session: pabal.Session) -> None:
    assert session.get(f"{server.url}/?{name}").content == QUOTE
    assert is_sound(session, server)


@pytest.mark.parametrize("name", PASSED_OVER)
def test_no_field_comes_through_that_cannot_be(name: str, server: Http3Server, session: pabal.Session) -> None:
    response = session.get(f"{server.url}/?{name}")
    assert (response.content, dict(response.headers)) == (QUOTE, {})
    assert is_sound(session, server)


@pytest.mark.parametrize("name", EXCESSIVE)
def test_what_is_too_much_ends_its_stream_alone(name: str, server: Http3Server, session: pabal.Session) -> None:
    assert is_sound(session, server)
    before = server.connections
    with pytest.raises(pabal.PabalError) as caught:
        session.get(f"{server.url}/?{name}")
    assert (caught.value.code, caught.value.whose) == ("head_too_large", "peer")
    assert is_sound(session, server)
    assert server.connections == before


@pytest.mark.parametrize("name", ENDLESS)
def test_a_field_without_end_is_named(name: str, server: Http3Server, session: pabal.Session) -> None:
    for _ in range(2):
        with pytest.raises(pabal.PabalError) as caught:
            session.get(f"{server.url}/?{name}")
        assert (caught.value.code, caught.value.whose) == ("head_too_large", "peer")
        assert is_sound(session, server)


def test_others_on_a_connection_that_breaks_are_sent_again(server: Http3Server, ca_file: str, run: Run) -> None:
    async def main() -> None:
        async with pabal.AsyncSession(verify=ca_file, http="3", timeout=20) as session:
            assert (await session.get(f"{server.url}/price")).content == QUOTE
            asked = [session.get(f"{server.url}/price") for _ in range(20)]
            asked.insert(10, session.get(f"{server.url}/?second SETTINGS"))
            outcomes = await asyncio.gather(*asked, return_exceptions=True)
            broken = [each for each in outcomes if isinstance(each, BaseException)]
            assert all(isinstance(each, pabal.PabalError) and each.code == "malformed_message" for each in broken)
            assert all(each.content == QUOTE for each in outcomes if isinstance(each, pabal.Response))
            assert (await session.get(f"{server.url}/price")).content == QUOTE

    run(main())


def test_a_server_that_always_goes_away_is_asked_twice(
    authority: trustme.CA, tmp_path: Any, session: pabal.Session
) -> None:
    server = Http3Server(authority.issue_cert("127.0.0.1"), tmp_path, lambda request: request.go_away(0))
    try:
        with pytest.raises(pabal.PabalError, match="GOAWAY") as caught:
            session.post(f"{server.url}/price", content=b"x")
        assert (caught.value.code, caught.value.whose) == ("connection_closed", "peer")
        assert len(server.requests) == 2
    finally:
        server.stop()
