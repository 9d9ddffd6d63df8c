"""What a test left behind."""

from __future__ import annotations

import ctypes
import gc
import os
import time

import pytest


def descriptors() -> dict[str, str]:
    """The open descriptors of this process and what they are."""
    found: dict[str, str] = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            found[name] = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue
    return found


def settle(before: dict[str, str], seconds: float = 3.0) -> dict[str, str]:
    """The descriptors that are open now and were not before; waits a while for them to go."""
    deadline = time.monotonic() + seconds
    while True:
        gc.collect()
        new = {name: what for name, what in descriptors().items() if before.get(name) != what}
        new = {name: what for name, what in new.items() if "/proc/" not in what}
        if not new or time.monotonic() > deadline:
            return new
        time.sleep(0.02)


#: For tests of memory: under a sanitizer its shadow and its quarantine are what is measured.
memory_tells = pytest.mark.skipif(
    "PABAL_SANITIZED" in os.environ, reason="a sanitizer's own memory hides the program's"
)


def make_malloc_give_back() -> None:
    """Fixes glibc's thresholds at what they are at first (mallopt(3)).

    Else the first large block that is freed raises them, and from then on malloc keeps what large blocks needed.
    """
    library = ctypes.CDLL("libc.so.6")
    trim_threshold, mmap_threshold, first_value = -1, -3, 128 * 1024
    if not (library.mallopt(trim_threshold, first_value) and library.mallopt(mmap_threshold, first_value)):
        raise RuntimeError("malloc does not take its thresholds")


def resident_megabytes() -> float:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


class _MallocInfo(ctypes.Structure):
    """glibc's struct mallinfo2."""

    _fields_ = [(f"before_{number}", ctypes.c_size_t) for number in range(4)] + [
        ("hblkhd", ctypes.c_size_t),  # bytes in pieces with a mapping of their own
        ("usmblks", ctypes.c_size_t),
        ("fsmblks", ctypes.c_size_t),
        ("uordblks", ctypes.c_size_t),  # bytes in use, of all arenas
        ("fordblks", ctypes.c_size_t),
        ("keepcost", ctypes.c_size_t),
    ]


def allocated_megabytes() -> float:
    """What the program asked malloc for and has not given back: without what malloc itself keeps for later."""
    tell = ctypes.CDLL(None).mallinfo2
    tell.restype = _MallocInfo
    info = tell()
    return float(info.uordblks + info.hblkhd) / 1e6
