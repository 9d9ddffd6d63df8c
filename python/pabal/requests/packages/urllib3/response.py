"""``HTTPResponse``: what ``response.raw`` is, over a response of the engine or over any file of bytes."""

from __future__ import annotations

import io
import json
from collections.abc import Generator
from typing import Any

from pabal import exceptions as native_errors

from . import _installed
from ._collections import HTTPHeaderDict
from ._original import Original
from ._wire import Wire
from .failures import shaped

__all__ = ["BaseHTTPResponse", "HTTPResponse", "version_number"]

_NUMBERS = {"1.0": 10, "2": 20, "3": 30}


def version_number(version: str) -> int:
    """A version of HTTP as http.client counts: 11, 20; 30 for HTTP/3."""
    return _NUMBERS.get(version, 11)


_REDIRECTS = (301, 302, 303, 307, 308)
#: What ``stream`` reads at a time unless told otherwise.
_PIECE = 2**16


class HTTPResponse(io.IOBase):
    """Status, headers and a body to read, as urllib3 shapes them.

    ``read`` and ``stream`` give the body as it came over the wire, or with content codings undone if ``decode_content``
    says so. The codings of an engine's response are undone by the engine; those of a body that was given, a recorded
    one say, by the installed urllib3, without which it is taken as it is.
    """

    CONTENT_DECODERS = ("gzip", "x-gzip", "deflate", "br", "zstd")
    REDIRECT_STATUSES = _REDIRECTS

    def __init__(
        self,
        body: Any = "",
        headers: Any = None,
        status: int = 0,
        version: int = 0,
        version_string: str = "HTTP/?",
        reason: str | None = None,
        preload_content: bool = True,
        decode_content: bool = True,
        original_response: Any = None,
        pool: Any = None,
        connection: Any = None,
        msg: Any = None,
        retries: Any = None,
        enforce_content_length: bool = True,
        request_method: str | None = None,
        request_url: str | None = None,
        auto_close: bool = True,
        **_: Any,
    ) -> None:
        self.headers = headers if isinstance(headers, HTTPHeaderDict) else HTTPHeaderDict(headers)
        self.status = status
        self.version = version
        self.version_string = version_string
        self.reason = reason
        self.decode_content = decode_content
        self.retries = retries
        self.msg = msg
        self.auto_close = auto_close
        #: Whether the body came in chunks. Those that replay recorded bodies say that theirs do not.
        self.chunked = "chunked" in self.headers.get("transfer-encoding", "").lower()
        self._request_url = request_url
        self._request_method = request_method
        self._pool = pool
        self._connection = connection
        self._native: Any = None
        self._keeps_codings = False  # the engine was told not to undo them
        self._ended = False
        self._pending = b""  # arrived, not yet asked for
        self._told = 0
        self._body: bytes | None = None
        self._file: Any = None
        self._handed: Any = None  # urllib3's response around what is read; see _fp
        if hasattr(body, "read"):
            self._file = body
        elif body:
            self._file = io.BytesIO(body.encode("utf-8") if isinstance(body, str) else body)
        self._original_response = original_response if original_response is not None else Original(self)
        if preload_content:
            self._body = self.read(decode_content=decode_content)

    @classmethod
    def of(
        cls, native: Any, pool: Any = None, retries: Any = None, method: str = "", url: str = "", ended: bool = False
    ) -> HTTPResponse:
        """Around a response of the engine; ``ended`` if its body was taken already."""
        made = cls(
            headers=native.headers.items(),
            status=native.status_code,
            version=version_number(native.http_version),
            version_string="HTTP/" + native.http_version,
            reason=native.reason,
            preload_content=False,
            decode_content=False,
            pool=pool,
            retries=retries,
            request_method=method,
            request_url=url,
        )
        made._native = native
        made._ended = ended
        _installed.adopt(cls)
        return made

    # --- the file below -----------------------------------------------------------------------------------------------

    @property
    def _fp(self) -> Any:
        """The file that is read, for those that want to know, or to put another in its place.

        Once it was asked for, the body is read through it, and its codings are undone by the installed urllib3; those
        that it does not know by the engine before, and then the headers do not tell of them.
        """
        if self._native is None:
            return self._file
        return self._hand_over()._fp

    @_fp.setter
    def _fp(self, file: Any) -> None:
        if self._native is None:
            self._file = file
        else:
            self._hand_over()._fp = file

    def _hand_over(self) -> Any:
        if self._handed is not None:
            return self._handed
        module = _installed.found("response")
        if module is None:
            raise AttributeError("the file below a response of pabal can be had only where urllib3 is installed")
        codings = self.headers.get("content-encoding", "").lower().replace(" ", "").split(",")
        if not self._ended and not self._keeps_codings and {*codings} <= {"", *module.HTTPResponse.CONTENT_DECODERS}:
            self._keeps_codings = bool(self._native._keep_encoded())
        if not self._keeps_codings and codings != [""]:
            self.headers.discard("content-encoding")
            self.headers.discard("content-length")
        headers = self.headers.copy()
        chunked, self.chunked = self.chunked, False
        held, self._pending = self._pending, b""
        wire = Wire(
            self._native,
            held,
            self._ended,
            headers=self.headers,
            chunked=chunked,
            pool=self._pool,
            url=self._request_url or "",
        )
        headers.discard("transfer-encoding")
        self._handed = self._around(module, wire, headers)
        return self._handed

    def _around(self, module: Any, file: Any, headers: HTTPHeaderDict) -> Any:
        """urllib3's response, which undoes codings of what it reads."""
        return module.HTTPResponse(
            file,
            headers.items(),
            self.status,
            preload_content=False,
            enforce_content_length=False,
            request_method=self._request_method,
        )

    # --- what it says -------------------------------------------------------------------------------------------------

    @property
    def data(self) -> bytes:
        """The whole body, decoded unless ``decode_content`` is False."""
        if self._body is None:
            self._body = self.read()
        return self._body

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.data.decode("utf-8"))

    @property
    def url(self) -> str | None:
        """The URL that was asked for."""
        return self._request_url

    @property
    def trailers(self) -> HTTPHeaderDict:
        """The fields after the body: those that came, once it was read."""
        try:
            return HTTPHeaderDict(() if self._native is None else self._native.trailers.items())
        except native_errors.ResponseNotRead:
            return HTTPHeaderDict()

    @property
    def informational(self) -> list[tuple[int, Any]]:
        """(status, headers) of the 1xx responses that came before."""
        return [] if self._native is None else list(self._native.informational)

    @property
    def connection(self) -> Any:
        """The connection, which is the engine's: None."""
        return self._connection

    def geturl(self) -> str | None:
        """As ``url``."""
        return self._request_url

    def info(self) -> HTTPHeaderDict:
        """As ``headers``."""
        return self.headers

    def getheaders(self) -> HTTPHeaderDict:
        """As ``headers``."""
        return self.headers

    def getheader(self, name: str, default: str | None = None) -> str | None:
        """One header."""
        return self.headers.get(name, default)

    @property
    def length_remaining(self) -> int | None:
        """Bytes still to come, where that is known."""
        length = self.headers.get("content-length", "")
        return max(0, int(length) - self._told) if length.isdecimal() else None

    def get_redirect_location(self) -> Any:
        """Where a redirect leads: None for one that leads nowhere, False for no redirect."""
        return self.headers.get("location") if self.status in _REDIRECTS else False

    # --- reading ------------------------------------------------------------------------------------------------------

    def read(self, amt: int | None = None, decode_content: bool | None = None, cache_content: bool = False) -> bytes:
        """``amt`` bytes, fewer only at the end; without ``amt`` all that is left."""
        if amt is not None and amt < 0:
            amt = None
        data = self._read(amt, self.decode_content if decode_content is None else decode_content)
        self._told += len(data)
        if cache_content:
            self._body = data
        return data

    def _read(self, amt: int | None, decode: bool) -> bytes:
        if amt == 0:
            return b""
        if decode and self._file is not None and self._handed is None and "content-encoding" in self.headers:
            module = _installed.found("response")
            if module is not None:
                self._handed = self._around(module, self._file, self.headers)
        if self._handed is not None:
            data: bytes = self._handed.read(amt, decode_content=decode)
            return data
        held, self._pending = self._pending, b""
        if amt is not None and len(held) >= amt:
            self._pending = held[amt:]
            return held[:amt]
        if self._native is None:
            return held + self._read_file(None if amt is None else amt - len(held))
        if self._ended:
            return held
        if amt is None:
            pieces = [held]
            while piece := self._next(0, decode):
                pieces.append(piece)
            return b"".join(pieces)
        return held + self._next(amt - len(held), decode)

    def _read_file(self, amt: int | None) -> bytes:
        if self._file is None:
            return b""
        data: bytes = self._file.read() if amt is None else self._file.read(amt)
        if self.auto_close and not data and not getattr(self._file, "closed", False):
            self._file.close()
        return data

    def _next(self, size: int, decode: bool) -> bytes:
        """``size`` bytes of the engine's stream, or with 0 whatever has arrived; none at the end."""
        if self._ended:
            return b""
        if not decode and not self._keeps_codings:
            self._keeps_codings = True
            self._native._keep_encoded()
        try:
            piece: bytes = self._native._read_sync(size)
        except native_errors.StreamConsumed:
            piece = b""
        except native_errors.PabalError as error:
            self._ended = True
            raise shaped(error, self._pool, self._request_url or "") from error
        except ValueError:  # what came was handed on; the rest was given back
            piece = b""
        if not piece:
            self._ended = True
        return piece

    def read1(self, amt: int | None = None, decode_content: bool | None = None) -> bytes:
        """What has arrived, at most ``amt`` bytes."""
        decode = self.decode_content if decode_content is None else decode_content
        if self._native is None or self._handed is not None:
            return self.read(amt, decode)
        if not self._pending:
            self._pending = self._next(0, decode)
        return self._read(len(self._pending) if amt is None or amt < 0 else min(amt, len(self._pending)), decode)

    def readinto(self, b: Any) -> int:
        """Fills a buffer; says how far."""
        data = self.read(len(b))
        b[: len(data)] = data
        return len(data)

    def stream(self, amt: int | None = _PIECE, decode_content: bool | None = None) -> Generator[bytes, None, None]:
        """The body in pieces of ``amt`` bytes; of a chunked body as it arrives, no larger than that."""
        if self.chunked and self._native is not None:
            yield from self.read_chunked(amt, decode_content)
            return
        while piece := self.read(amt, decode_content):
            yield piece

    def supports_chunked_reads(self) -> bool:
        """Whether ``read_chunked`` works."""
        return self._native is not None

    def read_chunked(self, amt: int | None = None, decode_content: bool | None = None) -> Generator[bytes, None, None]:
        """The body as it arrives, in pieces of at most ``amt`` bytes."""
        while piece := self.read1(amt, decode_content):
            self._told += len(piece)
            yield piece

    def drain_conn(self) -> None:
        """Gives the connection back, unread."""
        self.close()

    def tell(self) -> int:
        """How many bytes were given out."""
        return self._told

    def readable(self) -> bool:
        """Yes."""
        return True

    def __iter__(self) -> Any:
        held = b""
        for piece in self.stream(decode_content=True):
            *lines, held = (held + piece).split(b"\n")
            for line in lines:
                yield line + b"\n"
        if held:
            yield held

    # --- ending -------------------------------------------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        """Whether there is nothing more to read."""
        if self._handed is not None:
            return bool(self._handed.closed)
        if self._native is not None:
            return (self._ended and not self._pending) or self._native.is_stream_consumed
        return self._file is None or bool(getattr(self._file, "closed", False))

    def isclosed(self) -> bool:
        """As ``closed``."""
        return self.closed

    def release_conn(self) -> None:
        """Lets go of the connection. One whose body was not read to its end stays with the response, as in urllib3."""

    def close(self) -> None:
        """Ends reading; the connection goes back, or is closed if the body was not read."""
        self._pending = b""
        if self._native is not None:
            self._ended = True
            self._native.close()
        elif self._file is not None and hasattr(self._file, "close"):
            self._file.close()

    def flush(self) -> None:
        """Nothing to do."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} [{self.status}]>"


BaseHTTPResponse = HTTPResponse
