"""``import pabal`` is light: what only some programs need is imported when they need it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ["asyncio", "ssl", "http.client", "email", "json", "urllib.request", "trio", "rich", "dataclasses", "inspect"]


def test_nothing_heavy_is_imported() -> None:
    script = f"import sys, pabal; print([name for name in {HEAVY} if name in sys.modules])"
    bare = subprocess.run([sys.executable, "-c", script.replace(", pabal", "")], capture_output=True, check=True)
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert loaded.stdout == bare.stdout


def test_everything_that_is_promised_is_there() -> None:
    import pabal

    assert all(hasattr(pabal, name) for name in pabal.__all__)
    assert pabal.__version__


def test_no_module_hides_a_function() -> None:
    import pabal

    modules = {path.stem for path in Path(pabal.__file__).parent.glob("*.py")}
    assert modules.isdisjoint(set(pabal.__all__) - {"exceptions"})


@pytest.mark.parametrize(
    "name", ["api", "auth", "config", "cookies", "exceptions", "response", "retry", "session", "types"]
)
def test_public_modules_export_what_they_have(name: str) -> None:
    import importlib

    module = importlib.import_module(f"pabal.{name}")
    assert all(hasattr(module, each) for each in module.__all__)


def test_every_public_thing_has_documentation() -> None:
    import pabal

    for name in pabal.__all__:
        thing = getattr(pabal, name)
        if callable(thing):
            assert thing.__doc__, name
    for kind in (pabal.Session, pabal.AsyncSession, pabal.Response, pabal.Headers, pabal.CookieJar):
        for name in dir(kind):
            if not name.startswith("_") and name not in dir(object):
                assert getattr(kind, name).__doc__, f"{kind.__name__}.{name}"
