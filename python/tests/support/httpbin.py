"""A server that tells what it was asked, in JSON: what programs and documentation of HTTP clients are tried against."""

from __future__ import annotations

import base64
import email.parser
import email.policy
import gzip
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from support.scripted import Connection, Received

__all__ = ["EchoServer"]

_Answer = tuple[bytes, str, tuple[str, ...]]


def _grouped(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """One value, or the list of them, for each name."""
    made: dict[str, Any] = {}
    for name, value in pairs:
        before = made.get(name)
        made[name] = value if before is None else [*(before if isinstance(before, list) else [before]), value]
    return made


def _multipart(content_type: str, body: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    fields: list[tuple[str, str]] = []
    files: list[tuple[str, Any]] = []
    for part in message.iter_parts():  # type: ignore[attr-defined]
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True).decode()
        if part.get_filename() is None:
            fields.append((name, content))
        else:
            seen = {"name": part.get_filename(), "type": part.get_content_type(), "x": part.get("X-Part")}
            files.append((name, {**seen, "is": content}))
    return _grouped(fields), _grouped(files)


def _told(request: Received) -> dict[str, Any]:
    target = urlsplit(request.target)
    content_type = request.value("content-type") or ""
    form: dict[str, Any] = {}
    files: dict[str, Any] = {}
    data = ""
    if content_type == "application/x-www-form-urlencoded":
        form = _grouped(parse_qsl(request.body.decode(), keep_blank_values=True))
    elif content_type.startswith("multipart/form-data"):
        form, files = _multipart(content_type, request.body)
    else:
        data = request.body.decode("latin-1")
    return {
        "method": request.method,
        "url": f"http://{request.value('host')}{request.target}",
        "args": _grouped(parse_qsl(target.query, keep_blank_values=True)),
        "headers": {name.title(): value for name, value in request.headers},
        "form": form,
        "files": files,
        "data": data,
        "json": json.loads(data) if data and "json" in content_type else None,
    }


def _cookies(request: Received, rest: str) -> _Answer:
    pairs = [pair.partition("=") for pair in (request.value("cookie") or "").split("; ") if pair]
    if rest.startswith("set/"):
        name, _, value = rest[4:].partition("/")
        return b"", "302 Found", ("Location: /cookies", f"Set-Cookie: {name}={value}; Path=/")
    return json.dumps({"cookies": {name: value for name, _, value in pairs}}).encode(), "200 OK", ()


def _authorized(request: Received, rest: str) -> _Answer:
    expected = "Basic " + base64.b64encode(unquote(rest).replace("/", ":", 1).encode()).decode()
    if request.value("authorization") == expected:
        return b'{"authenticated": true}', "200 OK", ()
    return b"", "401 Unauthorized", ('WWW-Authenticate: Basic realm="here"',)


def _status(request: Received, rest: str) -> _Answer:
    names = {"404": "Not Found", "503": "Service Unavailable", "200": "OK"}
    return b"", f"{rest} {names.get(rest, 'Some')}", ()


def _redirect(request: Received, rest: str) -> _Answer:
    left = int(rest)
    return b"", "302 Found", (f"Location: {f'/redirect/{left - 1}' if left > 1 else '/get'}",)


def _redirect_to(request: Received, rest: str) -> _Answer:
    return b"", f"{rest} Elsewhere", ("Location: /anything",)


def _gzip(request: Received, rest: str) -> _Answer:
    return gzip.compress(json.dumps(_told(request)).encode()), "200 OK", ("Content-Encoding: gzip",)


def _image(request: Received, rest: str) -> _Answer:
    return b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "200 OK", ("Content-Type: image/png",)


def _text(request: Received, rest: str) -> _Answer:
    return "caf\xe9 \u2603".encode(), "200 OK", ("Content-Type: text/html; charset=utf-8",)


def _lines(request: Received, rest: str) -> _Answer:
    return b"".join(b'{"id": %d}\n' % each for each in range(int(rest))), "200 OK", ("Content-Type: text/plain",)


def _links(request: Received, rest: str) -> _Answer:
    return b"[]", "200 OK", ('Link: </links?page=2>; rel="next", </links?page=9>; rel="last"',)


_PATHS: dict[str, Callable[[Received, str], _Answer]] = {
    "cookies": _cookies,
    "basic-auth": _authorized,
    "status": _status,
    "redirect": _redirect,
    "redirect-to": _redirect_to,
    "gzip": _gzip,
    "image": _image,
    "html": _text,
    "lines": _lines,
    "links": _links,
}


class EchoServer:
    """Answers ``/get``, ``/post`` and any other path with what it was asked; those of the table above otherwise.

    ``/delay`` never answers; ``/flaky/N`` answers 503 N times before it does.
    """

    def __init__(self) -> None:
        self.requests: list[Received] = []
        self._failed: dict[str, int] = {}

    def __call__(self, connection: Connection) -> None:
        while request := connection.read_request():
            self.requests.append(request)
            first, _, rest = urlsplit(request.target).path[1:].partition("/")
            if first == "delay":
                connection.wait_closed()
                return
            body, status, headers = self._answer(request, first, rest)
            if not any(line.startswith("Content-Type") for line in headers):
                headers = ("Content-Type: application/json", *headers)
            connection.answer(b"" if request.method == "HEAD" else body, status, *headers)

    def _answer(self, request: Received, first: str, rest: str) -> _Answer:
        if first == "flaky":
            failed = self._failed[rest] = self._failed.get(rest, 0) + 1
            if failed <= int(rest):
                return b"later", "503 Service Unavailable", ()
        make = _PATHS.get(first)
        return make(request, rest) if make else (json.dumps(_told(request)).encode(), "200 OK", ())
