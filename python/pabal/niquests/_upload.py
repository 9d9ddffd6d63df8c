"""Tells hooks how far a body has gone out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pabal._body import as_bytes

from ._connection_info import TransferProgress

__all__ = ["Upload"]

_PIECE = 16 * 1024


class Upload:
    """``with Upload(request, told):`` — while it is sent, the request's body is read through an observer."""

    def __init__(self, request: Any, told: Any) -> None:
        self._request = request
        self._told = told
        self._body: Any = None

    def __enter__(self) -> None:
        request = self._request
        self._body = request.body
        if self._told is None or self._body is None or hasattr(self._body, "__aiter__"):
            self._told = None
            return
        progress = TransferProgress()
        length = request.headers.get("Content-Length")
        progress.content_length = int(length) if length else None
        request.upload_progress = progress
        request.body = _Observed(self._body, progress, self._told)

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if self._told is None:
            return
        self._request.body = self._body
        if kind is not None:
            self._request.upload_progress.any_error = True


class _Observed:
    """An iterable of the body's pieces; a new iteration begins anew, where the body can."""

    def __init__(self, body: Any, progress: TransferProgress, told: Any) -> None:
        self._whole = as_bytes(body)
        self._body = body
        self._progress = progress
        self._told = told

    def _pieces(self) -> Iterator[Any]:
        whole, body = self._whole, self._body
        if whole is not None:
            yield from (whole[at : at + _PIECE] for at in range(0, len(whole), _PIECE))
        elif hasattr(body, "read"):
            while piece := body.read(_PIECE):
                yield piece
        else:
            yield from body

    def __iter__(self) -> Iterator[Any]:
        progress = self._progress
        progress.total = 0
        for piece in self._pieces():
            progress.total += len(piece)
            progress.is_completed = progress.total == progress.content_length
            self._told(progress.total, progress.content_length, False, False)
            yield piece
        progress.is_completed = True
