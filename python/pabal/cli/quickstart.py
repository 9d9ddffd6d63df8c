"""``make run``: the embedded price server over TLS, 1,000 quotes gathered from it, the same over every version of HTTP,
and how to do so elsewhere.

python -m pabal.cli.quickstart [-n QUOTES] [-o FILE]
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import tempfile
from typing import TYPE_CHECKING

from pabal._engine import DemoServer
from pabal.cli import main as pabal_command
from pabal.cli.demo import certificate_file
from pabal.cli.versions import compare

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

SYMBOLS = ("BTC", "ETH", "SOL", "XRP", "ADA", "DOT", "AVAX", "LINK", "LTC", "TRX")
SHOWN = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Gathers the quotes; returns the exit status of ``pabal fetch``; 1 when a version of HTTP brings other quotes."""
    parser = argparse.ArgumentParser(prog="python -m pabal.cli.quickstart", description=__doc__)
    parser.add_argument("-n", type=int, default=1000, metavar="QUOTES", help="how many (default: 1,000)")
    parser.add_argument("-o", "--output", default="quotes.jsonl", metavar="FILE", help="default: quotes.jsonl")
    options = parser.parse_args(arguments)

    server = DemoServer(0, True)
    certificate = certificate_file(server)
    urls, urls_path = tempfile.mkstemp(prefix="pabal-urls-", suffix=".txt")
    try:
        base = f"https://127.0.0.1:{server.port}"
        with os.fdopen(urls, "w") as file:
            for symbol in itertools.islice(itertools.cycle(SYMBOLS), options.n):
                file.write(f"{base}/quotes/{symbol}\n")
        print(f"pabal's price server is on {base}, with a throw-away certificate.")
        print(
            f"Gathering {options.n:,} quotes: pabal fetch --ca {certificate} {urls_path} -o {options.output}\n",
            flush=True,
        )
        status = pabal_command(["fetch", "--ca", certificate, urls_path, "-o", options.output])
        table, well = compare(urls_path, certificate)
    finally:
        server.stop()
        os.unlink(certificate)
        os.unlink(urls_path)

    sys.stderr.flush()
    with open(options.output, encoding="utf-8") as lines:
        shown = list(itertools.islice(lines, SHOWN))
    print(f"\nThe quotes are in {options.output}; the first {len(shown)}:\n")
    for line in shown:
        print(line, end="")
    print("\nThe same quotes over every version of HTTP that the server speaks on its port:\n")
    print("\n".join(table))
    print("\nNow with your own list, one URL a line:\n")
    print(f"    {_command()} fetch urls.txt -o quotes.jsonl")
    return status if well else status or 1


def _command() -> str:
    """How to call ``pabal`` from here."""
    beside = os.path.join(os.path.dirname(sys.executable), "pabal")
    if os.path.dirname(beside) in os.environ.get("PATH", "").split(os.pathsep) or not os.path.exists(beside):
        return "pabal"
    return os.path.relpath(beside)


if __name__ == "__main__":
    raise SystemExit(main())
