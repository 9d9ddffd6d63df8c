"""``niquests.packages``: the names under which programs reach what niquests builds on.

``urllib3`` here is the same object as ``pabal.requests.packages.urllib3``: shapes that programs touch, no client.
"""

from __future__ import annotations

import sys
from typing import Any

from pabal.requests import compat, packages
from pabal.requests.packages import urllib3

from . import contrib

__all__ = ["chardet", "charset_normalizer", "idna", "urllib3"]  # pyright: ignore[reportUnsupportedDunderAll]


def _share() -> None:
    """Makes ``niquests.packages.urllib3.…`` and ``requests.packages.urllib3.…`` the same modules."""
    theirs = urllib3.__name__
    for name, module in list(sys.modules.items()):
        if name == theirs or name.startswith(theirs + "."):
            sys.modules[f"{__name__}.urllib3{name[len(theirs) :]}"] = module
    ours = contrib.__name__
    for name, module in list(sys.modules.items()):
        if name == ours or name.startswith(ours + "."):
            sys.modules[f"{__name__}.urllib3.contrib{name[len(ours) :]}"] = module


_share()


def __getattr__(name: str) -> Any:
    if name in ("chardet", "charset_normalizer"):
        found = compat.chardet
    elif name == "idna":
        found = packages.idna
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found
    return found
