"""Runs clients by turns, round after round, each in a process of its own on the client's core."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median

from bench.adapters import Adapter
from bench.environment import ROOT, client_environment, pinned
from bench.results import Results, Sample
from bench.server import Server
from bench.shapes import Kind, Shape, Table

IMPORT_STARTS = 5  # of one Python in one round; the median counts
IMPORT_STARTS_QUICK = 1


@dataclass(frozen=True)
class Plan:
    """How much of everything."""

    rounds: int
    seconds: float
    limit_s: float
    quick: bool

    def at_once(self, shape: Shape) -> int:
        return min(shape.at_once, shape.quick_at_once) if self.quick else shape.at_once

    def size(self, shape: Shape) -> int:
        return shape.quick_size if self.quick else shape.size


class Failed(Exception):
    """A client that did not finish its work; the message is short enough for a table."""


def serves(adapter: Adapter, shape: Shape) -> bool:
    """Whether a client has what the shape asks for. Faces are compared with the native API, and with nobody else."""
    if adapter.is_face and not shape.faces:
        return False
    if shape.faces and not (adapter.is_pabal and adapter.is_library):
        return False
    if shape.kind is Kind.IMPORT:
        return adapter.is_library
    if shape.kind is Kind.SYNC:
        return adapter.open_sync is not None
    return adapter.opener(shape.version) is not None


class Runner:
    """`pythons` says which Python has which client, `loop_path` where pabal's finds an event loop that it lacks."""

    def __init__(self, plan: Plan, server: Server, core: int, pythons: dict[str, str], loop_path: str | None) -> None:
        self._plan = plan
        self._server = server
        self._core = core
        self._pythons = pythons
        self._loop_path = loop_path

    def run(self, tables: Sequence[Table], adapters: Sequence[Adapter], results: Results) -> None:
        for table in tables:
            for shape in table.shapes:
                clients = [adapter for adapter in adapters if serves(adapter, shape)]
                for turn in range(self._plan.rounds):
                    for adapter in clients:
                        self._take_turn(table, shape, adapter, turn, results)

    def _take_turn(self, table: Table, shape: Shape, adapter: Adapter, turn: int, results: Results) -> None:
        cell = results.cell(shape.name, adapter.name)
        if cell.failure:  # it would fail again, and perhaps use its whole time to do so
            return
        try:
            sample = self._import(adapter) if shape.kind is Kind.IMPORT else self._measure(shape, adapter)
        except Failed as failure:
            cell.failure = str(failure)
            figures = cell.failure
        else:
            cell.samples.append(sample)
            published = [figure for figure in (table.main, table.second) if figure]
            figures = ", ".join(f"{figure.of(sample):,.1f} {figure.unit}" for figure in published)
        print(f"{shape.name:<20} round {turn + 1}  {adapter.name:<16} {figures}", flush=True)

    def _measure(self, shape: Shape, adapter: Adapter) -> Sample:
        size = self._plan.size(shape)
        path = f"{shape.path}/{size}" if shape.kind is Kind.DOWNLOAD else shape.path
        parameters = {
            "url": self._server.url(path, tls=shape.tls, version=shape.version),
            "at_once": self._plan.at_once(shape),
            "size": size,
            "version": shape.version,
            "seconds": 0 if self._plan.quick else self._plan.seconds,
        }
        arguments = ["-m", "bench.client", adapter.name, shape.kind.value, json.dumps(parameters)]
        output = self._start(adapter, ["-W", "ignore", *arguments])
        lines = output.splitlines()
        if not lines:
            raise Failed("no result")
        return Sample(**json.loads(lines[-1]))

    def _import(self, adapter: Adapter) -> Sample:
        """What importing adds to a bare Python: the difference of two medians, started by turns."""
        starts = IMPORT_STARTS_QUICK if self._plan.quick else IMPORT_STARTS
        import_it = ["-c", f"import {adapter.module}"]
        self._start(adapter, import_it)  # writes the bytecode
        bare, full = [], []
        for _ in range(starts):
            bare.append(self._timed_start(adapter, ["-c", "pass"]))
            full.append(self._timed_start(adapter, import_it))
        cpu, wall = (median(used[index] for used in full) - median(used[index] for used in bare) for index in range(2))
        return Sample(units=1, cpu_s=max(cpu, 0.0), wall_s=max(wall, 1e-6))

    def _timed_start(self, adapter: Adapter, arguments: list[str]) -> tuple[float, float]:
        before, started = getrusage(RUSAGE_CHILDREN), time.perf_counter()
        self._start(adapter, arguments)
        wall_s, after = time.perf_counter() - started, getrusage(RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall_s

    def _start(self, adapter: Adapter, arguments: list[str]) -> str:
        python = self._pythons[adapter.name]
        loop_path = self._loop_path if adapter.is_pabal and adapter.loop != "asyncio" else None
        try:
            done = subprocess.run(
                pinned(self._core, [python, *arguments]),
                capture_output=True,
                check=False,
                text=True,
                timeout=self._plan.limit_s,
                cwd=ROOT,
                env=client_environment(loop_path),
            )
        except subprocess.TimeoutExpired:
            raise Failed(f"over {self._plan.limit_s:.0f} s") from None
        if done.returncode:
            print(done.stderr[-2000:], file=sys.stderr)
            last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
            raise Failed(f"failed: {last.strip()[:80]}")
        return done.stdout
