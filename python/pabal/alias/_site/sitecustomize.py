"""Found by Python subprocesses of an aliased program, before anything else: installs the same faces there.

It leaves the path at once and lets the ``sitecustomize`` that it hides run. In a Python that cannot load pabal nothing
happens.
"""

import contextlib
import importlib
import os
import sys
from types import ModuleType


def _leave() -> ModuleType | None:
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != here]
    return sys.modules.pop("sitecustomize", None)


def _install() -> None:
    names = os.environ.get("PABAL_ALIAS")
    if not names:
        return
    root = os.environ.get("PABAL_ALIAS_ROOT", "")
    added = bool(root) and root not in sys.path
    if added:
        sys.path.append(root)  # last: it lends pabal, and shadows nothing
    try:
        from pabal.alias import install

        install(names)
    except (ImportError, ValueError):
        if added:
            sys.path.remove(root)


_self = _leave()
_install()
with contextlib.suppress(ImportError):
    importlib.import_module("sitecustomize")
if _self is not None:
    sys.modules.setdefault("sitecustomize", _self)
