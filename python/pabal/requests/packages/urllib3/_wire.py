"""``response.raw._fp``: the body as it comes, in the shape of ``http.client``'s response.

It is no part of urllib3's API, and yet the place where caches put a file of their own that keeps what passes, and where
clients of event streams ask how much may be read without waiting.
"""

from __future__ import annotations

from typing import Any

from pabal import exceptions as native_errors

from .failures import shaped

__all__ = ["Wire"]


class Wire:
    """Reads an engine's response; does not undo content codings. Chunks are what has arrived together."""

    def __init__(
        self, native: Any, held: bytes, ended: bool, *, headers: Any, chunked: bool, pool: Any, url: str
    ) -> None:
        self.status: int = native.status_code
        self.reason: str = native.reason
        self.headers = self.msg = headers
        self.chunked = chunked
        self._native = native
        self._held = held
        self._ended = ended
        self._pool = pool
        self._url = url

    # --- reading ------------------------------------------------------------------------------------------------------

    def _more(self) -> bool:
        """Waits for what comes next; whether anything did."""
        if self._ended:
            return False
        try:
            piece: bytes = self._native._read_sync(0)
        except native_errors.StreamConsumed:
            piece = b""
        except native_errors.PabalError as error:
            self._ended = True
            raise shaped(error, self._pool, self._url) from error
        self._ended = not piece
        self._held += piece
        return not self._ended

    def read(self, amt: int | None = None) -> bytes:
        """``amt`` bytes, fewer only at the end; without ``amt`` all that is left."""
        if amt is None or amt < 0:
            pieces = [self._take(None)]
            while self._more():
                pieces.append(self._take(None))
            return b"".join(pieces)
        while len(self._held) < amt and self._more():
            pass
        return self._take(amt)

    def read1(self, amt: int | None = None) -> bytes:
        """What has arrived, at most ``amt`` bytes."""
        if not self._held:
            self._more()
        return self._take(amt if amt is None or amt >= 0 else None)

    def readinto(self, b: Any) -> int:
        """Fills a buffer; says how far."""
        data = self.read(len(b))
        b[: len(data)] = data
        return len(data)

    def _take(self, amt: int | None) -> bytes:
        amt = len(self._held) if amt is None else amt
        data, self._held = self._held[:amt], self._held[amt:]
        return data

    @property
    def chunk_left(self) -> int:
        """Bytes that can be read without waiting."""
        return len(self._held)

    # --- the end ------------------------------------------------------------------------------------------------------

    @property
    def fp(self) -> Any:
        """The file below, which is this one; None at the end."""
        return None if self.closed else self

    @property
    def raw(self) -> Any:
        """The same, where a socket would be."""
        return self

    @property
    def closed(self) -> bool:
        """Whether all was read."""
        if not self._ended and not self._held and self._native.is_stream_consumed:
            self._ended = True
        return self._ended and not self._held

    def isclosed(self) -> bool:
        """As ``closed``."""
        return self.closed

    def close(self) -> None:
        """Ends reading."""
        self._held = b""
        self._ended = True
        self._native.close()

    def flush(self) -> None:
        """Nothing to do."""
