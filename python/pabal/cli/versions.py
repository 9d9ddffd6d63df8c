"""The same URLs over every version of HTTP, side by side: what ``make run`` ends with."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from typing import TYPE_CHECKING

from pabal.cli.fetch import Output, fetch
from pabal.cli.summary import time_text

if TYPE_CHECKING:
    from pabal.cli.summary import Summary
    from pabal.types import HTTP

__all__ = ["VERSIONS", "compare"]

#: What the embedded server speaks on its one port.
VERSIONS: tuple[HTTP, ...] = ("1.1", "2", "3")

_COLUMNS = ("HTTP", "quotes", "time", "per second", "p50", "p99", "the same")


def compare(urls_path: str, ca_file: str) -> tuple[list[str], bool]:
    """The lines of a table with a row for each version, and whether every URL was answered, by all of them alike."""
    rows: list[tuple[str, ...]] = [_COLUMNS]
    first: list[tuple[str, str]] | None = None
    well = True
    for version in VERSIONS:
        summary, answers = _gathered(urls_path, ca_file, version)
        first = first or answers
        same = answers == first
        well = well and same and not summary.failed
        named = "yes" if same else "no"
        pace = f"{summary.done / max(summary.seconds, 1e-9):,.0f}"
        p50, p99 = (time_text(summary.latencies.percentile(percent)) for percent in (50, 99))
        rows.append(
            (str(version), f"{summary.done - summary.failed:,}", time_text(summary.seconds), pace, p50, p99, named)
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    return ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows], well


def _gathered(urls_path: str, ca_file: str, version: HTTP) -> tuple[Summary, list[tuple[str, str]]]:
    """Gathers the URLs over one version; what they answered, in the order of the URLs."""
    descriptor, path = tempfile.mkstemp(prefix="pabal-quotes-", suffix=".jsonl")
    os.close(descriptor)
    try:
        output = Output(path)
        summary = asyncio.run(fetch([urls_path], output, verify=ca_file, progress=False, http=version))
        output.close()
        with open(path, encoding="utf-8") as lines:
            records = [json.loads(line) for line in lines]
    finally:
        os.unlink(path)
    return summary, sorted((record["url"], json.dumps(record.get("json"))) for record in records)
