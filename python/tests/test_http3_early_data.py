"""HTTP/3 requests that leave before the handshake is done (0-RTT, RFC 8470), with aioquic."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pabal
import pytest
import trustme
from support.http3 import QUOTE, Http3Server, Request, SilentPort, answer

Run = Callable[[Any], Any]


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


def meet(session: pabal.Session, server: Http3Server) -> None:
    """The session gets to know the server, and is left without a connection to it."""
    assert session.get(f"{server.url}/price").content == QUOTE
    with pytest.raises(pabal.PabalError):
        session.post(f"{server.url}/close?100")
    server.requests.clear()


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_safe_request_leaves_before_the_handshake_is_done(
    method: str, no_leaks: None, start: Callable[..., Http3Server], ca_file: str
) -> None:
    server = start()
    with pabal.Session(verify=ca_file, http="3") as session:
        assert session.early_data
        meet(session, server)
        response = session.request(method, f"{server.url}/nothing")
        connection = response.trace.connection
        assert connection is not None
        assert (response.status_code, connection.tls_resumed, connection.alpn) == (404, True, "h3")
        assert [request.early for request in server.requests] == [True]
        session.get(f"{server.url}/price")
        assert server.connections == 2


@pytest.mark.parametrize(("method", "body"), [("POST", None), ("POST", b"x"), ("GET", b"x"), ("DELETE", None)])
def test_others_wait_for_it(method: str, body: bytes | None, start: Callable[..., Http3Server], ca_file: str) -> None:
    server = start()
    with pabal.Session(verify=ca_file, http="3") as session:
        meet(session, server)
        assert session.request(method, f"{server.url}/price", content=body).content == QUOTE
    assert [request.early for request in server.requests] == [False]
    assert server.connections == 2


def test_nothing_is_early_where_that_is_not_wanted(start: Callable[..., Http3Server], ca_file: str) -> None:
    server = start()
    with pabal.Session(verify=ca_file, http="3", early_data=False) as session:
        assert not session.early_data
        meet(session, server)
        connection = session.get(f"{server.url}/price").trace.connection
        assert connection is not None and connection.tls_resumed
    assert [request.early for request in server.requests] == [False]


def test_what_the_server_throws_away_is_sent_again(start: Callable[..., Http3Server], ca_file: str, run: Run) -> None:
    server = start()

    async def main() -> None:
        async with pabal.AsyncSession(verify=ca_file, http="3") as session:
            assert (await session.get(f"{server.url}/price")).content == QUOTE
            with pytest.raises(pabal.PabalError):
                await session.post(f"{server.url}/close?100")
            server.requests.clear()
            server.forget_tickets()
            paths = [f"/echo?n={number}" for number in range(40)]
            answers = await asyncio.gather(
                *(session.get(server.url + path) for path in paths[::2]),
                *(session.post(server.url + path, content=b"x") for path in paths[1::2]),
            )
        assert sorted(each.text for each in answers) == sorted(
            f"{'GET' if number % 2 == 0 else 'POST'}|n={number}|{number % 2}|[]" for number in range(40)
        )
        connections = [each.trace.connection for each in answers]
        assert not any(each is None or each.tls_resumed for each in connections)

    run(main())
    assert [request.early for request in server.requests] == [False] * 40
    assert server.connections == 2


def test_a_request_that_is_given_up_before_the_server_throws_it_away(
    no_leaks: None, start: Callable[..., Http3Server], ca_file: str, run: Run
) -> None:
    server = start()

    async def main() -> None:
        async with pabal.AsyncSession(verify=ca_file, http="3") as session:
            assert (await session.get(f"{server.url}/price")).content == QUOTE
            with pytest.raises(pabal.PabalError):
                await session.post(f"{server.url}/close?100")
            server.forget_tickets()
            tasks = [asyncio.ensure_future(session.get(f"{server.url}/price")) for _ in range(10)]
            await asyncio.sleep(0)
            for task in tasks[::2]:
                task.cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(each.content == QUOTE for each in outcomes[1::2] if isinstance(each, pabal.Response))
            assert all(isinstance(each, asyncio.CancelledError) for each in outcomes[::2])
            assert (await session.get(f"{server.url}/price")).content == QUOTE

    run(main())


def test_a_server_that_finds_it_too_early_gets_it_later(start: Callable[..., Http3Server], ca_file: str) -> None:
    def cautious(request: Request) -> None:
        request.respond(425) if request.early else answer(request)

    server = start(cautious)
    with pabal.Session(verify=ca_file, http="3") as session:
        meet(session, server)
        response = session.get(f"{server.url}/price")
        assert (response.status_code, response.content, response.history) == (200, QUOTE, [])
    assert [request.early for request in server.requests] == [True, False]
    assert server.connections == 2


def test_too_early_is_an_answer_to_what_was_not(start: Callable[..., Http3Server], ca_file: str) -> None:
    server = start(lambda request: request.respond(425))
    with pabal.Session(verify=ca_file, http="3") as session:
        assert session.get(f"{server.url}/price").status_code == 425
    assert len(server.requests) == 1


def test_a_server_that_is_gone_is_named_as_ever(start: Callable[..., Http3Server], ca_file: str) -> None:
    server = start()
    with pabal.Session(verify=ca_file, http="3") as session:
        meet(session, server)
        server.stop()
        with pytest.raises(pabal.exceptions.ConnectError) as caught:
            session.get(f"{server.url}/price", timeout=20)
        assert caught.value.code == "connection_refused"
    server.stop = lambda: None  # type: ignore[method-assign]


def test_a_server_that_has_fallen_silent_is_asked_once_more_and_then_named(
    no_leaks: None, start: Callable[..., Http3Server], ca_file: str
) -> None:
    server = start()
    with pabal.Session(verify=ca_file, http="3") as session:
        meet(session, server)
        server.stop()
        silent = SilentPort(server.port)
        try:
            with pytest.raises(pabal.exceptions.ConnectTimeout) as caught:
                session.get(f"{server.url}/price", timeout=pabal.Timeout(connect=0.2))
            assert caught.value.phase == "connect"
        finally:
            silent.close()
    server.stop = lambda: None  # type: ignore[method-assign]
