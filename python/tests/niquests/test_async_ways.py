"""The short way, the long way, and the sync session are told apart by nothing that anybody can see."""

from __future__ import annotations

import asyncio
import http.cookiejar
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from pabal import niquests
from pabal.niquests import _fast
from pabal.requests import _short
from support.faces import CASES as SHARED
from support.faces import JARS, Case, body_of, cookies_of
from support.scripted import Received

Run = Callable[[Any], Any]


def _seen(response: Any, session: Any) -> dict[str, Any]:
    """All that a program can see of an answer."""
    again = pickle.loads(pickle.dumps(response))
    return {
        "class": type(response),
        "repr": repr(response),
        "status": response.status_code,
        "reason": response.reason,
        "url": response.url,
        "headers": list(response.headers.items()),
        "objects": repr(response.oheaders),
        "content": response.content,
        "text": response.text if b"{" in response.content else None,
        "encoding": response.encoding,
        "ok": response.ok,
        "version": response.http_version,
        "lazy": response.lazy,
        "history": [(type(each), each.status_code, each.url, each.content) for each in response.history],
        "next": response.next and response.next.url,
        "next body": response.next and (response.next.method, response.next.body, list(response.next.headers.items())),
        "cookies": cookies_of(response.cookies),
        "session cookies": cookies_of(session.cookies),
        "requests": [
            (each.method, each.url, list(each.headers.items()), body_of(each), each.hooks, cookies_of(each._cookies))
            for each in (response.request, *(earlier.request for earlier in response.history))
        ],
        "jar": type(response.request._cookies),
        "progress": response.request.upload_progress,
        "connection": response.conn_info.http_version,
        "raw": (
            response.raw.status,
            response.raw.version,
            response.raw.reason,
            response.raw.read(),
            response.raw.closed,
        ),
        "raw headers": response.raw.headers.getlist("x-two"),
        "links": response.links,
        "pickled": (again.content, again.url, again.status_code, again.headers),
        "attributes": sorted(set(vars(again))),
        "elapsed": response.elapsed.total_seconds() > 0,
    }


def _failed(error: Exception) -> dict[str, Any]:
    request = getattr(error, "request", None)
    return {
        "raised": type(error),
        "args": [type(arg) for arg in error.args],
        "text": str(error) if not isinstance(error, niquests.RequestException) else None,
        "request": request
        and (
            request.method,
            request.url,
            list(request.headers.items()),
            body_of(request),
            cookies_of(request._cookies),
        ),
    }


async def _look(url: str, case: Case) -> dict[str, Any]:
    method, path, options, prepare = case
    async with niquests.AsyncSession() as session:
        prepare(session)
        try:
            response = await session.request(method, url + path, **options())
        except Exception as error:
            return _failed(error)
        return _seen(response, session)


def _look_sync(url: str, case: Case) -> dict[str, Any]:
    method, path, options, prepare = case
    session = niquests.Session()
    prepare(session)
    try:
        response = session.request(method, url + path, **options())
    except Exception as error:
        return _failed(error)
    return _seen(response, session)


CASES: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/json", {}),
    ("get", "/json?b=2&a=%31", {"headers": {"X-One": "1", "accept": "text/plain", "User-Agent": "me"}}),
    ("GET", "/json", {"headers": {"Accept-Encoding": None}}),
    ("GET", "/json", {"timeout": 5}),
    ("GET", "/json", {"timeout": (3, 4.5)}),
    ("GET", "/json", {"timeout": (1, 2, 3)}),
    ("GET", "/json", {"timeout": (1, 2, 3, 4)}),
    ("GET", "/json", {"timeout": -1}),
    ("HEAD", "/json", {}),
    ("GET", "/text", {}),
    ("GET", "/cookies", {}),
    ("GET", "/moved", {}),
    ("GET", "/twice", {}),
    ("GET", "/round", {}),
    ("GET", "/moved", {"allow_redirects": False}),
    ("HEAD", "/moved", {"allow_redirects": False}),
    ("GET", "/missing", {}),
    ("GET", "/short", {}),
    ("GET", "/gone", {}),
    ("GET", "/bad-gzip", {}),
    ("GET", "/slow", {"timeout": 0.2}),
    ("GET", "/json", {"headers": {"X-Bad": "a\r\nb"}}),
    ("GET", "/json", {"headers": {"X-Bad": 3}}),
    ("GET", "/ü/%zz", {}),
]


def _with_encoder(session: Any) -> None:
    session.json_encoder = lambda value: f"<{value}>"


def _with_base(session: Any) -> None:
    session.base_url = "http://127.0.0.1:1/below"


OWN: list[Case] = [
    ("POST", "/echo", lambda: {"json": [1]}, _with_encoder),
    ("POST", "/echo", lambda: {"data": b"abc"}, lambda session: setattr(session, "allow_incoming_cookies", False)),
    ("POST", "/307", lambda: {"data": b"abc"}, lambda session: setattr(session, "allow_incoming_cookies", False)),
    ("QUERY", "/echo", lambda: {"json": {"a": "ü"}}, lambda session: None),
    ("POST", "/echo", lambda: {"data": b"abc"}, _with_base),
    ("GET", "/echo", lambda: {"auth": "token", "params": {"a": 1}}, lambda session: None),
]


@pytest.mark.parametrize(
    "case",
    [*((method, path, options.copy, lambda session: None) for method, path, options in CASES), *SHARED, *OWN],
    ids=lambda case: f"{case[0]} {case[1]}",
)
def test_all_ways_look_the_same(
    server: tuple[str, list[Received]], case: Case, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    url, received = server

    def sent() -> list[tuple[str, list[tuple[str, str]], bytes]]:
        sent = [(each.line, each.headers, each.body) for each in received]
        received.clear()
        return sent

    short, sent_short = run(_look(url, case)), sent()
    sync, sent_sync = _look_sync(url, case), sent()
    monkeypatch.setattr(_short.ShortWay, "plan", lambda *_: None)
    long, sent_long = run(_look(url, case)), sent()
    sync_long, sent_sync_long = _look_sync(url, case), sent()
    assert sync == sync_long and sent_sync == sent_sync_long
    assert short == long and sent_short == sent_long
    assert sync == short and sent_sync == sent_short


async def _jars(url: str) -> list[Any]:
    seen: list[Any] = []
    async with niquests.AsyncSession() as session:
        for change, path, options in JARS:
            change(session)
            response = await session.get(url + path, **options)
            seen.append((cookies_of(response.request._cookies), cookies_of(session.cookies)))
            response.request._cookies.set("a", "mine")  # a jar of its own
    return seen


def test_a_jar_that_changes(server: tuple[str, list[Received]], monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    url, received = server
    short = run(_jars(url))
    sent_short = [(each.line, each.headers) for each in received]
    received.clear()
    monkeypatch.setattr(_short.ShortWay, "plan", lambda *_: None)
    assert short == run(_jars(url))
    assert sent_short == [(each.line, each.headers) for each in received]


def _goes_short(session: niquests.AsyncSession, url: str, **options: Any) -> bool:
    return _is_native(session.get(url, **options))


def _is_native(pending: Any) -> bool:
    pending.close()
    return not asyncio.iscoroutine(pending) or type(pending).__name__ == "PendingResponse"


def test_plain_requests_go_the_short_way(server: tuple[str, list[Received]]) -> None:
    url = server[0] + "/json"

    async def main() -> None:
        async with niquests.AsyncSession() as session:
            tasks = len(asyncio.all_tasks())
            gathered = asyncio.gather(*[session.get(url) for _ in range(20)])
            assert len(asyncio.all_tasks()) == tasks
            assert [each.json()["price"] for each in await gathered] == [123.45] * 20
            assert _goes_short(session, url)
            assert _goes_short(session, url, headers={"a": "b"}, timeout=3, verify=False)
            assert _goes_short(session, url, params={"a": 1}, cookies={"b": "c"})
            session.cookies.set("a", "1")
            assert _goes_short(session, url)
            for method in ("post", "put", "patch", "delete", "options", "query"):
                for options in ({}, {"data": b"a"}, {"data": {"a": "b"}}, {"json": [1]}):
                    assert _is_native(getattr(session, method)(url, **options))

    asyncio.run(main())


@pytest.mark.parametrize(
    "bend",
    [
        lambda session: setattr(session, "auth", ("a", "b")),
        lambda session: session.params.update(a=1),
        lambda session: setattr(session, "cookies", http.cookiejar.CookieJar()),
        lambda session: setattr(session, "json_encoder", str),
        lambda session: session.hooks["response"].append(print),
        lambda session: session.proxies.update(http="http://127.0.0.1:1"),
        lambda session: setattr(session, "base_url", "http://127.0.0.1:1"),
        lambda session: setattr(session, "send", session.send),
        lambda session: session.mount("http://", niquests.adapters.AsyncHTTPAdapter(max_retries=2)),
    ],
)
def test_whatever_is_bent_goes_the_long_way(
    server: tuple[str, list[Received]], bend: Callable[[niquests.AsyncSession], object]
) -> None:
    async def main() -> None:
        async with niquests.AsyncSession() as session:
            bend(session)
            assert not _goes_short(session, server[0] + "/json")

    asyncio.run(main())


def test_what_is_replaced_is_heard(server: tuple[str, list[Received]], monkeypatch: pytest.MonkeyPatch) -> None:
    url = server[0] + "/json"

    class Own(niquests.AsyncSession):
        async def send(self, request: Any, **kwargs: Any) -> Any:
            request.headers["X-Own"] = "1"
            return await super().send(request, **kwargs)

    async def main() -> None:
        async with Own() as own:
            assert (await own.get(url)).request.headers["X-Own"] == "1"
        async with niquests.AsyncSession() as session:
            assert (await session.get(url)).ok
            monkeypatch.setattr(niquests.sessions, "get_netrc_auth", lambda url: ("user", "pass"))
            assert "Authorization" in (await session.get(url)).request.headers

    asyncio.run(main())


def test_the_world_is_asked_again_in_the_next_turn(tmp_path: Any, server: tuple[str, list[Received]]) -> None:
    url, received = server

    async def main() -> None:
        async with niquests.AsyncSession() as session:
            import os

            os.environ["HOME"] = str(tmp_path)
            await session.get(url + "/json")
            (tmp_path / ".netrc").write_text("machine 127.0.0.1 login user password pass")
            await session.get(url + "/json")
            assert _fast.AsyncShortWay is not None

    asyncio.run(main())
    assert [each.value("authorization") is None for each in received] == [True, False]
