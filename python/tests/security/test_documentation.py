"""docs/security.md names the tests of bad input: each exists."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docs" / "security.md").read_text()


def test_every_python_test_that_the_table_names_exists() -> None:
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", TEXT)
    assert len(named) > 40
    for file, function in named:
        assert f"def {function}(" in (ROOT / "python" / "tests" / file).read_text(), f"{file}::{function}"


def test_every_cpp_test_that_the_table_names_exists() -> None:
    sources = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("*_test.cpp"))
    named = [each for each in re.findall(r"`(\w+)\.(\w+)`", TEXT) if each[1] not in ("py", "md")]
    assert len(named) > 8
    for suite, test in named:
        assert re.search(rf"TEST\w*\({suite}, {test}\)", sources), f"{suite}.{test}"


def test_every_security_test_is_in_the_table() -> None:
    for path in Path(__file__).parent.glob("test_*.py"):
        for function in re.findall(r"^def (test_\w+)\(", path.read_text(), re.MULTILINE):
            assert path.name == Path(__file__).name or f"{path.name}::{function}`" in TEXT, function
