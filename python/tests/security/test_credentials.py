"""Credentials: whatever was meant for one origin never reaches another. What is tested elsewhere: docs/security.md."""

from __future__ import annotations

import ssl
from collections.abc import Callable

import pabal
import pytest
from support.scripted import Connection, Received, ScriptedServer

Start = Callable[..., ScriptedServer]
SECRETS: list[tuple[str | bytes, str | bytes | None]] = [
    ("Authorization", "Bearer one"),
    ("authorization", "Bearer two"),
    ("Cookie", "a=1"),
    ("COOKIE", "b=2"),
    ("Proxy-Authorization", "Basic x"),
]


def noting(requests: list[Received], location: str = "") -> Callable[[Connection], None]:
    def script(connection: Connection) -> None:
        while request := connection.read_request():
            requests.append(request)
            if location:
                connection.answer(b"", "307 Temporary Redirect", f"Location: {location}")
            else:
                connection.answer(b"ok")

    return script


@pytest.mark.parametrize("change", ["port", "host", "https to http", "http to https"])
def test_several_authorization_and_cookie_headers_are_all_dropped_when_the_origin_changes(
    change: str, scripted: Start, tls_context: ssl.SSLContext, ca_file: str
) -> None:
    here: list[Received] = []
    there: list[Received] = []
    other = scripted(noting(there), tls=tls_context if change == "http to https" else None)
    location = other.url.replace("127.0.0.1", "localhost") if change == "host" else other.url
    first = scripted(noting(here, location), tls=tls_context if change == "https to http" else None)
    with pabal.Session(verify=ca_file, headers={"Authorization": "Bearer of the session"}) as session:
        assert session.post(first.url, headers=SECRETS, data=b"x").text == "ok"
        assert session.post(first.url, auth=("user", "password"), cookies={"own": "1"}, data=b"x").text == "ok"
    assert here[0].values("authorization") == ["Bearer one", "Bearer two"]
    assert here[1].values("cookie") == ["own=1"]
    for request in there:
        assert request.body == b"x"
        for name in ("authorization", "cookie", "proxy-authorization"):
            assert request.values(name) == []


def test_cookies_of_one_request_are_dropped_when_the_origin_changes(scripted: Start) -> None:
    there: list[Received] = []
    first = scripted(noting([], scripted(noting(there)).url))
    with pabal.Session() as session:
        assert session.get(first.url, cookies={"own": "1"}).text == "ok"
        assert not session.cookies
    assert there[0].values("cookie") == []


def test_a_see_other_drops_the_body_and_what_describes_it(scripted: Start) -> None:
    last: list[Received] = []
    target = scripted(noting(last))

    def script(connection: Connection) -> None:
        while connection.read_request():
            connection.answer(b"", "303 See Other", f"Location: {target.url}")

    first = scripted(script)
    assert pabal.post(first.url, json={"a": 1}).text == "ok"
    assert (last[0].method, last[0].body) == ("GET", b"")
    for name in ("content-length", "content-type", "transfer-encoding"):
        assert last[0].values(name) == []
    assert pabal.post(first.url, data=b"x", allow_redirects=False).status_code == 303
    assert len(last) == 1
