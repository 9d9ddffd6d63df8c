"""The exception for bodies that are not JSON; apart from the others because it needs the json module."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pabal.exceptions import DecodeError, PabalError

if TYPE_CHECKING:
    from typing import Any

__all__ = ["JSONDecodeError"]


class JSONDecodeError(DecodeError, json.JSONDecodeError):
    """The body is not JSON. Also a ``json.JSONDecodeError`` and so a ``ValueError``."""

    code = "invalid_json"

    def __init__(self, message: str, document: str = "", position: int = 0) -> None:
        json.JSONDecodeError.__init__(self, message, document, position)
        PabalError.__init__(self, str(self.args[0]))

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.msg, self.doc, self.pos)
