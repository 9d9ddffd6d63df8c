"""The command ``pabal``: what it is told, and which part does it.

Exit status: 0, 1 when anything failed, 2 for wrong usage, 130 after Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

import pabal
from pabal.config import HTTP_VERSIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["main"]

INTERRUPTED = 130  # 128 + SIGINT, as shells count


def _between(kind: type[int] | type[float], least: float, most: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        value = kind(text)
        if not least <= value <= most:  # NaN compares false
            raise argparse.ArgumentTypeError(f"must be from {least:,} to {most:,}, not {text[:40]}")
        return value

    parse.__name__ = kind.__name__
    return parse


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise argparse.ArgumentTypeError(f"must look like 'Name: value', not {text!r}")
    line = (name, value.strip(" \t"))
    try:
        pabal.Headers([line])
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return line


def _file(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("must be the path of a file, not empty")
    return text


def _readable(text: str) -> str:
    if not os.path.exists(_file(text)):
        raise argparse.ArgumentTypeError(f"cannot read {text}: it does not exist")
    return text


def _folder(text: str) -> str:
    if not os.path.isdir(text) or not os.access(text, os.W_OK | os.X_OK):
        raise argparse.ArgumentTypeError(f"must be a folder that may be written to, not {text!r}")
    return text


def _versions(text: str) -> tuple[str, ...]:
    versions = tuple(each.strip() for each in text.split(","))
    if not set(versions) <= set(HTTP_VERSIONS):
        raise argparse.ArgumentTypeError(f"must be 1.1, 2 or 3, or several of them like 2,3, not {text!r}")
    return versions


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pabal", description="Fetch many things at once, fast.")
    parser.add_argument("--version", action="version", version=f"pabal {pabal.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    fetch = commands.add_parser(
        "fetch",
        help="fetch a list of URLs at once, JSON Lines out",
        description="Fetches every URL of a list, many at once, and writes one line of JSON for each as it finishes: "
        "url, status, elapsed_ms, bytes, and json, text or base64 (the body), or error.",
    )
    fetch.add_argument(
        "sources",
        nargs="+",
        metavar="FILE|URL|-",
        help="a file with one URL a line (blank lines and those that begin with # are skipped), a URL, or - for stdin",
    )
    fetch.add_argument("-o", "--output", type=_file, metavar="FILE", help="where the lines go (default: stdout)")
    fetch.add_argument(
        "-c",
        "--concurrency",
        type=_between(int, 1, 1_000_000),
        default=100,
        metavar="N",
        help="how many at once (default: 100)",
    )
    fetch.add_argument(
        "--timeout", type=_between(float, 0.001, 1e9), metavar="S", help="seconds for each URL, all in all"
    )
    fetch.add_argument(
        "-H",
        "--header",
        type=_header,
        action="append",
        default=[],
        metavar="'NAME: VALUE'",
        help="sent with every request",
    )
    trust = fetch.add_mutually_exclusive_group()
    trust.add_argument("--insecure", action="store_true", help="accept any certificate")
    trust.add_argument(
        "--ca", type=_readable, metavar="FILE", help="trust the certificates in this PEM file instead of the system's"
    )
    fetch.add_argument(
        "--http",
        type=_versions,
        metavar="VERSIONS",
        help="the versions of HTTP that may be spoken: 1.1, 2 or 3, or several of them (default: all)",
    )
    fetch.add_argument(
        "--alternatives",
        type=_file,
        metavar="FILE",
        help="keep in this file what origins say of HTTP/3 (Alt-Svc), as curl does",
    )
    fetch.add_argument("--no-progress", action="store_true", help="no progress bar (there is none without a terminal)")

    demo = commands.add_parser(
        "demo",
        help="run the embedded price server until Ctrl-C",
        description="Serves /price, /quotes/SYMBOL, /bytes/N, /delay/MS and /echo on 127.0.0.1, over TLS with a "
        "throw-away certificate.",
    )
    demo.add_argument(
        "--port", type=_between(int, 0, 65535), default=8443, metavar="P", help="0 for any that is free (default: 8443)"
    )
    demo.add_argument("--plain", action="store_true", help="without TLS")
    demo.add_argument(
        "--qlog", type=_folder, metavar="FOLDER", help="where each connection over HTTP/3 leaves a log of what QUIC did"
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "demo":
            from pabal.cli.demo import serve

            return serve(options.port, tls=not options.plain, qlog=options.qlog)
        from pabal.cli.fetch import fetch_command

        return fetch_command(options)
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        print(f"pabal: {error}", file=sys.stderr)
        return 2
