"""``pabal.niquests``: the API of niquests on pabal's engine. Only the import changes:

    from pabal import niquests

    async with niquests.AsyncSession() as session:
        responses = await asyncio.gather(*[session.get(url) for url in urls])
        quotes = [response.json() for response in responses]

``python -m pabal.alias niquests program.py`` runs a program unchanged. The names, signatures, exceptions and
behaviour are those of niquests 3.21.2, as far as HTTP/1.1 and HTTP/2 go; what the engine cannot do yet raises
``exceptions.UnsupportedError`` when it is asked for, and never before.
"""

from __future__ import annotations

import logging
import warnings
from logging import NullHandler
from typing import Any

from pabal.requests.packages.urllib3._shapes import DependencyWarning
from pabal.requests.packages.urllib3.util import Retry as RetryConfiguration
from pabal.requests.packages.urllib3.util import Timeout as TimeoutConfiguration

from . import auth, cookies, exceptions, hooks, models, packages, sessions, structures, typing, utils
from .__version__ import (
    __author__,
    __author_email__,
    __build__,
    __cake__,
    __copyright__,
    __description__,
    __license__,
    __title__,
    __url__,
    __version__,
)
from .api import delete, get, head, options, patch, post, put, query, request
from .async_api import delete as adelete
from .async_api import get as aget
from .async_api import head as ahead
from .async_api import options as aoptions
from .async_api import patch as apatch
from .async_api import post as apost
from .async_api import put as aput
from .async_api import query as aquery
from .async_api import request as arequest
from .async_session import AsyncSession
from .exceptions import (
    ConnectionError,
    ConnectTimeout,
    FileModeWarning,
    HTTPError,
    JSONDecodeError,
    ReadTimeout,
    RequestException,
    RequestsDependencyWarning,
    Timeout,
    TooManyRedirects,
    URLRequired,
)
from .extensions.revocation import RevocationConfiguration, RevocationStrategy
from .extensions.tls import TLSConfiguration
from .hooks import (
    AsyncLeakyBucketLimiter,
    AsyncLifeCycleHook,
    AsyncTokenBucketLimiter,
    LeakyBucketLimiter,
    LifeCycleHook,
    TokenBucketLimiter,
)
from .models import AsyncResponse, PreparedRequest, Request, Response
from .packages.contrib.webextensions.sse import ServerSentEvent
from .sessions import Session
from .status_codes import codes

__all__ = [  # pyright: ignore[reportUnsupportedDunderAll]
    "AsyncLeakyBucketLimiter",
    "AsyncLifeCycleHook",
    "AsyncResponse",
    "AsyncSession",
    "AsyncTokenBucketLimiter",
    "ConnectTimeout",
    "ConnectionError",
    "DependencyWarning",
    "FileModeWarning",
    "HTTPError",
    "JSONDecodeError",
    "LeakyBucketLimiter",
    "LifeCycleHook",
    "PreparedRequest",
    "ReadTimeout",
    "Request",
    "RequestException",
    "RequestsDependencyWarning",
    "Response",
    "RetryConfiguration",
    "RevocationConfiguration",
    "RevocationStrategy",
    "ServerSentEvent",
    "Session",
    "TLSConfiguration",
    "Timeout",
    "TimeoutConfiguration",
    "TokenBucketLimiter",
    "TooManyRedirects",
    "URLRequired",
    "__author__",
    "__author_email__",
    "__build__",
    "__cake__",
    "__copyright__",
    "__description__",
    "__license__",
    "__title__",
    "__url__",
    "__version__",
    "adelete",
    "aget",
    "ahead",
    "aoptions",
    "apatch",
    "apost",
    "aput",
    "aquery",
    "arequest",
    "auth",
    "codes",
    "cookies",
    "delete",
    "exceptions",
    "get",
    "head",
    "hooks",
    "models",
    "options",
    "packages",
    "patch",
    "post",
    "put",
    "query",
    "request",
    "sessions",
    "structures",
    "typing",
    "utils",
]

logging.getLogger(__name__).addHandler(NullHandler())
warnings.simplefilter("default", FileModeWarning, append=True)


def __getattr__(name: str) -> Any:
    if name == "HAS_LEGACY_URLLIB3":
        from . import _compat

        return _compat.HAS_LEGACY_URLLIB3
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
