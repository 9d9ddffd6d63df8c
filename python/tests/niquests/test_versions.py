"""Which versions of HTTP the niquests face speaks, and what it tells of them, with nginx."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import trustme
from pabal import niquests
from support.http3 import Http3Server, Request
from support.nginx import QUOTE, Nginx, speaking_http2
from support.scripted import Connection, ScriptedServer


@pytest.fixture(scope="module")
def http2_nginx(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    server = speaking_http2(authority, tmp_path_factory.mktemp("http2"), plain=True)
    yield server
    server.stop()


def get(url: str, stream: bool, asynchronous: bool, **settings: Any) -> Any:
    """One answer, on the long way if it is streamed, on the short one if not."""
    verify = settings.pop("verify")
    if not asynchronous:
        with niquests.Session(**settings) as session:
            response = session.get(url, verify=verify, stream=stream)
            assert response.content == QUOTE
            return response

    async def main() -> Any:
        async with niquests.AsyncSession(**settings) as session:
            response = await session.get(url, verify=verify, stream=stream)
            assert (await response.content if stream else response.content) == QUOTE
            return response

    return asyncio.run(main())


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("settings", "version"), [({}, 20), ({"disable_http2": True}, 11), ({"disable_http1": True}, 20)]
)
def test_a_tls_server_chooses_of_what_is_left(
    settings: dict[str, Any], version: int, stream: bool, asynchronous: bool, http2_nginx: Nginx, ca_file: str
) -> None:
    response = get(f"{http2_nginx.tls_url}/price", stream, asynchronous, verify=ca_file, **settings)
    assert response.http_version == response.raw.version == version
    assert response.conn_info.http_version == ("HTTP/2.0" if version == 20 else "HTTP/1.1")
    assert repr(response) == f"<Response HTTP/{version / 10} [200]>"


def test_without_tls_it_is_http_1_1_unless_that_is_disabled(http2_nginx: Nginx, nginx: Nginx, ca_file: str) -> None:
    assert get(f"{nginx.url}/price", False, False, verify=ca_file).http_version == 11
    assert get(f"{http2_nginx.url}/price", False, False, verify=ca_file, disable_http1=True).http_version == 20


def test_a_server_that_speaks_nothing_that_is_left(nginx: Nginx, ca_file: str) -> None:
    with pytest.raises(niquests.RequestException, match=r"does not speak HTTP/2|no application protocol"):
        get(f"{nginx.tls_url}/price", False, False, verify=ca_file, disable_http1=True)


@pytest.mark.parametrize("kind", [niquests.Session, niquests.AsyncSession])
def test_something_must_be_left(kind: Any) -> None:
    with pytest.raises(RuntimeError, match="no version of HTTP"):
        kind(disable_http1=True, disable_http2=True, disable_http3=True)


@pytest.fixture(scope="module")
def http3_server(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Http3Server]:
    def answer(request: Request) -> None:
        request.respond(200, QUOTE)

    made = Http3Server(authority.issue_cert("127.0.0.1"), tmp_path_factory.mktemp("http3"), answer)
    yield made
    made.stop()


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("stream", [False, True])
def test_http_3_alone(stream: bool, asynchronous: bool, http3_server: Http3Server, ca_file: str) -> None:
    only = {"disable_http1": True, "disable_http2": True}
    response = get(f"{http3_server.url}/price", stream, asynchronous, verify=ca_file, **only)
    assert response.http_version == response.raw.version == 30
    assert response.conn_info.http_version == "HTTP/3.0"
    assert repr(response) == "<Response HTTP/3.0 [200]>"


@pytest.mark.parametrize(("settings", "versions"), [({}, [11, 30, 30]), ({"disable_http3": True}, [11, 11, 11])])
def test_http_3_where_the_origin_says_so(
    settings: dict[str, Any],
    versions: list[int],
    http3_server: Http3Server,
    scripted: Callable[..., ScriptedServer],
    tls_context: ssl.SSLContext,
    ca_file: str,
) -> None:
    def answer(connection: Connection) -> None:
        while connection.read_request():
            alternative = f'Alt-Svc: h3=":{http3_server.port}"'
            connection.send(f"HTTP/1.1 200 OK\r\n{alternative}\r\nContent-Length: 3\r\n\r\ntcp".encode())

    origin = scripted(answer, tls=tls_context)
    with niquests.Session(**settings) as session:
        answers = [session.get(f"{origin.url}/price", verify=ca_file, timeout=20) for _ in versions]
        assert [each.http_version for each in answers] == versions
