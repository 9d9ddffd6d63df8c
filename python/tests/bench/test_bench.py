"""The benchmark suite runs, and says what it found. Nothing here depends on how fast anything is."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from bench import report
from bench.adapters import ADAPTERS
from bench.results import Results, Sample
from bench.runner import serves
from bench.shapes import SHAPES, TABLES
from bench.svg import Bar, Line, bar_chart, line_chart

ROOT = Path(__file__).resolve().parents[3]
PEERS_ARE_THERE = (ROOT / "build" / "peers" / "bench-stamp.txt").exists()

needs_nginx = pytest.mark.skipif(
    not shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or "PABAL_SANITIZED" in os.environ,
    reason="needs nginx, and a pabal without sanitizers",
)


def run_suite(folder: Path, *arguments: str) -> list[dict[str, object]]:
    command = [sys.executable, "-m", "bench", "--quick", "--output", str(folder), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    cells: list[dict[str, object]] = json.loads((folder / "results.json").read_text())["cells"]
    return cells


@needs_nginx
@pytest.mark.timeout(300)
@pytest.mark.skipif(importlib.util.find_spec("uvloop") is None, reason="needs uvloop beside pabal")
def test_pabal_does_every_shape(tmp_path: Path) -> None:
    cells = run_suite(tmp_path, "--peers", "socket")
    ours = {cell["shape"] for cell in cells if cell["client"] == "pabal" and "medians" in cell}
    assert ours == {shape.name for shape in SHAPES}
    assert {path.stem for path in tmp_path.glob("*.svg")} == {table.name for table in TABLES}


@needs_nginx
@pytest.mark.timeout(600)
@pytest.mark.skipif(not PEERS_ARE_THERE, reason="build/peers is made by `make bench`")
def test_every_peer_does_every_shape_it_has(tmp_path: Path) -> None:
    cells = run_suite(tmp_path, "--peers-only")
    done = {(cell["shape"], cell["client"]) for cell in cells if "medians" in cell}
    peers = [adapter for adapter in ADAPTERS if not adapter.is_pabal]
    assert done == {(shape.name, peer.name) for shape in SHAPES for peer in peers if serves(peer, shape)}


def sync_results() -> Results:
    results = Results()
    results.cell("sync", "pabal").samples += [Sample(units=100, cpu_s=1, wall_s=wall) for wall in (0.9, 1.0, 9.0)]
    results.cell("sync", "requests").samples.append(Sample(units=100, cpu_s=4, wall_s=4))
    results.cell("sync", "wreq").failure = "over 60 s"
    return results


def sync_table() -> str:
    table = next(table for table in TABLES if table.name == "sync")
    return report.markdown_table(table, sync_results(), {"requests": "2.34.2"})


def test_a_cell_is_the_median_of_the_rounds() -> None:
    assert "| **pabal** | **100 (10,000)** |" in sync_table()


def test_an_advantage_is_above_one_where_pabal_is_better_whichever_way_the_figure_runs() -> None:
    assert "| requests 2.34.2 | 25.0 (40,000) 4.0\N{MULTIPLICATION SIGN} |" in sync_table()


def test_a_client_that_did_not_finish_is_last_and_says_why() -> None:
    assert sync_table().splitlines()[-1] == "| wreq | *over 60 s* |"


def test_readme_keeps_all_but_what_is_between_the_markers(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{report.README_START}\nold\n{report.README_END}\nafter\n")
    table = next(table for table in TABLES if table.name == "sync")
    for _ in range(2):
        assert report.update_readme(readme, table, sync_results(), {}, "Measured here.")
    text = readme.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n")
    assert "old" not in text
    assert text.count("Measured here.") == 1


def test_readme_without_markers_is_left_alone(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("no markers\n")
    assert not report.update_readme(readme, TABLES[0], Results(), {}, "")
    assert readme.read_text() == "no markers\n"


def test_plots_are_well_formed_whatever_the_labels() -> None:
    for drawing in (
        bar_chart("a < b", [Bar("<&>", 3.0), Bar("none", 0.0, highlight=True)]),
        bar_chart("empty", []),
        line_chart("costs", "at once", [Line("a", [(20, 5.0), (1000, 50.0)]), Line("b", [], highlight=True)]),
        line_chart("empty", "at once", []),
    ):
        assert ElementTree.fromstring(drawing).tag.endswith("svg")
