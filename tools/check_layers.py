#!/usr/bin/env python3
"""A layer includes only layers below it, and protocol/ does no I/O (docs/architecture.md).

Public headers (<pabal/…>) may be included everywhere; they themselves include no layer.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

_PROTOCOLS = ("protocol/http", "protocol/http1", "protocol/http2", "protocol/quic", "protocol/http3")
_UP_TO_CONNECTION = ("base", "reactor", "transport", *_PROTOCOLS)
_UP_TO_POOL = (*_UP_TO_CONNECTION, "connection", "dial")

# What each layer may include besides itself: the layers below it. client and server stand side by side.
MAY_INCLUDE: dict[str, tuple[str, ...]] = {
    "base": (),
    "reactor": ("base",),
    "transport": ("base", "reactor"),
    "protocol/http": ("base",),
    "protocol/http1": ("base", "protocol/http"),
    "protocol/http2": ("base", "protocol/http"),
    "protocol/quic": ("base",),
    "protocol/http3": ("base", "protocol/http", "protocol/quic"),
    "protocol/socks": ("base",),
    "connection": _UP_TO_CONNECTION,
    "dial": (*_UP_TO_CONNECTION, "protocol/socks", "connection"),
    "pool": _UP_TO_POOL,
    "client": (*_UP_TO_POOL, "pool"),
    "server": (*_UP_TO_POOL, "pool"),
}

# Sockets, files, clocks and threads: not for the protocols, which are given bytes and the time.
# (<arpa/inet.h> is welcome: inet_pton only reads text.)
IO_HEADERS = re.compile(r"(sys/|netinet/|poll\.h|unistd\.h|netdb\.h|fcntl\.h|openssl/ssl|ares|fstream|thread$|mutex$)")
# QUIC carries the handshake of a TLS object that it is given (RFC 9001 section 4): here it meets BoringSSL.
MAY_MEET_TLS = "protocol/quic/tls_bridge.cpp"
IO_CALLS = re.compile(r"\b(steady_clock|system_clock)::now\b")
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.MULTILINE)


def layer_of(path: str) -> str | None:
    """The layer a path relative to src/ belongs to."""
    return next((layer for layer in MAY_INCLUDE if path.startswith(layer + "/")), None)


def complaints_about(file: Path) -> list[str]:
    where = file.relative_to(ROOT / "src").as_posix()
    layer = layer_of(where)
    if layer is None:
        return [f"src/{where}: belongs to no layer that tools/check_layers.py knows"]
    text = file.read_text()
    found = []
    for match in INCLUDE.finditer(text):
        quoted, target = match[1] == '"', match[2]
        other = layer_of(target)
        if other and other != layer and other not in MAY_INCLUDE[layer]:
            found.append(f'src/{where}: {layer} must not include {other} ("{target}")')
        if quoted and not other:
            found.append(f'src/{where}: write the path from src/: "{layer}/{Path(target).name}", not "{target}"')
        meets_tls = where == MAY_MEET_TLS and target == "openssl/ssl.h"
        if layer.startswith("protocol/") and not quoted and IO_HEADERS.match(target) and not meets_tls:
            found.append(f"src/{where}: protocols do no I/O (<{target}>)")
    if layer.startswith("protocol/") and IO_CALLS.search(text):
        found.append(f"src/{where}: protocols are told the time, they do not ask for it")
    return found


def main() -> int:
    complaints: list[str] = []
    for file in sorted((ROOT / "src").rglob("*.[ch]pp")):
        complaints += complaints_about(file)
    for file in sorted((ROOT / "include").rglob("*.hpp")):
        for match in INCLUDE.finditer(file.read_text()):
            if match[1] == '"' or layer_of(match[2]):
                complaints.append(
                    f"{file.relative_to(ROOT)}: a public header includes public headers only ({match[2]})"
                )
    print("\n".join(complaints), end="\n" if complaints else "")
    return bool(complaints)


if __name__ == "__main__":
    sys.exit(main())
