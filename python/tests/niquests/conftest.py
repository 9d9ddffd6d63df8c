"""The server of these tests."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.scripted import Received, ScriptedServer

sys.path.insert(0, str(Path(__file__).parent))

from server import Server


@pytest.fixture
def server(
    scripted: Callable[..., ScriptedServer], monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, list[Received]]]:
    """(URL, the requests that came)."""
    monkeypatch.setenv("HOME", "/nonexistent")
    answering = Server()
    yield scripted(answering).url, answering.requests
