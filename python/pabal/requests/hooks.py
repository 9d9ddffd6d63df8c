"""Hooks: callables that are told about a response and may replace it."""

from __future__ import annotations

from typing import Any

__all__ = ["HOOKS", "default_hooks", "dispatch_hook"]

#: The events there are.
HOOKS = ["response"]


def default_hooks() -> dict[str, list[Any]]:
    """No hooks for any event."""
    return {event: [] for event in HOOKS}


def dispatch_hook(key: str, hooks: Any, hook_data: Any, **kwargs: Any) -> Any:
    """Gives ``hook_data`` to each hook of the event in turn; what a hook returns, if anything, takes its place."""
    registered: dict[str, Any] = hooks or {}
    called: Any = registered.get(key)
    if not called:
        return hook_data
    for hook in [called] if callable(called) else called:
        answer = hook(hook_data, **kwargs)
        if answer is not None:
            hook_data = answer
    return hook_data
