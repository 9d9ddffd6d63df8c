"""``AsyncHTTPResponse``: what ``raw`` is of a response whose body is awaited."""

from __future__ import annotations

from collections.abc import AsyncIterator

from pabal import exceptions as native_errors
from pabal.requests.packages.urllib3.failures import shaped
from pabal.requests.packages.urllib3.response import HTTPResponse

__all__ = ["AsyncHTTPResponse"]


class AsyncHTTPResponse(HTTPResponse):
    """As ``HTTPResponse``, but what reads is awaited."""

    async def _piece(self, size: int, decode: bool) -> bytes:
        """``size`` bytes of the engine's stream, or with 0 whatever has arrived; none at the end."""
        if self._ended or self._native is None:
            return b""
        if not decode and not self._keeps_codings:
            self._keeps_codings = True
            self._native._keep_encoded()
        try:
            piece: bytes = await self._native._aread(size)
        except native_errors.StreamConsumed:
            piece = b""
        except native_errors.PabalError as error:
            self._ended = True
            raise shaped(error, self._pool, self._request_url or "") from error
        if not piece:
            self._ended = True
        self._told += len(piece)
        return piece

    async def read(  # type: ignore[override]
        self, amt: int | None = None, decode_content: bool | None = None, cache_content: bool = False
    ) -> bytes:
        """``amt`` bytes, fewer only at the end; without ``amt`` all that is left."""
        decode = self.decode_content if decode_content is None else decode_content
        if amt is not None and amt >= 0:
            return await self._piece(amt, decode) if amt else b""
        pieces: list[bytes] = []
        while piece := await self._piece(0, decode):
            pieces.append(piece)
        return b"".join(pieces)

    async def stream(  # type: ignore[override]
        self, amt: int | None = None, decode_content: bool | None = None
    ) -> AsyncIterator[bytes]:
        """The body in pieces of ``amt`` bytes, or as it arrives."""
        decode = self.decode_content if decode_content is None else decode_content
        while piece := await self._piece(amt or 0, decode):
            yield piece

    def settled(self) -> HTTPResponse:
        """The same, read to its end, for those who do not await."""
        made = HTTPResponse.of(
            self._native, self._pool, self.retries, self._request_method or "", self._request_url or "", ended=True
        )
        made._original_response.msg = self._original_response.msg
        return made
