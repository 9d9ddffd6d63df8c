"""The command line: chooses tables and clients, runs them, writes what was found."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from fnmatch import fnmatch
from pathlib import Path

from bench import environment, report
from bench.adapters import ADAPTERS, SOCKET, Adapter
from bench.environment import ROOT, Unavailable
from bench.results import Results
from bench.runner import Plan, Runner
from bench.server import nginx, room_for
from bench.shapes import TABLES, Kind, Shape, Table

PUBLISHED = ROOT / "bench" / "results"
UNPUBLISHED = ROOT / "build" / "bench"
README = ROOT / "README.md"


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure pabal against its peers.")
    parser.add_argument("--only", metavar="PATTERN", help="shapes whose name contains or matches it, e.g. gather-0ms-*")
    parser.add_argument("--peers", metavar="A,B", help="only these peers, or '' for none (default: all)")
    parser.add_argument("--peers-only", action="store_true", help="leave pabal out")
    parser.add_argument("--quick", action="store_true", help="tiny counts: shows that every shape runs, no more")
    parser.add_argument("--rounds", type=int, default=3, help="turns of every client (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=1.5, help="work of one turn (default: %(default)s)")
    parser.add_argument("--limit", type=float, default=60, help="seconds a turn may take (default: %(default)s)")
    parser.add_argument("--python", default=sys.executable, help="the Python that has pabal (default: this one)")
    parser.add_argument("--output", type=Path, help="folder for the results")
    parser.add_argument("--list", action="store_true", help="name the shapes and the clients, and end")
    return parser.parse_args(arguments)


def chosen_tables(pattern: str | None) -> list[Table]:
    """Every table that still has a shape."""

    def matches(shape: Shape) -> bool:
        return pattern is None or pattern in shape.name or fnmatch(shape.name, pattern)

    tables = [replace(table, shapes=tuple(filter(matches, table.shapes))) for table in TABLES]
    tables = [table for table in tables if table.shapes]
    if not tables:
        raise Unavailable(f"no shape matches {pattern}; --list names them")
    return tables


def chosen_adapters(peers: str | None, peers_only: bool) -> list[Adapter]:
    names = {adapter.name for adapter in ADAPTERS if not adapter.is_pabal}
    wanted = names if peers is None else {name.strip() for name in peers.split(",") if name.strip()}
    if unknown := wanted - names:
        raise Unavailable(f"unknown peers: {', '.join(sorted(unknown))}; --list names those there are")
    return [
        adapter for adapter in ADAPTERS if (not peers_only if adapter.is_pabal else adapter.name in wanted)
    ]  # fmt: skip


def list_everything() -> None:
    print("shapes: ", *(shape.name for table in TABLES for shape in table.shapes))
    print("clients:", *(adapter.name for adapter in ADAPTERS))


def find_clients(adapters: Sequence[Adapter], python: str) -> tuple[dict[str, str], dict[str, str], str | None]:
    """The Python of each client, the versions, and where pabal finds an event loop that its own Python lacks."""
    pythons = {adapter.name: python for adapter in adapters}
    loop_path: str | None = None
    missing_loop = any(
        a.is_pabal and a.loop != "asyncio" and not environment.has_module(python, a.loop) for a in adapters
    )
    peers = [adapter for adapter in adapters if not adapter.is_pabal and adapter.name != SOCKET]
    if peers or missing_loop:
        peers_python = environment.ensure_peers()
        pythons |= {adapter.name: str(peers_python) for adapter in peers}
        loop_path = environment.site_packages(peers_python) if missing_loop else None
    versions: dict[str, str] = {}
    for each in dict.fromkeys(pythons.values()):
        versions |= environment.installed_versions(each, [a for a in adapters if pythons[a.name] == each])
    return pythons, versions, loop_path


def run(options: argparse.Namespace) -> int:
    tables = chosen_tables(options.only)
    adapters = chosen_adapters(options.peers, options.peers_only)
    pythons, versions, loop_path = find_clients(adapters, options.python)
    plan = Plan(1 if options.quick else options.rounds, options.seconds, options.limit, options.quick)

    shapes = [shape for table in tables for shape in table.shapes]
    connections = max(plan.at_once(shape) for shape in shapes)
    environment.allow_open_files(room_for(connections))
    client_core, server_core = environment.cores()
    if client_core == server_core:
        print("There is one core: client and server share it, and rates mean little.", file=sys.stderr)

    results = Results()
    large = {plan.size(shape) for shape in shapes if shape.kind is Kind.DOWNLOAD}
    upload = max((plan.size(shape) for shape in shapes if shape.kind is Kind.UPLOAD), default=0)
    http3 = any(shape.version == "3" for shape in shapes)
    with nginx(server_core, connections=connections, large_sizes=large, upload_size=upload, http3=http3) as server:
        version = server.version
        Runner(plan, server, client_core, pythons, loop_path).run(tables, adapters, results)

    setting = (
        f"Measured on {date.today():%Y-%m-%d}: {environment.machine()}, Python {sys.version.split()[0]},"
        f" nginx {version} on a core of its own, medians of {plan.rounds} rounds."
    )
    whole = not (options.only or options.peers is not None or options.peers_only or options.quick)
    folder = options.output or (PUBLISHED if whole else UNPUBLISHED)
    report.write_results(folder, tables, results, versions, setting)
    print(f"\n{report.markdown(tables, results, versions, setting)}")
    print(f"Written to {folder.relative_to(ROOT) if folder.is_relative_to(ROOT) else folder}.")
    if whole and not options.output and not report.update_readme(README, tables[0], results, versions, setting):
        print(f"README.md has no {report.README_START} and {report.README_END}: its table was not updated.")
    return exit_status(results, adapters, options.quick)


def exit_status(results: Results, adapters: Sequence[Adapter], quick: bool) -> int:
    """A peer that fails under load is a result; pabal failing is not, and nothing may fail where nothing is loaded."""
    ours = {adapter.name for adapter in adapters if adapter.is_pabal}
    return int(any(quick or client in ours for _, client, _ in results.failures()))


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    if options.list:
        list_everything()
        return 0
    try:
        return run(options)
    except Unavailable as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
