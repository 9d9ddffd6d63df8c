"""HTTP/2 of pabal's own server, with clients that nobody here wrote and with its own: one port for both versions."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pabal
import pytest
from support.demo import Demo, output, program

Run = Callable[[Any], Any]
QUOTE = b'{"symbol":"BTC","price":123.45}'
CURL, NGHTTP = ("curl", "curl"), ("nghttp", "nghttp2-client")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    server = Demo(tmp_path_factory.mktemp("demo"))
    yield server
    server.stop()


# --- negotiation ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("flag", "version"), [("--http1.1", b"1.1"), ("--http2", b"2")])
def test_one_port_speaks_both_versions_over_tls(demo: Demo, flag: str, version: bytes) -> None:
    said = output(
        program(*CURL), "-sS", flag, "--cacert", demo.ca_file, "-w", "|%{http_version}", f"{demo.tls_url}/price"
    )
    assert said == QUOTE + b"|" + version


@pytest.mark.parametrize(("flag", "version"), [("--http1.1", b"1.1"), ("--http2-prior-knowledge", b"2")])
def test_one_port_speaks_both_versions_without_tls(demo: Demo, flag: str, version: bytes) -> None:
    assert output(program(*CURL), "-sS", flag, "-w", "|%{http_version}", f"{demo.url}/price") == QUOTE + b"|" + version


@pytest.mark.parametrize(("http", "version"), [("1.1", "1.1"), (("1.1", "2"), "2"), ("2", "2")])
def test_our_own_client_is_given_what_it_may_speak(demo: Demo, http: Any, version: str) -> None:
    with pabal.Session(verify=demo.ca_file, http=http) as session:
        response = session.get(f"{demo.tls_url}/price")
    assert (response.http_version, response.content) == (version, QUOTE)


# --- exchanges --------------------------------------------------------------------------------------------------------


def test_a_burst_of_our_own_client_shares_one_connection(demo: Demo, run: Run) -> None:
    async def main() -> None:
        async with pabal.AsyncSession(verify=demo.ca_file, http="2") as session:
            symbols = [f"S{number}" for number in range(1000)]
            responses = await asyncio.gather(*(session.get(f"{demo.tls_url}/quotes/{each}") for each in symbols))
        assert [response.json()["symbol"] for response in responses] == symbols

    run(main())


@pytest.mark.parametrize("where", ["tls_url", "url"])
def test_bodies_go_both_ways(demo: Demo, where: str) -> None:
    base = getattr(demo, where)
    body = bytes(range(256)) * 20_000
    with pabal.Session(verify=demo.ca_file, http="2") as session:
        assert session.post(f"{base}/echo", data=body).content == body
        large = session.get(f"{base}/bytes/20000000")
        assert (large.http_version, len(large.content), set(large.content)) == ("2", 20_000_000, {ord("p")})
        assert session.head(f"{base}/bytes/1000").headers["content-length"] == "1000"
        assert session.get(f"{base}/nothing").status_code == 404


def test_curl_sends_and_takes_a_body(demo: Demo, tmp_path: Path) -> None:
    body = bytes(range(256)) * 20_000
    (tmp_path / "body").write_bytes(body)
    upload = ("--data-binary", f"@{tmp_path / 'body'}", f"{demo.tls_url}/echo")
    assert output(program(*CURL), "-sS", "--http2", "--cacert", demo.ca_file, *upload) == body


def test_an_early_answer_is_heard_by_who_is_still_sending(demo: Demo, tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(bytes(50_000))
    unread = ("--data-binary", f"@{tmp_path / 'body'}", f"{demo.tls_url}/bytes/5")
    assert output(program(*CURL), "-sS", "--http2", "--cacert", demo.ca_file, *unread) == b"ppppp"
    with httpx.Client(http2=True, verify=ssl.create_default_context(cafile=demo.ca_file)) as client:
        assert client.post(f"{demo.tls_url}/bytes/5", content=bytes(50_000)).text == "ppppp"
    with pabal.Session(verify=demo.ca_file, http="2") as session:
        for _ in range(3):
            assert session.post(f"{demo.tls_url}/echo", data=bytes(20 << 20)).status_code == 413
            assert session.post(f"{demo.tls_url}/bytes/5", data=bytes(20 << 20)).text == "ppppp"
        assert session.get(f"{demo.tls_url}/price").content == QUOTE


def test_nghttp_multiplexes(demo: Demo) -> None:
    urls = [f"{demo.tls_url}/quotes/S{number}" for number in range(50)]
    said = output(program(*NGHTTP), "--no-verify-peer", *urls)
    assert {json.loads(line)["symbol"] for line in re.findall(rb"\{[^}]*\}", said)} == {f"S{n}" for n in range(50)}


def test_nghttp_sends_a_body_with_trailers(demo: Demo) -> None:
    said = output(program(*NGHTTP), "-d", "-", "--trailer", "sum: 5", f"{demo.url}/echo", stdin=b"hello" * 10_000)
    assert said == b"hello" * 10_000


def test_httpx_shares_a_connection(demo: Demo) -> None:
    async def main() -> None:
        verify = ssl.create_default_context(cafile=demo.ca_file)
        async with httpx.AsyncClient(http2=True, verify=verify) as client:
            responses = await asyncio.gather(*(client.get(f"{demo.tls_url}/quotes/S{n}") for n in range(100)))
            assert [response.json()["symbol"] for response in responses] == [f"S{n}" for n in range(100)]
            assert {response.http_version for response in responses} == {"HTTP/2"}
            posted = await client.post(f"{demo.tls_url}/echo", content=b"hello" * 10_000)
            assert posted.content == b"hello" * 10_000

    asyncio.run(main())


# --- the end ----------------------------------------------------------------------------------------------------------


def test_a_server_that_stops_finishes_what_it_has_begun(tmp_path: Path, run: Run) -> None:
    demo = Demo(tmp_path)

    async def main() -> None:
        async with pabal.AsyncSession(verify=demo.ca_file, http="2") as session:
            slow = asyncio.ensure_future(session.get(f"{demo.tls_url}/delay/500"))
            await session.get(f"{demo.tls_url}/price")
            await asyncio.sleep(0.1)  # the request is on its way, if it is not there
            await asyncio.get_running_loop().run_in_executor(None, demo.stop)
            assert (await slow).content == QUOTE

    run(main())
