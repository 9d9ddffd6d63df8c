"""HTTP/2 with nginx: what is negotiated, what is shared, what a server that goes away costs."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import pabal
import pytest
import trustme
from support.nginx import QUOTE, Nginx, speaking_http2
from support.proxies import Squid
from support.scripted import Connection, ScriptedServer

Run = Callable[[Any], Any]
BOTH = ("1.1", "2")


@pytest.fixture(scope="module")
def http2_nginx(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    server = speaking_http2(authority, tmp_path_factory.mktemp("http2"), plain=True)
    (server.www / "large").write_bytes(bytes(range(256)) * 40_000)
    (server.www / "words.txt").write_bytes(b"so many words " * 1000)
    yield server
    server.stop()


# --- negotiation ------------------------------------------------------------------------------------------------------


def test_a_tls_server_chooses(http2_nginx: Nginx, nginx: Nginx, ca_file: str) -> None:
    with pabal.Session(verify=ca_file, http=BOTH) as session:
        modern, old = session.get(f"{http2_nginx.tls_url}/price"), session.get(f"{nginx.tls_url}/price")
        assert session.http == {"1.1", "2"}
    assert (modern.http_version, modern.content, modern.reason) == ("2", QUOTE, "OK")
    assert modern.trace.connection is not None and modern.trace.connection.alpn == "h2"
    assert (old.http_version, old.content) == ("1.1", QUOTE)


@pytest.mark.parametrize("http", [None, "1.1", ["1.1"], {"1.1", "2"}, ("2",), "2"])
def test_a_session_says_what_may_be_spoken(http: Any, http2_nginx: Nginx, ca_file: str) -> None:
    with pabal.Session(verify=ca_file, http=http) as session:
        response = session.get(f"{http2_nginx.tls_url}/price")
    assert response.http_version == ("2" if http is None or "2" in http else "1.1")


def test_a_server_without_it_is_told_apart_from_one_that_is_down(nginx: Nginx, ca_file: str) -> None:
    with (
        pabal.Session(verify=ca_file, http="2") as session,
        pytest.raises(pabal.PabalError, match=r"does not speak HTTP/2|no application protocol") as caught,
    ):
        session.get(f"{nginx.tls_url}/price")
    assert caught.value.whose == "peer"


def test_without_tls_it_is_spoken_only_where_nothing_else_may_be(http2_nginx: Nginx, nginx: Nginx) -> None:
    with pabal.Session() as session:
        assert session.get(f"{nginx.url}/price").http_version == "1.1"
    with pabal.Session(http="2") as session:
        for _ in range(3):
            response = session.get(f"{http2_nginx.url}/price")
            assert (response.http_version, response.content) == ("2", QUOTE)


def test_it_passes_through_a_tunnel_and_no_proxy_is_asked_to_speak_it(
    http2_nginx: Nginx, authority: trustme.CA, ca_file: str
) -> None:
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    chain = b"".join(blob.bytes() for blob in certificate.cert_chain_pems)
    squid = Squid(chain, certificate.private_key_pem.bytes(), False)
    try:
        for proxy in (f"http://{squid.address}", f"https://127.0.0.1:{squid.tls_port}"):
            with pabal.Session(verify=ca_file, http=BOTH, proxy=proxy) as session:
                assert session.get(f"{http2_nginx.tls_url}/price").http_version == "2"
    finally:
        squid.stop()


def test_the_requests_face_speaks_http_1_1(http2_nginx: Nginx, ca_file: str) -> None:
    from pabal import requests

    response = requests.get(f"{http2_nginx.tls_url}/price", verify=ca_file)
    assert response.raw.version == 11


# --- exchanges --------------------------------------------------------------------------------------------------------


def test_a_burst_shares_one_connection(http2_nginx: Nginx, ca_file: str, run: Run) -> None:
    async def main() -> None:
        async with pabal.AsyncSession(verify=ca_file, http=BOTH) as session:
            urls = [f"{http2_nginx.tls_url}/headers?n={number}" for number in range(100)]
            responses = await asyncio.gather(*(session.get(url) for url in urls))
        assert [response.text.split("|")[3] for response in responses] == [f"n={number}" for number in range(100)]
        locals_ = {response.trace.connection.local_address for response in responses}
        assert len(locals_) == 1

    run(main())


def test_more_at_once_than_a_connection_takes_open_another(
    authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory, ca_file: str
) -> None:
    server = speaking_http2(authority, tmp_path_factory.mktemp("few"), streams=4)

    async def main() -> None:
        async with pabal.AsyncSession(
            verify=ca_file, http=BOTH, limits=pabal.Limits(max_connections_per_host=3)
        ) as session:
            await session.get(f"{server.tls_url}/price")  # after which the server's limit is known
            responses = await asyncio.gather(*(session.get(f"{server.tls_url}/price") for _ in range(200)))
        assert all(response.content == QUOTE for response in responses)
        assert 1 <= len({response.trace.connection.local_address for response in responses}) <= 3

    try:
        asyncio.run(main())
    finally:
        server.stop()


@pytest.mark.parametrize("size", [0, 1, 100_000, 5_000_000])
def test_bodies_go_both_ways(size: int, http2_nginx: Nginx, ca_file: str) -> None:
    with pabal.Session(verify=ca_file, http=BOTH) as session:
        sent = session.post(f"{http2_nginx.tls_url}/headers?a=b", content=b"x" * size)
        assert sent.status_code == (413 if size > 1_048_576 else 200)
        if sent.ok:
            assert sent.text.split("|")[2:] == ["POST", "a=b", str(size)]
        pieces = iter([b"x" * 1000] * 100)
        streamed = session.put(f"{http2_nginx.tls_url}/headers", content=pieces)
        assert (streamed.status_code, streamed.http_version) == (200, "2")
        assert session.get(f"{http2_nginx.tls_url}/large").content == bytes(range(256)) * 40_000


def test_a_streamed_body_waits_for_its_reader(http2_nginx: Nginx, ca_file: str, run: Run) -> None:
    async def main() -> None:
        async with pabal.AsyncSession(verify=ca_file, http=BOTH) as session:
            received = 0
            async with session.stream("GET", f"{http2_nginx.tls_url}/large") as slow:
                for _ in range(5):  # the others pass it by
                    assert (await session.get(f"{http2_nginx.tls_url}/price")).content == QUOTE
                async for piece in slow.aiter_bytes():
                    received += len(piece)
            assert received == 256 * 40_000
            async with session.stream("GET", f"{http2_nginx.tls_url}/large") as given_up:
                async for piece in given_up.aiter_bytes():
                    assert piece.startswith(bytes(range(10)))
                    break
            again = await session.get(f"{http2_nginx.tls_url}/words.txt")
            assert again.content == b"so many words " * 1000
            assert again.headers["Content-Encoding"] == "gzip"

    run(main())


def test_redirects_cookies_and_heads(http2_nginx: Nginx, ca_file: str) -> None:
    with pabal.Session(verify=ca_file, http=BOTH) as session:
        moved = session.get(f"{http2_nginx.tls_url}/moved")
        assert (moved.content, [hop.http_version for hop in moved.history]) == (QUOTE, ["2"])
        session.get(f"{http2_nginx.tls_url}/cookies", cookies={"own": "1"})
        assert session.get(f"{http2_nginx.tls_url}/cookies").text.startswith("seen=own=1")
        head = session.head(f"{http2_nginx.tls_url}/large")
        assert (head.content, head.headers["content-length"]) == (b"", str(256 * 40_000))
        assert session.get(f"{http2_nginx.tls_url}/none").status_code == 204
        assert session.get(f"{http2_nginx.tls_url}/private", auth=("user", "secret")).content == b"welcome"


def test_cancelled_requests_leave_the_connection_to_the_others(http2_nginx: Nginx, ca_file: str, run: Run) -> None:
    async def main() -> None:
        async with pabal.AsyncSession(verify=ca_file, http=BOTH) as session:
            first = await session.get(f"{http2_nginx.tls_url}/price")
            tasks = [asyncio.ensure_future(session.get(f"{http2_nginx.tls_url}/large")) for _ in range(50)]
            await asyncio.sleep(0)
            for task in tasks[::2]:
                task.cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
            assert sum(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes) == 25
            assert all(len(o.content) == 256 * 40_000 for o in outcomes if isinstance(o, pabal.Response))
            last = await session.get(f"{http2_nginx.tls_url}/price")
            assert last.trace.connection.local_address == first.trace.connection.local_address

    run(main())


# --- servers that go away ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_a_server_that_goes_away_did_not_process_is_sent_again(
    method: str, authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory, ca_file: str
) -> None:
    server = speaking_http2(authority, tmp_path_factory.mktemp("goaway"), connection_serves=30)

    async def main() -> None:
        async with pabal.AsyncSession(verify=ca_file, http=BOTH) as session:
            for _ in range(5):
                asked = (session.request(method, f"{server.tls_url}/headers?a=b") for _ in range(25))
                responses = await asyncio.gather(*asked)
                assert [response.status_code for response in responses] == [200] * 25

    try:
        asyncio.run(main())
    finally:
        server.stop()


def test_a_server_that_only_claims_to_speak_it(
    scripted: Callable[..., ScriptedServer], authority: trustme.CA, ca_file: str
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    context.set_alpn_protocols(["h2"])

    def answer(connection: Connection) -> None:
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        connection.wait_closed()

    server = scripted(answer, tls=context)
    with pabal.Session(verify=ca_file, http=BOTH) as session, pytest.raises(pabal.exceptions.ProtocolError) as caught:
        session.get(server.url, timeout=10)
    assert caught.value.whose == "peer"


def test_bodies_that_are_given_up_cost_nobody_else_anything(http2_nginx: Nginx, ca_file: str) -> None:
    async def asked() -> list[str]:
        async with pabal.AsyncSession(verify=ca_file) as session:
            connections: set[str] = set()
            for _ in range(80):  # what is on its way of each is dozens of frames
                async with session.stream("GET", f"{http2_nginx.tls_url}/large") as response:
                    async for piece in response.aiter_bytes(1000):
                        assert piece
                        break
                answer = await session.get(f"{http2_nginx.tls_url}/price")
                assert answer.content == QUOTE and answer.trace.connection is not None
                connections.add(answer.trace.connection.local_address)
            return sorted(connections)

    assert len(asyncio.run(asked())) == 1
