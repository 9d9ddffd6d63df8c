"""pabal: one HTTP client, sync and async, on a C++ engine.

    import pabal

    pabal.get("https://example.com/price", timeout=5).json()

    async with pabal.AsyncSession() as session:
        responses = await asyncio.gather(*[session.get(url) for url in urls])

Names are those of requests wherever requests has one. Start with `Session`, `AsyncSession` and `Response`; the ways to
fail are in `pabal.exceptions`, what arguments may be in `pabal.types`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pabal import exceptions
from pabal._engine import Cookie, CookieJar, Headers, LeakyBucket, PendingResponse, TokenBucket, __version__
from pabal._request import Request
from pabal.api import delete, get, head, options, patch, post, put, request, stream
from pabal.auth import BasicAuth, BearerAuth, DigestAuth
from pabal.config import Limits, Proxy, SafeResolver, Timeout
from pabal.cookies import CookiePolicy
from pabal.exceptions import HTTPStatusError, PabalError, RequestTimeout
from pabal.response import Response
from pabal.retry import Retry
from pabal.session import AsyncSession, Session

if TYPE_CHECKING:
    from pabal import har as har
    from pabal import otel as otel
    from pabal.bulk import Outcome, gather
    from pabal.priority import Priority
    from pabal.quic import Quic
    from pabal.trace import Trace

__all__ = [
    "AsyncSession",
    "BasicAuth",
    "BearerAuth",
    "Cookie",
    "CookieJar",
    "CookiePolicy",
    "DigestAuth",
    "HTTPStatusError",
    "Headers",
    "LeakyBucket",
    "Limits",
    "Outcome",
    "PabalError",
    "PendingResponse",
    "Priority",
    "Proxy",
    "Quic",
    "Request",
    "RequestTimeout",
    "Response",
    "Retry",
    "SafeResolver",
    "Session",
    "Timeout",
    "TokenBucket",
    "Trace",
    "__version__",
    "delete",
    "exceptions",
    "gather",
    "get",
    "head",
    "options",
    "patch",
    "post",
    "put",
    "request",
    "stream",
]


#: Imported when they are first asked for: most programs never do.
_LATER = {
    "Outcome": "pabal.bulk",
    "Priority": "pabal.priority",
    "Quic": "pabal.quic",
    "Trace": "pabal.trace",
    "gather": "pabal.bulk",
    "har": "",
    "otel": "",
}


def __getattr__(name: str) -> object:
    module = _LATER.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(module), name) if module else import_module(f"pabal.{name}")
    globals()[name] = value
    return value
