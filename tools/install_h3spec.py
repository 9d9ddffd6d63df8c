#!/usr/bin/env python3
"""Installs h3spec, a judge of HTTP/3 servers:  tools/install_h3spec.py FOLDER

Its program for Linux comes inside a Maven plugin of netty's; Maven fetches that from wherever it is set up to.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

GROUP, NAME, VERSION = "io.netty.incubator", "netty-incubator-h3spec-maven-plugin", "0.0.5.Final"
PROGRAM = "h3spec/h3spec-linux-x86_64"
SHA256 = "2a178ae29eabcced5ec52aac1fc97784f6eaccace07aa6a4b716cd90ab29e6b7"


def fetched(repository: str) -> bytes:
    """The program, out of the plugin, which is fetched into a repository of its own."""
    command = ["mvn", "--quiet", "--batch-mode", f"-Dmaven.repo.local={repository}"]
    command.append("org.apache.maven.plugins:maven-dependency-plugin:2.8:get")
    command += [f"-Dartifact={GROUP}:{NAME}:{VERSION}", "-Dtransitive=false"]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=600)
    plugin = Path(repository, *GROUP.split("."), NAME, VERSION, f"{NAME}-{VERSION}.jar")
    with zipfile.ZipFile(plugin) as archive:
        return archive.read(PROGRAM)


def main() -> int:
    into = Path(sys.argv[1]) / "h3spec"
    if into.exists() and hashlib.sha256(into.read_bytes()).hexdigest() == SHA256:
        return 0
    with tempfile.TemporaryDirectory() as repository:
        program = fetched(repository)
    if (found := hashlib.sha256(program).hexdigest()) != SHA256:
        print(f"{PROGRAM} of {NAME} {VERSION} is not what it was: SHA-256 {found}", file=sys.stderr)
        return 1
    into.parent.mkdir(parents=True, exist_ok=True)
    into.write_bytes(program)
    into.chmod(0o755)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
