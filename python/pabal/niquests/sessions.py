"""``Session``: defaults, cookies and connections that requests share."""

# Names with an underscore that programs import, or that faces share, are no strangers here.
# pyright: reportPrivateUsage=false
from __future__ import annotations

from functools import partial
from typing import Any

from pabal.requests import adapters as _shared_adapters
from pabal.requests._short import ShortWay
from pabal.requests.sessions import (
    DEFAULT_PORTS,
    DEFAULT_REDIRECT_LIMIT,
    REDIRECT_STATI,
    CaseInsensitiveDict,
    ChunkedEncodingError,
    ContentDecodingError,
    InvalidSchema,
    SessionRedirectMixin,
    TooManyRedirects,
    codes,
    cookielib,
    get_auth_from_url,
    merge_setting,
    preferred_clock,
    requote_uri,
    rewind_body,
    session,
    should_bypass_proxies,
    to_native_string,
    urljoin,
    urlparse,
)

from . import utils as _utils
from ._connection_info import ConnectionInfo
from ._session_base import SessionBase, merge_hooks
from .adapters import HTTPAdapter
from .cookies import RequestsCookieJar, cookiejar_from_dict, extract_cookies_to_jar, merge_cookies
from .exceptions import UnsupportedError
from .hooks import default_hooks, dispatch_hook
from .models import PreparedRequest, Request, Response
from .utils import get_environ_proxies, get_netrc_auth, should_check_crl, should_check_ocsp

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
    "cookiejar_from_dict",
    "cookielib",
    "default_hooks",
    "dispatch_hook",
    "extract_cookies_to_jar",
    "get_auth_from_url",
    "get_environ_proxies",
    "get_netrc_auth",
    "merge_cookies",
    "merge_hooks",
    "merge_setting",
    "preferred_clock",
    "requote_uri",
    "rewind_body",
    "session",
    "should_bypass_proxies",
    "should_check_crl",
    "should_check_ocsp",
    "to_native_string",
    "urljoin",
    "urlparse",
]


class Session(SessionBase):
    """Requests that wait for their answer.

        with niquests.Session() as session:
            session.get("https://example.com/price").json()

    Everything that requests' session has, and settings at construction. A request that is given no ``timeout`` has
    one: the session's, else 30 seconds for reading and 120 for writing methods.
    """

    def _mount_defaults(self) -> None:
        from .extensions.unixsocket import UnixAdapter

        self.mount("https://", HTTPAdapter(**self._adapter_settings()))
        self.mount("http://", HTTPAdapter(**self._adapter_settings()))
        self.mount("http+unix://", UnixAdapter())

    def _mount_application(self, app: Any) -> None:
        from .extensions.sgi import WebServerGatewayInterface

        adapter = WebServerGatewayInterface(app, max_retries=self.retries)
        for prefix in ("wsgi://", "ws://default", "wss://default", "sse://default", "psse://default"):
            self.mount(prefix, adapter)
        if self.base_url is None:
            self.base_url = "wsgi://default"

    def __enter__(self) -> Any:
        return self

    def _netrc_auth(self, url: Any) -> Any:
        return get_netrc_auth(url)

    def _dispatch_hook(self, key: str, hooks: Any, hook_data: Any, **kwargs: Any) -> Any:
        return dispatch_hook(key, hooks, hook_data, **kwargs)

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
        override_scheme: str | None = None,
    ) -> Any:
        """Sends a request and returns its response. The options are those of requests; ``override_scheme`` replaces the
        scheme of ``base_url``."""
        timeout = self._timeout_for(method, timeout)
        if not (files or auth or proxies or hooks or stream or cert or override_scheme or self.base_url):
            answer = _short_way.send(
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
            override_scheme=override_scheme,
        )
        prepared = self.prepare_request(request)
        settings = self.merge_environment_settings(prepared.url, proxies or {}, stream, verify, cert)
        return self.send(prepared, timeout=timeout, allow_redirects=allow_redirects, **settings)

    def query(self, url: Any, data: Any = None, json: Any = None, **kwargs: Any) -> Any:
        """QUERY: a request with a body that changes nothing."""
        return self.request("QUERY", url, data=data, json=json, **kwargs)

    def send(self, request: Any, **kwargs: Any) -> Any:
        """Sends a prepared request: hooks before it, the adapter, hooks after it, the redirects."""
        if isinstance(request, PreparedRequest):
            if request._asynchronous_auth is not None:
                raise UnsupportedError("this authentication is awaited: it needs an AsyncSession", request=request)
            request = dispatch_hook("pre_request", request.hooks, request)
            kwargs["timeout"] = self._timeout_for(request.method, kwargs.get("timeout"))
            if request.hooks.get("pre_send"):
                request.conn_info = ConnectionInfo()
                dispatch_hook("pre_send", request.hooks, request)
            if request.hooks.get("on_upload"):
                kwargs["on_upload_body"] = partial(_told, request)
            if request.hooks.get("early_response"):
                kwargs["on_early_response"] = partial(dispatch_hook, "early_response", request.hooks)
        return super().send(request, **kwargs)

    def gather(self, *responses: Any, max_fetch: int | None = None) -> None:
        """Waits for the responses of ``multiplexed=True``. All of them are there: they were answered when asked."""


def _told(request: Any, *_: Any) -> None:
    dispatch_hook("on_upload", request.hooks, request)


_short_way = ShortWay(
    globals(),
    Session,
    HTTPAdapter,
    prepared_class=PreparedRequest,
    response_class=Response,
    jar_class=RequestsCookieJar,
    others=((_utils.__dict__, ("proxy_bypass", "should_bypass_proxies")), (_shared_adapters.__dict__, ("translated",))),
)
