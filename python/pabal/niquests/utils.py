"""``niquests.utils``: what requests has there, and what niquests does otherwise (IPv6 networks, schemes, base URLs)."""

# Names with an underscore that programs import, or that faces share, are no strangers here.
# pyright: reportPrivateUsage=false
from __future__ import annotations

import inspect
import ipaddress
import os
import socket
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urljoin, urlsplit

from pabal.requests import utils as _shared
from pabal.requests.utils import (
    _HEADER_VALIDATORS_BYTE,
    _HEADER_VALIDATORS_STR,
    DEFAULT_ACCEPT_ENCODING,
    DEFAULT_CA_BUNDLE_PATH,
    DEFAULT_PORTS,
    HEADER_VALIDATORS,
    NETRC_FILES,
    UNRESERVED_SET,
    CaseInsensitiveDict,
    _parse_list_header,
    add_dict_to_cookiejar,
    atomic_open,
    basestring,
    builtin_str,
    bytes,
    check_header_validity,
    codecs,
    cookiejar_from_dict,
    dict_from_cookiejar,
    dict_to_sequence,
    dotted_netmask,
    extract_zipped_paths,
    from_key_val_list,
    get_auth_from_url,
    get_encodings_from_content,
    get_netrc_auth,
    get_unicode_from_response,
    guess_filename,
    guess_json_utf,
    integer_types,
    is_ipv4_address,
    is_urllib3_1,
    iter_slices,
    make_headers,
    named_directly,
    parse_dict_header,
    parse_header_links,
    parse_list_header,
    parse_url,
    prepend_scheme_if_needed,
    quote,
    requote_uri,
    rewind_body,
    select_proxy,
    set_environ,
    str,
    stream_decode_response_unicode,
    struct,
    super_len,
    to_key_val_list,
    to_native_string,
    unquote,
    unquote_header_value,
    unquote_unreserved,
    urldefragauth,
    urlparse,
    urlunparse,
    warnings,
)
from pabal.requests.utils import default_headers as _default_headers
from pabal.requests.utils import get_environ_proxies as _get_environ_proxies
from pabal.requests.utils import resolve_proxies as _resolve_proxies

from .__version__ import __version__
from .exceptions import MissingSchema, UnrewindableBodyError

__all__ = [
    "DEFAULT_ACCEPT_ENCODING",
    "DEFAULT_CA_BUNDLE_PATH",
    "DEFAULT_PORTS",
    "HEADER_VALIDATORS",
    "NETRC_FILES",
    "UNRESERVED_SET",
    "_HEADER_VALIDATORS_BYTE",
    "_HEADER_VALIDATORS_STR",
    "CaseInsensitiveDict",
    "_get_mask_bits",
    "_parse_content_type_header",
    "_parse_list_header",
    "add_dict_to_cookiejar",
    "address_in_network",
    "arewind_body",
    "astream_decode_response_unicode",
    "atomic_open",
    "basestring",
    "builtin_str",
    "bytes",
    "check_header_validity",
    "codecs",
    "compare_ipv6",
    "cookiejar_from_dict",
    "default_headers",
    "default_user_agent",
    "dict_from_cookiejar",
    "dict_to_sequence",
    "dotted_netmask",
    "extract_zipped_paths",
    "from_key_val_list",
    "get_auth_from_url",
    "get_encoding_from_headers",
    "get_encodings_from_content",
    "get_environ_proxies",
    "get_netrc_auth",
    "get_unicode_from_response",
    "getproxies",
    "getproxies_environment",
    "guess_filename",
    "guess_json_utf",
    "integer_types",
    "is_ipv4_address",
    "is_ipv6_address",
    "is_urllib3_1",
    "is_valid_cidr",
    "iter_slices",
    "make_headers",
    "merge_base_url",
    "named_directly",
    "parse_dict_header",
    "parse_header_links",
    "parse_list_header",
    "parse_scheme",
    "parse_url",
    "prepend_scheme_if_needed",
    "proxy_bypass",
    "proxy_bypass_environment",
    "quote",
    "requote_uri",
    "resolve_proxies",
    "rewind_body",
    "select_proxy",
    "set_environ",
    "should_bypass_proxies",
    "should_check_crl",
    "should_check_ocsp",
    "str",
    "stream_decode_response_unicode",
    "struct",
    "super_len",
    "to_key_val_list",
    "to_native_string",
    "unquote",
    "unquote_header_value",
    "unquote_unreserved",
    "urldefragauth",
    "urljoin_safe",
    "urlparse",
    "urlunparse",
    "warnings",
]

_ = (_parse_list_header, check_header_validity, to_native_string)


class _Fresh:
    """A function that is asked anew every time, for programs that clear the cache which niquests has before it."""

    def __init__(self, function: Any) -> None:
        self._function = function

    def __call__(self, *args: Any) -> Any:
        return self._function(*args)

    def cache_clear(self) -> None:
        """Nothing is kept."""


getproxies = _Fresh(_shared.getproxies)
getproxies_environment = _Fresh(_shared.getproxies_environment)
proxy_bypass = _shared.proxy_bypass
proxy_bypass_environment = _shared.proxy_bypass_environment


# --- headers ----------------------------------------------------------------------------------------------------------


def default_user_agent(name: str = "niquests") -> str:
    """``niquests/3.x``."""
    return f"{name}/{__version__}"


def default_headers() -> Any:
    """What a new session sends with every request."""
    made = _default_headers()
    made["User-Agent"] = default_user_agent()
    return made


def _parse_content_type_header(header: str) -> tuple[str, dict[str, Any]]:
    """The kind and its parameters; one without a value is True."""
    kind, *parameters = header.split(";")
    found: dict[str, Any] = {}
    for parameter in parameters:
        name, equals, value = parameter.strip().partition("=")
        if name:
            found[name.strip("\"' ").lower()] = value.strip("\"' ") if equals else True
    return kind.strip(), found


def get_encoding_from_headers(headers: Any) -> str | None:
    """The charset that Content-Type names. None where it does not: then the text itself is looked at."""
    content_type = headers.get("content-type")
    if not content_type:
        return None
    kind, parameters = _parse_content_type_header(content_type)
    charset = parameters.get("charset")
    if isinstance(charset, str):
        return charset
    return "utf-8" if "application/json" in kind else None


# --- bodies -----------------------------------------------------------------------------------------------------------


async def arewind_body(prepared_request: Any) -> None:
    """As ``rewind_body``, for bodies whose ``seek`` may be awaited."""
    seek = getattr(prepared_request.body, "seek", None)
    if seek is None or not isinstance(prepared_request._body_position, int):
        raise UnrewindableBodyError("Unable to rewind request body for redirect.")
    try:
        done = seek(prepared_request._body_position)
        if inspect.isawaitable(done):
            await done
    except OSError:
        raise UnrewindableBodyError("An error occurred when rewinding request body for redirect.") from None


async def astream_decode_response_unicode(iterator: AsyncIterator[bytes], r: Any) -> AsyncIterator[Any]:
    """Pieces of bytes to pieces of text; unchanged when the encoding is not known."""
    import codecs

    decoder = codecs.getincrementaldecoder(r.encoding)(errors="replace") if r.encoding is not None else None
    async for piece in iterator:
        if decoder is None:
            yield piece
        elif text := decoder.decode(piece):
            yield text
    if decoder is not None and (text := decoder.decode(b"", final=True)):
        yield text


# --- URLs -------------------------------------------------------------------------------------------------------------


def parse_scheme(url: str, default: str | None = None, max_length: int = 11) -> str:
    """The scheme in lower case; ``default``, or ``MissingSchema``, when there is none of a sensible length."""
    scheme, colon, _rest = url.partition(":")
    if colon and 0 < len(scheme) <= max_length and "/" not in scheme:
        return scheme.lower()
    if default is not None:
        return default
    raise MissingSchema(f"Invalid URL {url!r}: No scheme supplied. Perhaps you meant https://{url}?")


def merge_base_url(base_url: str | None, url: str | None) -> str | None:
    """A path below the base URL; whole URLs are left alone."""
    if not base_url or url is None or "://" in url.partition("?")[0]:
        return url
    return f"{base_url.rstrip('/')}/{url.lstrip('/')}" if url else base_url.rstrip("/")


def urljoin_safe(base: str, url: str) -> str:
    """``urljoin`` for schemes that it does not know, too."""
    scheme = urlsplit(base).scheme
    if scheme in ("http", "https", "") or urlsplit(url).scheme:
        return urljoin(base, url)
    return scheme + urljoin("http" + base[len(scheme) :], url)[4:]


# --- addresses --------------------------------------------------------------------------------------------------------


def _get_mask_bits(mask: int, totalbits: int = 32) -> int:
    return ((1 << mask) - 1) << (totalbits - mask) if mask else 0


def is_ipv6_address(string_ip: str) -> bool:
    """Whether the text is an IPv6 address."""
    try:
        socket.inet_pton(socket.AF_INET6, string_ip)
    except OSError:
        return False
    return True


def compare_ipv6(a: str, b: str) -> bool:
    """Whether two texts are the same IPv6 address."""
    try:
        return ipaddress.IPv6Address(a) == ipaddress.IPv6Address(b)
    except ValueError:
        return False


def is_valid_cidr(string_network: str) -> bool:
    """Whether the text is a network, of either version."""
    address, slash, bits = string_network.partition("/")
    if not slash or not bits.isdecimal():
        return False
    return _shared.is_valid_cidr(string_network) or (is_ipv6_address(address) and 1 <= int(bits) <= 128)


def address_in_network(ip: str, net: str) -> bool:
    """Whether an address lies in a network."""
    return ipaddress.ip_address(ip) in ipaddress.ip_network(net, strict=False)


def should_bypass_proxies(url: str, no_proxy: str | None) -> bool:
    """Whether the URL's host is to be reached directly, by ``no_proxy`` or the environment's."""
    listed = no_proxy if no_proxy is not None else os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
    parts = urlsplit(url)
    host = parts.hostname
    if host is None:
        return True
    if listed and (_names_ipv6(listed, host) if is_ipv6_address(host) else named_directly(host, parts.port, listed)):
        return True
    with set_environ("no_proxy", no_proxy):
        try:
            return bool(proxy_bypass(host))
        except (TypeError, socket.gaierror):
            return False


def _names_ipv6(listed: str, host: str) -> bool:
    for item in listed.replace(" ", "").split(","):
        if compare_ipv6(host, item) or (":" in item and is_valid_cidr(item) and address_in_network(host, item)):
            return True
    return False


def get_environ_proxies(url: str, no_proxy: str | None = None) -> dict[str, str]:
    """The environment's proxies for a URL."""
    return {} if should_bypass_proxies(url, no_proxy) else _get_environ_proxies(url, no_proxy)


def resolve_proxies(request: Any, proxies: Any, trust_env: bool = True) -> dict[str, str]:
    """The given proxies, and the environment's for the request's URL if it counts."""
    if (
        trust_env
        and not _shared.names_no_proxy()
        and should_bypass_proxies(request.url, proxies.get("no_proxy") if proxies else None)
    ):
        trust_env = False
    return _resolve_proxies(request, proxies, trust_env)


# --- revocation: the engine does not check yet ------------------------------------------------------------------------


def should_check_ocsp(conn_info: Any, revocation_configuration: Any) -> bool:
    """Never."""
    return False


def should_check_crl(conn_info: Any, revocation_configuration: Any) -> bool:
    """Never."""
    return False
