"""The jar: a mapping like requests', RFC 6265bis underneath."""

from __future__ import annotations

import time
from collections.abc import Callable

import pabal
import pytest
from support.scripted import Connection, ScriptedServer


def test_a_jar_is_a_mapping() -> None:
    jar = pabal.CookieJar({"a": "1"})
    jar["b"] = "2"
    jar.set("c", "3", domain="h.example", path="/x")
    assert jar["a"] == "1"
    assert dict(jar) == {"a": "1", "b": "2", "c": "3"}
    assert len(jar) == 3
    assert "b" in jar
    assert jar.get("c", domain="h.example") == "3"
    assert jar.get("c", domain="other.example") is None
    assert jar.get("z", "none") == "none"
    del jar["a"]
    with pytest.raises(KeyError):
        jar["a"]
    jar.update({"d": "4"})
    (cookie,) = (each for each in jar.cookies() if each.name == "c")
    assert (cookie.value, cookie.domain, cookie.path, cookie.secure) == ("3", "h.example", "/x", False)
    jar.clear()
    assert len(jar) == 0


def sent_cookies(connection: Connection, *set_cookies: str) -> None:
    """Answers every request with the Cookie that came, and sets some."""
    while request := connection.read_request():
        body = (request.value("cookie") or "").encode()
        headers = [f"Set-Cookie: {each}" for each in set_cookies] if request.target == "/set" else []
        connection.answer(body, "200 OK", *headers)


Start = Callable[..., ScriptedServer]


def test_cookies_come_back_to_whom_they_belong(scripted: Start) -> None:
    server = scripted(
        lambda connection: sent_cookies(
            connection,
            "plain=1",
            "deep=2; Path=/deep",
            "gone=3; Max-Age=0",
            "old=4; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
            "safe=5; Secure",
            "other=6; Domain=example.com",
            "__Host-x=7",
            "later=8; Max-Age=1000; HttpOnly; SameSite=Lax",
        )
    )
    with pabal.Session() as session:
        response = session.get(server.url + "/set")
        assert response.cookies["plain"] == "1"
        assert session.get(server.url + "/").text == "plain=1; later=8"
        assert session.get(server.url + "/deep/x").text.split("; ")[0] == "deep=2"
        (later,) = (each for each in session.cookies.cookies() if each.name == "later")
        assert later.http_only
        assert later.host_only
        assert later.expires == pytest.approx(time.time() + 1000, abs=5)
        session.cookies.clear()
        assert session.get(server.url + "/").text == ""


def test_a_requests_own_cookies_are_not_kept(scripted: Start) -> None:
    server = scripted(sent_cookies)
    with pabal.Session(cookies={"mine": "1", "both": "session"}) as session:
        assert session.get(server.url, cookies={"own": "2", "both": "request"}).text in (
            "mine=1; own=2; both=request",
            "mine=1; both=request; own=2",
        )
        assert session.get(server.url).text == "mine=1; both=session"


def test_calls_without_a_session_share_nothing(scripted: Start) -> None:
    server = scripted(lambda connection: sent_cookies(connection, "a=1"))
    assert pabal.get(server.url + "/set").cookies["a"] == "1"
    assert pabal.get(server.url + "/").text == ""


def test_thousands_of_bad_cookies_do_no_harm(scripted: Start) -> None:
    bad = ["=x", "x" * 5000, *["; ; ;"] * 50] * 4
    server = scripted(lambda connection: sent_cookies(connection, *bad, "good=1"))
    with pabal.Session() as session:
        session.get(server.url + "/set")
        assert session.get(server.url + "/").text.endswith("good=1")
