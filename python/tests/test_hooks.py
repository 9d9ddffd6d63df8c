"""Hooks: what sees and may change a request, its response, its failure, its trace; and progress callbacks."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pabal
import pytest
import trio
from pabal import exceptions
from support.nginx import Nginx
from support.scripted import Connection, ScriptedServer

Start = Callable[..., ScriptedServer]
Run = Callable[[Any], Any]


def echo(connection: Connection) -> None:
    while request := connection.read_request():
        seen = {"line": request.line, "headers": dict(request.headers), "body": request.body.decode()}
        connection.answer(json.dumps(seen).encode())


def slow(connection: Connection) -> None:
    import time

    while connection.read_request():
        time.sleep(0.2)
        connection.answer()


class Log(list[str]):
    """Hooks that note that they were called."""

    def __call__(self, event: str) -> Callable[[Any], None]:
        return lambda _: self.append(event)

    def all(self) -> dict[str, Any]:
        return {event: self(event) for event in ("request", "response", "error", "trace")}


# --- sync -------------------------------------------------------------------------------------------------------------


def test_the_order_of_events(nginx: Nginx) -> None:
    log = Log()
    with pabal.Session(hooks=log.all()) as session:
        assert session.get(nginx.url + "/price").ok
        assert log == ["request", "response", "trace"]
        log.clear()
        with pytest.raises(exceptions.ConnectionRefused):
            session.get("http://127.0.0.1:1/")
        assert log == ["request", "error", "trace"]
        log.clear()
        with pytest.raises(exceptions.InvalidURL):
            session.get("http://")
        assert "response" not in log


def test_a_request_hook_changes_the_request(scripted: Start) -> None:
    def sign(request: pabal.Request) -> None:
        request.headers["X-Signed"] = request.method
        request.url += "?signed=1"

    def replace(request: pabal.Request) -> pabal.Request:
        return pabal.Request("PUT", request.url, request.headers, b"replaced")

    server = scripted(echo)
    with pabal.Session(hooks={"request": [sign, replace]}) as session:
        response = session.post(server.url + "/x", json={"a": 1}, headers={"X-Own": "own"})
        seen = response.json()
        assert seen["line"] == "PUT /x?signed=1 HTTP/1.1"
        assert seen["headers"]["X-Signed"] == "POST" and seen["headers"]["X-Own"] == "own"
        assert (seen["body"], seen["headers"]["Content-Length"]) == ("replaced", "8")
        assert response.request.method == "PUT"


def test_a_response_hook_replaces_the_response(nginx: Nginx) -> None:
    def follow(response: pabal.Response) -> pabal.Response | None:
        return pabal.get(nginx.url + "/price") if response.status_code == 410 else None

    with pabal.Session() as session:
        assert session.get(nginx.url + "/gone", hooks={"response": follow}).status_code == 200
        assert session.get(nginx.url + "/gone").status_code == 410


def test_hooks_of_a_request_come_after_those_of_the_session(nginx: Nginx) -> None:
    log = Log()
    with pabal.Session(hooks={"request": log("session")}) as session:
        session.get(nginx.url + "/price", hooks={"request": [log("request")]})
        assert log == ["session", "request"]
        session.hooks["request"].append(log("later"))
        session.get(nginx.url + "/price")
        assert log[2:] == ["session", "later"]
        session.hooks = None
        session.get(nginx.url + "/price")
        assert len(log) == 4
        session.hooks["response"] = log("response")
        session.get(nginx.url + "/price")
        assert log[4:] == ["response"]
    assert "later" not in repr(session.hooks)


def test_the_trace_hook_gets_the_trace(nginx: Nginx) -> None:
    traces: list[pabal.Trace] = []
    with pabal.Session(hooks={"trace": traces.append}) as session:
        session.get(nginx.url + "/moved")
        with pytest.raises(exceptions.ConnectionRefused):
            session.get("http://127.0.0.1:1/")
    assert [len(trace.hops) for trace in traces] == [2, 1]
    assert traces[1].last.error == "connection_refused"


def test_an_error_in_a_hook_is_the_callers(nginx: Nginx) -> None:
    def fail(_: object) -> None:
        raise LookupError("mine")

    for event in ("request", "response", "trace"):
        with pabal.Session(hooks={event: fail}) as session, pytest.raises(LookupError):  # type: ignore[misc]
            session.get(nginx.url + "/price")
    with pabal.Session(hooks={"error": fail}) as session, pytest.raises(LookupError) as raised:
        session.get("http://127.0.0.1:1/")
    assert isinstance(raised.value.__context__, exceptions.ConnectionRefused)


@pytest.mark.parametrize(
    ("hooks", "error"),
    [
        (5, TypeError),
        ({"request": 5}, TypeError),
        ({"request": [5]}, TypeError),
        ({"requests": []}, ValueError),
        ({3: []}, ValueError),
        ([print], TypeError),
    ],
)
def test_wrong_hooks_are_told_before_anything_is_sent(hooks: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        pabal.Session(hooks=hooks)
    with pytest.raises(error):
        pabal.AsyncSession(hooks=hooks)
    with pabal.Session() as session, pytest.raises(error):
        session.get("http://127.0.0.1:1/", hooks=hooks)


def test_a_sync_session_takes_no_coroutine_functions(nginx: Nginx) -> None:
    async def hook(_: object) -> None: ...

    hooks: Any = {"response": hook}
    with pytest.raises(TypeError, match="plain functions"):
        pabal.Session(hooks=hooks)
    with pabal.Session() as session:
        with pytest.raises(TypeError, match="plain functions"):
            session.hooks = hooks
        with pytest.raises(TypeError, match="plain functions"):
            session.get(nginx.url, hooks=hooks)


@pytest.mark.parametrize("event", ["request", "response"])
def test_what_a_hook_returns_is_checked(nginx: Nginx, event: str) -> None:
    hooks: Any = {event: lambda _: 5}
    with pabal.Session(hooks=hooks) as session, pytest.raises(TypeError, match=f"a {event} hook returns"):
        session.get(nginx.url + "/price")


def test_options_are_kept(nginx: Nginx, ca_file: str, scripted: Start) -> None:
    with pabal.Session(hooks={"request": lambda _: None}) as session:
        assert session.get(nginx.url + "/moved", allow_redirects=False).status_code == 302
        assert session.head(nginx.url + "/moved").status_code == 302
        assert session.get(nginx.tls_url + "/price", verify=ca_file).ok
        assert session.get(nginx.url + "/cookies", cookies={"a": "1"}).text == "a=1"
        assert session.get(nginx.url + "/headers", params={"q": 1}).text.split("|")[3] == "q=1"
        with session.stream("GET", nginx.url + "/price") as response:
            assert not response.is_stream_consumed
            assert response.json()["price"] == 123.45
        with pytest.raises(TypeError, match="no option"):
            session.get(nginx.url, nonsense=1)  # type: ignore[call-arg]
        with pytest.raises(exceptions.RequestTimeout):
            session.get(scripted(slow).url, timeout=0.05)


def test_in_bulk(nginx: Nginx, run: Run) -> None:
    log = Log()
    with pabal.Session(hooks=log.all()) as session:
        outcomes = list(pabal.gather([nginx.url + "/price"] * 20 + ["http://127.0.0.1:1/"], session=session))
    assert sum(each.ok for each in outcomes) == 20
    assert (log.count("request"), log.count("response"), log.count("error"), log.count("trace")) == (21, 20, 1, 21)
    log.clear()

    async def main() -> None:
        async with pabal.AsyncSession(hooks=log.all()) as session:
            outcomes = [each async for each in session.map([nginx.url + "/price"] * 20, concurrency=5)]
            assert sum(each.ok for each in outcomes) == 20

    run(main())
    assert (log.count("request"), log.count("response")) == (20, 20)

    def fail(_: object) -> None:
        raise LookupError("mine")

    outcomes = list(pabal.gather([("GET", nginx.url + "/price", {"hooks": {"response": fail}})]))
    assert isinstance(outcomes[0].error, LookupError) and outcomes[0].response is None


# --- async ------------------------------------------------------------------------------------------------------------


async def add_token(request: pabal.Request) -> None:
    await asyncio.sleep(0.001)
    request.headers["X-Token"] = "fetched"


def test_async_hooks(scripted: Start, run: Run) -> None:
    server = scripted(echo)
    log = Log()

    async def note(_: object) -> None:
        await asyncio.sleep(0)
        log.append("async")

    async def main() -> None:
        hooks: Any = {"request": [add_token, log("request")], "response": [note, log("response")], "error": note}
        async with pabal.AsyncSession(hooks=hooks) as session:
            response = await session.get(server.url + "/a")
            assert response.json()["headers"]["X-Token"] == "fetched"
            assert log == ["request", "async", "response"]
            with pytest.raises(exceptions.ConnectionRefused):
                await session.get("http://127.0.0.1:1/")
            assert log[3:] == ["request", "async"]
            own: Any = {"request": add_token}
            async with pabal.AsyncSession() as plain:
                assert (await plain.get(server.url, hooks=own)).json()["headers"]["X-Token"] == "fetched"

    run(main())


@pytest.mark.parametrize("hook", [add_token, lambda _: None])
def test_the_awaitable_keeps_its_contract(scripted: Start, run: Run, hook: Any) -> None:
    server = scripted(echo)

    async def main() -> None:
        async with pabal.AsyncSession(hooks={"request": hook}) as session:
            lazy = session.get(server.url)
            await asyncio.sleep(0.02)
            assert server.connections == 0 and not lazy.done()
            assert "not started" in repr(lazy)
            assert (await lazy).ok and lazy.done() and lazy.result().ok and lazy.exception() is None

            assert all(each.ok for each in await asyncio.gather(*[session.get(server.url) for _ in range(5)]))
            assert (await asyncio.create_task(session.get(server.url))).ok
            assert (await asyncio.wait_for(session.get(server.url), 5)).ok
            assert (await asyncio.shield(session.get(server.url))).ok
            for each in asyncio.as_completed([session.get(server.url), session.get(server.url)]):
                assert (await each).ok
            async with session.stream("GET", server.url) as response:
                assert json.loads(await response.aread())["line"].startswith("GET")
            done = asyncio.Event()
            told = session.get(server.url)
            told.add_done_callback(lambda _: done.set())
            await asyncio.wait_for(done.wait(), 5)
            assert told.done() and told.result().ok and (await told).ok
            dropped = session.get(server.url)
            del dropped
            gc.collect()

    run(main())


def test_cancelling_with_hooks(no_leaks: None, scripted: Start, run: Run) -> None:
    server = scripted(slow)
    ended: list[str] = []

    async def late(_: object) -> None:
        try:
            await asyncio.sleep(30)
        finally:
            ended.append("hook")

    async def main() -> None:
        async with pabal.AsyncSession(hooks={"request": add_token}) as session:
            fresh = session.get(server.url)
            assert fresh.cancel() and fresh.cancelled() and not fresh.cancel()
            with pytest.raises(asyncio.CancelledError):
                await fresh
            task = asyncio.create_task(session.get(server.url))
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(session.get(server.url), 0.05)
            hooks: Any = {"request": late}
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(session.get(server.url, hooks=hooks), 0.05)
            assert ended == ["hook"]
            started = session.get(server.url)
            started.add_done_callback(lambda _: None)
            assert started.cancel()
            with pytest.raises(asyncio.CancelledError):
                await started

    run(main())


def test_hooks_under_trio(scripted: Start) -> None:
    server = scripted(echo)

    async def token(request: pabal.Request) -> None:
        await trio.sleep(0.001)
        request.headers["X-Token"] = "trio"

    async def main() -> None:
        async with pabal.AsyncSession(hooks={"request": token}) as session:
            assert (await session.get(server.url)).json()["headers"]["X-Token"] == "trio"
            async with session.stream("GET", server.url) as response:
                assert b"trio" in await response.aread()
            assert [each.ok async for each in session.map([server.url] * 3)] == [True] * 3

    trio.run(main)


def test_many_with_async_hooks(scripted: Start, run: Run) -> None:
    server = scripted(echo)

    async def main() -> None:
        async with pabal.AsyncSession(hooks={"request": add_token}) as session:
            outcomes = [each async for each in session.map([server.url] * 30, concurrency=4, ordered=True)]
            assert [each.index for each in outcomes] == list(range(30))
            assert all(each.result().json()["headers"]["X-Token"] == "fetched" for each in outcomes)

    run(main())


# --- progress ---------------------------------------------------------------------------------------------------------


class Told(list[tuple[int, "int | None"]]):
    def __call__(self, done: int, total: int | None) -> None:
        self.append((done, total))


def test_download_progress(nginx: Nginx, run: Run) -> None:
    size = 3_000_000
    (nginx.www / "progress.bin").write_bytes(b"x" * size)
    (nginx.www / "progress.txt").write_text("y" * 100_000)
    told = Told()
    with pabal.Session() as session:
        response = session.get(nginx.url + "/progress.bin", progress=told)
        assert len(response.content) == size and response.is_stream_consumed
        assert told[-1] == (size, size) and told[0][0] > 0
        assert [done for done, _ in told] == sorted({done for done, _ in told})
        assert len(told) < 50
        told.clear()
        assert len(session.get(nginx.url + "/progress.txt", progress=told).text) == 100_000
        assert told[-1] == (100_000, None), "a compressed body's size is not known in advance"
        assert session.get(nginx.url + "/price", progress=told).json()["price"] == 123.45
        with pytest.raises(ValueError, match="stream=True"):
            session.get(nginx.url, stream=True, progress=told)

    async def main() -> None:
        told.clear()
        async with pabal.AsyncSession() as session:
            response = await session.get(nginx.url + "/progress.bin", progress=told)
            assert len(response.content) == size
            assert (await session.get(nginx.url + "/price", progress=told)).json()["price"] == 123.45

    run(main())
    assert told[-2] == (size, size)


def test_upload_progress(scripted: Start, run: Run) -> None:
    server = scripted(echo)
    body = b"z" * 300_000
    told = Told()
    with pabal.Session() as session:
        seen = session.put(server.url, content=body, upload_progress=told).json()
        assert seen["headers"]["Content-Length"] == "300000" and len(seen["body"]) == 300_000
        assert told[-1] == (300_000, 300_000)
        told.clear()
        session.put(server.url, content=iter([b"ab", b"c"]), upload_progress=told)
        assert told[-1] == (3, None)

    async def pieces() -> AsyncIterator[bytes]:
        yield b"12"
        yield b"345"

    async def main() -> None:
        told.clear()
        async with pabal.AsyncSession() as session:
            assert (await session.put(server.url, content=pieces(), upload_progress=told)).json()["body"] == "12345"

    run(main())
    assert told[-1] == (5, None)


@pytest.mark.parametrize("name", ["progress", "upload_progress"])
def test_progress_must_be_a_plain_function(name: str) -> None:
    async def told(done: int, total: int | None) -> None: ...

    options: Any
    with pabal.Session() as session:
        for options in ({name: 5}, {name: told}):
            with pytest.raises(TypeError, match=name):
                session.get("http://127.0.0.1:1/", **options)


def test_an_error_in_a_progress_callback_ends_the_request(no_leaks: None, nginx: Nginx) -> None:
    def fail(done: int, total: int | None) -> None:
        raise LookupError("mine")

    with pabal.Session() as session:
        with pytest.raises(LookupError):
            session.get(nginx.url + "/price", progress=fail)
        with pytest.raises(LookupError):
            session.put(nginx.url + "/headers", content=b"1" * 1000, upload_progress=fail)
        assert session.get(nginx.url + "/price").ok
