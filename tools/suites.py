#!/usr/bin/env python3
"""Run the peers' own test suites on the faces, through pabal.alias.

    tools/suites.py                all suites
    tools/suites.py requests       these only

Each suite is described by python/tests/suites/NAME.toml. Its source distribution is downloaded by exact version into
build/peers/, and of it only the tests and their configuration are used; nothing of it is ever committed. The tests run
first on the original, to learn which pass here at all, then on the face; those that the description calls not
applicable are counted apart, with its reasons.

What failed is listed, and what did not apply with its reason; then comes the table. The exit status is whether every
suite reaches its bar, the share of applicable tests that must pass, which its description states. A reason for tests
that are not in the suite is an error: it has outlived what it was written for.

Run it with .venv/bin/python (3.11 or later), after `make build`.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import xml.etree.ElementTree as ElementTree
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomllib

ROOT = Path(__file__).resolve().parent.parent
DESCRIPTIONS = ROOT / "python" / "tests" / "suites"
HOME = ROOT / "build" / "peers"
#: The package itself must not lie beside its tests.
TAKEN = (
    "tests",
    "test",
    "setup.cfg",
    "pytest.ini",
    "tox.ini",
    "pyproject.toml",
    "conftest.py",
    "README.rst",
    "README.md",
)
#: Read by several suites, and set by some machines.
STRAY = ("_proxy", "ca_bundle", "ssl_cert_file", "ssl_cert_dir")
LIMIT = 1500  # seconds for one suite


def prepare(name: str, suite: dict[str, Any]) -> tuple[Path, Path, Path]:
    """(folder, Python, working directory) of a suite, made when they are not there."""
    home = HOME / name
    python = home / "venv" / "bin" / "python"
    work = home / "work"
    if not (home / "ready").exists():
        home.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", home / "venv"], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *suite["packages"]], check=True)
        fetch = [python, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "-d", home, suite["spec"]]
        subprocess.run(fetch, check=True)
        with tarfile.open(next(home.glob("*.tar.gz"))) as archive:
            archive.extractall(home / "source", filter="data")
        work.mkdir(exist_ok=True)
        for path in next((home / "source").iterdir()).iterdir():
            if path.name in TAKEN:
                (work / path.name).symlink_to(path)
        (home / "ready").touch()
    return home, python, work


def outcomes(report: Path) -> dict[str, str]:
    """Test → passed, failed or skipped."""
    found: dict[str, str] = {}
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        kinds = {child.tag for child in case}
        verdict = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
        found[f"{case.get('classname')}::{case.get('name')}"] = verdict
    return found


def run(home: Path, python: Path, work: Path, suite: dict[str, Any], on: str, prefix: list[str]) -> dict[str, str]:
    """Runs the tests once; what they said is in the folder's NAME.log. Nothing, if they came to no end."""
    report = home / f"{on}.xml"
    report.unlink(missing_ok=True)
    words = [python, *prefix, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout=30", f"--junitxml={report}"]
    words += ["--continue-on-collection-errors", *suite.get("arguments", []), *suite["paths"]]
    environment = {k: v for k, v in os.environ.items() if not k.lower().endswith(STRAY)}
    with open(home / f"{on}.log", "w") as log:
        try:
            subprocess.run(words, cwd=work, stdout=log, stderr=log, env=environment, timeout=LIMIT)
        except subprocess.TimeoutExpired:
            print(f"  {home.name}: not at its end after {LIMIT} s, on the {on}")
    return outcomes(report) if report.exists() else {}


def alias(name: str) -> list[str]:
    """The suite's Python, with pabal (which lies in ours) at the end of its path, in front of ``-m pytest``."""
    site = sysconfig.get_paths()["platlib"]
    return [
        "-c",
        f"import sys, runpy; sys.path.append({site!r}); sys.argv = ['pabal.alias', {name!r}, *sys.argv[1:]]; "
        "runpy.run_module('pabal.alias', run_name='__main__', alter_sys=True)",
    ]


@dataclass
class Verdict:
    """How a suite went on the face, as far as its tests pass on the original."""

    name: str
    bar: float
    passed: int = 0
    failed: list[str] = field(default_factory=list)
    #: Reason → how many tests do not apply for it.
    excused: Counter[str] = field(default_factory=Counter)

    @property
    def share(self) -> float:
        """The part of the applicable tests that pass."""
        applicable = self.passed + len(self.failed)
        return self.passed / applicable if applicable else 0.0

    @property
    def is_reached(self) -> bool:
        """Whether the bar is."""
        return self.share >= self.bar


def judge(name: str, suite: dict[str, Any], original: dict[str, str], face: dict[str, str]) -> Verdict:
    """Counts. ``SystemExit`` when there is nothing to count, or a reason that excuses no test of the suite."""
    if "passed" not in original.values():
        sys.exit(f"{name}: no test passes on the original; see {HOME / name / 'original.log'}")
    patterns: dict[str, str] = suite.get("not_applicable", {})
    for pattern in patterns:
        if not fnmatch.filter(original, pattern):
            sys.exit(f"{name}.toml: no test is called {pattern!r}: its reason can go")
    verdict = Verdict(name, suite["at_least"])
    for test in (test for test, outcome in original.items() if outcome == "passed"):
        reason = next((why for pattern, why in patterns.items() if fnmatch.fnmatchcase(test, pattern)), None)
        if reason is not None:
            verdict.excused[reason] += 1
        elif face.get(test) == "passed":
            verdict.passed += 1
        else:
            verdict.failed.append(test)
    return verdict


def judged(name: str) -> Verdict:
    """Runs one suite, on the original only the first time."""
    suite = tomllib.loads((DESCRIPTIONS / f"{name}.toml").read_text())
    home, python, work = prepare(name, suite)
    kept = home / "original.json"
    if not kept.exists():
        kept.write_text(json.dumps(run(home, python, work, suite, "original", [])))
    face = run(home, python, work, suite, "face", alias(suite["alias"]))
    return judge(name, suite, json.loads(kept.read_text()), face)


def report(verdicts: list[Verdict]) -> str:
    """What is printed."""
    lines = [f"  {each.name}: failed: {test}" for each in verdicts for test in each.failed]
    for each in verdicts:
        lines += [f"  {each.name}: not applicable ({count}): {why}" for why, count in each.excused.items()]
    lines.append(f"{'suite':16}{'passed':>8}{'failed':>8}{'not applicable':>16}{'share':>9}{'bar':>9}")
    for each in verdicts:
        counts = f"{each.passed:8}{len(each.failed):8}{each.excused.total():16}"
        verdict = "" if each.is_reached else "   below the bar"
        lines.append(f"{each.name:16}{counts}{each.share:9.1%}{each.bar:9.0%}{verdict}")
    return "\n".join(lines)


def main() -> int:
    known = sorted(path.stem for path in DESCRIPTIONS.glob("*.toml"))
    arguments = argparse.ArgumentParser(description="Run the peers' own tests on the faces.")
    arguments.add_argument("names", nargs="*", choices=[*known, []])
    verdicts = [judged(name) for name in arguments.parse_args().names or known]
    print(report(verdicts))
    return int(not all(each.is_reached for each in verdicts))


if __name__ == "__main__":
    sys.exit(main())
