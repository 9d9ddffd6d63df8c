"""``niquests.models``: requests and responses, gathered from the files that define them."""

# Names with an underscore that programs import, or that faces share, are no strangers here.
# pyright: reportPrivateUsage=false
from __future__ import annotations

from typing import Any

from pabal.requests.models import (
    CaseInsensitiveDict,
    ChunkedEncodingError,
    ConnectionError,
    ContentDecodingError,
    DecodeError,
    HTTPBasicAuth,
    HTTPError,
    InvalidJSONError,
    InvalidURL,
    LocationParseError,
    MissingSchema,
    ProtocolError,
    ReadTimeoutError,
    RequestEncodingMixin,
    RequestField,
    RequestHooksMixin,
    RequestsJSONDecodeError,
    RequestsSSLError,
    SSLError,
    StreamConsumedError,
    _copy_cookie_jar,
    basestring,
    builtin_str,
    check_header_validity,
    codes,
    complexjson,
    cookielib,
    encode_multipart_formdata,
    get_auth_from_url,
    get_cookie_header,
    guess_filename,
    iter_slices,
    parse_header_links,
    parse_url,
    requote_uri,
    stream_decode_response_unicode,
    super_len,
    to_key_val_list,
    to_native_string,
    unicode_is_ascii,
    urlencode,
    urlsplit,
    urlunparse,
)

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

__all__ = [
    "CONTENT_CHUNK_SIZE",
    "DEFAULT_REDIRECT_LIMIT",
    "ITER_CHUNK_SIZE",
    "REDIRECT_STATI",
    "AsyncResponse",
    "BearerTokenAuth",
    "CaseInsensitiveDict",
    "ChunkedEncodingError",
    "ConnectionError",
    "ConnectionInfo",
    "ContentDecodingError",
    "DecodeError",
    "HTTPBasicAuth",
    "HTTPError",
    "InvalidJSONError",
    "InvalidURL",
    "LocationParseError",
    "MissingSchema",
    "MultiplexingError",
    "PreparedRequest",
    "ProtocolError",
    "ReadTimeoutError",
    "Request",
    "RequestEncodingMixin",
    "RequestField",
    "RequestHooksMixin",
    "RequestsCookieJar",
    "RequestsJSONDecodeError",
    "RequestsSSLError",
    "Response",
    "SSLError",
    "StreamConsumedError",
    "TransferProgress",
    "_LineDecoder",
    "_copy_cookie_jar",
    "basestring",
    "builtin_str",
    "check_header_validity",
    "codes",
    "coerce_to_requests_cookiejar",
    "complexjson",
    "cookiejar_from_dict",
    "cookielib",
    "default_hooks",
    "encode_multipart_formdata",
    "get_auth_from_url",
    "get_cookie_header",
    "guess_filename",
    "guess_json_utf",
    "iter_slices",
    "parse_header_links",
    "parse_scheme",
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

_ = (CONTENT_CHUNK_SIZE, ITER_CHUNK_SIZE, REDIRECT_STATI, cookiejar_from_dict, default_hooks)

# Pickles and reprs name the module that programs know.
for _public in (PreparedRequest, Request, AsyncResponse, Response, TransferProgress):
    _public.__module__ = __name__


def __getattr__(name: str) -> Any:
    if name == "chardet":
        from pabal.requests.compat import chardet

        return chardet
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
