"""Bodies that are read while they are sent."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trio
from pabal._body import PIECE, AsyncBody, Body, FileBody, IterableBody, JoinedBody, as_body, size_of_file


def read_all(body: Body) -> bytes:
    pieces: list[bytes] = []
    while piece := body.next_piece():
        pieces.append(piece)
    assert body.next_piece() == b""
    return b"".join(pieces)


@pytest.mark.parametrize("value", [b"abc", "abc", bytearray(b"abc"), memoryview(b"abc"), [b"a", b"bc"], ("ab", b"c")])
def test_what_lies_in_memory_is_bytes(value: Any) -> None:
    assert as_body(value, "content") == b"abc"


def test_text_is_utf8() -> None:
    assert as_body("ü", "content") == b"\xc3\xbc"


@pytest.mark.parametrize("value", [5, None, object(), {"a": 1}])
def test_what_is_no_body_is_named(value: Any) -> None:
    with pytest.raises(TypeError, match="content must be bytes"):
        as_body(value, "content")


def test_a_file_is_read_in_pieces_from_where_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "file"
    data = os.urandom(3 * PIECE + 5)
    path.write_bytes(data)
    with path.open("rb") as file:
        file.seek(7)
        body = as_body(file, "content")
        assert isinstance(body, FileBody)
        assert body.size == len(data) - 7
        assert len(body.next_piece()) == PIECE
        assert body.rewind()
        assert read_all(body) == data[7:]


def test_a_file_in_memory_knows_its_size() -> None:
    file = io.BytesIO(b"0123456789")
    file.seek(4)
    assert size_of_file(file) == 6
    assert file.tell() == 4


def test_pipes_and_devices_have_no_size() -> None:
    readable, writable = os.pipe()
    with os.fdopen(readable, "rb") as reader, os.fdopen(writable, "wb") as writer:
        writer.write(b"through a pipe")
        writer.close()
        body = as_body(reader, "content")
        assert isinstance(body, Body)
        assert body.size is None
        assert read_all(body) == b"through a pipe"
        assert not body.rewind()
    with open("/dev/zero", "rb") as device:
        assert size_of_file(device) is None


def test_text_files_are_sent_as_utf8_without_a_size() -> None:
    body = as_body(io.StringIO("grün"), "data")
    assert isinstance(body, Body)
    assert body.size is None
    assert read_all(body) == "grün".encode()


def test_a_generator_is_read_once() -> None:
    def pieces() -> Iterator[bytes]:
        yield b"a"
        yield b""
        yield b"b"

    body = as_body(pieces(), "content")
    assert isinstance(body, IterableBody)
    assert body.size is None
    assert body.rewind()  # nothing was read yet
    assert body.next_piece() == b"a"
    assert not body.rewind()
    assert body.next_piece() == b"b"
    assert body.next_piece() == b""


def test_an_iterable_can_begin_anew() -> None:
    class Pieces:
        def __iter__(self) -> Iterator[bytes]:
            return iter((b"a", b"b"))

    body = as_body(Pieces(), "content")
    assert isinstance(body, Body)
    assert read_all(body) == b"ab"
    assert body.rewind()
    assert read_all(body) == b"ab"


def test_pieces_must_be_bytes() -> None:
    body = as_body(iter([1]), "content")
    assert isinstance(body, Body)
    with pytest.raises(TypeError, match="must yield bytes, not int"):
        body.next_piece()


def test_joined_bodies() -> None:
    body = JoinedBody([b"<", FileBody(io.BytesIO(b"one")), b"", b"|", FileBody(io.BytesIO(b"two")), b">"])
    assert body.size == 9
    assert read_all(body) == b"<one|two>"
    assert body.rewind()
    assert read_all(body) == b"<one|two>"


def test_a_joined_body_is_of_unknown_size_and_read_once_when_a_part_is() -> None:
    body = JoinedBody([b"<", IterableBody(iter([b"x"])), b">"])
    assert body.size is None
    assert read_all(body) == b"<x>"
    assert not body.rewind()


class Collected:
    """The engine's side of an `AsyncBody`."""

    def __init__(self, body: AsyncBody, new_event: Callable[[], Any]) -> None:
        self.body, self.new_event = body, new_event

    async def next(self) -> bytes:
        answered = self.new_event()
        got: list[Any] = []

        def deliver(piece: bytes | None, error: BaseException | None) -> None:
            got.append((piece, error))
            answered.set()

        self.body.pull(deliver)
        await answered.wait()
        ((piece, error),) = got
        if error is not None:
            raise error
        return bytes(piece)

    async def all(self) -> bytes:
        whole = b""
        while piece := await self.next():
            whole += piece
        return whole


class Ticks:
    """Async pieces, with a pause before each; remembers that it was cleaned up."""

    def __init__(self, sleep: Callable[[float], Any], error: Exception | None = None) -> None:
        self.sleep, self.error, self.given, self.cleaned = sleep, error, 0, False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            for number in range(5):
                await self.sleep(0)
                self.given += 1
                yield b"%d" % number
                yield b""
            if self.error is not None:
                raise self.error
        finally:
            self.cleaned = True


@pytest.fixture(params=["asyncio", "trio"])
def either(request: pytest.FixtureRequest) -> tuple[Callable[..., Any], Any]:
    """(run, the library)"""
    if request.param == "trio":
        return trio.run, trio
    return lambda function: asyncio.run(function()), asyncio


def test_an_async_iterable_is_read_only_as_fast_as_it_is_pulled(either: tuple[Callable[..., Any], Any]) -> None:
    run, library = either
    ticks = Ticks(library.sleep)

    async def main() -> None:
        collected = Collected(AsyncBody(ticks), library.Event)
        assert await collected.next() == b"0"
        for _ in range(10):
            await library.sleep(0)
        assert ticks.given == 1
        assert await collected.all() == b"1234"

    run(main)
    assert ticks.cleaned


def test_an_async_iterable_that_fails_delivers_its_error(either: tuple[Callable[..., Any], Any]) -> None:
    run, library = either

    async def main() -> None:
        collected = Collected(AsyncBody(Ticks(library.sleep, KeyError("mine"))), library.Event)
        with pytest.raises(KeyError, match="mine"):
            await collected.all()

    run(main)


def test_closing_stops_the_iterator_and_lets_it_clean_up(either: tuple[Callable[..., Any], Any]) -> None:
    run, library = either
    ticks = Ticks(library.sleep)

    async def main() -> None:
        body = AsyncBody(ticks)
        await Collected(body, library.Event).next()
        body.close()
        for _ in range(5):
            await library.sleep(0)
        assert ticks.cleaned
        body.close()

    run(main)


def test_an_async_iterable_can_begin_anew_and_a_generator_cannot(either: tuple[Callable[..., Any], Any]) -> None:
    run, library = either

    async def main() -> None:
        body = AsyncBody(Ticks(library.sleep))
        assert await Collected(body, library.Event).all() == b"01234"
        assert body.rewind()
        assert await Collected(body, library.Event).all() == b"01234"
        generator = Ticks(library.sleep).__aiter__()
        once = AsyncBody(generator)
        assert await Collected(once, library.Event).all() == b"01234"
        assert not once.rewind()

    run(main)


def test_files_that_are_awaited(either: tuple[Callable[..., Any], Any]) -> None:
    run, library = either

    class File:
        def __init__(self) -> None:
            self.rest = b"x" * (PIECE + 1)

        async def read(self, size: int = -1) -> bytes:
            await library.sleep(0)
            piece, self.rest = self.rest[:size], self.rest[size:]
            return piece

    async def main() -> None:
        body = as_body(File(), "content")
        assert isinstance(body, AsyncBody)
        assert len(await Collected(body, library.Event).all()) == PIECE + 1

    run(main)
