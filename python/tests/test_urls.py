"""Where requests go: base URLs, Unix sockets, and the request behind a redirect that was not followed."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pabal
import pytest
from pabal import exceptions
from support.nginx import Nginx
from support.scripted import Connection, ScriptedServer

Start = Callable[..., ScriptedServer]


def targets(connection: Connection) -> None:
    while request := connection.read_request():
        connection.answer(f"{request.method} {request.target} {request.value('x-sign') or ''}".strip().encode())


# --- base_url= --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base", "url", "target"),
    [
        ("/v1/", "users?id=1", "/v1/users?id=1"),
        ("/v1/", "/users", "/users"),
        ("/v1", "users", "/users"),
        ("/v1/", "../other", "/other"),
        ("/v1/", "", "/v1/"),
        ("/v1/?old=1", "?new=2", "/v1/?new=2"),
        ("", "users", "/users"),
        ("/v1/", "a%2Fb", "/v1/a%2Fb"),
    ],
)
def test_urls_are_relative_to_the_base(scripted: Start, base: str, url: str, target: str) -> None:
    server = scripted(targets)
    with pabal.Session(base_url=server.url + base) as session:
        assert session.base_url == server.url + base
        assert session.get(url).text == f"GET {target}"
        assert session.get(url, params={"p": "q"}).text == f"GET {target}{'&' if '?' in target else '?'}p=q"
        assert session.get(url, hooks={"request": lambda _: None}).text == f"GET {target}"
        assert next(pabal.gather([url], session=session)).result().text == f"GET {target}"


def test_absolute_urls_stay_what_they_are(scripted: Start, nginx: Nginx) -> None:
    server = scripted(targets)
    with pabal.Session(base_url="http://127.0.0.1:1/v1/") as session:
        assert session.get(server.url + "/a/../b").text == "GET /a/../b"
        assert session.get(server.url + "/a/../b", params={"p": 1}).text == "GET /a/../b?p=1"
        assert session.get(server.url.removeprefix("http:") + "/network").text == "GET /network"
        session.base_url = server.url
        assert session.get("/price").text == "GET /price"
        session.base_url = None
        with pytest.raises(exceptions.InvalidURL):
            session.get("/price")


def test_an_auth_callable_sees_the_whole_url(scripted: Start) -> None:
    server = scripted(targets)

    def sign(request: pabal.Request) -> None:
        request.headers["X-Sign"] = request.url

    with pabal.Session(base_url=server.url, auth=sign) as session:
        assert session.get("users").text == f"GET /users {server.url}/users"


def test_a_base_for_an_async_session(scripted: Start) -> None:
    server = scripted(targets)

    async def main() -> None:
        async with pabal.AsyncSession(base_url=server.url + "/v1/") as session:
            assert (await session.get("users")).text == "GET /v1/users"
            assert [each.result().text async for each in session.map(["a"])] == ["GET /v1/a"]

    asyncio.run(main())


@pytest.mark.parametrize("base", ["users", "/v1", "ftp://a", "http://", 5, b"\xff"])
def test_a_base_must_be_a_url(base: Any) -> None:
    with pytest.raises(ValueError):
        pabal.Session(base_url=base)
    with pabal.Session() as session, pytest.raises(ValueError):
        session.base_url = base


# --- Unix sockets -----------------------------------------------------------------------------------------------------


@pytest.fixture
def unix_path(tmp_path: Path) -> Iterator[str]:
    path = str(tmp_path / "app.sock")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()

        def serve() -> None:
            while True:
                try:
                    connected, _ = listener.accept()
                except OSError:
                    return
                with connected:
                    connection = Connection(connected)
                    while request := connection.read_request():
                        connection.answer(f"{request.target} {request.value('host')}".encode())

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield path
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def test_unix_sockets(unix_path: str) -> None:
    url = f"http+unix://{quote(unix_path, safe='')}"
    with pabal.Session() as session:
        response = session.get(url + "/containers?all=1")
        assert response.text == "/containers?all=1 localhost"
        assert response.trace.connection is not None
        assert response.trace.connection.peer_address == unix_path
        assert session.get(url + "/").trace.reused
    with pabal.Session(base_url=url) as session:
        assert session.get("/info").text == "/info localhost"

    async def main() -> None:
        async with pabal.AsyncSession(base_url=url) as session:
            assert (await session.get("/info")).text == "/info localhost"

    asyncio.run(main())


def test_a_unix_socket_that_is_not_there(tmp_path: Path) -> None:
    url = f"http+unix://{quote(str(tmp_path / 'none.sock'), safe='')}/"
    with pytest.raises(exceptions.ConnectError) as missing:
        pabal.get(url)
    assert "none.sock" in str(missing.value)


# --- response.next ----------------------------------------------------------------------------------------------------


def redirect(location: str, status: int) -> Callable[[Connection], None]:
    def script(connection: Connection) -> None:
        while request := connection.read_request():
            if request.target.startswith("/end"):
                connection.answer(f"{request.method} {request.body.decode()}".encode())
            else:
                connection.answer(b"", f"{status} Moved", f"Location: {location}")

    return script


@pytest.mark.parametrize(
    ("status", "method", "body"),
    [(302, "GET", None), (303, "GET", None), (307, "POST", b"data"), (308, "POST", b"data")],
)
def test_the_next_request(scripted: Start, status: int, method: str, body: bytes | None) -> None:
    server = scripted(redirect("/end?x=1", status))
    with pabal.Session() as session:
        headers = {"Authorization": "Bearer abc", "Content-Type": "text/x"}
        response = session.post(server.url, content=b"data", headers=headers, allow_redirects=False)
        following = response.next
        assert following is not None
        assert (following.method, following.url, following.body) == (method, server.url + "/end?x=1", body)
        assert following.headers["authorization"] == "Bearer abc"
        assert ("content-type" in following.headers) == (body is not None)
        assert "host" not in following.headers and "content-length" not in following.headers
        sent = session.request(following.method, following.url, headers=following.headers, content=following.body)
        assert sent.text == f"{method} {'' if body is None else body.decode()}".strip() or sent.text.startswith(method)
        assert next(pabal.gather([following], session=session)).result().text.startswith(method)


def test_credentials_stay_with_their_origin(scripted: Start) -> None:
    server = scripted(redirect("http://localhost:1/end", 302))
    with pabal.Session(headers={"Cookie": "a=b"}) as session:
        response = session.get(server.url, headers={"Authorization": "Bearer abc"}, allow_redirects=False)
        following = response.next
        assert following is not None and following.url == "http://localhost:1/end"
        assert "authorization" not in following.headers and "cookie" not in following.headers


def test_what_has_no_next_request(nginx: Nginx, scripted: Start) -> None:
    assert pabal.get(nginx.url + "/price").next is None
    assert pabal.get(scripted(redirect("ftp://a/b", 302)).url, allow_redirects=False).next is None
