"""Lines of a body that comes in pieces."""

from __future__ import annotations

from typing import Any

__all__ = ["LineDecoder", "check_delimiter"]


def check_delimiter(delimiter: Any, decode_unicode: bool) -> None:
    """Text is split at text, bytes at bytes."""
    if isinstance(delimiter, str) and not decode_unicode:
        raise ValueError("delimiter MUST match the body: bytes, or text with decode_unicode=True")


class LineDecoder:
    """Splits at ``delimiter``, or at line ends.

    What follows the last line end of a piece is held back for the next, as the pieces it came in: a long line costs
    no more than its length. A piece that ends with a line end leaves nothing over: without a delimiter that shows by
    what ``splitlines`` leaves out, with one by an empty last line.
    """

    __slots__ = ("buffer", "delimiter", "tail")

    def __init__(self, delimiter: Any) -> None:
        self.delimiter = delimiter
        #: The pieces of the line that is not complete; and its end, where a delimiter may have begun.
        self.buffer: list[Any] = []
        self.tail: Any = None

    def decode(self, chunk: Any) -> list[Any]:
        """The lines that are complete with this piece."""
        return self._split(chunk) if self.delimiter else self._splitlines(chunk)

    def flush(self) -> Any:
        """What was held back to the end; None if nothing was."""
        if not self.buffer:
            return None
        return self._taken(self.buffer[0][:0])

    def _taken(self, last: Any) -> Any:
        held, self.buffer, self.tail = self.buffer, [], None
        return last[:0].join([*held, last]) if held else last

    def _splitlines(self, chunk: Any) -> list[Any]:
        lines: list[Any] = chunk.splitlines()
        if not lines:
            return []
        rest = lines.pop() if lines[-1] and lines[-1][-1] == chunk[-1] else None
        if lines and self.buffer:
            lines[0] = self._taken(lines[0])
        if rest is not None:
            self.buffer.append(rest)
        return lines

    def _split(self, chunk: Any) -> list[Any]:
        delimiter = self.delimiter
        if not chunk:  # nothing, as a line of its own where none is begun
            chunk.split(delimiter)  # of the wrong type it says so
            return [] if self.buffer else [chunk]
        tail = self.tail
        window = chunk if tail is None else tail + chunk
        lines: list[Any] = window.split(delimiter)
        overlap = 0 if tail is None else len(tail)
        if len(lines) == 1:
            self.buffer.append(chunk)
            self.tail = _end(window, len(delimiter) - 1)
            return []
        if self.buffer:
            lines[0] = self._first(lines[0], overlap)
        rest = lines[-1]
        if rest:
            lines.pop()
            self.buffer.append(rest)
            self.tail = _end(rest, len(delimiter) - 1)
        return lines

    def _first(self, begun: Any, overlap: int) -> Any:
        """The first complete line: what was held, but for a delimiter that began in it, and what ``begun`` adds."""
        if len(begun) >= overlap:
            return self._taken(begun[overlap:])
        held = self._taken(begun[:0])
        return held[: len(held) - overlap + len(begun)]


def _end(text: Any, size: int) -> Any:
    return text[len(text) - size :] if 0 < size < len(text) else text if size else None
