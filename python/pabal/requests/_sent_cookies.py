"""The Cookie header of the short way: made by the long way's code, and kept while it would come out the same.

``http.cookiejar`` looks at every cookie of a jar for every request, at a cost of several plain requests. What it says
depends on the cookies, the headers, the URL without its query, and the time; it is kept for as long as all of them are
as they were.
"""

# Names with an underscore that programs import are part of the face.
# pyright: reportPrivateUsage=false
from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from .packages.urllib3.connectionpool import plain_headers
from .structures import CaseInsensitiveDict

__all__ = ["CookieMemo", "SentCookies"]

#: URLs that are kept of one session; then they are kept anew.
_MOST = 64


class SentCookies(NamedTuple):
    """What a request is sent with."""

    #: A jar of all cookies that the request was given. It is nobody's: who wants to see it has a copy.
    jar: Any
    #: The headers as the engine takes them, and as a ``PreparedRequest`` shows them.
    lines: dict[Any, Any]
    shown: CaseInsensitiveDict[Any]


class _Kept(NamedTuple):
    """What was sent, and what it depended on."""

    sent: SentCookies
    cookies: list[dict[str, Any]]
    over: CaseInsensitiveDict[Any]
    until: float | None  # when one of the cookies expires


class CookieMemo:
    """What one session sent last, by URL."""

    def __init__(self) -> None:
        self._kept: dict[Any, _Kept] = {}

    def sent(
        self, session: Any, new: Callable[[], Any], target: str, over: CaseInsensitiveDict[Any], given: Any
    ) -> SentCookies:
        """The cookies of a session, and those ``given`` (a dict, or nothing), for a URL and over other headers.
        ``new`` makes a prepared request that has neither yet."""
        held: dict[str, dict[str, dict[str, Any]]] = session.cookies._cookies
        cookies: list[dict[str, Any]] = [
            vars(cookie) for paths in held.values() for names in paths.values() for cookie in names.values()
        ]
        url = target.partition("?")[0]
        exact = _is_exact(given)
        key = (url, *given.items()) if given and exact else url
        kept = self._kept.get(key) if exact else None
        if (
            kept is not None
            and kept.over is over
            and kept.cookies == cookies
            and (kept.until is None or time.time() < kept.until)
        ):
            return kept.sent
        before = [state.copy() for state in cookies]
        made = new()
        made.url = target
        made.headers = over.copy()
        made.prepare_cookies(session._merged_cookies(given))
        sent = SentCookies(made._cookies, plain_headers(dict(made.headers._store.values())), made.headers)
        if exact:
            if len(self._kept) >= _MOST:
                self._kept.clear()
            until = min((cookie.expires for cookie in made._cookies if cookie.expires is not None), default=None)
            self._kept[key] = _Kept(sent, before, over, until)
        return sent


def _is_exact(given: Any) -> bool:
    """Whether cookies that are equal to these are the same: True and 1.0 are equal to 1."""
    return not given or all(name.__class__ is str and value.__class__ is str for name, value in given.items())
