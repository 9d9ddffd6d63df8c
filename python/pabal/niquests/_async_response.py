"""``AsyncResponse``: the answer to a request with ``stream=True`` of an ``AsyncSession``."""

# Names with an underscore that programs import, or that faces share, are no strangers here.
# pyright: reportPrivateUsage=false
from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from pabal.requests._response import body_failure
from pabal.requests.adapters import translated

from ._lines import LineDecoder, check_delimiter
from ._response import CONTENT_CHUNK_SIZE, ITER_CHUNK_SIZE, Response
from .exceptions import ConnectionError, SSLError, StreamConsumedError
from .utils import astream_decode_response_unicode, iter_slices

__all__ = ["AsyncResponse", "settle"]


class AsyncResponse(Response):
    """The server's answer, whose body is awaited: ``await response.content``, ``await response.json()``,
    ``async for piece in await response.iter_content()``, ``async for line in response.iter_lines()``."""

    def __enter__(self) -> Any:
        raise SyntaxError('an AsyncResponse is entered with "async with"')

    async def __aenter__(self) -> Any:
        return self

    async def __aexit__(self, *args: object) -> None:
        await self.close()

    def __getstate__(self) -> dict[str, Any]:
        if self._content is False:
            raise TypeError("an AsyncResponse must be read before it is pickled: await its content")
        return {name: getattr(self, name, None) for name in self.__attrs__}

    async def _gather(self) -> None:  # type: ignore[override]
        """There is nothing left to wait for."""

    # --- body ---------------------------------------------------------------------------------------------------------

    @property
    def content(self) -> Any:
        """The whole body, awaitable."""
        return self._read()

    async def _read(self) -> Any:
        if self._content is False:
            if self._content_consumed:
                raise RuntimeError("The content for this response was already consumed")
            if self.status_code == 0 or self.raw is None:
                self._content = None
            else:
                self._content = b"".join([piece async for piece in self._astream(CONTENT_CHUNK_SIZE)])
        self._content_consumed = True
        return self._content

    async def _astream(self, chunk_size: int | None) -> AsyncIterator[bytes]:
        try:
            if hasattr(self.raw, "stream"):
                async for piece in self.raw.stream(chunk_size, decode_content=True):
                    yield piece
            else:
                while piece := await self.raw.read(chunk_size, decode_content=True):
                    yield piece
        except Exception as error:
            kind = body_failure(error)
            if kind is None:  # the session was closed meanwhile, say
                failure = translated(error, self.request)
                if failure is None:
                    raise
                raise failure from error
            if kind is ConnectionError or kind is SSLError:
                raise kind(error, request=self.request) from error
            raise kind(error) from error
        self._content_consumed = True
        self._take_trailers()

    async def iter_content(  # type: ignore[override]
        self, chunk_size: int | None = -1, decode_unicode: bool = False
    ) -> AsyncIterator[Any]:
        """The body in pieces of ``chunk_size`` bytes (-1: as it arrives), as text if wanted."""
        if self._content_consumed and isinstance(self._content, bool):
            raise StreamConsumedError
        if chunk_size is not None and not isinstance(chunk_size, int):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"chunk_size must be an int, it is instead a {type(chunk_size)}.")
        size = None if chunk_size == -1 else chunk_size
        pieces = _sliced(self._content, size) if self._content_consumed else self._astream(size)
        return astream_decode_response_unicode(pieces, self) if decode_unicode else pieces

    async def iter_raw(self, chunk_size: int = -1) -> AsyncIterator[bytes]:  # type: ignore[override]
        """The body as it came over the wire, content codings and all."""
        if self._content_consumed and isinstance(self._content, bool):
            raise StreamConsumedError
        if self._content_consumed:
            return _sliced(self._content, chunk_size)
        return self._raw_pieces(None if chunk_size == -1 else chunk_size)

    async def _raw_pieces(self, chunk_size: int | None) -> AsyncIterator[bytes]:
        async for piece in self.raw.stream(chunk_size, decode_content=False):
            yield piece
        self._content_consumed = True

    async def iter_lines(  # type: ignore[override]
        self, chunk_size: int | None = ITER_CHUNK_SIZE, decode_unicode: bool = False, delimiter: Any = None
    ) -> AsyncIterator[Any]:
        """The body line by line, each as soon as it has arrived."""
        check_delimiter(delimiter, decode_unicode)
        lines = LineDecoder(delimiter)
        async for piece in await self.iter_content(chunk_size=chunk_size, decode_unicode=decode_unicode):
            for line in lines.decode(piece):
                yield line
        held = lines.flush()
        if held is not None:
            yield held

    @property
    def text(self) -> Any:
        """The body as text, awaitable."""
        return self._text()

    async def _text(self) -> Any:
        await self._read()
        return Response.text.__get__(_Settled(self))

    async def json(self, **kwargs: Any) -> Any:
        """The body as JSON."""
        await self._read()
        return Response.json(_Settled(self), **kwargs)

    async def close(self) -> None:  # type: ignore[override]
        """Gives the connection back."""
        if self.raw is not None:
            self.raw.close()


class _Settled(Response):
    """A response that has been read, seen as one that need not be awaited. It shares all its attributes."""

    def __init__(self, response: AsyncResponse) -> None:
        self.__dict__ = response.__dict__


async def _sliced(content: Any, size: int | None) -> AsyncIterator[Any]:
    for piece in iter_slices(content, size):
        yield piece


async def settle(response: Any) -> Any:
    """Reads a response to its end; it is a ``Response`` then, which nobody has to await."""
    if isinstance(response, AsyncResponse):
        await response._read()
        if type(response) is AsyncResponse:
            raw = response.raw
            object.__setattr__(response, "__class__", Response)
            if hasattr(raw, "settled"):
                response.raw = raw.settled()
    return response
