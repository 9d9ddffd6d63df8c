"""From the options of a call to what goes on the wire.

The engine sends plain calls (``session.get(url, headers={...}, timeout=5)``) without coming here. For everything else
it calls `prepare` once, before any I/O, and gets the URL, the complete headers, the body and this request's own
cookies. Whatever is wrong with the arguments is a ValueError or TypeError from here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pabal import _engine
from pabal._body import AsyncBody, Body, as_body, text_bytes
from pabal._engine import Cookie, CookieJar
from pabal.exceptions import InvalidArgument, InvalidHeader, InvalidURL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, Protocol, TypeAlias

    class SessionLike(Protocol):
        """What `prepare` needs of a session."""

        @property
        def headers(self) -> Any: ...
        @property
        def params(self) -> Any: ...
        @property
        def auth(self) -> Any: ...

    Lines: TypeAlias = "list[tuple[bytes, bytes]]"
    Applied: TypeAlias = "_engine.DigestAuth | _engine.PlacedAuth | None"
    Prepared: TypeAlias = "tuple[str, Lines, bytes | Body | AsyncBody | None, int | None, Lines | None, Applied]"

__all__ = ["prepare"]


def prepare(
    session: SessionLike, method: str, url: object, options: Mapping[str, Any], is_async: bool
) -> Prepared | Callable[[], Any]:
    """(url, headers, body, body size, cookies, credentials for the engine); see the module and the binding of sessions.
    With an auth flow, what runs it.

    ``headers`` are complete but for what only the engine can know (Host, framing, Cookie). The size is None when it is
    not known in advance. ``options`` that concern the transfer (timeout, verify, …) are not looked at.
    """
    text = url_text(url)
    base = getattr(session, "base_url", None)
    if base is not None:
        from pabal._engine import join_url

        text = join_url(base, text)
    params, session_params = options.get("params"), session.params
    if params is not None or session_params:
        from pabal._forms import add_params

        text = add_params(text, session_params or None, params)

    body, content_type = encode_body(options)
    headers = merge_headers(session.headers.items(), options.get("headers"))
    if content_type is not None and not any(name.lower() == b"content-type" for name, _ in headers):
        headers.append((b"Content-Type", content_type.encode("latin-1")))

    compressed, trailers = options.get("compress"), options.get("trailers")
    if compressed is not None or trailers is not None:
        from pabal import _upload

        if compressed is not None:
            body = _upload.compress(body, compressed, headers)
        if trailers is not None:
            if body is None:
                raise InvalidArgument("trailers= follow a body, and this request has none")
            body = _upload.follow(body, trailers, headers)

    auth = options.get("auth")
    if auth is None:
        auth = session.auth
    applied: Applied = None
    if hasattr(auth, "items"):
        from pabal.auth import by_place

        auth, applied = by_place(dict(auth), text)
    elif isinstance(auth, _engine.DigestAuth):
        auth, applied = None, auth
    if auth is not None:
        if any(hasattr(auth, name) for name in ("auth_flow", "sync_auth_flow", "async_auth_flow")):
            return auth_flow(session, auth, method, text, headers, body, options, is_async)
        text, headers, body = authorize(auth, method, text, headers, body)

    if isinstance(body, AsyncBody) and not is_async:
        raise InvalidArgument("an async iterable cannot be the body of a sync request; use AsyncSession")
    cookies = options.get("cookies")
    size = len(body) if isinstance(body, bytes) else 0 if body is None else body.size
    return text, headers, body, size, None if cookies is None else cookie_lines(cookies, text), applied


def url_text(url: object, what: str = "a URL") -> str:
    """The URL as text; objects of other libraries are asked for theirs. ``what`` is named in errors."""
    if isinstance(url, str):
        return url
    if isinstance(url, (bytes, bytearray)):
        try:
            return url.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InvalidURL(f"{what} in bytes must be UTF-8: {error}") from None
    if url is None or isinstance(url, (int, float, list, tuple, dict, set)):
        raise InvalidURL(f"{what} must be text, not {url!r}")
    return str(url)


# --- body -------------------------------------------------------------------------------------------------------------


def encode_body(options: Mapping[str, Any]) -> tuple[bytes | Body | AsyncBody | None, str | None]:
    """The body and the Content-Type it asks for, from data=, json=, content= and files=."""
    data, json, content, files = (options.get(name) for name in ("data", "json", "content", "files"))
    if not data and isinstance(data, (dict, list, tuple, str, bytes)):  # as in requests: empty is not given
        data = None
    if not files and not hasattr(files, "read"):
        files = None
    given = [n for n, v in (("data", data), ("json", json), ("content", content), ("files", files)) if v is not None]
    if len(given) > 1 and given != ["data", "files"]:
        raise InvalidArgument(f"a request has one body, but it was given as {' and as '.join(n + '=' for n in given)}")
    if files is not None:
        from pabal._multipart import encode_multipart

        if data is not None and (isinstance(data, (str, bytes)) or not hasattr(data, "__iter__")):
            raise InvalidArgument("data= must be a mapping or pairs when files= is given: both go into one form")
        return encode_multipart(data, files)
    if json is not None:
        return encode_json(json), "application/json"
    if content is not None:
        return as_body(content, "content"), None
    if data is None:
        return None, None
    if is_form(data):
        from pabal._forms import encode_form

        return encode_form(data).encode("ascii"), "application/x-www-form-urlencoded"
    return as_body(data, "data"), None


def is_form(data: Any) -> bool:
    """Mappings and lists of pairs are forms, as in requests; other iterables are streams."""
    return hasattr(data, "items") or isinstance(data, (list, tuple))


def encode_json(value: Any) -> bytes:
    """Compact UTF-8; NaN and infinities are refused, for they are not JSON (RFC 8259 section 6)."""
    import json

    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError as error:
        raise InvalidArgument(f"json= cannot be written as JSON: {error}") from error
    except TypeError as error:
        raise TypeError(f"json= cannot be written as JSON: {error}") from error
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:  # lone surrogates have no UTF-8, but JSON can escape them
        return json.dumps(value, allow_nan=False, separators=(",", ":")).encode("ascii")


# --- headers ----------------------------------------------------------------------------------------------------------


def merge_headers(base: Iterable[tuple[str, str]], own: Any) -> Lines:
    """The session's headers, each name replaced by the request's own, None taking it away."""
    lines: Lines = []
    replaced: set[bytes] = set()
    if own is not None:
        from pabal._forms import each_item, split_pair

        for name, value in (split_pair(item, "headers") for item in each_item(own, "headers")):
            raw = header_bytes(name, "name")
            replaced.add(raw.lower())
            if value is not None:
                lines.append((raw, header_bytes(value, f"value of {name!r}")))
    merged = [(header_bytes(name, "name"), header_bytes(value, "value")) for name, value in base]
    if replaced:
        merged = [line for line in merged if line[0].lower() not in replaced]
    return merged + lines


def header_bytes(value: Any, what: str) -> bytes:
    """Text is sent as Latin-1, what RFC 9110 section 5.5 leaves to it; the engine checks the bytes."""
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise InvalidHeader(f"a header {what} must be str or bytes, not {type(value).__name__}")
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        raise InvalidHeader(f"a header {what} holds characters beyond Latin-1; pass bytes to send others") from None


# --- auth -------------------------------------------------------------------------------------------------------------


def authorize(
    auth: Any, method: str, url: str, headers: Lines, body: bytes | Body | AsyncBody | None
) -> tuple[str, Lines, bytes | Body | AsyncBody | None]:
    """Applies ``auth=``: a pair is basic authentication, a callable gets the request to change."""
    if isinstance(auth, (tuple, list)):
        pair: list[Any] = list(auth)  # pyright: ignore[reportUnknownArgumentType]
        if len(pair) != 2:
            raise InvalidArgument("auth= as a tuple is (user, password)")
        from pabal.auth import basic_credentials

        value = basic_credentials(pair[0], pair[1]).encode("ascii")
        headers = [line for line in headers if line[0].lower() != b"authorization"]
        headers.append((b"Authorization", value))
        return url, headers, body
    if not callable(auth):
        raise InvalidArgument(
            f"auth= must be (user, password), a DigestAuth, a callable, an auth flow or a mapping of hosts to them, "
            f"not {type(auth).__name__}"
        )
    apply: Any = auth
    from pabal._request import Request

    request = Request(method, url, headers, body)
    changed: Any = apply(request)
    if changed is None:
        changed = request
    new_body: Any = changed.body
    if new_body is not None and not isinstance(new_body, (bytes, Body, AsyncBody)):
        new_body = as_body(new_body, "the body set by auth")
    return str(changed.url), list(changed.headers.raw), new_body


def auth_flow(
    session: SessionLike,
    auth: Any,
    method: str,
    url: str,
    headers: Lines,
    body: bytes | Body | AsyncBody | None,
    options: Mapping[str, Any],
    is_async: bool,
) -> Callable[[], Any]:
    """What runs an auth flow and answers with its last response."""
    from pabal._auth_flow import PendingFlow, run_async, run_sync
    from pabal._request import Request

    request = Request(method, url, headers, body)
    if is_async:
        return lambda: PendingFlow(lambda: run_async(session, auth, request, options))
    return lambda: run_sync(session, auth, request, options)


# --- cookies ----------------------------------------------------------------------------------------------------------


def cookie_lines(cookies: Any, url: str) -> Lines:
    """This request's own cookies. From a jar only those that the jar would send to the URL are taken."""
    if isinstance(cookies, (str, bytes)):
        raise TypeError("cookies= takes a mapping, pairs or a jar; the text of a header goes to headers=")
    if isinstance(cookies, CookieJar):
        return _lines_of_jar(cookies, url)
    if hasattr(cookies, "clear_session_cookies"):  # http.cookiejar's, and that of requests
        return _lines_of_jar(CookieJar(cookies), url)
    from pabal._forms import each_item, split_pair

    given = list(each_item(cookies, "cookies"))
    if given and isinstance(given[0], Cookie):
        return _lines_of_jar(CookieJar(given), url)
    pairs = (split_pair(each, "cookies") for each in given)
    return [(cookie_bytes(name, "name"), cookie_bytes(value, "value")) for name, value in pairs if value is not None]


def _lines_of_jar(jar: CookieJar, url: str) -> Lines:
    def raw(text: str) -> bytes:
        return text.encode("utf-8", "surrogateescape")

    return [(raw(each.name), raw(each.value)) for each in jar.cookies_for(url)]


def cookie_bytes(value: Any, what: str) -> bytes:
    """What could end the cookie, or the header, is refused (RFC 6265 section 4.1.1)."""
    if isinstance(value, bool) or not isinstance(value, (str, bytes) if what == "name" else (str, bytes, int, float)):
        raise TypeError(f"a cookie's {what} must be str, not {type(value).__name__}")
    raw = value if isinstance(value, bytes) else text_bytes(str(value), f"a cookie's {what}")
    if b";" in raw or any(byte < 0x20 or byte == 0x7F for byte in raw) or (what == "name" and (b"=" in raw or not raw)):
        raise InvalidHeader(
            f"a cookie's {what} must not be empty or hold ';', '=' or control characters: {raw!r}"
            if what == "name"
            else f"a cookie's value must not hold ';' or control characters: {raw!r}"
        )
    return raw
