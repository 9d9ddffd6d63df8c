"""``Request`` and ``PreparedRequest``: as in requests, with base URLs, other schemes, JSON encoders, async auth."""

from __future__ import annotations

import inspect
import json as _json
from collections.abc import Mapping
from typing import Any

from pabal.requests import _prepared as _shared
from pabal.requests.packages.urllib3.filepost import encode_multipart_formdata

from ._connection_info import ConnectionInfo, TransferProgress
from ._oheaders import Headers
from .auth import AsyncAuthBase, BearerTokenAuth
from .cookies import coerce_to_requests_cookiejar
from .exceptions import InvalidJSONError
from .hooks import default_hooks
from .utils import _parse_content_type_header, merge_base_url, parse_scheme, to_key_val_list

__all__ = ["PreparedRequest", "Request"]


class Request(_shared.Request):
    """What the user wants; ``prepare()`` makes of it what goes over the wire."""

    def __init__(
        self,
        method: str | None = None,
        url: Any = None,
        headers: Any = None,
        files: Any = None,
        data: Any = None,
        params: Any = None,
        auth: Any = None,
        cookies: Any = None,
        hooks: Any = None,
        json: Any = None,
        base_url: str | None = None,
        override_scheme: str | None = None,
    ) -> None:
        super().__init__(method, url, headers, files, data, params, auth, cookies, None, json)
        self.hooks = default_hooks()
        given: Any = hooks or {}
        for event, hook in given.items():
            self.register_hook(event=event, hook=hook)
        self.base_url = base_url
        self.override_scheme = override_scheme

    @property
    def oheaders(self) -> Headers:
        """The headers as objects."""
        return Headers((self.headers or {}).items())

    def prepare(self) -> PreparedRequest:
        """The request as it would be sent."""
        made = PreparedRequest()
        made.prepare(
            method=self.method,
            url=self.url,
            headers=self.headers,
            files=self.files,
            data=self.data,
            json=self.json,
            params=self.params,
            auth=self.auth,
            cookies=self.cookies,
            hooks=self.hooks,
            base_url=self.base_url,
            override_scheme=self.override_scheme,
        )
        return made


class PreparedRequest(_shared.PreparedRequest):
    """Method, URL, headers and body exactly as they are sent."""

    def __init__(self) -> None:
        super().__init__()
        self.hooks = default_hooks()
        self.conn_info: ConnectionInfo | None = None
        self.ocsp_verified: bool | None = None
        self.upload_progress: TransferProgress | None = None
        self._asynchronous_auth: Any = None

    def _empty(self) -> PreparedRequest:
        return PreparedRequest()

    def copy(self) -> PreparedRequest:
        """A copy that can be changed by itself."""
        made: PreparedRequest = super().copy()
        made.conn_info = self.conn_info
        made.ocsp_verified = self.ocsp_verified
        return made

    @property
    def oheaders(self) -> Headers:
        """The headers as objects."""
        return Headers((self.headers or {}).items())

    def prepare(
        self,
        method: Any = None,
        url: Any = None,
        headers: Any = None,
        files: Any = None,
        data: Any = None,
        params: Any = None,
        auth: Any = None,
        cookies: Any = None,
        hooks: Any = None,
        json: Any = None,
        base_url: str | None = None,
        override_scheme: str | None = None,
        json_encoder: Any = None,
    ) -> None:
        """Works everything in. Authentication comes after all else, for it may sign the request."""
        self.prepare_method(method)
        self.prepare_url(url, params, base_url=base_url, override_scheme=override_scheme)
        self.prepare_headers(headers)
        self.prepare_cookies(cookies)
        self.prepare_body(data, files, json, json_encoder)
        self.prepare_auth(auth, url)
        self.prepare_hooks(hooks)

    def prepare_url(
        self, url: Any, params: Any, *, base_url: str | None = None, override_scheme: str | None = None
    ) -> None:
        """As in requests; below ``base_url``, whose scheme ``override_scheme`` may replace; of any scheme with a
        host.
        """
        url = url.decode("utf8") if isinstance(url, bytes) else "" if url is None and base_url else str(url)
        url = url.lstrip()
        if base_url:
            joined = merge_base_url(base_url, url)
            if override_scheme and joined is not url and joined is not None:
                joined = override_scheme + joined[joined.index("://") :]
            url = joined
        scheme, separator, rest = url.partition("://")
        if not separator and ":" in url and not url.lower().startswith("http"):
            parse_scheme(url)  # a host and a port are no scheme
        if not separator or scheme.lower() in ("http", "https") or "/" in scheme or rest.startswith("/"):
            super().prepare_url(url, params)
            if base_url and self.url == f"{url}/":  # absolute, and not below it: left as it is
                self.url = url
            return
        super().prepare_url(f"http://{rest}", params)
        host = rest.partition("/")[0].partition("?")[0]
        self.url = scheme.lower() + self.url[4:]
        if scheme.lower().endswith("+unix"):  # there it is the path of a socket
            self.url = self.url.replace(f"://{host.lower()}", f"://{host}", 1)

    @staticmethod
    def _encode_files(files: Any, data: Any) -> tuple[bytes, str]:
        for _, file in to_key_val_list(files) or ():
            if file is None or isinstance(file, (int, float)):
                raise ValueError(f"a file, its content, or a tuple was expected, not {file!r}")
        return _shared.PreparedRequest._encode_files(files, data)

    def prepare_cookies(self, cookies: Any) -> None:
        """The Cookie header from a jar or a dict."""
        super().prepare_cookies(coerce_to_requests_cookiejar(cookies))

    def prepare_auth(self, auth: Any, url: Any = "") -> None:
        """As in requests. Text is a bearer token; what must be awaited is kept until the request is sent."""
        if isinstance(auth, str):
            auth = BearerTokenAuth(auth)
        if auth is not None and (isinstance(auth, AsyncAuthBase) or _is_async(auth)):
            self._asynchronous_auth = auth
            return
        super().prepare_auth(auth, url)

    # --- body ---------------------------------------------------------------------------------------------------------

    def prepare_body(self, data: Any, files: Any, json: Any = None, json_encoder: Any = None) -> None:
        """From data=, files= and json=; with its headers."""
        if hasattr(data, "__aiter__") or (hasattr(data, "read") and inspect.iscoroutinefunction(data.read)):
            self._prepare_async(data, files)
            return
        content_type = self.headers.get("Content-Type")
        if not data and json is not None:
            self.body = self._json_body(json, json_encoder)
            self.prepare_content_length(self.body)
            if content_type is None:
                self.headers["Content-Type"] = "application/json;charset=utf-8"
            return
        if data and not files and _is_form(data) and _is_multipart(content_type):
            self._prepare_multipart(data, str(content_type))
            return
        super().prepare_body(data, files, None)

    def _json_body(self, value: Any, encoder: Any) -> bytes:
        if encoder is not None:
            made = encoder(value)
            if not isinstance(made, (str, bytes)):
                raise TypeError(f"json_encoder must return str or bytes, not {type(made).__name__}")
        else:
            try:
                made = _json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
            except ValueError as error:
                raise InvalidJSONError(error, request=self) from error
        return made.encode("utf-8") if isinstance(made, str) else made

    def _prepare_async(self, data: Any, files: Any) -> None:
        """Something that is read with ``await`` while it is sent."""
        if files:
            raise NotImplementedError("Streamed bodies and files are mutually exclusive.")
        self.body = data
        if self.headers.get("Content-Length") is None:
            self.headers["Transfer-Encoding"] = "chunked"

    def _prepare_multipart(self, data: Any, content_type: str) -> None:
        """A form that the Content-Type says is to go as multipart."""
        boundary = _parse_content_type_header(content_type)[1].get("boundary")
        pairs = [(name, value) for name, value in to_key_val_list(data) or () if value is not None]
        self.body, kind = encode_multipart_formdata(pairs, boundary if isinstance(boundary, str) else None)
        self.headers["Content-Type"] = kind
        self.prepare_content_length(self.body)


def _is_async(auth: Any) -> bool:
    return inspect.iscoroutinefunction(auth) or inspect.iscoroutinefunction(getattr(auth, "__call__", None))  # noqa: B004


def _is_form(data: Any) -> bool:
    return isinstance(data, (Mapping, list, tuple))


def _is_multipart(content_type: Any) -> bool:
    return isinstance(content_type, str) and content_type.lower().startswith("multipart/form-data")
