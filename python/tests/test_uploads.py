"""What request bodies go through: ``compress=``, ``trailers=``, ``expect_continue=``; byte by byte where it matters."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import io
import subprocess
import sys
import time
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pabal
import pytest
from pabal.exceptions import InvalidArgument, InvalidHeader
from support.nginx import Nginx
from support.scripted import Connection, ScriptedServer

Serve = Callable[..., ScriptedServer]


def put(kind: str, url: str, settings: dict[str, Any] | None = None, **options: Any) -> pabal.Response:
    given: dict[str, Any] = {"trust_env": False, "timeout": 20, **(settings or {})}
    if kind == "sync":
        with pabal.Session(**given) as session:
            return session.put(url, **options)

    async def whole() -> pabal.Response:
        async with pabal.AsyncSession(**given) as session:
            return await session.put(url, **options)

    return asyncio.run(whole())


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Recorder:
    """Reads requests to the end of their chunked body, and keeps the bytes."""

    def __init__(self, *answers: tuple[str, ...]) -> None:
        self.heads: list[str] = []
        self.bodies: list[bytes] = []
        self._answers = list(answers)

    def __call__(self, connection: Connection) -> None:
        while (request := connection.read_head()) is not None:
            self.heads.append("\r\n".join(f"{name}: {value}" for name, value in request.headers))
            if request.value("transfer-encoding") == "chunked":
                raw = b""
                while not raw.endswith(b"0\r\n"):
                    raw += connection._line() + b"\r\n"
                    size = int(raw.rsplit(b"\r\n", 2)[-2], 16)
                    if size:
                        raw += connection._take(size) + connection._line() + b"\r\n"
                while line := connection._line():
                    raw += line + b"\r\n"
                self.bodies.append(raw + b"\r\n")
            else:
                self.bodies.append(connection._take(int(request.value("content-length") or 0)))
            connection.answer(b"ok", *(self._answers.pop(0) if self._answers else ("200 OK",)))


def content_of(chunked: bytes) -> bytes:
    content, rest = b"", chunked
    while True:
        line, _, rest = rest.partition(b"\r\n")
        size = int(line, 16)
        if not size:
            return content
        content, rest = content + rest[:size], rest[size + 2 :]


def pieces(count: int = 3) -> Iterator[bytes]:
    for index in range(count):
        yield b"piece %d\n" % index


async def async_pieces(count: int = 3) -> AsyncIterator[bytes]:
    for piece in pieces(count):
        yield piece


WHOLE = b"".join(pieces())

# --- against nginx ----------------------------------------------------------------------------------------------------


def test_nginx_takes_what_is_sent_and_the_connection_serves_the_next(nginx: Nginx) -> None:
    with pabal.Session(timeout=20, trust_env=False) as session:
        url = nginx.url + "/upload"  # read to its end, and passed on with its length
        assert session.post(url, content=b"hello", trailers={"X-Sum": "5"}).text == "POST|5|"
        response = session.post(url, content=pieces(), trailers={"X-Sum": lambda: "5"})
        assert response.text == f"POST|{len(WHOLE)}|"
        assert response.trace.reused
        response = session.post(url, content=b"x" * 50_000, expect_continue=20)
        assert response.text == "POST|50000|"
        assert response.trace.reused
        for coding in ("gzip", "zstd"):
            method, size, named = session.post(url, content=b"x" * 1_000_000, compress=coding).text.split("|")
            assert (method, named) == ("POST", coding)
            assert int(size) < 2000


def test_nginx_refuses_a_body_before_it_is_sent(nginx: Nginx) -> None:
    read: list[int] = []

    def watched() -> Iterator[bytes]:
        for _ in range(200):
            read.append(1)
            yield b"x" * 1000

    body: Any = watched()
    with pabal.Session(timeout=20, trust_env=False) as session:
        headers = {"Content-Length": "200000"}
        response = session.post(nginx.url + "/upload", content=body, headers=headers, expect_continue=20)
        assert (response.status_code, read) == (413, [])
        response = session.get(nginx.url + "/price")
        assert not response.trace.reused


# --- large bodies, which are not copied -------------------------------------------------------------------------------

LARGE = 24_000_000


@pytest.mark.parametrize("way", ["sync", "async", "requests"])
def test_a_large_body_is_sent_from_where_it_is_and_let_go_of(scripted: Serve, way: str) -> None:
    """The process grows by less than another body, and holds no reference in the end."""
    command = [sys.executable, "-c", UPLOADING, way, scripted(Recorder()).url, str(LARGE)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    grown, kept = (int(each) for each in done.stdout.split())
    assert grown < LARGE // 2
    assert kept == 0


UPLOADING = """
import asyncio, sys
import pabal, pabal.requests

way, url, size = sys.argv[1], sys.argv[2], int(sys.argv[3])

def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))

async def awaited(body):
    async with pabal.AsyncSession(trust_env=False) as session:
        assert (await session.put(url, content=body)).text == "ok"

def send(body):
    if way == "requests":
        assert pabal.requests.put(url, data=body).text == "ok"
    elif way == "async":
        asyncio.run(awaited(body))
    else:
        with pabal.Session(trust_env=False) as session:
            assert session.put(url, content=body).text == "ok"

send(b"p" * 100_000)
body = b"p" * size
before, references = peak(), sys.getrefcount(body)
send(body)
print(peak() - before, sys.getrefcount(body) - references)
"""


def test_a_large_body_that_nobody_else_keeps_stays_until_it_is_sent(scripted: Serve, kind: str) -> None:
    recorder = Recorder(("307 Temporary Redirect", "Location: /again"), ("200 OK",))
    response = put(kind, scripted(recorder).url, content=b"".join(b"%08d" % index for index in range(50_000)))
    assert response.status_code == 200
    assert [hashlib.sha256(body).digest() for body in recorder.bodies] == [
        hashlib.sha256(b"".join(b"%08d" % index for index in range(50_000))).digest()
    ] * 2


def test_a_large_body_outlives_the_call_that_was_answered_before_it_was_sent(scripted: Serve) -> None:
    """A streamed response is there when only the beginning of the body was read."""
    received: list[bytes] = []

    def answer_first(connection: Connection) -> None:
        assert connection.read_head()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
        received.append(connection._take(LARGE))
        connection.send(b"ok")

    with (
        pabal.Session(trust_env=False, timeout=20) as session,
        session.stream("PUT", scripted(answer_first).url, content=b"ab" * (LARGE // 2)) as response,
    ):
        assert b"".join(response.iter_bytes()) == b"ok"
    assert received == [b"ab" * (LARGE // 2)]


def test_a_large_body_is_let_go_of_when_its_call_is_cancelled(scripted: Serve) -> None:
    def never(connection: Connection) -> None:
        assert connection.read_head()
        connection.read_head()

    async def main() -> int:
        body = b"p" * LARGE
        references = sys.getrefcount(body)
        async with pabal.AsyncSession(trust_env=False) as session:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(session.put(scripted(never).url, content=body), 0.2)
        return sys.getrefcount(body) - references

    assert asyncio.run(main()) == 0


def test_threads_that_share_a_session_let_go_of_their_bodies(scripted: Serve) -> None:
    bodies = [bytes([65 + index]) * 100_000 for index in range(8)]
    references = [sys.getrefcount(body) for body in bodies]
    recorders = [Recorder() for _ in bodies]
    with pabal.Session(trust_env=False, timeout=20) as session, ThreadPoolExecutor(len(bodies)) as threads:
        urls = [scripted(recorder).url for recorder in recorders]
        for _ in range(20):
            sent = [threads.submit(session.put, url, content=body) for url, body in zip(urls, bodies, strict=True)]
            assert [each.result().text for each in sent] == ["ok"] * len(bodies)
        del sent
    assert [recorder.bodies for recorder in recorders] == [[body] * 20 for body in bodies]
    del recorders
    assert [sys.getrefcount(body) for body in bodies] == references


# --- trailers: RFC 9110 section 6.5 -----------------------------------------------------------------------------------


def test_trailers_follow_the_last_chunk(scripted: Serve, kind: str) -> None:
    seen = Recorder()
    server = scripted(seen)
    assert put(kind, server.url, content=b"hello", trailers={"X-Sum": "5", "X-End": b"yes"}).ok
    assert seen.bodies == [b"5\r\nhello\r\n0\r\nX-Sum: 5\r\nX-End: yes\r\n\r\n"]
    assert "Trailer: X-Sum, X-End" in seen.heads[0]
    assert "Content-Length" not in seen.heads[0]


def test_trailers_are_made_when_the_body_was_read(scripted: Serve, kind: str) -> None:
    digest = hashlib.sha256()

    def hashed() -> Iterator[bytes]:
        for piece in pieces():
            digest.update(piece)
            yield piece

    async def hashed_async() -> AsyncIterator[bytes]:
        for piece in hashed():
            yield piece

    seen = Recorder()
    server = scripted(seen)
    body: Any = hashed() if kind == "sync" else hashed_async()
    assert put(kind, server.url, content=body, trailers={"X-Digest": digest.hexdigest}).ok
    sum_of_all = hashlib.sha256(WHOLE).hexdigest()
    assert seen.bodies[0].endswith(f"\r\n0\r\nX-Digest: {sum_of_all}\r\n\r\n".encode())
    assert content_of(seen.bodies[0]) == WHOLE


def test_a_function_may_give_them_all(scripted: Serve, kind: str) -> None:
    seen = Recorder()
    server = scripted(seen)
    assert put(kind, server.url, content=b"x", trailers=lambda: [("X-A", "1"), ("X-B", "2")]).ok
    assert seen.bodies == [b"1\r\nx\r\n0\r\nX-A: 1\r\nX-B: 2\r\n\r\n"]
    assert "Trailer:" not in seen.heads[0]


@pytest.mark.parametrize(
    "name", ["Content-Length", "transfer-encoding", "Host", "Authorization", "Set-Cookie", "Content-Encoding", "Range"]
)
def test_fields_that_cannot_follow_a_body_are_refused(scripted: Serve, kind: str, name: str) -> None:
    server = scripted(Recorder())
    with pytest.raises(InvalidHeader, match="cannot be a trailer"):
        put(kind, server.url, content=b"x", trailers={name: "1"})
    assert server.connections == 0
    with pytest.raises(InvalidHeader, match="cannot be a trailer"):
        put(kind, server.url, content=b"x", trailers=lambda: {name: "1"})


def test_values_that_would_break_the_message_are_refused(scripted: Serve, kind: str) -> None:
    server = scripted(Recorder())
    with pytest.raises(InvalidHeader):
        put(kind, server.url, content=b"x", trailers={"X-A": "1\r\nX-B: 2"})
    assert server.connections == 0
    with pytest.raises(InvalidHeader):
        put(kind, server.url, content=b"x", trailers={"X-A": lambda: "1\r\nX-B: 2"})


def test_what_a_trailers_function_raises_is_raised(scripted: Serve, kind: str) -> None:
    def fails() -> str:
        raise LookupError("no sum")

    with pytest.raises(LookupError, match="no sum"):
        put(kind, scripted(Recorder()).url, content=b"x", trailers={"X-Sum": fails})


def test_trailers_that_make_no_sense_are_said(kind: str) -> None:
    nowhere = "http://127.0.0.1:9/"
    with pytest.raises(InvalidArgument, match="has none"):
        put(kind, nowhere, trailers={"X-A": "1"})
    with pytest.raises(InvalidArgument, match="leave Content-Length out"):
        put(kind, nowhere, content=b"x", headers={"Content-Length": "1"}, trailers={"X-A": "1"})
    with pytest.raises(InvalidArgument, match="empty"):
        put(kind, nowhere, content=b"x", trailers={})
    with pytest.raises(TypeError, match="trailers="):
        put(kind, nowhere, content=b"x", trailers="X-A: 1")


@pytest.mark.parametrize("again", ["redirect", "retry", "digest", "flow"])
def test_a_request_that_is_sent_again_has_its_trailers_again(scripted: Serve, kind: str, again: str) -> None:
    first = {
        "redirect": ("307 Go", "Location: /there"),
        "retry": ("503 Busy",),
        "digest": ("401 Who", 'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256'),
        "flow": ("401 Who",),
    }[again]

    class Flow:
        requires_request_body = True

        def auth_flow(self, request: pabal.Request) -> Any:
            response = yield request
            if response.status_code == 401:
                request.headers["Authorization"] = "Token x"
                yield request

    options: dict[str, Any] = {}
    if again == "retry":
        options["retries"] = pabal.Retry(1, backoff=0, methods={"PUT"})
    if again == "digest":
        options["auth"] = pabal.DigestAuth("u", "p")
    if again == "flow":
        options["auth"] = Flow()
    seen = Recorder(first)
    server = scripted(seen)
    calls: list[int] = []

    def count() -> str:
        calls.append(1)
        return str(len(calls))

    body = io.BytesIO(b"hello")
    assert put(kind, server.url, content=body, trailers={"X-Sum": count}, **options).ok
    expected = ["1", "2"] if again != "flow" else ["1", "1"]  # which was given the body, and what follows it, as bytes
    assert seen.bodies == [b"5\r\nhello\r\n0\r\nX-Sum: %s\r\n\r\n" % each.encode() for each in expected]
    assert all(head.count("Trailer: X-Sum") == 1 for head in seen.heads)


def test_hooks_and_progress_leave_them_alone(scripted: Serve, kind: str) -> None:
    seen = Recorder()
    server = scripted(seen)
    told: list[int] = []
    body: Any = pieces() if kind == "sync" else async_pieces()
    put(
        kind,
        server.url,
        content=body,
        trailers={"X-Sum": "5"},
        compress="gzip",
        hooks={"request": lambda request: None},
        upload_progress=lambda done, total: told.append(done),
    )
    assert seen.bodies[0].endswith(b"0\r\nX-Sum: 5\r\n\r\n")
    assert gzip.decompress(content_of(seen.bodies[0])) == WHOLE
    assert told


def test_trailers_of_a_response_are_seen(scripted: Serve, kind: str) -> None:
    def serve(connection: Connection) -> None:
        while connection.read_request():
            connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n")
            connection.send(b"2\r\nok\r\n0\r\nX-Sum: 5\r\n\r\n")

    response = put(kind, scripted(serve).url)
    assert response.trailers == {"X-Sum": "5"}
    assert "X-Sum" not in response.headers


def test_trailers_of_a_streamed_response_come_after_its_body(scripted: Serve) -> None:
    def serve(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")
        connection.read_request()

    def serve_whole(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 5\r\n\r\n")
        connection.read_request()

    with pabal.Session() as session:
        with session.stream("GET", scripted(serve).url) as response, pytest.raises(pabal.exceptions.ResponseNotRead):
            response.trailers  # noqa: B018
        with session.stream("GET", scripted(serve_whole).url) as response:
            assert response.content == b"ok"
            assert response.trailers == {"x-sum": "5"}


# --- compress ---------------------------------------------------------------------------------------------------------


def decompressed(kind: str, coding: str, data: bytes) -> bytes:
    """By the standard library, or for what it does not know by pabal's own way for responses."""
    if coding == "gzip":
        return gzip.decompress(data)
    if coding == "deflate":
        return zlib.decompress(data)

    def serve(connection: Connection) -> None:
        connection.read_request()
        connection.answer(data, "200 OK", f"Content-Encoding: {coding}")

    server = ScriptedServer(serve)
    try:
        return pabal.get(server.url).content
    finally:
        server.close()


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_bytes_are_compressed_and_sized(scripted: Serve, kind: str, coding: str) -> None:
    seen = Recorder()
    server = scripted(seen)
    data = b"0123456789" * 10_000
    assert put(kind, server.url, content=data, compress=coding).ok
    assert f"Content-Encoding: {coding}" in seen.heads[0]
    assert f"Content-Length: {len(seen.bodies[0])}" in seen.heads[0]
    assert len(seen.bodies[0]) < 2000
    assert decompressed(kind, coding, seen.bodies[0]) == data


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_streams_are_compressed_in_pieces(scripted: Serve, kind: str, coding: str) -> None:
    seen = Recorder()
    server = scripted(seen)
    body: Any = pieces(5000) if kind == "sync" else async_pieces(5000)
    assert put(kind, server.url, content=body, compress=coding).ok
    assert "Transfer-Encoding: chunked" in seen.heads[0]
    assert "Content-Length" not in seen.heads[0]
    assert decompressed(kind, coding, content_of(seen.bodies[0])) == b"".join(pieces(5000))


def test_forms_and_json_are_compressed_too(scripted: Serve, kind: str) -> None:
    seen = Recorder()
    server = scripted(seen)
    put(kind, server.url, json={"a": 1}, compress="GZip")
    put(kind, server.url, data={"a": "1"}, compress="gzip")
    put(kind, server.url, files={"f": b"data"}, compress="gzip")
    assert gzip.decompress(seen.bodies[0]) == b'{"a":1}'
    assert gzip.decompress(seen.bodies[1]) == b"a=1"
    last = seen.bodies[2]
    assert b'name="f"' in gzip.decompress(content_of(last) if "chunked" in seen.heads[2] else last)
    assert "Content-Type: application/json" in seen.heads[0]
    assert all("Content-Encoding: gzip" in head for head in seen.heads)


def test_a_compressed_stream_can_be_sent_again(scripted: Serve, kind: str) -> None:
    class Again:
        def __iter__(self) -> Iterator[bytes]:
            return pieces()

    class AgainAsync:
        def __aiter__(self) -> AsyncIterator[bytes]:
            return async_pieces()

    seen = Recorder(("307 Go", "Location: /there"))
    server = scripted(seen)
    assert put(kind, server.url, content=Again() if kind == "sync" else AgainAsync(), compress="zstd").ok
    assert len(seen.bodies) == 2
    assert seen.bodies[0] == seen.bodies[1]
    once: Any = pieces() if kind == "sync" else async_pieces()
    seen = Recorder(("307 Go", "Location: /there"))
    with pytest.raises(pabal.exceptions.BodyNotReplayable):
        put(kind, scripted(seen).url, content=once, compress="zstd")


def test_an_auth_flow_compresses_once(scripted: Serve, kind: str) -> None:
    class Flow:
        def auth_flow(self, request: pabal.Request) -> Any:
            yield request

    seen = Recorder()
    server = scripted(seen)
    for body in (WHOLE, io.BytesIO(WHOLE)):
        put(kind, server.url, content=body, compress="gzip", auth=Flow())
    assert gzip.decompress(seen.bodies[0]) == WHOLE
    assert gzip.decompress(content_of(seen.bodies[1])) == WHOLE
    assert all(head.count("Content-Encoding") == 1 for head in seen.heads)


def test_without_a_body_there_is_nothing_to_compress(scripted: Serve, kind: str) -> None:
    seen = Recorder()
    put(kind, scripted(seen).url, compress="gzip")
    assert "Content-Encoding" not in seen.heads[0]


def test_compressing_what_cannot_be_is_said(kind: str) -> None:
    nowhere = "http://127.0.0.1:9/"
    with pytest.raises(InvalidArgument, match='"gzip", "deflate", "br" or "zstd", not "lzma"'):
        put(kind, nowhere, content=b"x", compress="lzma")
    with pytest.raises(InvalidArgument, match="Content-Encoding already"):
        put(kind, nowhere, content=b"x", compress="gzip", headers={"Content-Encoding": "br"})
    with pytest.raises(InvalidArgument, match="Content-Length"):
        put(kind, nowhere, content=b"x", compress="gzip", headers={"Content-Length": "1"})
    with pytest.raises(TypeError, match="name of a content coding"):
        put(kind, nowhere, content=b"x", compress=True)


# --- Expect: RFC 9110 section 10.1.1 ----------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [{"expect_continue": True}, {"headers": {"Expect": "100-continue"}}])
def test_the_body_waits_for_100_continue(scripted: Serve, kind: str, given: dict[str, Any]) -> None:
    heard: list[bytes] = []

    def serve(connection: Connection) -> None:
        request = connection.read_head()
        assert request is not None
        assert request.value("expect") == "100-continue"
        heard.append(connection._input)
        connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        heard.append(connection._take(5))
        connection.answer()

    assert put(kind, scripted(serve).url, content=b"hello", **given).ok
    assert heard == [b"", b"hello"]


def test_a_server_that_says_nothing_is_waited_for_so_long_only(scripted: Serve, kind: str) -> None:
    waited: list[float] = []

    def serve(connection: Connection) -> None:
        connection.read_head()
        began = time.monotonic()
        assert connection._take(5) == b"hello"
        waited.append(time.monotonic() - began)
        connection.answer()

    assert put(kind, scripted(serve).url, content=b"hello", expect_continue=0.3).ok
    assert waited[0] > 0.2


def test_a_refusal_spares_the_body(scripted: Serve, kind: str) -> None:
    heads: list[str] = []
    rest: list[bytes] = []

    def serve(connection: Connection) -> None:
        request = connection.read_head()
        assert request is not None
        heads.append(request.line)
        connection.answer(b"", "413 Too Large")
        while piece := connection.socket.recv(100):
            rest.append(piece)

    assert put(kind, scripted(serve).url, content=b"hello", expect_continue=True).status_code == 413
    assert (len(heads), rest) == (1, [])


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("given", [{"expect_continue": True}, {"headers": {"Expect": "100-continue"}}])
def test_after_417_the_body_goes_without_asking(
    scripted: Serve, kind: str, streamed: bool, given: dict[str, Any]
) -> None:
    bodies: list[bytes] = []

    def serve(connection: Connection) -> None:
        request = connection.read_head()
        assert request is not None
        if request.value("expect"):
            return connection.answer(b"", "417 Expectation Failed")
        bodies.append(connection._take(int(request.value("content-length") or 0)))
        return connection.answer()

    body: Any = io.BytesIO(b"hello") if streamed else b"hello"
    assert put(kind, scripted(serve).url, content=body, **given).ok
    assert bodies == [b"hello"]


def test_hooks_and_flows_keep_the_expectation(scripted: Serve, kind: str) -> None:
    class Flow:
        def auth_flow(self, request: pabal.Request) -> Any:
            yield request

    seen = Recorder()
    server = scripted(seen)
    put(kind, server.url, content=b"hello", expect_continue=0.1, hooks={"request": lambda request: None})
    put(kind, server.url, content=b"hello", expect_continue=0.1, auth=Flow())
    assert all("Expect: 100-continue" in head for head in seen.heads)
    assert seen.bodies == [b"hello", b"hello"]


@pytest.mark.parametrize(("wrong", "kind_of_error"), [(0, ValueError), (-1.0, ValueError), ("yes", TypeError)])
def test_expectations_that_make_no_sense_are_said(kind: str, wrong: Any, kind_of_error: type[Exception]) -> None:
    with pytest.raises(kind_of_error, match="expect_continue"):
        put(kind, "http://127.0.0.1:9/", content=b"x", expect_continue=wrong)
