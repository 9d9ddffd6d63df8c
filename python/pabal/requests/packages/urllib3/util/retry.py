"""``Retry``: how often, after what and how long later a request is repeated."""

from __future__ import annotations

import email.utils
import random
import re
import time
from collections.abc import Collection
from typing import Any, NamedTuple

from .._installed import either, used
from .._shapes import (
    ConnectTimeoutError,
    InvalidHeader,
    MaxRetryError,
    ProtocolError,
    ProxyError,
    ReadTimeoutError,
    ResponseError,
)

__all__ = ["RequestHistory", "Retry"]


class RequestHistory(NamedTuple):
    """One attempt."""

    method: str | None
    url: str | None
    error: Exception | None
    status: int | None
    redirect_location: str | None


class Retry:
    """Counts of retries left; immutable: ``increment`` makes the next one, or raises when there is none.

    ``total`` caps all; ``connect``, ``read``, ``redirect``, ``status`` and ``other`` cap their own kind, where False
    means "raise the error itself". Repeated are errors, and answers whose status is in ``status_forcelist``, for
    methods in ``allowed_methods``. Before repetition n (from the second on) ``backoff_factor * 2 ** (n - 1)`` seconds
    pass, at most ``backoff_max``; Retry-After goes before, but never beyond ``retry_after_max``.
    """

    DEFAULT_ALLOWED_METHODS = frozenset({"HEAD", "GET", "PUT", "DELETE", "OPTIONS", "TRACE"})
    RETRY_AFTER_STATUS_CODES = frozenset({413, 429, 503})
    DEFAULT_REMOVE_HEADERS_ON_REDIRECT = frozenset({"Cookie", "Authorization", "Proxy-Authorization"})
    DEFAULT_BACKOFF_MAX = 120
    DEFAULT_RETRY_AFTER_MAX = 21600
    DEFAULT: Retry

    def __init__(
        self,
        total: bool | int | None = 10,
        connect: int | None = None,
        read: bool | int | None = None,
        redirect: bool | int | None = None,
        status: int | None = None,
        other: int | None = None,
        allowed_methods: Collection[str] | bool | None = DEFAULT_ALLOWED_METHODS,
        status_forcelist: Collection[int] | None = None,
        backoff_factor: float = 0,
        backoff_max: float = DEFAULT_BACKOFF_MAX,
        raise_on_redirect: bool = True,
        raise_on_status: bool = True,
        history: tuple[RequestHistory, ...] | None = None,
        respect_retry_after_header: bool = True,
        remove_headers_on_redirect: Collection[str] = DEFAULT_REMOVE_HEADERS_ON_REDIRECT,
        backoff_jitter: float = 0.0,
        retry_after_max: float = DEFAULT_RETRY_AFTER_MAX,
    ) -> None:
        self.total = total
        self.connect = connect
        self.read = read
        if redirect is False or total is False:
            redirect, raise_on_redirect = 0, False
        self.redirect = redirect
        self.status = status
        self.other = other
        self.allowed_methods = allowed_methods
        self.status_forcelist = status_forcelist or set()
        self.backoff_factor = backoff_factor
        self.backoff_max = backoff_max
        self.raise_on_redirect = raise_on_redirect
        self.raise_on_status = raise_on_status
        self.history = history or ()
        self.respect_retry_after_header = respect_retry_after_header
        self.remove_headers_on_redirect = frozenset(name.lower() for name in remove_headers_on_redirect)
        self.backoff_jitter = backoff_jitter
        self.retry_after_max = retry_after_max

    def new(self, **changed: Any) -> Retry:
        """A copy with some things changed."""
        made = type(self).__new__(type(self))
        made.__dict__.update(self.__dict__)
        made.__dict__.update(changed)
        return made

    @classmethod
    def from_int(cls, retries: Any, redirect: Any = True, default: Any = None) -> Any:
        """A ``Retry`` from a number of them, or None for the default."""
        if retries is None:
            retries = default if default is not None else cls.DEFAULT
        if isinstance(retries, Retry) or hasattr(retries, "increment"):
            return retries
        return cls(retries, redirect=bool(redirect) and None)

    # --- waiting ------------------------------------------------------------------------------------------------------

    def get_backoff_time(self) -> float:
        """Seconds before the next attempt."""
        repeated = 0
        for attempt in reversed(self.history):
            if attempt.redirect_location is not None:
                break
            repeated += 1
        if repeated <= 1:
            return 0
        seconds = self.backoff_factor * 2 ** (repeated - 1)
        if self.backoff_jitter:
            seconds += random.random() * self.backoff_jitter
        return float(max(0, min(self.backoff_max, seconds)))

    def parse_retry_after(self, retry_after: str) -> float:
        """Seconds from a Retry-After value: a number or a date."""
        if re.match(r"^\s*[0-9]+\s*$", retry_after):
            seconds = float(int(retry_after[:32]))
        else:
            date = email.utils.parsedate_tz(retry_after)
            if date is None:
                raise used(InvalidHeader)(f"Invalid Retry-After header: {retry_after}")
            seconds = email.utils.mktime_tz(date) - time.time()
        return min(max(seconds, 0), self.retry_after_max)

    def get_retry_after(self, response: Any) -> float | None:
        """What the response asks for, in seconds."""
        value = response.headers.get("Retry-After")
        return None if value is None else self.parse_retry_after(value)

    def sleep_for_retry(self, response: Any) -> bool:
        """Waits as long as the response asks for, if it does."""
        seconds = self.get_retry_after(response)
        if not seconds:
            return False
        time.sleep(seconds)
        return True

    def sleep(self, response: Any = None) -> None:
        """Waits before the next attempt."""
        if self.respect_retry_after_header and response is not None and self.sleep_for_retry(response):
            return
        seconds = self.get_backoff_time()
        if seconds > 0:
            time.sleep(seconds)

    # --- deciding -----------------------------------------------------------------------------------------------------

    def _is_method_retryable(self, method: str) -> bool:
        return (
            not self.allowed_methods or isinstance(self.allowed_methods, bool) or method.upper() in self.allowed_methods
        )

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
        """Whether an answer with that status is a reason to ask again."""
        if not self._is_method_retryable(method):
            return False
        if self.status_forcelist and status_code in self.status_forcelist:
            return True
        return bool(
            self.total
            and self.respect_retry_after_header
            and has_retry_after
            and status_code in self.RETRY_AFTER_STATUS_CODES
        )

    def is_exhausted(self) -> bool:
        """Whether a count fell below zero."""
        counts = (self.total, self.connect, self.read, self.redirect, self.status, self.other)
        given = [count for count in counts if count is not None and count is not False]
        return bool(given) and min(given) < 0

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: Any = None,
        error: Exception | None = None,
        _pool: Any = None,
        _stacktrace: Any = None,
    ) -> Retry:
        """The counts after one more attempt; raises when none is left: the error itself, or ``MaxRetryError``."""
        if error is not None and self.total is False:
            raise error.with_traceback(_stacktrace)
        left: dict[str, Any] = {"total": self.total}
        if left["total"] is not None:
            left["total"] -= 1
        status = location = None
        cause: Exception = used(ResponseError)("unknown")
        if error is not None:
            kind = self._kind_of(error)
            allowed = getattr(self, kind)
            if allowed is False or (kind == "read" and not (method and self._is_method_retryable(method))):
                raise error.with_traceback(_stacktrace)
            cause = error
        else:
            location = response.get_redirect_location() if response is not None else None
            status = response.status if response is not None else None
            if location:
                kind, cause = "redirect", used(ResponseError)("too many redirects")
            else:
                kind = "status"
                cause = used(ResponseError)(
                    ResponseError.SPECIFIC_ERROR.format(status_code=status) if status else ResponseError.GENERIC_ERROR
                )
        if getattr(self, kind) is not None:
            left[kind] = getattr(self, kind) - 1
        attempt = RequestHistory(method, url, error, status, location or None)
        after = self.new(history=(*self.history, attempt), **left)
        if after.is_exhausted():
            raise used(MaxRetryError)(_pool, url, cause) from cause
        return after

    @staticmethod
    def _kind_of(error: Exception) -> str:
        inner = getattr(error, "original_error", None) if isinstance(error, either(ProxyError)) else None
        if inner is not None:
            error = inner
        names = {base.__name__ for base in type(error).__mro__}
        if isinstance(error, either(ConnectTimeoutError)) or "NewConnectionError" in names:
            return "connect"
        return "read" if isinstance(error, either(ReadTimeoutError, ProtocolError)) else "other"

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(total={self.total}, connect={self.connect}, read={self.read}, "
            f"redirect={self.redirect}, status={self.status})"
        )


Retry.DEFAULT = Retry(3)
