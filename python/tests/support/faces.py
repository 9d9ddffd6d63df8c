"""Cases that every face of requests' kind answers alike, whichever way they go: one table for all of them."""

from __future__ import annotations

import io
from collections import OrderedDict
from collections.abc import Callable, Iterator
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

from support.scripted import Connection, Received

__all__ = ["CASES", "JARS", "Case", "Step", "answer", "body_of", "cookies_of"]

#: What is done to a session that has sent requests, the path of its next request, and the options.
Step = tuple[Callable[[Any], object], str, dict[str, Any]]
#: (method, path, what makes the options: bodies may be read only once, what is done to the session before)
Case = tuple[str, str, Callable[[], dict[str, Any]], Callable[[Any], object]]


def answer(connection: Connection, request: Received) -> bool:
    """Answers the paths of these cases; False for another."""
    path = request.target.partition("?")[0]
    if path == "/echo":
        head = "\n".join([request.line, *(f"{name}: {value}" for name, value in request.headers)])
        connection.answer(head.encode("latin-1") + b"\n\n" + request.body, "200 OK", "Content-Type: text/plain")
    elif path in ("/301", "/302", "/303", "/307", "/308"):
        connection.answer(b"there", f"{path[1:]} Elsewhere", "Location: /echo?from=here", "Set-Cookie: hop=1; Path=/")
    elif path == "/away":
        host = (request.value("host") or "").replace("127.0.0.1", "localhost")
        connection.answer(b"", "307 Elsewhere", f"Location: http://{host}/echo")
    elif path == "/forget":
        connection.answer(b"", "200 OK", "Set-Cookie: a=; Path=/; Max-Age=0", "Set-Cookie: new=2; Path=/")
    elif path == "/refused":
        connection.answer(b"no", "413 Too Large", "Connection: close")
        return True
    else:
        return False
    return True


class _Refuses(DefaultCookiePolicy):
    """A policy that takes nothing, and sends nothing."""

    def set_ok(self, cookie: Any, request: Any) -> bool:
        return False

    def return_ok(self, cookie: Any, request: Any) -> bool:
        return False


class _Text(str):
    """Text that is not exactly text."""


def _as_it_came(session: Any) -> None:
    pass


def _case(method: str, path: str, prepare: Callable[[Any], object] = _as_it_came, **options: Any) -> Case:
    return method, path, lambda: dict(options), prepare


def _once(method: str, path: str, make: Callable[[], dict[str, Any]]) -> Case:
    return method, path, make, _as_it_came


def _with_cookies(session: Any) -> None:
    session.cookies.set("a", "1")
    session.cookies.set("b", '"x\\"y"', path="/echo")
    session.cookies.set("secret", "s", secure=True)
    session.cookies.set("elsewhere", "e", domain="example.com")
    session.cookies.set("old", "o", expires=1)
    session.cookies.set("here", "h", domain="127.0.0.1")


def _emptied(session: Any) -> None:
    session.cookies.set("a", "1")
    del session.cookies["a"]


def _refusing(session: Any) -> None:
    session.cookies.set("a", "1")
    session.cookies.set_policy(_Refuses())


def _with_header(session: Any) -> None:
    session.headers["Cookie"] = "own=1"
    session.headers["content-type"] = "text/own"
    session.cookies.set("a", "1")


def _pairs() -> Iterator[tuple[str, str]]:
    yield "a", "1"


def _other_jar() -> CookieJar:
    from pabal import requests

    jar = CookieJar()
    jar.set_cookie(requests.cookies.create_cookie("given", "g"))
    return jar


_WAYS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

CASES: list[Case] = [
    # parameters
    _case("GET", "/echo?z=0#part", params={"b": 2, "a": "ü &=+/", "none": None, "many": [1, "two", None, ("3",)]}),
    _case("GET", "/echo", params={"one": True, "real": 1.0, "bytes": b"\xff", b"key": "v", "empty": ""}),
    _case("GET", "/echo", params={"n": 1}),
    _case("GET", "/echo", params={"n": True}),
    _case("GET", "/echo", params=[("a", 1), ("a", 2), ("b", None)]),
    _case("GET", "/echo", params=(("a", "1"),)),
    _case("GET", "/echo", params="a=1&b=%zz ü"),
    _case("GET", "/echo", params=b"a=1"),
    _case("GET", "/echo", params=_Text("a=1")),
    _case("GET", "/echo", params=OrderedDict(b="1", a="2")),
    _case("GET", "/echo", params={"none": None}),
    _case("GET", "/echo", params={}),
    _case("GET", "/echo", params=["ab", "cd"]),
    _case("GET", "/echo", params=["abc"]),
    _case("GET", "/echo", params=3),
    _case("GET", "/echo#there", params={"a": "b"}),
    _case("GET", "/echo%", params={"a": "%"}),
    _once("GET", "/echo", lambda: {"params": _pairs()}),
    # methods
    *(_case(method, "/echo") for method in (*_WAYS, *(method.lower() for method in _WAYS))),
    *(_case(method, "/echo", data=b"body", params={"a": "b"}) for method in _WAYS),
    _case("BREW", "/echo", data="tea"),
    _case("Post", "/echo", data="tea"),
    _case("POST", "/echo", headers={"content-length": "0", "Content-Type": "a/b"}),
    # bodies
    _case("POST", "/echo", data="snow ☃"),
    _case("POST", "/echo", data=b"\0\xff", headers={"Content-Type": "x/y"}),
    _case("POST", "/echo", data=bytes(range(256)) * 1024),
    _case("POST", "/echo", data=""),
    _case("POST", "/echo", data=bytearray(b"abc")),
    _case("POST", "/echo", data=_Text("text")),
    _case("POST", "/echo", data={"a": "1", "b": ["x", "ü"], "none": None}),
    _case("POST", "/echo", data={"none": None}),
    _case("POST", "/echo", data={"none": None}, headers={"Content-Length": "0"}),
    _case("POST", "/echo", data=[("a", "1"), ("a", "2")]),
    _case("POST", "/echo", data=("ab",)),
    _case("POST", "/echo", data=["abc"]),
    _case("POST", "/echo", data=7),
    _case("POST", "/echo", data=OrderedDict(a="1")),
    _case("POST", "/echo", data={"a": "1"}, headers={"Content-Type": "multipart/form-data; boundary=edge"}),
    _case("POST", "/echo", data=b"abc", headers={"Content-Length": "5", "transfer-encoding": "chunked"}),
    _case("POST", "/echo", data="abc", headers={"Content-Length": "nonsense"}),
    _once("POST", "/echo", lambda: {"data": io.BytesIO(b"file")}),
    _once("POST", "/echo", lambda: {"data": iter([b"a", b"b"])}),
    _once("POST", "/echo", lambda: {"data": {"a": (letter for letter in "xy")}}),
    _case("POST", "/echo", json={"a": [1, None, "ü"]}),
    _case("POST", "/echo", json={}),
    _case("POST", "/echo", json=0, headers={"Content-Type": "own/json"}),
    _case("POST", "/echo", json={"a": 1}, data={"b": "2"}),
    _case("POST", "/echo", json={"a": 1}, data={}),
    _case("POST", "/echo", json=float("nan")),
    _case("POST", "/echo", json=float("nan"), cookies={"a": "1"}),
    _case("POST", "/echo", json=object()),
    _case("GET", "/echo", json=[1]),
    _case("POST", "/echo", data=b"abc", auth=("user", "pass")),
    _case("POST", "/refused", data=b"abc"),
    _case("POST", "/short", data=b"abc"),
    _case("POST", "/gone", data=b"abc"),
    _case("PUT", "/gone", json={"a": 1}),
    _case("POST", "/slow", data=b"abc", timeout=0.2),
    _case("POST", "/bad-gzip", data=b"abc"),
    _case("POST", "/echo", data=b"abc", timeout=(1, 2, 3, 4)),
    _case("POST", "/echo", data=b"abc", headers={"X-Bad": "a\r\nb"}),
    _case("POST", "/echo", data=b"abc", headers={"Accept-Encoding": "@@@SKIP_HEADER@@@"}),
    _case("POST", "/echo", data=b"abc", headers={"Accept-Encoding": None, "User-Agent": None}),
    # redirects
    *(_case(how, f"/{code}", data=b"abc") for how in ("POST", "PUT", "GET") for code in (301, 302, 303, 307, 308)),
    _case("POST", "/307", json={"a": 1}, params={"b": 2}, cookies={"c": "3"}),
    _case("POST", "/303", data={"a": "1"}, allow_redirects=False),
    _case("POST", "/308", data={"a": "1"}, allow_redirects=False),
    _case("PATCH", "/away", data="abc", cookies={"c": "3"}, headers={"Authorization": "mine"}),
    # cookies
    _case("GET", "/echo", cookies={"a": "1", "b": "2"}),
    _case("GET", "/echo", cookies={"a": None}),
    _case("GET", "/echo", cookies={"a": 3}),
    _case("GET", "/echo", cookies={"a": "x; y", "b": '"q"'}),
    _case("GET", "/echo", cookies={"a": "x\r\ny"}),
    _case("GET", "/echo", cookies={}),
    _case("GET", "/echo", cookies=OrderedDict(a="1")),
    _case("GET", "/echo", cookies={"a": "1"}, headers={"Cookie": "own=2"}),
    _case("GET", "/echo", cookies={"a": "1"}, headers={"Host": "example.com"}),
    _once("GET", "/echo", lambda: {"cookies": _other_jar()}),
    _case("GET", "/echo", _with_cookies),
    _case("GET", "/echo", _with_cookies, cookies={"a": "over", "new": "n"}),
    _case("GET", "/echo", _with_cookies, headers={"Host": "www.example.com"}),
    _case("GET", "/json", _with_cookies),
    _case("POST", "/307", _with_cookies, data={"form": "f"}),
    _case("GET", "/cookies", _with_cookies),
    _case("GET", "/forget", _with_cookies),
    _case("GET", "/away", _with_cookies),
    _case("GET", "/echo", _emptied),
    _case("GET", "/cookies", _refusing),
    _case("POST", "/echo", _with_header, data={"a": "1"}),
]


def _first(session: Any) -> Any:
    return next(iter(session.cookies))


def _expired(session: Any) -> None:
    _first(session).expires = 1


#: One session's requests, one after the other: what was sent with the last must not go on when it should not.
JARS: list[Step] = [
    (lambda session: session.cookies.set("a", "1"), "/echo", {}),
    (_as_it_came, "/echo", {}),
    (_as_it_came, "/echo?query", {}),
    (lambda session: session.cookies.set("a", "2"), "/echo", {}),
    (lambda session: setattr(_first(session), "value", "3"), "/echo", {}),
    (lambda session: session.cookies.set("b", "below", path="/echo/below"), "/echo", {}),
    (_as_it_came, "/echo/below", {}),
    (_as_it_came, "/echo", {"cookies": {"given": "1"}}),
    (_as_it_came, "/echo", {"cookies": {"given": "2"}}),
    (_as_it_came, "/echo", {"cookies": {"a": "over"}}),
    (_as_it_came, "/echo", {"cookies": {"a": None}}),
    (_as_it_came, "/echo", {}),
    (_as_it_came, "/echo", {"headers": {"Cookie": "own=1"}}),
    (lambda session: session.cookies.set("e", "example", domain="example.com"), "/echo", {}),
    (_as_it_came, "/echo", {"headers": {"Host": "example.com"}}),
    (lambda session: session.headers.update({"Host": "example.com"}), "/echo", {}),
    (lambda session: session.headers.pop("Host"), "/echo", {}),
    (lambda session: setattr(_first(session), "secure", True), "/echo", {}),
    (lambda session: setattr(_first(session), "secure", False), "/cookies", {}),
    (_as_it_came, "/echo", {}),
    (_as_it_came, "/forget", {}),
    (_as_it_came, "/echo", {}),
    (_expired, "/echo", {}),
    (lambda session: session.cookies.clear(), "/echo", {}),
    (lambda session: session.cookies.set("a", "1"), "/echo", {}),
]


def cookies_of(jar: Any) -> list[dict[str, Any]]:
    """All that can be seen of a jar's cookies."""
    return [dict(vars(cookie)) for cookie in jar]


def body_of(request: Any) -> Any:
    """A request's body, or what kind of thing it is read from."""
    return request.body if request.body is None or isinstance(request.body, (str, bytes)) else type(request.body)
