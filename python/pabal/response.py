"""``Response``: what the server answered, shaped as in requests, with an async twin for every way to read the body.

The engine makes these objects; status, headers and body become Python objects when they are first looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, overload

from pabal import _engine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from types import TracebackType

    from typing_extensions import Self

    from pabal._engine import Headers
    from pabal._request import Request
    from pabal.trace import Trace

__all__ = ["Informational", "Response"]

#: Pieces of a body that is in memory already, when the caller names no size.
WHOLE_PIECE = 1024 * 1024


class Informational(NamedTuple):
    """A response that only announces the one to come, such as 103 (Early Hints); RFC 9110 section 15.2."""

    status_code: int
    headers: Headers


class Response(_engine.Response):
    """The answer to a request.

    Without ``stream=True`` the body has arrived when you get it. With it, read the body once, with one of ``content``,
    ``iter_content``, ``iter_bytes``, ``iter_lines`` or their async twins ``aread``, ``aiter_bytes``, ``aiter_text``,
    ``aiter_lines``; leaving ``with`` (or ``async with``) gives the connection back even if the body was not read.

    A response is true when its status is below 400.
    """

    __slots__ = ()

    # --- text ---------------------------------------------------------------------------------------------------------

    @property
    def encoding(self) -> str | None:
        """What ``text`` is decoded with: what was set here, else the charset of Content-Type, else None (found out)."""
        if self._encoding is not None:
            return self._encoding
        from pabal._text import charset_of

        return charset_of(self.headers.get("content-type"))

    @encoding.setter
    def encoding(self, value: str | None) -> None:
        self._encoding = value

    @property
    def apparent_encoding(self) -> str:
        """What the content looks like: its byte order mark, valid UTF-8, what it declares, or windows-1252."""
        from pabal._text import guess_encoding

        return guess_encoding(self.content)

    @property
    def text(self) -> str:
        """The body as text; bytes that are not text in its encoding become U+FFFD."""
        from pabal._text import decode

        return decode(self.content, self.encoding)

    # --- status -------------------------------------------------------------------------------------------------------

    def raise_for_status(self) -> Self:
        """Raises `HTTPStatusError` for 4xx and 5xx; returns the response otherwise."""
        status = self.status_code
        if status < 400:
            return self
        from pabal.exceptions import HTTPStatusError, redact

        kind = "Client Error" if status < 500 else "Server Error"
        raise HTTPStatusError(f"{status} {kind}: {self.reason} for url: {redact(self.url)}", response=self)

    def __bool__(self) -> bool:
        return self.ok

    def __repr__(self) -> str:
        return f"<Response [{self.status_code}]>"

    @property
    def links(self) -> dict[str, dict[str, str]]:
        """The Link header (RFC 8288), by relation: ``response.links["next"]["url"]``."""
        value = self.headers.get("link")
        if not value:
            return {}
        from pabal._text import links_of

        return links_of(value)

    @property
    def informational(self) -> list[Informational]:
        """The 1xx responses that came before this one, oldest first; Early Hints (103) bring Link headers."""
        return [Informational(*each) for each in self._informational]

    @property
    def trace(self) -> Trace:
        """When what happened; see `pabal.trace`. That of a streamed response is complete when its body was read."""
        from pabal.trace import Trace

        return Trace(self._trace_parts)

    @property
    def next(self) -> Request | None:
        """The request that a redirect which was not followed asks for; None for any other response.

        Send it with ``session.request(next.method, next.url, headers=next.headers, content=next.body)``.
        """
        parts = self._next
        if parts is None:
            return None
        from pabal._request import Request

        method, url, leaves_origin, drops_body = parts
        asked = self.request
        headers = asked.headers.copy()
        unwanted = ["host", "cookie", "content-length", "transfer-encoding"]
        if leaves_origin:
            unwanted += ["authorization", "proxy-authorization"]
        if drops_body:
            unwanted += ["content-type", "content-encoding", "expect"]
        for name in unwanted:
            if name in headers:
                del headers[name]
        return Request(method, url, headers, None if drops_body else asked.body)

    # --- reading, sync ------------------------------------------------------------------------------------------------

    def iter_bytes(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """The body in pieces, decoded, of ``chunk_size`` bytes (the last may be shorter), or as it arrives."""
        _check_size(chunk_size)
        if self._is_read:
            content = self.content
            size = chunk_size or WHOLE_PIECE
            return (content[at : at + size] for at in range(0, len(content), size))
        return self._iter_stream(chunk_size)

    def _iter_stream(self, chunk_size: int | None) -> Iterator[bytes]:
        if chunk_size is None:
            while piece := self._read_sync(0):
                yield piece
            return
        while piece := self._read_sync(chunk_size):
            yield piece

    @overload
    def iter_content(
        self, chunk_size: int | None = None, decode_unicode: Literal[False] = False
    ) -> Iterator[bytes]: ...
    @overload
    def iter_content(self, chunk_size: int | None = None, *, decode_unicode: Literal[True]) -> Iterator[str]: ...
    @overload
    def iter_content(self, chunk_size: int | None = None, decode_unicode: bool = False) -> Iterator[bytes | str]: ...
    def iter_content(
        self, chunk_size: int | None = None, decode_unicode: bool = False
    ) -> Iterator[bytes] | Iterator[str] | Iterator[bytes | str]:
        """As ``iter_bytes``; with ``decode_unicode`` as text. (requests' default size of 1 is "as it arrives" here.)"""
        pieces = self.iter_bytes(chunk_size)
        return self._decoded(pieces) if decode_unicode else pieces

    def _decoded(self, pieces: Iterator[bytes]) -> Iterator[str]:
        from pabal._text import decoder

        text = decoder(self.encoding)
        for piece in pieces:
            if decoded := text.decode(piece):
                yield decoded
        if decoded := text.decode(b"", True):
            yield decoded

    @overload
    def iter_lines(
        self, chunk_size: int | None = None, decode_unicode: Literal[False] = False, delimiter: bytes | None = None
    ) -> Iterator[bytes]: ...
    @overload
    def iter_lines(
        self, chunk_size: int | None = None, *, decode_unicode: Literal[True], delimiter: str | None = None
    ) -> Iterator[str]: ...
    @overload
    def iter_lines(
        self, chunk_size: int | None = None, decode_unicode: bool = False, delimiter: str | bytes | None = None
    ) -> Iterator[bytes | str]: ...
    def iter_lines(
        self, chunk_size: int | None = None, decode_unicode: bool = False, delimiter: str | bytes | None = None
    ) -> Iterator[bytes] | Iterator[str] | Iterator[bytes | str]:
        """The body line by line, without line ends, each as soon as it has arrived."""
        from pabal._text import LineSplitter

        lines = LineSplitter("" if decode_unicode else b"", delimiter)
        for piece in self.iter_content(chunk_size, decode_unicode):
            yield from lines.feed(piece)
        yield from lines.finish()

    def __iter__(self) -> Iterator[bytes]:
        return self.iter_bytes()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    # --- reading, async -----------------------------------------------------------------------------------------------

    async def aread(self) -> bytes:
        """Reads the whole body; ``content``, ``text`` and ``json()`` work afterwards."""
        if not self._is_read:
            await self._aread(-1)
        return self.content

    async def aiter_text(self, chunk_size: int | None = None) -> AsyncIterator[str]:
        """The body as text, as it arrives."""
        from pabal._text import decoder

        text = decoder(self.encoding)
        async for piece in self.aiter_bytes(chunk_size):
            if decoded := text.decode(piece):
                yield decoded
        if decoded := text.decode(b"", True):
            yield decoded

    async def aiter_lines(self, chunk_size: int | None = None, delimiter: str | None = None) -> AsyncIterator[str]:
        """The body line by line as text, without line ends, each as soon as it has arrived."""
        from pabal._text import LineSplitter

        lines = LineSplitter("", delimiter)
        async for piece in self.aiter_text(chunk_size):
            for line in lines.feed(piece):
                yield line
        for line in lines.finish():
            yield line

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.aiter_bytes()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()


def _check_size(chunk_size: int | None) -> None:
    if chunk_size is None:
        return
    if isinstance(chunk_size, bool) or not isinstance(chunk_size, int):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"chunk_size must be an int, not {type(chunk_size).__name__}")
    if chunk_size < 1:
        raise ValueError(f"chunk_size must be at least 1, not {chunk_size}")


_engine.set_response_class(Response)
