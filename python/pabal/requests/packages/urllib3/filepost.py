"""``encode_multipart_formdata``: a whole form in memory."""

from __future__ import annotations

import os
from typing import Any

from . import _installed
from .fields import RequestField

__all__ = ["choose_boundary", "encode_multipart_formdata"]


def choose_boundary() -> str:
    """A boundary that no content holds."""
    theirs = _installed.loaded("filepost")  # where programs that want a certain one replace this function
    boundary: str = os.urandom(16).hex() if theirs is None else theirs.choose_boundary()
    return boundary


def encode_multipart_formdata(fields: Any, boundary: str | None = None) -> tuple[bytes, str]:
    """The body and its Content-Type, from a mapping or pairs, or ``RequestField``s."""
    boundary = boundary or choose_boundary()
    line = f"--{boundary}\r\n".encode("latin-1")
    body = bytearray()
    for field in fields.items() if hasattr(fields, "items") else fields:
        part = field if isinstance(field, RequestField) else RequestField.from_tuples(*field)
        body += line + part.render_headers().encode("utf-8")
        data = part.data
        if isinstance(data, int):
            data = str(data)
        body += (data.encode("utf-8") if isinstance(data, str) else data) + b"\r\n"
    body += f"--{boundary}--\r\n".encode("latin-1")
    return bytes(body), f"multipart/form-data; boundary={boundary}"
