"""Programs that tests start."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest


def their_environment() -> dict[str, str]:
    """That of programs that nobody here wrote: what a sanitizer needs preloaded is for our process alone."""
    return {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}


def end(process: subprocess.Popen[bytes]) -> None:
    """Asks a program to end; one that does not is killed."""
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)


def judge(name: str) -> Path:
    """A program that `make test` builds from python/tests/judges. One that is not there fails the test."""
    path = Path(__file__).resolve().parents[3] / "build" / "judges" / name
    if not path.exists():
        pytest.fail(f"{path} is missing: make test builds it")
    return path
