"""Small things about text that several modules need."""

from __future__ import annotations

import re

from .compat import builtin_str

__all__ = ["HEADER_VALIDATORS", "to_native_string", "unicode_is_ascii"]

# A name begins with something other than white space and a colon and holds no line break; a value does not begin with
# white space and holds no line break.
_NAME = r"^[^:\s][^:\r\n]*\Z"
_VALUE = r"^\S[^\r\n]*\Z|^\Z"

_VALID_HEADER_NAME_RE_STR = re.compile(_NAME)
_VALID_HEADER_VALUE_RE_STR = re.compile(_VALUE)
_VALID_HEADER_NAME_RE_BYTE = re.compile(_NAME.encode())
_VALID_HEADER_VALUE_RE_BYTE = re.compile(_VALUE.encode())

_HEADER_VALIDATORS_STR = (_VALID_HEADER_NAME_RE_STR, _VALID_HEADER_VALUE_RE_STR)
_HEADER_VALIDATORS_BYTE = (_VALID_HEADER_NAME_RE_BYTE, _VALID_HEADER_VALUE_RE_BYTE)
#: Type of a header part → (pattern of names, pattern of values).
HEADER_VALIDATORS = {bytes: _HEADER_VALIDATORS_BYTE, str: _HEADER_VALIDATORS_STR}


def to_native_string(string: str | bytes, encoding: str = "ascii") -> str:
    """Text, decoded if it is bytes."""
    return string if isinstance(string, builtin_str) else string.decode(encoding)


def unicode_is_ascii(u_string: str) -> bool:
    """Whether all characters are ASCII."""
    return u_string.isascii()
