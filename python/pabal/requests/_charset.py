"""``detect``, as chardet and charset_normalizer have it, for installations with neither."""

from __future__ import annotations

from typing import Any

from pabal._text import guess_encoding

__all__ = ["__version__", "detect"]

__version__ = "0"


def detect(byte_str: bytes, **_: Any) -> dict[str, Any]:
    """The encoding that ``byte_str`` seems to have."""
    encoding = "ascii" if byte_str.isascii() else guess_encoding(bytes(byte_str))
    return {"encoding": encoding, "confidence": 1.0 if encoding == "ascii" else 0.7, "language": ""}
