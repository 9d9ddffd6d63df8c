"""Authentication: that of requests, bearer tokens, and what can be awaited."""

# Names with an underscore that programs import, or that faces share, are no strangers here.
# pyright: reportPrivateUsage=false
from __future__ import annotations

from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any

from pabal.requests import auth as _shared
from pabal.requests.auth import (
    CONTENT_TYPE_FORM_URLENCODED,
    CONTENT_TYPE_MULTI_PART,
    AuthBase,
    HTTPBasicAuth,
    HTTPProxyAuth,
    _basic_auth_str,
)

__all__ = [
    "CONTENT_TYPE_FORM_URLENCODED",
    "CONTENT_TYPE_MULTI_PART",
    "AsyncAuthBase",
    "AsyncHTTPDigestAuth",
    "AuthBase",
    "BearerTokenAuth",
    "HTTPBasicAuth",
    "HTTPDigestAuth",
    "HTTPProxyAuth",
    "_basic_auth_str",
]


class AsyncAuthBase:
    """A callable that is awaited: it is given the prepared request and returns it, changed."""

    async def __call__(self, r: Any) -> Any:
        raise NotImplementedError("Auth hooks must be callable.")


class BearerTokenAuth(AuthBase):
    """A token (RFC 6750). ``auth="token"`` is short for it."""

    def __init__(self, token: str) -> None:
        self.token = token

    def __eq__(self, other: object) -> bool:
        return self.token == getattr(other, "token", None)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # type: ignore[assignment]

    def __call__(self, r: Any) -> Any:
        scheme, space, _ = self.token.partition(" ")
        given = space and scheme.lower() in ("bearer", "token", "basic", "digest", "negotiate")
        r.headers["Authorization"] = self.token if given else f"Bearer {self.token}"
        return r


class _Local:
    """Attributes that each thread and each task has for itself, as ``threading.local`` has them for threads."""

    _held: ContextVar[SimpleNamespace]

    def __init__(self) -> None:
        object.__setattr__(self, "_held", ContextVar("digest"))

    def fork(self) -> None:
        """From here on this task's own, beginning with what was known before."""
        before = self._held.get(None)
        self._held.set(SimpleNamespace(**(vars(before) if before is not None else {})))

    def __getattr__(self, name: str) -> Any:
        held = self._held.get(None)
        if held is None:
            raise AttributeError(name)
        return getattr(held, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if self._held.get(None) is None:
            self._held.set(SimpleNamespace())
        setattr(self._held.get(), name, value)


class HTTPDigestAuth(_shared.HTTPDigestAuth):
    """Digest authentication (RFC 7616), for sessions of both kinds."""

    def __init__(self, username: Any, password: Any) -> None:
        super().__init__(username, password)
        self._thread_local: Any = _Local()

    def init_per_thread_state(self) -> None:
        """Nonces are each thread's and each task's own."""
        self._thread_local.fork()
        super().init_per_thread_state()

    def handle_401(self, r: Any, **kwargs: Any) -> Any:
        """Answers the challenge, once; a coroutine where the response is one that is awaited."""
        from .models import AsyncResponse

        return self.async_handle_401(r, **kwargs) if isinstance(r, AsyncResponse) else super().handle_401(r, **kwargs)

    async def async_handle_401(self, r: Any, **kwargs: Any) -> Any:
        """The same over an asynchronous connection."""
        if not self._takes_up(r):
            return r
        await r.content
        await r.close()
        again = self._answering(r)
        if again is None:
            return r
        answer = await r.connection.send(again, **kwargs)
        answer.history.append(r)
        answer.request = again
        return answer


class AsyncHTTPDigestAuth(HTTPDigestAuth, AsyncAuthBase):
    """The same, by the name that an ``AsyncSession`` expects."""

    async def __call__(self, r: Any) -> Any:
        return HTTPDigestAuth.__call__(self, r)
