"""URLs, hosts and addresses: part of ``requests.utils``."""

from __future__ import annotations

import re
import socket
import struct
from urllib.parse import quote, unquote, urlparse, urlunparse

from .exceptions import InvalidURL
from .packages.urllib3.util.url import parse_url

__all__ = [
    "UNRESERVED_SET",
    "address_in_network",
    "dotted_netmask",
    "get_auth_from_url",
    "is_ipv4_address",
    "is_valid_cidr",
    "prepend_scheme_if_needed",
    "requote_uri",
    "unquote_unreserved",
    "urldefragauth",
]

#: Characters that mean the same with and without an escape (RFC 3986 section 2.3).
UNRESERVED_SET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

_SAFE = "!#$&'()*+,/:;=?@[]~"
_ESCAPED = re.compile(r"%(.{0,2})", re.DOTALL)


def unquote_unreserved(uri: str) -> str:
    """Undoes the escapes that no URL needs; what follows another '%' must be two hexadecimal digits."""

    def plain(found: re.Match[str]) -> str:
        digits = found[1]
        if len(digits) != 2 or not digits.isalnum():
            return found[0]
        try:
            character = chr(int(digits, 16))
        except ValueError:
            raise InvalidURL(f"Invalid percent-escape sequence: '{digits}'") from None
        return character if character in UNRESERVED_SET else found[0]

    return _ESCAPED.sub(plain, uri) if "%" in uri else uri


def requote_uri(uri: str) -> str:
    """Escapes what must be, and nothing twice."""
    try:
        return quote(unquote_unreserved(uri), safe=_SAFE + "%")
    except InvalidURL:  # a bare '%' somewhere: then every one is escaped
        return quote(uri, safe=_SAFE)


def urldefragauth(url: str) -> str:
    """The URL without fragment and user information."""
    scheme, netloc, path, params, query, _ = urlparse(url)
    if not netloc:  # the host was taken for a path
        netloc, path = path, netloc
    return urlunparse((scheme, netloc.rpartition("@")[2], path, params, query, ""))


def prepend_scheme_if_needed(url: str, new_scheme: str) -> str:
    """The URL with a scheme, if it had none."""
    parts = parse_url(url)
    netloc, path = parts.netloc, parts.path
    if not netloc:
        netloc, path = path, netloc
    if parts.auth:
        netloc = f"{parts.auth}@{netloc}"
    return urlunparse(
        (parts.scheme or new_scheme, netloc or "", path or "", "", parts.query or "", parts.fragment or "")
    )


def get_auth_from_url(url: str) -> tuple[str, str]:
    """(user, password) of the URL, decoded; empty strings when there are none."""
    parts = urlparse(url)
    try:
        return unquote(parts.username or ""), unquote(parts.password or "") if parts.username is not None else ""
    except (AttributeError, TypeError):
        return "", ""


def _number(address: str) -> int:
    return int(struct.unpack("=L", socket.inet_aton(address))[0])


def address_in_network(ip: str, net: str) -> bool:
    """Whether an IPv4 address lies in a network such as 192.168.1.0/24."""
    base, bits = net.split("/")
    mask = _number(dotted_netmask(int(bits)))
    return _number(ip) & mask == _number(base) & mask


def dotted_netmask(mask: int) -> str:
    """24 → 255.255.255.0"""
    return socket.inet_ntoa(struct.pack(">I", 0xFFFFFFFF ^ (1 << 32 - mask) - 1))


def is_ipv4_address(string_ip: str) -> bool:
    """Whether the text is an IPv4 address."""
    try:
        socket.inet_aton(string_ip)
    except OSError:
        return False
    return True


def is_valid_cidr(string_network: str) -> bool:
    """Whether the text is an IPv4 network."""
    address, slash, bits = string_network.partition("/")
    if not slash or "/" in bits:
        return False
    try:
        return 1 <= int(bits) <= 32 and is_ipv4_address(address)
    except ValueError:
        return False
