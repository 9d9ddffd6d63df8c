"""Waiting under trio.

The engine is driven by the host's loop through one file descriptor. Under asyncio C++ does that by itself; here a trio
system task waits for the descriptor and lets the engine take a turn. A request that is awaited parks its task and is
woken by the engine's callback; cancelling the task cancels the request.
"""

from __future__ import annotations

from types import CoroutineType
from typing import TYPE_CHECKING, cast

import trio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any, Protocol, TypeVar

    class Driver(Protocol):
        """The engine, as its host sees it."""

        def fileno(self) -> int: ...
        def turn(self) -> None: ...

    T = TypeVar("T", covariant=True)

    class Pending(Protocol[T]):
        """A request, or a read, of the engine."""

        def _start(self) -> None: ...
        def _add_callback(self, callback: Callable[[Any], object], /) -> None: ...
        def done(self) -> bool: ...
        def cancel(self) -> bool: ...
        def result(self) -> T: ...


__all__ = ["closing", "spawn", "wait"]

# The engines that a system task of this run of trio watches, by descriptor.
_watched: trio.lowlevel.RunVar[dict[int, Driver]] = trio.lowlevel.RunVar("pabal")


async def wait(pending: Pending[T], driver: Driver) -> Any:
    """Starts ``pending``, lets others run until it is done, and returns its result."""
    await trio.lowlevel.checkpoint_if_cancelled()
    _watch(driver)
    pending._start()  # pyright: ignore[reportPrivateUsage]
    if pending.done():
        await trio.lowlevel.cancel_shielded_checkpoint()
        return await _finished(pending.result())
    task = trio.lowlevel.current_task()
    parked = True

    def wake(_: Any) -> None:
        if parked:
            trio.lowlevel.reschedule(task)

    def abort(_: object) -> trio.lowlevel.Abort:
        nonlocal parked
        parked = False  # trio wakes the task itself; the engine's callback must not do so again
        pending.cancel()
        return trio.lowlevel.Abort.SUCCEEDED

    pending._add_callback(wake)  # pyright: ignore[reportPrivateUsage]
    await trio.lowlevel.wait_task_rescheduled(abort)
    return await _finished(pending.result())


async def _finished(result: Any) -> Any:
    """``exchange(finish=…)`` may answer with a coroutine: then the request goes on with that, here."""
    if type(result) is CoroutineType:
        result = await cast("Awaitable[Any]", result)
    return result


def _watch(driver: Driver) -> None:
    empty: dict[int, Driver] = {}
    watched = _watched.get(empty)
    if watched is empty:
        _watched.set(watched)
    descriptor = driver.fileno()
    if watched.get(descriptor) is not driver:
        watched[descriptor] = driver
        trio.lowlevel.spawn_system_task(_drive, driver, descriptor, watched, name="pabal engine")


async def _drive(driver: Driver, descriptor: int, watched: dict[int, Driver]) -> None:
    try:
        while watched.get(descriptor) is driver:  # else it was closed before this task got to run
            await trio.lowlevel.wait_readable(descriptor)
            driver.turn()
    except trio.ClosedResourceError:
        pass  # closing() was called: the session is closed
    finally:
        if watched.get(descriptor) is driver:
            del watched[descriptor]


def closing(driver: Driver) -> None:
    """The engine is about to close its descriptor: stop watching it. May be called from anywhere."""
    if not trio.lowlevel.in_trio_run():
        return
    descriptor = driver.fileno()
    watched = _watched.get(cast("dict[int, Driver]", {}))
    if watched.get(descriptor) is driver:
        del watched[descriptor]
        trio.lowlevel.notify_closing(descriptor)


def spawn(function: Callable[..., Awaitable[None]], *arguments: Any) -> trio.CancelScope:
    """Runs ``function`` on its own; cancel it through what is returned."""
    scope = trio.CancelScope()

    async def run() -> None:
        with scope:
            await function(*arguments)

    trio.lowlevel.spawn_system_task(run)
    return scope
