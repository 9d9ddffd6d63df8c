"""``RequestsCookieJar``: an ``http.cookiejar.CookieJar`` that is a mapping too, and what connects it to requests."""

# Names with an underscore that programs import are part of the face.
# pyright: reportPrivateUsage=false
from __future__ import annotations

import calendar
import copy
import threading
import time
from collections.abc import Iterator, MutableMapping
from typing import Any

from pabal._fork import free_in_children

from ._internal_utils import to_native_string
from .compat import Morsel, cookielib, urlparse, urlunparse

__all__ = [
    "CookieConflictError",
    "MockRequest",
    "MockResponse",
    "RequestsCookieJar",
    "cookiejar_from_dict",
    "create_cookie",
    "extract_cookies_to_jar",
    "get_cookie_header",
    "merge_cookies",
    "morsel_to_cookie",
    "remove_cookie_by_name",
]


class MockRequest:
    """A prepared request as ``http.cookiejar`` wants to see one; headers that the jar adds are kept apart."""

    def __init__(self, request: Any) -> None:
        self._r = request
        self._new_headers: dict[str, str] = {}
        self.type = urlparse(request.url).scheme

    def get_type(self) -> str:
        """The scheme."""
        return self.type

    def get_host(self) -> str:
        """Host and port."""
        return urlparse(self._r.url).netloc

    def get_origin_req_host(self) -> str:
        """The host that the user asked for."""
        return self.get_host()

    def get_full_url(self) -> str:
        """The URL; its host is what a Host header says, if there is one."""
        host = self._r.headers.get("Host")
        if not host:
            return str(self._r.url)
        parts = urlparse(self._r.url)
        name = to_native_string(host, encoding="utf-8")
        return urlunparse([parts.scheme, name, parts.path, parts.params, parts.query, parts.fragment])

    def is_unverifiable(self) -> bool:
        """Third parties do not come into it: always true, which the default policy allows."""
        return True

    def has_header(self, name: str) -> bool:
        """Whether the request has it."""
        return name in self._r.headers or name in self._new_headers

    def get_header(self, name: str, default: Any = None) -> Any:
        """The request's, or what the jar added."""
        return self._r.headers.get(name, self._new_headers.get(name, default))

    def add_header(self, key: str, val: str) -> None:
        """Jars do not call this."""
        raise NotImplementedError("Cookie headers should be added with add_unredirected_header()")

    def add_unredirected_header(self, name: str, value: str) -> None:
        """Called by the jar."""
        self._new_headers[name] = value

    def get_new_headers(self) -> dict[str, str]:
        """What the jar added."""
        return self._new_headers

    @property
    def unverifiable(self) -> bool:
        """As ``is_unverifiable()``."""
        return self.is_unverifiable()

    @property
    def origin_req_host(self) -> str:
        """As ``get_origin_req_host()``."""
        return self.get_origin_req_host()

    @property
    def host(self) -> str:
        """As ``get_host()``."""
        return self.get_host()


class MockResponse:
    """Headers as ``http.cookiejar`` wants to see a response."""

    def __init__(self, headers: Any) -> None:
        self._headers = headers

    def info(self) -> Any:
        """The headers."""
        return self._headers

    def getheaders(self, name: str) -> Any:
        """All lines of a name."""
        return self._headers.getheaders(name)


def extract_cookies_to_jar(jar: Any, request: Any, response: Any) -> None:
    """Takes the cookies that a response (``response.raw``) sets into a jar."""
    original = getattr(response, "_original_response", None)
    if original:
        jar.extract_cookies(MockResponse(original.msg), MockRequest(request))


def get_cookie_header(jar: Any, request: Any) -> str | None:
    """The Cookie header that a jar has for a request."""
    if not len(jar) and type(jar) is RequestsCookieJar:
        return None
    shown = MockRequest(request)
    jar.add_cookie_header(shown)
    return shown.get_new_headers().get("Cookie")


def remove_cookie_by_name(cookiejar: Any, name: str, domain: str | None = None, path: str | None = None) -> None:
    """Removes all cookies of a name, perhaps only of a domain and path."""
    found = [
        (cookie.domain, cookie.path, cookie.name)
        for cookie in cookiejar
        if cookie.name == name and (domain is None or cookie.domain == domain) and (path is None or cookie.path == path)
    ]
    for place in found:
        cookiejar.clear(*place)


class CookieConflictError(RuntimeError):
    """Several cookies have that name; say of which domain or path."""


class RequestsCookieJar(cookielib.CookieJar, MutableMapping[str, Any]):  # type: ignore[misc]
    """A cookie jar that reads and writes like a dict of names and values.

    Several cookies of one name are told apart by domain and path, with ``get`` and ``set``.
    """

    def __init__(self, policy: Any = None) -> None:
        super().__init__(policy)
        free_in_children(vars(self)["_cookies_lock"])

    def get(self, name: str, default: Any = None, domain: str | None = None, path: str | None = None) -> Any:
        """The value of a cookie, or ``default``."""
        try:
            return self._find_no_duplicates(name, domain, path)
        except KeyError:
            return default

    def set(self, name: str, value: Any, **kwargs: Any) -> Any:
        """Adds a cookie; a value of None removes it. Keywords are those of ``create_cookie``."""
        if value is None:
            remove_cookie_by_name(self, name, domain=kwargs.get("domain"), path=kwargs.get("path"))
            return None
        cookie = morsel_to_cookie(value) if isinstance(value, Morsel) else create_cookie(name, value, **kwargs)
        self.set_cookie(cookie)
        return cookie

    def iterkeys(self) -> Iterator[str]:
        """Names."""
        return (cookie.name for cookie in iter(self))

    def keys(self) -> Any:
        """Names."""
        return list(self.iterkeys())

    def itervalues(self) -> Iterator[Any]:
        """Values."""
        return (cookie.value for cookie in iter(self))

    def values(self) -> Any:
        """Values."""
        return list(self.itervalues())

    def iteritems(self) -> Iterator[tuple[str, Any]]:
        """Names and values."""
        return ((cookie.name, cookie.value) for cookie in iter(self))

    def items(self) -> Any:
        """Names and values."""
        return list(self.iteritems())

    def list_domains(self) -> list[str]:
        """Every domain once."""
        return list(dict.fromkeys(cookie.domain for cookie in iter(self)))

    def list_paths(self) -> list[str]:
        """Every path once."""
        return list(dict.fromkeys(cookie.path for cookie in iter(self)))

    def multiple_domains(self) -> bool:
        """Whether some domain has several cookies."""
        domains = [cookie.domain for cookie in iter(self)]
        return len(domains) != len(dict.fromkeys(domains))

    def get_dict(self, domain: str | None = None, path: str | None = None) -> dict[str, Any]:
        """Names and values as a dict, perhaps only of a domain and path."""
        return {
            cookie.name: cookie.value
            for cookie in iter(self)
            if (domain is None or cookie.domain == domain) and (path is None or cookie.path == path)
        }

    def __contains__(self, name: object) -> bool:
        try:
            return super().__contains__(name)
        except CookieConflictError:
            return True

    def __getitem__(self, name: str) -> Any:
        return self._find_no_duplicates(name)

    def __setitem__(self, name: str, value: Any) -> None:
        self.set(name, value)

    def __delitem__(self, name: str) -> None:
        remove_cookie_by_name(self, name)

    def set_cookie(self, cookie: Any, *args: Any, **kwargs: Any) -> None:
        """Adds a cookie; escaped quotes in a quoted value are taken away."""
        value = cookie.value
        if hasattr(value, "startswith") and value.startswith('"') and value.endswith('"'):
            cookie.value = value.replace('\\"', "")
        super().set_cookie(cookie, *args, **kwargs)

    def update(self, other: Any = (), /, **kwargs: Any) -> None:
        """Adds the cookies of another jar, or names and values."""
        if isinstance(other, cookielib.CookieJar):
            for cookie in other:
                self.set_cookie(copy.copy(cookie))
        else:
            super().update(other, **kwargs)

    def _matching(self, name: str, domain: str | None, path: str | None) -> list[Any]:
        return [
            cookie.value
            for cookie in iter(self)
            if cookie.name == name
            and (domain is None or cookie.domain == domain)
            and (path is None or cookie.path == path)
        ]

    def _find(self, name: str, domain: str | None = None, path: str | None = None) -> Any:
        for value in self._matching(name, domain, path):
            return value
        raise KeyError(f"name={name!r}, domain={domain!r}, path={path!r}")

    def _find_no_duplicates(self, name: str, domain: str | None = None, path: str | None = None) -> Any:
        found = self._matching(name, domain, path)
        if len(found) > 1:
            raise CookieConflictError(f"There are multiple cookies with name, {name!r}")
        if not found:
            raise KeyError(f"name={name!r}, domain={domain!r}, path={path!r}")
        return found[0]

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        state.pop("_cookies_lock", None)  # locks cannot be pickled
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if "_cookies_lock" not in self.__dict__:
            self._cookies_lock = free_in_children(threading.RLock())

    def copy(self) -> RequestsCookieJar:
        """A jar with the same policy and cookies."""
        made = RequestsCookieJar()
        made.set_policy(self.get_policy())
        made.update(self)
        return made

    def get_policy(self) -> Any:
        """The policy that decides what is taken and sent."""
        return vars(self)["_policy"]


def _copy_cookie_jar(jar: Any) -> Any:  # pyright: ignore[reportUnusedFunction]
    if jar is None:
        return None
    if hasattr(jar, "copy"):
        return jar.copy()
    made = copy.copy(jar)
    made.clear()
    for cookie in jar:
        made.set_cookie(copy.copy(cookie))
    return made


def create_cookie(name: str, value: Any, **kwargs: Any) -> Any:
    """A cookie; without a domain it is sent to every host."""
    attributes: dict[str, Any] = {
        "version": 0,
        "name": name,
        "value": value,
        "port": None,
        "domain": "",
        "path": "/",
        "secure": False,
        "expires": None,
        "discard": True,
        "comment": None,
        "comment_url": None,
        "rest": {"HttpOnly": None},
        "rfc2109": False,
    }
    unknown = set(kwargs) - set(attributes)
    if unknown:
        raise TypeError(f"create_cookie() got unexpected keyword arguments: {sorted(unknown)}")
    attributes.update(kwargs)
    attributes["port_specified"] = bool(attributes["port"])
    attributes["domain_specified"] = bool(attributes["domain"])
    attributes["domain_initial_dot"] = attributes["domain"].startswith(".")
    attributes["path_specified"] = bool(attributes["path"])
    return cookielib.Cookie(**attributes)


def morsel_to_cookie(morsel: Any) -> Any:
    """A cookie from one of ``http.cookies``."""
    expires = None
    if morsel["max-age"]:
        try:
            expires = int(time.time() + int(morsel["max-age"]))
        except ValueError:
            raise TypeError(f"max-age: {morsel['max-age']} must be integer") from None
    elif morsel["expires"]:
        expires = calendar.timegm(time.strptime(morsel["expires"], "%a, %d-%b-%Y %H:%M:%S GMT"))
    return create_cookie(
        morsel.key,
        morsel.value,
        comment=morsel["comment"],
        comment_url=bool(morsel["comment"]),
        discard=False,
        domain=morsel["domain"],
        expires=expires,
        path=morsel["path"],
        port=None,
        rest={"HttpOnly": morsel["httponly"]},
        rfc2109=False,
        secure=bool(morsel["secure"]),
        version=morsel["version"] or 0,
    )


def cookiejar_from_dict(cookie_dict: Any, cookiejar: Any = None, overwrite: bool = True) -> Any:
    """A jar (or ``cookiejar``) with names and values put in; ``overwrite`` False keeps what has those names already."""
    jar = RequestsCookieJar() if cookiejar is None else cookiejar
    if cookie_dict:
        there = {cookie.name for cookie in jar}
        for name, value in cookie_dict.items():
            if overwrite or name not in there:
                jar.set_cookie(create_cookie(name, value))
    return jar


def merge_cookies(cookiejar: Any, cookies: Any) -> Any:
    """Adds cookies to a jar: a dict's where the jar has none of the name, a jar's all."""
    if not isinstance(cookiejar, cookielib.CookieJar):
        raise ValueError("You can only merge into CookieJar")
    if isinstance(cookies, dict):
        return cookiejar_from_dict(cookies, cookiejar=cookiejar, overwrite=False)
    if isinstance(cookies, cookielib.CookieJar):
        try:
            cookiejar.update(cookies)  # type: ignore[attr-defined]
        except AttributeError:
            for cookie in cookies:
                cookiejar.set_cookie(cookie)
    return cookiejar
