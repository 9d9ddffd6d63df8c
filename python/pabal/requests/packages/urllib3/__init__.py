"""The shapes of urllib3 that programs touch through requests: exceptions, ``Retry``, ``Timeout``, raw responses, pools.

It is no HTTP client of its own: whatever is sent is sent by pabal's engine.
"""

from __future__ import annotations

import logging
import warnings
from logging import NullHandler
from typing import TextIO

from . import _collections, connectionpool, exceptions, fields, filepost, poolmanager, response, util
from ._collections import HTTPHeaderDict
from .connectionpool import HTTPConnectionPool, HTTPSConnectionPool, connection_from_url
from .filepost import encode_multipart_formdata
from .poolmanager import PoolManager, ProxyManager, proxy_from_url
from .response import BaseHTTPResponse, HTTPResponse
from .util.request import make_headers
from .util.retry import Retry
from .util.timeout import Timeout

__all__ = [
    "BaseHTTPResponse",
    "HTTPConnectionPool",
    "HTTPHeaderDict",
    "HTTPResponse",
    "HTTPSConnectionPool",
    "PoolManager",
    "ProxyManager",
    "Retry",
    "Timeout",
    "add_stderr_logger",
    "connection_from_url",
    "connectionpool",
    "disable_warnings",
    "encode_multipart_formdata",
    "exceptions",
    "fields",
    "filepost",
    "make_headers",
    "poolmanager",
    "proxy_from_url",
    "response",
    "util",
]

__version__ = "2.0.0"
_ = _collections


def disable_warnings(category: type[Warning] | None = None) -> None:
    """Silences warnings of a category, all of this package by default."""
    warnings.simplefilter("ignore", exceptions.HTTPWarning if category is None else category)


def add_stderr_logger(level: int = logging.DEBUG) -> logging.StreamHandler[TextIO]:
    """Logs to the standard error stream."""
    handler = logging.StreamHandler()
    logger = logging.getLogger(__name__)
    logger.addHandler(handler)
    logger.setLevel(level)
    return handler


logging.getLogger(__name__).addHandler(NullHandler())
