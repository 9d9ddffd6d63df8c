"""What the suite needs around itself: the peers' environment, two cores, enough open files."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from bench.adapters import SOCKET, Adapter

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "build" / "peers"
REQUIREMENTS = ROOT / "bench" / "peers.txt"

SPARE_FILES = 256  # for what a client or nginx opens beside its connections

PROBE = """
import importlib.metadata, importlib.util, json, sys
def version(name):
    if importlib.util.find_spec(name) is None:
        return None
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
print(json.dumps({name: version(name) for name in sys.argv[1:]}))
"""


class Unavailable(Exception):
    """Something that the suite needs is not there; the message says what to do."""


def ensure_peers(python: str = sys.executable) -> Path:
    """The Python of build/peers, made anew when peers.txt or the version of Python has changed."""
    peers_python = PEERS / "bin" / "python"
    stamp = PEERS / "bench-stamp.txt"
    wanted = f"{sys.version_info.major}.{sys.version_info.minor}\n{REQUIREMENTS.read_text()}"
    if peers_python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return peers_python
    print("Installing the peers of bench/peers.txt into build/peers …", file=sys.stderr, flush=True)
    install = [str(peers_python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    try:
        subprocess.run([python, "-m", "venv", "--clear", str(PEERS)], check=True)
        subprocess.run(
            [*install, "--requirement", str(REQUIREMENTS)], check=True, env=os.environ | {"URLLIB3_NO_OVERRIDE": "1"}
        )
    except subprocess.CalledProcessError as error:
        raise Unavailable(f"the peers of bench/peers.txt could not be installed: {error}") from error
    stamp.write_text(wanted)
    return peers_python


def has_module(python: str, module: str) -> bool:
    command = [python, "-c", f"import importlib.util; raise SystemExit(importlib.util.find_spec({module!r}) is None)"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def site_packages(python: Path) -> str:
    command = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('platlib'))"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def installed_versions(python: str, adapters: Iterable[Adapter]) -> dict[str, str]:
    """The version of each adapter's library; raises Unavailable naming those that cannot be imported."""
    modules = {adapter.module for adapter in adapters}
    if not modules:
        return {}
    command = [python, "-c", PROBE, *sorted(modules)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    versions: dict[str, str | None] = json.loads(answer)
    missing = [module for module, version in versions.items() if version is None]
    if missing:
        raise Unavailable(f"{python} cannot import {', '.join(missing)}")
    return {module: version or "" for module, version in versions.items() if module != SOCKET}


def allow_open_files(connections: int) -> None:
    """Raise this process's limit, and so that of the children it starts, to hold so many connections."""
    needed = connections + SPARE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, max(hard, needed)))
    except (ValueError, PermissionError) as error:
        raise Unavailable(
            f"so many requests at once need {needed:,} open files and the limit is {hard:,} (ulimit -Hn);"
            " raise it, or leave those shapes out with --only"
        ) from error


def cores() -> tuple[int, int]:
    """One core for the client and another for the server; the same one if there is no other."""
    available = sorted(os.sched_getaffinity(0))
    return available[0], available[min(1, len(available) - 1)]


def pinned(core: int, command: Sequence[str]) -> list[str]:
    """The command, kept on one core where taskset is there to do it."""
    return [*(["taskset", "-c", str(core)] if shutil.which("taskset") else []), *command]


def client_environment(extra_path: str | None = None) -> dict[str, str]:
    """Without the variables that some clients obey and others do not: proxies, and bundles of certificates."""
    ignored = re.compile(r".*_proxy|.*_ca_bundle|.*ssl_cert_(file|dir)", re.IGNORECASE)
    environment = {name: value for name, value in os.environ.items() if not ignored.fullmatch(name)}
    return environment if extra_path is None else environment | {"PYTHONPATH": extra_path}


def machine() -> str:
    """One line on what was measured on."""
    model = "unknown processor"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    system = os.uname()
    return f"{model}, {os.cpu_count()} cores, {system.sysname} {system.release.split('-')[0]}"
