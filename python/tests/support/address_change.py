"""A client of HTTP/3 whose address goes away, in a network namespace of its own, for test_http3_migration.py."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pabal
import trustme

from support.http3 import Http3Server

FIRST, SECOND = "10.9.1.1", "10.9.1.2"


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, timeout=20)


def leave_from(address: str) -> None:
    """From now on that is the local address of what goes to the server."""
    ip("route", "replace", "local", "127.0.0.1", "dev", "lo", "table", "local", "src", address)


def main() -> None:
    ip("link", "set", "lo", "up")
    for address in (FIRST, SECOND):
        ip("address", "add", f"{address}/32", "dev", "lo")
    leave_from(FIRST)
    authority = trustme.CA()
    with tempfile.TemporaryDirectory() as name:
        ca_file = Path(name) / "ca.pem"
        authority.cert_pem.write_to_path(str(ca_file))
        server = Http3Server(authority.issue_cert("127.0.0.1"), Path(name))
        with pabal.Session(verify=str(ca_file), http="3", timeout=20) as session:
            before = [session.get(f"{server.url}/echo?n={number}").text for number in range(3)]
            leave_from(SECOND)
            ip("address", "delete", f"{FIRST}/32", "dev", "lo")
            after = [session.post(f"{server.url}/echo?n={number}", content=b"x").text for number in range(3)]
        json.dump({"before": before, "after": after, "connections": server.connections}, sys.stdout)
        server.stop()


if __name__ == "__main__":
    main()
