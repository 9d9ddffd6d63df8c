"""``AsyncSession``: cancellation, cookies, redirects, streaming, authentication, hooks, errors."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from pabal import niquests
from support.scripted import Connection, Received, ScriptedServer

Run = Callable[[Any], Any]
Served = tuple[str, list[Received]]


def test_the_program_of_the_mission(server: Served, run: Run) -> None:
    url = server[0] + "/json"

    async def main() -> list[float]:
        async with niquests.AsyncSession() as s:

            async def quote() -> float:
                r = await s.get(url)
                return float(r.json()["price"])

            return await asyncio.gather(*[quote() for _ in range(50)])

    assert run(main()) == [123.45] * 50


def test_cookies_are_kept_and_sent(server: Served, run: Run) -> None:
    url, received = server

    async def main() -> None:
        async with niquests.AsyncSession() as session:
            await session.get(url + "/cookies")
            assert session.cookies.get_dict() == {"a": "1", "b": "2"}
            await session.get(url + "/json")
            await session.get(url + "/json", cookies={"own": "3"})
        async with niquests.AsyncSession(allow_incoming_cookies=False) as session:
            response = await session.get(url + "/cookies")
            assert response.cookies.get_dict() == {"a": "1", "b": "2"}
            assert session.cookies.get_dict() == {}

    run(main())
    assert [each.value("cookie") for each in received] == [None, "a=1; b=2", "a=1; b=2; own=3", None]


def test_a_cookie_of_a_redirect_goes_with_the_next_hop(server: Served, run: Run) -> None:
    url, received = server

    async def main() -> None:
        async with niquests.AsyncSession() as session:
            response = await session.get(url + "/moved")
            assert response.url == url + "/json#part"
            assert [each.status_code for each in response.history] == [302]
            assert session.cookies.get_dict() == {"hop": "1"}

    run(main())
    assert [each.value("cookie") for each in received] == [None, "hop=1"]


def test_cancellation_leaves_the_session_sound(server: Served, run: Run) -> None:
    url = server[0]

    async def main() -> None:
        async with niquests.AsyncSession() as session:
            for options in ({}, {"params": {"long": "way"}}):
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(session.get(url + "/slow", **options), 0.1)
                task = asyncio.ensure_future(session.get(url + "/slow", **options))
                await asyncio.sleep(0.05)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            assert (await session.get(url + "/json")).json()["price"] == 123.45

    run(main())


def test_streaming(scripted: Callable[..., ScriptedServer], run: Run) -> None:
    def script(connection: Connection) -> None:
        while connection.read_request():
            connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for piece in (b"one\ntw", b"o\nthree"):
                connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
            connection.send(b"0\r\n\r\n")

    url = scripted(script).url

    async def main() -> None:
        async with niquests.AsyncSession() as session:
            response = await session.get(url, stream=True)
            assert type(response) is niquests.AsyncResponse
            assert b"".join([piece async for piece in await response.iter_content(4)]) == b"one\ntwo\nthree"
            with pytest.raises(niquests.exceptions.StreamConsumedError):
                await response.iter_content()
            response = await session.get(url, stream=True)
            assert [line async for line in response.iter_lines()] == [b"one", b"two", b"three"]
            response = await session.get(url, stream=True)
            assert [line async for line in response.iter_lines(delimiter=b"\ntw")] == [b"one", b"o\nthree"]
            response = await session.get(url, stream=True)
            assert b"".join([piece async for piece in await response.iter_raw()]) == b"one\ntwo\nthree"
            async with await session.get(url, stream=True) as response:
                assert await response.content == b"one\ntwo\nthree"
                assert await response.text == "one\ntwo\nthree"
                with pytest.raises(niquests.JSONDecodeError):
                    await response.json()
            with pytest.raises(SyntaxError), response:
                pass
            async with await session.get(url, stream=True):
                pass  # unread
            assert (await session.get(url)).content == b"one\ntwo\nthree"

    run(main())


def test_bodies(server: Served, run: Run) -> None:
    url, received = server

    async def pieces() -> AsyncIterator[bytes]:
        yield b"asked "
        await asyncio.sleep(0)
        yield b"later"

    async def main() -> list[bytes]:
        async with niquests.AsyncSession() as session:
            answers = [
                await session.post(url + "/echo", json={"a": 1}),
                await session.post(url + "/echo", data={"a": 1}),
                await session.put(url + "/echo", data=pieces()),
                await session.query(url + "/echo", b"q"),
                await session.patch(url + "/echo", data=iter([b"x", b"y"])),
            ]
            form = await session.post(url + "/echo", files={"f": ("n", b"file")})
            assert b'filename="n"' in form.content
            assert form.request.headers["Content-Type"].startswith("multipart/form-data; boundary=")
            return [answer.content for answer in answers]

    assert run(main()) == [b'{"a":1}', b"a=1", b"asked later", b"q", b"xy"]
    assert received[0].value("content-type") == "application/json;charset=utf-8"
    assert received[2].value("transfer-encoding") == "chunked"
    assert received[3].method == "QUERY"


class _Signed(niquests.auth.AsyncAuthBase):
    async def __call__(self, r: Any) -> Any:
        await asyncio.sleep(0)
        r.headers["Authorization"] = "Signed"
        return r


@pytest.mark.parametrize(
    ("auth", "sent"),
    [
        (("user", "pass"), "Basic dXNlcjpwYXNz"),
        ("token", "Bearer token"),
        (niquests.auth.BearerTokenAuth("token"), "Bearer token"),
        (_Signed(), "Signed"),
    ],
)
def test_authentication(server: Served, run: Run, auth: Any, sent: str) -> None:
    async def main() -> str:
        async with niquests.AsyncSession() as session:
            own = await session.get(server[0] + "/echo", auth=auth)
        async with niquests.AsyncSession(auth=auth) as session:
            common = await session.get(server[0] + "/echo")
        assert own.headers["x-auth"] == common.headers["x-auth"]
        return str(own.headers["x-auth"])

    assert run(main()) == sent


@pytest.mark.parametrize("kind", [niquests.auth.AsyncHTTPDigestAuth, niquests.auth.HTTPDigestAuth])
def test_digest(server: Served, run: Run, kind: Any) -> None:
    url, received = server

    async def main() -> None:
        async with niquests.AsyncSession() as session:
            auth = kind("user", "pass")
            answers = await asyncio.gather(*[session.get(url + "/digest", auth=auth) for _ in range(5)])
            assert [each.status_code for each in answers] == [200] * 5
            assert [[hop.status_code for hop in each.history] for each in answers] == [[401]] * 5

    run(main())
    assert sum(each.value("authorization") is None for each in received) == 5


def test_what_is_awaited_is_refused_by_the_sync_session(server: Served) -> None:
    with niquests.Session() as session, pytest.raises(NotImplementedError):
        session.get(server[0] + "/echo", auth=_Signed())


def test_hooks(server: Served, run: Run) -> None:
    events: list[str] = []

    class Watch(niquests.AsyncLifeCycleHook):
        async def pre_request(self, prepared_request: Any, **kwargs: Any) -> Any:
            events.append("pre_request")
            prepared_request.headers["X-Hook"] = "1"

        async def pre_send(self, prepared_request: Any, **kwargs: Any) -> Any:
            events.append("pre_send")

        async def response(self, response: Any, **kwargs: Any) -> Any:
            events.append("response")

    def plain(response: Any) -> None:
        events.append("plain")

    async def awaited(response: Any, **kwargs: Any) -> Any:
        events.append(type(response).__name__)
        assert await response.content == b"ask"

    async def main() -> None:
        async with niquests.AsyncSession(hooks=Watch()) as session:
            await session.post(server[0] + "/echo", data=b"ask")
            await session.post(server[0] + "/echo", data=b"ask", hooks={"response": [plain, awaited]})

    run(main())
    assert events == ["pre_request", "pre_send", "response", "pre_request", "pre_send", "plain", "AsyncResponse"]
    assert [each.value("x-hook") for each in server[1]] == ["1", "1"]


def test_limiters_can_be_added(run: Run) -> None:
    both = niquests.AsyncTokenBucketLimiter(rate=1000) + niquests.AsyncLeakyBucketLimiter(rate=1000)
    assert [len(both[event]) for event in both] == [2] * 5


def test_retries(scripted: Callable[..., ScriptedServer], run: Run) -> None:
    asked: list[int] = []

    def script(connection: Connection) -> None:
        while connection.read_request():
            asked.append(1)
            connection.answer(b"", "503 Busy" if len(asked) < 3 else "200 OK")

    url = scripted(script).url
    retries = niquests.RetryConfiguration(total=4, status_forcelist=[503], backoff_factor=0.01)

    async def main() -> int:
        async with niquests.AsyncSession(retries=retries) as session:
            return int((await session.get(url)).status_code)

    assert run(main()) == 200
    assert len(asked) == 3


def test_functions(server: Served, run: Run) -> None:
    url = server[0]

    async def main() -> None:
        assert (await niquests.aget(url + "/json", {"a": 1})).json()["price"] == 123.45
        assert (await niquests.apost(url + "/echo", b"x")).content == b"x"
        assert (await niquests.ahead(url + "/moved")).status_code == 302
        assert (await niquests.arequest("PUT", url + "/echo", data=b"y")).content == b"y"
        response = await niquests.aget(url + "/json", stream=True)
        assert (await response.json())["price"] == 123.45

    run(main())


def test_closing_fails_what_is_under_way_and_a_closed_session_can_be_used_again(server: Served, run: Run) -> None:
    url = server[0]

    async def main() -> None:
        session = niquests.AsyncSession()
        tasks = [asyncio.ensure_future(session.get(url + "/slow")) for _ in range(3)]
        streamed = await session.get(url + "/json", stream=True)
        await asyncio.sleep(0.05)
        await session.close()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(each) for each in outcomes] == [niquests.ConnectionError] * 3
        with contextlib.suppress(niquests.RequestException):
            await streamed.content
        assert (await session.get(url + "/json")).ok
        await session.close()

    run(main())


def test_a_multiplexed_session_answers_at_once(server: Served, run: Run) -> None:
    async def main() -> None:
        async with niquests.AsyncSession(multiplexed=True) as session:
            responses = [await session.get(server[0] + "/json") for _ in range(3)]
            await session.gather()
            assert [each.json()["price"] for each in responses] == [123.45] * 3

    run(main())
