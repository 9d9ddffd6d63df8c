"""The cookie jar of requests, with a policy that knows localhost."""

from __future__ import annotations

from http import cookiejar as cookielib
from typing import Any

from pabal.requests import cookies as _shared
from pabal.requests.cookies import (
    CookieConflictError,
    MockRequest,
    MockResponse,
    create_cookie,
    extract_cookies_to_jar,
    get_cookie_header,
    merge_cookies,
    morsel_to_cookie,
    remove_cookie_by_name,
)

__all__ = [
    "CookieConflictError",
    "CookiePolicyLocalhostBypass",
    "MockRequest",
    "MockResponse",
    "RequestsCookieJar",
    "_copy_cookie_jar",
    "coerce_to_requests_cookiejar",
    "cookiejar_from_dict",
    "cookielib",
    "create_cookie",
    "extract_cookies_to_jar",
    "get_cookie_header",
    "merge_cookies",
    "morsel_to_cookie",
    "remove_cookie_by_name",
]

_copy_cookie_jar = vars(_shared)["_copy_cookie_jar"]


class CookiePolicyLocalhostBypass(cookielib.DefaultCookiePolicy):
    """Lets ``localhost`` set cookies for itself, though it has no dot in it."""

    def return_ok_domain(self, cookie: Any, request: Any) -> bool:
        """Whether the cookie may be sent there."""
        if cookie.domain in ("localhost", ".localhost", "localhost.local"):
            return _host_of(request) == "localhost"
        return super().return_ok_domain(cookie, request)

    def set_ok_domain(self, cookie: Any, request: Any) -> bool:
        """Whether the cookie may be set by that answer."""
        if cookie.domain in ("localhost", ".localhost", "localhost.local"):
            return _host_of(request) == "localhost"
        return super().set_ok_domain(cookie, request)


def _host_of(request: Any) -> str:
    return str(cookielib.request_host(request))  # type: ignore[attr-defined]


class RequestsCookieJar(_shared.RequestsCookieJar):
    """As in requests. ``thread_free`` is taken for what it is: a hint that no lock is needed."""

    def __init__(self, policy: Any = None, thread_free: bool = False) -> None:
        super().__init__(policy if policy is not None else CookiePolicyLocalhostBypass())

    def copy(self) -> RequestsCookieJar:
        """A jar with the same policy and cookies."""
        made = RequestsCookieJar(self.get_policy())
        made.update(self)
        return made


def cookiejar_from_dict(
    cookie_dict: Any, cookiejar: Any = None, overwrite: bool = True, thread_free: bool = False
) -> Any:
    """A jar (or ``cookiejar``) with names and values put in."""
    jar = RequestsCookieJar(thread_free=thread_free) if cookiejar is None else cookiejar
    return _shared.cookiejar_from_dict(cookie_dict, jar, overwrite)


def coerce_to_requests_cookiejar(cookies: Any, thread_free: bool = False) -> Any:
    """A jar that is a mapping too, from names and values or a plain jar. Jars of other classes stay what they are."""
    if isinstance(cookies, cookielib.CookieJar):
        if type(cookies) is not cookielib.CookieJar:
            return cookies
        made = RequestsCookieJar(thread_free=thread_free)
        made.update(cookies)
        return made
    return cookiejar_from_dict(cookies, thread_free=thread_free)
