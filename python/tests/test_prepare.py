"""From options to what goes on the wire; whatever is wrong is said before any I/O."""

from __future__ import annotations

import io
from http.cookiejar import Cookie, CookieJar
from types import SimpleNamespace
from typing import Any

import pytest
from pabal._prepare import cookie_lines, prepare
from pabal._request import Request
from pabal.auth import BasicAuth, BearerAuth
from pabal.exceptions import InvalidArgument, InvalidHeader, InvalidURL


def session(headers: dict[str, str] | None = None, params: Any = None, auth: Any = None) -> Any:
    return SimpleNamespace(headers=headers or {}, params=params, auth=auth)


def prepared(url: object = "http://h/", of: Any = None, is_async: bool = False, **options: Any) -> Any:
    names = ("url", "headers", "body", "size", "cookies", "digest")
    values = prepare(of or session(), "POST", url, options, is_async)
    return SimpleNamespace(**dict(zip(names, values, strict=True)))


# --- URL --------------------------------------------------------------------------------------------------------------


def test_url_objects_are_asked_for_their_text() -> None:
    class Url:
        def __str__(self) -> str:
            return "http://h/x"

    assert prepared(Url()).url == "http://h/x"
    assert prepared(b"http://h/\xc3\xbc").url == "http://h/ü"


@pytest.mark.parametrize("url", [None, 5, b"\xff"])
def test_what_is_no_url(url: object) -> None:
    with pytest.raises(InvalidURL):
        prepared(url)


def test_params_of_the_session_and_of_the_request() -> None:
    assert prepared(of=session(params={"key": "k"}), params={"a": 1}).url == "http://h/?key=k&a=1"
    assert prepared(of=session(params={"key": "k"})).url == "http://h/?key=k"


# --- headers ----------------------------------------------------------------------------------------------------------


def test_the_request_goes_before_the_session_and_none_removes() -> None:
    of = session({"Accept": "*/*", "X-Old": "1", "X-Gone": "1"})
    lines = prepared(of=of, headers={"x-old": "2", "X-GONE": None, b"X-Raw": b"\xff", "X-New": "ü"}).headers
    assert lines == [(b"Accept", b"*/*"), (b"x-old", b"2"), (b"X-Raw", b"\xff"), (b"X-New", b"\xfc")]


def test_pairs_may_repeat() -> None:
    assert prepared(headers=[("A", "1"), ("a", "2")]).headers == [(b"A", b"1"), (b"a", b"2")]


@pytest.mark.parametrize("headers", [{"X": "€"}, {"€": "x"}, {"X": 5}, {5: "x"}])
def test_headers_that_cannot_be_written(headers: Any) -> None:
    with pytest.raises(InvalidHeader):
        prepared(headers=headers)


# --- bodies -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "body", "content_type"),
    [
        ({"json": {"a": [1, None, "ü"]}}, '{"a":[1,null,"ü"]}'.encode(), b"application/json"),
        ({"json": []}, b"[]", b"application/json"),
        ({"json": "\ud800"}, b'"\\ud800"', b"application/json"),
        ({"data": {"a": "1 2"}}, b"a=1+2", b"application/x-www-form-urlencoded"),
        ({"data": [("a", 1), ("a", 2)]}, b"a=1&a=2", b"application/x-www-form-urlencoded"),
        ({"data": "text"}, b"text", None),
        ({"data": b"bytes"}, b"bytes", None),
        ({"content": b"bytes"}, b"bytes", None),
        ({"content": [b"a", b"b"]}, b"ab", None),
        ({"data": {}, "json": {"a": 1}}, b'{"a":1}', b"application/json"),
        ({"data": {}}, None, None),
        ({}, None, None),
    ],
)
def test_bodies_and_their_types(options: dict[str, Any], body: bytes | None, content_type: bytes | None) -> None:
    result = prepared(**options)
    assert result.body == body
    assert result.size == len(body or b"")
    assert dict(result.headers).get(b"Content-Type") == content_type


def test_a_content_type_of_ones_own_stays() -> None:
    result = prepared(json={}, headers={"content-type": "application/vnd.x+json"})
    assert result.headers == [(b"content-type", b"application/vnd.x+json")]


def test_streams_have_a_size_when_it_is_known() -> None:
    assert prepared(data=io.BytesIO(b"12345")).size == 5
    assert prepared(data=iter([b"12345"])).size is None


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"data": {"a": 1}, "json": {}}, "data= and as json="),
        ({"data": b"x", "content": b"y"}, "data= and as content="),
        ({"json": 1, "content": b"y"}, "json= and as content="),
        ({"json": 1, "files": {"f": b""}}, "json= and as files="),
    ],
)
def test_two_bodies_are_refused_and_named(options: dict[str, Any], names: str) -> None:
    with pytest.raises(ValueError, match=names):
        prepared(**options)


def test_data_and_files_are_one_form() -> None:
    result = prepared(data={"a": "1"}, files={"f": b"2"})
    assert b'name="a"' in result.body
    assert b'name="f"' in result.body
    assert result.headers[0][1].startswith(b"multipart/form-data; boundary=")
    with pytest.raises(InvalidArgument, match="both go into one form"):
        prepared(data=b"raw", files={"f": b"2"})


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_json_that_is_none_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="json="):
        prepared(json={"a": value})


def test_an_async_body_needs_an_async_session() -> None:
    async def pieces() -> Any:
        yield b""

    with pytest.raises(InvalidArgument, match="AsyncSession"):
        prepared(content=pieces())
    assert prepared(content=pieces(), is_async=True).size is None


# --- auth -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("auth", [("user", "pass"), BasicAuth("user", "pass"), ["user", b"pass"]])
def test_basic(auth: Any) -> None:
    assert prepared(auth=auth).headers == [(b"Authorization", b"Basic dXNlcjpwYXNz")]
    assert prepared(of=session(auth=auth)).headers == [(b"Authorization", b"Basic dXNlcjpwYXNz")]


def test_bearer_replaces_what_was_there() -> None:
    result = prepared(of=session({"authorization": "old"}), auth=BearerAuth("t"))
    assert [value for name, value in result.headers if name.lower() == b"authorization"] == [b"Bearer t"]
    assert "t" not in repr(BearerAuth("t")).replace("BearerAuth", "")


def test_a_callable_sees_and_changes_everything() -> None:
    def sign(request: Request) -> None:
        assert (request.method, request.url, request.body) == ("POST", "http://h/?a=1", b"{}")
        assert request.headers["content-type"] == "application/json"
        assert request.path_url == "/?a=1"
        request.headers["X-Signature"] = "s"
        request.url += "&signed=1"
        request.body = b"{ }"

    result = prepared(params={"a": 1}, json={}, auth=sign)
    assert (b"X-Signature", b"s") in result.headers
    assert (result.url, result.body, result.size) == ("http://h/?a=1&signed=1", b"{ }", 3)


def test_a_callable_may_return_another_request() -> None:
    result = prepared(auth=lambda request: Request("POST", "http://h/other", {"A": "b"}, None))
    assert (result.url, result.headers, result.body) == ("http://h/other", [(b"A", b"b")], None)


@pytest.mark.parametrize("auth", ["token", ("a", "b", "c"), 5])
def test_what_is_no_auth(auth: Any) -> None:
    with pytest.raises(InvalidArgument, match="auth="):
        prepared(auth=auth)


def test_a_colon_in_a_user_name_is_refused() -> None:
    with pytest.raises(ValueError, match="colon"):
        prepared(auth=("a:b", "c"))


# --- cookies ----------------------------------------------------------------------------------------------------------


def test_cookies() -> None:
    assert prepared(cookies={"a": "1", "b": "ü"}).cookies == [(b"a", b"1"), (b"b", "ü".encode())]
    assert prepared(cookies=[("a", "1")]).cookies == [(b"a", b"1")]
    assert prepared().cookies is None


@pytest.mark.parametrize("cookies", [{"a": "1;2"}, {"a": "1\r\nX: y"}, {"a=b": "1"}, {"": "1"}, {"a\0": "1"}])
def test_cookies_that_would_be_something_else(cookies: Any) -> None:
    with pytest.raises(InvalidHeader):
        prepared(cookies=cookies)


def stored(name: str, domain: str, path: str = "/", secure: bool = False) -> Cookie:
    return Cookie(0, name, "v", None, False, domain, bool(domain), domain.startswith("."), path, True, secure, None,
                  True, None, None, {})  # fmt: skip


def test_of_a_jar_only_what_is_meant_for_the_url() -> None:
    jar = CookieJar()
    for cookie in (
        stored("host", "h.example"),
        stored("parent", ".example"),
        stored("other", "other.example"),
        stored("suffix", ".h.example.org"),
        stored("path", "h.example", "/a"),
        stored("sibling", "h.example", "/ab"),
        stored("secure", "h.example", "/", True),
    ):
        jar.set_cookie(cookie)
    assert {name for name, _ in cookie_lines(jar, "http://h.example/a/b")} == {b"host", b"parent", b"path"}
    assert {name for name, _ in cookie_lines(jar, "https://h.example/")} == {b"host", b"parent", b"secure"}
