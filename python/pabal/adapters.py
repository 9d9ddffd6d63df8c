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
from pabal.requests.packages.urllib3.exceptions import HTTPError as _Shaped
from pabal.requests.packages.urllib3.response import HTTPResponse as _Raw

__all__ = ["RequestsAdapter"]

_adapters: Any = importlib.import_module("requests.adapters")
_exceptions: Any = importlib.import_module("requests.exceptions")
_urllib3: Any = importlib.import_module("urllib3.exceptions")


def _counterpart(error: Exception) -> Exception:
    """The installed urllib3's exception of the same name, made without its constructor, which wants more."""
    for base in type(error).__mro__:
        kind: Any = getattr(_urllib3, base.__name__, None)
        if kind is not None:
            made: Exception = kind.__new__(kind)
            made.args = error.args
            made.__dict__.update(error.__dict__)
            return made
    return error


class _RawResponse(_Raw):
    """A raw response that fails as the installed urllib3's do."""

    def _next(self, size: int, decode: bool) -> bytes:
        try:
            return super()._next(size, decode)
        except _Shaped as error:
            raise _counterpart(error) from error


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
        raw: Any = answer.raw
        raw.__class__ = _RawResponse
        return _adapters.HTTPAdapter.build_response(self, request, raw)

    def close(self) -> None:
        """Closes all connections."""
        self._engine.close()
