"""Hooks that hold requests back so that no more than a number of them a second go out."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

from pabal._fork import free_in_children

from ._lifecycle import AsyncLifeCycleHook, LifeCycleHook

__all__ = ["AsyncLeakyBucketLimiter", "AsyncTokenBucketLimiter", "LeakyBucketLimiter", "TokenBucketLimiter"]


class _LeakyBucket:
    """Requests leave at equal distances."""

    def _init_leaky_bucket(self, rate: float) -> None:
        self.rate = rate
        self.interval = 1.0 / rate
        self.last_request: float | None = None

    def _compute_wait(self) -> float:
        if self.last_request is None:
            return 0.0
        return max(0.0, self.last_request + self.interval - time.monotonic())

    def _record_request(self) -> None:
        self.last_request = time.monotonic()


class _TokenBucket:
    """Each request takes a token; they come at a rate, and as many as the bucket holds may be saved up."""

    def _init_token_bucket(self, rate: float, capacity: float | None) -> None:
        self.rate = rate
        self.capacity = rate if capacity is None else capacity
        self.tokens = self.capacity
        self.last_update = time.monotonic()

    def _refill(self) -> None:
        now = time.monotonic()
        self.tokens = min(self.capacity, self.tokens + (now - self.last_update) * self.rate)
        self.last_update = now

    def _acquire_token(self) -> float | None:
        """Takes a token; or says how long there will be none."""
        self._refill()
        if self.tokens >= 1.0:
            self.tokens -= 1.0
            return None
        return (1.0 - self.tokens) / self.rate

    def _post_wait(self) -> None:
        self._refill()
        self.tokens = max(0.0, self.tokens - 1.0)


class LeakyBucketLimiter(_LeakyBucket, LifeCycleHook):
    """``rate`` requests a second, at equal distances."""

    def __init__(self, rate: float = 10.0) -> None:
        super().__init__()
        self._init_leaky_bucket(rate)
        self._lock = free_in_children(threading.Lock())

    def pre_request(self, prepared_request: Any, **kwargs: Any) -> Any:
        """Waits for its turn."""
        with self._lock:
            time.sleep(self._compute_wait())
            self._record_request()


class TokenBucketLimiter(_TokenBucket, LifeCycleHook):
    """``rate`` requests a second, ``capacity`` at once after a pause."""

    def __init__(self, rate: float = 10.0, capacity: float | None = None) -> None:
        super().__init__()
        self._init_token_bucket(rate, capacity)
        self._lock = free_in_children(threading.Lock())

    def pre_request(self, prepared_request: Any, **kwargs: Any) -> Any:
        """Waits for a token."""
        with self._lock:
            wait = self._acquire_token()
            if wait is not None:
                time.sleep(wait)
                self._post_wait()


class AsyncLeakyBucketLimiter(_LeakyBucket, AsyncLifeCycleHook):
    """As ``LeakyBucketLimiter``, for an ``AsyncSession``."""

    def __init__(self, rate: float = 10.0) -> None:
        super().__init__()
        self._init_leaky_bucket(rate)
        self._lock = asyncio.Lock()

    async def pre_request(self, prepared_request: Any, **kwargs: Any) -> Any:
        """Waits for its turn."""
        async with self._lock:
            await asyncio.sleep(self._compute_wait())
            self._record_request()


class AsyncTokenBucketLimiter(_TokenBucket, AsyncLifeCycleHook):
    """As ``TokenBucketLimiter``, for an ``AsyncSession``."""

    def __init__(self, rate: float = 10.0, capacity: float | None = None) -> None:
        super().__init__()
        self._init_token_bucket(rate, capacity)
        self._lock = asyncio.Lock()

    async def pre_request(self, prepared_request: Any, **kwargs: Any) -> Any:
        """Waits for a token."""
        async with self._lock:
            wait = self._acquire_token()
            if wait is not None:
                await asyncio.sleep(wait)
                self._post_wait()
