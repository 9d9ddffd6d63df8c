"""``Session`` and ``AsyncSession``: connections, cookies and defaults that requests share; two ways to wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pabal import _engine
from pabal.config import DEFAULT_LIMITS, DEFAULT_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable, Iterable
    from ipaddress import IPv4Address, IPv6Address
    from os import PathLike
    from types import TracebackType

    from typing_extensions import Self, Unpack

    from pabal import _hooks
    from pabal._engine import CookieJar, Headers
    from pabal.bulk import AsyncOutcomes, ItemT
    from pabal.config import Limits, SafeResolver
    from pabal.quic import Quic
    from pabal.types import (
        HTTP,
        AsyncHooks,
        Auth,
        Cert,
        CommonOptions,
        Cookies,
        EncryptedClientHello,
        HeaderInput,
        Hooks,
        Params,
        Proxies,
        ProxyInput,
        RateLimit,
        RetriesInput,
        TimeoutInput,
        UrlInput,
        Verify,
    )

__all__ = ["AsyncSession", "Session"]


def _hooks_of(session: Session | AsyncSession) -> _hooks.Hooks:
    held = session._hooks  # pyright: ignore[reportPrivateUsage]
    if held is None:
        from pabal._hooks import Hooks

        held = session._hooks = Hooks()  # pyright: ignore[reportPrivateUsage]
    return held


#: What a session is made of, besides headers, cookies and hooks.
_SETTINGS = (
    "params",
    "auth",
    "verify",
    "cert",
    "timeout",
    "limits",
    "max_redirects",
    "trust_env",
    "base_url",
    "proxies",
    "retries",
    "rate_limit",
    "resolver",
    "local_address",
    "http",
    "encrypted_client_hello",
    "early_data",
    "quic",
    "alternatives_file",
)


def _reduced(session: Session | AsyncSession) -> tuple[Any, ...]:
    """For copy and pickle: another session with the same settings and cookies, and connections of its own."""
    held = session._hooks  # pyright: ignore[reportPrivateUsage]
    settings = {name: getattr(session, name) for name in _SETTINGS}
    hooks = None if held is None else held.joined(type(held)())
    return _rebuilt, (
        type(session),
        settings,
        session.headers.copy(),
        session.cookies.copy(),
        hooks,
        dict(vars(session)),
    )


def _rebuilt(
    kind: type[Session | AsyncSession],
    settings: dict[str, Any],
    headers: Headers,
    cookies: CookieJar,
    hooks: _hooks.Hooks | None,
    attributes: dict[str, Any],
) -> Session | AsyncSession:
    made = kind.__new__(kind)
    # Not the subclass's own __init__, whose arguments nobody knows; its attributes come along.
    (Session if issubclass(kind, Session) else AsyncSession).__init__(made, **settings)  # type: ignore[arg-type]
    made.headers = headers
    made.cookies = cookies
    made._hooks = hooks  # pyright: ignore[reportPrivateUsage]
    vars(made).update(attributes)
    return made


def _checked(hooks: Hooks | _hooks.Hooks | None) -> _hooks.Hooks | None:
    """Those of a sync session, which cannot wait for coroutines."""
    if hooks is None:
        return None
    from pabal._hooks import hooks_of, refuse_async

    checked = hooks_of(hooks)
    refuse_async(checked)
    return checked


class Session(_engine.Session):
    """Requests that wait for their answer.

        with pabal.Session() as session:
            quote = session.get("https://example.com/price", timeout=5).json()

    One session may be used from many threads at once; they share its connections. A copy, or one that was pickled, has
    the same settings and cookies, and connections of its own. ``headers``, ``cookies``, ``auth``,
    ``params``, ``verify``, ``cert``, ``proxies`` and ``timeout`` are defaults for every request and can be changed at
    any time.

    headers, params, cookies, auth
        Sent with every request; what a request names itself goes before.
    verify, cert
        Whom to trust, who we are: see `pabal.types.Verify` and `pabal.types.Cert`.
    timeout, limits
        See `pabal.Timeout` and `pabal.Limits`; both are finite by default.
    max_redirects
        More than these are an error.
    retries
        When what failed is sent again: a number or a `pabal.Retry`. Never by default.
    http
        The versions of HTTP that may be spoken: one of ``"1.1"``, ``"2"`` and ``"3"``, or several; all are the default.
        Of the first two a TLS server chooses, and without TLS it is 1.1; where only 2 may be, it is spoken without
        asking when there is no TLS. 3 goes over QUIC, raced with TCP, to where an origin says that it can be had so
        (Alt-Svc, HTTPS records); where only 3 may be, to the UDP port of the same number at once. It is for https only
        and goes through no proxy.
    encrypted_client_hello
        Whether the path may read from a TLS handshake which server is meant (RFC 9849): ``"never"`` hidden, the
        default; ``"when_offered"``, where the origin's HTTPS record has a key for it, which costs a question to the DNS
        for each connection; ``"required"``: there is no connection without it. Through proxies nothing is hidden.
    early_data
        Whether GET, HEAD and OPTIONS without a body leave before the handshake is done where HTTP/3 is spoken with a
        server that was there before (0-RTT, RFC 8470). The default is ``True``; ``False`` where a recording of a
        request, played to the server once more, could do harm.
    quic
        A `pabal.Quic`: congestion control and logs of connections that speak HTTP/3.
    alternatives_file
        The path of a file in which what origins say of Alt-Svc outlives the session, so that the next one begins with
        HTTP/3. It is read now (it may be missing, but not its folder) and written when the session is closed. The
        format is that of curl, which may use it as well. It names the hosts that were asked.
    rate_limit
        A `pabal.TokenBucket` or `pabal.LeakyBucket`, or a mapping of hosts to them.
    resolver
        A `pabal.SafeResolver`, which keeps requests away from private networks.
    local_address
        The IP address of this machine that connections leave from. Only addresses of its family are connected to:
        ``"0.0.0.0"`` and ``"::"`` ask for nothing but that.
    trust_env
        Whether SSL_CERT_FILE, SSL_CERT_DIR, REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE and SSLKEYLOGFILE count,
        http_proxy, https_proxy, all_proxy and no_proxy, as ``os.environ`` has them when a request is made, and the
        passwords in $NETRC or ~/.netrc.
    proxy, proxies
        What to go through: one proxy for everything, or a mapping; see `pabal.types.Proxies`. ``proxy="…"`` is
        ``proxies={"all": "…"}``. A request's own go before the session's, and these before the environment's.
    base_url
        What URLs that are not absolute are relative to (RFC 3986 section 5); end it with a slash to keep all its path.
    hooks
        Functions that see every request, response, error or trace: see docs/observability.md.
    """

    def __init__(
        self,
        *,
        headers: HeaderInput | None = None,
        params: Params | None = None,
        cookies: Cookies | None = None,
        auth: Auth | None = None,
        verify: Verify = True,
        cert: Cert | None = None,
        timeout: TimeoutInput = DEFAULT_TIMEOUT,
        limits: Limits = DEFAULT_LIMITS,
        max_redirects: int = 30,
        trust_env: bool = True,
        base_url: UrlInput | None = None,
        hooks: Hooks | None = None,
        proxy: ProxyInput | None = None,
        proxies: Proxies | None = None,
        retries: RetriesInput = None,
        rate_limit: RateLimit | None = None,
        resolver: SafeResolver | None = None,
        local_address: str | IPv4Address | IPv6Address | None = None,
        http: HTTP | None = None,
        encrypted_client_hello: EncryptedClientHello | None = None,
        early_data: bool | None = None,
        quic: Quic | None = None,
        alternatives_file: str | PathLike[str] | None = None,
    ) -> None:
        super().__init__(
            headers=headers,
            params=params,
            cookies=cookies,
            auth=auth,
            verify=verify,
            cert=cert,
            timeout=timeout,
            limits=limits,
            max_redirects=max_redirects,
            trust_env=trust_env,
            base_url=base_url,
            hooks=_checked(hooks),
            proxy=proxy,
            proxies=proxies,
            retries=retries,
            rate_limit=rate_limit,
            resolver=resolver,
            local_address=local_address,
            http=http,
            encrypted_client_hello=encrypted_client_hello,
            early_data=early_data,
            quic=quic,
            alternatives_file=alternatives_file,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def hooks(self) -> _hooks.Hooks:
        """The hooks by event; the lists may be changed."""
        return _hooks_of(self)

    @hooks.setter
    def hooks(self, value: Hooks | _hooks.Hooks | None) -> None:
        self._hooks = _checked(value)

    def __reduce__(self) -> tuple[Any, ...]:
        return _reduced(self)

    def __repr__(self) -> str:
        return f"<pabal.Session{' closed' if self.is_closed else ''}>"


class AsyncSession(_engine.AsyncSession):
    """Requests that are awaited, under asyncio, uvloop or trio.

        async with pabal.AsyncSession() as session:
            responses = await asyncio.gather(*[session.get(url) for url in urls])
            quotes = [response.json() for response in responses]

    ``session.get(url)`` starts nothing: the request starts when it is awaited, or given to ``gather``, ``create_task``,
    a ``TaskGroup``, ``wait_for`` … or entered with ``async with``. It can be cancelled at any moment. The arguments are
    those of `Session`.
    """

    def __init__(
        self,
        *,
        headers: HeaderInput | None = None,
        params: Params | None = None,
        cookies: Cookies | None = None,
        auth: Auth | None = None,
        verify: Verify = True,
        cert: Cert | None = None,
        timeout: TimeoutInput = DEFAULT_TIMEOUT,
        limits: Limits = DEFAULT_LIMITS,
        max_redirects: int = 30,
        trust_env: bool = True,
        base_url: UrlInput | None = None,
        hooks: AsyncHooks | None = None,
        proxy: ProxyInput | None = None,
        proxies: Proxies | None = None,
        retries: RetriesInput = None,
        rate_limit: RateLimit | None = None,
        resolver: SafeResolver | None = None,
        local_address: str | IPv4Address | IPv6Address | None = None,
        http: HTTP | None = None,
        encrypted_client_hello: EncryptedClientHello | None = None,
        early_data: bool | None = None,
        quic: Quic | None = None,
        alternatives_file: str | PathLike[str] | None = None,
    ) -> None:
        super().__init__(
            headers=headers,
            params=params,
            cookies=cookies,
            auth=auth,
            verify=verify,
            cert=cert,
            timeout=timeout,
            limits=limits,
            max_redirects=max_redirects,
            trust_env=trust_env,
            base_url=base_url,
            hooks=hooks,
            proxy=proxy,
            proxies=proxies,
            retries=retries,
            rate_limit=rate_limit,
            resolver=resolver,
            local_address=local_address,
            http=http,
            encrypted_client_hello=encrypted_client_hello,
            early_data=early_data,
            quic=quic,
            alternatives_file=alternatives_file,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    @property
    def hooks(self) -> _hooks.Hooks:
        """The hooks by event; the lists may be changed."""
        return _hooks_of(self)

    @hooks.setter
    def hooks(self, value: AsyncHooks | _hooks.Hooks | None) -> None:
        self._hooks = value

    def map(
        self,
        requests: Iterable[ItemT] | AsyncIterable[ItemT],
        *,
        concurrency: int = 100,
        ordered: bool = False,
        progress: Callable[[int, int | None], object] | None = None,
        return_exceptions: bool = True,
        **options: Unpack[CommonOptions],
    ) -> AsyncOutcomes[ItemT]:
        """Sends many requests, at most ``concurrency`` at once; an async iterator of an `Outcome` for each.

            async for outcome in session.map(urls, concurrency=200, timeout=10):
                print(outcome.request, outcome.error or outcome.response.status_code)

        The source may be async and without end: it is asked for the next request only when there is room. For the rest
        see `pabal.gather`.
        """
        from pabal.bulk import map_async

        return map_async(self, requests, concurrency, ordered, progress, return_exceptions, dict(options))

    def __reduce__(self) -> tuple[Any, ...]:
        return _reduced(self)

    def __repr__(self) -> str:
        return f"<pabal.AsyncSession{' closed' if self.is_closed else ''}>"
