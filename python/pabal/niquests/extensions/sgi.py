"""Applications in this process, WSGI: ``Session(app=application)``."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

from pabal.requests.packages.urllib3._collections import HTTPHeaderDict
from pabal.requests.packages.urllib3._installed import either, used
from pabal.requests.packages.urllib3._shapes import MaxRetryError
from pabal.requests.packages.urllib3.response import HTTPResponse
from pabal.requests.packages.urllib3.util.retry import Retry

from ..adapters import BaseAdapter
from ..exceptions import UnsupportedError
from ..models import Response
from ..packages.contrib.webextensions.sse import EventStream
from ..structures import CaseInsensitiveDict
from ..utils import get_encoding_from_headers

__all__ = ["WebServerGatewayInterface", "body_bytes", "build", "headers_of"]


class WebServerGatewayInterface(BaseAdapter):
    """Calls a WSGI application (PEP 3333) where others would connect."""

    def __init__(self, app: Any, max_retries: Any = 0) -> None:
        super().__init__()
        self.app = app
        self.max_retries: Any = Retry.from_int(max_retries)

    def __repr__(self) -> str:
        return "<WSGIAdapter>"

    def send(
        self,
        request: Any,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Asks the application; its answer is read as it makes it."""
        refuse_scheme(request, "WSGI")
        events = _scheme_of(request) in ("sse", "psse")
        if events:
            request.headers.setdefault("Accept", "text/event-stream")
        retries = self.max_retries
        path: str = request.path_url
        while True:
            answer = self._call(request)
            if not retries.is_retry(request.method, answer.status, "Retry-After" in answer.headers):
                if events and answer.status == 200:
                    answer.extension = EventStream(answer)  # type: ignore[attr-defined]
                return build(Response(), request, answer, self)
            try:
                retries = retries.increment(request.method, path, response=answer)
            except either(MaxRetryError):
                return build(Response(), request, answer, self)
            answer.close()
            retries.sleep(answer)

    def _call(self, request: Any) -> HTTPResponse:
        head: list[Any] = []

        def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
            if exc_info and head and exc_info[1] is not None:
                raise exc_info[1].with_traceback(exc_info[2])
            head[:] = [status, headers]
            return _write_nothing

        produced = self.app(_environ(request), start_response)
        pieces = iter(produced)
        first = next(pieces, b"")  # an application may call start_response as late as this
        status, headers = head
        code, _, reason = status.partition(" ")
        return HTTPResponse(
            body=_Pieces(first, pieces, getattr(produced, "close", None)),
            headers=HTTPHeaderDict(headers),
            status=int(code),
            reason=reason,
            version=11,
            version_string="HTTP/1.1",
            preload_content=False,
            decode_content=False,
            request_method=request.method,
            request_url=request.url,
        )

    def close(self) -> None:
        """Nothing to close."""


class _Pieces(io.RawIOBase):
    """What an application yields, as a file."""

    def __init__(self, first: bytes, rest: Iterator[bytes], ended: Any) -> None:
        self._held = first
        self._rest = rest
        self._ended = ended

    def read(self, size: int | None = -1) -> bytes:
        """``size`` bytes; all there is for None."""
        wanted = None if size is None or size < 0 else size
        while wanted is None or len(self._held) < wanted:
            piece = next(self._rest, None)
            if piece is None:
                break
            self._held += piece
        taken = self._held if wanted is None else self._held[:wanted]
        self._held = self._held[len(taken) :]
        return taken

    def close(self) -> None:
        """Tells the application that nobody listens any more."""
        ended, self._ended = self._ended, None
        if ended is not None:
            ended()
        super().close()


def _write_nothing(data: bytes) -> None:
    """What ``start_response`` returns, for applications older than iterables."""
    raise NotImplementedError("an application must return its body, not write it")


def _scheme_of(request: Any) -> str:
    url: str = request.url
    return url.partition(":")[0]


def refuse_scheme(request: Any, kind: str) -> None:
    """WebSockets and event streams of applications are not there yet."""
    scheme = _scheme_of(request)
    if scheme in ("ws", "wss"):
        reason = NotImplementedError(f"WebSocket is not supported over {kind}")
        raise used(MaxRetryError)(None, request.url, reason)
    if scheme in ("sse", "psse") and kind != "WSGI":
        raise UnsupportedError("pabal cannot read event streams of such applications yet", request=request)


def body_bytes(body: Any) -> bytes:
    """A request's body in one piece."""
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode("utf-8")
    if isinstance(body, (bytes, bytearray)):
        return bytes(body)
    data = body.read() if hasattr(body, "read") else b"".join(_encoded(body))
    return data.encode("utf-8") if isinstance(data, str) else data


def _encoded(pieces: Iterable[Any]) -> Iterator[bytes]:
    for piece in pieces:
        yield piece.encode("utf-8") if isinstance(piece, str) else piece


def headers_of(request: Any) -> list[tuple[str, str]]:
    """Names and values as text."""
    return [tuple(v.decode("latin-1") if isinstance(v, bytes) else v for v in pair) for pair in request.headers.items()]  # type: ignore[misc]


def _environ(request: Any) -> dict[str, Any]:
    parts = urlsplit(str(request.url))
    body = body_bytes(request.body)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(parts.path or "/", "latin-1"),
        "QUERY_STRING": parts.query,
        "SERVER_NAME": parts.hostname or "localhost",
        "SERVER_PORT": str(parts.port or 80),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "HTTP_HOST": parts.netloc.rpartition("@")[2] or "localhost",
    }
    for name, value in headers_of(request):
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    if body:
        environ["CONTENT_LENGTH"] = str(len(body))
        environ.pop("HTTP_TRANSFER_ENCODING", None)
    return environ


def build(made: Any, request: Any, answer: HTTPResponse, adapter: Any) -> Any:
    """A face's response of what an application answered."""
    from ..cookies import extract_cookies_to_jar

    made.status_code = answer.status
    made.headers = CaseInsensitiveDict(answer.headers.itermerged())
    made.encoding = get_encoding_from_headers(made.headers)
    made.raw = answer
    made.reason = answer.reason
    made.url = request.url
    extract_cookies_to_jar(made.cookies, request, answer)
    made.request = request
    made.connection = adapter
    return made
