"""What tells whether anything between a session and the engine was bent.

A program may replace a method, in a subclass or on an instance; it may mount an adapter, register a hook, set a proxy
in the environment or write a netrc file. Only a session of which nothing of that is true may go the short way
(`_short`). Looking for it all would cost more than the request: what was concluded is kept with the session, and holds
until one of the classes, modules, dicts and lists that were looked at changes (`_engine.Watch`).
"""

# Names with an underscore that programs import are part of the face.
# pyright: reportPrivateUsage=false
from __future__ import annotations

import os
import sys
import urllib.request
from collections.abc import Callable
from functools import lru_cache
from operator import attrgetter, is_, itemgetter
from typing import Any, NamedTuple, cast

from pabal._engine import FilesOf, Watch

from . import adapters, utils
from ._sent_cookies import CookieMemo
from .packages.urllib3 import _installed
from .packages.urllib3.connectionpool import HTTPConnectionPool
from .packages.urllib3.poolmanager import PoolManager
from .packages.urllib3.util.request import SKIP_HEADER
from .structures import CaseInsensitiveDict
from .utils import check_header_validity

__all__ = ["Standing", "Unbent", "lines_of"]

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
    "_merged_cookies",
    "_netrc_auth",
    "_new_prepared",
    "_new_jar",
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
_JAR = ("add_cookie_header", "clear_expired_cookies", "set_cookie", "update", "__iter__")
_MODULE = (
    "get_environ_proxies",
    "get_netrc_auth",
    "dispatch_hook",
    "extract_cookies_to_jar",
    "cookiejar_from_dict",
    "merge_setting",
    "merge_cookies",
    "HTTPAdapter",
    "PreparedRequest",
    "Request",
    "Response",
    "preferred_clock",
)
#: Attributes of a session that requests go by. A class that has one of them, a property say, decides for itself.
_SETTINGS = (
    "headers",
    "auth",
    "proxies",
    "hooks",
    "params",
    "verify",
    "cert",
    "stream",
    "trust_env",
    "cookies",
    "adapters",
)
#: Settings of a pool manager that its engine has, whichever way a request goes.
_OF_THE_ENGINE = frozenset(("maxsize", "block", "source_address", "http"))
_settings: Callable[[dict[str, Any]], Any] = itemgetter(*_SETTINGS)

_ENVIRONMENT_IS_PLAIN = utils.getproxies is urllib.request.getproxies_environment
#: Variables that tell of bundles.
_BUNDLES = frozenset((b"REQUESTS_CA_BUNDLE", b"CURL_CA_BUNDLE"))


class Standing(NamedTuple):
    """What was concluded of a session of which nothing is bent."""

    #: Its default headers: by lower-case name; and (as they are sent, as a ``PreparedRequest`` shows them), or None
    #: when the long way has to say what is wrong with them.
    defaults: dict[str, Any]
    lines: tuple[dict[str, Any], CaseInsensitiveDict[Any]] | None
    #: The adapters of all http:// and of all https:// URLs; None when that depends on the URL, or one is bent.
    plain: Any
    secure: Any
    #: Its ``verify``; None when it is no bool.
    verify: bool | None
    #: Whether the environment names a bundle; and the netrc files that there may be, which is for each request to ask.
    tells_bundle: bool
    files: FilesOf | None
    memo: CookieMemo


@lru_cache(64)
def _checked(lines: tuple[tuple[str, Any], ...]) -> tuple[dict[str, Any], CaseInsensitiveDict[Any]] | None:
    """Headers as `exchange` takes them, and as a ``PreparedRequest`` shows them; None for what must go the long way."""
    for line in lines:
        if line[1] is None or line[1] == SKIP_HEADER or isinstance(line[0], bytes):
            return None
        check_header_validity(line)
    shown: CaseInsensitiveDict[Any] = CaseInsensitiveDict(lines)
    sent = dict(lines)
    if "accept-encoding" not in shown._store:
        sent["Accept-Encoding"] = "identity"
    return sent, shown


def lines_of(defaults: dict[str, Any], own: Any) -> tuple[dict[str, Any], CaseInsensitiveDict[Any]] | None:
    """The headers of a request over those of its session, as `_checked` gives them."""
    if own:
        if own.__class__ is not dict and own.__class__ is not CaseInsensitiveDict:
            return None
        defaults = defaults.copy()
        for name, value in own.items():
            defaults[name.lower()] = (name, value)
    try:
        return _checked(tuple(defaults.values()))
    except TypeError:  # a value that cannot be hashed: the long way says what is wrong with it
        return None


def _environment() -> Any:
    """The dict behind os.environ."""
    return getattr(os.environ, "_data", None)


@lru_cache(8)
def _netrc_files(home: bytes, names: tuple[str, ...]) -> FilesOf:
    """One for all sessions: what one has seen, the others need not look for."""
    return FilesOf(home, *map(os.fsencode, names))


def _said_by(held: dict[Any, Any]) -> tuple[bool, bool, FilesOf | None]:
    """(Whether a variable tells of a proxy or a netrc file, or there is no home to look for one; of a bundle; the
    netrc files that there may be.)"""
    home: Any = held.get(b"HOME")
    if home is None:
        return True, True, None
    proxies = any(name.lower().endswith(b"_proxy") for name in tuple(held))  # ``Http_Proxy`` is one too
    files = _netrc_files(home, tuple(utils.NETRC_FILES))
    return proxies or b"NETRC" in held, not _BUNDLES.isdisjoint(held), files


class Unbent:
    """Knows of one face how things are when nobody has bent them: as they were when this was made, at the end of the
    face's ``sessions`` module, whose names are ``module``.
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
        self._watch_class(jar_class, _JAR)
        for where, names in ((module, _MODULE), *others):
            self._watch(where, names)
        self._watch(vars(utils), ("getproxies", "proxy_bypass", "should_bypass_proxies"))
        self._watch(vars(adapters), ("Response", "extract_cookies_to_jar"))
        self._session_names = frozenset(_SESSION)
        self._adapter_names = frozenset(_ADAPTER)
        self._methods: Callable[[Any], Any] = attrgetter(*(name for name in _SESSION if hasattr(session_class, name)))
        self._methods_before = self._methods(session_class)
        #: Where those are.
        self._everywhere = (
            *(session_class, adapter_class, prepared_class, pool_class, jar_class, module),
            *(where for where, _ in others),
            *(vars(utils), vars(adapters)),
        )
        #: What is concluded is whether any was replaced.
        self._places = Watch(*self._everywhere)

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

    # --- of all sessions ----------------------------------------------------------------------------------------------

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

    def _is_own_class(self, kind: Any) -> bool:
        """Whether a class of sessions has something to say."""
        return (
            any(hasattr(kind, name) for name in _SETTINGS)
            or kind.__getattribute__ is not object.__getattribute__
            or (kind is not self.session_class and bool(self._methods(kind) != self._methods_before))
        )

    # --- of one session -----------------------------------------------------------------------------------------------

    def standing(self, session: Any) -> Standing | None:
        """What is concluded of a session; None when anything about it is bent."""
        fields = session.__dict__
        watch: Watch | None = fields.get("_standing")
        if watch is not None:
            found: Standing | None = watch.verdict_of(fields)
            if found is not None:
                return found
        return self._conclude(session.__class__, fields)

    def _conclude(self, kind: Any, fields: dict[str, Any]) -> Standing | None:
        parts = self._parts(fields)
        if parts is None or self._is_bent() or self._is_own_class(kind):
            return None
        watch = Watch(kind, *self._everywhere, *parts)
        fields["_standing"] = watch
        renewal = watch.renew(fields)
        again = self._parts(fields)  # what is concluded is what can be seen from here on
        if again is None or len(again) != len(parts) or not all(map(is_, parts, again)) or self._is_own_class(kind):
            return None
        standing = self._look(fields)
        if standing is not None and not self._is_bent():
            watch.conclude(renewal, standing)
        return standing

    def _parts(self, fields: dict[str, Any]) -> tuple[Any, ...] | None:
        """The dicts, lists and sets that a session's standing is read from; None when something is bent already."""
        try:
            headers, auth, proxies, hooks, params, _, cert, stream, trust_env, jar, mounted = _settings(fields)
        except KeyError:
            return None
        if (
            auth
            or cert
            or stream
            or type(jar) is not self.jar_class
            or headers.__class__ is not CaseInsensitiveDict
            or fields.get("json_encoder")
            or not fields.keys().isdisjoint(self._session_names)
        ):
            return None
        if self.manager_class._gives_way and _installed.was_replaced():
            return None
        parts: list[Any] = [sys.modules, *_installed.pools(), vars(headers), headers._store, mounted]  # pyright: ignore[reportUnknownMemberType,reportUnknownArgumentType]
        if hooks is not None:
            if hooks.__class__ is not dict:
                return None
            parts.append(hooks)
        registered: dict[str, Any] = hooks or {}
        for empty in (proxies, params, *registered.values()):
            if empty:
                return None
            if empty.__class__ is dict or empty.__class__ is list:
                parts.append(empty)
            elif empty is not None and empty.__class__ is not str and empty.__class__ is not tuple:
                return None
        if trust_env:
            held = _environment()
            if held.__class__ is not dict or not _ENVIRONMENT_IS_PLAIN:
                return None
            parts += (vars(os), vars(os.environ), held)
        for scheme in ("http://", "https://"):
            adapter = self._adapter_of(scheme, mounted)
            if adapter is not None:
                manager, retries = adapter.poolmanager, adapter.max_retries
                parts += (vars(adapter), vars(manager), manager.connection_pool_kw, vars(retries))
                if retries.status_forcelist.__class__ in (list, set):
                    parts.append(retries.status_forcelist)
        return tuple(parts)

    def _look(self, fields: dict[str, Any]) -> Standing | None:
        speaks, tells_bundle, files = _said_by(_environment()) if fields["trust_env"] else (False, False, None)
        if speaks:
            return None
        defaults = fields["headers"]._store
        verify = fields["verify"]
        try:
            lines = lines_of(defaults, None)
        except ValueError:  # for each request to say
            lines = None
        return Standing(
            defaults,
            lines,
            self._adapter_of("http://", fields["adapters"]),
            self._adapter_of("https://", fields["adapters"]),
            verify if verify is True or verify is False else None,
            tells_bundle,
            files,
            CookieMemo(),
        )

    def _adapter_of(self, scheme: str, mounted: Any) -> Any:
        """The adapter of all URLs of a scheme, if it is plain."""
        adapter = _only_one(mounted, scheme)
        return adapter if adapter is not None and self.is_plain(adapter) else None

    def is_plain(self, adapter: Any) -> bool:
        """Whether it is an ``HTTPAdapter`` as it came, which does not retry."""
        if type(adapter) is not self.adapter_class or not adapter.__dict__.keys().isdisjoint(self._adapter_names):
            return False
        manager, retries = adapter.poolmanager, adapter.max_retries
        if type(manager) is not self.manager_class or manager.verify is not True:
            return False
        if not manager.connection_pool_kw.keys() <= _OF_THE_ENGINE:
            return False
        return retries.total == 0 and not retries.status_forcelist

    def any_exist(self, files: FilesOf) -> bool:
        """Whether one of the files is there."""
        return files.any_exist()


def _only_one(mounted: Any, scheme: str) -> Any:
    """The adapter of all URLs of a scheme; None when that depends on the URL."""
    found: list[Any] = []
    for prefix, adapter in mounted.items():
        lowered = prefix.lower()
        if lowered.startswith(scheme) or scheme.startswith(lowered):
            found.append((lowered, adapter))
    return found[0][1] if len(found) == 1 and found[0][0] == scheme else None
