"""``parse_url``: a URL in its parts, normalised as RFC 3986 section 6.2.2 has it."""

from __future__ import annotations

import re
from typing import NamedTuple

from .._installed import used
from .._shapes import LocationParseError

__all__ = ["Url", "parse_url"]

_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-~")
_USERINFO = _UNRESERVED | frozenset(b"!$&'()*+,;=:")
_PATH = _USERINFO | frozenset(b"@/")
_QUERY = _PATH | frozenset(b"?")

_HAS_SCHEME = re.compile(r"^(?:[a-zA-Z][a-zA-Z0-9+-]*:|/)")
_PARTS = re.compile(r"^(?:([a-zA-Z][a-zA-Z0-9+.-]*):)?(?://([^\\/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$", re.DOTALL)
_ESCAPE = re.compile(r"%[0-9a-fA-F]{2}")
_HOST_PORT = re.compile(r"^(\[[^\]]*\]|[^\[\]:]*)(?::([0-9]{0,5}))?$", re.DOTALL)
_IPV6 = re.compile(r"^[0-9a-fA-F:.]+(?:%.+)?$")


class Url(
    NamedTuple(
        "_Url",
        [
            ("scheme", "str | None"),
            ("auth", "str | None"),
            ("host", "str | None"),
            ("port", "int | None"),
            ("path", "str | None"),
            ("query", "str | None"),
            ("fragment", "str | None"),
        ],
    )
):
    """The parts of a URL; None for what is not there."""

    __slots__ = ()

    def __new__(
        cls,
        scheme: str | None = None,
        auth: str | None = None,
        host: str | None = None,
        port: int | None = None,
        path: str | None = None,
        query: str | None = None,
        fragment: str | None = None,
    ) -> Url:
        if path and not path.startswith("/"):
            path = "/" + path
        return super().__new__(cls, scheme and scheme.lower(), auth, host, port, path, query, fragment)

    @property
    def hostname(self) -> str | None:
        """As ``host``."""
        return self.host

    @property
    def request_uri(self) -> str:
        """Path and query."""
        return (self.path or "/") + ("" if self.query is None else "?" + self.query)

    @property
    def authority(self) -> str | None:
        """User information, host and port."""
        return self.netloc if self.auth is None or self.netloc is None else f"{self.auth}@{self.netloc}"

    @property
    def netloc(self) -> str | None:
        """Host and port."""
        return f"{self.host}:{self.port}" if self.host is not None and self.port else self.host

    @property
    def url(self) -> str:
        """The whole."""
        text = "" if self.scheme is None else f"{self.scheme}://"
        text += "" if self.auth is None else f"{self.auth}@"
        text += self.host or ""
        text += "" if self.port is None else f":{self.port}"
        text += self.path or ""
        text += "" if self.query is None else f"?{self.query}"
        return text + ("" if self.fragment is None else f"#{self.fragment}")

    def __str__(self) -> str:
        return self.url


def encode_rest(text: str, allowed: frozenset[int]) -> str:
    """Percent-encodes what a part may not hold; escapes that are there stay, in upper case."""
    text = _ESCAPE.sub(lambda found: found[0].upper(), text)
    whole = len(_ESCAPE.findall(text)) == text.count("%")
    out = bytearray()
    for byte in text.encode("utf-8", "surrogatepass"):
        if byte in allowed or (byte == 0x25 and whole):
            out.append(byte)
        else:
            out += b"%%%02X" % byte
    return out.decode("ascii")


def remove_dots(path: str) -> str:
    """RFC 3986 section 5.2.4."""
    kept: list[str] = []
    segments = path.split("/")
    for segment in segments:
        if segment == "..":
            if kept:
                kept.pop()
        elif segment != ".":
            kept.append(segment)
    if path.startswith("/") and (not kept or kept[0]):
        kept.insert(0, "")
    if path.endswith(("/.", "/..")):
        kept.append("")
    return "/".join(kept)


def _host(text: str, url: str) -> str:
    if text.startswith("["):
        if not _IPV6.match(text[1:-1]):
            raise used(LocationParseError)(url)
        address, percent, zone = text[1:-1].partition("%")
        if percent:
            zone = "%" + encode_rest(zone.removeprefix("25") if len(zone) > 2 else zone, _UNRESERVED)
        return f"[{address.lower()}{zone}]"
    if not text.isascii():
        return text.lower()  # who uses the URL encodes it
    if any(character in text for character in ' <>"{}|^`'):
        raise used(LocationParseError)(url)
    return text.lower()


def parse_url(url: str) -> Url:
    """The parts. A text without a scheme begins with the host; LocationParseError for what is no URL."""
    if not url:
        return Url()
    given = url
    if not _HAS_SCHEME.match(url):
        url = "//" + url
    found = _PARTS.match(url)
    if found is None:
        raise used(LocationParseError)(given)
    scheme, authority, path, query, fragment = found.groups()
    scheme = scheme and scheme.lower()
    normalise = scheme is None or scheme in ("http", "https")
    auth = host = port = None
    if authority:
        auth, _, rest = authority.rpartition("@")
        auth = auth or None
        if auth and normalise:
            auth = encode_rest(auth, _USERINFO)
        pieces = _HOST_PORT.match(rest)
        if pieces is None:
            raise used(LocationParseError)(given)
        host = pieces[1] or None
        if host is not None and normalise:
            host = _host(host, given)
        if pieces[2]:
            port = int(pieces[2])
            if port > 65535:
                raise used(LocationParseError)(given)
    if normalise:
        if path:
            path = encode_rest(remove_dots(path), _PATH)
        query = query and encode_rest(query, _QUERY)
        fragment = fragment and encode_rest(fragment, _QUERY)
    if not path and query is None and fragment is None:
        return Url(scheme, auth, host, port, None, None, None)
    return Url(scheme, auth, host, port, path or "", query, fragment)
