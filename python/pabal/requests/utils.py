"""``requests.utils``: what the other modules, and many programs, use. Text and URLs live in `_texts` and `_urls`."""

# Names with an underscore that programs import are part of the face.
# pyright: reportPrivateUsage=false
from __future__ import annotations

import codecs
import contextlib
import io
import os
import socket
import struct
import sys
import tempfile
import warnings
import zipfile
from collections import OrderedDict
from collections.abc import Generator, Mapping
from typing import Any

from . import certs
from .__version__ import __version__
from ._internal_utils import _HEADER_VALIDATORS_BYTE, _HEADER_VALIDATORS_STR, HEADER_VALIDATORS, to_native_string
from ._texts import (
    _parse_content_type_header,
    get_encoding_from_headers,
    get_encodings_from_content,
    get_unicode_from_response,
    guess_json_utf,
    iter_slices,
    parse_dict_header,
    parse_header_links,
    parse_list_header,
    stream_decode_response_unicode,
    unquote_header_value,
)
from ._urls import (
    UNRESERVED_SET,
    address_in_network,
    dotted_netmask,
    get_auth_from_url,
    is_ipv4_address,
    is_valid_cidr,
    prepend_scheme_if_needed,
    requote_uri,
    unquote_unreserved,
    urldefragauth,
)
from .compat import (
    basestring,
    builtin_str,
    bytes,
    getproxies,
    getproxies_environment,
    integer_types,
    is_urllib3_1,
    proxy_bypass,
    proxy_bypass_environment,
    quote,
    str,
    unquote,
    urlparse,
    urlunparse,
)
from .compat import parse_http_list as _parse_list_header
from .cookies import cookiejar_from_dict
from .exceptions import FileModeWarning, InvalidHeader, UnrewindableBodyError
from .packages.urllib3.util import make_headers, parse_url
from .structures import CaseInsensitiveDict

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
    "_parse_content_type_header",
    "_parse_list_header",
    "add_dict_to_cookiejar",
    "address_in_network",
    "atomic_open",
    "basestring",
    "builtin_str",
    "bytes",
    "check_header_validity",
    "codecs",
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
    "is_urllib3_1",
    "is_valid_cidr",
    "iter_slices",
    "make_headers",
    "parse_dict_header",
    "parse_header_links",
    "parse_list_header",
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
    "urlparse",
    "urlunparse",
    "warnings",
]

NETRC_FILES = (".netrc", "_netrc")
DEFAULT_CA_BUNDLE_PATH = certs.where()
DEFAULT_PORTS = {"http": 80, "https": 443}
#: What the engine can undo.
DEFAULT_ACCEPT_ENCODING = "gzip, deflate, br, zstd"

if sys.platform == "win32":  # pragma: no cover

    def proxy_bypass(host: str) -> bool:  # type: ignore[no-redef]
        """Whether the environment, or else the registry, says to go to the host directly."""
        from urllib.request import proxy_bypass_registry  # type: ignore[attr-defined,unused-ignore]

        return bool(proxy_bypass_environment(host) if getproxies_environment() else proxy_bypass_registry(host))


# --- mappings and pairs -----------------------------------------------------------------------------------------------


def dict_to_sequence(d: Any) -> Any:
    """The items of a mapping; other things as they are."""
    return d.items() if hasattr(d, "items") else d


def _refuse_scalars(value: Any) -> None:
    if isinstance(value, (str, bytes, bool, int)):
        raise ValueError("cannot encode objects that are not 2-tuples")


def from_key_val_list(value: Any) -> OrderedDict[Any, Any] | None:
    """An ordered dict of a mapping or pairs; None stays None."""
    if value is None:
        return None
    _refuse_scalars(value)
    return OrderedDict(value)


def to_key_val_list(value: Any) -> list[tuple[Any, Any]] | None:
    """A list of pairs of a mapping or pairs; None stays None."""
    if value is None:
        return None
    _refuse_scalars(value)
    given: Any = value
    return list(given.items() if isinstance(value, Mapping) else given)


def dict_from_cookiejar(cj: Any) -> dict[str, str | None]:
    """Names and values of a jar's cookies."""
    return {cookie.name: cookie.value for cookie in cj}


def add_dict_to_cookiejar(cj: Any, cookie_dict: Any) -> Any:
    """Puts names and values into a jar."""
    return cookiejar_from_dict(cookie_dict, cj)


# --- headers ----------------------------------------------------------------------------------------------------------


def default_user_agent(name: str = "python-requests") -> str:
    """``python-requests/2.x``: servers know that name."""
    return f"{name}/{__version__}"


def default_headers() -> CaseInsensitiveDict[Any]:
    """What a new session sends with every request."""
    return CaseInsensitiveDict(
        {
            "User-Agent": default_user_agent(),
            "Accept-Encoding": DEFAULT_ACCEPT_ENCODING,
            "Accept": "*/*",
            "Connection": "keep-alive",
        }
    )


def check_header_validity(header: tuple[Any, Any]) -> None:
    """Raises ``InvalidHeader`` unless name and value are text or bytes that a header may hold."""
    name, value = header
    _validate_header_part(header, name, 0)
    _validate_header_part(header, value, 1)


def _validate_header_part(header: Any, header_part: Any, header_validator_index: int) -> None:
    validators: Any
    if isinstance(header_part, str):
        validators = _HEADER_VALIDATORS_STR
    elif isinstance(header_part, bytes):
        validators = _HEADER_VALIDATORS_BYTE
    else:
        raise InvalidHeader(
            f"Header part ({header_part!r}) from {header} must be of type str or bytes, not {type(header_part)}"
        )
    if not validators[header_validator_index].match(header_part):
        kind = "name" if header_validator_index == 0 else "value"
        raise InvalidHeader(
            "Invalid leading whitespace, reserved character(s), or return character(s) in header "
            f"{kind}: {header_part!r}"
        )


# --- bodies and files -------------------------------------------------------------------------------------------------


def super_len(o: Any) -> int:
    """How many bytes an object still has to give; 0 when that cannot be told."""
    if isinstance(o, str):
        o = o.encode("utf-8")
    total: int | None = None
    position = 0
    if hasattr(o, "__len__"):
        total = len(o)
    elif hasattr(o, "len"):
        total = o.len
    elif hasattr(o, "fileno"):
        try:
            descriptor = o.fileno()
        except (io.UnsupportedOperation, AttributeError):  # an attribute, and yet no file
            pass
        else:
            total = os.fstat(descriptor).st_size
            if "b" not in getattr(o, "mode", "b"):
                warnings.warn(
                    "Requests has determined the content-length for this request using the binary size of the file: "
                    "however, the file has been opened in text mode (i.e. without the 'b' flag in the mode). This may "
                    "lead to an incorrect content-length. In Requests 3.0, support will be removed for files in text "
                    "mode.",
                    FileModeWarning,
                    stacklevel=2,
                )
    if hasattr(o, "tell"):
        try:
            position = o.tell()
        except OSError:  # it has no position (a pipe, say): then it is at its end, and goes out in chunks
            if total is not None:
                position = total
        else:
            if hasattr(o, "seek") and total is None:
                try:
                    o.seek(0, 2)
                    total = o.tell()
                    o.seek(position or 0)
                except OSError:
                    total = 0
    return max(0, (total or 0) - position)


def guess_filename(obj: Any) -> str | None:
    """The name of a file, as far as it has a real one."""
    name = getattr(obj, "name", None)
    if name and isinstance(name, basestring) and name[:1] not in ("<", b"<") and name[-1:] not in (">", b">"):
        return os.path.basename(name)  # type: ignore[return-value]
    return None


def rewind_body(prepared_request: Any) -> None:
    """Puts a file that is a body back to where it began; ``UnrewindableBodyError`` if that cannot be done."""
    seek = getattr(prepared_request.body, "seek", None)
    if seek is None or not isinstance(prepared_request._body_position, integer_types):
        raise UnrewindableBodyError("Unable to rewind request body for redirect.")
    try:
        seek(prepared_request._body_position)
    except OSError:
        raise UnrewindableBodyError("An error occurred when rewinding request body for redirect.") from None


def extract_zipped_paths(path: str) -> str:
    """A file that lies in a zip archive (``…/archive.zip/member``), extracted; other paths as they are.

    The copy gets a name that nobody can foresee, in a folder of its own.
    """
    if os.path.exists(path):
        return path
    archive, member = os.path.split(path)
    while archive and not os.path.exists(archive):
        archive, part = os.path.split(archive)
        if not part:  # the root was reached
            break
        member = "/".join([part, member])
    if not zipfile.is_zipfile(archive):
        return path
    with zipfile.ZipFile(archive) as opened:
        if member not in opened.namelist():
            return path
        suffix = os.path.splitext(member.split("/")[-1])[-1]
        handle, extracted = tempfile.mkstemp(suffix=suffix)
        with os.fdopen(handle, "wb") as file:
            file.write(opened.read(member))
    return extracted


@contextlib.contextmanager
def atomic_open(filename: str) -> Generator[Any, None, None]:
    """A file to write that appears under its name only when all is written."""
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(filename))
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        os.replace(temporary, filename)
    except BaseException:
        os.remove(temporary)
        raise


@contextlib.contextmanager
def set_environ(env_name: str, value: str | None) -> Generator[None, None, None]:
    """An environment variable with another value for a while; None changes nothing."""
    before = os.environ.get(env_name)
    if value is not None:
        os.environ[env_name] = value
    try:
        yield
    finally:
        if value is not None:
            if before is None:
                os.environ.pop(env_name, None)
            else:
                os.environ[env_name] = before


# --- netrc ------------------------------------------------------------------------------------------------------------


def get_netrc_auth(url: str, raise_errors: bool = False) -> tuple[str, str] | None:
    """(user, password) for the URL's host from $NETRC, ~/.netrc or ~/_netrc."""
    named = os.environ.get("NETRC")
    candidates = (named,) if named is not None else tuple(f"~/{name}" for name in NETRC_FILES)
    path = next((p for p in map(os.path.expanduser, candidates) if os.path.exists(p)), None)
    if path is None:
        return None
    host = urlparse(url).hostname
    if host is None:
        return None
    import netrc

    try:
        found = netrc.netrc(path).authenticators(host)
    except (netrc.NetrcParseError, OSError):
        if raise_errors:
            raise
        return None
    if not found or not any(found):
        return None
    login, account, password = found
    return login or account or "", password or ""


# --- proxies ----------------------------------------------------------------------------------------------------------


def should_bypass_proxies(url: str, no_proxy: str | None) -> bool:
    """Whether the URL's host is to be reached directly, by ``no_proxy`` or the environment's."""
    explicit = no_proxy
    if no_proxy is None:
        no_proxy = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
    parts = urlparse(url)
    host = parts.hostname
    if host is None:
        return True
    if no_proxy and _named(host, parts.port, [item for item in no_proxy.replace(" ", "").split(",") if item]):
        return True
    with set_environ("no_proxy", explicit):
        try:
            return bool(proxy_bypass(host))
        except (TypeError, socket.gaierror):
            return False


def _named(host: str, port: int | None, listed: list[str]) -> bool:
    """Whether a host is on a list of hosts, domains and networks. A domain stands for itself and what is below it."""
    if is_ipv4_address(host):
        return any(address_in_network(host, item) if is_valid_cidr(item) else host == item for item in listed)
    for item in listed:
        domain = item.lstrip(".").lower()
        for name in (host, f"{host}:{port}") if port else (host,):
            if name == domain or name.endswith("." + domain):
                return True
    return False


_plain_getproxies, _plain_bypass = getproxies, proxy_bypass


def variable_names() -> bytes | None:
    """The names of all environment variables in one text; None where they are not to be had this way.

    Looking for a variable that hardly ever is set is asked of every request, and ``os.environ`` takes its time over it.
    """
    held: Any = getattr(os.environ, "_data", None)
    return b"\0".join(held) if held.__class__ is dict and os.name == "posix" else None


def names_no_proxy() -> bool:
    """Whether the environment certainly has no word on proxies."""
    names = variable_names()
    return (
        names is not None
        and b"_proxy" not in names.lower()
        and getproxies is _plain_getproxies is getproxies_environment
        and proxy_bypass is _plain_bypass
    )


def get_environ_proxies(url: str, no_proxy: str | None = None) -> dict[str, str]:
    """The environment's proxies for a URL."""
    if names_no_proxy():
        return {}
    return {} if should_bypass_proxies(url, no_proxy=no_proxy) else getproxies()


def select_proxy(url: str, proxies: Any) -> str | None:
    """The proxy for a URL: that of scheme and host, of the scheme, of all of the host, of all."""
    found: dict[str, str | None] = proxies or {}
    parts = urlparse(url)
    if parts.hostname is None:
        return found.get(parts.scheme, found.get("all"))
    for key in (f"{parts.scheme}://{parts.hostname}", parts.scheme, f"all://{parts.hostname}", "all"):
        if key in found:
            return found[key]
    return None


def resolve_proxies(request: Any, proxies: Any, trust_env: bool = True) -> dict[str, str]:
    """The given proxies, and the environment's for the request's URL if it counts."""
    merged: dict[str, str] = dict(proxies) if proxies is not None else {}
    scheme = urlparse(request.url).scheme
    if trust_env and not names_no_proxy() and not should_bypass_proxies(request.url, no_proxy=merged.get("no_proxy")):
        found = get_environ_proxies(request.url, no_proxy=merged.get("no_proxy"))
        proxy = found.get(scheme, found.get("all"))
        if proxy:
            merged.setdefault(scheme, proxy)
    return merged
