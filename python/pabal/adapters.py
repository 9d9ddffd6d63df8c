"""For people who stay with another library: pabal's engine under it.

    import requests
    from pabal.adapters import RequestsAdapter

    session = requests.Session()
    session.mount("https://", RequestsAdapter())
    session.mount("http://", RequestsAdapter())

This module imports the library it serves; nothing else in pabal does.
"""

from __future__ import annotations

import importlib
from typing import Any

from pabal.requests.adapters import HTTPAdapter as _FaceAdapter
from pabal.requests.exceptions import RequestException as _FaceError

__all__ = ["RequestsAdapter"]

_adapters: Any = importlib.import_module("requests.adapters")
_exceptions: Any = importlib.import_module("requests.exceptions")


class RequestsAdapter(_adapters.BaseAdapter):  # type: ignore[misc]  # pyright: ignore[reportUntypedBaseClass]
    """A transport adapter for the real requests. The arguments are those of its ``HTTPAdapter``.

    Sessions, cookies, redirects and hooks stay requests'; connections, TLS, HTTP and decoding are pabal's. A request
    that is meant for a proxy is refused with ``ProxyError`` until the engine knows proxies; it never goes out directly.
    """

    def __init__(
        self, pool_connections: int = 10, pool_maxsize: int = 10, max_retries: Any = 0, pool_block: bool = False
    ) -> None:
        super().__init__()  # pyright: ignore[reportUnknownMemberType]
        self._engine = _FaceAdapter(pool_connections, pool_maxsize, max_retries, pool_block)

    def send(
        self,
        request: Any,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> Any:
        """Sends a prepared request of requests; returns its response."""
        try:
            answer = self._engine.send(request, stream, timeout, verify, cert, proxies)
        except _FaceError as error:
            kind: Any = getattr(_exceptions, type(error).__name__, _exceptions.RequestException)
            raise kind(*error.args, request=request) from error
        return _adapters.HTTPAdapter.build_response(self, request, answer.raw)

    def close(self) -> None:
        """Closes all connections."""
        self._engine.close()
