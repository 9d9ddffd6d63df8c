"""The installed urllib3, for programs that use it beside requests.

To them the two are one: they catch ``urllib3.exceptions.ProtocolError`` when they read ``response.raw``, or hand an
adapter a ``Retry`` of urllib3 and catch ``requests.adapters.MaxRetryError``. So what is raised here is raised as the
class of urllib3 of that name, once somebody has imported urllib3: nobody else can have it in hand. Importing it is left
to the program, for it takes longer than a request.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from typing import Any, TypeVar

__all__ = [
    "adopt",
    "either",
    "found",
    "headers_of",
    "loaded",
    "manager_for",
    "pools",
    "retry_of",
    "timeout_of",
    "used",
    "was_replaced",
]

_Kind = TypeVar("_Kind", bound=BaseException)


def loaded(module: str) -> Any:
    """A module of urllib3 (``"exceptions"``), if it was imported already; or None."""
    return sys.modules.get(f"urllib3.{module}")


def found(module: str) -> Any:
    """The same, imported now if there is one."""
    try:
        return importlib.import_module(f"urllib3.{module}")
    except ImportError:
        return None


def used(kind: type[_Kind]) -> type[_Kind]:
    """The class to raise, or to warn by: urllib3's own of that name, if that was imported."""
    theirs: type[_Kind] = getattr(loaded("exceptions"), kind.__name__, kind)
    return theirs


def either(*kinds: type[BaseException]) -> tuple[type[BaseException], ...]:
    """What to catch, or to look for: both classes of each name."""
    return (*kinds, *(used(kind) for kind in kinds))


def adopt(kind: type) -> None:
    """Makes ``isinstance(response.raw, urllib3.HTTPResponse)`` true, if that was imported."""
    theirs = getattr(loaded("response"), "HTTPResponse", None)
    if theirs is not None and not issubclass(kind, theirs):
        theirs.register(kind)


# --- its pools --------------------------------------------------------------------------------------------------------


def timeout_of(limits: Any) -> Any:
    """A ``Timeout`` as a pool of urllib3 takes it."""
    kind = getattr(loaded("util.timeout"), "Timeout", None)
    if kind is None or isinstance(limits, kind) or not hasattr(limits, "connect_timeout"):
        return limits
    return kind(connect=limits.connect_timeout, read=limits.read_timeout)


def retry_of(retries: Any) -> Any:
    """A ``Retry`` as a pool of urllib3 takes it."""
    kind = getattr(loaded("util.retry"), "Retry", None)
    if kind is None or isinstance(retries, kind) or not hasattr(retries, "increment"):
        return retries
    settings = inspect.signature(kind).parameters
    return kind(**{name: getattr(retries, name) for name in settings if hasattr(retries, name)})


def headers_of(headers: Any, ours: str) -> Any:
    """Headers as a pool of urllib3 sends them: where they ask for all codings that the engine undoes (``ours``), for
    those that it undoes itself."""
    module = loaded("util.request")
    if module is None or headers.get("Accept-Encoding") != ours:
        return headers
    changed = headers.copy()
    changed["Accept-Encoding"] = module.make_headers(accept_encoding=True)["accept-encoding"].replace(",", ", ")
    return changed


def pools() -> tuple[Any, ...]:
    """The classes of its pools, if they were imported."""
    module: Any = sys.modules.get("urllib3.connectionpool")
    if module is None:
        return ()
    try:
        return module.HTTPConnectionPool, module.HTTPSConnectionPool
    except AttributeError:  # it is just being imported
        return ()


def was_replaced() -> bool:
    """Whether somebody put another class of connections, or another way of sending, in the place of urllib3's own.

    That is how recorders and test doubles get below requests. Who only wraps what is there, to count or to trace, keeps
    its name, and is not meant.
    """
    for pool in pools():
        if pool.ConnectionCls.__module__ != "urllib3.connection" or pool.urlopen.__module__ != "urllib3.connectionpool":
            return True
    return False


def manager_for(proxy_url: str | None, **options: Any) -> Any:
    """A manager of its pools; None for a SOCKS proxy if it lacks what it needs for those."""
    module = found("poolmanager")
    if proxy_url is None:
        return module.PoolManager(**options)
    if not proxy_url.lower().startswith("socks"):
        return module.ProxyManager(proxy_url, **options)
    del options["proxy_headers"]
    socks = found("contrib.socks")
    return None if socks is None else socks.SOCKSProxyManager(proxy_url, **options)
