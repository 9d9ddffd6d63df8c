"""How revoked certificates are looked for. The engine does not look yet: a strict wish is refused, a soft one is
idle.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

from ..exceptions import UnsupportedError

__all__ = ["DEFAULT_STRATEGY", "RevocationConfiguration", "RevocationStrategy", "check"]


class RevocationStrategy(enum.Enum):
    """What is asked first."""

    PREFER_OCSP = 0
    PREFER_CRL = 1
    CHECK_ALL = 2


@dataclass(frozen=True)
class RevocationConfiguration:
    """``strict_mode``: no answer counts as a revocation. A strategy of None turns the checks off."""

    strategy: RevocationStrategy | None = RevocationStrategy.PREFER_OCSP
    strict_mode: bool = False


DEFAULT_STRATEGY = RevocationConfiguration()


def check(configuration: Any) -> None:
    """Refuses what cannot be promised."""
    if configuration is not None and configuration.strict_mode and configuration.strategy is not None:
        raise UnsupportedError("pabal cannot check the revocation of certificates yet (strict_mode=True)")
