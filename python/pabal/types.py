"""The types of what callers may pass; for annotations, also in code that uses pabal.

Everything here is an alias or a protocol: inputs are read-only views (``Mapping``, ``Sequence``, ``Iterable``), so that
``dict[str, int]`` and friends fit. pabal itself imports this module only for type checkers.
"""

from __future__ import annotations

import http.cookiejar
import os
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    Awaitable,
    Callable,
    Collection,
    Generator,
    Iterable,
    Mapping,
    Sequence,
)
from typing import IO, Any, Literal, Protocol, TypeAlias, TypedDict, TypeVar

from pabal._engine import Cookie, CookieJar, DigestAuth, Headers, RateLimiter
from pabal._request import Request
from pabal.config import Limits, Proxy, Timeout
from pabal.exceptions import PabalError
from pabal.priority import Priority
from pabal.response import Response
from pabal.retry import Retry
from pabal.trace import Trace

__all__ = [
    "HTTP",
    "AsyncAuthFlow",
    "AsyncHooks",
    "AsyncReadable",
    "Auth",
    "AuthFlow",
    "Cert",
    "CommonOptions",
    "Compress",
    "CongestionControl",
    "Content",
    "Cookies",
    "Data",
    "EncryptedClientHello",
    "ErrorHook",
    "File",
    "FileContent",
    "Files",
    "HeaderInput",
    "Hooks",
    "Json",
    "Limits",
    "Params",
    "Progress",
    "Proxies",
    "Proxy",
    "ProxyInput",
    "RateLimit",
    "Readable",
    "RequestHook",
    "RequestOptions",
    "ResponseHook",
    "RetriesInput",
    "Retry",
    "StreamOptions",
    "SyncAuthFlow",
    "TimeoutInput",
    "TraceHook",
    "Trailers",
    "UrlInput",
    "Verify",
]


class HasStr(Protocol):
    """URL objects of other libraries (yarl, httpx, …), understood through ``str()``."""

    def __str__(self) -> str: ...


#: A URL: str, bytes, or an object whose ``str()`` is one.
UrlInput: TypeAlias = str | bytes | HasStr

#: One value of a query or a form.
Primitive: TypeAlias = str | bytes | int | float | None
FormValue: TypeAlias = Primitive | Iterable[Primitive]
#: ``params=``: a mapping or pairs (None leaves the name out, a list repeats it); str and bytes are taken verbatim.
Params: TypeAlias = (
    Mapping[str, FormValue] | Mapping[bytes, FormValue] | Iterable[tuple[str | bytes, FormValue]] | str | bytes
)

#: ``headers=``: a None value removes a header of the session for this request.
HeaderInput: TypeAlias = (
    Headers
    | Mapping[str, str | bytes | None]
    | Mapping[str, str]
    | Mapping[bytes, bytes]
    | Iterable[tuple[str | bytes, str | bytes | None]]
)

#: ``cookies=``: a jar (a session shares it, so that others may look into it), or cookies to fill one with.
Cookies: TypeAlias = (
    CookieJar | Mapping[str, str] | Iterable[tuple[str, str]] | Iterable[Cookie] | http.cookiejar.CookieJar
)


class Readable(Protocol):
    """A binary file, as far as pabal needs one."""

    def read(self, size: int = ..., /) -> bytes: ...


class AsyncReadable(Protocol):
    """A binary file whose ``read`` is awaited."""

    async def read(self, size: int = ..., /) -> bytes: ...


#: ``content=``: bytes as they are, or a stream of them; the async ones with an `AsyncSession` only.
Content: TypeAlias = (
    bytes | bytearray | memoryview | str | IO[bytes] | Readable | AsyncReadable | Iterable[bytes] | AsyncIterable[bytes]
)
#: ``data=``: a form (mapping or pairs), or content.
Data: TypeAlias = (
    Mapping[str, FormValue] | Mapping[bytes, FormValue] | Sequence[tuple[str | bytes, FormValue]] | Content
)
#: ``json=``: whatever ``json.dumps`` takes.
Json: TypeAlias = Any

FileContent: TypeAlias = bytes | bytearray | memoryview | str | IO[bytes] | IO[str] | Readable
#: One file: its content; or (filename, content[, content type[, headers of the part]]).
File: TypeAlias = (
    FileContent
    | tuple[str | None, FileContent]
    | tuple[str | None, FileContent, str | None]
    | tuple[str | None, FileContent, str | None, Mapping[str, str]]
)
#: ``files=``: field name → file, or → several of them; or pairs.
Files: TypeAlias = Mapping[str, File | list[File]] | Mapping[str, File] | Iterable[tuple[str, File]]


class AuthFlow(Protocol):
    """A generator that is given the request, yields what to send and is sent the responses. The last is the caller's.

    ``requires_request_body = True`` has the body read before, ``requires_response_body = True`` each response's.
    """

    def auth_flow(self, request: Request, /) -> Generator[Request, Response, None]: ...


class SyncAuthFlow(Protocol):
    """An `AuthFlow` of a `Session`; an object may be this and an `AsyncAuthFlow` at once."""

    def sync_auth_flow(self, request: Request, /) -> Generator[Request, Response, None]: ...


class AsyncAuthFlow(Protocol):
    """An `AuthFlow` of an `AsyncSession`."""

    def async_auth_flow(self, request: Request, /) -> AsyncGenerator[Request, Response]: ...


OneAuth: TypeAlias = (
    tuple[str | bytes, str | bytes]
    | DigestAuth
    | Callable[[Request], Request | None]
    | AuthFlow
    | SyncAuthFlow
    | AsyncAuthFlow
)
#: ``auth=``: (user, password), a DigestAuth, a callable that changes the request before it is sent, or an auth flow; or
#: a mapping of places ("host", "host:port", "https://host") to such, of which the most specific counts. A redirect to
#: another host is looked up in the mapping again; callables and flows are for the host that is asked first.
Auth: TypeAlias = OneAuth | Mapping[str, OneAuth]

#: ``rate_limit=``: a TokenBucket or a LeakyBucket for all; or a mapping of places, as for ``auth=``, to such.
RateLimit: TypeAlias = RateLimiter | Mapping[str, RateLimiter]

#: ``trailers=``: fields to send after the body (RFC 9110 section 6.5). Functions are called when the body was read.
TrailerValue: TypeAlias = str | bytes | Callable[[], str | bytes]
TrailerPairs: TypeAlias = Mapping[str, TrailerValue] | Mapping[str, str] | Iterable[tuple[str | bytes, TrailerValue]]
Trailers: TypeAlias = TrailerPairs | Callable[[], TrailerPairs]

#: ``encrypted_client_hello=``: when the beginning of a TLS handshake is hidden from the path.
EncryptedClientHello: TypeAlias = Literal["never", "when_offered", "required"]
#: ``congestion_control=`` of a `pabal.Quic`.
CongestionControl: TypeAlias = Literal["cubic", "bbr", "reno"]
#: ``http=``: the version of HTTP that is spoken, or those that may be.
HTTP: TypeAlias = Literal["1.1", "2", "3"] | Collection[Literal["1.1", "2", "3"]]

#: ``compress=``: the content coding in which the body is sent.
Compress: TypeAlias = Literal["gzip", "deflate", "br", "zstd"]

#: ``timeout=``: the total in seconds; (connect, read); a Timeout; None for no limits at all.
TimeoutInput: TypeAlias = float | tuple[float | None, float | None] | Timeout | None
#: ``retries=``: how often, or a Retry; None for what the session says.
RetriesInput: TypeAlias = int | Retry | None
#: ``priority=``: an urgency from 0 to 7, or a Priority; None for none.
PriorityInput: TypeAlias = int | Priority | None
#: ``verify=``: False accepts any certificate; a path names a PEM bundle, or a folder of certificates, to trust instead
#: of the system's.
Verify: TypeAlias = bool | str | os.PathLike[str]
#: ``cert=``: PEM file with certificate and key, or (certificate, key), or (certificate, key, password).
Cert: TypeAlias = str | tuple[str, str] | tuple[str, str, str]

#: ``proxy=``: the proxy for everything, as a URL or a `pabal.Proxy`.
ProxyInput: TypeAlias = str | Proxy
#: ``proxies=``, as in requests: which proxy for what. The keys are ``"http"``, ``"https"`` and ``"all"``, alone or with
#: a host (``"https://example.com"``) and a port; the most specific one counts, and None means no proxy. ``"no_proxy"``
#: lists what goes direct: names, addresses, CIDR blocks.
Proxies: TypeAlias = Mapping[str, str | None] | Mapping[str, Proxy] | Mapping[str, str | Proxy | None]


_F = TypeVar("_F")
OneOrMore: TypeAlias = _F | Sequence[_F]

RequestHook: TypeAlias = Callable[[Request], Request | None]
ResponseHook: TypeAlias = Callable[[Response], Response | None]
ErrorHook: TypeAlias = Callable[[PabalError], object]
TraceHook: TypeAlias = Callable[[Trace], object]


class Hooks(TypedDict, total=False):
    """``hooks=`` of a `Session`: for each event a function or a list of them."""

    request: OneOrMore[RequestHook]
    response: OneOrMore[ResponseHook]
    error: OneOrMore[ErrorHook]
    trace: OneOrMore[TraceHook]


class AsyncHooks(TypedDict, total=False):
    """``hooks=`` of an `AsyncSession`: plain functions and coroutine functions."""

    request: OneOrMore[RequestHook | Callable[[Request], Awaitable[Request | None]]]
    response: OneOrMore[ResponseHook | Callable[[Response], Awaitable[Response | None]]]
    error: OneOrMore[ErrorHook | Callable[[PabalError], Awaitable[object]]]
    trace: OneOrMore[TraceHook | Callable[[Trace], Awaitable[object]]]


#: ``progress=`` and ``upload_progress=``: called with (done, total), ten times a second at most; total may be unknown.
Progress: TypeAlias = Callable[[int, int | None], object]


class CommonOptions(TypedDict, total=False):
    """The keyword arguments that every way to send requests has."""

    params: Params | None
    headers: HeaderInput | None
    cookies: Cookies | None
    data: Data | None
    json: Json
    content: Content | None
    files: Files | None
    auth: Auth | None
    timeout: TimeoutInput
    allow_redirects: bool
    max_redirects: int | None
    verify: Verify
    cert: Cert | None
    proxy: ProxyInput | None
    proxies: Proxies | None
    retries: RetriesInput
    hooks: Hooks | AsyncHooks | None
    upload_progress: Progress | None
    max_body: int | None  #: bytes of the response's body at most, decompressed; kept or streamed
    compress: Compress | None
    trailers: Trailers | None
    priority: PriorityInput  #: a wish (RFC 9218): from 0, the most urgent, to 7; or a Priority
    expect_continue: bool | float  #: ask before the body is sent, and wait one second, or so many, for the answer


class StreamOptions(CommonOptions, total=False):
    """The keyword arguments of ``session.stream``."""


class RequestOptions(StreamOptions, total=False):
    """The keyword arguments of ``get``, ``post``, ``request`` and the other methods."""

    stream: bool
    progress: Progress | None
