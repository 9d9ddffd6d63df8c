"""HTTP/2 in the server: h2load's rate against pabal's C++ handler and against nghttpd, each on one core of its own.

python -m bench.server_rate [--rounds N] [--requests N]

Both answer the same few bytes without TLS: pabal's demo computes a quote, nghttpd sends a file of it. h2load (10
connections, 100 requests at once on each) has the other core. Rounds take turns; the median counts. CPU is the
server's own.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from bench.environment import Unavailable, pinned
from bench.server import START_LIMIT_S, free_port

SERVER_CORE, CLIENT_CORE = 0, 1
CONNECTIONS, AT_ONCE = 10, 100
PATH = "/quotes/BTC"
QUOTE = '{"symbol":"BTC","price":123.45}'
HOW_TO_INSTALL = "install it with: apt-get install nghttp2-client nghttp2-server"


def program(name: str) -> str:
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if path is None:
        raise Unavailable(f"{name} is needed; {HOW_TO_INSTALL}")
    return path


def wait_until_listening(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + START_LIMIT_S
    while time.monotonic() < end and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise Unavailable(f"{process.args!r} did not start")


@contextmanager
def running(command: list[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A server on the server's core, until the context ends."""
    process = subprocess.Popen(
        pinned(SERVER_CORE, command), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
    )
    try:
        wait_until_listening(process, port)
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()


def cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    times = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")


def load(port: int, requests: int) -> float:
    """Requests per second; every one of them must succeed."""
    command = [program("h2load"), "-n", str(requests), "-c", str(CONNECTIONS), "-m", str(AT_ONCE), "-t", "1"]
    said = subprocess.run(
        pinned(CLIENT_CORE, [*command, f"http://127.0.0.1:{port}{PATH}"]),
        check=True,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    ).stdout
    rate, done = re.search(r"([\d.]+) req/s", said), re.search(r"(\d+) succeeded", said)
    if rate is None or done is None or int(done[1]) != requests:
        raise RuntimeError(f"h2load did not get what it asked for:\n{said}")
    return float(rate[1])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.server_rate", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--requests", type=int, default=300_000, metavar="N")
    options = parser.parse_args()
    rates: dict[str, list[float]] = {"pabal": [], "nghttpd": []}
    cpu: dict[str, list[float]] = {"pabal": [], "nghttpd": []}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "quotes").mkdir()
        (folder / PATH.removeprefix("/")).write_text(QUOTE)
        ports = {"pabal": free_port(), "nghttpd": free_port()}
        commands = {
            "pabal": [sys.executable, "-m", "pabal", "demo", "--plain", "--port", str(ports["pabal"])],
            "nghttpd": [program("nghttpd"), "--no-tls", "-n1", "-d", str(folder), str(ports["nghttpd"])],
        }
        servers = {name: stack.enter_context(running(commands[name], ports[name])) for name in commands}
        for name in servers:
            load(ports[name], max(options.requests // 10, CONNECTIONS))
        for _ in range(options.rounds):
            for name, server in servers.items():
                before = cpu_seconds(server)
                rates[name].append(load(ports[name], options.requests))
                cpu[name].append((cpu_seconds(server) - before) / options.requests * 1e6)
                time.sleep(0.1)
    for name in servers:
        rate, cost = statistics.median(rates[name]), statistics.median(cpu[name])
        print(f"{name:8} {rate:10,.0f} requests per second   {cost:5.2f} µs of CPU per request")
    print(f"pabal / nghttpd: {statistics.median(rates['pabal']) / statistics.median(rates['nghttpd']):.2f}")
    return 0


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except Unavailable as missing:
        raise SystemExit(f"bench: {missing}") from None
