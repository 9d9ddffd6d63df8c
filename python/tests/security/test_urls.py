"""URLs: one meaning for everybody, or none."""

from __future__ import annotations

from collections.abc import Callable

import pabal
import pytest
from pabal import exceptions
from support.misbehaving import GOOD, saying
from support.scripted import Connection, ScriptedServer

Start = Callable[..., ScriptedServer]


@pytest.mark.parametrize(
    "host", ["2130706433", "127.1", "127.0.1", "0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "127.0.0.1.1"]
)
def test_addresses_as_numbers_short_or_octal_are_refused(host: str, scripted: Start) -> None:
    server = scripted(saying(GOOD))
    with pabal.Session(timeout=20) as session, pytest.raises(exceptions.InvalidURL):
        session.get(f"http://{host}:{server.port}/")
    assert server.connections == 0


@pytest.mark.parametrize(
    "url",
    [
        "http:////host",
        "http:///host",
        "http://x@//h",
        "http://",
        "http://:80/",
        "http://@/",
        "http://a:b:c/",
        "http://[::1",
        "http://a\\@b/",
        "http://a%00b/",
        "http://a\tb/",
        "http://[::1]x/",
        "http:a",
        "//a/",
    ],
)
def test_urls_without_a_clear_host_are_invalid(url: str) -> None:
    with pabal.Session() as session, pytest.raises(exceptions.InvalidURL):
        session.get(url)


@pytest.mark.parametrize("location", ["http:////host", "http://x@//h", "ftp://a/", "file:///etc/passwd", "http://a b/"])
def test_a_redirect_to_no_clear_host_is_refused(location: str, scripted: Start) -> None:
    def script(connection: Connection) -> None:
        while request := connection.read_request():
            if request.target == "/go":
                connection.answer(b"", "302 Found", f"Location: {location}")
            else:
                connection.send(GOOD)

    server = scripted(script)
    with pabal.Session() as session:
        with pytest.raises(exceptions.PabalError) as caught:
            session.get(server.url + "/go")
        assert caught.value.code == "unfollowable_redirect"
        assert session.get(server.url).text == "ok"


@pytest.mark.parametrize(
    ("no_proxy", "is_direct"),
    [
        ("7.0.0.1", False),
        ("127.0.0.1", True),
        ("ocalhost", False),
        ("0.0.1", False),
        ("127.0.0.0/8", True),
        ("*", True),
    ],
)
def test_no_proxy_names_whole_labels(no_proxy: str, is_direct: bool, scripted: Start) -> None:
    asked: list[str] = []

    def proxying(connection: Connection) -> None:
        while request := connection.read_request():
            asked.append(request.target)
            connection.send(GOOD)

    proxy, server = scripted(proxying), scripted(saying(GOOD))
    with pabal.Session(proxies={"http": proxy.url, "no_proxy": no_proxy}) as session:
        assert session.get(server.url + "/x").text == "ok"
    assert (asked == []) is is_direct
