"""HAR 1.2: what a session sent and got, for browsers' network panels and other tools.

    with pabal.har.record(session, "out.har"):
        session.get("https://example.com/price")

Works with `Session` and `AsyncSession` alike. What is kept is bounded. Credentials are replaced by ``***`` in headers,
URLs, forms and JSON unless ``secrets=True``; other secrets in bodies are yours to look after (``bodies=False``).
"""

from __future__ import annotations

import base64
import json
import os
import threading
from collections import deque
from typing import TYPE_CHECKING, cast

from pabal._engine import __version__
from pabal._fork import free_in_children
from pabal._redact import HIDDEN, is_secret_name, redact_headers, redact_pairs, redact_url
from pabal.exceptions import PabalError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from typing import Any, TypeAlias

    from typing_extensions import Self

    from pabal._request import Request
    from pabal.response import Response
    from pabal.session import AsyncSession, Session
    from pabal.trace import Hop, Trace

    Lines: TypeAlias = "list[tuple[str, str]]"
    Object: TypeAlias = "dict[str, Any]"

__all__ = ["HarRecorder", "record"]

#: Bodies larger than this are left out, each.
DEFAULT_BODY = 1024 * 1024
#: And beyond this, all together.
ALL_BODIES = 64 * 1024 * 1024


def record(
    session: Session | AsyncSession,
    path: str | os.PathLike[str],
    *,
    bodies: bool | int = True,
    max_entries: int = 10_000,
    secrets: bool = False,
) -> HarRecorder:
    """A context manager that records ``session`` and writes ``path`` at the end; for the rest see `HarRecorder`."""
    return HarRecorder(session, path=path, bodies=bodies, max_entries=max_entries, secrets=secrets)


class HarRecorder:
    """Records what a session does between ``start`` and ``stop``, or while it is entered with ``with``.

    bodies
        Whether to keep bodies; a number keeps those of at most so many bytes (True: a megabyte). All together no more
        than 64 megabytes are kept. Bodies of streamed responses are not recorded.
    max_entries
        The oldest entries are dropped beyond this many.
    secrets
        True leaves credentials in.
    path
        Where ``stop`` writes, readable for its owner only.
    """

    def __init__(
        self,
        session: Session | AsyncSession,
        *,
        path: str | os.PathLike[str] | None = None,
        bodies: bool | int = True,
        max_entries: int = 10_000,
        secrets: bool = False,
    ) -> None:
        from pabal.session import AsyncSession, Session

        if not isinstance(session, (Session, AsyncSession)):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"a Session or AsyncSession is recorded, not {type(session).__name__}")
        if not isinstance(bodies, int):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"bodies must be a bool or a number of bytes, not {type(bodies).__name__}")
        if bodies < 0:
            raise ValueError(f"bodies must not be negative, not {bodies}")
        if isinstance(max_entries, bool) or not isinstance(max_entries, int):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"max_entries must be an int, not {type(max_entries).__name__}")
        if max_entries < 1:
            raise ValueError(f"max_entries must be at least 1, not {max_entries}")
        self._path = None if path is None else os.fspath(path)
        self._session = session
        self._max_body = DEFAULT_BODY if bodies is True else int(bodies)
        self._secrets = secrets
        self._entries: deque[tuple[Object, int]] = deque()
        self._max_entries = max_entries
        self._held = 0
        self._dropped = 0
        self._recording = False
        self._lock = free_in_children(threading.Lock())

    # --- when ---------------------------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Begins to record."""
        if not self._recording:
            self._recording = True
            self._session.hooks.observers += (self,)
        return self

    def stop(self) -> None:
        """Records no more, and writes the file if one was named."""
        if not self._recording:
            return
        self._recording = False
        hooks = self._session.hooks
        hooks.observers = tuple(each for each in hooks.observers if each is not self)
        if hooks.are_none:
            self._session.hooks = None  # the fast way again
        if self._path is not None:
            self.save(self._path)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    # --- what ---------------------------------------------------------------------------------------------------------

    @property
    def har(self) -> Object:
        """The recording so far, as HAR 1.2 has it."""
        with self._lock:
            entries = [entry for entry, _ in self._entries]
            dropped = self._dropped
        entries.sort(key=lambda entry: cast("str", entry["startedDateTime"]))
        log: Object = {"version": "1.2", "creator": {"name": "pabal", "version": __version__}, "entries": entries}
        if dropped:
            log["comment"] = f"{dropped} older entries were dropped"
        return {"log": log}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the recording so far; the file is replaced as a whole, and only its owner may read it."""
        target = os.fspath(path)
        temporary = f"{target}.{os.getpid()}.tmp"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with open(descriptor, "w", encoding="utf-8") as file:
                json.dump(self.har, file, indent=1, ensure_ascii=False)
            os.replace(temporary, target)
        except BaseException:
            os.unlink(temporary)
            raise

    # --- what the session tells (pabal._hooks.Observer) ---------------------------------------------------------------

    def begin(self, request: Request) -> None:
        pass

    def end(self, token: None, request: Request, response: Response | None, error: BaseException | None) -> None:
        if response is not None:
            self._add_response(response)
        elif isinstance(error, PabalError) and error.trace is not None:
            trace = error.trace
            for hop, url in zip(trace.hops, _urls(error), strict=True):
                headers: Lines = list(request.headers.items()) if hop is trace.last else []
                sent = self._request(hop, url, headers, request.body if hop is trace.last else None, "HTTP/1.1")
                self._add(trace, hop, sent, _no_response(), 0)

    def _add_response(self, response: Response) -> None:
        trace = response.trace
        history = iter(response.history)
        urls = _urls(response)
        version = f"HTTP/{response.http_version}"
        for hop, url in zip(trace.hops[:-1], urls, strict=False):
            redirected = next(history, None) if hop.error is None else None
            got = _no_response() if redirected is None else self._response(redirected, None)[0]
            self._add(trace, hop, self._request(hop, url, [], None, version), got, 0)
        request = response.request
        sent = self._request(trace.last, urls[-1], list(request.headers.items()), request.body, version)
        unread = response.is_stream_consumed is False or not response._is_read  # pyright: ignore[reportPrivateUsage]
        got, size = self._response(response, None if unread else response.content)
        if unread:
            got["content"]["comment"] = "streamed"
        self._add(trace, trace.last, sent, got, size)

    def _add(self, trace: Trace, hop: Hop, request: Object, response: Object, size: int) -> None:
        entry: Object = {
            "startedDateTime": _date(trace.started_at + (hop.submitted or 0.0)),
            **_timings(hop),
            "request": request,
            "response": response,
            "cache": {},
        }
        if hop.connection is not None:
            entry["serverIPAddress"] = hop.connection.peer_address.rpartition(":")[0].strip("[]")
            entry["connection"] = hop.connection.local_address
        if hop.error is not None:
            entry["_error"] = hop.error
        with self._lock:
            self._entries.append((entry, size))
            while len(self._entries) > self._max_entries:
                _, freed = self._entries.popleft()
                self._held -= freed
                self._dropped += 1

    def _lines(self, headers: Lines) -> list[Object]:
        shown = headers if self._secrets else redact_headers(headers)
        return [{"name": name, "value": value} for name, value in shown]

    def _url(self, url: str) -> str:
        return url if self._secrets else redact_url(url)

    def _request(self, hop: Hop, url: str, headers: Lines, body: object, version: str) -> Object:
        from urllib.parse import parse_qsl, urlsplit

        url = self._url(url)
        query = parse_qsl(urlsplit(url).query, keep_blank_values=True)
        request: Object = {
            "method": hop.method,
            "url": url,
            "httpVersion": version,
            "cookies": self._cookies(value for name, value in headers if name.lower() == "cookie"),
            "headers": self._lines(headers),
            "queryString": [{"name": name, "value": value} for name, value in query],
            "headersSize": -1,
            "bodySize": len(body) if isinstance(body, bytes) else 0 if body is None else -1,
        }
        if isinstance(body, bytes):
            mime = next((value for name, value in headers if name.lower() == "content-type"), "")
            text, encoding, _ = self._body(body, mime)
            request["postData"] = {"mimeType": mime, "params": [], "text": text}
            if encoding:
                request["postData"]["comment"] = encoding
        return request

    def _cookies(self, lines: Iterable[str]) -> list[Object]:
        cookies: list[Object] = []
        for line in lines:
            for pair in line.split("; "):
                name, _, value = pair.partition("=")
                cookies.append({"name": name, "value": value if self._secrets else HIDDEN})
        return cookies

    def _response(self, response: Response, body: bytes | None) -> tuple[Object, int]:
        headers = list(response.headers.items())
        mime = response.headers.get("content-type") or "x-unknown"
        content: Object = {"size": 0 if body is None else len(body), "mimeType": mime}
        size = 0
        if body:
            text, encoding, size = self._body(body, mime)
            if text or not encoding.startswith("left out"):
                content["text"] = text
            if encoding == "base64":
                content["encoding"] = encoding
            elif encoding:
                content["comment"] = encoding
        length = response.headers.get("content-length", "")
        made: Object = {
            "status": response.status_code,
            "statusText": response.reason,
            "httpVersion": f"HTTP/{response.http_version}",
            "cookies": [
                {"name": cookie.name, "value": cookie.value if self._secrets else HIDDEN, "path": cookie.path}
                for cookie in response.cookies.cookies()
            ],
            "headers": self._lines(headers),
            "content": content,
            "redirectURL": self._url(response.headers.get("location", "")),
            "headersSize": -1,
            "bodySize": int(length) if length.isdigit() else -1,
        }
        return made, size

    def _body(self, body: bytes, mime: str) -> tuple[str, str, int]:
        """(text, what is to be said of it, bytes held)."""
        if not self._max_body:
            return "", "left out", 0
        if len(body) > self._max_body:
            return "", f"left out: {len(body)} bytes", 0
        with self._lock:
            if self._held + len(body) > ALL_BODIES:
                return "", "left out: too much was recorded already", 0
            self._held += len(body)
        if not self._secrets:
            if mime.startswith("multipart/form-data"):
                return "", "left out: a form that may hold secrets", len(body)
            body = _without_secrets(body, mime)
        try:
            return body.decode("utf-8"), "", len(body)
        except UnicodeDecodeError:
            return base64.b64encode(body).decode("ascii"), "base64", len(body)


def _without_secrets(body: bytes, mime: str) -> bytes:
    try:
        if mime.startswith("application/x-www-form-urlencoded"):
            return redact_pairs(body.decode("ascii")).encode("ascii")
        if "json" in mime:
            value = json.loads(body)
            clean = _clean(value)
            return body if clean == value else json.dumps(clean, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        pass
    return body


def _clean(value: Any) -> Any:
    if isinstance(value, dict):
        held = cast("dict[str, Any]", value)
        return {k: HIDDEN if is_secret_name(k) and isinstance(v, (str, int)) else _clean(v) for k, v in held.items()}
    if isinstance(value, list):
        return [_clean(each) for each in value]  # pyright: ignore[reportUnknownVariableType]
    return value


def _urls(of: Response | PabalError) -> list[str]:
    """Those of the exchanges, with everything that is in them."""
    return [each[1] for each in of._trace_parts[1]]  # pyright: ignore[reportPrivateUsage]


def _no_response() -> Object:
    return {
        "status": 0,
        "statusText": "",
        "httpVersion": "",
        "cookies": [],
        "headers": [],
        "content": {"size": 0, "mimeType": "x-unknown"},
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": -1,
    }


def _date(seconds: float) -> str:
    from datetime import datetime, timezone

    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _timings(hop: Hop) -> Object:
    """``connect`` of HAR includes TLS; -1 is "did not apply"."""

    def milliseconds(seconds: float) -> float:
        return round(seconds * 1000, 3)

    dialled = hop.connection is not None and not hop.reused
    secure = dialled and hop.tls > 0
    timings = {
        "blocked": milliseconds(hop.queued),
        "dns": milliseconds(hop.resolve) if dialled else -1,
        "connect": milliseconds(hop.connect + hop.tls) if dialled else -1,
        "ssl": milliseconds(hop.tls) if secure else -1,
        "send": milliseconds(hop.send),
        "wait": milliseconds(hop.wait),
        "receive": milliseconds(hop.receive),
    }
    total = sum(value for name, value in timings.items() if value > 0 and name != "ssl")
    return {"time": round(total, 3), "timings": timings}
