"""Settings that sessions and adapters take, and those among them that the engine cannot honour yet."""

from __future__ import annotations

from typing import Any

from .exceptions import UnsupportedError
from .extensions import revocation, tls

__all__ = ["refuse_unsupported"]

_REFUSED = {
    "disable_http1": "pabal speaks HTTP/1.1 only so far: disable_http1=True leaves nothing",
    "disable_ipv4": "pabal cannot leave out an address family yet (disable_ipv4=True)",
    "disable_ipv6": "pabal cannot leave out an address family yet (disable_ipv6=True)",
    "resolver": "pabal resolves names by the system's resolver only so far (resolver=)",
    "source_address": "pabal cannot bind connections to an address yet (source_address=)",
}


def refuse_unsupported(*, revocation_configuration: Any = None, tls_configuration: Any = None, **settings: Any) -> None:
    """Raises ``UnsupportedError`` for what was asked for and cannot be had. Hints and wishes that are met pass."""
    for name, value in settings.items():
        if value and name in _REFUSED:
            raise UnsupportedError(_REFUSED[name])
    revocation.check(revocation_configuration)
    tls.check(tls_configuration)
