"""Header values, charsets and pieces of text: part of ``requests.utils``."""

from __future__ import annotations

import codecs
import re
import warnings
from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from urllib.request import parse_http_list

__all__ = [
    "_parse_content_type_header",
    "get_encoding_from_headers",
    "get_encodings_from_content",
    "get_unicode_from_response",
    "guess_json_utf",
    "iter_slices",
    "parse_dict_header",
    "parse_header_links",
    "parse_list_header",
    "stream_decode_response_unicode",
    "unquote_header_value",
]

_SPACES = " '\""


def parse_list_header(value: str) -> list[str]:
    """A comma-separated list, quotes taken away."""
    return [
        unquote_header_value(item[1:-1]) if item[:1] == item[-1:] == '"' else item for item in parse_http_list(value)
    ]


def parse_dict_header(value: str) -> dict[str, str | None]:
    """``a=1, b="two", c`` → a dict, None for what has no value."""
    found: dict[str, str | None] = {}
    for item in parse_http_list(value):
        name, equals, text = item.partition("=")
        if not equals:
            found[item] = None
            continue
        found[name] = unquote_header_value(text[1:-1]) if text[:1] == text[-1:] == '"' else text
    return found


def unquote_header_value(value: str, is_filename: bool = False) -> str:
    """The text in quotes, its backslashes undone; of file names those of UNC paths stay."""
    if value and value[0] == value[-1] == '"':
        value = value[1:-1]
        if not (is_filename and value.startswith("\\\\")):
            return value.replace("\\\\", "\\").replace('\\"', '"')
    return value


def parse_header_links(value: str) -> list[dict[str, str]]:
    """The links of a Link header, each with its parameters."""
    links: list[dict[str, str]] = []
    value = value.strip(_SPACES)
    if not value:
        return links
    for text in re.split(", *<", value):
        target, _, parameters = text.partition(";")
        link = {"url": target.strip("<> '\"")}
        for parameter in parameters.split(";"):
            name, equals, content = parameter.partition("=")
            if not equals or "=" in content:
                break
            link[name.strip(_SPACES)] = content.strip(_SPACES)
        links.append(link)
    return links


def _parse_content_type_header(header: str) -> tuple[str, dict[str, Any]]:
    kind, *parameters = header.split(";")
    found: dict[str, Any] = {}
    for parameter in parameters:
        parameter = parameter.strip()
        if parameter:
            name, equals, value = parameter.partition("=")
            if equals:
                found[name.strip("\"' ").lower()] = value.strip("\"' ")
    return kind.strip(), found


@lru_cache(256)
def encoding_of(content_type: str | None) -> str | None:
    """The charset that a Content-Type names, or that its kind has by default."""
    if not content_type:
        return None
    kind, parameters = _parse_content_type_header(content_type)
    if "charset" in parameters:
        return str(parameters["charset"]).strip("'\"")
    if "text" in kind:
        return "ISO-8859-1"
    return "utf-8" if "application/json" in kind else None


def get_encoding_from_headers(headers: Any) -> str | None:
    """The encoding of a response's text, as far as its headers say."""
    return encoding_of(headers.get("content-type"))


def get_encodings_from_content(content: str) -> list[str]:
    """What an HTML or XML document says about its own encoding."""
    warnings.warn(
        "get_encodings_from_content is deprecated; look into the document with a parser of its kind",
        DeprecationWarning,
        stacklevel=2,
    )
    patterns = (
        r'<meta.*?charset=["\']*(.+?)["\'>]',
        r'<meta.*?content=["\']*;?charset=(.+?)["\'>]',
        r'^<\?xml.*?encoding=["\']*(.+?)["\'>]',
    )
    return [found for p in patterns for found in re.findall(p, content, 0 if p.startswith("^") else re.IGNORECASE)]


def get_unicode_from_response(r: Any) -> Any:
    """The body as text, by its charset, else with U+FFFD for what is none."""
    warnings.warn("get_unicode_from_response is deprecated; use response.text", DeprecationWarning, stacklevel=2)
    encoding = get_encoding_from_headers(r.headers)
    if encoding:
        try:
            return str(r.content, encoding)
        except UnicodeError:
            pass
    try:
        return str(r.content, encoding or "", errors="replace")
    except (TypeError, LookupError):
        return r.content


def stream_decode_response_unicode(iterator: Iterator[bytes], r: Any) -> Iterator[Any]:
    """Pieces of bytes to pieces of text; unchanged when the encoding is not known."""
    if r.encoding is None:
        yield from iterator
        return
    decoder = codecs.getincrementaldecoder(r.encoding)(errors="replace")
    for piece in iterator:
        if text := decoder.decode(piece):
            yield text
    if text := decoder.decode(b"", final=True):
        yield text


def iter_slices(string: Any, slice_length: int | None) -> Iterator[Any]:
    """Pieces of that length; the whole for None or nothing sensible."""
    if slice_length is None or slice_length <= 0:
        slice_length = len(string)
    at = 0
    while at < len(string):
        yield string[at : at + slice_length]
        at += slice_length


def guess_json_utf(data: bytes) -> str | None:
    """Which UTF a JSON document is in, by its byte order mark or by where its first zeros are (RFC 4627 section 3)."""
    head = data[:4]
    if head in (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE):
        return "utf-32"
    if head[:3] == codecs.BOM_UTF8:
        return "utf-8-sig"
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    zeros = head.count(0)
    if zeros == 0:
        return "utf-8"
    if zeros == 2:
        if head[::2] == b"\0\0":
            return "utf-16-be"
        if head[1::2] == b"\0\0":
            return "utf-16-le"
    if zeros == 3:
        if head[:3] == b"\0\0\0":
            return "utf-32-be"
        if head[1:] == b"\0\0\0":
            return "utf-32-le"
    return None
