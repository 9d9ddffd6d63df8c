#!/usr/bin/env python3
"""Fetch and build the third-party C and C++ libraries and data pabal stands on; the table is third_party_recipes.py.

    tools/third_party.py build [NAME…]    build what is missing from the cache (CMake runs this while configuring)
    tools/third_party.py fetch            bring the sources to third_party/vendor/, for building without a network
    tools/third_party.py licences         collect the libraries' licences in third_party/licenses/ (--check: compare)
    tools/third_party.py list             what is pinned

Sources. `third_party/Cargo.lock` pins, by version and SHA-256, crates that carry the full source of a library;
`cargo vendor --locked` brings them to `third_party/vendor/`. A vendor folder that is already there and matches the lock
is used as it is, with every file checked against its checksum: no cargo and no network are needed then.
`--source NAME=FOLDER` takes somebody's own tree instead (as it is, without pabal's patches).

Results. Each library is built once, as static position-independent archives with optimisation, and installed into

    <cache>/third-party/<name>-<version>-<key>/{include,lib,share}

where <cache> is $PABAL_CACHE_DIR, or $XDG_CACHE_HOME/pabal, or ~/.cache/pabal; with PABAL_CACHE_DIR set but empty, or
when that folder cannot be written, it is build/cache in the source tree. The key covers the recipe, the sources and the
compiler. Builds may run at the same time: one holds the lock, the others wait for it and find the result; a result
appears whole (by rename) or not at all. All build types of pabal, sanitizers included, link these same archives.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from third_party_recipes import C_FLAGS, CXX_FLAGS, RECIPES, Recipe

ROOT = Path(__file__).resolve().parent.parent
MANIFEST = ROOT / "third_party"
VENDOR = MANIFEST / "vendor"
LICENCES = MANIFEST / "licenses"


class Failure(Exception):
    """A message for the person at the terminal; no traceback belongs to it."""


def say(message: str) -> None:
    print(f"third_party: {message}", file=sys.stderr, flush=True)


def main() -> int:
    arguments = parse_arguments()
    try:
        return int(arguments.action(arguments))
    except Failure as failure:
        say(f"error: {failure}")
        return 1


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    actions = parser.add_subparsers(required=True)

    build = actions.add_parser("build", help="build what is missing from the cache")
    build.add_argument("names", nargs="*", metavar="NAME", help="only these libraries (default: all)")
    build.add_argument("--source", action="append", default=[], metavar="NAME=FOLDER", help="build from your own tree")
    build.add_argument("--cmake", type=Path, metavar="FILE", help="write the folders of the results as CMake variables")
    build.add_argument("--cc", default="cc", help="C compiler (default: cc)")
    build.add_argument("--cxx", default="c++", help="C++ compiler (default: c++)")
    build.set_defaults(action=do_build)

    fetch = actions.add_parser("fetch", help="bring the sources to third_party/vendor/")
    fetch.set_defaults(action=do_fetch)

    licences = actions.add_parser("licences", help="collect the licences in third_party/licenses/")
    licences.add_argument("--check", action="store_true", help="only tell whether they are up to date")
    licences.set_defaults(action=do_licences)

    listing = actions.add_parser("list", help="print what is pinned")
    listing.set_defaults(action=do_list)
    return parser.parse_args()


# ------------------------------------------------------------------------------------------------------------- commands


def do_build(arguments: argparse.Namespace) -> int:
    known = {recipe.name for recipe in RECIPES}
    own_trees = dict(item.split("=", 1) for item in arguments.source)
    for name in [*arguments.names, *own_trees]:
        if name not in known:
            raise Failure(f"no library is called {name!r}; there are {', '.join(sorted(known))}")
    compilers = Compilers(arguments.cc, arguments.cxx)
    cache = cache_folder()
    results: dict[str, Path] = {}
    wanted = with_needs(arguments.names) if arguments.names else known
    for recipe in RECIPES:
        if recipe.name in wanted:
            own = Path(own_trees[recipe.name]).resolve() if recipe.name in own_trees else None
            needs = {name: results[name] for name in recipe.needs}
            results[recipe.name] = ensure_built(recipe, cache, compilers, own, needs)
    if arguments.cmake:
        write_cmake(arguments.cmake, results)
    else:
        for name, folder in results.items():
            print(f"{name}\t{folder}")
    return 0


def with_needs(names: list[str]) -> set[str]:
    """Those libraries and all that they are built against."""
    wanted = set(names)
    for recipe in reversed(RECIPES):
        if recipe.name in wanted:
            wanted.update(recipe.needs)
    return wanted


def do_fetch(_: argparse.Namespace) -> int:
    print(vendored_sources())
    return 0


def do_licences(arguments: argparse.Namespace) -> int:
    stale = []
    for recipe in RECIPES:
        path = LICENCES / f"{recipe.name}.txt"
        if not recipe.licences:
            text = path.read_text() if path.exists() else ""
        else:
            parts = [(vendored_sources() / recipe.crate / name).read_text() for name in recipe.licences]
            text = "\n\n".join(part.strip("\n") for part in parts) + "\n"
        if not text:
            raise Failure(f"{path.relative_to(ROOT)} is missing and {recipe.crate} carries no licence to copy")
        if not path.exists() or path.read_text() != text:
            stale.append(path.name)
            if not arguments.check:
                LICENCES.mkdir(exist_ok=True)
                path.write_text(text)
    if stale and arguments.check:
        raise Failure(f"run `tools/third_party.py licences`: not up to date: {', '.join(stale)}")
    return 0


def do_list(_: argparse.Namespace) -> int:
    locked = locked_crates()
    for recipe in RECIPES:
        version, checksum = locked[recipe.crate]
        print(f"{recipe.name:12} {recipe.version:9} {recipe.licence:18} {recipe.crate} {version} sha256:{checksum}")
    return 0


# -------------------------------------------------------------------------------------------------------------- sources


def locked_crates() -> dict[str, tuple[str, str]]:
    """Version and checksum of every crate in Cargo.lock (read without a TOML parser: Python 3.10 has none)."""
    crates = {}
    for block in (MANIFEST / "Cargo.lock").read_text().split("[[package]]")[1:]:
        entry = dict(re.findall(r'^(\w+) = "(.*)"$', block, re.MULTILINE))
        if "checksum" in entry:
            crates[entry["name"]] = (entry["version"], entry["checksum"])
    return crates


def vendored_sources() -> Path:
    """third_party/vendor/, brought there by cargo unless it already matches the lock."""
    with locked(MANIFEST / ".vendor.lock"):
        if vendor_matches_lock():
            return VENDOR
        if shutil.which("cargo") is None:
            raise Failure(
                "the third-party sources are fetched by cargo, which is not installed (Debian: apt-get install cargo); "
                "or copy third_party/vendor/ from where `tools/third_party.py fetch` was run"
            )
        say("fetching sources")
        shutil.rmtree(VENDOR, ignore_errors=True)
        command = [
            "cargo",
            "vendor",
            "--locked",
            "--quiet",
            "--manifest-path",
            str(MANIFEST / "Cargo.toml"),
            str(VENDOR),
        ]
        run(command, MANIFEST, log=None)
        if not vendor_matches_lock():
            raise Failure("what cargo vendor brought does not match third_party/Cargo.lock")
        return VENDOR


def vendor_matches_lock() -> bool:
    crates = locked_crates()
    for name in {crate for recipe in RECIPES for crate in recipe.crates}:
        checksums = VENDOR / name / ".cargo-checksum.json"
        if not checksums.exists() or json.loads(checksums.read_text())["package"] != crates[name][1]:
            return False
    return True


def check_files(crate: Path) -> None:
    """Compare every file of a vendored crate with the checksums recorded when it was unpacked."""
    recorded = json.loads((crate / ".cargo-checksum.json").read_text())["files"]
    for name, checksum in recorded.items():
        if hashlib.sha256((crate / name).read_bytes()).hexdigest() != checksum:
            raise Failure(f"{crate / name} was changed; remove third_party/vendor to fetch it anew")


# ---------------------------------------------------------------------------------------------------------------- cache


def cache_folder() -> Path:
    named = os.environ.get("PABAL_CACHE_DIR")
    inside = ROOT / "build" / "cache"
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pabal"
    wanted = inside if named == "" else Path(named).resolve() if named else base
    for folder in (wanted, inside):
        try:
            (folder / "third-party").mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder / "third-party"):
                return folder / "third-party"
        except OSError as error:
            say(f"cannot write {folder}: {error.strerror}")
    raise Failure("there is no folder to put the built libraries in; name one in PABAL_CACHE_DIR")


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class Compilers:
    """The compilers for all third-party code: the system's, whatever compiles pabal, so that all builds share it."""

    def __init__(self, cc: str, cxx: str) -> None:
        self.cc, self.cxx = cc, cxx
        self.identity = ""
        for compiler in (cc, cxx):
            try:
                answer = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True)
            except (OSError, subprocess.CalledProcessError) as error:
                raise Failure(f"the compiler {compiler!r} does not run: {error}") from None
            self.identity += answer.stdout


def key_of(recipe: Recipe, compilers: Compilers, own: Path | None, needs: dict[str, Path]) -> str:
    if own:
        files = sorted(path for path in own.rglob("*") if path.is_file() and ".git" not in path.parts)
        sources = "\n".join(f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in files)
    else:
        crates = locked_crates()
        sources = "\n".join(crates[name][1] for name in recipe.crates)
    archive = (MANIFEST / "archive" / "CMakeLists.txt").read_text() if recipe.cmake is None else ""
    what = repr(recipe) + (repr(recipe.data) if recipe.data else "")
    below = tuple(folder.name for folder in needs.values())  # their keys
    parts = (what, archive, C_FLAGS, CXX_FLAGS, sources, compilers.identity, platform.machine(), *below)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def ensure_built(recipe: Recipe, cache: Path, compilers: Compilers, own: Path | None, needs: dict[str, Path]) -> Path:
    result = cache / f"{recipe.name}-{recipe.version}-{key_of(recipe, compilers, own, needs)}"
    if result.is_dir():
        return result
    with locked(cache / f".{result.name}.lock"):
        if not result.is_dir():
            began = time.monotonic()
            say(f"building {recipe.name} {recipe.version}" + (f" from {own}" if own else ""))
            with tempfile.TemporaryDirectory(prefix=f".{recipe.name}-", dir=cache) as work:
                made = Path(work) / "result"
                if recipe.data:
                    copy_data(recipe, own, made)
                else:
                    install(recipe, build(recipe, Path(work), compilers, own, needs), made)
                made.rename(result)
            say(f"built {recipe.name} in {time.monotonic() - began:.0f} s")
    return result


# ---------------------------------------------------------------------------------------------------------------- build


def build(
    recipe: Recipe, work: Path, compilers: Compilers, own: Path | None, needs: dict[str, Path]
) -> dict[str, Path]:
    source = own or prepare_source(recipe, work)
    build_folder = work / "build"
    log = work / "log"
    if recipe.cmake is None:
        project = MANIFEST / "archive"
        lists = {"SOURCES": recipe.sources, "INCLUDES": recipe.includes, "DEFINITIONS": recipe.definitions}
        options = [
            f"-DNAME={recipe.name}",
            f"-DROOT={source}",
            *(f"-D{name}={';'.join(of)}" for name, of in lists.items()),
        ]
    else:
        project = source / recipe.cmake
        options = [option.format_map(needs) for option in recipe.options]
    configure = ["cmake", "-S", str(project), "-B", str(build_folder)]
    configure += ["-G", "Ninja"] if shutil.which("ninja") else []
    configure += [
        f"-DCMAKE_C_COMPILER={compilers.cc}",
        f"-DCMAKE_CXX_COMPILER={compilers.cxx}",
        "-DCMAKE_BUILD_TYPE=None",  # the flags below are all there are
        f"-DCMAKE_C_FLAGS={C_FLAGS}",
        f"-DCMAKE_CXX_FLAGS={CXX_FLAGS}",
        "-DCMAKE_POSITION_INDEPENDENT_CODE=ON",
        *options,
    ]
    run(configure, work, log)
    compile_ = ["cmake", "--build", str(build_folder), "--parallel", str(os.cpu_count() or 1)]
    run(compile_ + (["--target", *recipe.targets] if recipe.targets else []), work, log)
    return {"source": source, "build": build_folder}


def prepare_source(recipe: Recipe, work: Path) -> Path:
    """The crate's source; if there are patches a patched copy, so that third_party/vendor/ stays as it was fetched."""
    crate = vendored_sources() / recipe.crate
    check_files(crate)
    if not recipe.patches:
        return crate / recipe.source
    source = work / "source"
    shutil.copytree(crate / recipe.source, source)
    for patch in recipe.patches:
        run(["patch", "-p1", "--batch", "--silent", "--input", str(crate / patch)], source, work / "log")
    return source


def copy_data(recipe: Recipe, own: Path | None, into: Path) -> None:
    """Data that a tool of ours makes something of later; in somebody's own tree it lies at the top."""
    (into / "share").mkdir(parents=True)
    if not own:
        for crate in recipe.crates:
            check_files(vendored_sources() / crate)
    for crate, path, name in recipe.data:
        source = own / name if own else vendored_sources() / crate / path
        if not source.exists():
            raise Failure(f"{recipe.name}: there is no {source}")
        shutil.copy(source, into / "share" / name)


def install(recipe: Recipe, folders: dict[str, Path], into: Path) -> None:
    (into / "lib").mkdir(parents=True)
    for library in recipe.libraries:
        shutil.copy(folders["build"] / library, into / "lib")
        # BoringSSL's build asks for debug information whatever it is told: nine tenths of the archive.
        run(["strip", "--strip-debug", Path(library).name], into / "lib", log=None)
    for place, pattern, below in recipe.headers:
        found = sorted(folders[place].glob(pattern))
        if not found:
            raise Failure(f"{recipe.name}: no header matches {pattern}")
        target = into / "include" / below
        target.mkdir(parents=True, exist_ok=True)
        for header in found:
            shutil.copy(header, target)


def run(command: list[str], folder: Path, log: Path | None) -> None:
    """Run quietly; on failure show the end of what was said."""
    try:
        answer = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    except FileNotFoundError:
        raise Failure(f"{command[0]} is not installed; tools/bootstrap names everything that is needed") from None
    if log:
        with log.open("a") as file:
            file.write(answer.stdout)
    if answer.returncode:
        raise Failure(f"{' '.join(command)}\nexited with {answer.returncode}:\n{answer.stdout[-4000:]}")


def write_cmake(path: Path, results: dict[str, Path]) -> None:
    lines = ["# Written by tools/third_party.py: where each library was installed."]
    lines += [f'set(PABAL_{name.upper()}_ROOT "{folder.as_posix()}")' for name, folder in results.items()]
    text = "\n".join(lines) + "\n"
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    sys.exit(main())
