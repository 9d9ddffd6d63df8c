"""The summary of ``pabal fetch``: right numbers, for people."""

from __future__ import annotations

import io
import random

import pytest
from pabal.cli.summary import Latencies, Summary, size_text, time_text


def test_percentiles_are_right_to_a_thousandth() -> None:
    generator = random.Random(1)
    times = [generator.lognormvariate(-6, 1) for _ in range(10_000)]
    latencies = Latencies()
    for each in times:
        latencies.add(each)
    times.sort()
    for percent in (1, 50, 90, 99, 99.9):
        exact = times[int(len(times) * percent / 100) - 1]
        assert latencies.percentile(percent) == pytest.approx(exact, rel=0.001)
    assert latencies.maximum == times[-1]
    assert latencies.percentile(100) <= latencies.maximum


def test_percentiles_of_nothing_and_of_no_time() -> None:
    latencies = Latencies()
    assert latencies.percentile(50) == 0
    latencies.add(0.0)
    assert latencies.percentile(50) <= 1e-6


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.00085, "850 µs"), (0.00124, "1.24 ms"), (0.9999, "1 s"), (3.5, "3.5 s"), (125, "2 min 5 s")],
)
def test_times(seconds: float, text: str) -> None:
    assert time_text(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (31, "31 B"), (31_000, "31 kB"), (2.5e9, "2.5 GB"), (999_999, "1 MB"), (5e15, "5,000.0 TB")],
)
def test_sizes(size: float, text: str) -> None:
    assert size_text(size) == text


def test_the_whole() -> None:
    summary = Summary()
    for _ in range(998):
        summary.add(0.002, 200, 31, None)
    summary.add(0.004, 404, 0, "HTTPStatusError")
    summary.add(1.5, None, 0, "ConnectTimeout")
    summary.seconds = 2
    out = io.StringIO()
    summary.print(out)
    text = out.getvalue()
    for expected in ("1,000 in 2 s", "500 per second", "p50 2 ms", "max 1.5 s", "200 OK: 998", "404 Not Found: 1"):
        assert expected in text
    assert "30.9 kB" in text
    assert "ConnectTimeout: 1" in text


def test_nothing_at_all() -> None:
    out = io.StringIO()
    Summary().print(out)
    assert "requests  0 in" in out.getvalue()
