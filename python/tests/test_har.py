"""HAR 1.2 recordings of sync and async sessions."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pabal
import pytest
from pabal import exceptions, har
from support.nginx import Nginx
from support.scripted import Connection, ScriptedServer

Start = Callable[..., ScriptedServer]
Run = Callable[[Any], Any]


def check(recorded: Any) -> list[Any]:
    """That it is what HAR 1.2 asks for; returns the entries."""
    log = recorded["log"]
    assert log["version"] == "1.2" and log["creator"]["name"] == "pabal"
    for entry in log["entries"]:
        assert entry["startedDateTime"].endswith("Z") and entry["cache"] == {}
        timings = entry["timings"]
        assert set(timings) == {"blocked", "dns", "connect", "ssl", "send", "wait", "receive"}
        total = sum(value for name, value in timings.items() if value > 0 and name != "ssl")
        assert entry["time"] == pytest.approx(total, abs=0.01)
        request, response = entry["request"], entry["response"]
        for name in ("method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize"):
            assert name in request
        for name in ("status", "statusText", "httpVersion", "cookies", "headers", "content", "redirectURL", "bodySize"):
            assert name in response
        assert {"size", "mimeType"} <= set(response["content"])
    json.dumps(recorded)
    entries: list[Any] = log["entries"]
    return entries


def secretive(connection: Connection) -> None:
    while connection.read_request():
        headers = ("Content-Type: application/json", "Set-Cookie: sid=hidden; Path=/")
        connection.answer(
            b'{"access_token": "hidden", "list": [{"password": "hidden"}], "plain": 1}', "200 OK", *headers
        )


def test_a_recording(nginx: Nginx, tmp_path: Path) -> None:
    path = tmp_path / "out.har"
    with pabal.Session() as session:
        with har.record(session, path):
            session.get(nginx.url + "/price?q=1", headers={"X-Test": "a"})
            session.post(nginx.url + "/headers", data={"a": "b"})
        session.get(nginx.url + "/price")
        assert session._hooks is None, "the fast way again"
    entries = check(json.loads(path.read_text()))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
    first, second = entries
    assert (first["request"]["method"], first["request"]["url"]) == ("GET", nginx.url + "/price?q=1")
    assert first["request"]["queryString"] == [{"name": "q", "value": "1"}]
    assert {"name": "X-Test", "value": "a"} in first["request"]["headers"]
    assert (first["response"]["status"], first["response"]["statusText"]) == (200, "OK")
    content = first["response"]["content"]
    assert json.loads(content["text"])["price"] == 123.45
    assert content["mimeType"] == "application/json" and content["size"] == len(content["text"])
    assert first["serverIPAddress"] == "127.0.0.1"
    assert first["timings"]["connect"] > 0 and first["timings"]["ssl"] == -1
    assert second["timings"]["connect"] == -1, "the connection was there"
    assert second["request"]["postData"]["text"] == "a=b"
    assert second["request"]["postData"]["mimeType"] == "application/x-www-form-urlencoded"
    assert first["connection"] == second["connection"]


def test_an_async_session(nginx: Nginx, run: Run) -> None:
    async def main() -> None:
        async with pabal.AsyncSession() as session:
            with har.HarRecorder(session) as recorder:
                await asyncio.gather(*[session.get(nginx.url + "/price") for _ in range(5)])
                async for _ in session.map([nginx.url + "/gone"] * 2):
                    pass
            entries = check(recorder.har)
            assert sorted(entry["response"]["status"] for entry in entries) == [200] * 5 + [410] * 2
            await session.get(nginx.url + "/price")
            assert len(recorder.har["log"]["entries"]) == 7

    run(main())


def test_redirects_failures_and_tls(nginx: Nginx, ca_file: str) -> None:
    with pabal.Session(verify=ca_file) as session, har.HarRecorder(session) as recorder:
        session.get(nginx.tls_url + "/moved")
        with pytest.raises(exceptions.ConnectionRefused):
            session.get("http://127.0.0.1:1/?token=hidden")
        with pytest.raises(exceptions.InvalidURL):
            session.get("http://")
    entries = check(recorder.har)
    assert [entry["response"]["status"] for entry in entries] == [302, 200, 0]
    assert entries[0]["response"]["redirectURL"].endswith("/price")
    assert entries[0]["timings"]["ssl"] > 0 and entries[1]["timings"]["ssl"] == -1
    assert entries[2]["_error"] == "connection_refused"
    assert entries[2]["request"]["url"] == "http://127.0.0.1:1/?token=***"


def test_secrets_are_left_out(scripted: Start) -> None:
    server = scripted(secretive)
    url = server.url.replace("//", "//user:hidden@") + "/?token=hidden"

    def ask(session: pabal.Session) -> None:
        headers = {"Cookie": "a=hidden", "X-Api-Key": "hidden"}
        session.post(url, data={"password": "hidden", "name": "plain"}, headers=headers)
        session.post(server.url, json={"client_secret": "hidden", "name": "plain"})
        session.post(server.url, files={"password": ("a", b"hidden")})
        session.get(server.url, headers={"Authorization": "Bearer hidden"})

    with pabal.Session() as session, har.HarRecorder(session) as recorder:
        ask(session)
    text = json.dumps(recorder.har)
    check(recorder.har)
    assert "hidden" not in text and "aGlkZGVu" not in text
    assert "password=***&name=plain" in text and "***@127.0.0.1" in text

    with pabal.Session() as session, har.HarRecorder(session, secrets=True) as recorder:
        ask(session)
    entries = check(recorder.har)
    assert entries[0]["request"]["url"] == url
    assert entries[0]["request"]["postData"]["text"] == "password=hidden&name=plain"
    assert {"name": "Cookie", "value": "a=hidden"} in entries[0]["request"]["headers"]
    assert entries[0]["request"]["cookies"] == [{"name": "a", "value": "hidden"}]
    assert entries[0]["response"]["cookies"][0]["value"] == "hidden"
    assert '"access_token": "hidden"' in entries[0]["response"]["content"]["text"]


def test_it_is_bounded(nginx: Nginx, monkeypatch: pytest.MonkeyPatch) -> None:
    (nginx.www / "large.bin").write_bytes(bytes(range(256)) * 100)
    with pabal.Session() as session:
        with har.HarRecorder(session, max_entries=3) as recorder:
            for index in range(10):
                session.get(f"{nginx.url}/price?{index}")
        entries = check(recorder.har)
        assert [entry["request"]["url"][-1] for entry in entries] == ["7", "8", "9"]
        assert recorder.har["log"]["comment"] == "7 older entries were dropped"

        with har.HarRecorder(session, bodies=False) as recorder:
            session.post(nginx.url + "/headers", content=b"12345")
        (entry,) = check(recorder.har)
        assert entry["request"]["postData"]["text"] == "" and entry["request"]["bodySize"] == 5
        assert "text" not in entry["response"]["content"] and entry["response"]["content"]["size"] > 0

        with har.HarRecorder(session, bodies=1000) as recorder:
            session.get(nginx.url + "/large.bin")
            session.get(nginx.url + "/price")
        large, small = check(recorder.har)
        assert large["response"]["content"]["comment"] == "left out: 25600 bytes"
        assert "price" in small["response"]["content"]["text"]

        with har.HarRecorder(session) as recorder:
            session.get(nginx.url + "/large.bin")
        (entry,) = check(recorder.har)
        assert entry["response"]["content"]["encoding"] == "base64"

        monkeypatch.setattr(har, "ALL_BODIES", 50)
        with har.HarRecorder(session) as recorder:
            session.get(nginx.url + "/price")
            session.get(nginx.url + "/price")
        first, second = check(recorder.har)
        assert "text" in first["response"]["content"]
        assert second["response"]["content"]["comment"] == "left out: too much was recorded already"


def test_a_stream_is_left_alone(nginx: Nginx) -> None:
    with pabal.Session() as session, har.HarRecorder(session) as recorder:
        with session.stream("GET", nginx.url + "/price") as response:
            assert response.json()["price"] == 123.45
        (entry,) = check(recorder.har)
        assert entry["response"]["content"]["comment"] == "streamed"


def test_hooks_stay_when_it_stops(nginx: Nginx) -> None:
    seen: list[Any] = []
    with pabal.Session(hooks={"response": seen.append}) as session:
        recorder = har.HarRecorder(session).start().start()
        session.get(nginx.url + "/price")
        recorder.stop()
        recorder.stop()
        session.get(nginx.url + "/price")
    assert len(seen) == 2 and len(check(recorder.har)) == 1


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"bodies": -1}, ValueError),
        ({"bodies": "yes"}, TypeError),
        ({"max_entries": 0}, ValueError),
        ({"max_entries": 1.5}, TypeError),
        ({"session": 5}, TypeError),
        ({"path": 5}, TypeError),
    ],
)
def test_wrong_arguments(change: dict[str, Any], error: type[Exception]) -> None:
    with pabal.Session() as session, pytest.raises(error):
        har.record(**{"session": session, "path": "unused", **change})
