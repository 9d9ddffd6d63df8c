"""``requests.packages``: the names under which programs reach what requests once carried along.

``urllib3`` here is not that library but the shapes of it that programs touch; ``idna`` and ``chardet`` are the
installed packages of those names, or small stand-ins.
"""

from __future__ import annotations

import importlib
from typing import Any

from . import urllib3

__all__ = ["chardet", "idna", "urllib3"]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name == "chardet":
        from ..compat import chardet as found
    elif name == "idna":
        try:
            found = importlib.import_module("idna")
        except ImportError:
            found = importlib.import_module("pabal.requests._idna")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found
    return found
