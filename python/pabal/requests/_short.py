"""The short way of plain requests.

``session.get(url)`` of a session that nobody has bent needs no ``PreparedRequest``, pool or adapter objects: the engine
can be asked at once, and the objects come into being when somebody looks (`_response`). What is seen from outside is
the same as on the long way: anything that could make a difference (a parameter, a cookie, a proxy of the environment, a
netrc file, a hook, a mounted adapter, a method that a subclass or a test replaced) sends the request there. The tests
run one table of cases on both ways.
"""

# Names with an underscore that programs import are part of the face.
# pyright: reportPrivateUsage=false
from __future__ import annotations

import os
import urllib.request
from collections.abc import Callable
from functools import lru_cache
from operator import itemgetter
from typing import Any, cast

from pabal import exceptions as native_errors

from . import adapters, utils
from ._prepared import PreparedRequest
from ._response import Response, body_failure
from .cookies import RequestsCookieJar, extract_cookies_to_jar
from .packages.urllib3.connectionpool import HTTPConnectionPool, engine_timeout, warn_unverified
from .packages.urllib3.failures import FINAL, shaped
from .packages.urllib3.poolmanager import PoolManager
from .structures import CaseInsensitiveDict
from .utils import check_header_validity

__all__ = ["remember", "send"]

#: Methods of a session whose replacement, in a subclass or on an instance, is a wish to be heard.
_SESSION = (
    "send",
    "prepare_request",
    "merge_environment_settings",
    "get_adapter",
    "resolve_redirects",
    "get_redirect_target",
    "rebuild_method",
    "rebuild_auth",
    "rebuild_proxies",
    "should_strip_auth",
    "_follow",
)
_ADAPTER = (
    "send",
    "build_response",
    "add_headers",
    "cert_verify",
    "request_url",
    "get_connection",
    "get_connection_with_tls_context",
    "build_connection_pool_key_attributes",
    "init_poolmanager",
)
_PREPARED = (
    "prepare",
    "prepare_method",
    "prepare_url",
    "prepare_headers",
    "prepare_cookies",
    "prepare_body",
    "prepare_auth",
)
_MODULE = (
    "get_environ_proxies",
    "get_netrc_auth",
    "dispatch_hook",
    "extract_cookies_to_jar",
    "merge_setting",
    "merge_cookies",
    "HTTPAdapter",
    "PreparedRequest",
    "Request",
    "Response",
    "preferred_clock",
)

#: (where, reader of several names there, what it read when this module was loaded)
_watched: list[tuple[Any, Callable[[Any], Any], Any]] = []
_session_class: Any = None
_adapter_class: Any = None
_session_names = frozenset(_SESSION)
_adapter_names = frozenset(_ADAPTER)


def remember(module: dict[str, Any]) -> None:
    """Called by ``sessions`` at its end: notes what is there, to notice later whether any of it was replaced."""
    global _session_class, _adapter_class
    _session_class, _adapter_class = module["Session"], module["HTTPAdapter"]
    for owner, names in (
        (_session_class, _SESSION),
        (_adapter_class, _ADAPTER),
        (PreparedRequest, _PREPARED),
        (HTTPConnectionPool, ("urlopen", "_exchange")),
    ):
        for home in owner.__mro__:
            _watch(home.__dict__, tuple(name for name in names if name in home.__dict__))
    _watch(module, _MODULE)
    _watch(vars(utils), ("getproxies", "proxy_bypass", "should_bypass_proxies"))
    _watch(vars(adapters), ("Response", "extract_cookies_to_jar"))


def _watch(where: Any, names: tuple[str, ...]) -> None:
    if len(names) == 1:
        names *= 2  # itemgetter gives a tuple from two names on
    if names:
        read: Callable[[Any], Any] = cast("Any", itemgetter(*names))
        _watched.append((where, read, read(where)))


class _Asked:
    """What was sent, kept to make a ``PreparedRequest`` of it if anybody asks for one."""

    __slots__ = ("_lines", "_made", "method", "url")

    def __init__(self, method: str, url: str, lines: dict[str, Any]) -> None:
        self.method = method
        self.url = url
        self._lines = lines
        self._made: PreparedRequest | None = None

    def prepared(self) -> PreparedRequest:
        """The request; always the same object."""
        if self._made is None:
            made = PreparedRequest()
            made.method = self.method
            made.url = self.url
            made.headers = CaseInsensitiveDict(self._lines)
            made._cookies = RequestsCookieJar()
            self._made = made
        return self._made


@lru_cache(4096)
def _prepared_url(url: str) -> tuple[str, str, bool, bool]:
    """(URL, the same without fragment, whether it is https, whether it is plain: http without user information).

    Failures are not kept.
    """
    made = PreparedRequest()
    made.prepare_url(url, None)
    text: str = made.url
    scheme, _, rest = text.partition("://")
    plain = scheme in ("http", "https") and "@" not in rest.partition("/")[0]
    return text, text.partition("#")[0], scheme == "https", plain


@lru_cache(64)
def _checked(lines: tuple[tuple[str, Any], ...]) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Headers as `exchange` takes them, and as a ``PreparedRequest`` shows them; None if one is None."""
    for line in lines:
        if line[1] is None or isinstance(line[0], bytes):
            return None
        check_header_validity(line)
    shown = dict(lines)
    sent = (
        shown if any(name.lower() == "accept-encoding" for name in shown) else {**shown, "Accept-Encoding": "identity"}
    )
    return sent, shown


_ENVIRONMENT_IS_PLAIN = utils.getproxies is urllib.request.getproxies_environment


@lru_cache(8)
def _netrc_files(home: bytes) -> tuple[str, ...]:
    return tuple(os.path.join(os.fsdecode(home), name) for name in utils.NETRC_FILES)


def _environment_speaks(secure: bool) -> bool:
    """Whether the environment could have something to say: a proxy, a netrc file; of a TLS connection a bundle."""
    held: Any = getattr(os.environ, "_data", None)
    if held.__class__ is not dict or not _ENVIRONMENT_IS_PLAIN or not _TELLING.isdisjoint(held.keys()):
        return True
    if (secure and not _BUNDLES.isdisjoint(held.keys())) or _said_by(len(held)):
        return True
    home: bytes | None = held.get(b"HOME")
    if home is None:
        return True
    first, second = _netrc_files(home)
    return os.access(first, os.F_OK) or os.access(second, os.F_OK)


#: Variables that tell of proxies, as they are spelt by all but a few; and of netrc files and bundles.
_TELLING = frozenset(
    spelt
    for name in (b"http_proxy", b"https_proxy", b"all_proxy", b"no_proxy", b"netrc")
    for spelt in (name, name.upper())
)
_BUNDLES = frozenset((b"REQUESTS_CA_BUNDLE", b"CURL_CA_BUNDLE"))


@lru_cache(1)
def _said_by(count: int) -> bool:
    """Whether any other variable names a proxy (``Http_Proxy`` is one too), or there is no home; asked again whenever
    their number changes."""
    names = utils.variable_names()
    return names is None or b"_proxy" in names.lower() or b"HOME" not in names.split(b"\0")


def _is_bent(session: Any) -> bool:
    """Whether anything on the long way was replaced."""
    try:
        for where, read, what in _watched:
            if read(where) != what:
                return True
    except KeyError:
        return True
    if not _session_names.isdisjoint(session.__dict__):
        return True
    kind: Any = session.__class__
    return kind is not _session_class and any(getattr(kind, n) is not getattr(_session_class, n) for n in _SESSION)


def send(
    session: Any, method: str, url: Any, headers: Any, timeout: Any, allow_redirects: bool, verify: Any
) -> Response | None:
    """The response; None when this must go the long way."""
    hooks = session.hooks
    jar = session.cookies
    if (
        (method not in ("GET", "get", "HEAD", "head"))
        or type(url) is not str
        or session.auth
        or session.params
        or session.proxies
        or session.stream
        or session.cert
        or (hooks and hooks.get("response") != [])
        or type(jar) is not RequestsCookieJar
        or jar._cookies  # type: ignore[attr-defined]
        or _is_bent(session)
    ):
        return None
    if verify is None:
        verify = session.verify
    if verify is not True and verify is not False:
        return None
    full, bare, secure, plain = _prepared_url(url)
    if not plain or (session.trust_env and _environment_speaks(secure)):
        return None
    adapter = _adapter_for(session, full)
    if adapter is None:
        return None
    lines = _lines_of(session.headers, headers)
    if lines is None:
        return None
    limits = engine_timeout(adapters._timeout(timeout)) if timeout is not None else None
    manager = adapter.poolmanager
    sent, shown = lines
    asked = _Asked(method.upper(), full, shown)
    if secure and not verify:
        warn_unverified(full.split("/")[2])
    try:
        if limits is None:
            native = manager.engine.exchange(asked.method, bare, sent, None, verify=verify)
        else:
            native = manager.engine.exchange(asked.method, bare, sent, None, verify=verify, timeout=limits)
    except native_errors.PabalError as error:
        raise _failure(error, adapter, asked, verify) from error
    response = Response.__new__(Response)
    fields = response.__dict__
    fields["_native"] = native
    fields["_asked"] = asked
    fields["connection"] = adapter
    status = fields["status_code"] = native.status_code
    arrived = native.headers
    if "set-cookie" in arrived:
        extract_cookies_to_jar(jar, response.request, response.raw)
    if 300 < status < 309 and response.is_redirect:
        settings: dict[str, Any] = {
            "stream": False,
            "timeout": timeout,
            "verify": verify,
            "cert": None,
            "proxies": {},
        }
        return session._follow(response, asked.prepared(), allow_redirects, settings)  # type: ignore[no-any-return]
    return response


def _adapter_for(session: Any, url: str) -> Any:
    """The mounted adapter, if it is an `HTTPAdapter` as it came."""
    lowered = url.lower()
    for prefix, adapter in session.adapters.items():  # noqa: B007
        if lowered.startswith(prefix.lower()):
            break
    else:
        return None
    if type(adapter) is not _adapter_class or not _adapter_names.isdisjoint(adapter.__dict__):
        return None
    manager, retries = adapter.poolmanager, adapter.max_retries
    if type(manager) is not PoolManager or manager.verify is not True or len(manager.connection_pool_kw) > 2:
        return None
    return adapter if retries.total == 0 and not retries.status_forcelist else None


def _lines_of(defaults: Any, own: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
    if defaults.__class__ is not CaseInsensitiveDict:
        return None
    store: dict[str, Any] = defaults._store  # pyright: ignore[reportUnknownVariableType,reportUnknownMemberType]
    if own:
        if own.__class__ is not dict and own.__class__ is not CaseInsensitiveDict:
            return None
        store = store.copy()
        for name, value in own.items():
            store[name.lower()] = (name, value)
    try:
        return _checked(tuple(store.values()))
    except TypeError:  # a value that cannot be hashed: the long way says what is wrong with it
        return None


def _failure(error: native_errors.PabalError, adapter: Any, asked: _Asked, verify: Any) -> Exception:
    """What the long way raises for it."""
    request = asked.prepared()
    pool = adapter.get_connection_with_tls_context(request, verify)
    failure = shaped(error, pool, request.path_url)
    failure.__cause__ = error
    if error.head_arrived:
        kind = body_failure(failure)
        return failure if kind is None else kind(failure)
    if isinstance(failure, FINAL):
        return adapters.translated(failure, request) or failure
    try:
        adapter.max_retries.increment(request.method, request.path_url, error=failure, _pool=pool)
    except Exception as final:
        return adapters.translated(final, request) or final
    return failure
