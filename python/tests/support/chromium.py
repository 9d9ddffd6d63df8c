"""Debian's Chromium without a window, told what to do over its pipe of the DevTools protocol."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from support.demo import program
from support.processes import end, their_environment

#: It is to speak to nobody but the server of the test, and not to keep anything.
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-sync",
    "--metrics-recording-only",
    "--no-pings",
    "--host-resolver-rules=MAP localhost 127.0.0.1, MAP * ~NOTFOUND",
)


def key_digest(certificate_pem: bytes) -> str:
    """What stands for a certificate that is not signed by anybody whom Chromium trusts."""
    key = x509.load_pem_x509_certificate(certificate_pem).public_key()
    return base64.b64encode(
        hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
    ).decode()


class Chromium:
    """A browser with one page, at `https://localhost:PORT`; with ``quic`` it speaks HTTP/3 to it and nothing else."""

    def __init__(self, port: int, certificate_pem: bytes, *, quic: bool) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="chromium"))
        commands, self._write = os.pipe()
        self._read, answers = os.pipe()
        way = ("--enable-quic", f"--origin-to-force-quic-on=localhost:{port}") if quic else ("--disable-quic",)
        trust = f"--ignore-certificate-errors-spki-list={key_digest(certificate_pem)}"
        browser = [program("chromium", "chromium"), *QUIET, *way, trust, f"--user-data-dir={self._folder}"]
        # The protocol is spoken over the descriptors 3 and 4 of the browser.
        script = f'exec 3<&{commands} 4>&{answers}; exec "$@"'
        self._process = subprocess.Popen(
            ["bash", "-c", script, "chromium", *browser, "--remote-debugging-pipe", "about:blank"],
            env=their_environment(),
            pass_fds=(commands, answers),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(commands)
        os.close(answers)
        self._buffer = b""
        self._asked = 0
        target = self._ask("Target.createTarget", {"url": "about:blank"})["targetId"]
        attached = self._ask("Target.attachToTarget", {"targetId": target, "flatten": True})
        self._session = attached["sessionId"]

    def open(self, url: str) -> None:
        """Loads a page; what it may not fails."""
        told = self._ask("Page.navigate", {"url": url}, self._session)
        assert "errorText" not in told, told

    def run(self, script: str) -> Any:
        """The value of the promise that a script of the page makes."""
        asked = {"expression": script, "awaitPromise": True, "returnByValue": True}
        told = self._ask("Runtime.evaluate", asked, self._session)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def _ask(self, method: str, parameters: dict[str, Any], session: str = "") -> dict[str, Any]:
        self._asked += 1
        told = {
            "id": self._asked,
            "method": method,
            "params": parameters,
            **({"sessionId": session} if session else {}),
        }
        os.write(self._write, json.dumps(told).encode() + b"\0")
        while (answer := self._next()).get("id") != self._asked:
            pass  # what nobody asked for
        assert "result" in answer, answer
        return dict(answer["result"])

    def _next(self, limit: float = 40.0) -> dict[str, Any]:
        deadline = time.monotonic() + limit
        while b"\0" not in self._buffer:
            assert select.select([self._read], [], [], max(0.0, deadline - time.monotonic()))[0], (
                "Chromium says nothing"
            )
            piece = os.read(self._read, 1 << 16)
            assert piece, "Chromium has ended"
            self._buffer += piece
        message, _, self._buffer = self._buffer.partition(b"\0")
        return dict(json.loads(message))

    def close(self) -> None:
        os.close(self._write)
        os.close(self._read)
        end(self._process)
        shutil.rmtree(self._folder, ignore_errors=True)
