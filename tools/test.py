#!/usr/bin/env python3
"""Run pabal's tests and checks, stage by stage, and end with a count.

    tools/test.py                the stages of `make test`
    tools/test.py cpp python     these stages only (names below)

A stage that fails does not stop the others. Run it with .venv/bin/python, after `make build`; reports are left in
build/reports/.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REPORTS = ROOT / "build" / "reports"
JOBS = str(os.cpu_count() or 1)
CI = os.environ.get("CI") == "true"
STEP_LIMIT = 1200.0  # seconds; several times what the longest step takes on two cores


@dataclass(frozen=True)
class Count:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)


# -------------------------------------------------------------------------------------------------------------- helpers


def run(*command: str | Path, limit: float = STEP_LIMIT, **environment: str) -> bool:
    """Runs one step; one that hangs is ended after `limit` seconds, with all that it started, and has failed."""
    words = [str(word) for word in command]
    shown = " ".join(words)
    print("+", shown if len(shown) < 400 else shown[:400] + " …", flush=True)
    process = subprocess.Popen(words, cwd=ROOT, env={**os.environ, **environment}, start_new_session=True)
    try:
        return process.wait(limit) == 0
    except subprocess.TimeoutExpired:
        print(f"ended after {limit:.0f} s: {words[0]} hung", flush=True)
        return False
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def one(succeeded: bool) -> Count:
    return Count(passed=1) if succeeded else Count(failed=1)


def junit(path: Path, succeeded: bool, show: bool = False) -> Count:
    """The count in a JUnit report; a runner that failed without naming a failed test counts as one failure.

    `show` prints what the failed tests said, for a runner that was told to be quiet.
    """
    if not path.exists():
        return Count(failed=1)
    total = Count()
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            total += Count(failed=1)
            if show:
                print(f"\nFAILED {case.get('name')}\n{case.findtext('system-out', '')[-8000:]}")
        elif case.find("skipped") is not None:
            total += Count(skipped=1)
        else:
            total += Count(passed=1)
    return total if succeeded or total.failed else total + Count(failed=1)


def build(preset: str, *options: str) -> bool:
    werror = ["-DPABAL_WERROR=ON"] if CI else []
    return run("cmake", "--preset", preset, *werror, *options) and run(
        "cmake", "--build", "--preset", preset, "-j", JOBS
    )


def ctest(preset: str, **environment: str) -> Count:
    report = REPORTS / f"cpp-{preset}.xml"
    # Where whole programs are the tests of ctest (tests/CMakeLists.txt), their own reports have the count.
    programs = ROOT / "build" / preset / "gtest"
    for old in (report, *programs.glob("*.xml")):
        old.unlink(missing_ok=True)
    succeeded = run("ctest", "--preset", preset, "-j", JOBS, "--quiet", "--output-junit", report, **environment)
    count = junit(report, succeeded, show=True)
    for program in programs.glob("*.xml"):
        count += junit(program, succeeded=True) + Count(passed=-1)  # the program itself was counted above
    return count


def pytest(name: str, **environment: str) -> Count:
    report = REPORTS / f"{name}.xml"
    report.unlink(missing_ok=True)
    return junit(report, run(sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", **environment))


def files_in_git(*patterns: str) -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    return [name for name in listed.stdout.splitlines() if (ROOT / name).exists()]


# --------------------------------------------------------------------------------------------------------------- stages

ASAN_OPTIONS = "detect_stack_use_after_return=1:strict_string_checks=1:abort_on_error=0"
UBSAN_OPTIONS = "print_stacktrace=1:halt_on_error=1"


def cpp() -> Count:
    """The C++ tests, the examples, the benchmarks and the installed consumer, as shipped (g++)."""
    return ctest("release") if build("release") else Count(failed=1)


def python() -> Count:
    """The Python tests, on what `make build` installed."""
    return pytest("python")


def asan() -> Count:
    """The C++ tests under AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer (g++)."""
    if not build("asan", "-DPABAL_PYTHON=ON", f"-DPython_EXECUTABLE={sys.executable}"):
        return Count(failed=1)
    return ctest("asan", ASAN_OPTIONS=ASAN_OPTIONS, UBSAN_OPTIONS=UBSAN_OPTIONS)


def asan_python() -> Count:
    """The Python tests under the same sanitizers (without leaks: the interpreter keeps what it likes until exit)."""
    package = ROOT / "build" / "asan" / "python"
    if not build("asan", "-DPABAL_PYTHON=ON", f"-DPython_EXECUTABLE={sys.executable}"):
        return Count(failed=1)
    libraries = [
        subprocess.run(["g++", f"-print-file-name={name}"], capture_output=True, text=True).stdout.strip()
        for name in ("libasan.so", "libubsan.so", "libstdc++.so")
    ]
    return pytest(
        "python-asan",
        LD_PRELOAD=" ".join(libraries),
        PYTHONPATH=str(package),
        PYTHONMALLOC="malloc",
        PABAL_SANITIZED="1",
        ASAN_OPTIONS=ASAN_OPTIONS + ":detect_leaks=0:detect_stack_use_after_return=0",
        UBSAN_OPTIONS=UBSAN_OPTIONS,
    )


def tsan() -> Count:
    """The C++ tests under ThreadSanitizer (clang)."""
    return ctest("tsan", TSAN_OPTIONS="halt_on_error=1:second_deadlock_stack=1") if build("tsan") else Count(failed=1)


def fuzz() -> Count:
    """Every fuzz target for PABAL_FUZZ_SECONDS; without it for 10 seconds from one seed (`make fuzz` explores)."""
    if not build("fuzz"):
        return Count(failed=1)
    seconds = os.environ.get("PABAL_FUZZ_SECONDS", "10")
    seed = [] if "PABAL_FUZZ_SECONDS" in os.environ else ["-seed=1"]
    findings = ROOT / "fuzz" / "findings"
    findings.mkdir(exist_ok=True)
    total = Count()
    for program in sorted((ROOT / "build" / "fuzz" / "fuzz").glob("fuzz_*")):
        if not os.access(program, os.X_OK) or program.is_dir():
            continue
        name = program.name.removeprefix("fuzz_")
        grown = ROOT / "build" / "corpus" / name
        grown.mkdir(parents=True, exist_ok=True)
        seeds = [ROOT / "fuzz" / folder / name for folder in ("corpus", "regressions")]
        options = [
            f"-max_total_time={seconds}",
            "-timeout=10",
            "-rss_limit_mb=2048",
            "-print_final_stats=0",
            "-verbosity=0",
        ]
        options += [f"-artifact_prefix={findings}/{name}-", *seed]
        dictionary = ROOT / "fuzz" / f"{name}.dict"
        options += [f"-dict={dictionary}"] if dictionary.exists() else []
        total += one(
            run(program, *options, grown, *(seed for seed in seeds if seed.is_dir()), UBSAN_OPTIONS=UBSAN_OPTIONS)
        )
    return total


def soak() -> Count:
    """A minute of requests of every kind: memory and descriptors stay as they are (`make soak` takes ten)."""
    report = REPORTS / "soak.xml"
    report.unlink(missing_ok=True)
    length = ("--seconds", os.environ.get("PABAL_SOAK_SECONDS", "60"))
    requests = ("--requests", os.environ.get("PABAL_SOAK_REQUESTS", "0"))
    return junit(report, run(sys.executable, ROOT / "python" / "tests" / "soak.py", *length, *requests))


def bench() -> Count:
    """Every benchmark of pabal runs (without its peers, with tiny counts: nothing is measured)."""
    output = ROOT / "build" / "reports" / "bench"
    return one(run(sys.executable, "-m", "bench", "--quick", "--peers", "", "--output", output)) + one(
        run(sys.executable, "-m", "bench.server_rate", "--rounds", "1", "--requests", "1000")
    )


def types() -> Count:
    """mypy --strict and pyright strict, on the package and the examples that use it."""
    return one(run(sys.executable, "-m", "mypy")) + one(run(sys.executable, "-m", "pyright"))


def house() -> Count:
    """The house rules: layers, mirrored tests, licences, links."""
    checks = ("check_layers.py", "check_mirror.py", "check_licences.py", "check_links.py")
    return sum((one(run(sys.executable, ROOT / "tools" / name)) for name in checks), Count())


def format() -> Count:
    """clang-format and ruff format change nothing."""
    sources = files_in_git("*.cpp", "*.hpp", "*.h")
    return one(run("clang-format-19", "--dry-run", "--Werror", *sources)) + one(
        run(sys.executable, "-m", "ruff", "format", "--check", "--quiet", ".")
    )


def lint() -> Count:
    """ruff check."""
    return one(run(sys.executable, "-m", "ruff", "check", "--quiet", "."))


def tidy() -> Count:
    """clang-tidy for PABAL_TIDY_SECONDS (180): what differs from the last commit, then the newest sources."""
    # Warnings as errors would be g++'s own, which clang does not know.
    if not run("cmake", "--preset", "release", "-DPABAL_WERROR=OFF"):
        return Count(failed=1)
    deadline = time.monotonic() + float(os.environ.get("PABAL_TIDY_SECONDS", "180"))
    status = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True).stdout
    changed = {line[3:] for line in status.splitlines()}
    sources = files_in_git("src/*.cpp")
    sources.sort(key=lambda name: (name not in changed, -(ROOT / name).stat().st_mtime))

    def read(name: str) -> bool | None:
        if time.monotonic() > deadline:
            return None
        return run("clang-tidy-19", "-p", "build/release", "--quiet", "--warnings-as-errors=*", name)

    with ThreadPoolExecutor(int(JOBS)) as threads:
        outcomes = [outcome for outcome in threads.map(read, sources) if outcome is not None]
    print(f"clang-tidy read {len(outcomes)} of {len(sources)} sources")
    return one(all(outcomes))


STAGES: dict[str, Callable[[], Count]] = {
    stage.__name__: stage
    for stage in (house, format, lint, types, cpp, python, asan, asan_python, tsan, soak, fuzz, bench, tidy)
}
NOT_IN_TEST = {"tidy"}  # too slow for every run; `make check` has it


def main(names: Iterable[str]) -> int:
    chosen = list(names) or [name for name in STAGES if name not in NOT_IN_TEST]
    unknown = [name for name in chosen if name not in STAGES]
    if unknown:
        print(f"no stage is called {unknown[0]}; there are:\n")
        for name, stage in STAGES.items():
            print(f"  {name:12} {stage.__doc__}")
        return 2
    REPORTS.mkdir(parents=True, exist_ok=True)
    rows = []
    for name in chosen:
        print(f"\n===== {name}: {STAGES[name].__doc__}", flush=True)
        began = time.monotonic()
        count = STAGES[name]()
        rows.append((name, count, time.monotonic() - began))
    print("\n===== summary")
    for name, count, seconds in rows:
        print(f"{name:12} {count.passed:6} passed {count.failed:4} failed {count.skipped:4} skipped {seconds:7.0f} s")
    total = sum((count for _, count, _ in rows), Count())
    print(f"\n{total.passed} passed, {total.failed} failed" + (f", {total.skipped} skipped" if total.skipped else ""))
    return total.failed > 0 or total.passed == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
