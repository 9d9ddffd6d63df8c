"""Cookies beside the engine's jar: ``CookiePolicy``, the standard library's jars, and jars in files.

What a cookie means (who may set it, who gets it, how long) is the engine's; this only gives it other shapes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pabal._engine import Cookie, CookieJar, normalise_cookie_domain
from pabal.config import flag_of
from pabal.exceptions import InvalidArgument

if TYPE_CHECKING:
    import http.cookiejar
    import os
    from collections.abc import Iterable

__all__ = ["CookiePolicy"]


# --- policy -----------------------------------------------------------------------------------------------------------


def _domains(name: str, domains: Iterable[str]) -> tuple[str, ...]:
    if isinstance(domains, (str, bytes)) or not hasattr(domains, "__iter__"):
        raise TypeError(f"{name} must be several domains, such as ['example.com'], not {domains!r}")
    return tuple(dict.fromkeys(normalise_cookie_domain(each) for each in domains))


class CookiePolicy:
    """What a jar takes from responses and gives to requests: restrictions, then leniencies by name.

    accept
        False: nothing that responses set is kept. What the program itself puts into the jar is sent as ever.
    third_party
        False: a redirect to another site (another registrable domain) neither gets nor sets cookies.
    allowed_domains
        Only hosts in these domains set and get cookies; None: all hosts. A domain stands for itself and names below.
    blocked_domains
        Hosts in these set and get none, even if they are allowed.
    accept_public_suffix
        Take cookies for "co.uk" from hosts below it, which any other host there will be sent.
    trust_loopback
        Treat http to localhost, 127.* and ::1 like https: Secure cookies are taken and sent, as browsers do.

    A policy is an immutable value, compared by content. Cookies given for one request (``cookies=``) are not its
    business.
    """

    __slots__ = __match_args__ = (
        "accept",
        "third_party",
        "allowed_domains",
        "blocked_domains",
        "accept_public_suffix",
        "trust_loopback",
    )

    accept: bool
    third_party: bool
    allowed_domains: tuple[str, ...] | None
    blocked_domains: tuple[str, ...]
    accept_public_suffix: bool
    trust_loopback: bool

    def __init__(
        self,
        *,
        accept: bool = True,
        third_party: bool = True,
        allowed_domains: Iterable[str] | None = None,
        blocked_domains: Iterable[str] = (),
        accept_public_suffix: bool = False,
        trust_loopback: bool = False,
    ) -> None:
        allowed = None if allowed_domains is None else _domains("allowed_domains", allowed_domains)
        if allowed == ():
            raise ValueError("allowed_domains is empty: None allows all hosts, accept=False keeps no cookies")
        put = object.__setattr__
        put(self, "accept", flag_of("accept", accept))
        put(self, "third_party", flag_of("third_party", third_party))
        put(self, "allowed_domains", allowed)
        put(self, "blocked_domains", _domains("blocked_domains", blocked_domains))
        put(self, "accept_public_suffix", flag_of("accept_public_suffix", accept_public_suffix))
        put(self, "trust_loopback", flag_of("trust_loopback", trust_loopback))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"CookiePolicy is immutable; make a new one instead of setting {name!r}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError("CookiePolicy is immutable")

    def _parts(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__match_args__}

    def __repr__(self) -> str:
        return "CookiePolicy(" + ", ".join(f"{name}={value!r}" for name, value in self._parts().items()) + ")"

    def __eq__(self, other: object) -> bool:
        return self._parts() == other._parts() if isinstance(other, CookiePolicy) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self._parts().values()))

    def __reduce__(self) -> tuple[object, tuple[dict[str, Any]]]:
        return _policy_from_parts, (self._parts(),)


def _policy_from_parts(parts: dict[str, Any]) -> CookiePolicy:
    return CookiePolicy(**parts)


# --- http.cookiejar ---------------------------------------------------------------------------------------------------
#
# Its conventions: a domain with a leading dot is one that a Domain attribute named; a host without a dot has ".local"
# added; header text is Latin-1, as http.client sends it; a cookie without a name has its text as name, and no value.


def cookies_of(jar: Iterable[http.cookiejar.Cookie]) -> list[Cookie]:
    """The cookies of a jar of the standard library (or of requests) that have not expired."""
    from http.cookiejar import CookieJar as StandardJar

    if not isinstance(jar, StandardJar):
        raise TypeError(f"this needs an http.cookiejar.CookieJar, not {type(jar).__name__}")
    out: list[Cookie] = []
    for each in jar:
        if each.is_expired():
            continue
        out.append(cookie_of(each))
        if each.domain.count(".") == 1 and out[-1].domain.endswith(".local"):
            # The host "web", or one that is really called "web.local": the old jar would send it to both.
            out.append(_converted(each, each.domain.removesuffix(".local")))
    return out


def cookie_of(cookie: http.cookiejar.Cookie) -> Cookie:
    """One of them. A restriction to ports (RFC 2965) has no counterpart and is lost."""
    from http.cookiejar import Cookie as StandardCookie

    if not isinstance(cookie, StandardCookie):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"this needs a pabal.Cookie or an http.cookiejar.Cookie, not {type(cookie).__name__}")
    domain = cookie.domain or ""
    host = domain.removesuffix(".local")
    if host != domain and (host == "localhost" or host.startswith("[") or host == _rest(cookie).get("host")):
        domain = host.strip("[]")
    return _converted(cookie, domain)


def _converted(cookie: http.cookiejar.Cookie, domain: str) -> Cookie:
    rest = _rest(cookie)
    name, value = (cookie.name, cookie.value) if cookie.value is not None else ("", cookie.name)
    same_site = (rest.get("samesite") or "").capitalize()
    return Cookie(
        _from_latin1(name),
        _from_latin1(value),
        domain=domain,
        path=cookie.path if cookie.path.startswith("/") else "/",
        host_only=not domain or not (cookie.domain_specified or domain.startswith(".")),
        secure=bool(cookie.secure),
        http_only="httponly" in rest,
        same_site=same_site if same_site in ("Strict", "Lax", "None") else "",
        expires=cookie.expires,
    )


def _rest(cookie: http.cookiejar.Cookie) -> dict[str, str | None]:
    """The attributes that the standard library only carries along."""
    rest = cast("dict[str, str | None]", vars(cookie)["_rest"])
    return {name.lower(): text for name, text in rest.items()}


def to_cookiejar(jar: CookieJar) -> http.cookiejar.CookieJar:
    """A jar of the standard library with the same cookies."""
    from http.cookiejar import Cookie as StandardCookie
    from http.cookiejar import CookieJar as StandardJar

    out = StandardJar()
    for each in jar.cookies():
        name, value = _to_latin1(each.name), _to_latin1(each.value)
        domain = each.domain
        rest: dict[str, str] = {}
        if domain and "." not in domain:
            rest["Host"] = domain  # so that we know it again
            domain = f"[{domain}].local" if ":" in domain else f"{domain}.local"
        if each.http_only:
            rest["HttpOnly"] = ""
        if each.same_site:
            rest["SameSite"] = each.same_site
        names_domain = not each.host_only
        out.set_cookie(
            StandardCookie(
                version=0,
                name=name or value,
                value=value if name else None,
                port=None,
                port_specified=False,
                domain=f".{domain}" if names_domain else domain,
                domain_specified=names_domain,
                domain_initial_dot=names_domain,
                path=each.path,
                path_specified=True,
                secure=each.secure,
                expires=None if each.expires is None else int(each.expires),
                discard=each.expires is None,
                comment=None,
                comment_url=None,
                rest=rest,
                rfc2109=False,
            )
        )
    return out


def _from_latin1(text: str) -> str:
    """Text that http.client would send as Latin-1, as pabal shows the same bytes: as UTF-8."""
    try:
        return text.encode("latin-1").decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text


def _to_latin1(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


# --- files ------------------------------------------------------------------------------------------------------------

_FORMAT = "pabal cookies"
_VERSION = 1
_FIELDS: dict[str, type | tuple[type, ...]] = {
    "name": str,
    "value": str,
    "domain": str,
    "path": str,
    "host_only": bool,
    "secure": bool,
    "http_only": bool,
    "same_site": str,
    "expires": (int, float, type(None)),
    "created": (int, float, type(None)),
}


def save(jar: CookieJar, path: str | os.PathLike[str], *, session_cookies: bool = False) -> None:
    """Writes JSON that only its owner can read. The file is there whole or as it was before."""
    import contextlib
    import json
    import os
    import tempfile
    import time

    target = os.fspath(path)
    if not isinstance(target, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"path must be str or a path of str, not {type(target).__name__}")
    now = time.time()
    kept = [
        {name: getattr(each, name) for name in _FIELDS}
        for each in jar.cookies()
        if (session_cookies if each.expires is None else each.expires > now)
    ]
    text = json.dumps({"format": _FORMAT, "version": _VERSION, "cookies": kept}, indent=1)
    folder, name = os.path.split(target)
    # mkstemp makes the file anew, with mode 0600.
    descriptor, temporary = tempfile.mkstemp(prefix=f".{name}.", suffix=".tmp", dir=folder or ".")
    try:
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def load(path: str | os.PathLike[str], *, policy: CookiePolicy | None = None) -> CookieJar:
    """A jar with the cookies of a file that ``save`` wrote, but for those that have expired."""
    import json

    jar = CookieJar(policy=policy)
    with open(path, encoding="utf-8") as file:
        try:
            whole: object = json.load(file)
        except (ValueError, RecursionError) as error:
            raise InvalidArgument(f"{_shown(path)} is not JSON: {error}") from None
    if not isinstance(whole, dict) or cast("dict[str, object]", whole).get("format") != _FORMAT:
        raise InvalidArgument(f"{_shown(path)} is not a file of pabal's cookies")
    content = cast("dict[str, object]", whole)
    if content.get("version") != _VERSION:
        version = content.get("version")
        raise InvalidArgument(f"{_shown(path)} is of version {version!r}; this pabal reads version {_VERSION}")
    cookies = content.get("cookies")
    if not isinstance(cookies, list):
        raise InvalidArgument(f'{_shown(path)} has no list of "cookies"')
    for index, record in enumerate(cast("list[object]", cookies)):
        try:
            jar.set_cookie(_cookie_of_record(record))
        except (TypeError, ValueError) as error:
            raise InvalidArgument(f"{_shown(path)}, cookie {index}: {error}") from None
    return jar


def _cookie_of_record(record: object) -> Cookie:
    if not isinstance(record, dict):
        raise TypeError("not an object")
    fields = cast("dict[str, Any]", record)
    for name, kind in _FIELDS.items():
        if name not in fields:
            raise ValueError(f"{name!r} is missing")
        if not isinstance(fields[name], kind) or (kind is not bool and isinstance(fields[name], bool)):
            raise TypeError(f"{name!r} is of type {type(fields[name]).__name__}")
    if fields["domain"].startswith("."):
        raise ValueError("'domain' begins with a dot")
    return Cookie(**{name: fields[name] for name in _FIELDS})


def _shown(path: object) -> str:
    import os

    return repr(os.fspath(cast("str", path)))
