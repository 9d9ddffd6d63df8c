"""pabal's own server, over TLS and plain, for peers that nobody here wrote."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from pabal._engine import DemoServer

from support.processes import their_environment


class Demo:
    """Two servers with the same application; `ca_file` is what a client of the first is to trust."""

    def __init__(self, folder: Path) -> None:
        self._tls, self._plain = DemoServer(tls=True), DemoServer(tls=False)
        self.ca_file = str(folder / "demo.pem")
        Path(self.ca_file).write_text(self._tls.certificate_pem)
        self.tls_port, self.port = self._tls.port, self._plain.port
        self.tls_url, self.url = f"https://127.0.0.1:{self.tls_port}", f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        self._tls.stop()
        self._plain.stop()


def program(name: str, package: str) -> str:
    """The path of a peer. One that is not there fails the test: it was to be judged by it."""
    path = shutil.which(name)
    if path is None:
        pytest.fail(f"{name} is missing: tools/bootstrap test installs {package}")
    return path


def output(*command: str, stdin: bytes = b"", limit: float = 30.0) -> bytes:
    """What a program writes; it must succeed."""
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=limit, env=their_environment())
    assert done.returncode == 0, (command, done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout
