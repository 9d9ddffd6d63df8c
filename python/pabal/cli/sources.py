"""Where ``pabal fetch`` gets its URLs: files, stdin and the command line, read as they are needed."""

from __future__ import annotations

import asyncio
import os
import stat
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Sources"]

PIECE = 64 * 1024
#: Longer lines are no URLs; the engine would refuse them anyway.
MAX_LINE = 64 * 1024


class Sources:
    """One URL after another, for many takers at once; holds no more than a piece of a file at a time."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = deque(names)
        self._ready: deque[str] = deque()
        self._descriptor: int | None = None
        self._is_file = False
        self._rest = b""
        self._refilling = asyncio.Lock()
        for name in names:  # say what is missing before anything is fetched
            if not _is_url(name) and name != "-":
                os.close(os.open(name, os.O_RDONLY))

    def count(self) -> int | None:
        """How many URLs there will be; None when that cannot be known (stdin, pipes)."""
        total = 0
        for name in self._names:
            if _is_url(name):
                total += 1
                continue
            if name == "-" or not stat.S_ISREG(os.stat(name).st_mode):
                return None
            with open(name, "rb") as file:
                total += sum(1 for _ in _urls(file))
        return total

    async def next(self) -> str | None:
        """The next URL, or None at the end."""
        while not self._ready:
            async with self._refilling:
                if not self._ready and not await self._refill():
                    return None
        return self._ready.popleft()

    def close(self) -> None:
        """No more will be taken."""
        self._names.clear()
        self._ready.clear()
        if self._descriptor not in (None, 0):
            os.close(self._descriptor or 0)
        self._descriptor = None

    async def _refill(self) -> bool:
        """Reads on; False when everything was read. Only what may block (stdin, pipes) is read in a thread."""
        if self._descriptor is None:
            if not self._names:
                return False
            name = self._names.popleft()
            if _is_url(name):
                self._ready.append(name)
                return True
            self._descriptor = 0 if name == "-" else os.open(name, os.O_RDONLY)
            self._is_file = stat.S_ISREG(os.fstat(self._descriptor).st_mode)
        if self._is_file:
            piece = os.read(self._descriptor, PIECE)
        else:
            piece = await asyncio.get_running_loop().run_in_executor(None, os.read, self._descriptor, PIECE)
        if not piece:
            if self._descriptor:
                os.close(self._descriptor)
            self._descriptor = None
        *lines, self._rest = (self._rest + piece).split(b"\n") if piece else (self._rest, b"")
        if len(self._rest) > MAX_LINE:
            lines.append(self._rest[:MAX_LINE])  # its error will be reported like any other URL's
            self._rest = b""
        self._ready.extend(_urls(lines))
        return True


def _is_url(name: str) -> bool:
    return "://" in name


def _urls(lines: Sequence[bytes] | Iterator[bytes]) -> Iterator[str]:
    for line in lines:
        text = line.strip().decode("utf-8", "replace")
        if text and not text.startswith("#"):
            yield text
