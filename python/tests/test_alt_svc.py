"""Alt-Svc (RFC 7838): origins over TCP that say where they can be had over HTTP/3."""

from __future__ import annotations

import asyncio
import copy
import logging
import os
import resource
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pabal
import pytest
import trustme
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived
from support.datagram_relay import Relay
from support.demo import program
from support.http3 import QUOTE, Http3Server, SilentPort
from support.processes import their_environment
from support.scripted import Connection, ScriptedServer

ALL = ("1.1", "2", "3")


@pytest.fixture(scope="module")
def http3_server(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Http3Server]:
    made = Http3Server(authority.issue_cert("127.0.0.1"), tmp_path_factory.mktemp("http3"))
    yield made
    made.stop()


@pytest.fixture
def origin(scripted: Callable[..., ScriptedServer], tls_context: ssl.SSLContext) -> Callable[..., ScriptedServer]:
    """``origin(value)``: answers over TCP, with that Alt-Svc."""

    def start(value: str, tls: bool = True) -> ScriptedServer:
        def answer(connection: Connection) -> None:
            while connection.read_request():
                head = f"HTTP/1.1 200 OK\r\nAlt-Svc: {value}\r\nContent-Length: 3\r\n\r\n"
                connection.send(head.encode() + b"tcp")

        return scripted(answer, tls=tls_context if tls else None)

    return start


def versions(session: pabal.Session, server: ScriptedServer, count: int) -> list[str]:
    return [session.get(f"{server.url}/price", timeout=20).http_version for _ in range(count)]


def test_the_next_request_goes_where_the_origin_said(
    http3_server: Http3Server, no_leaks: None, origin: Callable[..., ScriptedServer], ca_file: str
) -> None:
    server = origin(f'h3=":{http3_server.port}"; ma=3600')
    with pabal.Session(verify=ca_file) as session:
        first, second, third = (session.get(f"{server.url}/price", timeout=20) for _ in range(3))
        assert (first.http_version, first.content) == ("1.1", b"tcp")
        assert (second.http_version, second.content) == ("3", QUOTE)
        assert third.trace.connection is not None and second.trace.connection is not None
        assert third.trace.connection.local_address == second.trace.connection.local_address
        assert http3_server.requests[-1].field(b":authority") == server.url.removeprefix("https://").encode()


@pytest.mark.parametrize("http", ["1.1", ("1.1", "2")])
def test_nobody_is_sent_there_who_does_not_speak_it(
    http: Any, origin: Callable[..., ScriptedServer], http3_server: Http3Server, ca_file: str
) -> None:
    server = origin(f'h3=":{http3_server.port}"')
    with pabal.Session(verify=ca_file, http=http) as session:
        assert versions(session, server, 3) == ["1.1"] * 3


def test_what_a_server_without_tls_says_counts_for_nothing(
    origin: Callable[..., ScriptedServer], http3_server: Http3Server, ca_file: str
) -> None:
    server = origin(f'h3=":{http3_server.port}"', tls=False)
    with pabal.Session(verify=ca_file, http=ALL) as session:
        assert versions(session, server, 3) == ["1.1"] * 3


@pytest.mark.parametrize("value", ["clear", 'h2=":1"', "nonsense", 'h3=":0"', 'h3=":1"; ma=0'])
def test_what_leads_nowhere_is_not_followed(value: str, origin: Callable[..., ScriptedServer], ca_file: str) -> None:
    server = origin(value)
    with pabal.Session(verify=ca_file, http=ALL) as session:
        assert versions(session, server, 3) == ["1.1"] * 3


def test_where_udp_is_refused_tcp_is_used_at_once(origin: Callable[..., ScriptedServer], ca_file: str) -> None:
    silent = SilentPort()
    silent.close()
    server = origin(f'h3="{silent.url.removeprefix("https://")}"')
    with pabal.Session(verify=ca_file, http=ALL) as session:
        began = time.monotonic()
        assert versions(session, server, 5) == ["1.1"] * 5
        assert time.monotonic() - began < 10


def test_where_udp_gets_nowhere_tcp_is_used_and_udp_avoided(
    no_leaks: None, origin: Callable[..., ScriptedServer], ca_file: str
) -> None:
    silent = SilentPort()
    try:
        server = origin(f'h3="{silent.url.removeprefix("https://")}"')
        with pabal.Session(verify=ca_file, http=ALL) as session:
            assert versions(session, server, 5) == ["1.1"] * 5
            tried = silent.received()
            assert tried > 0
            assert versions(session, server, 5) == ["1.1"] * 5
            assert silent.received() == 0, "a place that could not be reached is avoided for minutes"
    finally:
        silent.close()


def test_where_udp_stops_getting_anywhere_tcp_takes_over(
    http3_server: Http3Server, no_leaks: None, origin: Callable[..., ScriptedServer], ca_file: str
) -> None:
    """Nobody waits for a connection that has fallen silent longer than it takes to see that it has."""
    relay = Relay(http3_server.port)
    try:
        server = origin(f'h3=":{relay.port}"')
        with pabal.Session(verify=ca_file, timeout=20) as session:
            assert versions(session, server, 3) == ["1.1", "3", "3"]
            relay.loses = 1
            with pytest.raises(pabal.exceptions.ReadTimeout):
                session.get(f"{server.url}/price", timeout=(5, 0.5))
            began = time.monotonic()
            assert versions(session, server, 5) == ["1.1"] * 5
            assert time.monotonic() - began < 5
            relay.loses = 0
            assert versions(session, server, 5) == ["1.1"] * 5, "the place is avoided for minutes"
    finally:
        relay.stop()


def test_a_request_that_was_under_way_then_is_sent_again(
    http3_server: Http3Server, origin: Callable[..., ScriptedServer], ca_file: str
) -> None:
    relay = Relay(http3_server.port)
    try:
        server = origin(f'h3=":{relay.port}"')

        async def main() -> list[str]:
            async with pabal.AsyncSession(verify=ca_file, timeout=20) as session:
                for _ in range(2):
                    await session.get(f"{server.url}/price")
                relay.loses = 1
                waiting = asyncio.ensure_future(session.get(f"{server.url}/price"))
                with pytest.raises(pabal.exceptions.ReadTimeout):
                    await session.get(f"{server.url}/price", timeout=(5, 0.2))
                return [(await waiting).http_version, (await session.get(f"{server.url}/price")).http_version]

        assert asyncio.run(main()) == ["1.1", "1.1"]
    finally:
        relay.stop()


def test_an_alternative_needs_the_origins_certificate(
    authority: trustme.CA, tmp_path: Any, origin: Callable[..., ScriptedServer], ca_file: str
) -> None:
    impostor = Http3Server(authority.issue_cert("other.example"), tmp_path)
    try:
        server = origin(f'h3=":{impostor.port}"')
        with pabal.Session(verify=ca_file, http=ALL) as session:
            assert versions(session, server, 3) == ["1.1"] * 3
        assert impostor.requests == []
    finally:
        impostor.stop()


def test_the_safe_resolver_judges_alternatives_too(
    origin: Callable[..., ScriptedServer], http3_server: Http3Server, ca_file: str
) -> None:
    server = origin(f'h3="127.0.0.2:{http3_server.port}"')
    guard = pabal.SafeResolver(allow=["127.0.0.1"])
    with pabal.Session(verify=ca_file, http=ALL, resolver=guard) as session:
        assert versions(session, server, 3) == ["1.1"] * 3


# --- who is asked there -----------------------------------------------------------------------------------------------


def test_a_request_says_which_alternative_it_came_to(
    http3_server: Http3Server, origin: Callable[..., ScriptedServer], ca_file: str
) -> None:
    server = origin(f'h3="localhost:{http3_server.port}"')
    with pabal.Session(verify=ca_file, http=ALL) as session:
        assert versions(session, server, 2) == ["1.1", "3"]
    assert http3_server.requests[-1].field(b"alt-used") == f"localhost:{http3_server.port}".encode()
    with pabal.Session(verify=ca_file, http="3") as session:
        session.get(f"{http3_server.url}/price", timeout=20)
    assert http3_server.requests[-1].field(b"alt-used") == b""


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("POST", b"x")])
def test_an_alternative_that_does_not_answer_for_the_origin_is_left(
    method: str,
    body: bytes | None,
    authority: trustme.CA,
    tmp_path: Any,
    origin: Callable[..., ScriptedServer],
    ca_file: str,
) -> None:
    stranger = Http3Server(authority.issue_cert("127.0.0.1"), tmp_path, lambda request: request.respond(421))
    try:
        server = origin(f'h3=":{stranger.port}"')
        with pabal.Session(verify=ca_file, http=ALL) as session:
            assert versions(session, server, 1) == ["1.1"]
            response = session.request(method, f"{server.url}/price", content=body, timeout=20)
            assert (response.status_code, response.http_version, response.content) == (200, "1.1", b"tcp")
            assert versions(session, server, 2) == ["1.1", "1.1"]  # though the origin has said it again
        assert len(stranger.requests) == 1
    finally:
        stranger.stop()


def test_an_alternative_is_left_when_it_is_taken_back(
    authority: trustme.CA, tmp_path: Any, origin: Callable[..., ScriptedServer], ca_file: str
) -> None:
    closing = Http3Server(
        authority.issue_cert("127.0.0.1"),
        tmp_path,
        lambda request: request.respond(200, QUOTE, [(b"alt-svc", b"clear")]),
    )
    try:
        server = origin(f'h3=":{closing.port}"')
        with pabal.Session(verify=ca_file, http=ALL) as session:
            assert versions(session, server, 3) == ["1.1", "3", "1.1"]
    finally:
        closing.stop()


# --- frames of HTTP/2 (section 4) -------------------------------------------------------------------------------------


@pytest.fixture
def http2_origin(
    scripted: Callable[..., ScriptedServer], authority: trustme.CA
) -> Callable[[Callable[[H2Connection, int, bytes], None]], ScriptedServer]:
    """``http2_origin(say)``: answers over HTTP/2, after ``say(connection, stream, authority of the request)``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    context.set_alpn_protocols(["h2"])

    def start(say: Callable[[H2Connection, int, bytes], None]) -> ScriptedServer:
        def answer(connection: Connection) -> None:
            http = H2Connection(H2Configuration(client_side=False, header_encoding=None))
            http.initiate_connection()
            connection.send(http.data_to_send())
            while received := connection.socket.recv(65536):
                for event in http.receive_data(received):
                    if isinstance(event, RequestReceived):
                        say(http, event.stream_id, dict(event.headers)[b":authority"])
                        http.send_headers(event.stream_id, [(":status", "200")])
                        http.send_data(event.stream_id, b"tcp", end_stream=True)
                connection.send(http.data_to_send())

        return scripted(answer, tls=context)

    return start


@pytest.mark.parametrize("on_stream", [True, False])
def test_a_frame_says_it_as_well(
    on_stream: bool, http3_server: Http3Server, http2_origin: Callable[..., ScriptedServer], ca_file: str
) -> None:
    def say(http: H2Connection, stream: int, authority: bytes) -> None:
        value = f'h3=":{http3_server.port}"'.encode()
        if on_stream:
            http.advertise_alternative_service(value, stream_id=stream)
        else:
            http.advertise_alternative_service(value, origin=b"https://" + authority)

    server = http2_origin(say)
    with pabal.Session(verify=ca_file, http=ALL) as session:
        assert versions(session, server, 3) == ["2", "3", "3"]


def test_a_frame_says_nothing_of_other_origins(
    http3_server: Http3Server, http2_origin: Callable[..., ScriptedServer], ca_file: str
) -> None:
    def say(http: H2Connection, stream: int, authority: bytes) -> None:
        for other in (b"http://" + authority, b"https://localhost:1", b"https://" + authority + b"0", b"x"):
            http.advertise_alternative_service(f'h3=":{http3_server.port}"'.encode(), origin=other)

    server = http2_origin(say)
    with pabal.Session(verify=ca_file, http=ALL) as session:
        assert versions(session, server, 3) == ["2", "2", "2"]


# --- what outlives the session ----------------------------------------------------------------------------------------


def lines(path: Path) -> list[str]:
    """Those of a file of alternatives that are no comments."""
    return [line for line in path.read_text().splitlines() if not line.startswith("#")]


def line_of(origin: str, place: str, until: str = "20990101 00:00:00") -> str:
    """A line of such a file, for HTTP/3; ``origin`` and ``place`` are hosts and ports."""
    return f'h2 {origin.replace(":", " ")} h3 {place.replace(":", " ")} "{until}" 0 0'


def authority_of(server: ScriptedServer) -> str:
    return server.url.removeprefix("https://")


def test_the_next_session_begins_where_the_last_one_was_sent(
    http3_server: Http3Server, no_leaks: None, origin: Callable[..., ScriptedServer], ca_file: str, tmp_path: Path
) -> None:
    path = tmp_path / "known"
    server = origin(f'h3=":{http3_server.port}"; ma=3600; persist=1')
    with pabal.Session(verify=ca_file, http=ALL, alternatives_file=path) as session:
        assert versions(session, server, 1) == ["1.1"]
        assert not path.exists()
    (line,) = lines(path)
    assert line.startswith(f'h2 127.0.0.1 {server.port} h3 127.0.0.1 {http3_server.port} "20')
    assert line.endswith('" 1 0')
    assert path.stat().st_mode & 0o777 == 0o600
    server.close()  # there is no other way any more
    with pabal.Session(verify=ca_file, http=ALL, alternatives_file=str(path)) as session:
        assert versions(session, server, 2) == ["3", "3"]
    assert lines(path) == [line], "nothing was said that was not known"


def test_an_async_session_remembers_from_one_loop_to_the_next(
    http3_server: Http3Server, origin: Callable[..., ScriptedServer], ca_file: str, tmp_path: Path
) -> None:
    path = tmp_path / "known"
    server = origin(f'h3=":{http3_server.port}"')
    session = pabal.AsyncSession(verify=ca_file, http=ALL, alternatives_file=path)

    async def version(of: pabal.AsyncSession) -> str:
        return (await of.get(f"{server.url}/price", timeout=20)).http_version

    async def last() -> str:
        async with session:
            return await version(session)

    assert asyncio.run(version(session)) == "1.1"
    assert len(lines(path)) == 1
    server.close()
    assert asyncio.run(last()) == "3"
    assert asyncio.run(version(pabal.AsyncSession(verify=ca_file, http=ALL, alternatives_file=path))) == "3"


def test_what_an_origin_takes_back_is_gone_from_the_file(
    origin: Callable[..., ScriptedServer], ca_file: str, tmp_path: Path
) -> None:
    path = tmp_path / "known"
    server = origin("clear")
    other = line_of("other.example:443", "edge.example:8443")
    path.write_text(f"{line_of(authority_of(server), '127.0.0.1:1')}\n{other}\n")
    with pabal.Session(verify=ca_file, http=ALL, alternatives_file=path) as session:
        assert versions(session, server, 1) == ["1.1"]
    assert lines(path) == [other]


def test_what_is_written_meanwhile_is_kept(origin: Callable[..., ScriptedServer], ca_file: str, tmp_path: Path) -> None:
    path = tmp_path / "known"
    first, second = origin('h3=":1"'), origin('h3=":1"')
    with pabal.Session(verify=ca_file, http=ALL, alternatives_file=path) as session:
        versions(session, first, 1)
        with pabal.Session(verify=ca_file, http=ALL, alternatives_file=path) as other:
            versions(other, second, 1)
        assert len(lines(path)) == 1
    assert [line.split()[2] for line in lines(path)] == [str(second.port), str(first.port)]


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_forked_child_adds_what_it_learns(
    origin: Callable[..., ScriptedServer], ca_file: str, tmp_path: Path
) -> None:
    path = tmp_path / "known"
    parents, childs = origin('h3=":1"'), origin('h3=":1"')
    session = pabal.Session(verify=ca_file, http=ALL, alternatives_file=path)
    versions(session, parents, 1)
    process = os.fork()
    if process == 0:
        try:
            versions(session, childs, 1)
            session.close()
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(process, 0)[1] == 0
    assert [line.split()[2] for line in lines(path)] == [str(childs.port)]
    session.close()
    assert [line.split()[2] for line in lines(path)] == [str(childs.port), str(parents.port)]


@pytest.mark.parametrize("kind", [pabal.Session, pabal.AsyncSession])
def test_a_file_that_cannot_be_read_is_refused_when_the_session_is_made(kind: Any, tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match="alternatives_file cannot be read") as refused:
        kind(alternatives_file=tmp_path)
    assert refused.value.filename == str(tmp_path)
    with pytest.raises(FileNotFoundError, match="alternatives_file is in no folder that exists"):
        kind(alternatives_file=tmp_path / "none" / "known")
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        kind(alternatives_file=tmp_path / "file" / "known")


@pytest.mark.parametrize("waits", [True, False])
def test_a_file_that_cannot_be_written_keeps_no_session_open(
    waits: bool, origin: Callable[..., ScriptedServer], ca_file: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "known"
    server = origin('h3=":1"')
    before = line_of("other.example:443", "edge.example:8443")
    path.write_text(before)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    async def use() -> None:
        async with pabal.AsyncSession(verify=ca_file, http=ALL, alternatives_file=path) as session:
            await session.get(f"{server.url}/price", timeout=20)
            resource.setrlimit(resource.RLIMIT_FSIZE, (4, limits[1]))

    with caplog.at_level(logging.WARNING, "pabal"):
        try:
            if waits:
                with pabal.Session(verify=ca_file, http=ALL, alternatives_file=path) as session:
                    versions(session, server, 1)
                    resource.setrlimit(resource.RLIMIT_FSIZE, (4, limits[1]))
            else:
                asyncio.run(use())
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    (told,) = caplog.records
    assert told.getMessage() == f"alternatives_file {path} cannot be written: File too large"
    assert path.read_text() == before
    assert os.listdir(tmp_path) == ["known"]


def test_copies_have_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pabal.Session(alternatives_file="known") as session, copy.copy(session) as other:
        assert session.alternatives_file == other.alternatives_file == str(tmp_path / "known")
    with pabal.Session() as session:
        assert session.alternatives_file is None


def test_curl_may_use_the_same_file(
    http3_server: Http3Server, origin: Callable[..., ScriptedServer], ca_file: str, tmp_path: Path
) -> None:
    path = tmp_path / "known"

    def curl(server: ScriptedServer) -> None:
        command = [program("curl", "curl"), "-sS", "--max-time", "20", "--cacert", ca_file, "--alt-svc", path]
        subprocess.run([*command, f"{server.url}/price"], check=True, capture_output=True, env=their_environment())

    curls, ours = (origin(f'h3=":{http3_server.port}"; ma=3600') for _ in range(2))
    curl(curls)
    assert lines(path)[0].startswith("h1 "), "curl says how it has spoken with the origin"
    curls.close()
    with pabal.Session(verify=ca_file, http=ALL, alternatives_file=path) as session:
        assert versions(session, curls, 1) == ["3"]
        assert versions(session, ours, 1) == ["1.1"]
    both = lines(path)
    assert [line.split()[2] for line in both] == [str(curls.port), str(ours.port)]
    third = origin('h3=":1"; ma=3600')
    curl(third)  # which writes again what it could read
    assert lines(path)[:2] == both
    assert len(lines(path)) == 3
