"""What a request body goes through before it is sent: ``compress=`` and ``trailers=``.

Both become bodies around bodies, so that whatever happens to a body (rewinding, auth flows, hooks, progress) happens to
these, too. The size of what comes out is not known in advance: it is sent chunked, but for bytes that are compressed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from pabal import _engine
from pabal._body import AsyncBody, Body
from pabal.exceptions import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import Any, TypeAlias

    Lines: TypeAlias = list[tuple[bytes, bytes]]
    AnyBody: TypeAlias = bytes | Body | AsyncBody

__all__ = ["compress", "follow"]


def compress(body: AnyBody | None, coding: object, headers: Lines) -> AnyBody | None:
    """The body, if there is one, in a content coding (RFC 9110 section 8.4), which is added to ``headers``."""
    if not isinstance(coding, str):
        raise TypeError(f"compress= is the name of a content coding, not {type(coding).__name__}")
    if not coding.isascii():
        raise ValueError(f"compress= is the name of a content coding, and {coding!a} is none")
    name = _engine.coding_name(coding)
    if body is None:
        return None
    _refuse(headers, b"content-length", "compress= changes the length of the body: leave Content-Length out")
    _refuse(headers, b"content-encoding", "the body has a Content-Encoding already: leave it, or compress=, out")
    headers.append((b"Content-Encoding", name.encode("ascii")))
    if isinstance(body, bytes):
        return _engine.compressed(name, body)
    return CompressedBody(body, name) if isinstance(body, Body) else CompressedAsyncBody(body, name)


def follow(body: AnyBody, trailers: Any, headers: Lines) -> Body | AsyncBody:
    """The body followed by fields (RFC 9110 section 6.5), announced in ``headers`` as far as their names are known."""
    made = Trailers(trailers)
    _refuse(headers, b"content-length", "a body with trailers is sent chunked: leave Content-Length out")
    if made.names and not any(name.lower() == b"trailer" for name, _ in headers):
        headers.append((b"Trailer", b", ".join(made.names)))
    if isinstance(body, AsyncBody):
        body.after = made.lines
        body.size = None
        return body
    return FollowedBody(body, made)


def _refuse(headers: Lines, name: bytes, why: str) -> None:
    if any(each.lower() == name for each, _ in headers):
        raise InvalidArgument(why)


# --- codings ----------------------------------------------------------------------------------------------------------


class CompressedBody(Body):
    """A body that is compressed while it is read; what waits inside is bounded by the coding's window."""

    __slots__ = ("_body", "_coding", "_encoder")

    def __init__(self, body: Body, coding: str) -> None:
        self.size = None
        self._body = body
        self._coding = coding
        self._encoder: _engine.ContentEncoder | None = _engine.ContentEncoder(coding)

    def next_piece(self) -> bytes:
        while self._encoder is not None:
            piece = self._body.next_piece()
            if not piece:
                rest = self._encoder.finish()
                self._encoder = None
                return rest
            compressed = self._encoder.encode(piece)
            if compressed:
                return compressed
        return b""

    def rewind(self) -> bool:
        self._encoder = _engine.ContentEncoder(self._coding)
        return self._body.rewind()


class CompressedAsyncBody(AsyncBody):
    """As `CompressedBody`, of an async iterable."""

    __slots__ = ("_body",)

    def __init__(self, body: AsyncBody, coding: str) -> None:
        super().__init__(_CompressedPieces(body, coding))
        self._body = body

    def rewind(self) -> bool:
        return self._body.rewind() and super().rewind()


class _CompressedPieces:
    """Begins anew each time it is iterated, as the body does."""

    def __init__(self, body: AsyncBody, coding: str) -> None:
        self._body = body
        self._coding = coding

    async def __aiter__(self) -> AsyncIterator[bytes]:
        encoder = _engine.ContentEncoder(self._coding)
        async for piece in self._body.pieces():
            compressed = encoder.encode(piece)
            if compressed:
                yield compressed
        yield encoder.finish()


# --- trailers ---------------------------------------------------------------------------------------------------------


class Trailers:
    """``trailers=``: a mapping or pairs whose values may be functions, or a function that gives such.

    Functions are called after the last piece of the body was read, each time the body is sent.
    """

    __slots__ = ("_given", "names")

    def __init__(self, given: Any) -> None:
        self._given = given
        #: The names that are known before the body was read.
        self.names: list[bytes] = []
        if not callable(given):
            known = [(_name(name), b"" if callable(value) else _value(name, value)) for name, value in _pairs(given)]
            if not known:
                raise InvalidArgument("trailers= is empty; leave it out")
            _engine.check_trailers(known)
            self.names = [name for name, _ in known]

    def lines(self) -> Lines:
        given = self._given() if callable(self._given) else self._given
        return [(_name(name), _value(name, value() if callable(value) else value)) for name, value in _pairs(given)]


def _pairs(given: Any) -> list[tuple[Any, Any]]:
    if isinstance(given, (str, bytes)) or not (hasattr(given, "items") or hasattr(given, "__iter__")):
        raise TypeError(f"trailers= is a mapping, pairs, or a function that gives them, not {type(given).__name__}")
    pairs: list[Any] = list(given.items() if hasattr(given, "items") else given)
    if not all(isinstance(pair, (tuple, list)) and len(cast("tuple[Any, ...]", pair)) == 2 for pair in pairs):
        raise TypeError("trailers= takes pairs of name and value")
    return pairs


def _name(name: Any) -> bytes:
    from pabal._prepare import header_bytes

    return header_bytes(name, "name")


def _value(name: Any, value: Any) -> bytes:
    from pabal._prepare import header_bytes

    return header_bytes(value, f"value of {name!r}")


class FollowedBody(Body):
    """Bytes or a body, and trailers after it."""

    __slots__ = ("_body", "_is_read", "_trailers")

    def __init__(self, body: bytes | Body, trailers: Trailers) -> None:
        self.size = None
        self._body = body
        self._is_read = False
        self._trailers = trailers

    def next_piece(self) -> bytes:
        if isinstance(self._body, Body):
            return self._body.next_piece()
        if self._is_read:
            return b""
        self._is_read = True
        return self._body

    def rewind(self) -> bool:
        self._is_read = False
        return not isinstance(self._body, Body) or self._body.rewind()

    def trailers(self) -> Lines | None:
        return self._trailers.lines()
