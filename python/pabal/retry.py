"""When a request is sent again: ``Retry``, and ``Attempt``, what came of the attempts before the last."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from pabal.config import MOST, Frozen, flag_of

if TYPE_CHECKING:
    from pabal.types import RetriesInput

#: RFC 9110 section 5.6.2.
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")

__all__ = ["Attempt", "Retry", "retry_of"]


class Attempt(NamedTuple):
    """An attempt that was followed by another; see `pabal.Response.retries`."""

    #: ``"connect"``, ``"read"`` or ``"status"``.
    cause: str
    #: Of the answer, when that was the cause.
    status: int | None
    #: The code of the failure otherwise, as in ``exception.code``.
    error: str | None
    #: Seconds before the next attempt.
    wait: float


def _count(name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"{name} must be an int, not {type(value).__name__}")
    if not 0 <= value <= 1000:
        given = value if abs(value) < MOST else "a number as large as this"
        raise ValueError(f"{name} must be from 0 to 1000, not {given}")
    return value


def _optional_count(name: str, value: int | None) -> int | None:
    return None if value is None else _count(name, value)


def _seconds(name: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"{name} must be a number of seconds, not {type(value).__name__}")
    if not 0 <= value <= 4.0e6:  # NaN compares false
        given = repr(value) if isinstance(value, float) else "a number as large as this" if value > 0 else str(value)
        raise ValueError(f"{name} must be from 0 to 4,000,000 seconds, not {given}")
    return float(value)


def _statuses(values: Iterable[int]) -> tuple[int, ...]:
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"statuses must be an iterable of ints, not {type(values).__name__}")
    statuses = tuple(values)
    for status in statuses:
        if isinstance(status, bool) or not isinstance(status, int):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"statuses must be ints, not {type(status).__name__}")
        if not 200 <= status <= 599:
            given = status if abs(status) < MOST else "a number as large as this"
            raise ValueError(f"statuses must be from 200 to 599, not {given}")
    return tuple(int(status) for status in statuses)


def _methods(values: Iterable[str]) -> tuple[str, ...]:
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"methods must be an iterable of str, not {type(values).__name__}")
    methods = tuple(values)
    for method in methods:
        if not isinstance(method, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"methods must be str, not {type(method).__name__}")
        if not _TOKEN.fullmatch(method):
            raise ValueError(f"methods must be HTTP methods such as 'GET', not {method!r}")
    return tuple(method.upper() for method in methods)


class Retry(Frozen):
    """When a request is sent again, and after how long. Counts are of repetitions: ``total=3`` is four attempts.

    total
        Repetitions in all. ``retries=3`` means ``retries=Retry(3)``.
    connect, read, status
        Of these at most so many because the server could not be reached (nothing was sent, so any method is repeated);
        because the connection broke or was silent for too long; because of the answer's status. None: only ``total``
        counts.
    statuses
        The answers that are worth another attempt: 429, 502, 503 and 504 by default.
    methods
        What is repeated once the server may have seen it; by default the idempotent methods (RFC 9110 section 9.2.2).
    backoff, jitter, max_backoff
        Seconds before the first repetition, doubled for each further one up to ``max_backoff``. Of each wait a random
        part, up to the fraction ``jitter``, is taken away.
    respect_retry_after, retry_after_cap
        Whether Retry-After takes the place of the computed wait, and the most seconds it may ask for.
    budget
        No attempt begins later than this many seconds after the start. ``Timeout.total`` counts besides; an attempt
        that one of them would not allow is not waited for.

    A body that was consumed and cannot be read again is never sent again: then the failure or the answer is final.
    """

    __slots__ = (
        "backoff",
        "budget",
        "connect",
        "jitter",
        "max_backoff",
        "methods",
        "read",
        "respect_retry_after",
        "retry_after_cap",
        "status",
        "statuses",
        "total",
    )
    __match_args__ = (
        "total",
        "connect",
        "read",
        "status",
        "statuses",
        "methods",
        "backoff",
        "jitter",
        "max_backoff",
        "respect_retry_after",
        "retry_after_cap",
        "budget",
    )

    total: int
    connect: int | None
    read: int | None
    status: int | None
    statuses: tuple[int, ...]
    methods: tuple[str, ...]
    backoff: float
    jitter: float
    max_backoff: float
    respect_retry_after: bool
    retry_after_cap: float
    budget: float | None

    def __init__(
        self,
        total: int = 3,
        *,
        connect: int | None = None,
        read: int | None = None,
        status: int | None = None,
        statuses: Iterable[int] = (429, 502, 503, 504),
        methods: Iterable[str] = ("GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"),
        backoff: float = 0.2,
        jitter: float = 0.5,
        max_backoff: float = 30.0,
        respect_retry_after: bool = True,
        retry_after_cap: float = 120.0,
        budget: float | None = None,
    ) -> None:
        share = _seconds("jitter", jitter)
        if share > 1:
            raise ValueError(f"jitter is a fraction, from 0 to 1, not {jitter!r}")
        if budget is not None and _seconds("budget", budget) == 0:
            raise ValueError("budget must be positive (None means no budget)")
        put = object.__setattr__
        put(self, "total", _count("total", total))
        put(self, "connect", _optional_count("connect", connect))
        put(self, "read", _optional_count("read", read))
        put(self, "status", _optional_count("status", status))
        put(self, "statuses", _statuses(statuses))
        put(self, "methods", _methods(methods))
        put(self, "backoff", _seconds("backoff", backoff))
        put(self, "jitter", share)
        put(self, "max_backoff", _seconds("max_backoff", max_backoff))
        put(self, "respect_retry_after", flag_of("respect_retry_after", respect_retry_after))
        put(self, "retry_after_cap", _seconds("retry_after_cap", retry_after_cap))
        put(self, "budget", None if budget is None else float(budget))


def retry_of(value: RetriesInput) -> Retry | None:
    """What a ``retries=`` argument means; None for no retries."""
    if value is None or isinstance(value, Retry):
        return value
    if isinstance(value, bool) or not isinstance(value, int):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"retries must be an int, a Retry or None, not {type(value).__name__}")
    return Retry(_count("retries", value))
