"""Request bodies that are read while they are sent.

The engine asks a `Body` for one piece after the other with ``next_piece()``, on whatever thread drives it; an
`AsyncBody` is asked with ``pull(deliver)`` and answers later, on the loop's thread. ``size`` is announced as
Content-Length, or None (then the body goes out chunked). ``rewind()`` begins anew where that is possible: a redirect
with 307 or 308, or a connection that turned out to be dead, need it.
"""

from __future__ import annotations

import io
import os
import stat
import sys
from typing import TYPE_CHECKING, cast

from pabal.exceptions import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from typing import Any, TypeAlias

    Lines: TypeAlias = list[tuple[bytes, bytes]]
    Deliver: TypeAlias = "Callable[[bytes | None, BaseException | None], None]"

__all__ = [
    "AsyncBody",
    "Body",
    "FileBody",
    "IterableBody",
    "JoinedBody",
    "as_body",
    "as_bytes",
    "size_of_file",
    "text_bytes",
]

#: What is asked of a file at once: large enough that the calls do not count, small enough to stay in cache.
PIECE = 64 * 1024


def as_bytes(value: Any, what: str = "a request body") -> bytes | None:
    """The value as bytes if it lies in memory, else None. ``what`` is named in errors."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return text_bytes(value, what)
    if isinstance(value, (bytearray, memoryview)):
        return bytes(cast("memoryview", value))
    return None


def text_bytes(text: str, what: str) -> bytes:
    """The text in UTF-8."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidArgument(f"{what} holds a lone surrogate, which UTF-8 cannot carry") from None


def _piece(value: Any, what: str = "a request body") -> bytes:
    piece = as_bytes(value)
    if piece is None:
        raise TypeError(f"{what} must yield bytes, not {type(value).__name__}")
    return piece


def size_of_file(file: Any) -> int | None:
    """How many bytes ``file`` still has to give, or None when that cannot be told."""
    if isinstance(file, io.TextIOBase):
        return None  # it counts characters
    try:
        position = int(file.tell())
    except (AttributeError, OSError, ValueError):
        return None
    try:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            return None
        size: Any = status.st_size
    except (AttributeError, OSError, ValueError):
        try:
            size = file.seek(0, os.SEEK_END)
            file.seek(position)
        except (AttributeError, OSError, ValueError, TypeError):
            return None
        if not isinstance(size, int):
            return None
    return max(0, int(size) - position)


class Body:
    """A body that is read piece by piece."""

    __slots__ = ("size",)

    size: int | None

    def next_piece(self) -> bytes:
        """The next bytes, of any number; none at the end."""
        raise NotImplementedError

    def rewind(self) -> bool:
        """Begins anew; False if that is impossible."""
        return False

    def trailers(self) -> Lines | None:
        """The fields to send after the body, asked for once it was read to its end."""
        return None


class FileBody(Body):
    """A file, from where it stands."""

    __slots__ = ("_file", "_start")

    def __init__(self, file: Any) -> None:
        self._file = file
        self.size = size_of_file(file)
        self._start: int | None
        try:
            self._start = file.tell()
        except (AttributeError, OSError, ValueError):
            self._start = None

    def next_piece(self) -> bytes:
        return _piece(self._file.read(PIECE))

    def rewind(self) -> bool:
        if self._start is None:
            return False
        try:
            self._file.seek(self._start)
        except (AttributeError, OSError, ValueError):
            return False
        return True


class IterableBody(Body):
    """An iterable of bytes; empty pieces are passed over."""

    __slots__ = ("_iterable", "_iterator")

    def __init__(self, iterable: Any) -> None:
        self.size = None
        self._iterable = iterable
        self._iterator: Iterator[Any] | None = None

    def next_piece(self) -> bytes:
        if self._iterator is None:
            self._iterator = iter(self._iterable)
        for value in self._iterator:
            piece = _piece(value)
            if piece:
                return piece
        return b""

    def rewind(self) -> bool:
        if self._iterator is None:
            return True
        if self._iterator is self._iterable:  # a generator: what it gave is gone
            return False
        self._iterator = None
        return True


class JoinedBody(Body):
    """Bytes and bodies one after the other: a multipart form."""

    __slots__ = ("_index", "_parts")

    def __init__(self, parts: list[bytes | Body]) -> None:
        self._parts = parts
        self._index = 0
        self.size = 0
        for part in parts:
            size = len(part) if isinstance(part, bytes) else part.size
            self.size = None if size is None or self.size is None else self.size + size

    def next_piece(self) -> bytes:
        while self._index < len(self._parts):
            part = self._parts[self._index]
            if isinstance(part, bytes):
                self._index += 1
                if part:
                    return part
            else:
                piece = part.next_piece()
                if piece:
                    return piece
                self._index += 1
        return b""

    def rewind(self) -> bool:
        started = self._parts[: self._index + 1]
        if all(isinstance(part, bytes) or part.rewind() for part in started):
            self._index = 0
            return True
        return False


class AsyncBody:
    """An async iterable of bytes, read by a task of its own that runs only when a piece is wanted."""

    __slots__ = ("_deliver", "_iterable", "_iterator", "_task", "_wake", "after", "size")

    def __init__(self, iterable: Any) -> None:
        #: Gives what `trailers` does.
        self.after: Callable[[], Lines | None] | None = None
        self.size: int | None = None
        self._iterable = iterable
        self._iterator: AsyncIterator[Any] | None = None
        self._deliver: Deliver | None = None
        self._task: Any = None
        self._wake: Callable[[], object] | None = None

    def trailers(self) -> Lines | None:
        """As `Body.trailers`."""
        return None if self.after is None else self.after()

    def pull(self, deliver: Deliver) -> None:
        """Asks for a piece. ``deliver(piece, None)`` (no bytes: the end) or ``deliver(None, error)`` follows, once."""
        self._deliver = deliver
        if self._wake is not None:
            self._wake()
        elif self._task is None:
            self._start()

    def close(self) -> None:
        """The request is over: stops reading and lets the iterator clean up."""
        self._deliver = None
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def rewind(self) -> bool:
        if self._iterator is None:
            return True
        if self._iterator is self._iterable:
            return False
        self.close()
        self._iterator = None
        self._wake = None
        return True

    def _start(self) -> None:
        trio = sys.modules.get("trio")
        if trio is not None and trio.lowlevel.in_trio_run():
            from pabal._trio import spawn

            self._task = spawn(self._run, trio.Event)
        else:
            import asyncio

            self._task = asyncio.get_running_loop().create_task(self._run(asyncio.Event))

    async def pieces(self) -> AsyncIterator[bytes]:
        """What it gives, for whoever wants to read or wrap it himself."""
        self._iterator = cast("AsyncIterator[Any]", self._iterable.__aiter__())
        async for value in self._iterator:
            piece = _piece(value)
            if piece:
                yield piece

    async def _run(self, new_event: Any) -> None:
        """Reads a piece, delivers it, sleeps until the next is wanted; the events are asyncio's or trio's."""
        iterator = self._iterator = self._iterable.__aiter__()
        try:
            piece = None
            while piece != b"":
                piece = await _next_piece(iterator)
                wanted = new_event()
                self._wake = wanted.set
                self._answer(piece, None)
                if piece:
                    await wanted.wait()
        except Exception as error:
            self._answer(None, error)
        finally:
            close = getattr(iterator, "aclose", None)
            if close is not None:
                await close()

    def _answer(self, piece: bytes | None, error: BaseException | None) -> None:
        deliver, self._deliver = self._deliver, None
        if deliver is not None:
            deliver(piece, error)


async def _next_piece(iterator: AsyncIterator[Any]) -> bytes:
    async for value in iterator:
        piece = _piece(value)
        if piece:
            return piece
    return b""


def as_body(value: Any, what: str) -> bytes | Body | AsyncBody:
    """What ``content=`` (or ``data=`` that is no form) stands for."""
    whole = as_bytes(value, what)
    if whole is not None:
        return whole
    if isinstance(value, (Body, AsyncBody)):
        return value
    if hasattr(value, "__aiter__"):
        return AsyncBody(value)
    if isinstance(value, io.BytesIO):
        return FileBody(value)
    if hasattr(value, "read"):
        import inspect

        if inspect.iscoroutinefunction(value.read):
            return AsyncBody(_read_async(value))
        return FileBody(value)
    if isinstance(value, (list, tuple)):
        return b"".join(_piece(each, what) for each in cast("list[Any]", value))
    if hasattr(value, "__iter__") and not hasattr(value, "items"):
        return IterableBody(value)
    raise TypeError(f"{what} must be bytes, str, a binary file, or an iterable of bytes, not {type(value).__name__}")


async def _read_async(file: Any) -> Any:
    while piece := await file.read(PIECE):
        yield piece
