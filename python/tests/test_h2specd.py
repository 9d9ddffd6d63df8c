"""h2specd, a judge of HTTP/2 clients: servers that break a rule each, and what a client must do about it.

A client that ignores everything would look good to most of its cases, for a lost connection counts as well: after each
case the same session has to be served by a server in its right mind.
"""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from pathlib import Path

import trustme
from support.nginx import speaking_http2
from support.processes import judge

CASES = 57
#: The judge may read "reset by peer" before it reads what it was told: such cases are tried again.
TRIES = 4

#: What fails, and why that is right.
WAIVED = {
    # RFC 9113 section 6.9.1: "it MUST terminate either the stream or the connection, as appropriate". nghttp2 ends the
    # connection, with FLOW_CONTROL_ERROR; the judge wants the stream to be reset.
    "6.9.1/2",
}

CLIENT = """
import sys
import pabal

control, served, url = sys.argv[1:]
with pabal.Session(http="2", verify=False, timeout=10, trust_env=False) as session:
    try:
        session.get(url)
    except pabal.exceptions.PabalError as error:
        assert error.whose in ("peer", "network"), error
    answer = session.get(control)
    with open(served, "a") as file:
        file.write(f"{answer.http_version} {answer.status_code}\\n")
"""


def free_ports(count: int) -> int:
    """The first of so many in a row that nobody listens on."""
    for first in range(21_000, 60_000, count):
        try:
            for port in range(first, first + count):
                with socket.socket() as tried:
                    tried.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first
    raise AssertionError("no free ports")


def verdicts(output: str) -> dict[str, bool]:
    """Case → whether it was passed; "6.9.1/2" is the second one of section 6.9.1."""
    found: dict[str, bool] = {}
    section = ""
    for line in output.partition("Failures:")[0].splitlines():
        if heading := re.match(r"\s*(\d+(?:\.\d+)*)\. ", line):
            section = heading[1]
        elif case := re.match(r"\s*(\S) (\d+): ", line):
            found[f"{section}/{case[2]}"] = case[1] == "✔"
    return found


def test_what_h2specd_says(authority: trustme.CA, tmp_path: Path) -> None:
    certificate = authority.issue_cert("127.0.0.1")
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    certificate.private_key_pem.write_to_path(str(key))
    client, served = tmp_path / "client.py", tmp_path / "served"
    client.write_text(CLIENT)
    (tmp_path / "control").mkdir()
    control = speaking_http2(authority, tmp_path / "control")
    passed: set[str] = set()
    judged: set[str] = set()
    runs = 0
    try:
        while runs < TRIES and (not judged or judged - passed - WAIVED):
            runs += 1
            command = f"{sys.executable} {client} {control.tls_url}/price {served}"
            judging = [
                judge("h2specd"),
                "-h",
                "127.0.0.1",
                "-f",
                str(free_ports(CASES + 3)),
                "-t",
                "-c",
                chain,
                "-k",
                key,
            ]
            done = subprocess.run([*judging, "-e", command], capture_output=True, timeout=120, check=False)
            found = verdicts(done.stdout.decode(errors="replace"))
            assert len(found) == CASES, done.stdout.decode(errors="replace")
            judged |= found.keys()
            passed |= {case for case, good in found.items() if good}
    finally:
        control.stop()
    assert judged - passed == WAIVED
    assert served.read_text() == "2 200\n" * (CASES * runs), "a session did not get over it"
