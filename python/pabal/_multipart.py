"""multipart/form-data (RFC 7578) in constant memory: part heads are made here, files are read while they are sent."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

from pabal._body import AsyncBody, Body, FileBody, JoinedBody, as_bytes, text_bytes
from pabal._forms import each_item, form_pairs, split_pair
from pabal.exceptions import InvalidHeader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

__all__ = ["encode_multipart"]


def encode_multipart(fields: Any, files: Any, boundary: str | None = None) -> tuple[bytes | Body, str]:
    """The body and its Content-Type for form ``fields`` (as ``data=``) and ``files`` (as ``files=``)."""
    boundary = boundary or os.urandom(16).hex()
    line = f"--{boundary}\r\n".encode("ascii")
    parts: list[bytes | Body] = []
    for name, value in form_pairs(fields, "data") if fields is not None else ():
        head = _head(_utf8(name), None, None, {})
        parts += (line + head, value if isinstance(value, bytes) else text_bytes(value, "data"), b"\r\n")
    for name, file in _each_file(files):
        filename, content, content_type, headers = _file(name, file)
        parts += (line + _head(name, filename, content_type, headers), content, b"\r\n")
    parts.append(f"--{boundary}--\r\n".encode("ascii"))
    content_type = f"multipart/form-data; boundary={boundary}"
    in_memory = [part for part in parts if isinstance(part, bytes)]
    if len(in_memory) == len(parts):
        return b"".join(in_memory), content_type
    return JoinedBody(parts), content_type


def _each_file(files: Any) -> Iterator[tuple[str, Any]]:
    """(field name, file) from a mapping or pairs; a list of files repeats the name."""
    for item in each_item(files, "files"):
        name, file = split_pair(item, "files")
        if file is None:
            continue
        if _is_list(file):
            for one in file:
                yield _utf8(name), one
        else:
            yield _utf8(name), file


def _file(name: str, file: Any) -> tuple[str | None, bytes | Body, str | None, dict[str, str]]:
    """requests' four forms: content; (filename, content); with a content type; with headers of the part."""
    headers: dict[str, str] = {}
    content_type: str | None = None
    if _is_tuple(file):
        rest: list[Any] = list(file)
        if not 2 <= len(rest) <= 4:
            raise ValueError(f"files[{name!r}] must be content or (filename, content[, type[, headers]])")
        filename, content = rest[0], rest[1]
        if filename is not None and not isinstance(filename, (str, bytes)):
            raise TypeError(f"files[{name!r}]: the file name must be text or None, not {type(filename).__name__}")
        if len(rest) > 2:
            given: Any = rest[2]
            if given is not None and not isinstance(given, str):
                raise TypeError(f"files[{name!r}]: the content type must be str, not {type(given).__name__}")
            content_type = given
        if len(rest) > 3:
            headers = _headers_of(name, rest[3])
    else:
        content = file
        filename = _name_of(file) or name
    if filename is not None:
        filename = _utf8(filename)
        if content_type is None:
            content_type = _guess_type(filename)
    return filename, _content(name, content), content_type, headers


def _headers_of(name: str, given: Any) -> dict[str, str]:
    headers: dict[Any, Any] = dict(each_item(given or {}, f"files[{name!r}]: the headers of a part"))
    for key, value in headers.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise TypeError(f"files[{name!r}]: the headers of a part must be str, not {key!r}: {value!r}")
    return headers


def _content(name: str, content: Any) -> bytes | Body:
    whole = as_bytes(content, f"files[{name!r}]")
    if whole is not None:
        return whole
    if isinstance(content, io.BytesIO):
        return content.getvalue()[content.tell() :]
    if hasattr(content, "read"):
        return FileBody(content)
    if isinstance(content, AsyncBody) or hasattr(content, "__aiter__"):
        raise TypeError(f"files[{name!r}]: async files are not supported in forms; pass a binary file or bytes")
    raise TypeError(f"files[{name!r}] must be bytes, str or a binary file, not {type(content).__name__}")


# apart, because type checkers forget Any after isinstance


def _is_tuple(value: object) -> bool:
    return isinstance(value, tuple)


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def _name_of(file: Any) -> str | None:
    """The file's own name without its folder, unless it is none (``<stdin>``, a descriptor)."""
    name = getattr(file, "name", None)
    if isinstance(name, (str, bytes)) and name and name[0] not in ("<", ord("<")):
        return os.path.basename(os.fsdecode(name)) or None
    return None


def _guess_type(filename: str) -> str:
    import mimetypes

    return mimetypes.guess_type(filename)[0] or "application/octet-stream"


def _utf8(value: Any) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def _quoted(what: str, value: str) -> str:
    """A parameter of Content-Disposition as browsers write it (WHATWG HTML, multipart/form-data encoding)."""
    _check(what, value)
    return value.replace('"', "%22")


def _check(what: str, value: str) -> str:
    """Line breaks would let a caller's data write headers of its own."""
    for character in value:
        if (character < " " and character != "\t") or character == "\x7f":
            raise InvalidHeader(f"{what} of a form part holds a control character: {value!r}")
    return value


def _head(name: str, filename: str | None, content_type: str | None, headers: dict[str, str]) -> bytes:
    given = {key.lower() for key in headers}
    lines: list[str] = []
    if "content-disposition" not in given:
        disposition = f'Content-Disposition: form-data; name="{_quoted("the name", name)}"'
        if filename is not None:
            disposition += f'; filename="{_quoted("the file name", filename)}"'
        lines.append(disposition)
    if content_type is not None and "content-type" not in given:
        lines.append(f"Content-Type: {_check('the content type', content_type)}")
    for key, value in headers.items():
        if ":" in _check("a header name", key) or not key or " " in key:
            raise InvalidHeader(f"invalid header name of a form part: {key!r}")
        lines.append(f"{key}: {_check('a header', value)}")
    return text_bytes("\r\n".join(lines) + "\r\n\r\n", "the name or a header of a form part")
