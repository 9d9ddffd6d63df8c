"""The short way of plain requests that are awaited.

What ``session.get(url)`` returns is the engine's own awaitable: no coroutine function and no task is between it and
``asyncio.gather``. Its result is made by `finished` (the engine's ``finish=``) when the answer is there. What could
make a difference sends the request the long way, as in `pabal.requests._short`, whose decisions these are. A redirect
goes on as on the long way: `finished` answers with the coroutine that follows it.
"""

# Names with an underscore that programs import, or that faces share, are no strangers here.
# pyright: reportPrivateUsage=false
from __future__ import annotations

from asyncio import _get_running_loop
from functools import partial
from time import monotonic
from typing import Any

from pabal import exceptions as native_errors
from pabal._engine import FilesOf
from pabal.requests._short import Asked, ShortWay

__all__ = ["AsyncShortWay"]


class AsyncShortWay(ShortWay):
    """The short way of ``AsyncSession``."""

    #: The turn of a loop in which there were no files: (loop, when it is over at the latest, what files).
    _silent: tuple[Any, float, set[FilesOf]] | None = None

    def any_exist(self, files: FilesOf) -> bool:
        """Asked once in a turn of the loop: a thousand requests that are gathered look at the file system once."""
        loop = _get_running_loop()
        silent = self._silent
        if silent is None or silent[0] is not loop or monotonic() > silent[1]:
            if loop is None:
                return super().any_exist(files)
            # The limit is for a loop that ends with this turn.
            silent = self._silent = (loop, monotonic() + 0.05, set())
            loop.call_soon(self._next_turn)
        elif files in silent[2]:
            return False
        if super().any_exist(files):
            return True
        silent[2].add(files)
        return False

    def _next_turn(self) -> None:
        self._silent = None

    def pending(
        self,
        session: Any,
        method: str,
        url: Any,
        params: Any,
        data: Any,
        json: Any,
        headers: Any,
        cookies: Any,
        timeout: Any,
        allow_redirects: bool,
        verify: Any,
    ) -> Any:
        """The awaitable; None when this must go the long way."""
        if session.base_url:
            return None
        if timeout is None:
            timeout = session._timeout_for(method, None)
        try:
            plan = self.plan(session, method, url, params, data, json, headers, cookies, timeout, verify)
            if plan is None:
                return None
            adapter, asked, verify, limits = plan
            return adapter.poolmanager.engine.exchange(
                asked.method,
                asked.target,
                asked.lines,
                asked.body,
                verify=verify,
                timeout=limits,
                finish=partial(self.finished, session, adapter, asked, timeout, verify, allow_redirects),
            )
        except Exception:  # whatever is wrong: the long way says it to those who await
            return None

    def finished(
        self,
        session: Any,
        adapter: Any,
        asked: Asked,
        timeout: Any,
        verify: Any,
        allow_redirects: bool,
        outcome: Any,
    ) -> Any:
        """The face's response to the engine's; or the exception for the engine's."""
        if isinstance(outcome, BaseException):
            if isinstance(outcome, native_errors.PabalError):
                raise self.failure(outcome, adapter, asked, verify) from outcome
            raise outcome
        response = self.received(session, adapter, asked, outcome)
        if 300 < response.status_code < 309 and response.is_redirect:
            return self.followed(session, response, timeout, verify, allow_redirects)
        return response
