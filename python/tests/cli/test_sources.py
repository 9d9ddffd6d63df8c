"""Where URLs come from: files, stdin, the command line; never more than a piece at a time."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from pabal.cli.sources import MAX_LINE, PIECE, Sources


def taken(sources: list[str]) -> list[str]:
    async def main() -> list[str]:
        urls = Sources(sources)
        found: list[str] = []
        while (url := await urls.next()) is not None:
            found.append(url)
        assert await urls.next() is None
        urls.close()
        return found

    return asyncio.run(main())


def counted(sources: list[str]) -> int | None:
    async def main() -> int | None:
        return Sources(sources).count()

    return asyncio.run(main())


def test_blank_lines_and_comments_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "urls.txt"
    path.write_bytes(b"\n# a comment\n  http://a/ \r\n\r\n\thttp://b/#part\n#\nhttp://c/")
    expected = ["http://a/", "http://b/#part", "http://c/"]
    assert taken([str(path)]) == expected
    assert counted([str(path)]) == 3
    assert taken([str(path), "http://d/"]) == [*expected, "http://d/"]
    assert counted([str(path), "http://d/"]) == 4


def test_lines_that_cross_pieces(tmp_path: Path) -> None:
    path = tmp_path / "urls.txt"
    urls = [f"http://h/{number:0{number % 40 + 6}}" for number in range(10_000)]
    path.write_text("\n".join(urls))
    assert path.stat().st_size > 3 * PIECE
    assert taken([str(path)]) == urls
    assert counted([str(path)]) == 10_000


def test_a_line_without_end_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "urls.txt"
    path.write_bytes(b"x" * (MAX_LINE * 10))
    assert all(len(url) <= MAX_LINE for url in taken([str(path)]))


def test_a_pipe_gives_what_it_has_before_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)

    async def main() -> None:
        writer = os.open(path, os.O_RDWR)  # both, so that opening does not block
        urls = Sources([str(path)])
        assert urls.count() is None
        os.write(writer, b"http://a/\nhttp://b")
        assert await urls.next() == "http://a/"
        waiting = asyncio.ensure_future(urls.next())
        await asyncio.sleep(0.05)
        assert not waiting.done()
        os.write(writer, b"/\n")
        assert await waiting == "http://b/"
        os.close(writer)
        assert await urls.next() is None

    asyncio.run(main())


def test_a_missing_file_is_said_at_once() -> None:
    with pytest.raises(FileNotFoundError, match="no-such-file"):
        counted(["http://a/", "no-such-file"])


def test_many_takers_get_every_url_once(tmp_path: Path) -> None:
    path = tmp_path / "urls.txt"
    path.write_text("".join(f"http://h/{number}\n" for number in range(20_000)))

    async def main() -> None:
        urls = Sources([str(path)])
        found: list[str] = []

        async def take() -> None:
            while (url := await urls.next()) is not None:
                found.append(url)
                await asyncio.sleep(0)

        await asyncio.gather(*[take() for _ in range(50)])
        assert len(found) == len(set(found)) == 20_000

    asyncio.run(main())
