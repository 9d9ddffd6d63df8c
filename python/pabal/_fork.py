"""Locks of Python code that a forked child finds free, whoever held them in the parent: that thread is not there.

What such a lock guards here is left in order by every single step, so there is nothing to repair. The engine has
another way (src/base/fork.hpp).
"""

from __future__ import annotations

import os
import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import TypeVar

    L = TypeVar("L")

__all__ = ["free_in_children"]

_locks: weakref.WeakSet[Any] = weakref.WeakSet()


def free_in_children(lock: L) -> L:
    """Returns ``lock`` (a ``threading.Lock`` or ``RLock``), which children that are forked from now on find free."""
    _locks.add(lock)
    return lock


def _free() -> None:
    for lock in _locks:
        lock._at_fork_reinit()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_free)
