"""`FilesOf`: a file that has just appeared is seen, however little time has passed since the last look."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pabal._engine import FilesOf


@pytest.fixture
def files(tmp_path: Path) -> FilesOf:
    return FilesOf(os.fsencode(tmp_path), b".netrc", b"_netrc")


def settle(files: FilesOf, limit: float = 30) -> None:
    """Until the folder alone is looked at: some seconds after its last change."""
    end = time.monotonic() + limit
    while not files.is_settled and time.monotonic() < end:
        assert not files.any_exist()
        time.sleep(0.05)
    assert files.is_settled


def appears(path: Path) -> None:
    path.write_text("")


def appears_by_renaming(path: Path) -> None:
    path.parent.with_name("elsewhere").write_text("")
    path.parent.with_name("elsewhere").rename(path)


def appears_with_old_times(path: Path) -> None:
    """As a program that restores a folder leaves it."""
    before = path.parent.stat()
    path.write_text("")
    os.utime(path.parent, ns=(before.st_atime_ns, before.st_mtime_ns))


def appears_with_its_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("former"))
    path.parent.mkdir()
    path.write_text("")


def test_what_appears_in_a_folder_that_was_quiet_is_seen(tmp_path: Path) -> None:
    cases: list[tuple[Callable[[Path], None], Path, FilesOf]] = []
    ways: list[Callable[[Path], None]] = [
        appears,
        appears_by_renaming,
        appears_with_old_times,
        appears_with_its_folder,
    ]
    for how in ways:
        for name in (".netrc", "_netrc"):
            home = tmp_path / str(len(cases)) / "home"
            home.mkdir(parents=True)
            cases.append((how, home / name, FilesOf(os.fsencode(home), b".netrc", b"_netrc")))
    for _, _, files in cases:
        settle(files)
    for appear, path, files in cases:
        assert not files.any_exist() and files.is_settled
        appear(path)
        assert files.any_exist() and files.any_exist()
        path.unlink()
        assert not files.any_exist()


def test_what_appears_right_after_a_look_is_seen(files: FilesOf, tmp_path: Path) -> None:
    """The times of the folder may not have moved: clocks tick more slowly than programs run."""
    for _ in range(300):
        assert not files.any_exist()
        (tmp_path / ".netrc").write_text("")
        assert files.any_exist()
        (tmp_path / ".netrc").unlink()
    assert not files.is_settled


def test_a_link_is_what_it_leads_to(files: FilesOf, tmp_path: Path) -> None:
    """Where it leads may appear without a change of the folder: it is looked for every time."""
    target = tmp_path.with_name("target")
    (tmp_path / ".netrc").symlink_to(target)
    os.utime(tmp_path, (0, 0))
    assert not files.any_exist() and not files.is_settled
    target.write_text("")
    assert files.any_exist()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    files = FilesOf(os.fsencode(tmp_path / "home"), b".netrc")
    assert not files.any_exist() and not files.is_settled
    (tmp_path / "home").mkdir()
    (tmp_path / "home/.netrc").write_text("")
    assert files.any_exist()


def test_what_is_no_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        FilesOf(str(tmp_path), b".netrc")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        FilesOf(b"/", ".netrc")  # type: ignore[arg-type]
