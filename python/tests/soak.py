#!/usr/bin/env python3
"""Sends requests of every kind for a long time, and fails when memory or descriptors grow, or an answer is wrong.

    python/tests/soak.py                             a million requests, for ten minutes at least
    python/tests/soak.py --seconds 60 --requests 0   for a minute

A sync session in a thread and an AsyncSession on asyncio work at the same time, plain and over TLS, against nginx and
against pabal's own server in this process (whose leaks would be seen too). Every few seconds both pause, garbage is
collected, and memory and the open descriptors are written down. Run it with .venv/bin/python, after
`make build`; docs/benchmarks.md says what is promised. A report is left in build/reports/soak.xml.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import sys
import tempfile
import threading
import time
import traceback
import xml.etree.ElementTree as ElementTree
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pabal
import trustme
from pabal._engine import DemoServer
from pabal.exceptions import TotalTimeout
from support.leaks import allocated_megabytes, descriptors, make_malloc_give_back, resident_megabytes
from support.nginx import CONFIGURATION, QUOTE, Nginx

ROOT = Path(__file__).resolve().parent.parent.parent

#: After so many requests everything that is kept on purpose (pools, caches, interned names) is there.
WARM_AFTER = 10_000
#: What may grow by so many megabytes from then on. What the engine has allocated tells a leak best. Resident memory has
#: Python's objects in it, too, and what malloc keeps for later.
MOST_GROWTH = {"allocated": 1.0, "resident": 2.0}
#: … and in the second half of a run that is long enough to tell.
MOST_GROWTH_LATER = {"allocated": 0.25, "resident": 0.5}
LONG_ENOUGH = 500_000  # requests
#: Connections of one session to one host.
CONNECTIONS = 20
#: Seconds between two looks.
ROUND = 3.0
#: Some of the requests go by sessions that live for one wave only.
SHORT_LIVED_EVERY = 10
WAVE = 100

# Now and then it is too busy, or hangs up without a word.
MOODY = """
    split_clients $request_id $mood {{ 20% busy; 20% gone; * well; }}
    server {{
        listen 127.0.0.1:{port};
        listen 127.0.0.1:{tls_port} ssl;
        ssl_certificate {folder}/chain.pem;
        ssl_certificate_key {folder}/key.pem;
        location = /moody {{
            if ($mood = busy) {{ add_header Retry-After 0 always; return 503; }}
            if ($mood = gone) {{ return 444; }}
            default_type application/json;
            return 200 '{quote}';
        }}
    }}
}}
"""


@dataclass(frozen=True)
class Ask:
    """One kind of request. ``ending``: read to its end, given up after the first piece, or too slow for its limit."""

    name: str
    share: int  #: of a wave
    url: str
    body: bytes | None = None
    method: str = "GET"
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    ending: Literal["whole", "early", "late"] = "whole"

    def check(self, response: pabal.Response) -> None:
        assert response.status_code == 200, response.status_code
        assert self.body is None or response.content == self.body


def asks(nginx: Nginx, moody: Nginx, demo: str) -> list[Ask]:
    # Two in five are turned away: so often that in a million requests it does not happen to all attempts of one.
    patient = pabal.Retry(24, backoff=0.001, max_backoff=0.01)
    upload = b"u" * 20_000
    made: list[Ask] = []
    for scheme, url, busy in (("http", nginx.url, moody.url), ("https", nginx.tls_url, moody.tls_url)):
        made += [
            Ask(f"{scheme} price", 18, url + "/price", QUOTE),
            Ask(f"{scheme} redirect", 5, url + "/moved", QUOTE),
            Ask(f"{scheme} cookies", 5, url + "/cookies"),
            Ask(f"{scheme} compressed", 3, url + "/long.txt", b"long " * 2_000),
            Ask(f"{scheme} closed after", 2, url + "/close", QUOTE),
            Ask(f"{scheme} moody", 4, busy + "/moody", QUOTE, options={"retries": patient}),
        ]
    return [
        *made,
        Ask("own server", 18, demo + "/price", QUOTE),
        Ask("own server, upload", 2, demo + "/echo", upload, "POST", {"data": upload}),
        Ask("own server, large", 1, demo + "/bytes/300000", b"p" * 300_000),
        Ask("own server, given up", 2, demo + "/bytes/5000000", ending="early"),
        Ask("own server, too slow", 2, demo + "/delay/300", options={"timeout": 0.03}, ending="late"),
    ]


class Soak:
    def __init__(self, kinds: list[Ask], ca_file: str) -> None:
        self._wave = [ask for ask in kinds for _ in range(ask.share)]
        self._options: dict[str, Any] = {
            "verify": ca_file,
            "limits": pabal.Limits(max_connections_per_host=CONNECTIONS),
            "headers": {"Accept-Encoding": "gzip"},
        }
        self._sync, self._async = self._new_sessions()
        self._random = random.Random(1)
        self.good: Counter[str] = Counter()
        self.bad: dict[str, str] = {}

    def _new_sessions(self) -> tuple[pabal.Session, pabal.AsyncSession]:
        return pabal.Session(**self._options), pabal.AsyncSession(**self._options)

    @property
    def done(self) -> int:
        return sum(self.good.values())

    def run_until(self, loop: asyncio.AbstractEventLoop, deadline: float) -> None:
        thread = threading.Thread(target=self._send_all, args=(deadline,))
        thread.start()
        loop.run_until_complete(self._gather_all(deadline))
        thread.join()

    def close(self, loop: asyncio.AbstractEventLoop) -> None:
        self._sync.close()
        loop.run_until_complete(self._async.aclose())

    def _shuffled(self) -> list[Ask]:
        return self._random.sample(self._wave, len(self._wave))

    def _note(self, side: str, ask: Ask, failed: BaseException | None = None) -> None:
        name = f"{side}, {ask.name}"
        if failed is None:
            self.good[name] += 1
        elif name not in self.bad:
            self.bad[name] = "".join(traceback.format_exception(failed))

    # One after another, in a thread.

    def _send_all(self, deadline: float) -> None:
        waves = 0
        while time.monotonic() < deadline and not self.bad:
            waves += 1
            if waves % SHORT_LIVED_EVERY:
                self._send_wave(self._sync, deadline)
            else:
                with pabal.Session(**self._options) as short_lived:
                    self._send_wave(short_lived, deadline)

    def _send_wave(self, session: pabal.Session, deadline: float) -> None:
        for ask in self._shuffled():
            try:
                self._send(session, ask)
            except Exception as failed:
                self._note("sync", ask, failed)
            else:
                self._note("sync", ask)
            if time.monotonic() > deadline:
                return

    def _send(self, session: pabal.Session, ask: Ask) -> None:
        if ask.ending == "early":
            with session.stream(ask.method, ask.url) as streamed:
                assert next(streamed.iter_bytes(1000))
        elif ask.ending == "late":
            try:
                session.request(ask.method, ask.url, **ask.options)
            except TotalTimeout:
                pass
            else:
                raise AssertionError("it was not too slow")
        else:
            ask.check(session.request(ask.method, ask.url, **ask.options))

    # A hundred at once, on asyncio.

    async def _gather_all(self, deadline: float) -> None:
        waves = 0
        while time.monotonic() < deadline and not self.bad:
            waves += 1
            if waves % SHORT_LIVED_EVERY:
                await self._gather_wave(self._async)
            else:
                async with pabal.AsyncSession(**self._options) as short_lived:
                    await self._gather_wave(short_lived)

    async def _gather_wave(self, session: pabal.AsyncSession) -> None:
        wave = self._shuffled()
        for ask, failed in zip(wave, await asyncio.gather(*(self._asked(session, ask) for ask in wave)), strict=True):
            self._note("async", ask, failed)

    async def _asked(self, session: pabal.AsyncSession, ask: Ask) -> Exception | None:
        try:
            if ask.ending == "early":
                async with session.stream(ask.method, ask.url) as streamed:
                    async for piece in streamed.aiter_bytes(1000):
                        assert piece
                        break
            elif ask.ending == "late":  # here somebody loses patience, instead of the engine
                try:
                    await asyncio.wait_for(session.request(ask.method, ask.url), ask.options["timeout"])
                except asyncio.TimeoutError:
                    return None
                raise AssertionError("it was not too slow")
            else:
                ask.check(await session.request(ask.method, ask.url, **ask.options))
        except Exception as failed:
            return failed
        return None


@dataclass(frozen=True)
class Look:
    seconds: float
    requests: int
    megabytes: dict[str, float]  #: allocated, resident
    descriptors: int


def look(began: float, requests: int) -> Look:
    gc.collect()
    memory = {"allocated": allocated_megabytes(), "resident": resident_megabytes()}
    return Look(time.monotonic() - began, requests, memory, len(descriptors()))


def judge_memory(looks: list[Look], kind: str) -> str | None:
    """What is wrong with how this kind of memory grew; None: nothing."""
    if len(looks) < 6:
        return "it was over before it was warm"

    def lowest(part: list[Look]) -> float:
        return min(each.megabytes[kind] for each in part)

    growth = lowest(looks[-3:]) - lowest(looks[:3])
    print(
        f"\n{kind} memory grew by {growth:.2f} MB in {looks[-1].requests - looks[0].requests:,} requests "
        f"(at most {MOST_GROWTH[kind]} MB)"
    )
    if growth >= MOST_GROWTH[kind]:
        return f"it grew by {growth:.2f} MB"
    if looks[-1].requests >= LONG_ENOUGH:
        middle = len(looks) // 2
        later = lowest(looks[-3:]) - lowest(looks[middle : middle + 3])
        print(f"and by {later:.2f} MB in the second half (at most {MOST_GROWTH_LATER[kind]} MB)")
        if later >= MOST_GROWTH_LATER[kind]:
            return f"it went on growing, by {later:.2f} MB in the second half"
    return None


def soak(seconds: float, requests: int, kinds: list[Ask], ca_file: str) -> dict[str, str | None]:
    """What was looked at, each with what is wrong with it or None."""
    loop = asyncio.new_event_loop()
    before = look(time.monotonic(), 0)
    subject = Soak(kinds, ca_file)
    looks: list[Look] = []
    began = time.monotonic()
    print(
        f"{'seconds':>8} {'requests':>10} {'per second':>10} {'allocated':>9} {'resident, MB':>12} {'descriptors':>12}",
        flush=True,
    )
    while not subject.bad and (time.monotonic() < began + seconds or subject.done < requests):
        subject.run_until(loop, time.monotonic() + ROUND)
        now = look(began, subject.done)
        rate = now.requests / now.seconds
        print(
            f"{now.seconds:8.0f} {now.requests:10,} {rate:10,.0f} {now.megabytes['allocated']:9.2f} "
            f"{now.megabytes['resident']:12.2f} {now.descriptors:12}",
            flush=True,
        )
        if now.requests >= WARM_AFTER:
            looks.append(now)
    subject.close(loop)
    loop.close()

    verdicts: dict[str, str | None] = dict.fromkeys(sorted(subject.good))
    verdicts |= subject.bad
    verdicts |= {f"{kind} memory": judge_memory(looks, kind) for kind in MOST_GROWTH}
    verdicts["descriptors"] = None
    deadline = time.monotonic() + 10
    while (left := look(began, 0).descriptors - before.descriptors) > 0 and time.monotonic() < deadline:
        time.sleep(0.05)  # the server's side of what was closed
    print(f"descriptors left open: {max(left, 0)} (none)")
    if left > 0:
        verdicts["descriptors"] = f"{left} were left open"
    for name, count in sorted(subject.good.items()):
        print(f"  {name:32} {count:10,}")
    return verdicts


def report(verdicts: dict[str, str | None]) -> None:
    suite = ElementTree.Element("testsuite", name="soak")
    for name, wrong in verdicts.items():
        case = ElementTree.SubElement(suite, "testcase", name=name)
        if wrong is not None:
            ElementTree.SubElement(case, "failure").text = wrong
            print(f"\nFAILED {name}: {wrong}")
    path = ROOT / "build" / "reports" / "soak.xml"
    path.parent.mkdir(parents=True, exist_ok=True)
    ElementTree.ElementTree(suite).write(path)
    failed = sum(wrong is not None for wrong in verdicts.values())
    print(f"{len(verdicts) - failed} passed, {failed} failed")


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=600, help="go on for so long (600)")
    options.add_argument("--requests", type=int, default=1_000_000, help="and until there were so many (1,000,000)")
    chosen = options.parse_args()
    make_malloc_give_back()
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    chain = b"".join(blob.bytes() for blob in certificate.cert_chain_pems)
    key = certificate.private_key_pem.bytes()
    moods = CONFIGURATION[: CONFIGURATION.index("    server {{")] + MOODY.removeprefix("\n")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "well").mkdir()
        (folder / "moody").mkdir()
        demo = DemoServer(tls=True)
        ca_file = folder / "ca.pem"
        ca_file.write_bytes(authority.cert_pem.bytes() + demo.certificate_pem.encode())
        nginx = Nginx(folder / "well", chain, key)
        (nginx.www / "long.txt").write_bytes(b"long " * 2_000)
        moody = Nginx(folder / "moody", chain, key, moods)
        try:
            kinds = asks(nginx, moody, f"https://localhost:{demo.port}")
            verdicts = soak(chosen.seconds, chosen.requests, kinds, str(ca_file))
        finally:
            moody.stop()
            nginx.stop()
            demo.stop()
    report(verdicts)
    return any(wrong is not None for wrong in verdicts.values())


if __name__ == "__main__":
    sys.exit(main())
