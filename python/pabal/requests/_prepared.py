"""``Request`` and ``PreparedRequest``: part of ``requests.models``."""

# Names with an underscore that programs import are part of the face.
# pyright: reportPrivateUsage=false
from __future__ import annotations

import unicodedata
from typing import Any, cast

from ._encoding import RequestEncodingMixin, RequestHooksMixin
from ._internal_utils import to_native_string, unicode_is_ascii
from .auth import HTTPBasicAuth
from .compat import Mapping, basestring, cookielib, urlunparse
from .compat import json as complexjson
from .cookies import _copy_cookie_jar, cookiejar_from_dict, get_cookie_header
from .exceptions import InvalidJSONError, InvalidURL, MissingSchema
from .hooks import default_hooks
from .packages.urllib3._installed import either
from .packages.urllib3._shapes import LocationParseError
from .packages.urllib3.util.url import parse_url
from .structures import CaseInsensitiveDict
from .utils import check_header_validity, get_auth_from_url, requote_uri, super_len

__all__ = ["PreparedRequest", "Request"]


class Request(RequestHooksMixin):
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
    ) -> None:
        self.hooks = default_hooks()
        given: dict[str, Any] = hooks or {}
        for event, hook in given.items():
            self.register_hook(event=event, hook=hook)
        self.method = method
        self.url = url
        self.headers: Any = {} if headers is None else headers
        self.files: Any = [] if files is None else files
        self.data: Any = [] if data is None else data
        self.json = json
        self.params: Any = {} if params is None else params
        self.auth = auth
        self.cookies = cookies

    def __repr__(self) -> str:
        return f"<Request [{self.method}]>"

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
        )
        return made


class PreparedRequest(RequestEncodingMixin, RequestHooksMixin):
    """Method, URL, headers and body exactly as they are sent."""

    def __init__(self) -> None:
        self.method: Any = None
        self.url: Any = None
        self.headers: Any = None
        self._cookies: Any = None
        self.body: Any = None
        self.hooks = default_hooks()
        self._body_position: Any = None

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
    ) -> None:
        """Works everything in. Authentication comes after all else, for it may sign the request."""
        self.prepare_method(method)
        self.prepare_url(url, params)
        self.prepare_headers(headers)
        self.prepare_cookies(cookies)
        self.prepare_body(data, files, json)
        self.prepare_auth(auth, url)
        self.prepare_hooks(hooks)  # an authentication must not remove hooks it has set

    def __repr__(self) -> str:
        return f"<PreparedRequest [{self.method}]>"

    def _empty(self) -> Any:
        return PreparedRequest()

    def copy(self) -> Any:
        """A copy that can be changed by itself."""
        made = self._empty()
        made.method = self.method
        made.url = self.url
        made.headers = None if self.headers is None else self.headers.copy()
        made._cookies = _copy_cookie_jar(self._cookies)
        made.body = self.body
        made.hooks = self.hooks
        made._body_position = self._body_position
        return made

    def prepare_method(self, method: Any) -> None:
        """In upper case."""
        self.method = None if method is None else to_native_string(method.upper())

    @staticmethod
    def _get_idna_encoded_host(host: str) -> str:
        from pabal._engine import host_to_ascii

        # Letters, marks and digits only, as IDNA 2008 has it: the engine, like browsers, would take symbols too.
        if any(character > "\x7f" and unicodedata.category(character)[0] not in "LMNC" for character in host):
            raise UnicodeError(host)
        try:
            return host_to_ascii(host)
        except ValueError:
            raise UnicodeError(host) from None

    def prepare_url(self, url: Any, params: Any) -> None:
        """Checked, escaped, the parameters added; URLs that are not http are left as they are."""
        url = url.decode("utf8") if isinstance(url, bytes) else str(url)
        url = url.lstrip()
        if ":" in url and not url.lower().startswith("http"):
            self.url = url
            return
        try:
            scheme, auth, host, port, path, query, fragment = parse_url(url)
        except either(LocationParseError) as error:
            raise InvalidURL(*error.args) from error
        if not scheme:
            raise MissingSchema(f"Invalid URL {url!r}: No scheme supplied. Perhaps you meant https://{url}?")
        if not host:
            raise InvalidURL(f"Invalid URL {url!r}: No host supplied")
        if not unicode_is_ascii(host):
            try:
                host = self._get_idna_encoded_host(host)
            except UnicodeError:
                raise InvalidURL("URL has an invalid label.") from None
        elif host.startswith(("*", ".")):
            raise InvalidURL("URL has an invalid label.")
        netloc = (f"{auth}@" if auth else "") + host + (f":{port}" if port else "")
        if isinstance(params, basestring):
            params = to_native_string(params)
        added = self._encode_params(params)
        if added:
            query = f"{query}&{added}" if query else added
        self.url = requote_uri(urlunparse((scheme, netloc, path or "/", "", query or "", fragment or "")))

    def prepare_headers(self, headers: Any) -> None:
        """Checked."""
        made: CaseInsensitiveDict[Any] = CaseInsensitiveDict()
        given: Any = headers or {}
        for header in given.items():
            check_header_validity(header)
            name, value = header
            made[to_native_string(name)] = value
        self.headers = made

    def _encode_json(self, value: Any) -> Any:
        return complexjson.dumps(value, allow_nan=False)

    def prepare_body(self, data: Any, files: Any, json: Any = None) -> None:
        """From data=, files= and json=; with its headers."""
        body: Any = None
        content_type: str | None = None
        if not data and json is not None:
            content_type = "application/json"
            try:
                body = self._encode_json(json)
            except ValueError as error:
                raise InvalidJSONError(error, request=self) from error
            if not isinstance(body, bytes):
                body = body.encode("utf-8")
        streamed: bool = hasattr(data, "__iter__") and not isinstance(data, (basestring, list, tuple, Mapping))
        if streamed:
            self._prepare_stream(data, files)  # pyright: ignore[reportUnknownArgumentType]
            return
        if files:
            body, content_type = self._encode_files(files, data)
        elif data:
            body = self._encode_params(data)
            if not isinstance(data, (str, bytes)) and not hasattr(cast("Any", data), "read"):
                content_type = "application/x-www-form-urlencoded"
        self.prepare_content_length(body)
        if content_type and "content-type" not in self.headers:
            self.headers["Content-Type"] = content_type
        self.body = body

    def _prepare_stream(self, data: Any, files: Any) -> None:
        """A file or an iterable: sent as it is read, in chunks unless its length is known."""
        try:
            length = super_len(data)
        except (TypeError, AttributeError, OSError):
            length = 0
        self.body = data
        if getattr(data, "tell", None) is not None:
            try:
                self._body_position = data.tell()
            except OSError:  # told apart from None: rewinding was wanted, and cannot be done
                self._body_position = object()
        if files:
            raise NotImplementedError("Streamed bodies and files are mutually exclusive.")
        if length:
            self.headers["Content-Length"] = str(length)
        else:
            self.headers["Transfer-Encoding"] = "chunked"

    def prepare_content_length(self, body: Any) -> None:
        """Content-Length, if the body has a length; zero for methods that usually have one."""
        if body is not None:
            length = super_len(body)
            if length:
                self.headers["Content-Length"] = str(length)
        elif self.method not in ("GET", "HEAD") and self.headers.get("Content-Length") is None:
            self.headers["Content-Length"] = "0"

    def prepare_auth(self, auth: Any, url: Any = "") -> None:
        """Basic authentication for a pair, or from the URL; a callable may change the request as it likes."""
        if auth is None:
            found = get_auth_from_url(self.url)
            auth = found if any(found) else None
        if not auth:
            return
        if isinstance(auth, tuple) and len(auth) == 2:  # pyright: ignore[reportUnknownArgumentType]
            auth = HTTPBasicAuth(*auth)  # pyright: ignore[reportUnknownArgumentType]
        apply: Any = auth  # pyright: ignore[reportUnknownVariableType]
        changed = apply(self)
        self.__dict__.update(changed.__dict__)
        self.prepare_content_length(self.body)

    def prepare_cookies(self, cookies: Any) -> None:
        """The Cookie header from a jar or a dict. What is there already stays: a request is prepared once."""
        self._cookies = cookies if isinstance(cookies, cookielib.CookieJar) else cookiejar_from_dict(cookies)
        value = get_cookie_header(self._cookies, self)
        if value is not None:
            self.headers["Cookie"] = value

    def prepare_hooks(self, hooks: Any) -> None:
        """Registers them."""
        for event in hooks or ():
            self.register_hook(event, hooks[event])
