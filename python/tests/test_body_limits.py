"""How large a response's body may become: ``max_body=``, ``Limits(max_body=, max_streamed_body=)``."""

from __future__ import annotations

import asyncio
import gzip
import pickle
from collections.abc import Callable
from typing import Any

import pabal
import pytest
from pabal.exceptions import BodyTooLarge
from support.scripted import Connection, ScriptedServer

Serve = Callable[..., ScriptedServer]

#: 20 MB in 20 KB.
BOMB = gzip.compress(bytes(20_000_000))


def bomb(connection: Connection) -> None:
    while connection.read_request():
        connection.answer(BOMB, "200 OK", "Content-Encoding: gzip")


def plain(connection: Connection) -> None:
    while connection.read_request():
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(100):
            connection.send(b"3e8\r\n" + b"x" * 1000 + b"\r\n")
        connection.send(b"0\r\n\r\n")


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def get(kind: str, url: str, limits: pabal.Limits | None = None, **options: Any) -> pabal.Response:
    settings: dict[str, Any] = {"limits": limits or pabal.Limits(), "trust_env": False, "timeout": 20}
    if kind == "sync":
        with pabal.Session(**settings) as session:
            return session.get(url, **options)

    async def whole() -> pabal.Response:
        async with pabal.AsyncSession(**settings) as session:
            return await session.get(url, **options)

    return asyncio.run(whole())


def read_stream(kind: str, url: str, limits: pabal.Limits | None = None, **options: Any) -> tuple[int, str]:
    """(bytes read, the name of what stopped it)."""
    settings: dict[str, Any] = {"limits": limits or pabal.Limits(), "trust_env": False, "timeout": 20}
    size = 0
    if kind == "sync":
        with pabal.Session(**settings) as session:
            try:
                with session.stream("GET", url, **options) as response:
                    for piece in response.iter_content(1000):
                        size += len(piece)
            except BodyTooLarge as error:
                return size, str(error)
        return size, ""

    async def whole() -> tuple[int, str]:
        size = 0
        async with pabal.AsyncSession(**settings) as session:
            try:
                async with session.stream("GET", url, **options) as response:
                    async for piece in response.aiter_bytes(1000):
                        size += len(piece)
            except BodyTooLarge as error:
                return size, str(error)
        return size, ""

    return asyncio.run(whole())


@pytest.mark.parametrize("options", [{"max_body": 100_000}, {"limits": pabal.Limits(max_body=100_000)}])
def test_a_bomb_that_would_be_kept_is_stopped(scripted: Serve, kind: str, options: dict[str, Any]) -> None:
    with pytest.raises(BodyTooLarge, match=r"limit of 100000 bytes; \d+ bytes were received") as caught:
        get(kind, scripted(bomb).url, **options)
    assert (caught.value.code, caught.value.phase, caught.value.whose) == ("body_too_large", "read", "peer")


@pytest.mark.parametrize("options", [{"max_body": 100_000}, {"limits": pabal.Limits(max_streamed_body=100_000)}])
def test_a_bomb_that_is_read_in_pieces_is_stopped(scripted: Serve, kind: str, options: dict[str, Any]) -> None:
    size, why = read_stream(kind, scripted(bomb).url, **options)
    assert 0 < size <= 100_000
    assert "limit of 100000 bytes" in why


def test_without_a_limit_a_stream_is_read_to_its_end(scripted: Serve, kind: str) -> None:
    assert read_stream(kind, scripted(bomb).url, pabal.Limits(max_body=1)) == (20_000_000, "")


def test_the_whole_of_a_stream_is_kept_and_counts_as_such(scripted: Serve) -> None:
    limits = pabal.Limits(max_body=100_000)
    with (
        pabal.Session(limits=limits) as session,
        session.stream("GET", scripted(bomb).url) as response,
        pytest.raises(BodyTooLarge),
    ):
        response.content  # noqa: B018


def test_plain_bodies_count_as_well(scripted: Serve, kind: str) -> None:
    url = scripted(plain).url
    assert len(get(kind, url, max_body=100_000).content) == 100_000
    with pytest.raises(BodyTooLarge):
        get(kind, url, max_body=99_999)
    assert read_stream(kind, url, max_body=100_000) == (100_000, "")
    assert read_stream(kind, url, max_body=99_999)[1] != ""


def test_a_size_that_is_announced_is_believed_at_once(scripted: Serve, kind: str) -> None:
    def announce(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000001\r\n\r\n")
        connection.wait_closed()

    with pytest.raises(BodyTooLarge, match="announced to have 1000001"):
        get(kind, scripted(announce).url, max_body=1_000_000)
    with pytest.raises(BodyTooLarge, match="announced to have 1000001"):
        get(kind, scripted(announce).url, max_body=1_000_000, stream=True)


def test_no_body_is_allowed_by_zero(scripted: Serve, kind: str) -> None:
    def empty(connection: Connection) -> None:
        while connection.read_request():
            connection.answer(b"")

    assert get(kind, scripted(empty).url, max_body=0).content == b""
    with pytest.raises(BodyTooLarge):
        get(kind, scripted(plain).url, max_body=0)


def test_hooks_pass_it_on(scripted: Serve, kind: str) -> None:
    with pytest.raises(BodyTooLarge):
        get(kind, scripted(bomb).url, max_body=100_000, hooks={"request": lambda request: None})


@pytest.mark.parametrize(
    ("wrong", "error"), [(-1, ValueError), (2**64, ValueError), (1.5, TypeError), (True, TypeError)]
)
def test_limits_that_make_no_sense_are_said(kind: str, wrong: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="max_body"):
        get(kind, "http://127.0.0.1:9/", max_body=wrong)


def test_they_are_limits_like_the_others() -> None:
    limits = pabal.Limits(max_body=1000, max_streamed_body=2000)
    assert (limits.max_body, limits.max_streamed_body) == (1000, 2000)
    assert pickle.loads(pickle.dumps(limits)) == limits
    assert pabal.Limits().max_body == 1 << 30
    assert pabal.Limits().max_streamed_body is None
    assert limits != pabal.Limits(max_body=1000)
    assert repr(limits).endswith("max_body=1000, max_streamed_body=2000, ping_interval=None, coalesce=True)")
    with pytest.raises(ValueError, match="max_body"):
        pabal.Limits(max_body=0)
    with pytest.raises(TypeError, match="max_streamed_body"):
        pabal.Limits(max_streamed_body=1.5)  # type: ignore[arg-type]
