"""``Session``: defaults, cookies and connections that requests share."""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

from ._internal_utils import to_native_string
from ._redirects import SessionRedirectMixin
from ._short import ShortWay
from .adapters import HTTPAdapter
from .compat import cookielib, urljoin, urlparse
from .cookies import RequestsCookieJar, cookiejar_from_dict, extract_cookies_to_jar, merge_cookies
from .exceptions import ChunkedEncodingError, ContentDecodingError, InvalidSchema, TooManyRedirects
from .hooks import default_hooks, dispatch_hook
from .models import DEFAULT_REDIRECT_LIMIT, REDIRECT_STATI, PreparedRequest, Request, Response
from .status_codes import codes
from .structures import CaseInsensitiveDict
from .utils import (
    DEFAULT_PORTS,
    default_headers,
    get_auth_from_url,
    get_environ_proxies,
    get_netrc_auth,
    requote_uri,
    resolve_proxies,
    rewind_body,
    should_bypass_proxies,
    to_key_val_list,
)

__all__ = [
    "DEFAULT_PORTS",
    "DEFAULT_REDIRECT_LIMIT",
    "REDIRECT_STATI",
    "CaseInsensitiveDict",
    "ChunkedEncodingError",
    "ContentDecodingError",
    "HTTPAdapter",
    "InvalidSchema",
    "PreparedRequest",
    "Request",
    "RequestsCookieJar",
    "Response",
    "Session",
    "SessionRedirectMixin",
    "TooManyRedirects",
    "codes",
    "cookielib",
    "get_auth_from_url",
    "merge_hooks",
    "merge_setting",
    "preferred_clock",
    "requote_uri",
    "rewind_body",
    "session",
    "should_bypass_proxies",
    "to_native_string",
    "urljoin",
    "urlparse",
]

preferred_clock = time.perf_counter


def merge_setting(request_setting: Any, session_setting: Any, dict_class: Any = OrderedDict) -> Any:
    """A request's own setting over the session's. Mappings are merged; None as a value takes a key away."""
    if session_setting is None:
        return request_setting
    if request_setting is None:
        return session_setting
    if not (isinstance(session_setting, Mapping) and isinstance(request_setting, Mapping)):
        return request_setting
    merged = dict_class(to_key_val_list(session_setting))
    merged.update(to_key_val_list(request_setting))
    for key in [key for key, value in merged.items() if value is None]:
        del merged[key]
    return merged


def merge_hooks(request_hooks: Any, session_hooks: Any, dict_class: Any = OrderedDict) -> Any:
    """The same for hooks, where ``{"response": []}`` means none."""
    if session_hooks is None or session_hooks.get("response") == []:
        return request_hooks
    if request_hooks is None or request_hooks.get("response") == []:
        return session_hooks
    return merge_setting(request_hooks, session_hooks, dict_class)


class Session(SessionRedirectMixin):
    """Requests that share cookies, connections and defaults.

        with requests.Session() as session:
            session.get("https://example.com/price", timeout=5).json()

    headers, auth, params, proxies, hooks, stream, verify, cert
        Defaults for every request; a request's own go before.
    cookies
        A ``RequestsCookieJar``.
    adapters
        By URL prefix, the longest first; see ``mount``.
    max_redirects, trust_env
        More redirects are an error; whether proxies, bundles and netrc of the environment count.
    """

    __attrs__ = [  # noqa: RUF012
        "headers",
        "cookies",
        "auth",
        "proxies",
        "hooks",
        "params",
        "verify",
        "cert",
        "adapters",
        "stream",
        "trust_env",
        "max_redirects",
    ]

    def __init__(self) -> None:
        self.headers: Any = default_headers()
        self.auth: Any = None
        self.proxies: Any = {}
        self.hooks: Any = default_hooks()
        self.params: Any = {}
        self.stream: Any = False
        self.verify: Any = True
        self.cert: Any = None
        self.max_redirects = DEFAULT_REDIRECT_LIMIT
        self.trust_env = True
        self.cookies: Any = cookiejar_from_dict({})
        self.adapters: OrderedDict[str, Any] = OrderedDict()
        self._mount_defaults()

    def _mount_defaults(self) -> None:
        self.mount("https://", HTTPAdapter())
        self.mount("http://", HTTPAdapter())

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *args: object) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name, None) for name in self.__attrs__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    # --- preparing ----------------------------------------------------------------------------------------------------

    def prepare_request(self, request: Any) -> PreparedRequest:
        """A request with the session's defaults worked in."""
        auth = request.auth
        if self.trust_env and not auth and not self.auth and self._asks_netrc(request):
            auth = self._netrc_auth(request.url)
        made = self._new_prepared()
        made.prepare(
            method=request.method.upper(),
            url=request.url,
            files=request.files,
            data=request.data,
            json=request.json,
            headers=merge_setting(request.headers, self.headers, dict_class=CaseInsensitiveDict),
            params=merge_setting(request.params, self.params),
            auth=merge_setting(auth, self.auth),
            cookies=self._merged_cookies(request.cookies),
            hooks=self._merge_hooks(request.hooks),
            **self._own_options(request),
        )
        return made  # type: ignore[no-any-return]

    def _merged_cookies(self, given: Any) -> Any:
        """A jar of the session's cookies, and those that a request was given over them."""
        given = given or {}
        if not isinstance(given, cookielib.CookieJar):
            given = cookiejar_from_dict(given)
        return merge_cookies(merge_cookies(self._new_jar(), self.cookies), given)

    # These are looked up by the names of this module when they are wanted: programs replace them there.

    def _netrc_auth(self, url: Any) -> Any:
        return get_netrc_auth(url)

    def _keep_cookies(self, request: Any, answer: Any) -> None:
        extract_cookies_to_jar(self.cookies, request, answer.raw)

    def _dispatch_hook(self, key: str, hooks: Any, hook_data: Any, **kwargs: Any) -> Any:
        return dispatch_hook(key, hooks, hook_data, **kwargs)

    # And these are for a face that builds on this one.

    def _asks_netrc(self, request: Any) -> bool:
        return True

    def _merge_hooks(self, own: Any) -> Any:
        return merge_hooks(own, self.hooks)

    def _new_prepared(self) -> Any:
        return PreparedRequest()

    def _new_jar(self) -> Any:
        return RequestsCookieJar()

    def _own_options(self, request: Any) -> dict[str, Any]:
        return {}

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> dict[str, Any]:
        """The settings of a transfer: a request's own, the environment's, the session's."""
        if self.trust_env:
            proxies = given = cast("dict[str, Any]", {} if proxies is None else proxies)
            no_proxy = given.get("no_proxy")
            for scheme, proxy in get_environ_proxies(url, no_proxy=no_proxy).items():
                given.setdefault(scheme, proxy)
            if verify is True or verify is None:
                verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or verify
        return {
            "proxies": merge_setting(proxies, self.proxies),
            "stream": merge_setting(stream, self.stream),
            "verify": merge_setting(verify, self.verify),
            "cert": merge_setting(cert, self.cert),
        }

    # --- sending ------------------------------------------------------------------------------------------------------

    def request(
        self,
        method: str,
        url: Any,
        params: Any = None,
        data: Any = None,
        headers: Any = None,
        cookies: Any = None,
        files: Any = None,
        auth: Any = None,
        timeout: Any = None,
        allow_redirects: bool = True,
        proxies: Any = None,
        hooks: Any = None,
        stream: Any = None,
        verify: Any = None,
        cert: Any = None,
        json: Any = None,
    ) -> Response:
        """Sends a request and returns its response.

        params
            Added to the query: a mapping, pairs, or text.
        data, json, files
            The body: a form, text, bytes or a file; JSON; a multipart form.
        headers, cookies, auth
            Of this request, over the session's.
        timeout
            Seconds for connecting and for every silence of the server; (connect, read); None waits for ever.
        allow_redirects, proxies, hooks, stream, verify, cert
            How it is transferred. With ``stream`` the body is read when it is asked for.
        """
        # Who asks plainly, of a session that nobody has bent, is answered the short way; see `_short`.
        if not (files or auth or proxies or hooks or stream or cert):
            answer: Response | None = _short_way.send(
                self, method, url, params, data, json, headers, cookies, timeout, allow_redirects, verify
            )
            if answer is not None:
                return answer
        request = Request(
            method=method.upper(),
            url=url,
            headers=headers,
            files=files,
            data=data or {},
            json=json,
            params=params or {},
            auth=auth,
            cookies=cookies,
            hooks=hooks,
        )
        prepared = self.prepare_request(request)
        settings = self.merge_environment_settings(prepared.url, proxies or {}, stream, verify, cert)
        return self.send(prepared, timeout=timeout, allow_redirects=allow_redirects, **settings)

    def get(self, url: Any, **kwargs: Any) -> Response:
        """GET; for the options see ``request``."""
        kwargs.setdefault("allow_redirects", True)
        return self.request("GET", url, **kwargs)

    def options(self, url: Any, **kwargs: Any) -> Response:
        """OPTIONS; for the options see ``request``."""
        kwargs.setdefault("allow_redirects", True)
        return self.request("OPTIONS", url, **kwargs)

    def head(self, url: Any, **kwargs: Any) -> Response:
        """HEAD, which does not follow redirects unless told to."""
        kwargs.setdefault("allow_redirects", False)
        return self.request("HEAD", url, **kwargs)

    def post(self, url: Any, data: Any = None, json: Any = None, **kwargs: Any) -> Response:
        """POST; for the options see ``request``."""
        return self.request("POST", url, data=data, json=json, **kwargs)

    def put(self, url: Any, data: Any = None, **kwargs: Any) -> Response:
        """PUT; for the options see ``request``."""
        return self.request("PUT", url, data=data, **kwargs)

    def patch(self, url: Any, data: Any = None, **kwargs: Any) -> Response:
        """PATCH; for the options see ``request``."""
        return self.request("PATCH", url, data=data, **kwargs)

    def delete(self, url: Any, **kwargs: Any) -> Response:
        """DELETE; for the options see ``request``."""
        return self.request("DELETE", url, **kwargs)

    def send(self, request: Any, **kwargs: Any) -> Response:
        """Sends a prepared request: by the adapter that is mounted for it, then the hooks, then the redirects."""
        allow_redirects = self._complete(request, kwargs)
        hooks = request.hooks
        adapter = self.get_adapter(url=request.url)
        begun = preferred_clock()
        answer = adapter.send(request, **kwargs)
        answer.elapsed = timedelta(seconds=preferred_clock() - begun)
        answer = self._dispatch_hook("response", hooks, answer, **kwargs)
        for earlier in answer.history or ():  # hooks may have asked more than once
            self._keep_cookies(earlier.request, earlier)
        self._keep_cookies(request, answer)
        answer = self._follow(answer, request, allow_redirects, kwargs)
        if not kwargs["stream"]:
            answer.content  # noqa: B018
        return cast("Response", answer)

    def _complete(self, request: Any, kwargs: dict[str, Any]) -> bool:
        """The session's settings for what ``send`` was not told; returns ``allow_redirects``."""
        kwargs.setdefault("stream", self.stream)
        kwargs.setdefault("verify", self.verify)
        kwargs.setdefault("cert", self.cert)
        if "proxies" not in kwargs:
            kwargs["proxies"] = resolve_proxies(request, self.proxies, self.trust_env)
        if isinstance(request, Request):
            raise ValueError("You can only send PreparedRequests.")
        return bool(kwargs.pop("allow_redirects", True))

    def _follow(self, answer: Any, request: Any, allow_redirects: bool, kwargs: dict[str, Any]) -> Any:
        """The end of a chain of redirects; or the first answer, knowing what would come next."""
        if allow_redirects:
            chain = [answer, *self.resolve_redirects(answer, request, **kwargs)]
            if len(chain) > 1:
                answer = chain.pop()
                answer.history = chain
        else:
            answer._next = next(self.resolve_redirects(answer, request, yield_requests=True, **kwargs), None)
        return answer

    # --- adapters -----------------------------------------------------------------------------------------------------

    def get_adapter(self, url: str) -> Any:
        """The adapter mounted for the longest prefix of a URL."""
        lowered = url.lower()
        for prefix, adapter in self.adapters.items():
            if lowered.startswith(prefix.lower()):
                return adapter
        raise InvalidSchema(f"No connection adapters were found for {url!r}")

    def mount(self, prefix: str, adapter: Any) -> None:
        """Uses an adapter for all URLs that begin with ``prefix``."""
        self.adapters[prefix] = adapter
        for shorter in [key for key in self.adapters if len(key) < len(prefix)]:
            self.adapters[shorter] = self.adapters.pop(shorter)

    def close(self) -> None:
        """Closes all connections of all adapters."""
        for adapter in self.adapters.values():
            adapter.close()


def session() -> Session:
    """A new ``Session``."""
    return Session()


_short_way = ShortWay(
    globals(),
    Session,
    HTTPAdapter,
    prepared_class=PreparedRequest,
    response_class=Response,
    jar_class=RequestsCookieJar,
)
