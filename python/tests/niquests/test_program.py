"""A program written for niquests runs on the face as it is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.httpbin import EchoServer
from support.scripted import ScriptedServer

PROGRAM = Path(__file__).parent / "program.py"


@pytest.fixture(scope="module")
def seen() -> dict[str, Any]:
    server = ScriptedServer(EchoServer())
    try:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-m", "pabal.alias", "niquests", str(PROGRAM), server.url],
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
    finally:
        server.close()
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_functions_of_the_module(seen: dict[str, Any]) -> None:
    assert seen["quick"] == {
        "args": {"key": ["a", "b"]},
        "url": True,
        "mine": "1",
        "agent": True,
        "version": 11,
        "form": {"key": "value"},
        "json": {"price": 123.45, "name": "caf\xc3\xa9"},  # as Latin-1 has the UTF-8 that was sent
        "content type": "application/json;charset=utf-8",
        "files": {"report": {"name": "report.csv", "type": "text/csv", "x": None, "is": "cells"}},
        "fields": {"a": "b"},
        "put": "\0\1",
        "failed": ["HTTPError", "ReadTimeout", "ConnectionError"],
    }


def test_a_session(seen: dict[str, Any]) -> None:
    assert seen["session"] == {
        "kept": {"first": "1"},
        "once": {"first": "1", "second": "2"},
        "history": [302, 302, 302],
        "again": ["POST", "body"],
        "default": "yes",
        "lines": [0, 1, 2, 3, 4],
        "pieces": 264,
        "allowed": {"authenticated": True},
        "hooked": [200],
        "retried": 200,
        "below": True,
        "given up": True,
    }


def test_many_at_once(seen: dict[str, Any]) -> None:
    assert seen["prices"] == {
        "numbers": True,
        "posted": [0, 1, 2, 3, 4],
        "mixed": ["Response", "ReadTimeout", "MissingSchema"],
        "cookies": {"first": "1"},
        "lines": [0, 1, 2, 3],
        "pieces": [264, 264],
        "retried": 200,
        "alone": 200,
    }
