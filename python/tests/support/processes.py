"""Programs that tests start."""

from __future__ import annotations

import subprocess


def end(process: subprocess.Popen[bytes]) -> None:
    """Asks a program to end; one that does not is killed."""
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)
