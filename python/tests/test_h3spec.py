"""h3spec judges pabal's HTTP/3 server: 45 cases of QUIC, TLS over it, HTTP/3 and QPACK.

One of them, CRYPTO in 0-RTT, it passes over by itself: it keeps no session ticket, of this server or of others.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.demo import Demo
from support.processes import judge

CASES = 45


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    server = Demo(tmp_path)
    yield server
    server.stop()


@pytest.mark.timeout(180)
def test_the_server_does_what_the_rfcs_say(demo: Demo) -> None:
    command = [str(judge("h3spec")), "127.0.0.1", str(demo.tls_port)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=150, stdin=subprocess.DEVNULL)
    counted = re.search(r"(\d+) examples, (\d+) failures", done.stdout)
    assert counted is not None, done.stdout[-2000:] + done.stderr[-2000:]
    assert (int(counted[1]), int(counted[2])) == (CASES, 0), done.stdout[-6000:]
    assert done.stdout.count("Skipping") <= 1, done.stdout[-6000:]
