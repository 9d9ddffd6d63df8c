"""The short way of plain requests.

``session.get(url)`` of a session that nobody has bent needs no ``PreparedRequest``, pool or adapter objects: the engine
can be asked at once, and the objects come into being when somebody looks (`_response`). With cookies, or a body that
is all there, a ``PreparedRequest`` is made, and makes of them what it always does. What is seen from outside is the
same as on the long way: anything that could make a difference (a proxy of the environment, a netrc file, a hook, a
mounted adapter, a method that a subclass or a test replaced) sends the request there. The tests run one table of
cases on both ways.
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
from pabal._engine import Watch, any_exists

from . import adapters, utils
from ._prepared import PreparedRequest
from ._response import Response, body_failure
from .cookies import RequestsCookieJar, cookiejar_from_dict, extract_cookies_to_jar, merge_cookies
from .packages.urllib3.connectionpool import (
    HTTPConnectionPool,
    engine_body,
    engine_timeout,
    plain_headers,
    warn_unverified,
)
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

_BODILESS = ("GET", "get", "HEAD", "head")
_METHODS = frozenset((*_BODILESS, "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_PLAIN_BODIES = (bytes, str, dict)

#: (where, reader of several names there, what it read when this module was loaded)
_watched: list[tuple[Any, Callable[[Any], Any], Any]] = []
#: Where those are; what is concluded is whether any was replaced.
_places = Watch()
_session_class: Any = None
_adapter_class: Any = None
_session_names = frozenset(_SESSION)
_adapter_names = frozenset(_ADAPTER)


def remember(module: dict[str, Any]) -> None:
    """Called by ``sessions`` at its end: notes what is there, to notice later whether any of it was replaced."""
    global _session_class, _adapter_class, _places
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
    classes = (_session_class, _adapter_class, PreparedRequest, HTTPConnectionPool)
    _places = Watch(*classes, module, vars(utils), vars(adapters))


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
def _prepared_url(url: str, params: tuple[tuple[str, Any], ...] = ()) -> tuple[str, str, bool, bool]:
    """(URL, the same without fragment, whether it is https, whether it is plain: http without user information).

    Failures are not kept.
    """
    made = PreparedRequest()
    made.prepare_url(url, params)
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
#: Variables that tell of bundles, and of netrc files.
_BUNDLES = frozenset((b"REQUESTS_CA_BUNDLE", b"CURL_CA_BUNDLE"))
#: os.environ's dict, and what was concluded of it.
_environment: tuple[Any, Watch] = ({}, Watch())


def _environment_speaks(secure: bool) -> bool:
    """Whether the environment could have something to say: a proxy, a netrc file; of a TLS connection a bundle."""
    global _environment
    held: Any = getattr(os.environ, "_data", None)
    known, watch = _environment
    if held is not known:
        if held.__class__ is not dict or not _ENVIRONMENT_IS_PLAIN:
            return True
        watch = Watch(held)
        _environment = (held, watch)
    verdict: Any = watch.verdict
    if verdict is None:
        renewal = watch.renew()
        verdict = _said_by(held)
        watch.conclude(renewal, verdict)
    speaks, tells_bundle, files = verdict
    return speaks or (secure and tells_bundle) or any_exists(files)


def _said_by(held: dict[Any, Any]) -> tuple[bool, bool, tuple[bytes, ...]]:
    """(Whether a variable tells of a proxy or a netrc file, or there is no home to look for one; of a bundle; where
    there may be netrc files.)"""
    home: Any = held.get(b"HOME")
    if home is None:
        return True, True, ()
    proxies = any(name.lower().endswith(b"_proxy") for name in tuple(held))  # ``Http_Proxy`` is one too
    files = tuple(os.path.join(home, os.fsencode(name)) for name in utils.NETRC_FILES)
    return proxies or b"NETRC" in held, not _BUNDLES.isdisjoint(held), files


def _is_bent(session: Any) -> bool:
    """Whether anything on the long way was replaced."""
    verdict: Any = _places.verdict
    if verdict is None:
        renewal = _places.renew()
        verdict = _was_replaced()
        _places.conclude(renewal, verdict)
    if verdict or not _session_names.isdisjoint(session.__dict__):
        return True
    kind: Any = session.__class__
    return kind is not _session_class and any(getattr(kind, n) is not getattr(_session_class, n) for n in _SESSION)


def _was_replaced() -> bool:
    try:
        return any(read(where) != what for where, read, what in _watched)
    except KeyError:
        return True


def send(
    session: Any,
    method: str,
    url: Any,
    headers: Any,
    timeout: Any,
    allow_redirects: bool,
    verify: Any,
    params: Any = None,
    data: Any = None,
    json: Any = None,
    cookies: Any = None,
) -> Response | None:
    """The response; None when this must go the long way."""
    hooks = session.hooks
    jar = session.cookies
    if (
        type(url) is not str
        or session.auth
        or session.params
        or session.proxies
        or session.stream
        or session.cert
        or (hooks and hooks.get("response") != [])
        or type(jar) is not RequestsCookieJar
        or _is_bent(session)
    ):
        return None
    bare_head = method in _BODILESS and not data and json is None and not cookies and not jar._cookies  # type: ignore[attr-defined]
    if not bare_head and not (
        method in _METHODS and (not data or type(data) in _PLAIN_BODIES) and (not cookies or type(cookies) is dict)
    ):
        return None
    if verify is None:
        verify = session.verify
    if verify is not True and verify is not False:
        return None
    if not params:
        full, bare, secure, plain = _prepared_url(url)
    else:
        pairs = _pairs_of(params)
        if pairs is None:
            return None
        full, bare, secure, plain = _prepared_url(url, pairs)
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
    engine = manager._engine or manager.engine
    sent, shown = lines
    asked = _Asked(method.upper(), full, shown)
    body = None
    if not bare_head:
        made = asked.prepared()
        made.prepare_cookies(merge_cookies(merge_cookies(RequestsCookieJar(), jar), cookiejar_from_dict(cookies)))
        made.prepare_body(data or {}, [], json)
        if made.body is not None and "Content-Length" not in made.headers:
            return None
        sent = plain_headers(made.headers)
        body = engine_body(made.body, made.headers)
    if secure and not verify:
        warn_unverified(full.split("/")[2])
    try:
        if limits is None:
            native = engine.exchange(asked.method, bare, sent, body, verify=verify)
        else:
            native = engine.exchange(asked.method, bare, sent, body, verify=verify, timeout=limits)
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


@lru_cache(1024)
def _prefix_of(prefixes: tuple[str, ...], url: str) -> str | None:
    lowered = url.lower()
    return next((prefix for prefix in prefixes if lowered.startswith(prefix.lower())), None)


def _pairs_of(params: Any) -> tuple[tuple[str, Any], ...] | None:
    """Parameters that are plain names and values; others are the long way's."""
    if params.__class__ is not dict:
        return None
    pairs: tuple[tuple[Any, Any], ...] = tuple(params.items())
    for name, value in pairs:
        if type(name) is not str or (type(value) is not str and type(value) is not int):
            return None
    return pairs


def _adapter_for(session: Any, url: str) -> Any:
    """The mounted adapter, if it is an `HTTPAdapter` as it came."""
    mounted = session.adapters
    prefix = _prefix_of(tuple(mounted), url)
    if prefix is None:
        return None
    adapter = mounted[prefix]
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
