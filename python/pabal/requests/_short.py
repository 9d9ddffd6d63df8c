"""The short way of plain requests.

A request of a session that nobody has bent (`_unbent`) needs no pool or adapter objects, and one without cookies or
a body not even a ``PreparedRequest``: the engine can be asked at once, and the objects come into being when somebody
looks (`_response`). What is seen from outside is the same as on the long way, and where something must be worked out (a
URL with parameters, a Cookie header, a body) it is the long way's own code that does it. Anything that could make a
difference (a proxy of the environment, a netrc file, a hook, a mounted adapter, a method that a subclass or a test
replaced, a body that is read while it is sent) sends the request there. The tests run one table of cases on both ways.
"""

# Names with an underscore that programs import are part of the face.
# pyright: reportPrivateUsage=false
from __future__ import annotations

from functools import lru_cache
from typing import Any

from pabal import exceptions as native_errors

from . import adapters
from ._response import body_failure
from ._unbent import Unbent, lines_of
from .packages.urllib3._installed import either
from .packages.urllib3.connectionpool import engine_body, engine_timeout, plain_headers, warn_unverified
from .packages.urllib3.failures import FINAL, shaped
from .structures import CaseInsensitiveDict

__all__ = ["Asked", "ShortWay"]

_METHODS = {
    spelled: name
    for name in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY")
    for spelled in (name, name.lower())
}
#: Those that say how long their body is even when they have none.
_WITH_LENGTH = frozenset(_METHODS.values()) - {"GET", "HEAD"}
#: What can be gone through as often as one likes; others may be read only once, or say something else each time.
_QUERIES = frozenset((dict, list, tuple, str, bytes))
#: Values that are equal only when they are the same: True and 1.0 would be taken for 1.
_EXACT = frozenset((str, int))


class Asked:
    """What is sent, kept to make a ``PreparedRequest`` of it if anybody asks for one."""

    __slots__ = ("_jar", "_jar_class", "_made", "_prepared_class", "_shown", "body", "lines", "method", "target", "url")

    def __init__(
        self,
        way: Unbent,
        method: str,
        url: str,
        target: str,
        lines: dict[Any, Any],
        shown: CaseInsensitiveDict[Any],
        jar: Any = None,
        made: Any = None,
    ) -> None:
        self.method = method
        #: With its fragment, and without.
        self.url = url
        self.target = target
        #: Headers and body as the engine takes them.
        self.lines = lines
        self.body: Any = None
        self._prepared_class = way.prepared_class
        self._jar_class = way.jar_class
        self._shown = shown
        self._jar = jar
        self._made = made

    def prepared(self) -> Any:
        """The request; always the same object."""
        made = self._made
        if made is None:
            made = self._prepared_class()
            made.method = self.method
            made.url = self.url
            made.headers = self._shown.copy()
            self._made = made
        if made._cookies is None:
            made._cookies = self._jar_class()
            if self._jar is not None:
                made._cookies.update(self._jar)
        return made


@lru_cache(64)
def _limits(seconds: float) -> Any:
    """The engine's limits for a number; what is none of seconds is refused, and not kept."""
    return engine_timeout(adapters._timeout(seconds))


class ShortWay(Unbent):
    """The short way of one face."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._prepared_url = lru_cache(4096)(self._prepare_url)

    def _prepare_url(self, url: str, params: Any = None) -> tuple[str, str, bool, bool]:
        """(URL, the same without fragment, whether it is https, whether it is plain: http without user information).

        Failures are not kept.
        """
        made = self.prepared_class()
        made.prepare_url(url, params)
        text: str = made.url
        scheme, _, rest = text.partition("://")
        plain = scheme in ("http", "https") and "@" not in rest.partition("/")[0]
        return text, text.partition("#")[0], scheme == "https", plain

    def _url_with(self, url: str, params: Any) -> tuple[str, str, bool, bool]:
        """The same with parameters; kept when they cannot be mistaken for others."""
        if params.__class__ is str:
            return self._prepared_url(url, params)
        if params.__class__ is dict and all(
            name.__class__ is str and value.__class__ in _EXACT for name, value in params.items()
        ):
            return self._prepared_url(url, tuple(params.items()))
        return self._prepare_url(url, params)

    def plan(
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
        verify: Any,
    ) -> tuple[Any, Asked, bool, Any] | None:
        """(adapter, what is asked, verify, the engine's timeout); None for what must go the long way."""
        standing = self.standing(session)
        if (
            standing is None
            or url.__class__ is not str
            or method.__class__ is not str
            or (data and data.__class__ not in _QUERIES)
            or (cookies and cookies.__class__ is not dict)
        ):
            return None
        name = _METHODS.get(method)
        defaults, lines, plain, secure, own_verify, tells_bundle, files, memo = standing
        if verify is None:
            verify = own_verify
        if name is None or (verify is not True and verify is not False) or (files and self.any_exist(files)):
            return None
        if not params:
            full, target, is_secure, is_plain = self._prepared_url(url)
        elif params.__class__ in _QUERIES:
            full, target, is_secure, is_plain = self._url_with(url, params)
        else:
            return None
        if not is_plain or (is_secure and tells_bundle):
            return None
        adapter = secure if is_secure else plain
        if adapter is None:
            adapter = self._adapter_for(session, full)
            if adapter is None:
                return None
        if headers or lines is None:
            lines = lines_of(defaults, headers)
            if lines is None:
                return None
        sent, shown = lines
        jar = None
        if cookies or session.cookies._cookies:
            jar, sent, shown = memo.sent(session, self.prepared_class, target, shown, cookies)
        if data or name in _WITH_LENGTH or json is not None:
            asked = self._with_body(name, full, target, shown, jar, data, json)
        else:
            asked = Asked(self, name, full, target, sent, shown, jar)
        if timeout is None:
            limits = None
        elif timeout.__class__ is int or timeout.__class__ is float:
            limits = _limits(timeout)
        else:
            limits = engine_timeout(adapter._timeout_of(timeout))
        if is_secure and not verify:
            warn_unverified(full.split("/")[2])
        return adapter, asked, verify, limits

    def _with_body(
        self, method: str, url: str, target: str, shown: CaseInsensitiveDict[Any], jar: Any, data: Any, json: Any
    ) -> Asked:
        """A request with a body, or one that says that it has none: prepared as on the long way, after its cookies."""
        made = self.prepared_class()
        made.method = method
        made.url = url
        made.headers = shown.copy()
        asked = Asked(self, method, url, target, {}, shown, jar, made)
        try:
            made.prepare_body(data or {}, [], json)
        except Exception:
            asked.prepared()  # the error may hold the request
            raise
        asked.body = engine_body(made.body, made.headers, adapters.is_chunked(made))
        asked.lines = dict(made.headers._store.values())
        if "accept-encoding" not in made.headers._store:
            asked.lines = plain_headers(asked.lines)
        return asked

    def send(
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
        """The response; None when this must go the long way."""
        plan = self.plan(session, method, url, params, data, json, headers, cookies, timeout, verify)
        if plan is None:
            return None
        adapter, asked, verify, limits = plan
        exchange = adapter.poolmanager.engine.exchange
        try:
            if limits is None:
                native = exchange(asked.method, asked.target, asked.lines, asked.body, verify=verify)
            else:
                native = exchange(asked.method, asked.target, asked.lines, asked.body, verify=verify, timeout=limits)
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
        lowered = url.lower()
        for prefix, adapter in session.adapters.items():  # noqa: B007
            if lowered.startswith(prefix.lower()):
                break
        else:
            return None
        return adapter if self.is_plain(adapter) else None

    def failure(self, error: native_errors.PabalError, adapter: Any, asked: Asked, verify: Any) -> Exception:
        """What the long way raises for it."""
        request = asked.prepared()
        pool = adapter.get_connection_with_tls_context(request, verify)
        failure = shaped(error, pool, request.path_url)
        failure.__cause__ = error
        if error.head_arrived:
            kind = body_failure(failure)
            return failure if kind is None else kind(failure)
        if isinstance(failure, either(*FINAL)):
            return adapters.translated(failure, request) or failure
        try:
            adapter.max_retries.increment(request.method, request.path_url, error=failure, _pool=pool)
        except Exception as final:
            return adapters.translated(final, request) or final
        return failure
