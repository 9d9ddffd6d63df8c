"""What ``pabal fetch`` tells a person at the end. Holds counts only, however many requests there were."""

from __future__ import annotations

import math
from collections import Counter
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

__all__ = ["Latencies", "Summary", "size_text", "time_text"]


class Latencies:
    """Percentiles in bounded memory: counts in buckets that grow by 0.1 %."""

    _GROWTH = math.log(1.001)

    def __init__(self) -> None:
        self._buckets: Counter[int] = Counter()
        self.count = 0
        self.maximum = 0.0

    def add(self, seconds: float) -> None:
        self._buckets[round(math.log(max(seconds, 1e-6)) / self._GROWTH)] += 1
        self.count += 1
        self.maximum = max(self.maximum, seconds)

    def percentile(self, percent: float) -> float:
        """The time that ``percent`` of all requests stayed within."""
        wanted = math.ceil(self.count * percent / 100)
        for bucket in sorted(self._buckets):
            wanted -= self._buckets[bucket]
            if wanted <= 0:
                return min(math.exp(bucket * self._GROWTH), self.maximum)
        return self.maximum


def time_text(seconds: float) -> str:
    """``850 µs``, ``1.24 ms``, ``3.5 s``, ``2 min 5 s``"""
    if seconds < 0.9995e-3:
        return f"{seconds * 1e6:.0f} µs"
    if seconds < 0.9995:
        return f"{seconds * 1e3:.3g} ms"
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def size_text(size: float) -> str:
    """``31 B``, ``31.0 kB``, ``2.5 GB``"""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 999.5:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"


class Summary:
    """Counts of everything that finished."""

    def __init__(self) -> None:
        self.done = 0
        self.failed = 0
        self.bytes = 0
        self.statuses: Counter[int] = Counter()
        self.errors: Counter[str] = Counter()
        self.latencies = Latencies()
        self.seconds = 0.0
        self.interrupted = False

    def add(self, seconds: float, status: int | None, size: int, error: str | None) -> None:
        self.done += 1
        self.bytes += size
        self.latencies.add(seconds)
        if status is not None:
            self.statuses[status] += 1
        if error is not None:
            self.failed += 1
            self.errors[error] += 1

    def rows(self) -> list[tuple[str, str, str]]:
        """(label, text, style) of every line."""
        seconds = max(self.seconds, 1e-9)
        rate = self.done / seconds
        pace = f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"
        rows = [("requests", f"{self.done:,} in {time_text(seconds)}   {pace} per second", "bold")]
        if self.interrupted:
            rows.append(("stopped", "by Ctrl-C; what had finished is written", "yellow"))
        if self.done:
            named = ((50, "p50"), (90, "p90"), (99, "p99"))
            times = [f"{name} {time_text(self.latencies.percentile(percent))}" for percent, name in named]
            rows.append(("latency", "   ".join([*times, f"max {time_text(self.latencies.maximum)}"]), "cyan"))
            rows.append(("bytes", f"{size_text(self.bytes)}   {size_text(self.bytes / seconds)} per second", ""))
        for status, count in sorted(self.statuses.items()):
            style = "green" if status < 400 else "red"
            rows.append(("status", f"{status} {_phrase(status)}: {count:,}".replace(" :", ":"), style))
        for name, count in self.errors.most_common():
            rows.append(("error", f"{name}: {count:,}", "red"))
        return rows

    def print(self, stream: TextIO) -> None:
        """In colour on a terminal where rich is installed, else plain."""
        if stream.isatty():
            try:
                self._print_rich(stream)
                return
            except ImportError:
                pass
        previous = ""
        for label, text, _ in self.rows():
            print(f"{'' if label == previous else label:>9}  {text}", file=stream)
            previous = label
        stream.flush()

    def _print_rich(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        table.add_column(justify="right", style="dim")
        table.add_column()
        previous = ""
        for label, text, style in self.rows():
            table.add_row("" if label == previous else label, Text(text, style=style))
            previous = label
        Console(file=stream, highlight=False).print(table)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
