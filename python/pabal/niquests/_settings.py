"""Settings that sessions and adapters take, and those among them that the engine cannot honour yet."""

from __future__ import annotations

from typing import Any

from .exceptions import UnsupportedError
from .extensions import revocation, tls

__all__ = ["refuse_unsupported", "source_of", "versions_of"]

_REFUSED = {
    "resolver": "pabal resolves names by the system's resolver only so far (resolver=)",
}


def refuse_unsupported(*, revocation_configuration: Any = None, tls_configuration: Any = None, **settings: Any) -> None:
    """Raises ``UnsupportedError`` for what was asked for and cannot be had. Hints and wishes that are met pass."""
    for name, value in settings.items():
        if value and name in _REFUSED:
            raise UnsupportedError(_REFUSED[name])
    revocation.check(revocation_configuration)
    tls.check(tls_configuration)


def source_of(source_address: Any, disable_ipv4: bool, disable_ipv6: bool) -> tuple[str, int] | None:
    """Where connections leave from, in urllib3's terms. An unspecified address leaves out the other family."""
    if disable_ipv4 and disable_ipv6:
        raise RuntimeError("disable_ipv4 and disable_ipv6 together leave no address to connect to")
    if source_address is not None:
        return source_address  # type: ignore[no-any-return]
    return ("::", 0) if disable_ipv4 else ("0.0.0.0", 0) if disable_ipv6 else None


def versions_of(disable_http1: bool, disable_http2: bool, disable_http3: bool) -> tuple[str, ...]:
    """The versions of HTTP that are left, as ``http=`` of the engine's session."""
    if disable_http1 and disable_http2 and disable_http3:
        raise RuntimeError("disable_http1, disable_http2 and disable_http3 together leave no version of HTTP to speak")
    disabled = {"1.1": disable_http1, "2": disable_http2, "3": disable_http3}
    return tuple(version for version, is_disabled in disabled.items() if not is_disabled)
