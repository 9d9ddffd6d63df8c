"""Bodies and queries from data=, files= and params=: part of ``requests.models``."""

from __future__ import annotations

from typing import Any, cast

from .compat import basestring, str, urlencode, urlsplit
from .packages.urllib3.fields import RequestField
from .packages.urllib3.filepost import encode_multipart_formdata
from .utils import guess_filename, to_key_val_list

__all__ = ["RequestEncodingMixin", "RequestHooksMixin"]


def _several(value: Any) -> Any:
    return [value] if isinstance(value, basestring) or not hasattr(value, "__iter__") else value


def _raw(value: Any) -> Any:
    return value.encode("utf-8") if isinstance(value, str) else value


class RequestEncodingMixin:
    """Forms and queries, and the path of a URL."""

    url: Any

    @property
    def path_url(self) -> str:
        """Path and query, as they stand in the first line of the request."""
        parts = urlsplit(self.url)
        return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    @staticmethod
    def _encode_params(data: Any) -> Any:
        """A query or form from a mapping or pairs; text, bytes and files stay as they are."""
        if isinstance(data, basestring) or hasattr(data, "read") or not hasattr(data, "__iter__"):
            return data
        pairs = [
            (_raw(name), _raw(value))
            for name, values in to_key_val_list(data) or ()
            for value in _several(values)
            if value is not None
        ]
        return urlencode(pairs, doseq=True)

    @staticmethod
    def _encode_files(files: Any, data: Any) -> tuple[bytes, str]:
        """A multipart form and its Content-Type."""
        if not files:
            raise ValueError("Files must be provided.")
        if isinstance(data, basestring):
            raise ValueError("Data must not be a string.")
        parts: list[Any] = []
        for name, values in to_key_val_list(data or {}) or ():
            for value in _several(values):
                if value is None:
                    continue
                key = name.decode("utf-8") if isinstance(name, bytes) else name
                parts.append((key, _raw(value if isinstance(value, bytes) else str(value))))
        for name, file in to_key_val_list(files or {}) or ():
            part = RequestEncodingMixin._file_part(name, file)
            if part is not None:
                parts.append(part)
        return encode_multipart_formdata(parts)

    @staticmethod
    def _file_part(name: Any, file: Any) -> RequestField | None:
        content_type = headers = None
        if isinstance(file, (tuple, list)):
            filename, content, *rest = file  # pyright: ignore[reportUnknownVariableType]
            content_type = rest[0] if rest else None  # pyright: ignore[reportUnknownVariableType]
            headers = rest[1] if len(rest) > 1 else None  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType]
        else:
            filename, content = guess_filename(file) or name, file
        if isinstance(content, (str, bytes, bytearray)):
            data: Any = content
        elif hasattr(content, "read"):  # pyright: ignore[reportUnknownArgumentType]
            data = cast("Any", content).read()
        elif content is None:
            return None
        else:
            data = content  # pyright: ignore[reportUnknownVariableType]
        part = RequestField(name=name, data=data, filename=filename, headers=headers)  # pyright: ignore[reportUnknownArgumentType]
        part.make_multipart(content_type=content_type)  # pyright: ignore[reportUnknownArgumentType]
        return part


class RequestHooksMixin:
    """Hooks that can be registered."""

    hooks: dict[str, list[Any]]

    def register_hook(self, event: str, hook: Any) -> None:
        """Adds one callable, or several."""
        if event not in self.hooks:
            raise ValueError(f'Unsupported event specified, with event name "{event}"')
        if callable(hook):
            self.hooks[event].append(hook)
        elif hasattr(hook, "__iter__"):
            self.hooks[event].extend(one for one in hook if callable(one))

    def deregister_hook(self, event: str, hook: Any) -> bool:
        """Removes a hook; False if it was not there."""
        if hook not in self.hooks[event]:
            return False
        self.hooks[event].remove(hook)
        return True
