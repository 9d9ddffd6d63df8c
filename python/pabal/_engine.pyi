"""The engine, as the C++ module shows it. What is public here is reached through ``pabal``."""

import http.cookiejar
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Generator,
    ItemsView,
    Iterator,
    MutableMapping,
)
from contextvars import Context
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address
from os import PathLike
from types import TracebackType
from typing import Any, TypeVar, overload

from _typeshed import SupportsKeysAndGetItem
from typing_extensions import Unpack

from pabal._body import AsyncBody, Body
from pabal._hooks import Hooks
from pabal._request import Request
from pabal.config import Limits, Proxy, SafeResolver, SafeResolverParts, Timeout
from pabal.cookies import CookiePolicy
from pabal.quic import Quic
from pabal.response import Response as _Response
from pabal.retry import Attempt, Retry
from pabal.types import (
    HTTP,
    Auth,
    Cert,
    Cookies,
    EncryptedClientHello,
    HeaderInput,
    Params,
    Proxies,
    ProxyInput,
    RateLimit,
    RequestOptions,
    RetriesInput,
    StreamOptions,
    TimeoutInput,
    UrlInput,
    Verify,
)

_T = TypeVar("_T")

__version__: str

class Headers(MutableMapping[str, str]):
    """Header fields: an ordered mapping that ignores the case of names and keeps repeated lines.

    ``headers["set-cookie"]`` joins repeats with ", " (RFC 9110 section 5.3); ``get_list`` keeps them apart. Iteration
    gives each name once, as it was first spelled; ``items()`` gives every line. Values are decoded as Latin-1.
    """

    def __init__(self, headers: HeaderInput | None = None) -> None: ...
    def __getitem__(self, name: str, /) -> str: ...
    def __setitem__(self, name: str, value: str | bytes, /) -> None:
        """Replaces all lines of that name by one. ValueError (`InvalidHeader`) for what HTTP forbids."""
    def __delitem__(self, name: str, /) -> None: ...
    def __iter__(self) -> Iterator[str]: ...
    def __len__(self) -> int: ...
    def __contains__(self, name: object, /) -> bool: ...
    def items(self) -> ItemsView[str, str]:
        """Every line, repeats included, in order."""
    def get_list(self, name: str, /) -> list[str]:
        """The values of all lines of that name."""
    def add(self, name: str, value: str | bytes, /) -> None:
        """Appends a line, whatever there is already of that name."""
    def copy(self) -> Headers: ...
    @property
    def raw(self) -> list[tuple[bytes, bytes]]:
        """The lines as bytes, spelled as they came."""

class Cookie:
    """One cookie of a `CookieJar`; it does not change. Cookies are equal when all but ``created`` is.

    Text that is not UTF-8 is shown with surrogate escapes (PEP 383), and so passes unharmed.
    """

    def __init__(
        self,
        name: str,
        value: str | bytes | float,
        *,
        domain: str = "",
        path: str = "/",
        host_only: bool | None = None,
        secure: bool = False,
        http_only: bool = False,
        same_site: str = "",
        expires: float | None = None,
        created: float | None = None,
    ) -> None:
        """ValueError for what could not be sent.

        Without a domain the cookie goes to every host; ``domain=".example.com"`` or ``host_only=False`` includes the
        hosts below.
        """
    @property
    def name(self) -> str: ...
    @property
    def value(self) -> str: ...
    @property
    def domain(self) -> str:
        """Without a leading dot; as A-labels."""
    @property
    def path(self) -> str: ...
    @property
    def secure(self) -> bool: ...
    @property
    def http_only(self) -> bool: ...
    @property
    def host_only(self) -> bool:
        """Set without Domain: sent to this very host only."""
    @property
    def expires(self) -> float | None:
        """Seconds since the epoch; None for a cookie of the session."""
    @property
    def created(self) -> float | None:
        """Seconds since the epoch; None if it was never in a jar."""
    @property
    def same_site(self) -> str:
        """``"Strict"``, ``"Lax"``, ``"None"``, or empty."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

class CookieJar(MutableMapping[str, str]):
    """Cookies as RFC 6265bis keeps them; seen as a mapping, names to values, like requests' jar.

    ``jar["name"]`` is for programs that know where their cookies go: a cookie set so is sent to every host, and of
    several with one name, one is found. ``set``, ``get`` and ``delete`` take domain and path; ``cookies()`` shows all.
    A jar may be used from several threads, and by several sessions, at once.
    """

    def __init__(self, cookies: Cookies | None = None, *, policy: CookiePolicy | None = None) -> None: ...
    @property
    def policy(self) -> CookiePolicy:
        """What is taken and given from now on; None when set: the default one."""
    @policy.setter
    def policy(self, value: CookiePolicy | None) -> None: ...
    def __getitem__(self, name: str, /) -> str: ...
    def __setitem__(self, name: str, value: str, /) -> None: ...
    def __delitem__(self, name: str, /) -> None: ...
    def __iter__(self) -> Iterator[str]: ...
    def __len__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool:
        """Of two jars: whether they hold equal cookies. Of a jar and a mapping: whether names and values agree."""
    def __copy__(self) -> CookieJar: ...
    def __deepcopy__(self, memo: object, /) -> CookieJar: ...
    def set(
        self,
        name: str,
        value: str | bytes | float,
        *,
        domain: str = "",
        path: str = "/",
        secure: bool = False,
        http_only: bool = False,
        same_site: str = "",
        expires: float | None = None,
    ) -> None:
        """Adds a cookie; without a domain it is sent to every host, with ``domain=".example.com"`` also to those below.
        ``expires`` is in seconds since the epoch."""
    def set_cookie(self, cookie: Cookie | http.cookiejar.Cookie, /) -> None:
        """Adds a cookie as it is."""
    @overload
    def get(
        self, name: str, default: None = None, /, *, domain: str | None = None, path: str | None = None
    ) -> str | None: ...
    @overload
    def get(
        self, name: str, default: str | _T, /, *, domain: str | None = None, path: str | None = None
    ) -> str | _T: ...
    def delete(self, name: str, *, domain: str | None = None, path: str | None = None) -> int:
        """Removes the cookies of that name, and of that domain and path if they are given; returns how many."""
    def clear(self, *, domain: str | None = None, where: Callable[[Cookie], object] | None = None) -> None:
        """Removes all; with ``domain`` those of it and of hosts below, with ``where`` those for which it is true."""
    def cookies(self) -> list[Cookie]:
        """All that are held, with their attributes."""
    def cookies_for(self, url: str, /) -> list[Cookie]:
        """Those that would be sent to a URL now, in the order in which they would be."""
    def update(self, other: Cookies | SupportsKeysAndGetItem[str, str] | None = None, /, **more: str) -> None:
        """Adds cookies: of another jar as they are, of a mapping or pairs for every host.

        All of them or, on an error, none.
        """
    def copy(self) -> CookieJar:
        """Another jar with the same cookies and policy."""
    @staticmethod
    def from_cookiejar(jar: http.cookiejar.CookieJar, /) -> CookieJar:
        """A jar with the cookies of one of the standard library (or of requests)."""
    def to_cookiejar(self) -> http.cookiejar.CookieJar:
        """A jar of the standard library with the same cookies; HttpOnly and SameSite are in their ``rest``."""
    def save(self, path: str | PathLike[str], *, session_cookies: bool = False) -> None:
        """Writes the cookies to a JSON file that only its owner can read; those of the session only if asked to.

        The file appears whole, in place of the one before, or not at all.
        """
    @staticmethod
    def load(path: str | PathLike[str], *, policy: CookiePolicy | None = None) -> CookieJar:
        """A jar with the cookies of a file that ``save`` wrote. ValueError, with the place, if it is not one."""

class DigestAuth:
    """RFC 7616: MD5, SHA-256 and SHA-512-256. Answers challenges of the server that was asked, and no other's.

    One object may serve many sessions and threads. A copy, or one that was pickled (with its password in the clear),
    knows nothing of what servers have asked: it is challenged anew.
    """

    def __init__(self, username: str | bytes, password: str | bytes) -> None: ...
    @property
    def username(self) -> str | bytes: ...

class PlacedAuth:
    """Credentials by place, looked up for every host on the way: (user, password), a DigestAuth, a bearer's token or
    None. See `pabal.auth.by_place`."""

    def __init__(self, mapping: dict[str, Any], /) -> None: ...

class RateLimiter:
    """What `TokenBucket` and `LeakyBucket` have in common. May be shared by sessions.

    A copy, or one that was pickled, is a limiter of its own with the same settings, and begins as a new one does.
    """

    @property
    def rate(self) -> float: ...

class TokenBucket(RateLimiter):
    """Up to ``burst`` requests at once, and ``rate`` a second in the long run; others wait, up to ``max_waiting``."""

    def __init__(self, rate: float, burst: int, *, max_waiting: int = 10000) -> None: ...
    @property
    def burst(self) -> int: ...

class LeakyBucket(RateLimiter):
    """Requests evenly spaced, ``rate`` a second; up to ``capacity`` of them wait."""

    def __init__(self, rate: float, capacity: int) -> None: ...
    @property
    def capacity(self) -> int: ...

class Response:
    """What the engine knows of a response; `pabal.Response` is made of it."""

    @property
    def status_code(self) -> int: ...
    @property
    def reason(self) -> str:
        """The reason phrase as the server sent it, perhaps empty."""
    @property
    def http_version(self) -> str:
        """``"1.0"``, ``"1.1"``, ``"2"`` or ``"3"``."""
    @property
    def url(self) -> str:
        """Where the response came from, after redirects."""
    @property
    def headers(self) -> Headers: ...
    @property
    def trailers(self) -> Headers:
        """The fields after the body (RFC 9110 section 6.5). `ResponseNotRead` before a streamed body was read."""
    @property
    def cookies(self) -> CookieJar:
        """The cookies that this response set."""
    @property
    def content(self) -> bytes:
        """The whole body. That of a streamed response is read by this; of an `AsyncSession`, ``aread()`` first."""
    def json(self, **kwargs: Any) -> Any:
        """The body as JSON. Keyword arguments go to ``json.loads``, used then instead of the engine's faster parser."""
    @property
    def elapsed(self) -> timedelta:
        """From sending the request to the arrival of the head."""
    @property
    def history(self) -> list[_Response]:
        """The redirects that led here, oldest first."""
    @property
    def retries(self) -> list[Attempt]:
        """The attempts before the one that led here, oldest first."""
    @property
    def request(self) -> Request:
        """The request that this answers."""
    @property
    def ok(self) -> bool:
        """Whether the status is below 400."""
    @property
    def is_redirect(self) -> bool:
        """Whether this is a redirect with a Location that could be followed."""
    @property
    def is_permanent_redirect(self) -> bool: ...
    @property
    def is_stream_consumed(self) -> bool: ...
    def close(self) -> None:
        """Gives the connection back; what was not read is lost."""
    async def aclose(self) -> None:
        """As ``close``, for an `AsyncSession`."""
    def aiter_bytes(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        """The body in pieces, decoded, of ``chunk_size`` bytes (the last may be shorter), or as it arrives."""

    _encoding: str | None
    @property
    def _informational(self) -> list[tuple[int, Headers]]: ...
    @property
    def _trace_parts(self) -> Any: ...
    @property
    def _next(self) -> tuple[str, str, bool, bool] | None: ...
    def _keep_content(self, data: bytes, /) -> None: ...
    @property
    def _is_read(self) -> bool: ...
    def _read_sync(self, size: int, /) -> bytes: ...
    def _keep_encoded(self) -> bool:
        """A streamed body is read as it came, content codings and all, from now on; False when it is too late."""
    def _plain_json(self) -> Any:
        """What ``json()`` gives; NotImplemented unless the body is in memory and plain UTF-8 JSON."""
    def _aread(self, size: int, /) -> Awaitable[bytes]: ...

class PendingResponse(Coroutine[Any, Any, _Response]):
    """A request of an `AsyncSession`, which starts when it is awaited or handed to the loop, not before.

    It is a coroutine, a future and an async context manager at once: await it, ``gather`` it, give it to
    ``create_task``, a ``TaskGroup``, ``wait_for``, ``shield``, ``as_completed`` or ``asyncio.run``, enter it with
    ``async with``, cancel it.
    """

    def __await__(self) -> Generator[Any, Any, _Response]: ...
    async def __aenter__(self) -> _Response: ...
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None: ...
    def cancel(self, msg: Any = None) -> bool: ...
    def cancelled(self) -> bool: ...
    def done(self) -> bool: ...
    def result(self) -> _Response: ...
    def exception(self) -> BaseException | None: ...
    def add_done_callback(self, callback: Callable[[Any], object], /, *, context: Context | None = None) -> None: ...
    def remove_done_callback(self, callback: Callable[[Any], object], /) -> int: ...
    def send(self, value: Any, /) -> Any: ...
    def throw(self, typ: Any, val: Any = None, tb: Any = None, /) -> Any: ...
    def close(self) -> None: ...

class _BaseSession:
    @property
    def headers(self) -> Headers:
        """Sent with every request."""
    @headers.setter
    def headers(self, value: HeaderInput) -> None: ...
    @property
    def cookies(self) -> CookieJar: ...
    @cookies.setter
    def cookies(self, value: Cookies) -> None: ...
    auth: Auth | None
    params: Params | None
    verify: Verify
    cert: Cert | None
    max_redirects: int
    trust_env: bool
    @property
    def proxies(self) -> dict[str, str | Proxy | None]:
        """The rules; change them as you like, requests that are made afterwards follow."""
    @proxies.setter
    def proxies(self, value: Proxies | None) -> None: ...
    @property
    def retries(self) -> Retry | None:
        """When requests are sent again; None for never."""
    @retries.setter
    def retries(self, value: RetriesInput) -> None: ...
    @property
    def rate_limit(self) -> RateLimit | None:
        """What limits how many requests begin in a time."""
    @property
    def resolver(self) -> SafeResolver | None:
        """What keeps requests away from some networks."""
    @property
    def local_address(self) -> str | None:
        """The address of this machine that connections leave from."""
    @property
    def http(self) -> frozenset[str]:
        """The versions of HTTP that may be spoken."""
    @property
    def encrypted_client_hello(self) -> EncryptedClientHello:
        """Whether the path may read which server is meant."""
    @property
    def early_data(self) -> bool:
        """Whether safe requests over HTTP/3 leave before the handshake is done."""
    @property
    def quic(self) -> Quic | None:
        """How connections over QUIC behave; None for the defaults."""
    @property
    def alternatives_file(self) -> str | None:
        """The absolute path of the file in which what origins say of Alt-Svc outlives the session."""
    @property
    def timeout(self) -> Timeout: ...
    @timeout.setter
    def timeout(self, value: TimeoutInput) -> None: ...
    @property
    def limits(self) -> Limits: ...
    @property
    def base_url(self) -> str | None:
        """What URLs that are not absolute are relative to."""
    @base_url.setter
    def base_url(self, value: UrlInput | None) -> None: ...
    @property
    def _hooks(self) -> Hooks | None: ...
    @_hooks.setter
    def _hooks(self, value: Any) -> None: ...
    def _bulk(self) -> Bulk: ...
    @property
    def is_closed(self) -> bool: ...
    def __init__(
        self,
        *,
        headers: HeaderInput | None = ...,
        params: Params | None = ...,
        cookies: Cookies | None = ...,
        auth: Auth | None = ...,
        verify: Verify = ...,
        cert: Cert | None = ...,
        timeout: TimeoutInput = ...,
        limits: Limits = ...,
        max_redirects: int = ...,
        trust_env: bool = ...,
        base_url: UrlInput | None = ...,
        hooks: Any = ...,
        proxy: ProxyInput | None = ...,
        proxies: Proxies | None = ...,
        retries: RetriesInput = ...,
        rate_limit: RateLimit | None = ...,
        resolver: SafeResolver | None = ...,
        local_address: str | IPv4Address | IPv6Address | None = ...,
        http: HTTP | None = ...,
        encrypted_client_hello: EncryptedClientHello | None = ...,
        early_data: bool | None = ...,
        quic: Quic | None = ...,
        alternatives_file: str | PathLike[str] | None = ...,
    ) -> None: ...

class Session(_BaseSession):
    """The engine's sync session; use `pabal.Session`."""

    def request(self, method: str, url: UrlInput, **options: Unpack[RequestOptions]) -> _Response:
        """Sends a request and returns its response."""
    def get(self, url: UrlInput, **options: Unpack[RequestOptions]) -> _Response: ...
    def post(self, url: UrlInput, **options: Unpack[RequestOptions]) -> _Response: ...
    def put(self, url: UrlInput, **options: Unpack[RequestOptions]) -> _Response: ...
    def patch(self, url: UrlInput, **options: Unpack[RequestOptions]) -> _Response: ...
    def delete(self, url: UrlInput, **options: Unpack[RequestOptions]) -> _Response: ...
    def head(self, url: UrlInput, **options: Unpack[RequestOptions]) -> _Response:
        """Does not follow redirects unless told to, as in requests."""
    def options(self, url: UrlInput, **options: Unpack[RequestOptions]) -> _Response: ...
    def stream(self, method: str, url: UrlInput, **options: Unpack[StreamOptions]) -> _Response:
        """``with session.stream("GET", url) as response:`` returns with the head; the body is read in the block."""
    def exchange(
        self,
        method: str,
        url: str,
        headers: HeaderInput | None,
        body: bytes | Body | None,
        /,
        *,
        stream: bool = ...,
        timeout: TimeoutInput = ...,
        verify: Verify | None = ...,
        cert: Cert | None = ...,
        proxy: str | Proxy | None = ...,
    ) -> _Response:
        """One exchange, exactly as told: nothing is added to ``headers`` but Host and framing, no redirect is followed,
        no cookie sent or kept, the URL's user information not used. For layers with rules of their own: the faces.

        ``proxy`` is the one to go through; None: directly, whatever the session and the environment say. ``verify``
        counts for it too, ``cert`` does not. Proxy-Authorization among ``headers`` is dropped where there is a proxy.
        """
    def close(self) -> None:
        """Closes every connection; requests that run in other threads fail with `SessionClosed`."""

class AsyncSession(_BaseSession):
    """The engine's async session; use `pabal.AsyncSession`."""

    def request(self, method: str, url: UrlInput, **options: Unpack[RequestOptions]) -> PendingResponse:
        """A request that starts when it is awaited."""
    def get(self, url: UrlInput, **options: Unpack[RequestOptions]) -> PendingResponse: ...
    def post(self, url: UrlInput, **options: Unpack[RequestOptions]) -> PendingResponse: ...
    def put(self, url: UrlInput, **options: Unpack[RequestOptions]) -> PendingResponse: ...
    def patch(self, url: UrlInput, **options: Unpack[RequestOptions]) -> PendingResponse: ...
    def delete(self, url: UrlInput, **options: Unpack[RequestOptions]) -> PendingResponse: ...
    def head(self, url: UrlInput, **options: Unpack[RequestOptions]) -> PendingResponse:
        """Does not follow redirects unless told to, as in requests."""
    def options(self, url: UrlInput, **options: Unpack[RequestOptions]) -> PendingResponse: ...
    def stream(self, method: str, url: UrlInput, **options: Unpack[StreamOptions]) -> PendingResponse:
        """``async with session.stream("GET", url) as response:`` enters with the head; read the body in the block."""
    @overload
    def exchange(
        self,
        method: str,
        url: str,
        headers: HeaderInput | None,
        body: bytes | Body | AsyncBody | None,
        /,
        *,
        stream: bool = ...,
        timeout: TimeoutInput = ...,
        verify: Verify | None = ...,
        cert: Cert | None = ...,
        proxy: str | Proxy | None = ...,
        finish: None = ...,
    ) -> PendingResponse:
        """One exchange, exactly as told; see `Session.exchange`.

        With ``finish`` the caller has the last word: when the response is there, or what went wrong, ``finish`` is
        called with the one or the other (the exception as an object), once, on the loop, in the context of who
        awaits. What it returns is what awaiting gives; what it raises is raised there. If it returns a coroutine, the
        request goes on with that, as a task: its outcome counts, and cancelling the request cancels it. A request
        that was cancelled before is not finished. This is how a layer above makes responses of its own without a
        coroutine for every request.
        """
    @overload
    def exchange(
        self,
        method: str,
        url: str,
        headers: HeaderInput | None,
        body: bytes | Body | AsyncBody | None,
        /,
        *,
        stream: bool = ...,
        timeout: TimeoutInput = ...,
        verify: Verify | None = ...,
        cert: Cert | None = ...,
        proxy: str | Proxy | None = ...,
        finish: Callable[[Any], Any],
    ) -> Any: ...
    async def aclose(self) -> None:
        """Closes every connection; requests that still run fail with `SessionClosed`."""
    def close(self) -> None:
        """As ``aclose``, for places that cannot await."""

class Bulk:
    """Many requests of one session at once; see pabal.bulk."""

    def start(self, outcome: Any, method: str, url: object, options: dict[str, Any] | None) -> bool: ...
    def wait(self) -> Any: ...
    def wake(self) -> None: ...
    def close(self) -> None: ...
    @property
    def running(self) -> int: ...

def host_to_ascii(host: str, /) -> str:
    """The A-label form (``xn--…``, UTS #46) of a host name; ValueError when it has none."""

class DemoServer:
    """The embedded price server of ``pabal demo``: /price, /quotes/SYMBOL, /bytes/N, /delay/MS, /echo on 127.0.0.1."""

    def __init__(self, port: int = 0, tls: bool = True, quic: Quic | None = None) -> None: ...
    @property
    def port(self) -> int: ...
    @property
    def certificate_pem(self) -> str:
        """The throw-away certificate; empty without TLS."""
    def stop(self) -> None: ...

def join_url(base: str, reference: str, /) -> str: ...
def check_proxy(proxy: str | Proxy) -> None:
    """Raises `InvalidArgument` for what cannot be a proxy."""

def normalise_cookie_domain(domain: str) -> str: ...
def entry_for(mapping: dict[str, Any], url: str, /) -> Any:
    """The value of the most specific place (key) that is the URL's, or None."""

class Watch:
    """A conclusion about classes and dicts that holds until one of them changes, for shortcuts past what can change.

    ``renew`` is called before looking; ``conclude`` with its answer afterwards, which counts only if nobody else has
    begun to look meanwhile. Lists and sets can be watched, too: a conclusion holds only while they are empty.

    A watch that is kept in a dict (the attributes of an object) must not keep that dict alive: its ``bearer`` is
    watched without a reference, and brought along by ``verdict_of``.
    """

    def __init__(self, *what: object) -> None: ...
    @property
    def verdict(self) -> Any:
        """What was concluded; None when nothing was, or something has changed since."""
    def verdict_of(self, bearer: dict[str, Any]) -> Any:
        """As ``verdict``; None also when ``bearer`` has changed, or is another dict than at ``renew``."""
    def renew(self, bearer: dict[str, Any] | None = None) -> int: ...
    def conclude(self, renewal: int, verdict: object) -> None: ...

class FilesOf:
    """Whether a folder has one of a few files, which hardly ever are there; symbolic links count by where they lead.

    As long as the folder has not changed since they were looked for, ``any_exist`` only looks at the folder.
    """

    def __init__(self, folder: bytes, *names: bytes) -> None: ...
    def any_exist(self) -> bool: ...
    @property
    def is_settled(self) -> bool:
        """Whether the next ``any_exist`` will look at the folder alone, if that has not changed."""

def set_response_class(cls: type[_Response], /) -> None: ...
def set_request_class(cls: type[Request], /) -> None: ...
def check_networks(parts: SafeResolverParts, /) -> None:
    """ValueError (`InvalidArgument`) when a SafeResolver was given what is no network."""

def refusal(parts: SafeResolverParts, address: str, /) -> str | None:
    """The rule by which a SafeResolver refuses an IP address."""

class ContentEncoder:
    """Compresses a body piece by piece: gzip, deflate, br or zstd."""

    def __init__(self, coding: str, /) -> None: ...
    def encode(self, piece: bytes, /) -> bytes:
        """What is ready after this piece, perhaps nothing."""
    def finish(self) -> bytes:
        """The rest; nothing may follow."""

def coding_name(name: str, /) -> str:
    """The registered name of a content coding. ValueError (`InvalidArgument`) when there is no such."""

def compressed(coding: str, whole: bytes, /) -> bytes:
    """All at once."""

def check_trailers(lines: list[tuple[bytes, bytes]], /) -> None:
    """ValueError (`InvalidHeader`) for fields that may not follow a body (RFC 9110 section 6.5.1)."""
