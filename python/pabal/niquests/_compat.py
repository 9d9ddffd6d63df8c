"""What programs look at to find out which urllib3 is there."""

from __future__ import annotations

from typing import TypeVar

from .packages import urllib3

__all__ = ["HAS_LEGACY_URLLIB3", "urllib3", "urllib3_ensure_type"]

_T = TypeVar("_T")

#: Whether ``urllib3`` is the old library of that name, and the other is to be found beside it. This face needs neither:
#: it says True where the installed urllib3 is not the one that niquests brings, as niquests would.
HAS_LEGACY_URLLIB3: bool


def _installed_is_legacy() -> bool:
    from importlib import metadata

    try:
        return int(metadata.version("urllib3").split(".")[2]) < 900
    except (metadata.PackageNotFoundError, IndexError, ValueError):
        return False


def urllib3_ensure_type(o: _T) -> _T:
    """The object itself."""
    return o


def __getattr__(name: str) -> bool:
    if name == "HAS_LEGACY_URLLIB3":  # asked of the installation only when somebody wants to know
        globals()[name] = _installed_is_legacy()
        return bool(globals()[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
