"""Reading responses: text, JSON, lines, streams, sync and async."""

from __future__ import annotations

import asyncio
import json
import math
import threading
from collections.abc import Callable
from typing import Any

import pabal
import pytest
from pabal import exceptions
from support.scripted import Connection, ScriptedServer

Start = Callable[..., ScriptedServer]


def answering(body: bytes, *headers: str, status: str = "200 OK") -> Callable[[Connection], None]:
    def script(connection: Connection) -> None:
        while connection.read_request():
            connection.answer(body, status, *headers)

    return script


def chunked(*pieces: bytes, gate: threading.Semaphore | None = None) -> Callable[[Connection], None]:
    """Sends the pieces as chunks, each when ``gate`` lets it."""

    def script(connection: Connection) -> None:
        while connection.read_request():
            connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for piece in pieces:
                if gate is not None:
                    gate.acquire(timeout=10)
                connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
            connection.send(b"0\r\n\r\n")

    return script


# --- text and JSON ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "content_type", "text", "encoding"),
    [
        ("grün".encode(), "text/plain", "grün", None),
        ("grün".encode("latin-1"), "text/plain; charset=iso-8859-1", "grün", "iso-8859-1"),
        ("grün".encode("latin-1"), "text/plain", "grün", None),
        ("grün".encode("utf-16"), "text/plain", "grün", None),
        (b"caf\xe9", "text/plain; charset=utf-8", "caf\N{REPLACEMENT CHARACTER}", "utf-8"),
        (b"abc", "text/plain; charset=nonsense", "abc", "nonsense"),
    ],
)
def test_text(body: bytes, content_type: str, text: str, encoding: str | None, scripted: Start) -> None:
    response = pabal.get(scripted(answering(body, f"Content-Type: {content_type}")).url)
    assert (response.text, response.encoding) == (text, encoding)
    response.encoding = "latin-1"
    assert response.encoding == "latin-1"
    assert response.text == body.decode("latin-1")


def test_apparent_encoding(scripted: Start) -> None:
    assert pabal.get(scripted(answering(b"caf\xe9")).url).apparent_encoding == "windows-1252"


@pytest.mark.parametrize(
    "value",
    [None, True, False, 0, -1, 2**63, -(2**63), 1.5, 1e300, "", "grün €\U0001f600\\\"\n", [], {}, [[], {}],
     {"a": {"b": [1, 2.5, None]}}],
)  # fmt: skip
def test_json(value: Any, scripted: Start) -> None:
    for body in (json.dumps(value).encode(), json.dumps(value, ensure_ascii=False, indent=2).encode()):
        response = pabal.get(scripted(answering(body)).url)
        assert response.json() == value
        assert type(response.json()) is type(value)
        assert response.json(parse_float=str) == json.loads(body, parse_float=str)


def test_big_numbers_are_exact(scripted: Start) -> None:
    body = b"[123456789012345678901234567890, 0.1, 1e-7, 12345678901234567890]"
    assert pabal.get(scripted(answering(body)).url).json() == json.loads(body)


@pytest.mark.parametrize("body", [b"", b"{", b"[1,]", b"nul", b'{"a":1} x', b"'a'", b'"\n"', b"[" * 100_000])
def test_json_that_is_none(body: bytes, scripted: Start) -> None:
    response = pabal.get(scripted(answering(body)).url)
    with pytest.raises(exceptions.JSONDecodeError) as caught:
        response.json()
    assert isinstance(caught.value, json.JSONDecodeError)
    assert isinstance(caught.value, ValueError)
    assert response.content == body


def test_what_only_python_takes_for_json(scripted: Start) -> None:
    """NaN and bad UTF-8 are no JSON, but json.loads and requests take them, and so do we."""
    assert math.isnan(pabal.get(scripted(answering(b"NaN")).url).json())
    assert pabal.get(scripted(answering(b'"a\xff"')).url).json() == "a\N{REPLACEMENT CHARACTER}"


def test_many_keys_and_repeated_ones(scripted: Start) -> None:
    body = b'{"a":1,"a":2,"":3}'
    assert pabal.get(scripted(answering(body)).url).json() == {"a": 2, "": 3}


def test_links(scripted: Start) -> None:
    header = 'Link: <http://h/?page=2>; rel="next", <http://h/?page=9>; rel="last"'
    assert pabal.get(scripted(answering(b"", header)).url).links["next"]["url"] == "http://h/?page=2"
    assert pabal.get(scripted(answering(b"")).url).links == {}


@pytest.mark.parametrize(
    ("status", "reason", "ok"),
    [("200 OK", "OK", True), ("404 Nicht da", "Nicht da", False), ("299 ", "", True), ("599 X", "X", False)],
)
def test_status_and_reason(status: str, reason: str, ok: bool, scripted: Start) -> None:
    response = pabal.get(scripted(answering(b"", status=status)).url)
    assert (response.status_code, response.reason, response.ok, bool(response)) == (int(status[:3]), reason, ok, ok)


# --- streams, sync ----------------------------------------------------------------------------------------------------


def test_pieces_come_as_they_arrive(scripted: Start) -> None:
    gate = threading.Semaphore(0)
    server = scripted(chunked(b"one", b"two", b"three", gate=gate))
    with pabal.Session() as session, session.stream("GET", server.url) as response:
        seen: list[bytes] = []
        gate.release()
        for piece in response.iter_bytes():
            seen.append(piece)
            gate.release()
        assert seen == [b"one", b"two", b"three"]
        assert response.is_stream_consumed


def test_pieces_of_a_size_of_ones_own(scripted: Start) -> None:
    server = scripted(chunked(b"abc", b"defgh", b"i"))
    for size, expected in ((1, list("abcdefghi")), (4, ["abcd", "efgh", "i"]), (100, ["abcdefghi"])):
        with pabal.stream("GET", server.url) as response:
            assert [piece.decode() for piece in response.iter_content(size)] == expected
        response = pabal.get(server.url)
        assert [piece.decode() for piece in response.iter_content(size)] == expected
        assert b"".join(response) == b"abcdefghi"


@pytest.mark.parametrize("bad", [0, -1])
def test_a_size_that_makes_no_sense(bad: int, scripted: Start) -> None:
    response = pabal.get(scripted(answering(b"x")).url)
    with pytest.raises(ValueError, match="chunk_size"):
        response.iter_bytes(bad)
    with pytest.raises(TypeError):
        response.iter_bytes("1")  # type: ignore[arg-type]


def test_text_and_lines_of_a_stream(scripted: Start) -> None:
    server = scripted(chunked(b"gr\xc3", b"\xbcn\r", b"\nzwei\n\ndrei"))
    with pabal.stream("GET", server.url) as response:
        assert "".join(response.iter_content(decode_unicode=True)) == "grün\r\nzwei\n\ndrei"
    with pabal.stream("GET", server.url) as response:
        assert list(response.iter_lines(decode_unicode=True)) == ["grün", "zwei", "", "drei"]
    with pabal.stream("GET", server.url) as response:
        assert list(response.iter_lines()) == ["grün".encode(), b"zwei", b"", b"drei"]
    with pabal.stream("GET", server.url) as response:
        assert list(response.iter_lines(delimiter=b"ei")) == [b"gr\xc3\xbcn\r\nzw", b"\n\ndr"]


def test_content_of_a_stream_is_read_when_it_is_asked_for(scripted: Start) -> None:
    server = scripted(chunked(b"[1,", b"2]"))
    with pabal.stream("GET", server.url) as response:
        assert response.json() == [1, 2]
        assert response.content == b"[1,2]"
        assert b"".join(response.iter_bytes()) == b"[1,2]"


def test_a_stream_is_read_once(scripted: Start) -> None:
    server = scripted(chunked(b"a", b"b"))
    with pabal.stream("GET", server.url) as response:
        assert next(response.iter_bytes(1)) == b"a"
        with pytest.raises(exceptions.StreamConsumed):
            response.content  # noqa: B018
    with pabal.stream("GET", server.url) as response:
        list(response.iter_bytes())
        with pytest.raises(exceptions.StreamConsumed):
            list(response.iter_bytes())


def test_leaving_early_gives_the_connection_back(scripted: Start) -> None:
    server = scripted(chunked(*[b"x" * 100_000] * 50))
    with pabal.Session(limits=pabal.Limits(max_connections=1)) as session:
        for _ in range(5):
            with session.stream("GET", server.url) as response:
                next(iter(response))
        with pytest.raises(exceptions.StreamConsumed):
            response.content  # noqa: B018
        assert len(session.get(server.url).content) == 5_000_000


def test_a_response_outlives_its_session(scripted: Start) -> None:
    server = scripted(answering(b"body", "X-A: 1"))
    with pabal.Session() as session:
        response = session.get(server.url)
    assert (response.text, response.headers["x-a"], response.request.method) == ("body", "1", "GET")


# --- streams, async ---------------------------------------------------------------------------------------------------


def test_every_way_to_read_an_async_stream(scripted: Start, run: Callable[[Any], Any]) -> None:
    server = scripted(chunked(b"gr\xc3", b"\xbcn\r", b"\nzwei\n"))

    async def main() -> None:
        async with pabal.AsyncSession() as session:
            async with session.stream("GET", server.url) as response:
                assert b"".join([piece async for piece in response.aiter_bytes()]) == b"gr\xc3\xbcn\r\nzwei\n"
                assert response.is_stream_consumed
            async with session.stream("GET", server.url) as response:
                assert [len(piece) async for piece in response.aiter_bytes(4)] == [4, 4, 4]
            async with session.stream("GET", server.url) as response:
                assert "".join([piece async for piece in response.aiter_text()]) == "grün\r\nzwei\n"
            async with session.stream("GET", server.url) as response:
                assert [line async for line in response.aiter_lines()] == ["grün", "zwei"]
            async with session.stream("GET", server.url) as response:
                assert [piece async for piece in response]
            async with session.stream("GET", server.url) as response:
                with pytest.raises(exceptions.ResponseNotRead):
                    response.content  # noqa: B018
                assert await response.aread() == b"gr\xc3\xbcn\r\nzwei\n"
                assert response.text == "grün\r\nzwei\n"
                assert await response.aread() == response.content
            response = await session.get(server.url)
            assert [line async for line in response.aiter_lines()] == ["grün", "zwei"]
            assert [len(piece) async for piece in response.aiter_bytes(4)] == [4, 4, 4]
            response = await session.get(server.url, stream=True)
            async with response:
                assert await response.aread()

    run(main())


def test_async_pieces_come_as_they_arrive(scripted: Start, run: Callable[[Any], Any]) -> None:
    gate = threading.Semaphore(0)
    server = scripted(chunked(b"one", b"two", gate=gate))

    async def main() -> None:
        async with pabal.AsyncSession() as session, session.stream("GET", server.url) as response:
            pieces = response.aiter_bytes().__aiter__()
            waiting = asyncio.ensure_future(pieces.__anext__())  # type: ignore[arg-type]
            await asyncio.sleep(0.05)
            assert not waiting.done()
            gate.release()
            assert await waiting == b"one"
            gate.release()
            assert await pieces.__anext__() == b"two"
            with pytest.raises(StopAsyncIteration):
                await pieces.__anext__()

    run(main())


def test_an_async_stream_is_read_once(scripted: Start, run: Callable[[Any], Any]) -> None:
    server = scripted(chunked(b"a", b"b"))

    async def main() -> None:
        async with pabal.AsyncSession() as session:
            async with session.stream("GET", server.url) as response:
                async for _ in response.aiter_bytes():
                    pass
                with pytest.raises(exceptions.StreamConsumed):
                    async for _ in response.aiter_bytes():
                        pass
            with pytest.raises(exceptions.StreamConsumed):
                await response.aread()

    run(main())


def test_leaving_an_async_stream_early(scripted: Start, run: Callable[[Any], Any]) -> None:
    server = scripted(chunked(*[b"x" * 100_000] * 50))

    async def main() -> None:
        async with pabal.AsyncSession(limits=pabal.Limits(max_connections=1)) as session:
            for _ in range(5):
                async with session.stream("GET", server.url) as response:
                    async for _ in response.aiter_bytes():
                        break
            assert len((await session.get(server.url)).content) == 5_000_000

    run(main())


def test_backpressure_a_slow_reader_holds_the_sender(scripted: Start, run: Callable[[Any], Any]) -> None:
    sent = [0]

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 200000000\r\n\r\n")
        for _ in range(2000):
            connection.send(b"x" * 100_000)
            sent[0] += 1

    server = scripted(script)

    async def main() -> None:
        async with pabal.AsyncSession() as session, session.stream("GET", server.url) as response:
            async for _ in response.aiter_bytes():
                await asyncio.sleep(0.5)
                break
            assert sent[0] < 500  # kernel buffers and ours, not the whole 200 MB

    run(main())


# --- around the body --------------------------------------------------------------------------------------------------

HINTED = (
    b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
    b"HTTP/1.1 102 Processing\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Checksum\r\n\r\n2\r\nok\r\n0\r\nChecksum: 7\r\n\r\n"
)


def hinting(connection: Connection) -> None:
    while connection.read_request():
        connection.send(HINTED)


def check_hinted(response: pabal.Response) -> None:
    assert response.text == "ok"
    assert [each.status_code for each in response.informational] == [103, 102]
    assert response.informational[0].headers["link"] == "</style.css>; rel=preload"
    assert response.trailers["checksum"] == "7"


def test_informational_responses_and_trailers(scripted: Start) -> None:
    url = scripted(hinting).url
    check_hinted(pabal.get(url))

    async def asked() -> pabal.Response:
        async with pabal.AsyncSession() as session:
            return await session.get(url)

    check_hinted(asyncio.run(asked()))
    with pabal.Session() as session, session.stream("GET", url) as response:
        assert response.informational[0].status_code == 103
        with pytest.raises(exceptions.ResponseNotRead):
            _ = response.trailers
        check_hinted(response)


def test_informational_responses_are_those_of_the_last_exchange(scripted: Start) -> None:
    def script(connection: Connection) -> None:
        while request := connection.read_request():
            if request.target == "/":
                connection.send(b"HTTP/1.1 103 Early Hints\r\nLink: </first>\r\n\r\n")
                connection.answer(b"", "302 Found", "Location: /second")
            else:
                connection.answer(b"ok")

    response = pabal.get(scripted(script).url)
    assert (response.text, response.informational) == ("ok", [])
