"""TLS settings of a session."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, fields
from typing import Any, Literal

from ..exceptions import UnsupportedError

__all__ = ["TLSConfiguration", "check"]


@dataclass(frozen=True)
class TLSConfiguration:
    """Which TLS library, versions and ciphers; the engine has one library, and sensible ones."""

    backend: Literal["utls", "rtls", "ssl"] | None = None
    min_version: ssl.TLSVersion | None = None
    max_version: ssl.TLSVersion | None = None
    ciphers: str | None = None
    assert_hostname: bool | None = None


def check(configuration: Any) -> None:
    """Refuses what the engine cannot be told."""
    if configuration is None:
        return
    for field in fields(configuration):
        value = getattr(configuration, field.name)
        if field.name != "backend" and value is not None and not (field.name == "assert_hostname" and value is True):
            raise UnsupportedError(f"pabal cannot honour {field.name}= of a TLSConfiguration yet")
