"""``codes``: as in requests."""

from __future__ import annotations

from pabal.requests.status_codes import codes

__all__ = ["codes"]
