"""Hooks: callables, or objects with a method for every event, that are told how a request fares."""

from __future__ import annotations

import inspect
from typing import Any

from ._lifecycle import HOOKS, AsyncLifeCycleHook, LifeCycleHook
from ._limiters import AsyncLeakyBucketLimiter, AsyncTokenBucketLimiter, LeakyBucketLimiter, TokenBucketLimiter

__all__ = [
    "HOOKS",
    "AsyncLeakyBucketLimiter",
    "AsyncLifeCycleHook",
    "AsyncTokenBucketLimiter",
    "LeakyBucketLimiter",
    "LifeCycleHook",
    "TokenBucketLimiter",
    "async_dispatch_hook",
    "default_hooks",
    "dispatch_hook",
]

for _public in (
    AsyncLeakyBucketLimiter,
    AsyncLifeCycleHook,
    AsyncTokenBucketLimiter,
    LeakyBucketLimiter,
    LifeCycleHook,
    TokenBucketLimiter,
):
    _public.__module__ = __name__


def default_hooks() -> dict[str, list[Any]]:
    """No hooks for any event."""
    return {event: [] for event in HOOKS}


def _hooks_of(key: str, hooks: Any) -> list[Any]:
    called: Any = hooks.get(key) if hooks else None
    return [] if not called else [called] if callable(called) else list(called)


def _called(hook: Any, data: Any, kwargs: dict[str, Any]) -> Any:
    """What a hook returns. One that takes only what it is given is not given the rest."""
    if kwargs:
        try:
            inspect.signature(hook).bind(data, **kwargs)
        except TypeError:
            return hook(data)
        except ValueError:  # no signature to be had
            pass
    return hook(data, **kwargs)


def dispatch_hook(key: str, hooks: Any, hook_data: Any, **kwargs: Any) -> Any:
    """Gives ``hook_data`` to each hook of the event in turn; what a hook returns, if anything, takes its place."""
    for hook in _hooks_of(key, hooks):
        answer = _called(hook, hook_data, kwargs)
        if answer is not None:
            hook_data = answer
    return hook_data


async def async_dispatch_hook(key: str, hooks: Any, hook_data: Any, **kwargs: Any) -> Any:
    """As ``dispatch_hook``; what a hook returns is awaited if it can be."""
    for hook in _hooks_of(key, hooks):
        answer = _called(hook, hook_data, kwargs)
        if inspect.isawaitable(answer):
            answer = await answer
        if answer is not None:
            hook_data = answer
    return hook_data
