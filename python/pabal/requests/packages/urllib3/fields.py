"""``RequestField``: one part of a multipart form."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from typing import Any, cast

__all__ = ["RequestField", "format_multipart_header_param", "guess_content_type"]

_ESCAPES = str.maketrans({'"': "%22", "\n": "%0A", "\r": "%0D"})


def guess_content_type(filename: str | None, default: str = "application/octet-stream") -> str:
    """The media type that the name's ending stands for."""
    return (mimetypes.guess_type(filename)[0] if filename else None) or default


def format_multipart_header_param(name: str, value: str | bytes) -> str:
    """``name="value"``, with quotes and line ends percent-encoded as browsers do."""
    text = value.decode("utf-8") if isinstance(value, bytes) else value
    return f'{name}="{text.translate(_ESCAPES)}"'


class RequestField:
    """Name, content, file name and headers of a part."""

    headers: dict[str, str | None]

    def __init__(
        self,
        name: str,
        data: Any,
        filename: str | None = None,
        headers: Mapping[str, str] | None = None,
        header_formatter: Any = None,
    ) -> None:
        self._name = name
        self._filename = filename
        self.data = data
        self.headers = dict(headers) if headers else {}
        self.header_formatter = header_formatter or format_multipart_header_param

    @classmethod
    def from_tuples(cls, fieldname: str, value: Any, header_formatter: Any = None) -> RequestField:
        """From content, or (file name, content[, content type])."""
        filename: Any = None
        content_type: Any = None
        data = value
        if isinstance(value, tuple):
            filename, data, *rest = value  # pyright: ignore[reportUnknownVariableType]
            content_type = cast("Any", rest[0] if rest else guess_content_type(filename))  # pyright: ignore[reportUnknownArgumentType]
        made = cls(fieldname, data, filename=filename, header_formatter=header_formatter)  # pyright: ignore[reportUnknownArgumentType]
        made.make_multipart(content_type=content_type)  # pyright: ignore[reportUnknownArgumentType]
        return made

    def render_headers(self) -> str:
        """The part's head, with the empty line after it."""
        first = ("Content-Disposition", "Content-Type", "Content-Location")
        lines = [f"{name}: {self.headers[name]}" for name in first if self.headers.get(name)]
        lines += [f"{name}: {value}" for name, value in self.headers.items() if name not in first and value]
        if any("\r" in line or "\n" in line for line in lines):
            raise ValueError(f"a header of the form's part {self._name!r} holds a line break")
        return "\r\n".join([*lines, "\r\n"])

    def make_multipart(
        self,
        content_disposition: str | None = None,
        content_type: str | None = None,
        content_location: str | None = None,
    ) -> None:
        """Makes the headers of a form's part."""
        disposition = content_disposition or "form-data"
        for name, value in (("name", self._name), ("filename", self._filename)):
            if value is not None:
                disposition += "; " + self.header_formatter(name, value)
        self.headers["Content-Disposition"] = disposition
        self.headers["Content-Type"] = content_type
        self.headers["Content-Location"] = content_location
