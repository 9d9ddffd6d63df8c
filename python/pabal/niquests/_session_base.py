"""What both kinds of session of this face have over that of requests: settings, defaults, hooks."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from pabal.requests import sessions as _shared

from ._constant import DEFAULT_POOLSIZE, DEFAULT_RETRIES, default_timeout
from ._settings import refuse_unsupported
from .cookies import RequestsCookieJar, coerce_to_requests_cookiejar, cookiejar_from_dict
from .exceptions import InvalidSchema, UnsupportedError
from .extensions.revocation import DEFAULT_STRATEGY
from .hooks import HOOKS, default_hooks
from .models import PreparedRequest
from .structures import CaseInsensitiveDict
from .utils import default_headers, urljoin_safe

__all__ = ["SessionBase", "merge_hooks"]


def merge_hooks(request_hooks: Any, session_hooks: Any, dict_class: Any = dict) -> Any:
    """For every event the request's own hooks, else the session's."""
    common: Any = session_hooks or {}
    if not any(common.get(event) for event in HOOKS):
        return request_hooks
    own: Any = request_hooks or {}
    merged = dict_class()
    for event in HOOKS:
        merged[event] = own.get(event) or common.get(event) or []
    return merged


class SessionBase(_shared.Session):
    """Settings and what follows from them; ``Session`` and ``AsyncSession`` send."""

    __attrs__ = [  # noqa: RUF012
        "headers",
        "cookies",
        "auth",
        "allow_incoming_cookies",
        "proxies",
        "hooks",
        "params",
        "verify",
        "cert",
        "stream",
        "trust_env",
        "max_redirects",
        "retries",
        "multiplexed",
        "source_address",
        "_disable_ipv4",
        "_disable_ipv6",
        "_disable_http1",
        "_disable_http2",
        "_disable_http3",
        "_pool_connections",
        "_pool_maxsize",
        "_happy_eyeballs",
        "_keepalive_delay",
        "_keepalive_idle_window",
        "base_url",
        "quic_cache_layer",
        "timeout",
        "_revocation_configuration",
        "_tls_configuration",
        "json_encoder",
    ]

    def __init__(
        self,
        *,
        resolver: Any = None,
        source_address: tuple[str, int] | None = None,
        quic_cache_layer: Any = None,
        retries: Any = DEFAULT_RETRIES,
        multiplexed: bool = False,
        disable_http1: bool = False,
        disable_http2: bool = False,
        disable_http3: bool = False,
        disable_ipv6: bool = False,
        disable_ipv4: bool = False,
        pool_connections: int = DEFAULT_POOLSIZE,
        pool_maxsize: int = DEFAULT_POOLSIZE,
        happy_eyeballs: bool | int = False,
        keepalive_delay: float | int | None = 600.0,
        keepalive_idle_window: float | int | None = 60.0,
        base_url: str | None = None,
        timeout: Any = None,
        headers: Any = None,
        auth: Any = None,
        hooks: Any = None,
        revocation_configuration: Any = DEFAULT_STRATEGY,
        app: Any = None,
        params: Any = None,
        cookies: Any = None,
        proxies: Any = None,
        verify: Any = None,
        cert: Any = None,
        allow_incoming_cookies: bool = True,
        tls_configuration: Any = None,
        json_encoder: Any = None,
    ) -> None:
        refuse_unsupported(
            resolver=resolver,
            revocation_configuration=revocation_configuration,
            tls_configuration=tls_configuration,
        )
        self.retries = retries
        self.multiplexed = multiplexed
        self.source_address = source_address
        self.quic_cache_layer = quic_cache_layer
        self.base_url: str | None = base_url
        self.timeout = timeout
        self.json_encoder = json_encoder
        self.allow_incoming_cookies = allow_incoming_cookies
        self._disable_http1, self._disable_http2, self._disable_http3 = disable_http1, disable_http2, disable_http3
        self._disable_ipv4, self._disable_ipv6 = disable_ipv4, disable_ipv6
        self._pool_connections, self._pool_maxsize = pool_connections, pool_maxsize
        self._happy_eyeballs = happy_eyeballs
        self._keepalive_delay, self._keepalive_idle_window = keepalive_delay, keepalive_idle_window
        self._revocation_configuration = revocation_configuration
        self._tls_configuration = tls_configuration
        super().__init__()
        self.headers = CaseInsensitiveDict(headers) if headers else default_headers()
        self.auth = auth
        self.hooks = _completed(hooks)
        self.params = {} if params is None else params
        self.cookies = cookiejar_from_dict({}) if cookies is None else coerce_to_requests_cookiejar(cookies)
        self.proxies = {} if proxies is None else proxies
        self.verify = True if verify is None else verify
        self.cert = cert
        if app is not None:
            self._mount_application(app)

    def _mount_defaults(self) -> None:
        raise NotImplementedError

    def _mount_application(self, app: Any) -> None:
        raise NotImplementedError

    def _adapter_settings(self) -> dict[str, Any]:
        return {
            "pool_connections": self._pool_connections,
            "pool_maxsize": self._pool_maxsize,
            "max_retries": self.retries,
            "allow_incoming_cookies": self.allow_incoming_cookies,
            "source_address": self.source_address,
            "disable_http1": self._disable_http1,
            "disable_http2": self._disable_http2,
            "disable_http3": self._disable_http3,
            "disable_ipv4": self._disable_ipv4,
            "disable_ipv6": self._disable_ipv6,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.adapters = OrderedDict()
        self._mount_defaults()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {list(self.adapters.items())!r}>"

    def get_adapter(self, url: str) -> Any:
        """The adapter mounted for the longest prefix of a URL."""
        try:
            return super().get_adapter(url)
        except InvalidSchema:
            scheme = url.partition(":")[0].lower()
            if scheme.partition("+")[0] in ("ws", "wss", "sse", "psse") or scheme.endswith("+unix"):
                raise UnsupportedError(f"pabal cannot speak {scheme}:// yet") from None
            raise

    # --- preparing ----------------------------------------------------------------------------------------------------

    def _new_prepared(self) -> Any:
        return PreparedRequest()

    def _new_jar(self) -> Any:
        return RequestsCookieJar()

    def _own_options(self, request: Any) -> dict[str, Any]:
        return {
            "base_url": getattr(request, "base_url", None) or self.base_url,
            "override_scheme": getattr(request, "override_scheme", None),
            "json_encoder": self.json_encoder,
        }

    def _asks_netrc(self, request: Any) -> bool:
        """Who writes the header knows the credentials."""
        given: CaseInsensitiveDict[Any] = CaseInsensitiveDict(request.headers or {})
        return given.get("Authorization") is None and self.headers.get("Authorization") is None

    def _merge_hooks(self, own: Any) -> Any:
        return merge_hooks(own, self.hooks)

    def _timeout_for(self, method: str | None, timeout: Any) -> Any:
        if timeout is not None:
            return timeout
        return self.timeout if self.timeout is not None else default_timeout(method)

    # --- what comes back ----------------------------------------------------------------------------------------------

    def _keep_cookies(self, request: Any, answer: Any) -> None:
        if self.allow_incoming_cookies:
            super()._keep_cookies(request, answer)

    def _absolute(self, target: str, resp: Any, fragment: str) -> tuple[str, str]:
        target, fragment = super()._absolute(target, resp, fragment)
        return (target if "://" in target else urljoin_safe(resp.url, target)), fragment


def _completed(hooks: Any) -> Any:
    """Hooks of a session: a list for every event; objects that are such mappings stay what they are."""
    if hooks is None or hooks.__class__ is dict:
        made: dict[str, Any] = default_hooks()
        made.update(hooks or {})
        return made
    return hooks
