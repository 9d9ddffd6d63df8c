"""The event log: logger ``pabal`` of the standard `logging`, which hears nothing unless it wants to.

DEBUG: one line for every exchange, and in ``pabal.headers`` the heads. WARNING: a request had to be sent again, or an
``alternatives_file`` could not be written. The engine asks ``is_enabled_for`` once a request, and only in programs that
have imported logging; text is made when a handler formats the record. Credentials are left out and control characters
escaped.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pabal._redact import escape, redact_headers, redact_text
from pabal.trace import Trace

if TYPE_CHECKING:
    from pabal._engine import Headers
    from pabal.trace import Hop, Parts

__all__ = ["alternatives_unsaved", "call_done", "is_enabled_for", "logger"]

logger = logging.getLogger("pabal")
logger.addHandler(logging.NullHandler())  # a library's last resort is silence, not stderr
head_logger = logging.getLogger("pabal.headers")

is_enabled_for = logger.isEnabledFor


class _Line:
    """A message that is put into words when somebody reads it."""

    __slots__ = ("_hop", "_message")

    def __init__(self, hop: Hop, message: str | None = None) -> None:
        self._hop = hop
        self._message = message

    def __str__(self) -> str:
        hop = self._hop
        words = [f"{hop.method} {hop.url} ->"]
        if hop.error is None:
            words.append(str(hop.status))
        else:
            words.append(f"{hop.error}{f' in {hop.error_phase}' if hop.error_phase else ''}")
        words.append(f"after {hop.elapsed * 1000:.1f} ms")
        if hop.connection is not None:
            tls = f" {hop.connection.tls_version}" if hop.connection.tls_version else ""
            words.append(f"({'reused' if hop.reused else 'new'} connection to {hop.connection.peer_address}{tls})")
        text = " ".join(words)
        if self._message:
            told, bracket, _ = self._message.rpartition(" [")  # which says the method and the URL again
            text += f": {redact_text(told if bracket else self._message)}"
        return escape(text)


class _Head:
    """The lines of a message's head."""

    __slots__ = ("_lines", "_mark")

    def __init__(self, mark: str, headers: Headers) -> None:
        self._mark = mark
        self._lines = headers

    def __str__(self) -> str:
        return "; ".join(escape(f"{self._mark} {n}: {v}") for n, v in redact_headers(self._lines.items()))


def call_done(parts: Parts, sent: Headers, received: Headers, message: str | None) -> None:
    """A request is over (or its head is here, when the body is streamed)."""
    trace = Trace(parts)
    debug = logger.isEnabledFor(logging.DEBUG)
    for hop in trace.hops[:-1]:
        if hop.error is not None:
            logger.warning("sent again, the connection was lost: %s", _Line(hop))
        elif debug:
            logger.debug("%s", _Line(hop))
    if debug:
        logger.debug("%s", _Line(trace.last, message))
        if head_logger.isEnabledFor(logging.DEBUG):
            head_logger.debug("%s", _Head(">", sent))
            if trace.last.status:
                head_logger.debug("%s", _Head("<", received))


def alternatives_unsaved(path: str, why: str) -> None:
    """A session has closed, and its ``alternatives_file`` is as it was."""
    logger.warning("alternatives_file %s %s", escape(path), why)
