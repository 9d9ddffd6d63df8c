"""``requests.models``: requests and responses, gathered from the files that define them."""

# Names with an underscore that programs import are part of the face.
# pyright: reportPrivateUsage=false
from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from ._encoding import RequestEncodingMixin, RequestHooksMixin
from ._internal_utils import to_native_string, unicode_is_ascii
from ._prepared import PreparedRequest, Request
from ._response import CONTENT_CHUNK_SIZE, ITER_CHUNK_SIZE, REDIRECT_STATI, Response
from .auth import HTTPBasicAuth
from .compat import basestring, builtin_str, cookielib, urlencode, urlsplit, urlunparse
from .compat import json as complexjson
from .cookies import _copy_cookie_jar, cookiejar_from_dict, get_cookie_header
from .exceptions import (
    ChunkedEncodingError,
    ConnectionError,
    ContentDecodingError,
    HTTPError,
    InvalidJSONError,
    InvalidURL,
    MissingSchema,
    StreamConsumedError,
)
from .exceptions import JSONDecodeError as RequestsJSONDecodeError
from .exceptions import SSLError as RequestsSSLError
from .hooks import default_hooks
from .packages.urllib3 import exceptions as _raised
from .packages.urllib3.fields import RequestField
from .packages.urllib3.filepost import encode_multipart_formdata
from .packages.urllib3.util import parse_url
from .status_codes import codes
from .structures import CaseInsensitiveDict
from .utils import (
    check_header_validity,
    get_auth_from_url,
    guess_filename,
    guess_json_utf,
    iter_slices,
    parse_header_links,
    requote_uri,
    stream_decode_response_unicode,
    super_len,
    to_key_val_list,
)

if TYPE_CHECKING:
    from .packages.urllib3.exceptions import (
        DecodeError,
        LocationParseError,
        ProtocolError,
        ReadTimeoutError,
        SSLError,
    )

__all__ = [
    "CONTENT_CHUNK_SIZE",
    "DEFAULT_REDIRECT_LIMIT",
    "ITER_CHUNK_SIZE",
    "REDIRECT_STATI",
    "CaseInsensitiveDict",
    "ChunkedEncodingError",
    "ConnectionError",
    "ContentDecodingError",
    "DecodeError",
    "HTTPBasicAuth",
    "HTTPError",
    "InvalidJSONError",
    "InvalidURL",
    "LocationParseError",
    "MissingSchema",
    "PreparedRequest",
    "ProtocolError",
    "ReadTimeoutError",
    "Request",
    "RequestEncodingMixin",
    "RequestField",
    "RequestHooksMixin",
    "RequestsJSONDecodeError",
    "RequestsSSLError",
    "Response",
    "SSLError",
    "StreamConsumedError",
    "_copy_cookie_jar",
    "basestring",
    "builtin_str",
    "check_header_validity",
    "codes",
    "complexjson",
    "cookiejar_from_dict",
    "cookielib",
    "datetime",
    "default_hooks",
    "encode_multipart_formdata",
    "get_auth_from_url",
    "get_cookie_header",
    "guess_filename",
    "guess_json_utf",
    "iter_slices",
    "parse_header_links",
    "parse_url",
    "requote_uri",
    "stream_decode_response_unicode",
    "super_len",
    "to_key_val_list",
    "to_native_string",
    "unicode_is_ascii",
    "urlencode",
    "urlsplit",
    "urlunparse",
]

DEFAULT_REDIRECT_LIMIT = 30

# Pickles and reprs name the module that programs know.
for _public in (PreparedRequest, Request, RequestEncodingMixin, RequestHooksMixin, Response):
    _public.__module__ = __name__


def __getattr__(name: str) -> Any:
    if name == "chardet":  # imported only when somebody asks
        from .compat import chardet

        return chardet
    if name in ("DecodeError", "LocationParseError", "ProtocolError", "ReadTimeoutError", "SSLError"):
        return getattr(_raised, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
