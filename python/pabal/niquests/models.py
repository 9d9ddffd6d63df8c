"""``niquests.models``: requests and responses, gathered from the files that define them."""

from __future__ import annotations

from typing import Any

from pabal.requests.models import *  # noqa: F403
from pabal.requests.models import __all__ as _shared_names
from pabal.requests.models import urlencode as urlencode

from ._async_response import AsyncResponse
from ._connection_info import ConnectionInfo, TransferProgress
from ._lines import LineDecoder as _LineDecoder
from ._prepared import PreparedRequest, Request
from ._response import CONTENT_CHUNK_SIZE, ITER_CHUNK_SIZE, REDIRECT_STATI, Response
from .auth import BearerTokenAuth
from .cookies import RequestsCookieJar, coerce_to_requests_cookiejar, cookiejar_from_dict
from .exceptions import MultiplexingError
from .hooks import default_hooks
from .utils import guess_json_utf, parse_scheme

__all__ = [  # pyright: ignore[reportUnsupportedDunderAll]
    *_shared_names,
    "AsyncResponse",
    "BearerTokenAuth",
    "ConnectionInfo",
    "MultiplexingError",
    "RequestsCookieJar",
    "TransferProgress",
    "_LineDecoder",
    "coerce_to_requests_cookiejar",
    "guess_json_utf",
    "parse_scheme",
]

DEFAULT_REDIRECT_LIMIT = 30

_ = (CONTENT_CHUNK_SIZE, ITER_CHUNK_SIZE, REDIRECT_STATI, cookiejar_from_dict, default_hooks)

# Pickles and reprs name the module that programs know.
for _public in (PreparedRequest, Request, AsyncResponse, Response, TransferProgress):
    _public.__module__ = __name__


def __getattr__(name: str) -> Any:
    if name == "chardet":
        from pabal.requests.compat import chardet

        return chardet
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
