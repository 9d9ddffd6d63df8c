"""Which characters a body's bytes stand for; only imported when somebody asks for text."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

__all__ = ["LineSplitter", "charset_of", "decode", "decoder", "guess_encoding", "known", "links_of"]

#: How far into a document its own declaration is looked for, as browsers do.
DECLARATION_WITHIN = 1024


def known(encoding: str | None) -> str | None:
    """The encoding if Python can decode text with it."""
    if not encoding:
        return None
    try:
        codec = codecs.lookup(encoding)
    except (LookupError, ValueError):
        return None
    return encoding if getattr(codec, "_is_text_encoding", True) else None


def charset_of(content_type: str | None) -> str | None:
    """The charset parameter of a Content-Type (RFC 9110 section 8.3.1), if it names one."""
    if not content_type:
        return None
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip("\"'") or None
    return None


def guess_encoding(content: bytes) -> str:
    """A byte order mark, else UTF-8 if it is valid, else what the document declares, else windows-1252."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF32_LE, "utf-32"),
        (codecs.BOM_UTF32_BE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if content.startswith(mark):
            return encoding
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return _declared(content[:DECLARATION_WITHIN]) or "windows-1252"
    return "utf-8"


def _declared(head: bytes) -> str | None:
    """``<meta charset=…>``, ``<meta … content="…; charset=…">`` or ``<?xml … encoding="…"?>``"""
    import re

    found = re.search(rb"""(?:<meta[^>]*?charset|<\?xml[^>]*?encoding)\s*=\s*["']?\s*([\w.:-]+)""", head, re.IGNORECASE)
    return known(found[1].decode("ascii", "replace")) if found else None


def decode(content: bytes, encoding: str | None) -> str:
    """Text, whatever the bytes are: what cannot be decoded becomes U+FFFD."""
    return content.decode(known(encoding) or guess_encoding(content), "replace")


def decoder(encoding: str | None) -> codecs.IncrementalDecoder:
    """Decodes a stream; a character may be split between two pieces."""
    return codecs.getincrementaldecoder(known(encoding) or "utf-8")("replace")


class LineSplitter:
    """Lines out of pieces, wherever those are cut: LF, CRLF and CR end a line (``str.splitlines`` knows a dozen more),
    or ``delimiter`` does. The pieces are all str or all bytes, as ``empty`` says.

    What a line without end has gathered is joined only once, so that a peer who sends such a line costs linear time.
    """

    __slots__ = ("_delimiter", "_empty", "_ends", "_overlap", "_pending")

    def __init__(self, empty: Any, delimiter: Any = None) -> None:
        if delimiter is not None and not delimiter:
            raise ValueError("delimiter must not be empty")
        self._empty = empty
        self._delimiter = delimiter
        self._ends = ("\n", "\r", "\r\n") if isinstance(empty, str) else (b"\n", b"\r", b"\r\n")
        self._overlap: int = 1 if delimiter is None else len(delimiter) - 1
        self._pending: list[Any] = []

    def feed(self, piece: Any) -> Iterator[Any]:
        """The lines that are complete now."""
        if not piece:
            return
        if not self._may_end(piece):
            self._pending.append(piece)
            return
        text = self._empty.join((*self._pending, piece))
        held = self._empty
        if self._delimiter is not None:
            lines = text.split(self._delimiter)
        else:
            lf, cr, crlf = self._ends
            if text.endswith(cr):  # perhaps half of CRLF: it waits for the next piece
                text, held = text[:-1], cr
            lines = text.replace(crlf, lf).replace(cr, lf).split(lf)
        rest = lines.pop() + held
        self._pending = [rest] if rest else []
        yield from lines

    def _may_end(self, piece: Any) -> bool:
        """Whether a line can end in or just before ``piece``."""
        tail = self._empty
        for earlier in reversed(self._pending):
            if len(tail) >= self._overlap:
                break
            tail = earlier[max(0, len(earlier) - self._overlap) :] + tail
        if self._delimiter is None:
            lf, cr, _ = self._ends
            return lf in piece or cr in piece or tail.endswith(cr)
        return self._delimiter in tail + piece

    def finish(self) -> Iterator[Any]:
        """What is left after the last line end."""
        rest = self._empty.join(self._pending)
        self._pending = []
        if self._delimiter is None and rest.endswith(self._ends[1]):
            yield rest[:-1]
        elif rest:
            yield rest


def links_of(value: str) -> dict[str, dict[str, str]]:
    """The links of a Link header (RFC 8288) by their relation, or by their target when they have none."""
    links: dict[str, dict[str, str]] = {}
    rest = value
    while "<" in rest:
        target, closed, rest = rest.partition("<")[2].partition(">")
        if not closed:
            break
        link = {"url": target.strip()}
        parameters, rest = _parameters(rest)
        link.update(parameters)
        links[link.get("rel") or link["url"]] = link
    return links


def _parameters(text: str) -> tuple[dict[str, str], str]:
    """``; name=value; name="quoted, value"`` up to the comma that ends the link; and what follows it."""
    found: dict[str, str] = {}
    name = value = ""
    in_value = in_quotes = escaped = False

    def keep() -> None:
        if name.strip():
            found.setdefault(name.strip().lower(), value.strip())

    for index, character in enumerate(text):
        if escaped:
            value, escaped = value + character, False
        elif in_quotes:
            if character == "\\":
                escaped = True
            elif character == '"':
                in_quotes = False
            else:
                value += character
        elif character == '"' and in_value:
            in_quotes = True
        elif character in ";,":
            keep()
            name, value, in_value = "", "", False
            if character == ",":
                return found, text[index + 1 :]
        elif character == "=" and not in_value:
            in_value = True
        elif in_value:
            value += character
        else:
            name += character
    keep()
    return found, ""
