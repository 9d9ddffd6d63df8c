"""Redirects: followed as browsers follow them, with nothing carried where it does not belong."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pabal
import pytest
from pabal import exceptions
from support.nginx import Nginx
from support.scripted import Connection, Redirector, ScriptedServer

Start = Callable[..., ScriptedServer]


def test_the_way_is_kept(nginx: Nginx) -> None:
    response = pabal.get(nginx.url + "/moved")
    assert response.json()["price"] == 123.45
    assert response.url == nginx.url + "/price"
    assert [(each.status_code, each.url) for each in response.history] == [(302, nginx.url + "/moved")]
    assert response.history[0].is_redirect


def test_not_followed_when_told_so(nginx: Nginx) -> None:
    response = pabal.get(nginx.url + "/moved", allow_redirects=False)
    assert (response.status_code, response.is_redirect, response.is_permanent_redirect) == (302, True, False)
    assert response.headers["location"].endswith("/price")
    assert pabal.head(nginx.url + "/moved").status_code == 302
    assert pabal.head(nginx.url + "/moved", allow_redirects=True).status_code == 200


def test_too_many(nginx: Nginx) -> None:
    with pabal.Session(max_redirects=5) as session:
        with pytest.raises(exceptions.TooManyRedirects):
            session.get(nginx.url + "/moved-often")
        assert session.get(nginx.url + "/price").ok


@pytest.mark.parametrize(
    ("status", "method", "then"),
    [
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (303, "POST", "GET"),
        (303, "PUT", "GET"),
        (307, "POST", "POST"),
        (308, "PUT", "PUT"),
        (301, "GET", "GET"),
        (302, "HEAD", "HEAD"),
    ],
)
def test_methods_and_bodies(status: int, method: str, then: str, scripted: Start) -> None:
    script = Redirector(status=status)
    server = scripted(script)
    with pabal.Session() as session:
        session.request(method, server.url, data=b"body" if method in ("POST", "PUT") else None, allow_redirects=True)
    last = script.requests[-1]
    assert last.method == then
    assert last.body == (b"body" if then in ("POST", "PUT") else b"")
    if then == "GET":
        assert last.value("content-length") is None
        assert last.value("content-type") is None


def test_a_file_is_sent_again_and_a_stream_cannot_be(scripted: Start, tmp_path: object) -> None:
    import io

    script = Redirector(status=307)
    server = scripted(script)

    def once() -> Iterator[bytes]:
        yield b"body"

    with pabal.Session() as session:
        assert session.post(server.url, content=io.BytesIO(b"body")).content == b"body"
        assert session.post(server.url, files={"f": b"x"}).ok
        with pytest.raises(exceptions.BodyNotReplayable):
            session.post(server.url, content=once())
        assert session.get(server.url + "/end").ok


def test_credentials_stay_with_their_origin(scripted: Start) -> None:
    end = Redirector()
    there = scripted(end)
    begin = Redirector(there.url + "/end")
    here = scripted(begin)
    with pabal.Session(auth=("user", "secret")) as session:
        session.get(
            here.url, headers=[("Authorization", "one"), ("X-Other", "kept")], cookies={"own": "1"}, auth=("a", "b")
        )
        session.get(here.url)
    assert begin.requests[0].values("authorization")
    assert begin.requests[0].value("cookie") == "own=1"
    for request in end.requests:
        assert request.values("authorization") == []
        assert request.values("cookie") == []
    assert end.requests[0].value("x-other") == "kept"


def test_credentials_stay_within_their_origin(scripted: Start) -> None:
    script = Redirector()
    server = scripted(script)
    pabal.get(server.url, auth=("user", "secret"), cookies={"own": "1"})
    assert script.requests[1].value("authorization") == "Basic dXNlcjpzZWNyZXQ="
    assert script.requests[1].value("cookie") == "own=1"


@pytest.mark.parametrize(
    "location", ["ftp://h/", "http://", "javascript:alert(1)", "file:///etc/passwd", "http://h:x/"]
)
def test_where_nobody_can_follow(location: str, scripted: Start) -> None:
    server = scripted(Redirector(location))
    with pabal.Session() as session:
        with pytest.raises(exceptions.RedirectError):
            session.get(server.url)
        assert session.get(server.url + "/end").ok


def test_relative_locations_and_fragments(scripted: Start) -> None:
    script = Redirector("../end?x=1")
    server = scripted(script)
    response = pabal.get(server.url + "/a/b/c#part")
    assert script.requests[-1].target in ("/a/end?x=1", "/end?x=1")
    script.location = "/end"
    response = pabal.get(server.url + "/a#part")
    assert response.url in (server.url + "/end#part", server.url + "/end")


def test_no_location_is_no_redirect(scripted: Start) -> None:
    def script(connection: Connection) -> None:
        while connection.read_request():
            connection.answer(b"x", "302 Found")

    response = pabal.get(scripted(script).url)
    assert (response.status_code, response.is_redirect) == (302, False)


def test_cookies_on_the_way(scripted: Start) -> None:
    seen: list[str | None] = []

    def script(connection: Connection) -> None:
        while request := connection.read_request():
            seen.append(request.value("cookie"))
            if request.target == "/":
                connection.answer(b"", "302 Found", "Location: /end", "Set-Cookie: a=1")
            else:
                connection.answer()

    assert pabal.get(scripted(script).url).ok
    assert seen == [None, "a=1"]
