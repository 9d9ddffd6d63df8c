"""``Response``: part of ``requests.models``.

``Response()`` is a plain object. One that the fast path made holds the engine's response aside, and its attributes come
into being when they are first looked at (`_makers`): from then on they are ordinary attributes too.
"""

# Names with an underscore that programs import are part of the face.
# pyright: reportPrivateUsage=false
from __future__ import annotations

import datetime
from collections.abc import Callable, Generator, Iterator
from typing import Any, cast

from ._texts import encoding_of
from .compat import JSONDecodeError
from .compat import json as complexjson
from .cookies import cookiejar_from_dict
from .exceptions import (
    ChunkedEncodingError,
    ConnectionError,
    ContentDecodingError,
    HTTPError,
    StreamConsumedError,
)
from .exceptions import JSONDecodeError as RequestsJSONDecodeError
from .exceptions import SSLError as RequestsSSLError
from .status_codes import codes
from .structures import CaseInsensitiveDict
from .utils import guess_json_utf, iter_slices, parse_header_links, stream_decode_response_unicode

__all__ = ["CONTENT_CHUNK_SIZE", "ITER_CHUNK_SIZE", "REDIRECT_STATI", "Response", "body_failure"]

REDIRECT_STATI = (
    codes.moved,
    codes.found,
    codes.other,
    codes.temporary_redirect,
    codes.permanent_redirect,
)
CONTENT_CHUNK_SIZE = 10 * 1024
ITER_CHUNK_SIZE = 512

_STANDARD_JSON = complexjson.__name__ == "json"


def body_failure(error: BaseException) -> type[Exception] | None:
    """What an error of urllib3's kind, its own or the installed one's, is called when it befalls the body."""
    names = {base.__name__ for base in type(error).__mro__}
    for name, kind in (
        ("ProtocolError", ChunkedEncodingError),
        ("DecodeError", ContentDecodingError),
        ("ReadTimeoutError", ConnectionError),
        ("SSLError", RequestsSSLError),
    ):
        if name in names and "HTTPError" in names:
            return kind
    return None


class Response:
    """The server's answer."""

    __attrs__ = [  # noqa: RUF012
        "_content",
        "status_code",
        "url",
        "headers",
        "history",
        "encoding",
        "reason",
        "cookies",
        "elapsed",
        "request",
    ]

    #: How attributes are made of the engine's response when they are looked at; filled below. (Not annotated: programs
    #: resolve the annotations of this class by the names of ``requests.models``.)
    _makers = cast("dict[str, Callable[[Any, Any], Any]]", {})

    _content: Any
    _content_consumed: bool
    _next: Any
    status_code: Any
    headers: CaseInsensitiveDict[str]
    raw: Any
    url: Any
    encoding: Any
    history: list[Any]
    reason: Any
    cookies: Any
    elapsed: datetime.timedelta
    request: Any
    connection: Any

    def __init__(self) -> None:
        self._content = False
        self._content_consumed = False
        self._next = None
        self.status_code = None
        self.headers = CaseInsensitiveDict()
        self.raw = None
        self.url = None
        self.encoding = None
        self.history = []
        self.reason = None
        self.cookies = cookiejar_from_dict({})
        self.elapsed = datetime.timedelta(0)
        self.request = None

    def __getattr__(self, name: str) -> Any:
        make = self._makers.get(name)
        native = self.__dict__.get("_native")
        if make is None or native is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        value = make(self, native)
        self.__dict__[name] = value
        return value

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *args: object) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        if not self._content_consumed:
            self.content  # noqa: B018
        return {name: getattr(self, name, None) for name in self.__attrs__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._content_consumed = True
        self.raw = None

    def __repr__(self) -> str:
        return f"<Response [{self.status_code}]>"

    def __bool__(self) -> bool:
        return self.ok

    __nonzero__ = __bool__

    def __iter__(self) -> Iterator[bytes]:
        return self.iter_content(128)

    # --- status -------------------------------------------------------------------------------------------------------

    @property
    def ok(self) -> bool:
        """Whether the status is below 400."""
        try:
            self.raise_for_status()
        except HTTPError:
            return False
        return True

    @property
    def is_redirect(self) -> bool:
        """Whether this is a redirect that says where to."""
        return "location" in self.headers and self.status_code in REDIRECT_STATI

    @property
    def is_permanent_redirect(self) -> bool:
        """The same for 301 and 308."""
        return "location" in self.headers and self.status_code in (codes.moved_permanently, codes.permanent_redirect)

    @property
    def next(self) -> Any:
        """The prepared request that follows a redirect, if redirects are not followed."""
        return self._next

    def raise_for_status(self) -> None:
        """Raises ``HTTPError`` for 4xx and 5xx."""
        status = self.status_code
        if not 400 <= status < 600:
            return
        reason = self.reason
        if isinstance(reason, bytes):  # servers write it in whatever they like
            try:
                reason = reason.decode("utf-8")
            except UnicodeDecodeError:
                reason = reason.decode("iso-8859-1")
        kind = "Client" if status < 500 else "Server"
        raise HTTPError(f"{status} {kind} Error: {reason} for url: {self.url}", response=self)

    # --- body ---------------------------------------------------------------------------------------------------------

    @property
    def content(self) -> Any:
        """The whole body as bytes."""
        if self._content is False:
            if self._content_consumed:
                raise RuntimeError("The content for this response was already consumed")
            if self.status_code == 0 or self.raw is None:
                self._content = None
            else:
                self._content = b"".join(self.iter_content(CONTENT_CHUNK_SIZE)) or b""
        self._content_consumed = True
        return self._content

    def iter_content(self, chunk_size: int | None = 1, decode_unicode: bool = False) -> Iterator[Any]:
        """The body in pieces of ``chunk_size`` bytes (None: as it arrives), as text if wanted."""
        if self._content_consumed and isinstance(self._content, bool):
            raise StreamConsumedError
        if chunk_size is not None and not isinstance(chunk_size, int):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"chunk_size must be an int, it is instead a {type(chunk_size)}.")
        pieces = iter_slices(self._content, chunk_size) if self._content_consumed else self._stream(chunk_size)
        return stream_decode_response_unicode(pieces, self) if decode_unicode else pieces

    def _stream(self, chunk_size: int | None) -> Generator[bytes, None, None]:
        if hasattr(self.raw, "stream"):
            try:
                yield from self.raw.stream(chunk_size, decode_content=True)
            except Exception as error:
                kind = body_failure(error)
                if kind is None:
                    raise
                if kind is ConnectionError or kind is RequestsSSLError:
                    raise kind(error, request=self.request) from error
                raise kind(error) from error
        else:
            while piece := self.raw.read(chunk_size):
                yield piece
        self._content_consumed = True

    def iter_lines(
        self, chunk_size: int | None = ITER_CHUNK_SIZE, decode_unicode: bool = False, delimiter: Any = None
    ) -> Iterator[Any]:
        """The body line by line."""
        held: Any = None
        for piece in self.iter_content(chunk_size=chunk_size, decode_unicode=decode_unicode):
            if held is not None:
                piece = held + piece
            lines = piece.split(delimiter) if delimiter else piece.splitlines()
            # What follows the last line end is held back. A piece that ends with one leaves nothing over, which
            # splitlines shows by leaving out, and split by an empty last line.
            held = lines.pop() if lines and lines[-1] and piece and lines[-1][-1] == piece[-1] else None
            yield from lines
        if held is not None:
            yield held

    @property
    def apparent_encoding(self) -> Any:
        """What the content looks like."""
        from .compat import chardet

        return chardet.detect(self.content)["encoding"]

    @property
    def text(self) -> str:
        """The body as text; bytes that are none in its encoding become U+FFFD."""
        content, encoding = self.content, self.encoding
        if not content:
            return ""
        if encoding is None:
            encoding = self.apparent_encoding
        try:
            return str(content, encoding, errors="replace")
        except (LookupError, TypeError):  # no such encoding, or still none: as UTF-8
            return str(content, errors="replace")

    def json(self, **kwargs: Any) -> Any:
        """The body as JSON; keyword arguments go to ``json.loads``."""
        fields = self.__dict__
        native = fields.get("_native")
        if native is not None and not kwargs and _STANDARD_JSON and "_content" not in fields:
            encoding = fields["encoding"] if "encoding" in fields else encoding_of(native.headers.get("content-type"))
            if encoding is None or encoding == "utf-8":
                value = native._plain_json()
                if value is not NotImplemented:
                    return value
        content = self.content
        if not self.encoding and content and len(content) > 3:
            encoding = guess_json_utf(content)
            if encoding is not None:
                try:
                    return complexjson.loads(content.decode(encoding), **kwargs)
                except UnicodeDecodeError:  # not one of the UTFs after all
                    pass
                except JSONDecodeError as error:
                    raise RequestsJSONDecodeError(error.msg, error.doc, error.pos) from error
        try:
            return complexjson.loads(self.text, **kwargs)
        except JSONDecodeError as error:
            raise RequestsJSONDecodeError(error.msg, error.doc, error.pos) from error

    @property
    def links(self) -> dict[str, dict[str, str]]:
        """The links of the Link header, by relation."""
        header = self.headers.get("link")
        return {link.get("rel") or link["url"]: link for link in parse_header_links(header)} if header else {}

    def close(self) -> None:
        """Gives the connection back."""
        if "_native" in self.__dict__ and "raw" not in self.__dict__:
            return  # all of it has arrived
        if not self._content_consumed:
            self.raw.close()
        release = getattr(self.raw, "release_conn", None)
        if release is not None:
            release()


def headers_of(native: Any) -> CaseInsensitiveDict[str]:
    """The engine's headers, repeated lines joined."""
    made: CaseInsensitiveDict[str] = CaseInsensitiveDict()
    store = made._store
    for name, value in native.headers.items():
        key = name.lower()
        before = store.get(key)
        store[key] = (name, value) if before is None else (before[0], f"{before[1]}, {value}")
    return made


def _raw_of(response: Response, native: Any) -> Any:
    from .packages.urllib3.response import HTTPResponse

    return HTTPResponse.of(native, url=response.url, ended=True)


def _cookies_of(response: Response, native: Any) -> Any:
    from .cookies import extract_cookies_to_jar

    jar = cookiejar_from_dict({})
    if "set-cookie" in native.headers:
        extract_cookies_to_jar(jar, response.request, response.raw)
    return jar


def _request_of(response: Response, native: Any) -> Any:
    return response.__dict__["_asked"].prepared()


_makers: dict[str, Callable[[Any, Any], Any]] = {
    "_content": lambda response, native: native.content,
    "_content_consumed": lambda response, native: True,
    "_next": lambda response, native: None,
    "headers": lambda response, native: headers_of(native),
    "raw": _raw_of,
    "url": lambda response, native: response.__dict__["_asked"].url,
    "encoding": lambda response, native: encoding_of(native.headers.get("content-type")),
    "history": lambda response, native: [],
    "reason": lambda response, native: native.reason,
    "cookies": _cookies_of,
    "elapsed": lambda response, native: native.elapsed,
    "request": _request_of,
}
Response._makers = _makers
