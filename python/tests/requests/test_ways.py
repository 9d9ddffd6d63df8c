"""The short way and the long way of a plain request are told apart by nothing that anybody can see."""

from __future__ import annotations

import copy
import gc
import http.cookiejar
import io
import pickle
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pabal import requests
from pabal.requests import _short
from support.faces import CASES as SHARED
from support.faces import JARS, Case, answer, body_of, cookies_of
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
            if answer(connection, request):
                continue
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


def _look(url: str, case: Case) -> dict[str, Any]:
    """All that a program can see of an answer, or of a failure."""
    method, path, options, prepare = case
    session = requests.Session()
    prepare(session)
    try:
        response = session.request(method, url + path, **options())
    except Exception as error:
        request = getattr(error, "request", None)
        return {
            "raised": type(error),
            "args": [type(arg) for arg in error.args],
            "text": str(error) if not isinstance(error, requests.RequestException) else None,
            "request": request
            and (
                request.method,
                request.url,
                list(request.headers.items()),
                body_of(request),
                cookies_of(request._cookies),
            ),
        }
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
        "next body": response.next and (response.next.method, response.next.body, list(response.next.headers.items())),
        "cookies": cookies_of(response.cookies),
        "session cookies": cookies_of(session.cookies),
        "requests": [
            (each.method, each.url, list(each.headers.items()), body_of(each), each.hooks, cookies_of(each._cookies))
            for each in (response.request, *(earlier.request for earlier in response.history))
        ],
        "jar": type(response.request._cookies),
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


@pytest.mark.parametrize(
    "case",
    [*((method, path, options.copy, lambda session: None) for method, path, options in CASES), *SHARED],
    ids=lambda case: f"{case[0]} {case[1]}",
)
def test_both_ways_look_the_same(
    server: tuple[str, list[Received]], case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/nonexistent")
    url, received = server
    short = _look(url, case)
    sent_short = [(each.line, each.headers, each.body) for each in received]
    received.clear()
    monkeypatch.setattr(_short.ShortWay, "plan", lambda *_: None)
    long = _look(url, case)
    assert short == long
    assert sent_short == [(each.line, each.headers, each.body) for each in received]


def _jars(session: requests.Session, url: str) -> list[Any]:
    seen: list[Any] = []
    for change, path, options in JARS:
        change(session)
        response = session.get(url + path, **options)
        seen.append((cookies_of(response.request._cookies), cookies_of(session.cookies)))
        response.request._cookies.set("a", "mine")  # a jar of its own
        response.request.headers["Cookie"] = "mine"
    return seen


def test_a_jar_that_changes(server: tuple[str, list[Received]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/nonexistent")
    url, received = server
    short = _jars(requests.Session(), url)
    sent_short = [(each.line, each.headers) for each in received]
    received.clear()
    monkeypatch.setattr(_short.ShortWay, "plan", lambda *_: None)
    assert short == _jars(requests.Session(), url)
    assert sent_short == [(each.line, each.headers) for each in received]
    assert sent_short[0] != sent_short[3]


def test_a_cookie_expires_between_two_requests(
    server: tuple[str, list[Received]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/nonexistent")
    url, received = server
    session = requests.Session()
    now = time.time()
    session.cookies.set("a", "1", expires=now + 100)
    session.cookies.set("b", "2", expires=now + 200)
    for later in (0, 50, 150, 250):
        with monkeypatch.context() as patched:
            patched.setattr(time, "time", lambda later=later: now + later)
            assert _goes_short(session, url)
    assert [each.value("cookie") for each in received] == ["a=1; b=2", "a=1; b=2", "b=2", None]


def _goes_short(session: requests.Session, url: str, method: str = "GET", **options: Any) -> bool:
    return "_native" in vars(session.request(method, url, **options))


def test_plain_requests_go_the_short_way(server: tuple[str, list[Received]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/nonexistent")
    assert _goes_short(requests.Session(), server[0] + "/json")
    url = server[0] + "/json"
    assert _goes_short(requests.Session(), url, timeout=3, headers={"a": "b"})
    assert _goes_short(requests.Session(), url, params={"a": [1, 2.5]}, cookies={"b": "c"})
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        assert _goes_short(requests.Session(), url, method)
        for options in ({"data": b"a"}, {"data": "a"}, {"data": {"a": "b"}}, {"data": [("a", "b")]}, {"json": [1]}):
            assert _goes_short(requests.Session(), url, method, **options)
    session = requests.Session()
    session.cookies.set("a", "b")
    assert _goes_short(session, url) and _goes_short(session, url, "POST", data={"a": "b"})
    session.get(server[0] + "/cookies")
    assert _goes_short(session, url)


def test_what_is_read_only_once_goes_the_long_way(
    server: tuple[str, list[Received]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/nonexistent")
    url = server[0] + "/json"
    bodies: list[Any] = [io.BytesIO(b"abc"), iter([b"abc"]), OrderedDict(a="b"), bytearray(b"abc")]
    for body in bodies:
        assert not _goes_short(requests.Session(), url, "POST", data=body)
    assert not _goes_short(requests.Session(), url, "POST", files={"a": b"b"})
    assert not _goes_short(requests.Session(), url, params=OrderedDict(a="b"))
    assert not _goes_short(requests.Session(), url, cookies=requests.cookies.cookiejar_from_dict({"a": "b"}))
    assert not _goes_short(requests.Session(), url, auth=("a", "b"))
    assert not _goes_short(requests.Session(), url, stream=True)
    assert not _goes_short(requests.Session(), url, "BREW")


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
    session.cookies = http.cookiejar.CookieJar()
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

    class Described(requests.Session):
        @property
        def trust_env(self) -> bool:
            return False

        @trust_env.setter
        def trust_env(self, value: bool) -> None:
            pass

    assert not _goes_short(Described(), url)
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password secret")
    (tmp_path / ".netrc").chmod(0o600)
    response = requests.get(url)
    assert response.request.headers["Authorization"].startswith("Basic ")


def _bent_retries(session: requests.Session) -> None:
    session.adapters["http://"].max_retries.status_forcelist.add(503)


BENDS: list[Callable[[requests.Session], Any]] = [
    lambda session: setattr(session, "auth", ("a", "b")),
    lambda session: setattr(session, "stream", True),
    lambda session: setattr(session, "proxies", {"ftp": "http://127.0.0.1:1"}),
    lambda session: setattr(session, "cookies", http.cookiejar.CookieJar()),
    lambda session: setattr(session, "send", session.send),
    lambda session: setattr(session, "headers", dict(session.headers)),
    lambda session: session.params.update(a=1),
    lambda session: session.proxies.update(ftp="http://127.0.0.1:1"),
    lambda session: session.hooks["response"].append(lambda response, **_: None),
    lambda session: session.hooks.update(response=[lambda response, **_: None]),
    lambda session: session.mount("http://", requests.adapters.HTTPAdapter(max_retries=2)),
    lambda session: session.mount("http://127", requests.adapters.HTTPAdapter(max_retries=2)),
    lambda session: session.mount("HTTP://127", requests.adapters.HTTPAdapter(max_retries=2)),
    lambda session: setattr(session.adapters["http://"], "max_retries", requests.adapters.Retry(1)),
    lambda session: setattr(session.adapters["http://"].max_retries, "total", 1),
    lambda session: setattr(session.adapters["http://"], "add_headers", lambda *_, **__: None),
    lambda session: setattr(session.adapters["http://"].poolmanager, "verify", False),
    _bent_retries,
]


@pytest.mark.parametrize("bend", BENDS)
def test_what_is_bent_later_is_noticed(
    server: tuple[str, list[Received]], bend: Callable[[requests.Session], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/nonexistent")
    url = server[0] + "/json"
    session = requests.Session()
    assert _goes_short(session, url) and _goes_short(session, url)
    bend(session)
    assert _goes_short(requests.Session(), url)
    assert not _goes_short(session, url)


def test_default_headers_that_change_are_sent(
    server: tuple[str, list[Received]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/nonexistent")
    url, received = server
    session = requests.Session()
    session.get(url)
    session.headers["X-Default"] = "1"
    session.get(url)
    session.headers = requests.structures.CaseInsensitiveDict({"X-Other": "2"})
    session.get(url)
    session.trust_env = False
    session.verify = False
    assert _goes_short(session, url)
    assert [(each.value("x-default"), each.value("x-other")) for each in received[:3]] == [
        (None, None),
        ("1", None),
        (None, "2"),
    ]


def test_a_session_is_freed_when_it_is_let_go(
    server: tuple[str, list[Received]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/nonexistent")
    session = requests.Session()
    assert _goes_short(session, server[0])
    seen = weakref.ref(session)
    gc.disable()
    try:
        del session
        assert seen() is None
    finally:
        gc.enable()
    session = requests.Session()
    assert _goes_short(session, server[0])
    session.hooks["response"].append(session.rebuild_auth)  # leads back to the session
    seen = weakref.ref(session)
    del session
    gc.collect()
    assert seen() is None


class _Whole(requests.Session):
    """Pickled with all it has."""

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__


def test_a_session_that_has_sent_can_be_pickled_and_copied(
    server: tuple[str, list[Received]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/nonexistent")
    for session in (requests.Session(), _Whole()):
        session.cookies.set("a", "1")
        assert _goes_short(session, server[0])
        for again in (pickle.loads(pickle.dumps(session)), copy.deepcopy(session), copy.copy(session)):
            assert _goes_short(again, server[0]) and again.cookies.get_dict() == {"a": "1"}
            again.headers = requests.structures.CaseInsensitiveDict({"X-Again": "1"})
            assert again.get(server[0]).request.headers["X-Again"] == "1"
            assert "X-Again" not in session.get(server[0]).request.headers


def test_a_program_that_brings_its_own_way_of_sending() -> None:
    """``SessionRedirectMixin`` needs a ``send`` and a few settings, no more."""

    class Own(requests.sessions.SessionRedirectMixin):
        def __init__(self) -> None:
            self.max_redirects = 30
            self.cookies: Any = requests.cookies.RequestsCookieJar()
            self.trust_env = False
            self.sent: list[str] = []

        def send(self, request: Any, **kwargs: Any) -> Any:
            self.sent.append(request.url)
            return _answer_of(request, 200)

    def _answer_of(request: Any, status: int) -> Any:
        answer = requests.Response()
        answer.status_code, answer.request, answer.url = status, request, request.url
        answer.raw = io.BytesIO()
        answer.headers["location"] = "/there"
        return answer

    own = Own()
    first = requests.Request("GET", "http://127.0.0.1/here").prepare()
    answers = list(own.resolve_redirects(_answer_of(first, 302), first))
    assert own.sent == ["http://127.0.0.1/there"] and [each.status_code for each in answers] == [200]
