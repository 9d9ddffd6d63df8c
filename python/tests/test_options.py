"""Every public option, given wrong values: a TypeError or ValueError that names the option and says what would do, and
no connection. A new option without a row here makes a test fail."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pabal
import pytest
from pabal import auth, config, cookies, types

SURROGATE = "\ud800"
NAN, INFINITE, HUGE = float("nan"), float("inf"), 10**400
BUCKET = pabal.TokenBucket(1, 1)

#: An option's row: what its messages look like, and values it refuses.
Row = tuple[str, list[Any]]


async def coroutine(*_: object) -> None: ...


#: What a session is given for all its requests, and a request for itself.
DEFAULTS: dict[str, Row] = {
    "params": (
        "params.*(mapping|UTF-8|control)",
        [
            5,
            True,
            object(),
            [1],
            [("a",)],
            [("a", 1, 2)],
            {"a", "b"},
            b"\xff",
            SURROGATE,
            {"a": SURROGATE},
            {SURROGATE: 1},
            "a=\x00",
            "a=\r\nb",
        ],
    ),
    "headers": (
        "header.*(mapping|pairs|str or bytes|token|Latin-1|control)",
        [
            5,
            True,
            "A: b",
            b"A: b",
            [("A",)],
            ["ab"],
            [("A", "b", "c")],
            {"A": 5},
            {"A": True},
            {"A": NAN},
            {"A": ["b"]},
            {5: "a"},
            {"A": "b\r\nC: d"},
            {"A\r\n": "b"},
            {"": "b"},
            {"A b": "c"},
            {"A": "\x00"},
            {"A": SURROGATE},
            {SURROGATE: "a"},
            {"A": "€"},
        ],
    ),
    "cookies": (
        "cookie.*(mapping|pair|str|';'|UTF-8)",
        [
            5,
            True,
            "a=b",
            b"a=b",
            [("a",)],
            [5],
            {"a": "b;c"},
            {"a": "b\r\n"},
            {"a=": "b"},
            {"a": SURROGATE},
            {SURROGATE: "a"},
            {"a": object()},
            {"a": ["b"]},
            {5: "b"},
            {"a": "\x00"},
            {"a": True},
        ],
    ),
    "auth": (
        "auth.*(user|password|place|str|colon|control|UTF-8|DigestAuth)",
        [
            5,
            True,
            "user:password",
            b"u:p",
            object(),
            {"a", "b"},
            ("u",),
            ("u", "p", "x"),
            ("a:b", "c"),
            (5, "c"),
            ("a", 5),
            ("a", None),
            ("a\n", "c"),
            ("a", "c\x00"),
            (SURROGATE, "c"),
            {"": ("u", "p")},
            {"a/b": ("u", "p")},
            {1: ("u", "p")},
            {SURROGATE: ("u", "p")},
            {"other.example": 5},
            {"127.0.0.1": ("u",)},
        ],
    ),
    "verify": (
        "verify must be True, False or the path",
        [0, 1, 5, NAN, [], ("a",), object(), "", b"", "a\0b", SURROGATE],
    ),
    "cert": (
        "cert.*(path|certificate)|password in cert",
        [
            0,
            5,
            True,
            False,
            NAN,
            object(),
            {},
            [],
            ("a",),
            ("a", "b", "c", "d"),
            (5, "a"),
            ("a", 5),
            "",
            b"",
            "a\x00b",
            SURROGATE,
            ("a", "b", 5),
        ],
    ),
    "timeout": (
        "timeout.*(seconds|positive|connect, read)",
        [
            0,
            -1,
            0.0,
            NAN,
            INFINITE,
            -INFINITE,
            HUGE,
            -HUGE,
            True,
            "5",
            b"5",
            [1, 2],
            (1,),
            (1, 2, 3),
            (0, 1),
            (1, NAN),
            (True, 1),
            {},
            object(),
        ],
    ),
    "proxy": (
        "proxy.*(URL|scheme|host|port|control|UTF-8)",
        [
            5,
            True,
            "",
            "no proxy at all",
            "ftp://a",
            "http://",
            "http://a:99999",
            "http://a\r\n",
            "\x00",
            SURROGATE,
            b"http://a",
            [],
            {},
            object(),
            "http://a/path",
            "socks5://u:\n@a",
        ],
    ),
    "proxies": (
        "proxies.*(mapping|URL|text|scheme|host|port|control|UTF-8)",
        [
            5,
            True,
            "http://a",
            b"x",
            ["http://a"],
            object(),
            {"http": 5},
            {5: "http://a"},
            {"http": "ftp://a"},
            {"http": "http://a:99999"},
            {"http": SURROGATE},
            {SURROGATE: "http://a"},
            {"http": "a\x00b"},
            {"no_proxy": 5},
            {"http": b"http://a"},
        ],
    ),
    "retries": (
        "retries must be",
        [-1, 1001, HUGE, -HUGE, True, 1.5, NAN, "3", b"3", [], {}, (1, 2), object()],
    ),
    "max_redirects": (
        "max_redirects must be",
        [-1, 10**7, 2**31, 2**63, HUGE, -HUGE, True, 1.5, NAN, INFINITE, "3", b"3", [], object()],
    ),
    "hooks": (
        "hook.*(mapping|callable|there are|plain functions)",
        [5, True, "request", [print], object(), {"nope": print}, {5: print}, {"request": 5}, {"request": [5]}],
    ),
}

#: What only a request has.
OF_REQUESTS: dict[str, Row] = {
    "data": (
        "(data|body).*(mapping|bytes|pairs|UTF-8)",
        [5, True, 1.5, object(), [1, 2], [("a",)], [("a", 1, 2)], SURROGATE, {"a": SURROGATE}, {SURROGATE: "a"}],
    ),
    "json": ("json.*JSON", [object(), {1, 2}, b"bytes", {(1, 2): 3}, NAN, INFINITE, {"a": NAN}]),
    "content": (
        "content.*(bytes|UTF-8)",
        [5, True, 1.5, object(), {"a": "b"}, SURROGATE, [1], [("a", "b")], [SURROGATE.encode("utf-8", "replace"), 5]],
    ),
    "files": (
        "header name of a form part|(files|form part).*(mapping|pairs|bytes|content|str|text|control|UTF-8|invalid)",
        [
            5,
            True,
            "name",
            b"bytes",
            ["name"],
            {"a": 5},
            {"a": ("n",)},
            {"a": ("n", b"", "t", {}, 1)},
            {"a\r\n": b""},
            {"a": ("n", b"", "text/plain\r\n")},
            {"a": ("n\r\n", b"")},
            {"a": ("n", b"", 5)},
            {"a": ("n", b"", "t", 5)},
            {"a": ("n", b"", "t", {"X": "a\r\n"})},
            {"a": ("n", b"", "t", {"X": 5})},
            {"a": ("n", b"", "t", {"X:": ""})},
            {"a": (SURROGATE, b"")},
            {SURROGATE: b""},
            {"a": SURROGATE},
            {"a": ("n", SURROGATE)},
            {"a": (5, b"x")},
        ],
    ),
    "allow_redirects": ("allow_redirects must be True or False", [0, 1, NAN, "no", "", b"", None, [], object()]),
    "stream": ("stream must be True or False", [0, 1, NAN, "no", "", b"", None, [], object()]),
    "max_body": ("max_body must be", [-1, 2**63, HUGE, -HUGE, True, 1.5, NAN, "3", b"3", [], object()]),
    "priority": ("priority must be", [-1, 8, HUGE, -HUGE, True, 1.5, NAN, "3", b"3", [], object()]),
    "expect_continue": (
        "expect_continue.*(bool|positive)",
        [0, -1, 0.0, NAN, INFINITE, HUGE, -HUGE, "yes", b"1", [], {}, object()],
    ),
    "compress": (
        "compress.*(gzip|coding)",
        [5, True, False, "", "lzma", "GZIP ", b"gzip", ["gzip"], ("br", "gzip"), {}, SURROGATE, object()],
    ),
    "trailers": (
        "[Tt]railer|header",
        [
            5,
            True,
            "A: b",
            ["ab"],
            {"A": 5},
            {5: "a"},
            {"A": "b\r\n"},
            {"A\r\n": "b"},
            {"": "b"},
            {"A": SURROGATE},
            {"Content-Length": "5"},
            {"Transfer-Encoding": "chunked"},
            {"Host": "a"},
            {"Authorization": "x"},
            object(),
        ],
    ),
    "progress": ("progress.*(callable|function)", [5, True, "x", [print], coroutine, object()]),
    "upload_progress": ("progress.*(callable|function)", [5, True, "x", [print], coroutine, object()]),
}

#: What only a session has.
OF_SESSIONS: dict[str, Row] = {
    "limits": ("limits must be a pabal.Limits", [5, True, "x", (1, 2), {}, {"max_connections": 1}, object()]),
    "trust_env": ("trust_env must be True or False", [0, 1, NAN, "no", "", None, [], object()]),
    "base_url": (
        "base_url.*(text|UTF-8|scheme|host|port|control|empty)",
        [
            5,
            True,
            "",
            "no scheme",
            "ftp://a/",
            "http://",
            b"\xff",
            SURROGATE,
            "http://a\x00",
            "http://a:99999/",
            [],
            object(),
        ],
    ),
    "http": (
        "http must be",
        [5, 1.1, True, "", "1", "1.0", "h2", b"2", [], {}, ["2", "4"], [2], SURROGATE, object()],
    ),
    "encrypted_client_hello": (
        "encrypted_client_hello must be",
        [5, True, "", "always", "Never", b"never", SURROGATE, [], {}, object()],
    ),
    "quic": ("quic must be a pabal.Quic", [5, True, "bbr", b"bbr", [], {}, pabal.Quic, object()]),
    "alternatives_file": ("alternatives_file must be", [5, True, b"x", "", "a\0b", SURROGATE, [], {}, object()]),
    "early_data": ("early_data must be", [0, 1, "", "yes", b"1", [], {}, object()]),
    "local_address": (
        "local_address (must be|holds a lone surrogate)",
        [5, True, b"127.0.0.1", "", "x", "127.0.0.1:80", "[::1]", "127.1", "10.0.0.0/8", SURROGATE, [], {}, object()],
    ),
    "resolver": ("resolver must be", [5, True, False, "x", [], {}, pabal.SafeResolver, object()]),
    "rate_limit": (
        "rate_limit.*(TokenBucket|place)|place in rate_limit",
        [
            5,
            True,
            1.5,
            "x",
            [],
            object(),
            {"127.0.0.1": 5},
            {1: BUCKET},
            {"a/b": BUCKET},
            {"": BUCKET},
            {SURROGATE: BUCKET},
        ],
    ),
}

URLS: list[Any] = [None, 5, True, "", "no scheme", "ftp://a/", "http://", "http://a b/", "http://a\0/", "http://a\r\n/"]
URLS += ["http://a:99999/", "http://a:-1/", SURROGATE, f"http://a/{SURROGATE}", b"\xff", [], {}, object()]
METHODS: list[Any] = [None, 5, True, "", "GET /", "G\r\nT", "G\0T", "GÉT", SURROGATE, b"\xff", [], object()]


def cases(*tables: dict[str, Row]) -> list[Any]:
    return [
        pytest.param(name, like, value, id=f"{name}={ascii(value)[:40]}")
        for table in tables
        for name, (like, values) in table.items()
        for value in values
    ]


class Listening:
    """A place to connect to, that knows whether anybody did."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/"

    def was_asked(self) -> bool:
        try:
            self.socket.accept()[0].close()
        except BlockingIOError:
            return False
        return True


@pytest.fixture
def listening() -> Iterator[Listening]:
    made = Listening()
    yield made
    made.socket.close()


def refused(like: str, attempt: Callable[[], Any]) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        attempt()
    assert not isinstance(caught.value, UnicodeError), "says nothing of the option"
    assert "incompatible function arguments" not in str(caught.value)
    assert re.search(like, str(caught.value), re.DOTALL), str(caught.value)


def asynchronously(use: Callable[[pabal.AsyncSession], Any], **settings: Any) -> None:
    async def main() -> None:
        async with pabal.AsyncSession(**settings) as session:
            await use(session)

    asyncio.run(main())


# --- sessions and requests --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "like", "value"), cases(DEFAULTS, OF_REQUESTS))
def test_a_request_refuses(name: str, like: str, value: Any, listening: Listening) -> None:
    options = {"timeout": 5, name: value}
    with pabal.Session() as session:
        refused(like, lambda: session.post(listening.url, **options))
        refused(like, lambda: session.request("PUT", listening.url, **options))
    refused(like, lambda: pabal.patch(listening.url, **options))
    refused(like, lambda: asynchronously(lambda session: session.post(listening.url, **options)))
    assert not listening.was_asked()


@pytest.mark.parametrize(("name", "like", "value"), cases(DEFAULTS, OF_SESSIONS))
def test_a_session_refuses(name: str, like: str, value: Any, listening: Listening) -> None:
    """At once, or (what may be changed at any time) with the first request."""

    def use() -> None:
        with pabal.Session(**{name: value}) as session:
            session.get(listening.url, **({} if name == "timeout" else {"timeout": 5}))

    def change() -> None:
        with pabal.Session() as session:
            setattr(session, name, value)
            session.get(listening.url, **({} if name == "timeout" else {"timeout": 5}))

    refused(like, use)
    if name not in (
        "proxy",
        "limits",
        "rate_limit",
        "resolver",
        "local_address",
        "http",
        "encrypted_client_hello",
        "early_data",
        "quic",
        "alternatives_file",
    ):  # these are said once
        refused(like, change)
    refused(like, lambda: asynchronously(lambda session: session.get(listening.url), **{name: value}))
    assert not listening.was_asked()


def test_coroutines_are_no_hooks_of_a_sync_session(listening: Listening) -> None:
    with pabal.Session() as session:
        refused("plain functions", lambda: session.get(listening.url, hooks={"request": coroutine}))
    refused("plain functions", lambda: pabal.Session(hooks={"request": coroutine}))
    assert not listening.was_asked()


@pytest.mark.parametrize("value", URLS, ids=lambda value: ascii(value)[:40])
def test_a_url_refuses(value: Any) -> None:
    like = "URL.*(text|UTF-8|scheme|host|port|control|empty|space|byte)"
    with pabal.Session() as session:
        refused(like, lambda: session.get(value))
        refused(like, lambda: session.get(value, params={"a": "b"}))
    refused(like, lambda: asynchronously(lambda session: session.get(value)))


@pytest.mark.parametrize("value", METHODS, ids=lambda value: ascii(value)[:40])
def test_a_method_refuses(value: Any, listening: Listening) -> None:
    with pabal.Session() as session:
        refused("(?i)method", lambda: session.request(value, listening.url))
        refused("(?i)method", lambda: session.stream(value, listening.url))
    refused("(?i)method", lambda: asynchronously(lambda session: session.request(value, listening.url)))
    assert not listening.was_asked()


@pytest.mark.parametrize(
    ("option", "error", "value"),
    [
        ("verify", pabal.exceptions.TrustStoreError, "/no/such/file"),
        ("verify", pabal.exceptions.TrustStoreError, b"/no/such/file"),
        ("verify", pabal.exceptions.TrustStoreError, "/"),
        ("cert", pabal.exceptions.ClientCertificateError, "/no/such/file"),
        ("cert", pabal.exceptions.ClientCertificateError, ("/no/such/file", "/no/such/key")),
    ],
)
def test_files_that_are_none_are_named(option: str, error: type[Exception], value: Any, listening: Listening) -> None:
    with pabal.Session() as session, pytest.raises(error, match=r"/no/such/file|found in /"):
        session.get(listening.url, **{option: value})
    assert not listening.was_asked()


def test_a_name_that_is_no_option(listening: Listening) -> None:
    with pabal.Session() as session:
        refused("no option 'time_out'", lambda: session.get(listening.url, time_out=5))
    with pytest.raises(TypeError, match="time_out"):
        pabal.Session(time_out=5)  # type: ignore[call-arg]
    assert not listening.was_asked()


# --- values, auth, limiters, cookies ----------------------------------------------------------------------------------

SECONDS: list[Any] = [0, -1, NAN, INFINITE, HUGE, True, "5", b"5", [], object()]
WAITS: list[Any] = [-1, NAN, INFINITE, HUGE, True, "5", b"5", None, [], object()]
NETWORKS: list[Any] = [5, True, None, "10.0.0.0/8", b"::/0", [5], ["x"], ["10.0.0.0/33"], ["10.0.0.1/8"], [SURROGATE]]
COUNTS: list[Any] = [-1, HUGE, -HUGE, True, 1.5, NAN, "3", b"3", [], object()]
FLAGS: list[Any] = [0, 1, "no", None, [], object()]
TEXTS: list[Any] = [5, True, None, [], object(), SURROGATE]
NAMED = {"name": "a", "value": "b"}
COOKIE: dict[str, Row] = {
    "name": ("cookie's name", [5, True, None, b"a", "a=b", "a;b", "a\n", "\0", SURROGATE, []]),
    "value": ("cookie's value", [True, None, ["1"], object(), "1;2", "1\r\n", "\0", SURROGATE, " 1"]),
    "domain": ("(domain|host)", [5, True, b"a", "example.com/x", "http://example.com", "a b", SURROGATE, []]),
    "path": ("path", [5, True, b"/", "x", "/;", "/\n", SURROGATE]),
    "secure": ("secure must be", FLAGS),
    "http_only": ("http_only must be", FLAGS),
    "same_site": ("same_site|SameSite", [5, True, None, b"Lax", "Relaxed", "lax;", SURROGATE]),
    "expires": ("expires", ["tomorrow", b"1", True, NAN, [], object()]),
}

#: What is made or called, with arguments that it takes, and a row for each of its options.
MADE: list[tuple[Callable[..., Any], dict[str, Any], dict[str, Row]]] = [
    (
        config.Timeout,
        {},
        {
            name: (f"timeout {name} must be", SECONDS)
            for name in ("total", "resolve", "connect", "tls", "pool", "write", "read")
        },
    ),
    (
        config.Limits,
        {},
        {
            "max_connections": ("max_connections must be", [0, *COUNTS]),
            "max_connections_per_host": ("max_connections_per_host must be", [0, *COUNTS]),
            "max_idle_connections": ("max_idle_connections must be", COUNTS),
            "idle_timeout": ("idle_timeout must be", [None, *SECONDS]),
            "max_body": ("max_body must be", [0, None, 2**63, *COUNTS]),
            "max_streamed_body": ("max_streamed_body must be", [0, 2**63, *COUNTS]),
            "ping_interval": ("ping_interval must be", SECONDS),
            "coalesce": ("coalesce must be", FLAGS),
        },
    ),
    (
        pabal.Priority,
        {},
        {"urgency": ("urgency must be", [-1, 8, None, *COUNTS]), "incremental": ("incremental must be", FLAGS)},
    ),
    (
        pabal.Quic,
        {},
        {
            "congestion_control": (
                "congestion_control must be",
                [None, 5, True, "", "BBR", "vegas", b"bbr", SURROGATE, [], object()],
            ),
            "qlog": ("qlog must be", [5, True, "", "a\0b", b"logs", SURROGATE, [], {}, object()]),
            "max_qlog_bytes": ("max_qlog_bytes must be", [0, None, 2**63, *COUNTS]),
        },
    ),
    (
        pabal.Retry,
        {},
        {
            "total": ("total must be", [None, 1001, *COUNTS]),
            "connect": ("connect must be", [1001, *COUNTS]),
            "read": ("read must be", [1001, *COUNTS]),
            "status": ("status must be", [1001, *COUNTS]),
            "statuses": ("statuses must be", [5, None, "429", b"429", [99], [600], [True], ["429"], [HUGE], [NAN]]),
            "methods": (
                "methods must be",
                [5, None, "GET", b"GET", [5], [b"GET"], ["G T"], [""], ["G\r\n"], [SURROGATE]],
            ),
            "backoff": ("backoff must be", WAITS),
            "jitter": ("jitter", [1.5, *WAITS]),
            "max_backoff": ("max_backoff must be", WAITS),
            "respect_retry_after": ("respect_retry_after must be", FLAGS),
            "retry_after_cap": ("retry_after_cap must be", WAITS),
            "budget": ("budget must be", [value for value in [0, *WAITS] if value is not None]),
        },
    ),
    (
        config.Proxy,
        {"url": "http://a"},
        {
            "url": DEFAULTS["proxy"],
            "headers": DEFAULTS["headers"],
        },
    ),
    (
        pabal.SafeResolver,
        {},
        {
            "allow": ("allow|network", NETWORKS),
            "deny": ("deny|network", NETWORKS),
            "proxies_may_resolve": ("proxies_may_resolve must be", FLAGS),
        },
    ),
    (
        pabal.TokenBucket,
        {"rate": 1, "burst": 1},
        {
            "rate": ("rate must be", [0, *WAITS]),
            "burst": ("burst must be", [0, None, *COUNTS]),
            "max_waiting": ("max_waiting must be", [None, *COUNTS]),
        },
    ),
    (
        pabal.LeakyBucket,
        {"rate": 1, "capacity": 1},
        {"rate": ("rate must be", [0, *WAITS]), "capacity": ("capacity must be", [None, *COUNTS])},
    ),
    (
        auth.DigestAuth,
        {"username": "a", "password": "b"},
        {
            "username": ("user ?name", [*TEXTS, "a\n", "a\0"]),
            "password": ("password", [*TEXTS, "a\n", "a\0"]),
        },
    ),
    (
        auth.BasicAuth,
        {"username": "a", "password": "b"},
        {"username": ("user name", [*TEXTS, "a:b", "a\n", "a\0"]), "password": ("password", [*TEXTS, "a\n", "a\0"])},
    ),
    (auth.BearerAuth, {"token": "t"}, {"token": ("token", [*TEXTS, "", "a b", "a\r\n", "\0", "ä", b"t"])}),
    (
        cookies.CookiePolicy,
        {},
        {
            "accept": ("accept must be", FLAGS),
            "third_party": ("third_party must be", FLAGS),
            "allowed_domains": ("domain", ["a", b"a", 5, [5], [""], ["a b"], [SURROGATE], []]),
            "blocked_domains": ("domain", ["a", b"a", 5, None, [5], [""], ["a b"], [SURROGATE]]),
            "accept_public_suffix": ("accept_public_suffix must be", FLAGS),
            "trust_loopback": ("trust_loopback must be", FLAGS),
        },
    ),
    (
        pabal.Cookie,
        NAMED,
        {
            **COOKIE,
            "host_only": ("host_only must be", [value for value in FLAGS if value is not None]),
            "created": ("created", ["today", b"1", True, NAN, [], object()]),
        },
    ),
    (pabal.CookieJar().set, NAMED, COOKIE),
    (
        pabal.CookieJar,
        {},
        {"cookies": DEFAULTS["cookies"], "policy": ("policy", [5, True, "x", {}, object()])},
    ),
]


@pytest.mark.parametrize(
    ("make", "given", "name", "like", "value"),
    [
        pytest.param(make, given, name, like, value, id=f"{make.__qualname__}({name}={ascii(value)[:30]})")
        for make, given, rows in MADE
        for name, (like, values) in rows.items()
        for value in values
    ],
)
def test_what_is_made_is_checked(
    make: Callable[..., Any], given: dict[str, Any], name: str, like: str, value: Any
) -> None:
    make(**given)
    refused(like, lambda: make(**{**given, name: value}))


# --- many requests ----------------------------------------------------------------------------------------------------

OF_BULK: dict[str, Row] = {
    "requests": ("requests are an iterable", [5, True, "http://a/", b"http://a/", {}, object(), None]),
    "concurrency": ("concurrency must be", [0, None, *COUNTS]),
    "ordered": ("ordered must be True or False", FLAGS),
    "progress": ("progress.*(callable|function)", [5, True, "x", [print], coroutine, object()]),
    "return_exceptions": ("return_exceptions must be True or False", FLAGS),
}


@pytest.mark.parametrize(
    ("name", "like", "value"),
    cases(OF_BULK, {"session": ("session=? must be a pabal.Session", [5, True, "x", object(), pabal.AsyncSession()])}),
)
def test_gather_refuses(name: str, like: str, value: Any, listening: Listening) -> None:
    given = {"requests": [listening.url], "timeout": 5, name: value}
    refused(like, lambda: list(pabal.gather(given.pop("requests"), **given)))
    assert not listening.was_asked()


@pytest.mark.parametrize(("name", "like", "value"), cases(OF_BULK))
def test_map_refuses(name: str, like: str, value: Any, listening: Listening) -> None:
    given = {"requests": [listening.url], "timeout": 5, name: value}

    async def use(session: pabal.AsyncSession) -> None:
        async for _ in session.map(given.pop("requests"), **given):
            pass

    refused(like, lambda: asynchronously(use))
    assert not listening.was_asked()


@pytest.mark.parametrize(
    ("name", "like", "value"), cases({name: row for name, row in DEFAULTS.items() if name != "hooks"})
)
def test_a_gathered_request_refuses(name: str, like: str, value: Any, listening: Listening) -> None:
    """Each by itself: the others may be in order."""
    (outcome,) = pabal.gather([("POST", listening.url, {"timeout": 5, name: value})])
    assert isinstance(outcome.error, (TypeError, ValueError))
    assert re.search(like, str(outcome.error), re.DOTALL), str(outcome.error)
    assert not listening.was_asked()


# --- the command line -------------------------------------------------------------------------------------------------

OF_FETCH: dict[str, Row] = {
    "--concurrency": ("concurrency", ["0", "-1", "x", "1.5", "", "nan", "1" * 400]),
    "--timeout": ("timeout", ["0", "-1", "x", "nan", "inf", "", "1e400"]),
    "--header": ("header", ["nocolon", "", ": b", "a b: c", "A: b\r\nC: d", "A: €", "\r\n: b"]),
    "--ca": ("ca|cannot read", ["", "/no/such/file"]),
    "--output": ("/no/such|output", ["", "/no/such/folder/x"]),
    "--alternatives": ("alternatives", ["", "/no/such/folder/x"]),
    "--http": ("http: must be", ["", "4", "h3", "2,", "1.1;2"]),
}
OF_DEMO: dict[str, Row] = {
    "--port": ("port", ["-1", "65536", "x", "", "1.5", "nan"]),
    "--qlog": ("qlog: must be a folder", ["", "/no/such/folder", "/dev/null"]),
}


@pytest.mark.parametrize(("name", "like", "value"), cases(OF_FETCH))
def test_fetch_refuses(
    name: str, like: str, value: str, listening: Listening, capfd: pytest.CaptureFixture[str]
) -> None:
    assert status_of(["fetch", listening.url, f"{name}={value}"]) == 2
    said = capfd.readouterr()
    assert re.search(like, said.err), said.err
    assert said.out == ""
    assert not listening.was_asked()


@pytest.mark.parametrize(("name", "like", "value"), cases(OF_DEMO))
def test_demo_refuses(name: str, like: str, value: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert status_of(["demo", f"{name}={value}"]) == 2
    assert re.search(like, capfd.readouterr().err)


def status_of(arguments: list[str]) -> int:
    from pabal.cli import main

    try:
        return main(arguments)
    except SystemExit as exit:
        return int(str(exit.code))


# --- no option is forgotten -------------------------------------------------------------------------------------------


def stub_parameters(path: str) -> list[str]:
    """The parameters of a function of the engine, which has no signature that Python could be asked for."""
    stub = ast.parse(Path(inspect.getfile(pabal)).with_name("_engine.pyi").read_text())
    kind, function = path.split(".")
    for node in ast.walk(stub):
        if isinstance(node, ast.ClassDef) and node.name == kind:
            for each in node.body:
                if isinstance(each, ast.FunctionDef) and each.name == function:
                    return [a.arg for a in each.args.args + each.args.kwonlyargs if a.arg != "self"]
    raise AssertionError(f"the stub has no {path}")


def parameters(make: Callable[..., Any]) -> list[str]:
    if "_engine" not in getattr(make, "__module__", "") and inspect.isclass(make):
        return [name for name in inspect.signature(make).parameters if name != "self"]
    return stub_parameters(f"{make.__qualname__}.__init__" if inspect.isclass(make) else make.__qualname__)


def test_every_option_of_a_request_has_a_row() -> None:
    known = types.RequestOptions.__optional_keys__ | types.RequestOptions.__required_keys__
    assert set(DEFAULTS | OF_REQUESTS) == known


@pytest.mark.parametrize("kind", [pabal.Session, pabal.AsyncSession])
def test_every_option_of_a_session_has_a_row(kind: type) -> None:
    assert set(DEFAULTS | OF_SESSIONS) == set(inspect.signature(kind).parameters)


@pytest.mark.parametrize(("make", "rows"), [(make, rows) for make, _, rows in MADE])
def test_every_option_of_what_is_made_has_a_row(make: Callable[..., Any], rows: dict[str, Row]) -> None:
    assert set(rows) == set(parameters(make))


def test_every_option_of_many_requests_has_a_row() -> None:
    gathered = set(inspect.signature(pabal.gather).parameters) - {"options"}
    assert gathered == set(OF_BULK) | {"session"}
    assert set(inspect.signature(pabal.AsyncSession.map).parameters) - {"self", "options"} == set(OF_BULK)


def test_every_public_class_with_options_has_rows() -> None:
    """Those that only pabal makes, or that are no settings, are named here."""
    made = {getattr(make, "__name__", "") for make, _, _ in MADE} | {"Session", "AsyncSession"}
    others = {"Headers", "Outcome", "PendingResponse", "Request", "Response", "Trace"}
    public = {name for name in pabal.__all__ if inspect.isclass(getattr(pabal, name))}
    errors = {name for name in public if issubclass(getattr(pabal, name), Exception)}
    assert public - errors - others <= made


def test_every_option_of_the_command_line_has_a_row() -> None:
    from pabal.cli import _parser  # pyright: ignore[reportPrivateUsage]

    commands = next(each.choices for each in _parser()._actions if isinstance(each.choices, dict))
    for name, rows in (("fetch", OF_FETCH), ("demo", OF_DEMO)):
        takes_a_value = {
            each.option_strings[-1] for each in commands[name]._actions if each.option_strings and each.nargs != 0
        }
        assert takes_a_value == set(rows)
