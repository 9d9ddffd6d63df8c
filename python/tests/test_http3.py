"""HTTP/3 with aioquic: over a good network and a bad one, and what is told when it cannot be spoken."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any, cast

import pabal
import pytest
import trustme
from support.datagram_relay import Relay
from support.http3 import LARGE, QUOTE, Http3Server, Request, SilentPort, answer

Run = Callable[[Any], Any]


@pytest.fixture(scope="module")
def server(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Http3Server]:
    made = Http3Server(authority.issue_cert("127.0.0.1", "localhost"), tmp_path_factory.mktemp("http3"))
    yield made
    made.stop()


@pytest.fixture
def start(authority: trustme.CA, tmp_path: Any) -> Iterator[Callable[..., Http3Server]]:
    """``start(answer)`` starts a server that lives as long as the test."""
    started: list[Http3Server] = []

    def begin(answer: Callable[[Request], None] = answer, **options: Any) -> Http3Server:
        started.append(Http3Server(authority.issue_cert("127.0.0.1"), tmp_path, answer, **options))
        return started[-1]

    yield begin
    for each in started:
        each.stop()


# --- exchanges --------------------------------------------------------------------------------------------------------


def test_a_session_that_speaks_nothing_else(server: Http3Server, ca_file: str, no_leaks: None) -> None:
    with pabal.Session(verify=ca_file, http="3") as session:
        before = server.connections
        for _ in range(3):
            response = session.get(f"{server.url}/price")
            assert (response.status_code, response.http_version, response.content) == (200, "3", QUOTE)
        assert response.trace.connection is not None
        assert (response.trace.connection.alpn, response.trace.connection.tls_version) == ("h3", "TLSv1.3")
        assert server.connections == before + 1
        assert session.http == {"3"}


def test_it_need_not_be_asked_for() -> None:
    with pabal.Session() as session:
        assert session.http == {"1.1", "2", "3"}


def test_names_are_resolved_and_every_address_tried(server: Http3Server, ca_file: str) -> None:
    with pabal.Session(verify=ca_file, http="3") as session:
        assert session.get(f"https://localhost:{server.port}/price").content == QUOTE


def test_a_burst_shares_one_connection(server: Http3Server, ca_file: str, run: Run) -> None:
    async def main() -> None:
        async with pabal.AsyncSession(verify=ca_file, http="3") as session:
            urls = [f"{server.url}/echo?n={number}" for number in range(300)]
            responses = await asyncio.gather(*(session.get(url) for url in urls))
        assert [response.text.split("|")[1] for response in responses] == [f"n={number}" for number in range(300)]

    before = server.connections
    run(main())
    # aioquic allows 128 at once; what is beyond may open others, as many as are needed.
    assert server.connections - before <= 3


@pytest.mark.parametrize("size", [0, 1, 100_000, 3_000_000])
def test_bodies_go_both_ways(size: int, server: Http3Server, ca_file: str) -> None:
    with pabal.Session(verify=ca_file, http="3") as session:
        sent = session.post(f"{server.url}/echo?a=b", content=b"x" * size)
        assert sent.text == f"POST|a=b|{size}|[]"
        streamed = session.put(
            f"{server.url}/echo", content=iter([b"x" * 1000] * (size // 1000)), trailers={"Sum": "1"}
        )
        assert streamed.text == f"PUT||{size // 1000 * 1000}|[(b'sum', b'1')]"
        assert session.get(f"{server.url}/large").content == LARGE


def test_early_hints_and_trailers(server: Http3Server, ca_file: str) -> None:
    with pabal.Session(verify=ca_file, http="3") as session:
        response = session.get(f"{server.url}/early")
        assert (response.text, response.trailers["checksum"]) == ("body", "4")


def test_redirects_cookies_and_heads(server: Http3Server, ca_file: str) -> None:
    with pabal.Session(verify=ca_file, http="3") as session:
        moved = session.get(f"{server.url}/moved")
        assert (moved.content, [hop.http_version for hop in moved.history]) == (QUOTE, ["3"])
        session.get(f"{server.url}/cookie")
        assert session.get(f"{server.url}/cookie").content == b"seen=1"
        assert session.get(f"{server.url}/nothing").status_code == 404


def test_a_streamed_body_waits_for_its_reader(server: Http3Server, ca_file: str, run: Run) -> None:
    async def main() -> None:
        async with pabal.AsyncSession(verify=ca_file, http="3") as session:
            received = 0
            async with session.stream("GET", f"{server.url}/large") as slow:
                for _ in range(5):  # the others pass it by
                    assert (await session.get(f"{server.url}/price")).content == QUOTE
                async for piece in slow.aiter_bytes():
                    received += len(piece)
            assert received == len(LARGE)
            async with session.stream("GET", f"{server.url}/large") as given_up:
                async for piece in given_up.aiter_bytes():
                    assert piece.startswith(bytes(range(10)))
                    break
            assert (await session.get(f"{server.url}/price")).content == QUOTE

    run(main())


def test_cancelled_requests_leave_the_connection_to_the_others(server: Http3Server, ca_file: str, run: Run) -> None:
    async def main() -> None:
        async with pabal.AsyncSession(verify=ca_file, http="3") as session:
            first = await session.get(f"{server.url}/price")
            tasks = [asyncio.ensure_future(session.get(f"{server.url}/price")) for _ in range(40)]
            await asyncio.sleep(0)
            for task in tasks[::2]:
                task.cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
            assert sum(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes) == 20
            assert all(o.content == QUOTE for o in outcomes if isinstance(o, pabal.Response))
            last = await session.get(f"{server.url}/price")
            assert last.trace.connection.local_address == first.trace.connection.local_address

    run(main())


def test_a_new_connection_resumes_the_session_of_the_last(start: Callable[..., Http3Server], ca_file: str) -> None:
    server = start()
    with pabal.Session(verify=ca_file, http="3") as session:
        for resumed in (False, True, True):
            connection = session.get(f"{server.url}/price").trace.connection
            assert connection is not None and connection.tls_resumed is resumed
            with pytest.raises(pabal.PabalError):
                session.post(f"{server.url}/close?100")


def test_a_server_that_wants_proof_of_the_address_gets_it(start: Callable[..., Http3Server], ca_file: str) -> None:
    server = start(retry=True)
    with pabal.Session(verify=ca_file, http="3") as session:
        assert session.get(f"{server.url}/price").content == QUOTE


def test_an_idle_connection_that_the_server_forgets_costs_no_request(
    start: Callable[..., Http3Server], ca_file: str
) -> None:
    server = start(idle_timeout=0.5)
    with pabal.Session(verify=ca_file, http="3") as session:
        for _ in range(2):
            assert session.post(f"{server.url}/echo", content=b"x").text == "POST||1|[]"
            time.sleep(1)  # beyond what the server has said that it keeps an idle connection
    assert server.connections == 2


# --- bad networks -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "trouble",
    [{"loses": 0.05}, {"repeats": 0.2}, {"reorders": 0.15}, {"loses": 0.03, "repeats": 0.1, "reorders": 0.1}],
)
def test_what_a_bad_network_does_is_put_right(
    trouble: dict[str, float], server: Http3Server, ca_file: str, no_leaks: None
) -> None:
    relay = Relay(server.port, **cast(Any, trouble))
    try:
        with pabal.Session(verify=ca_file, http="3") as session:
            for _ in range(10):
                assert session.get(f"{relay.url}/price").content == QUOTE
            assert session.get(f"{relay.url}/large").content == LARGE
            sent = session.post(f"{relay.url}/echo", content=b"x" * 500_000)
            assert sent.text == "POST||500000|[]"
    finally:
        relay.stop()


def test_a_port_where_nobody_listens(ca_file: str) -> None:
    silent = SilentPort()
    silent.close()
    with pabal.Session(verify=ca_file, http="3") as session, pytest.raises(pabal.exceptions.ConnectError) as caught:
        session.get(silent.url, timeout=20)
    assert caught.value.code == "connection_refused"


def test_a_server_that_does_not_answer_runs_into_the_limit_for_connecting(ca_file: str, no_leaks: None) -> None:
    silent = SilentPort()
    try:
        with (
            pabal.Session(verify=ca_file, http="3") as session,
            pytest.raises(pabal.exceptions.ConnectTimeout) as caught,
        ):
            session.get(silent.url, timeout=pabal.Timeout(connect=0.2))
        assert caught.value.phase == "connect"
    finally:
        silent.close()


# --- servers that fail ------------------------------------------------------------------------------------------------


def test_a_server_that_is_silent_runs_into_the_limit_for_reading(server: Http3Server, ca_file: str) -> None:
    with pabal.Session(verify=ca_file, http="3") as session:
        for path in ("/never", "/half"):
            with pytest.raises(pabal.exceptions.ReadTimeout) as caught:
                session.get(f"{server.url}{path}", timeout=pabal.Timeout(read=0.3))
            assert caught.value.phase == "read"
        assert session.get(f"{server.url}/price").content == QUOTE  # on the same connection


def test_a_server_that_nobody_trusts(server: Http3Server, tmp_path: Any) -> None:
    other = str(tmp_path / "other.pem")
    trustme.CA().cert_pem.write_to_path(other)
    with pabal.Session(verify=other, http="3") as session, pytest.raises(pabal.exceptions.TLSError) as caught:
        session.get(f"{server.url}/price", timeout=20)
    assert (caught.value.code, caught.value.phase) == ("certificate_untrusted", "tls")


def test_a_certificate_for_another_host(authority: trustme.CA, tmp_path: Any, ca_file: str) -> None:
    server = Http3Server(authority.issue_cert("quotes.example"), tmp_path)
    try:
        with pabal.Session(verify=ca_file, http="3") as session, pytest.raises(pabal.exceptions.TLSError) as caught:
            session.get(f"{server.url}/price", timeout=20)
        assert caught.value.code == "certificate_wrong_host"
        assert "quotes.example" in str(caught.value)
    finally:
        server.stop()


def test_an_exchange_that_the_server_gives_up_says_why(server: Http3Server, ca_file: str) -> None:
    with pabal.Session(verify=ca_file, http="3") as session:
        with pytest.raises(pabal.PabalError, match="H3_INTERNAL_ERROR") as caught:
            session.get(f"{server.url}/reset?102")
        assert (caught.value.code, caught.value.whose) == ("stream_reset", "peer")
        assert session.get(f"{server.url}/price").content == QUOTE


def test_a_connection_that_the_server_ends_says_why(server: Http3Server, ca_file: str) -> None:
    with pabal.Session(verify=ca_file, http="3") as session:
        with pytest.raises(pabal.PabalError, match="so long") as caught:
            session.post(f"{server.url}/close?107")
        assert caught.value.whose == "peer"
        assert session.get(f"{server.url}/price").content == QUOTE


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_the_server_did_not_process_is_sent_again(
    method: str, start: Callable[..., Http3Server], ca_file: str
) -> None:
    refused: list[int] = []

    def refuse_once(request: Request) -> None:
        if refused:
            return request.respond(200, QUOTE)
        refused.append(request.stream)
        return request.reset(0x10B)

    server = start(refuse_once)
    with pabal.Session(verify=ca_file, http="3") as session:
        assert session.request(method, f"{server.url}/price").content == QUOTE
    assert len(refused) == 1


def test_a_server_that_goes_away_is_left_for_another_connection(
    start: Callable[..., Http3Server], ca_file: str
) -> None:
    def answer_and_go(request: Request) -> None:
        request.respond(200, QUOTE)
        request.go_away(request.stream + 4)

    server = start(answer_and_go)
    with pabal.Session(verify=ca_file, http="3") as session:
        for _ in range(4):
            assert session.post(f"{server.url}/price", content=b"x").content == QUOTE
            time.sleep(0.02)
    assert server.connections >= 2


# --- what it is not for -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "options", "why"),
    [
        ("http://127.0.0.1:9/", {}, "https only"),
        ("https://127.0.0.1:9/", {"proxy": "http://127.0.0.1:9"}, "no proxy"),
        ("http+unix://%2Ftmp%2Fx/", {}, "https only"),
    ],
)
def test_where_it_cannot_go(url: str, options: dict[str, Any], why: str) -> None:
    with pabal.Session(http="3", **options) as session, pytest.raises(pabal.PabalError, match=why) as caught:
        session.get(url)
    assert (caught.value.code, caught.value.whose) == ("unsupported", "caller")
