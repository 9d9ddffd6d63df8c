"""Hooks for every event of a request in one object."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

__all__ = ["HOOKS", "AsyncLifeCycleHook", "LifeCycleHook"]

#: The events there are, in the order in which they happen.
HOOKS = ["pre_request", "pre_send", "on_upload", "early_response", "response"]


class _BaseLifeCycleHook(MutableMapping[str, Any]):
    """Looks like the mapping of hooks that a session takes: event → callables. Two can be added together."""

    def __init__(self) -> None:
        self._store: dict[str, list[Any]] = {event: [getattr(self, event)] for event in HOOKS}

    def __getitem__(self, key: str) -> Any:
        return self._store[key]

    def __setitem__(self, key: str, value: Any) -> None:
        if key not in HOOKS:
            raise KeyError(f"there is no event {key!r}; there are {', '.join(HOOKS)}")
        self._store[key] = [value] if callable(value) else list(value)

    def __delitem__(self, key: str) -> None:
        self._store[key] = []

    def __iter__(self) -> Iterator[str]:
        return iter(self._store)

    def __len__(self) -> int:
        return len(self._store)

    def __add__(self, other: Any) -> Any:
        if not hasattr(other, "items"):
            return NotImplemented
        made = _BaseLifeCycleHook.__new__(_BaseLifeCycleHook)
        made._store = {event: [*self._store[event], *_several(other.get(event))] for event in HOOKS}
        return made


def _several(hooks: Any) -> list[Any]:
    return [] if hooks is None else [hooks] if callable(hooks) else list(hooks)


class LifeCycleHook(_BaseLifeCycleHook):
    """Override what you want to hear of; what a method returns, if anything, takes the place of what it was given."""

    def pre_request(self, prepared_request: Any, **kwargs: Any) -> Any:
        """The request is prepared."""

    def pre_send(self, prepared_request: Any, **kwargs: Any) -> Any:
        """It is about to be sent."""

    def on_upload(self, prepared_request: Any, **kwargs: Any) -> Any:
        """A piece of its body was taken; see ``prepared_request.upload_progress``."""

    def early_response(self, response: Any, **kwargs: Any) -> Any:
        """An informational answer (1xx) came; told when the final one has."""

    def response(self, response: Any, **kwargs: Any) -> Any:
        """The answer came."""


class AsyncLifeCycleHook(_BaseLifeCycleHook):
    """The same for an ``AsyncSession``."""

    async def pre_request(self, prepared_request: Any, **kwargs: Any) -> Any:
        """The request is prepared."""

    async def pre_send(self, prepared_request: Any, **kwargs: Any) -> Any:
        """It is about to be sent."""

    async def on_upload(self, prepared_request: Any, **kwargs: Any) -> Any:
        """A piece of its body was taken."""

    async def early_response(self, response: Any, **kwargs: Any) -> Any:
        """An informational answer (1xx) came; told when the final one has."""

    async def response(self, response: Any, **kwargs: Any) -> Any:
        """The answer came."""
