"""The short way and the long way of a plain request are told apart by nothing that anybody can see."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pabal import requests
from pabal.requests import _short
from support.scripted import Connection, Received, ScriptedServer

Start = Callable[..., ScriptedServer]


class Server:
    """Answers by path, and keeps what came."""

    def __init__(self) -> None:
        self.requests: list[Received] = []

    def __call__(self, connection: Connection) -> None:
        while request := connection.read_request():
            self.requests.append(request)
            path = request.target.partition("?")[0]
            if path == "/json":
                connection.answer(b'{"price": 123.45, "name": "\xc3\xa9"}', "200 OK", "Content-Type: application/json")
            elif path == "/latin":
                connection.answer(b"caf\xe9", "200 Fine", "Content-Type: text/plain")
            elif path == "/cookies":
                connection.answer(
                    b"", "200 OK", "Set-Cookie: a=1; Path=/", "Set-Cookie: b=2; Path=/", "X-Two: 1", "X-Two: 2"
                )
            elif path == "/moved":
                connection.answer(b"there", "302 Found", "Location: /json#part")
            elif path == "/missing":
                connection.answer(b"no", "404 Nowhere")
            elif path == "/short":
                connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
                return
            elif path == "/gone":
                return
            elif path == "/bad-gzip":
                connection.answer(b"this is no gzip", "200 OK", "Content-Encoding: gzip")
            elif path == "/slow":
                connection.wait_closed()
            else:
                connection.answer(b"")


@pytest.fixture
def server(scripted: Start) -> Iterator[tuple[str, list[Received]]]:
    answering = Server()
    yield scripted(answering).url, answering.requests


def _look(session: requests.Session, url: str, method: str, options: dict[str, Any]) -> dict[str, Any]:
    """All that a program can see of an answer, or of a failure."""
    try:
        response = session.request(method, url, **options)
    except Exception as error:
        request = getattr(error, "request", None)
        return {"raised": type(error), "args": [type(arg) for arg in error.args], "url": request and request.url}
    again = pickle.loads(pickle.dumps(response))
    return {
        "status": response.status_code,
        "reason": response.reason,
        "url": response.url,
        "headers": list(response.headers.items()),
        "content": response.content,
        "text": response.text if b"{" in response.content else None,
        "encoding": response.encoding,
        "ok": response.ok,
        "history": [(each.status_code, each.url, each.content) for each in response.history],
        "next": response.next and response.next.url,
        "cookies": response.cookies.get_dict(),
        "session cookies": session.cookies.get_dict(),
        "request": (response.request.method, response.request.url, list(response.request.headers.items())),
        "request cookies": response.request._cookies.get_dict(),
        "body": response.request.body,
        "raw": (
            response.raw.status,
            response.raw.version,
            response.raw.reason,
            response.raw.read(),
            response.raw.closed,
        ),
        "raw headers": response.raw.headers.getlist("x-two"),
        "links": response.links,
        "adapter": type(response.connection),
        "pickled": (again.content, again.url, again.status_code, again.headers, again.history == []),
        "attributes": sorted(set(vars(again))),
        "elapsed": response.elapsed.total_seconds() > 0,
    }


CASES: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/json", {}),
    ("get", "/json?b=2&a=%31", {"headers": {"X-One": "1", "accept": "text/plain", "User-Agent": "me"}}),
    ("GET", "/json", {"headers": {"Accept-Encoding": None}}),
    ("GET", "/json", {"timeout": 5}),
    ("GET", "/json", {"timeout": (3, 4.5)}),
    ("GET", "/json", {"timeout": (1, 2, 3)}),
    ("GET", "/json", {"timeout": -1}),
    ("HEAD", "/json", {}),
    ("GET", "/latin", {}),
    ("GET", "/cookies", {}),
    ("GET", "/moved", {}),
    ("GET", "/moved", {"allow_redirects": False}),
    ("HEAD", "/moved", {"allow_redirects": False}),
    ("GET", "/missing", {}),
    ("GET", "/short", {}),
    ("GET", "/gone", {}),
    ("GET", "/bad-gzip", {}),
    ("GET", "/slow", {"timeout": 0.2}),
    ("GET", "/json", {"headers": {"X-Bad": "a\r\nb"}}),
    ("GET", "/json", {"headers": {"X-Bad": 3}}),
    ("GET", "/ü/%zz", {}),
]


@pytest.mark.parametrize(("method", "path", "options"), CASES)
def test_both_ways_look_the_same(
    server: tuple[str, list[Received]], method: str, path: str, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/nonexistent")
    url, received = server
    short = _look(requests.Session(), url + path, method, options)
    sent_short = [(each.line, each.headers) for each in received]
    received.clear()
    monkeypatch.setattr(_short, "send", lambda *_: None)
    long = _look(requests.Session(), url + path, method, options)
    assert short == long
    assert sent_short == [(each.line, each.headers) for each in received]


def _goes_short(session: requests.Session, url: str, **options: Any) -> bool:
    return "_native" in vars(session.get(url, **options))


def test_plain_requests_go_the_short_way(server: tuple[str, list[Received]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/nonexistent")
    assert _goes_short(requests.Session(), server[0] + "/json")
    assert _goes_short(requests.Session(), server[0] + "/json", timeout=3, headers={"a": "b"})


def test_whatever_is_bent_goes_the_long_way(
    server: tuple[str, list[Received]], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    url = server[0] + "/json"
    monkeypatch.setenv("HOME", str(tmp_path))

    class Own(requests.Session):
        def send(self, request: Any, **kwargs: Any) -> Any:
            return super().send(request, **kwargs)

    assert not _goes_short(Own(), url)
    session = requests.Session()
    session.hooks["response"].append(lambda response, **_: None)
    assert not _goes_short(session, url)
    session = requests.Session()
    session.cookies.set("a", "b")
    assert not _goes_short(session, url)
    session = requests.Session()
    session.get_adapter = session.get_adapter  # type: ignore[method-assign]
    assert not _goes_short(session, url)
    session = requests.Session()
    session.mount("http://127", requests.adapters.HTTPAdapter(max_retries=2))
    assert not _goes_short(session, url)
    with monkeypatch.context() as patched:
        patched.setattr(requests.adapters.HTTPAdapter, "build_response", requests.adapters.HTTPAdapter.build_response)
        assert _goes_short(requests.Session(), url)
        called: list[str] = []

        def send(self: Any, request: Any, **_: Any) -> Any:
            called.append(request.url)
            return requests.Response()

        patched.setattr("pabal.requests.adapters.HTTPAdapter.send", send)
        requests.get(url)
        assert called == [url]
    with monkeypatch.context() as patched:
        patched.setenv("NO_PROXY", "*")
        assert not _goes_short(requests.Session(), url)
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password secret")
    (tmp_path / ".netrc").chmod(0o600)
    response = requests.get(url)
    assert response.request.headers["Authorization"].startswith("Basic ")
