"""Names, settings, what is refused, applications in this process, the alias."""

from __future__ import annotations

import asyncio
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from pabal import niquests, requests
from support.scripted import Connection, Received, ScriptedServer

Served = tuple[str, list[Received]]
Run = Callable[[Any], Any]


def test_shared_modules_are_the_same_objects() -> None:
    from pabal.niquests.packages import urllib3

    assert urllib3 is requests.packages.urllib3
    assert sys.modules["pabal.niquests.packages.urllib3.exceptions"] is urllib3.exceptions
    assert niquests.ConnectionError is requests.ConnectionError
    assert issubclass(niquests.Session, requests.Session)


def test_the_alias_hands_out_the_face() -> None:
    code = (
        "import niquests, niquests.sessions, sys; import pabal.niquests as p;"
        "import niquests.packages.urllib3.exceptions as e;"
        "from niquests.packages.urllib3.contrib.webextensions.sse import ServerSentEvent as S;"
        "assert niquests is p and niquests.sessions is p.sessions and S is p.ServerSentEvent;"
        "assert sys.modules['pabal.requests.packages.urllib3.exceptions'] is e; print(niquests.__version__)"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pabal.alias", "niquests", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "3.21.2", done.stderr


def test_importing_pabal_does_not_import_the_face() -> None:
    code = "import pabal, sys; assert not [name for name in sys.modules if name.startswith('pabal.niquests')]"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("kind", [niquests.Session, niquests.AsyncSession])
@pytest.mark.parametrize(
    "settings",
    [
        {"resolver": "doh://1.1.1.1"},
        {"revocation_configuration": niquests.RevocationConfiguration(strict_mode=True)},
        {"tls_configuration": niquests.TLSConfiguration(ciphers="HIGH")},
    ],
)
def test_what_cannot_be_had_is_refused(kind: Any, settings: dict[str, Any]) -> None:
    with pytest.raises(NotImplementedError) as raised:
        kind(**settings)
    assert isinstance(raised.value, niquests.RequestException)


@pytest.mark.parametrize("kind", [niquests.Session, niquests.AsyncSession])
def test_what_does_no_harm_is_taken(kind: Any) -> None:
    kind(
        multiplexed=True,
        disable_http2=True,
        disable_http3=True,
        happy_eyeballs=True,
        keepalive_delay=None,
        quic_cache_layer=niquests.structures.QuicSharedCache(10),
        tls_configuration=niquests.TLSConfiguration(),
        revocation_configuration=None,
    )


@pytest.mark.parametrize(
    "url", ["ws://127.0.0.1:1/", "wss://127.0.0.1:1/", "sse://127.0.0.1:1/", "http+unix://%2Ftmp%2Fs/"]
)
def test_schemes_that_are_not_there_yet(url: str) -> None:
    with pytest.raises(NotImplementedError):
        niquests.Session().get(url)


def test_settings_of_a_session(server: Served) -> None:
    url, received = server
    with niquests.Session(
        base_url=url, headers={"X-A": "1"}, params={"p": "1"}, cookies={"c": "1"}, timeout=5, json_encoder=repr
    ) as session:
        assert session.post("echo", json=[1]).content == b"[1]"
        again = pickle.loads(pickle.dumps(session))
        assert again.base_url == url and again.params == {"p": "1"}
        assert list(again.adapters)[:2] == list(session.adapters)[:2]
    assert received[0].target == "/echo?p=1"
    assert (received[0].value("x-a"), received[0].value("cookie")) == ("1", "c=1")


def test_a_sync_session(server: Served) -> None:
    url = server[0]
    with niquests.Session() as session:
        response = session.get(url + "/moved")
        assert repr(response) == "<Response HTTP/1.1 [200]>"
        assert response.raise_for_status() is response
        assert response.http_version == 11
        assert response.oheaders.content_type == "application/json"
        assert list(session.get(url + "/text", stream=True).iter_lines(decode_unicode=True)) == ["café", "au lait"]
        assert list(session.get(url + "/text", stream=True).iter_raw(4)) == [b"caf\xe9", b"\nau ", b"lait", b"\n"]
        assert session.query(url + "/echo", b"q").content == b"q"
    assert niquests.get(url + "/digest", auth=niquests.auth.HTTPDigestAuth("u", "p")).status_code == 200


def test_a_hook_need_not_take_what_it_does_not_want(server: Served) -> None:
    seen: list[int] = []
    niquests.get(server[0] + "/json", hooks={"response": [lambda response: seen.append(response.status_code)]})
    assert seen == [200]


def test_upload_progress(server: Served) -> None:
    seen: list[tuple[int, bool]] = []

    def watch(request: Any) -> None:
        progress = request.upload_progress
        seen.append((progress.total, progress.is_completed))

    response = niquests.post(server[0] + "/echo", data=b"x" * 40_000, hooks={"on_upload": [watch]})
    assert len(response.content) == 40_000
    assert seen == [(16384, False), (32768, False), (40_000, True)]


def test_a_wsgi_application() -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/events":
            start_response("200 OK", [("Content-Type", "text/event-stream")])
            return [b"data: a\n\nevent: x\nda", b"ta: b\ndata: c\n\n"]
        start_response("200 OK", [("Content-Type", "text/plain"), ("Set-Cookie", "a=1")])
        return [
            environ["REQUEST_METHOD"].encode(),
            b" ",
            environ["QUERY_STRING"].encode(),
            environ["wsgi.input"].read(),
        ]

    with niquests.Session(app=app) as session:
        response = session.post("/x", params={"q": "1"}, data=b"body")
        assert (response.content, response.cookies["a"]) == (b"POST q=1body", "1")
        events = session.get("sse://default/events").extension
        got = [events.next_payload(), events.next_payload(), events.next_payload()]
        assert [(each.event, each.data) for each in got[:2]] == [("message", "a"), ("x", "b\nc")]
        assert got[2] is None and events.closed


def test_an_asgi_application() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-path", scope["path"].encode())]})
        for piece in (message["body"], b"!"):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": scope["query_string"]})

    async def main() -> None:
        async with niquests.AsyncSession(app=app) as session:
            response = await session.post("/x", params={"q": 1}, data=b"body")
            assert (response.content, response.headers["x-path"]) == (b"body!q=1", "/x")
            response = await session.get("/x", stream=True)
            assert [piece async for piece in await response.iter_content()] == [b"!"]

    asyncio.run(main())


HINTED = (
    b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Checksum\r\n\r\n2\r\nok\r\n0\r\nChecksum: 7\r\n\r\n"
)


@pytest.mark.parametrize("stream", [False, True])
def test_early_responses_and_trailers(scripted: Callable[..., ScriptedServer], run: Run, stream: bool) -> None:
    def script(connection: Connection) -> None:
        while connection.read_request():
            connection.send(HINTED)

    url, seen = scripted(script).url, []

    def early(response: Any) -> None:
        seen.append((response.status_code, response.headers["Link"]))

    with niquests.Session(hooks={"early_response": [early]}) as session:
        answer = session.get(url, stream=stream)
        assert (answer.content, answer.trailers["Checksum"]) == (b"ok", "7")
    assert niquests.get(url).trailers == {"Checksum": "7"}

    async def asked() -> tuple[Any, Any]:
        async with niquests.AsyncSession(hooks={"early_response": [early]}) as session:
            answer = await session.get(url, stream=stream)
            return (await answer.content if stream else answer.content), answer.trailers

    assert run(asked()) == (b"ok", {"Checksum": "7"})
    assert seen == [(103, "</style.css>; rel=preload")] * 2


def test_an_absolute_url_is_not_below_the_base() -> None:
    request = niquests.Request("GET", "https://other.example", base_url="https://example.com/api")
    assert request.prepare().url == "https://other.example"
