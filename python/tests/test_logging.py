"""The event log: silent until somebody listens, and never a place for secrets."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pabal
import pytest
from pabal import _redact, exceptions
from support.nginx import Nginx
from support.scripted import Connection, ScriptedServer

Start = Callable[..., ScriptedServer]


class Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    @property
    def lines(self) -> list[str]:
        return [f"{record.levelname} {record.name} {record.getMessage()}" for record in self.records]


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler = Lines()
    logger = logging.getLogger("pabal")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)


def secretive(connection: Connection) -> None:
    while connection.read_request():
        connection.answer(b"ok", "200 OK", "Set-Cookie: sid=hidden-cookie", "X-Plain: shown")


def test_nothing_is_said_unless_it_is_wanted(nginx: Nginx, capfd: pytest.CaptureFixture[str]) -> None:
    pabal.get(nginx.url + "/price")
    with pytest.raises(exceptions.ConnectionRefused):
        pabal.get("http://127.0.0.1:1/")
    assert capfd.readouterr() == ("", "")
    program = f"import logging, pabal; pabal.get({nginx.url + '/price'!r})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_logging_is_not_imported_for_nothing(nginx: Nginx) -> None:
    program = (
        f"import sys, pabal; pabal.get({nginx.url + '/price'!r}); "
        "print([n for n in ('logging', 'pabal._log', 'pabal.trace', 'pabal._hooks') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_exchange_is_a_line(nginx: Nginx, lines: Lines) -> None:
    pabal.get(nginx.url + "/moved")
    said = [line for line in lines.lines if " pabal.headers " not in line]
    assert len(said) == 2
    assert said[0].startswith(f"DEBUG pabal GET {nginx.url}/moved -> 302 after ")
    assert "(new connection to 127.0.0.1:" in said[0]
    assert said[1].startswith(f"DEBUG pabal GET {nginx.url}/price -> 200 after ")
    assert "(reused connection to 127.0.0.1:" in said[1]


def test_every_way_to_send_is_logged(nginx: Nginx, lines: Lines) -> None:
    async def main() -> None:
        async with pabal.AsyncSession() as session:
            await session.get(nginx.url + "/price?async")
            async for _ in session.map([nginx.url + "/price?map"]):
                pass
            async with session.stream("GET", nginx.url + "/price?stream"):
                pass

    asyncio.run(main())
    list(pabal.gather([nginx.url + "/price?gather"]))
    text = "\n".join(lines.lines)
    assert all(f"/price?{way} -> 200" in text for way in ("async", "map", "stream", "gather"))


def test_a_failure_is_a_line(lines: Lines) -> None:
    with pytest.raises(exceptions.ConnectionRefused):
        pabal.get("http://user:hidden@127.0.0.1:1/?password=hidden")
    assert len([line for line in lines.lines if " pabal " in line]) == 1
    assert "GET http://***@127.0.0.1:1/?password=*** -> connection_refused in connect after" in lines.lines[0]
    assert "hidden" not in "\n".join(lines.lines)


def test_a_repeated_request_is_a_warning(scripted: Start, lines: Lines) -> None:
    seen = 0

    def script(connection: Connection) -> None:
        nonlocal seen
        while connection.read_request():
            seen += 1
            if seen % 2 == 0:
                return
            connection.answer()

    logging.getLogger("pabal").setLevel(logging.WARNING)
    server = scripted(script)
    with pabal.Session() as session:
        session.get(server.url)
        session.get(server.url + "/?token=hidden")
    assert len(lines.lines) == 1
    assert lines.lines[0].startswith("WARNING pabal sent again, the connection was lost: GET ")
    assert "?token=*** -> connection_closed in read after" in lines.lines[0]


def test_secrets_stay_out(scripted: Start, lines: Lines) -> None:
    server = scripted(secretive)
    url = server.url.replace("//", "//user:hidden-password@") + "/?api_key=hidden-key&q=shown"
    headers = {
        "Cookie": "a=hidden-cookie",
        "X-Api-Key": "hidden-key",
        "Proxy-Authorization": "Basic hidden",
        "X-A": "b",
    }
    with pabal.Session() as session:
        session.get(url, headers=headers)
        session.get(server.url, headers={"Authorization": "Bearer hidden-token"})
        session.get(server.url, auth=("user", "hidden-password"))
    text = "\n".join(lines.lines)
    assert "hidden" not in text and "aGlkZGVu" not in text and "dXNlcjpoaWRkZW4" not in text
    assert "Authorization: Bearer ***" in text and "Authorization: Basic ***" in text
    assert "Set-Cookie: ***" in text and "X-Plain: shown" in text and "> X-A: b" in text
    assert "http://***@127.0.0.1" in text and "?api_key=***&q=shown" in text


def test_heads_can_be_left_out(nginx: Nginx, lines: Lines) -> None:
    logging.getLogger("pabal.headers").setLevel(logging.INFO)
    try:
        pabal.get(nginx.url + "/price")
    finally:
        logging.getLogger("pabal.headers").setLevel(logging.NOTSET)
    assert len(lines.lines) == 1


def test_nobody_forges_lines(scripted: Start, lines: Lines) -> None:
    """Security case 52: control characters in a URL or header reach the log as escapes."""

    def script(connection: Connection) -> None:
        connection.read_request()  # (what else could forge lines is refused by the engine)
        connection.answer(b"", "200 OK", "X-Evil: \x9b31mred\x85\x9b0m")

    pabal.get(scripted(script).url + "/\u2028\u202e?\x9b")
    for line in lines.lines:
        assert line.isprintable(), line


def test_nothing_is_formatted_for_nobody(nginx: Nginx, monkeypatch: pytest.MonkeyPatch) -> None:
    """A handler that wants less than the logger lets through pays for no text."""
    from pabal import _log

    def fail(*_: Any) -> str:
        raise AssertionError("formatted for nobody")

    monkeypatch.setattr(_log._Line, "__str__", fail)
    monkeypatch.setattr(_log._Head, "__str__", fail)
    handler = Lines()
    handler.setLevel(logging.WARNING)
    logger = logging.getLogger("pabal")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        assert pabal.get(nginx.url + "/price").ok
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)
    assert handler.records == []


@pytest.mark.parametrize(
    ("url", "redacted"),
    [
        ("http://a/b", "http://a/b"),
        ("http://u:p@a/b?x=1#f", "http://***@a/b?x=1#f"),
        ("http://u@a", "http://***@a"),
        ("http://a/?token=t&x=1", "http://a/?token=***&x=1"),
        (
            "http://a/?X-Amz-Signature=s&X-Amz-Credential=c&X-Amz-Date=d",
            "http://a/?X-Amz-Signature=***&X-Amz-Credential=***&X-Amz-Date=d",
        ),
        ("http://a/?ACCESS_TOKEN=t", "http://a/?ACCESS_TOKEN=***"),
        ("http://a/?client%5Fsecret=t", "http://a/?client%5Fsecret=***"),
        ("http://a/?password[]=t", "http://a/?password[]=***"),
        ("http://a/#access_token=t&state=1", "http://a/#access_token=***&state=1"),
        ("http://a/?token", "http://a/?token"),
        ("http://a/?token=", "http://a/?token="),
        ("http://a/?monkey=1&design=2", "http://a/?monkey=1&design=2"),
        ("http://a/?q=http://u:p@b", "http://a/?q=http://u:p@b"),
    ],
)
def test_redacted_urls(url: str, redacted: str) -> None:
    assert _redact.redact_url(url) == redacted


def test_redacted_messages() -> None:
    message = "the last one to http://user:secret@a/?sig=secret [GET http://a/?token=secret]"
    assert _redact.redact_text(message) == "the last one to http://***@a/?sig=*** [GET http://a/?token=***]"
    assert _redact.escape("a\r\nb\x1b\x00\u2028") == "a\\r\\nb\\x1b\\x00\\u2028"
