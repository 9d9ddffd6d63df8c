"""``encode``, as the package idna has it, for installations without it: the engine's internationalised names."""

from __future__ import annotations

from typing import Any

from pabal._engine import host_to_ascii

__all__ = ["IDNAError", "encode"]


class IDNAError(UnicodeError):
    """The name has no ASCII form."""


def encode(s: str, *_: Any, **__: Any) -> bytes:
    """The name in A-labels."""
    try:
        return host_to_ascii(s).encode("ascii")
    except ValueError as error:
        raise IDNAError(str(error)) from None
