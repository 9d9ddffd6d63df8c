"""The progress bar of ``pabal fetch``: drawn with rich, on stderr, only for a person at a terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

__all__ = ["Progress"]


class Progress:
    """A bar that is told the counts a few times a second, or nothing at all."""

    def __init__(self, total: int | None, *, wanted: bool = True) -> None:
        self._rich: RichProgress | None = None
        self._task: TaskID | None = None
        if not wanted or not sys.stderr.isatty():
            return
        try:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as RichProgress
        except ImportError:
            print("pabal: for the progress bar: pip install 'pabal[cli]'", file=sys.stderr)
            return
        columns = [
            SpinnerColumn(),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TextColumn("[red]{task.fields[failed]}"),
            TimeRemainingColumn(),
        ]
        self._rich = RichProgress(*columns, console=Console(file=sys.stderr), transient=True)
        self._task = self._rich.add_task("", total=total, failed="", rate="")
        self._rich.start()

    def update(self, done: int, failed: int) -> None:
        if self._rich is None or self._task is None:
            return
        task = self._rich.tasks[0]
        rate = f"{done / task.elapsed:,.0f}/s" if task.elapsed else ""
        self._rich.update(self._task, completed=done, failed=f"{failed:,} failed" if failed else "", rate=rate)

    def close(self) -> None:
        if self._rich is not None:
            self._rich.stop()
            self._rich = None
