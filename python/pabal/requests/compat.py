"""Names that programs import from here because requests offered them when there were two Pythons."""

from __future__ import annotations

import importlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, MutableMapping
from http import cookiejar as cookielib
from http.cookies import Morsel
from io import StringIO
from typing import TYPE_CHECKING, Any
from urllib.parse import (
    quote,
    quote_plus,
    unquote,
    unquote_plus,
    urldefrag,
    urlencode,
    urljoin,
)
from urllib.request import (
    getproxies,
    getproxies_environment,
    parse_http_list,
    proxy_bypass,
)

if TYPE_CHECKING:
    import json
    from json import JSONDecodeError
    from urllib.parse import ParseResult, SplitResult

    has_simplejson = False
    chardet: Any

    # What is parsed here is text, whatever the annotations of those who pass it.
    def urlparse(url: Any, scheme: str = "", allow_fragments: bool = True) -> ParseResult: ...
    def urlsplit(url: Any, scheme: str = "", allow_fragments: bool = True) -> SplitResult: ...
    def urlunparse(components: Any) -> str: ...
    def proxy_bypass_environment(host: str, proxies: Any = None) -> bool: ...

else:
    from urllib.parse import urlparse, urlsplit, urlunparse
    from urllib.request import proxy_bypass_environment

    try:
        import simplejson as json
        from simplejson import JSONDecodeError

        has_simplejson = True
    except ImportError:
        import json
        from json import JSONDecodeError

        has_simplejson = False

__all__ = [
    "Callable",
    "JSONDecodeError",
    "Mapping",
    "Morsel",
    "MutableMapping",
    "OrderedDict",
    "StringIO",
    "basestring",
    "builtin_str",
    "bytes",
    "chardet",
    "cookielib",
    "getproxies",
    "getproxies_environment",
    "has_simplejson",
    "integer_types",
    "is_py2",
    "is_py3",
    "is_urllib3_1",
    "json",
    "numeric_types",
    "parse_http_list",
    "proxy_bypass",
    "proxy_bypass_environment",
    "quote",
    "quote_plus",
    "str",
    "unquote",
    "unquote_plus",
    "urldefrag",
    "urlencode",
    "urljoin",
    "urlparse",
    "urlsplit",
    "urlunparse",
]

#: The urllib3 whose shapes ``pabal.requests.packages.urllib3`` has.
urllib3_version = "2.0.0"
is_urllib3_1 = False

is_py2 = False
is_py3 = True

builtin_str = str
str = str
bytes = bytes
basestring = (str, bytes)
numeric_types = (int, float)
integer_types = (int,)


def _detection() -> Any:
    """A module with ``detect``: chardet's or charset_normalizer's where one is installed, else pabal's own."""
    for name in ("chardet", "charset_normalizer"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return importlib.import_module("pabal.requests._charset")


def __getattr__(name: str) -> Any:
    if name == "chardet":  # imported only when a text without a charset is looked at
        globals()[name] = _detection()
        return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
