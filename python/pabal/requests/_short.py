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
from operator import attrgetter, itemgetter
from typing import Any, cast

from pabal import exceptions as native_errors
from pabal._engine import Watch, any_exists

from . import adapters, utils
from ._response import body_failure
from .packages.urllib3.connectionpool import HTTPConnectionPool, engine_timeout, warn_unverified
from .packages.urllib3.failures import FINAL, shaped
from .packages.urllib3.poolmanager import PoolManager
from .structures import CaseInsensitiveDict
from .utils import check_header_validity

__all__ = ["Asked", "ShortWay"]

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
    "_keep_cookies",
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


class Asked:
    """What was sent, kept to make a ``PreparedRequest`` of it if anybody asks for one."""

    __slots__ = ("_lines", "_made", "_way", "method", "url")

    def __init__(self, way: ShortWay, method: str, url: str, lines: dict[str, Any]) -> None:
        self.method = method
        self.url = url
        self._way = way
        self._lines = lines
        self._made: Any = None

    def prepared(self) -> Any:
        """The request; always the same object."""
        if self._made is None:
            made = self._way.prepared_class()
            made.method = self.method
            made.url = self.url
            made.headers = CaseInsensitiveDict(self._lines)
            made._cookies = self._way.jar_class()
            self._made = made
        return self._made


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


@lru_cache(64)
def _limits(seconds: float) -> Any:
    """The engine's limits for a number; what is none of seconds is refused, and not kept."""
    return engine_timeout(adapters._timeout(seconds))


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


class ShortWay:
    """The short way of one face.

    It is made at the end of the face's ``sessions`` module, whose names are ``module``: what is there then is how
    things are when nobody has bent them.
    """

    def __init__(
        self,
        module: dict[str, Any],
        session_class: Any,
        adapter_class: Any,
        *,
        prepared_class: Any,
        response_class: Any,
        jar_class: Any,
        pool_class: Any = HTTPConnectionPool,
        manager_class: Any = PoolManager,
        others: tuple[tuple[dict[str, Any], tuple[str, ...]], ...] = (),
    ) -> None:
        self.session_class = session_class
        self.adapter_class = adapter_class
        self.prepared_class = prepared_class
        self.response_class = response_class
        self.jar_class = jar_class
        self.manager_class = manager_class
        #: (where, reader of several names there, what it read when this was made)
        self._watched: list[tuple[Any, Callable[[Any], Any], Any]] = []
        self._watch_class(adapter_class, _ADAPTER)
        self._watch_class(prepared_class, _PREPARED)
        self._watch_class(pool_class, ("urlopen", "_exchange"))
        for where, names in ((module, _MODULE), *others):
            self._watch(where, names)
        self._watch(vars(utils), ("getproxies", "proxy_bypass", "should_bypass_proxies"))
        self._watch(vars(adapters), ("Response", "extract_cookies_to_jar"))
        self._session_names = frozenset(_SESSION)
        self._adapter_names = frozenset(_ADAPTER)
        self._methods: Callable[[Any], Any] = attrgetter(*(name for name in _SESSION if hasattr(session_class, name)))
        self._methods_before = self._methods(session_class)
        #: Where those are; what is concluded is whether any was replaced.
        self._places = Watch(
            *(session_class, adapter_class, prepared_class, pool_class, module),
            *(where for where, _ in others),
            *(vars(utils), vars(adapters)),
        )
        self._prepared_url = lru_cache(4096)(self._prepare_url)

    def _watch_class(self, owner: Any, names: tuple[str, ...]) -> None:
        read: Callable[[Any], Any] = cast("Any", attrgetter(*names))
        self._watched.append((owner, read, read(owner)))

    def _watch(self, where: Any, names: tuple[str, ...]) -> None:
        there = tuple(name for name in names if name in where)
        if len(there) == 1:
            there *= 2  # itemgetter gives a tuple from two names on
        if there:
            read: Callable[[Any], Any] = cast("Any", itemgetter(*there))
            self._watched.append((where, read, read(where)))

    def _prepare_url(self, url: str) -> tuple[str, str, bool, bool]:
        """(URL, the same without fragment, whether it is https, whether it is plain: http without user information).

        Failures are not kept.
        """
        made = self.prepared_class()
        made.prepare_url(url, None)
        text: str = made.url
        scheme, _, rest = text.partition("://")
        plain = scheme in ("http", "https") and "@" not in rest.partition("/")[0]
        return text, text.partition("#")[0], scheme == "https", plain

    def _world_speaks(self, kind: Any, trust_env: bool, secure: bool) -> bool:
        """Whether anything on the long way was replaced, by a class of sessions or otherwise; or the environment or the
        file system has a word on proxies, credentials or trust."""
        return (
            self._is_bent()
            or (kind is not self.session_class and bool(self._methods(kind) != self._methods_before))
            or (trust_env and _environment_speaks(secure))
        )

    def _is_bent(self) -> bool:
        verdict: bool | None = self._places.verdict
        if verdict is None:
            renewal = self._places.renew()
            verdict = self._was_replaced()
            self._places.conclude(renewal, verdict)
        return verdict

    def _was_replaced(self) -> bool:
        try:
            return bool(self._methods(self.session_class) != self._methods_before) or any(
                read(where) != what for where, read, what in self._watched
            )
        except (KeyError, AttributeError):
            return True

    def plan(
        self, session: Any, method: str, url: Any, headers: Any, timeout: Any, verify: Any
    ) -> tuple[Any, Asked, str, Any, bool, Any] | None:
        """(adapter, what is asked, URL, headers, verify, the engine's timeout); None for what must go the long way."""
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
            or (hooks and (hooks.__class__ is not dict or any(hooks.values())))
            or type(jar) is not self.jar_class
            or jar._cookies
            or not session.__dict__.keys().isdisjoint(self._session_names)
            or self._world_speaks(session.__class__, session.trust_env, url.startswith("https:"))
        ):
            return None
        if verify is None:
            verify = session.verify
        if verify is not True and verify is not False:
            return None
        full, bare, secure, plain = self._prepared_url(url)
        if not plain or secure is not url.startswith("https:"):
            return None
        adapter = self._adapter_for(session, full)
        if adapter is None:
            return None
        lines = _lines_of(session.headers, headers)
        if lines is None:
            return None
        if timeout is None:
            limits = None
        elif timeout.__class__ is int or timeout.__class__ is float:
            limits = _limits(timeout)
        else:
            limits = engine_timeout(adapter._timeout_of(timeout))
        sent, shown = lines
        if secure and not verify:
            warn_unverified(full.split("/")[2])
        return adapter, Asked(self, method.upper(), full, shown), bare, sent, verify, limits

    def send(
        self, session: Any, method: str, url: Any, headers: Any, timeout: Any, allow_redirects: bool, verify: Any
    ) -> Any:
        """The response; None when this must go the long way."""
        plan = self.plan(session, method, url, headers, timeout, verify)
        if plan is None:
            return None
        adapter, asked, bare, sent, verify, limits = plan
        exchange = adapter.poolmanager.engine.exchange
        try:
            if limits is None:
                native = exchange(asked.method, bare, sent, None, verify=verify)
            else:
                native = exchange(asked.method, bare, sent, None, verify=verify, timeout=limits)
        except native_errors.PabalError as error:
            raise self.failure(error, adapter, asked, verify) from error
        response = self.received(session, adapter, asked, native)
        if 300 < response.status_code < 309 and response.is_redirect:
            return self.followed(session, response, timeout, verify, allow_redirects)
        return response

    def received(self, session: Any, adapter: Any, asked: Asked, native: Any) -> Any:
        """The face's response around the engine's; its cookies are the session's from now on."""
        kind = self.response_class
        response = kind.__new__(kind)
        fields = response.__dict__
        fields["_native"] = native
        fields["_asked"] = asked
        fields["connection"] = adapter
        fields["status_code"] = native.status_code
        if "set-cookie" in native.headers:
            session._keep_cookies(response.request, response)
        return response

    def followed(self, session: Any, response: Any, timeout: Any, verify: Any, allow_redirects: bool) -> Any:
        """Where a redirect leads in the end (a coroutine, of a session that is asynchronous)."""
        settings: dict[str, Any] = {
            "stream": False,
            "timeout": timeout,
            "verify": verify,
            "cert": None,
            "proxies": {},
        }
        return session._follow(response, response.request, allow_redirects, settings)

    def _adapter_for(self, session: Any, url: str) -> Any:
        """The mounted adapter, if it is an ``HTTPAdapter`` as it came."""
        mounted = session.adapters
        if len(mounted) == 2 and "https://" in mounted and "http://" in mounted:
            adapter = mounted["https://" if url.startswith("https:") else "http://"]
        else:
            lowered = url.lower()
            for prefix, adapter in mounted.items():  # noqa: B007
                if lowered.startswith(prefix.lower()):
                    break
            else:
                return None
        if type(adapter) is not self.adapter_class or not adapter.__dict__.keys().isdisjoint(self._adapter_names):
            return None
        manager, retries = adapter.poolmanager, adapter.max_retries
        if type(manager) is not self.manager_class or manager.verify is not True or len(manager.connection_pool_kw) > 2:
            return None
        return adapter if retries.total == 0 and not retries.status_forcelist else None

    def failure(self, error: native_errors.PabalError, adapter: Any, asked: Asked, verify: Any) -> Exception:
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
