#!/usr/bin/env python3
"""Run the peers' own test suites on the faces, through pabal.alias.

    tools/suites.py                all suites
    tools/suites.py requests       these only

Each suite is described by python/tests/suites/NAME.toml. Its source distribution is downloaded by exact version into
build/peers/, and of it only the tests and their configuration are used; nothing of it is ever committed. The tests run
first on the original, to learn which pass here at all, then on the face; those that the description calls not
applicable are counted apart, with its reasons. Run it with .venv/bin/python (3.11 or later), after `make build`.
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
    """Runs the tests once; what they said is in the folder's NAME.log."""
    report = home / f"{on}.xml"
    report.unlink(missing_ok=True)
    words = [python, *prefix, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout=30", f"--junitxml={report}"]
    words += ["--continue-on-collection-errors", *suite.get("arguments", []), *suite["paths"]]
    environment = {k: v for k, v in os.environ.items() if not k.lower().endswith(STRAY)}
    with open(home / f"{on}.log", "w") as log:
        subprocess.run(words, cwd=work, stdout=log, stderr=log, env=environment, timeout=LIMIT)
    return outcomes(report) if report.exists() else {}


def alias(name: str) -> list[str]:
    """The suite's Python, with pabal (which lies in ours) at the end of its path, in front of ``-m pytest``."""
    site = sysconfig.get_paths()["platlib"]
    return [
        "-c",
        f"import sys, runpy; sys.path.append({site!r}); sys.argv = ['pabal.alias', {name!r}, *sys.argv[1:]]; "
        "runpy.run_module('pabal.alias', run_name='__main__', alter_sys=True)",
    ]


def main() -> int:
    known = sorted(path.stem for path in DESCRIPTIONS.glob("*.toml"))
    arguments = argparse.ArgumentParser(description="Run the peers' own tests on the faces.")
    arguments.add_argument("names", nargs="*", choices=[*known, []])
    table: list[tuple[str, int, int, int]] = []
    for name in arguments.parse_args().names or known:
        suite = tomllib.loads((DESCRIPTIONS / f"{name}.toml").read_text())
        home, python, work = prepare(name, suite)
        kept = home / "original.json"
        if not kept.exists():
            kept.write_text(json.dumps(run(home, python, work, suite, "original", [])))
        passing = [test for test, verdict in json.loads(kept.read_text()).items() if verdict == "passed"]
        patterns: dict[str, str] = suite.get("not_applicable", {})
        excused = [test for test in passing if any(fnmatch.fnmatchcase(test, pattern) for pattern in patterns)]
        face = run(home, python, work, suite, "face", alias(suite["alias"]))
        failed = [test for test in passing if test not in excused and face.get(test) != "passed"]
        for test in failed:
            print(f"  {name}: {test}")
        table.append((name, len(passing) - len(excused) - len(failed), len(failed), len(excused)))
    print(f"{'suite':16}{'passed':>8}{'failed':>8}{'not applicable':>16}")
    for name, passed, failures, excused_count in table:
        share = 100 * passed / max(1, passed + failures)
        print(f"{name:16}{passed:8}{failures:8}{excused_count:16}   {share:.1f}%")
    return int(any(failures for _, _, failures, _ in table))


if __name__ == "__main__":
    sys.exit(main())
