"""The program that is measured: `python -m bench.client CLIENT KIND PARAMETERS` prints one line of JSON.

It imports little, so that memory and start-up are the client's own.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from resource import RUSAGE_SELF, getrusage
from typing import Any, NamedTuple

from bench.adapters import Adapter, AsyncCalls, Get, adapter_named

QUOTE = {"symbol": "BTC", "price": 123.45}
SYNC_BATCH = 50  # requests between two looks at the clock
MEMORY_WAVES = 3


class Parameters(NamedTuple):
    url: str
    at_once: int
    size: int
    version: str  # of HTTP
    seconds: float  # whole waves, batches or bodies are done until they have passed


class Used(NamedTuple):
    cpu_s: float
    wall_s: float


class Stopwatch:
    """CPU of the whole process, threads included, and time since it was made."""

    def __init__(self) -> None:
        self._wall = time.perf_counter()
        self._cpu = self._process_cpu()

    @staticmethod
    def _process_cpu() -> float:
        usage = getrusage(RUSAGE_SELF)
        return usage.ru_utime + usage.ru_stime

    def wall_s(self) -> float:
        return time.perf_counter() - self._wall

    def used(self) -> Used:
        return Used(self._process_cpu() - self._cpu, self.wall_s())


def check(answer: object, expected: object) -> None:
    if answer != expected:
        raise SystemExit(f"wrong answer: {answer!r:.200}")


def peak_mb() -> float:
    """From /proc, because getrusage's maximum begins at the size of the process that started this one."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM:"))


async def wave(calls: AsyncCalls, parameters: Parameters) -> None:
    for answer in await asyncio.gather(*[calls.get(parameters.url) for _ in range(parameters.at_once)]):
        check(answer, QUOTE)


async def gather(calls: AsyncCalls, parameters: Parameters) -> tuple[int, Used]:
    await wave(calls, parameters)  # connections are open, caches are warm
    watch, requests = Stopwatch(), 0
    while not requests or watch.wall_s() < parameters.seconds:
        await wave(calls, parameters)
        requests += parameters.at_once
    return requests, watch.used()


async def memory(calls: AsyncCalls, parameters: Parameters) -> tuple[int, Used]:
    watch = Stopwatch()
    for _ in range(MEMORY_WAVES):
        await wave(calls, parameters)
    return MEMORY_WAVES * parameters.at_once, watch.used()


async def download(calls: AsyncCalls, parameters: Parameters) -> tuple[int, Used]:
    watch, length = Stopwatch(), 0
    while not length or watch.wall_s() < parameters.seconds:
        check(received := await calls.download(parameters.url), parameters.size)
        length += received
    return length, watch.used()


async def upload(calls: AsyncCalls, parameters: Parameters) -> tuple[int, Used]:
    content = bytes(parameters.size)
    watch, length = Stopwatch(), 0
    while not length or watch.wall_s() < parameters.seconds:
        check(await calls.upload(parameters.url, content), {"received": parameters.size})
        length += parameters.size
    return length, watch.used()


def sync(get: Get, parameters: Parameters) -> tuple[int, Used]:
    def batch() -> None:
        for _ in range(SYNC_BATCH):
            check(get(parameters.url), QUOTE)

    batch()
    watch, requests = Stopwatch(), 0
    while not requests or watch.wall_s() < parameters.seconds:
        batch()
        requests += SYNC_BATCH
    return requests, watch.used()


AsyncWork = Callable[[AsyncCalls, Parameters], Awaitable[tuple[int, Used]]]
ASYNC_WORK: dict[str, AsyncWork] = {"gather": gather, "memory": memory, "download": download, "upload": upload}


def run_async(adapter: Adapter, work: AsyncWork, parameters: Parameters) -> tuple[int, Used]:
    module: Any = importlib.import_module(adapter.module)
    opened = adapter.opener(parameters.version)
    assert opened

    async def main() -> tuple[int, Used]:
        async with opened(module, parameters.at_once) as calls:
            return await work(calls, parameters)

    if adapter.loop == "asyncio":
        return asyncio.run(main())
    loop_module: Any = importlib.import_module(adapter.loop)
    done: tuple[int, Used] = loop_module.run(main())
    return done


def main(name: str, kind: str, encoded: str) -> None:
    adapter, parameters = adapter_named(name), Parameters(**json.loads(encoded))
    if kind == "sync":
        assert adapter.open_sync
        units, used = sync(adapter.open_sync(importlib.import_module(adapter.module)), parameters)
    else:
        units, used = run_async(adapter, ASYNC_WORK[kind], parameters)
    used_all = {"units": units, "cpu_s": used.cpu_s, "wall_s": used.wall_s, "peak_mb": peak_mb()}
    print(json.dumps(used_all), flush=True)
    # Some peers' threads abort a Python that is ending. The work is done, and how a process ends is not measured.
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
