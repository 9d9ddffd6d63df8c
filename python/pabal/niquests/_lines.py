"""Lines of a body that comes in pieces."""

from __future__ import annotations

from typing import Any

__all__ = ["LineDecoder"]


class LineDecoder:
    """Splits at ``delimiter``, or at line ends.

    What follows the last line end of a piece is held back for the next. A piece that ends with one leaves nothing over:
    without a delimiter that shows by what ``splitlines`` leaves out, with one by an empty last line.
    """

    __slots__ = ("_held", "delimiter")

    def __init__(self, delimiter: Any) -> None:
        self.delimiter = delimiter
        self._held: Any = None

    def decode(self, chunk: Any) -> list[Any]:
        """The lines that are complete with this piece."""
        held = self._held
        if held is not None:
            chunk = held + chunk
        delimiter = self.delimiter
        lines: list[Any] = chunk.split(delimiter) if delimiter else chunk.splitlines()
        self._held = lines.pop() if lines and lines[-1] and chunk and lines[-1][-1] == chunk[-1] else None
        return lines

    def flush(self) -> Any:
        """What was held back to the end; None if nothing was."""
        held, self._held = self._held, None
        return held
