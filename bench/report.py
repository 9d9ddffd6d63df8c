"""Results as Markdown, as plots, as JSON, and as the table in README."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bench.adapters import adapter_named
from bench.results import Cell, Results
from bench.shapes import Figure, Kind, Table
from bench.svg import Bar, Line, bar_chart, line_chart, number

README_START, README_END = "<!-- bench:start -->", "<!-- bench:end -->"
OURS = "pabal"
NOT_MEASURED = "-"
TIMES = "\N{MULTIPLICATION SIGN}"


def advantage(figure: Figure, ours: float | None, theirs: float | None) -> float | None:
    """How many times better pabal is than a peer; above 1 it is better, whichever way the figure runs."""
    if not ours or not theirs:
        return None
    return ours / theirs if figure.more_is_better else theirs / ours


def cell_text(table: Table, client: str, cell: Cell | None, ours: Cell | None) -> str:
    """`main (second) ratio`, as far as there is one."""
    if cell is None:
        return NOT_MEASURED
    main = cell.median(table.main.of)
    if main is None:
        return f"*{escape_cell(cell.failure)}*" if cell.failure else NOT_MEASURED
    text = number(main)
    second = cell.median(table.second.of) if table.second else None
    if second is not None:
        text += f" ({number(second)})"
    ratio = advantage(table.main, ours.median(table.main.of) if ours else None, main)
    if ratio is not None and (not adapter_named(client).is_pabal or adapter_named(client).is_face):
        text += f" {ratio:.1f}{TIMES}"
    return text


def escape_cell(text: str) -> str:
    """What a program printed, made harmless inside a Markdown table."""
    return text.replace("\\", "").replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


def order(table: Table, results: Results) -> list[str]:
    """Best first by the main figure at the second shape (100 at once), or at the only one; failures last."""
    reference = table.shapes[min(1, len(table.shapes) - 1)].name

    def key(client: str) -> tuple[bool, float]:
        cell = results.find(reference, client)
        value = cell.median(table.main.of) if cell else None
        if value is None:
            return True, 0.0
        return False, -value if table.main.more_is_better else value

    return sorted(results.clients([shape.name for shape in table.shapes]), key=key)


def markdown_table(table: Table, results: Results, versions: Mapping[str, str]) -> str:
    rows = ["| client | " + " | ".join(shape.heading for shape in table.shapes) + " |"]
    rows.append("|---|" + "---:|" * len(table.shapes))
    for client in order(table, results):
        adapter = adapter_named(client)
        name = f"{client} {versions.get(adapter.module, '')}".strip()
        cells = [
            cell_text(table, client, results.find(shape.name, client), results.find(shape.name, OURS))
            for shape in table.shapes
        ]
        if adapter.is_pabal:
            name, cells = f"**{name}**", [f"**{cell}**" for cell in cells]
        rows.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def unit_line(table: Table) -> str:
    figures = f"{table.main.name[0].upper()}{table.main.name[1:]} in {table.main.unit.lstrip('/') or 'units'}"
    if table.main.unit == "/s":
        figures = figures.removesuffix(" in s")
    if table.second:
        unit = "" if table.second.unit == "/s" else f" in {table.second.unit}"
        figures += f"; in brackets, {table.second.name}{unit}"
    return f"{figures}. {'More' if table.main.more_is_better else 'Less'} is better."


def plot(table: Table, results: Results) -> str:
    """Lines where the shapes differ in the number at once, bars otherwise."""
    clients = order(table, results)
    title = f"{table.title}: {table.main.name}" + ("" if table.main.unit == "/s" else f", {table.main.unit}")
    if table.shapes[0].kind is Kind.GATHER and len(table.shapes) > 1:
        lines = []
        for client in clients:
            cells = [(shape.at_once, results.find(shape.name, client)) for shape in table.shapes]
            values = [(at_once, cell.median(table.main.of)) for at_once, cell in cells if cell]
            points = [(float(at_once), value) for at_once, value in values if value]
            lines.append(Line(client, points, highlight=client == OURS))
        return line_chart(title, "requests at once", lines)
    bars = []
    for shape in table.shapes:
        one = replace(table, shapes=(shape,))
        for client in order(one, results):
            cell = results.find(shape.name, client)
            value = cell.median(table.main.of) if cell else None
            if value is not None:
                label = client if len(table.shapes) == 1 else f"{client}, {shape.heading}"
                bars.append(Bar(label, value, highlight=adapter_named(client).is_pabal, group=shape.heading))
    return bar_chart(title, bars)


def markdown(tables: Sequence[Table], results: Results, versions: Mapping[str, str], setting: str) -> str:
    parts = [
        "# Benchmark results",
        f"{setting}",
        f"`{TIMES}` is pabal's advantage over that client in the same run: how many times less it costs, or"
        " how many times more it does. [How this is measured, and how to read it](../../docs/benchmarks.md).",
    ]
    for table in tables:
        parts += [f"## {table.title}", table.note, markdown_table(table, results, versions), unit_line(table)]
        parts.append(f"![{table.title}]({table.name}.svg)")
    failures = [f"- {client}, {shape}: {escape_cell(failure)}" for shape, client, failure in results.failures()]
    if failures:
        parts += ["## Not finished", "\n".join(failures)]
    return "\n\n".join(part for part in parts if part) + "\n"


def as_json(tables: Sequence[Table], results: Results, versions: Mapping[str, str], setting: str) -> str:
    """Medians, for programs that compare runs."""
    cells = []
    for table in tables:
        figures = [figure for figure in (table.main, table.second) if figure]
        for shape in table.shapes:
            for client in results.clients([shape.name]):
                cell = results.cell(shape.name, client)
                medians = {f"{figure.name} ({figure.unit})": cell.median(figure.of) for figure in figures}
                entry: dict[str, object] = {"shape": shape.name, "client": client, "rounds": len(cell.samples)}
                cells.append(entry | ({"failure": cell.failure} if cell.failure else {"medians": medians}))
    return json.dumps({"setting": setting, "versions": dict(versions), "cells": cells}, indent=1) + "\n"


def write_results(
    folder: Path, tables: Sequence[Table], results: Results, versions: Mapping[str, str], setting: str
) -> None:
    raw = folder / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    for table in tables:
        (folder / f"{table.name}.svg").write_text(plot(table, results))
    (folder / "README.md").write_text(markdown(tables, results, versions, setting))
    (folder / "results.json").write_text(as_json(tables, results, versions, setting))
    samples = [
        json.dumps({"shape": shape, "client": client, **vars(sample)})
        for shape, client, cell in results.items()
        for sample in cell.samples
    ]
    (raw / "samples.jsonl").write_text("".join(f"{line}\n" for line in samples))


def update_readme(readme: Path, table: Table, results: Results, versions: Mapping[str, str], setting: str) -> bool:
    """Replace what stands between the markers; False if they are not there."""
    text = readme.read_text() if readme.exists() else ""
    start, end = text.find(README_START), text.find(README_END)
    if start < 0 or end < start:
        return False
    block = [
        README_START,
        markdown_table(table, results, versions),
        f"{unit_line(table)} `{TIMES}` is pabal's advantage in the same run.  \n{setting}"
        " [All results](bench/results/README.md), [method](docs/benchmarks.md).",
        README_END,
    ]
    readme.write_text(text[:start] + "\n\n".join(block) + text[end + len(README_END) :])
    return True
