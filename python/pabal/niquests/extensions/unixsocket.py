"""``http+unix://``: not there yet."""

from __future__ import annotations

from typing import Any

from ..adapters import HTTPAdapter
from ..exceptions import UnsupportedError

__all__ = ["UnixAdapter"]


class UnixAdapter(HTTPAdapter):
    """Says so when it is used."""

    def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Raises."""
        raise UnsupportedError("pabal cannot connect to Unix sockets by URL yet", request=request)
