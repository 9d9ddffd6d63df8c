"""``python -m pabal.alias``: programs that meet a face under the name of the original."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import importlib.metadata, pickle, subprocess, sys
import requests, requests.sessions
import pabal.requests
assert requests is pabal.requests and requests.sessions is pabal.requests.sessions
assert requests.__spec__.name == "pabal.requests"
from requests.packages.urllib3.util.retry import Retry
import requests.packages.idna
assert importlib.metadata.version("requests") == requests.__version__
from unittest import mock
with mock.patch("requests.sessions.Session.get", return_value=7):
    assert requests.Session().get("http://x") == 7
try:
    import requests.nothing
except ModuleNotFoundError:
    pass
print(sys.argv, __name__)
if "child" not in sys.argv:
    subprocess.run([sys.executable, __file__, "child"], check=True)
"""


def _run(*arguments: str, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pabal.alias", *arguments], cwd=cwd, capture_output=True, text=True, timeout=50
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_script_and_its_children(tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    out = _run("requests", str(script), "a", "b", cwd=tmp_path)
    assert f"{[str(script), 'a', 'b']} __main__" in out
    assert "'child'] __main__" in out


def test_a_module_and_code(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("import requests, sys; print(requests.__name__, sys.argv[1:])")
    assert _run("requests", "-m", "mine", "x", cwd=tmp_path) == "pabal.requests ['x']\n"
    assert _run("requests", "-c", "import requests, sys; print(requests.__name__, sys.argv)", "x", cwd=tmp_path) == (
        "pabal.requests ['-c', 'x']\n"
    )
    assert '"requests"' in _run("requests", "-m", "requests.help", cwd=tmp_path)


def test_pytest_plugins_see_the_face(tmp_path: Path) -> None:
    (tmp_path / "early.py").write_text("import requests\nNAME = requests.__name__\n")
    (tmp_path / "test_it.py").write_text(
        "import early, requests\ndef test_it():\n    assert early.NAME == requests.__name__ == 'pabal.requests'\n"
    )
    assert "1 passed" in _run("requests", "-m", "pytest", "-q", "-p", "early", "-p", "no:cacheprovider", cwd=tmp_path)


def test_unknown_names_are_refused(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pabal.alias", "urllib", "-c", "pass"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode != 0 and "no face is called 'urllib'" in done.stderr


@pytest.mark.parametrize("name", ["requests"])
def test_nothing_is_shadowed_unasked(name: str) -> None:
    code = f"import pabal, sys; assert {name!r} not in sys.modules and 'pabal.{name}' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
