"""``python -m pabal.alias NAMES (SCRIPT | -m MODULE | -c CODE) [ARGUMENT …]``"""

from __future__ import annotations

import os
import runpy
import sys
from types import ModuleType

from pabal.alias import install

_USAGE = "usage: python -m pabal.alias NAME[,NAME…] (SCRIPT | -m MODULE | -c CODE) [ARGUMENT …]"


def _begin_path_with(folder: str) -> None:
    """``sys.path[0]`` as Python itself would have set it for the program."""
    if getattr(sys.flags, "safe_path", False):
        return
    if sys.path and sys.path[0] in ("", os.getcwd()):
        sys.path[0] = folder
    else:
        sys.path.insert(0, folder)


def main(arguments: list[str]) -> None:
    """Installs the faces and runs the program in their presence."""
    if len(arguments) < 2 or arguments[0] in ("-h", "--help"):
        print(_USAGE, file=sys.stderr)
        raise SystemExit(0 if arguments[:1] in (["-h"], ["--help"]) else 2)
    names, what, *rest = arguments
    if what in ("-m", "-c") and not rest:
        raise SystemExit(_USAGE)
    try:
        install(names)
    except ValueError as error:
        raise SystemExit(f"pabal.alias: {error}") from None
    if what == "-m":
        _begin_path_with(os.getcwd())
        sys.argv[:] = rest
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif what == "-c":
        _begin_path_with("")
        sys.argv[:] = ["-c", *rest[1:]]
        _run_code(rest[0])
    else:
        _begin_path_with(os.path.dirname(os.path.abspath(what)))
        sys.argv[:] = [what, *rest]
        runpy.run_path(what, run_name="__main__")


def _run_code(code: str) -> None:
    module = ModuleType("__main__")
    module.__dict__["__builtins__"] = __builtins__
    sys.modules["__main__"] = module
    exec(compile(code, "<string>", "exec"), module.__dict__)


if __name__ == "__main__":
    main(sys.argv[1:])
