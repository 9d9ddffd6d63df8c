"""``urllib3.util``."""

from __future__ import annotations

from .request import SKIP_HEADER, make_headers
from .retry import Retry
from .ssl_ import SSLContext, create_urllib3_context
from .timeout import Timeout
from .url import Url, parse_url

__all__ = [
    "SKIP_HEADER",
    "Retry",
    "SSLContext",
    "Timeout",
    "Url",
    "create_urllib3_context",
    "make_headers",
    "parse_url",
]
