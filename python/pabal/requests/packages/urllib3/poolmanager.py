"""``PoolManager``: settings of connections by urllib3's names, and the engine session that has them."""

from __future__ import annotations

import contextlib
import os
import ssl
import tempfile
import threading
from typing import Any, ClassVar

from pabal import Limits, Proxy, Session
from pabal._fork import free_in_children

from .connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from .exceptions import LocationValueError, ProxySchemeUnknown, SSLError, URLSchemeUnknown
from .util.url import parse_url

__all__ = ["PoolManager", "ProxyManager", "proxy_from_url"]

pool_classes_by_scheme = {"http": HTTPConnectionPool, "https": HTTPSConnectionPool}

#: Asked for by some program, and unsafe to ignore.
_REFUSED = ("assert_fingerprint", "assert_hostname", "server_hostname")
#: No limit worth the name.
_MANY = 10_000


class PoolManager:
    """Hands out pools, which all send through one engine session."""

    proxy: Any = None
    _pool_classes: ClassVar[dict[str, type[HTTPConnectionPool]]] = pool_classes_by_scheme
    _engine_class: Any = Session
    #: The versions of HTTP that its engine speaks, as ``http=`` of a session.
    http: Any = "1.1"

    def __init__(self, num_pools: int = 10, headers: Any = None, **connection_pool_kw: Any) -> None:
        self.headers: Any = headers or {}
        self.connection_pool_kw = connection_pool_kw
        self.num_pools = num_pools
        self.pools: dict[Any, HTTPConnectionPool] = {}
        self.verify: Any = True
        self._engine: Any = None
        self._lock = free_in_children(threading.Lock())
        self._bundle: str | None = None
        for name in _REFUSED:
            if connection_pool_kw.get(name) is not None:
                raise SSLError(f"pabal cannot honour {name}=, and does not connect without it")
        self._local_address = _local_address_of(connection_pool_kw.get("source_address"))
        if connection_pool_kw.get("ssl_context") is not None:
            self.verify = self._trust_of(connection_pool_kw["ssl_context"])

    def _trust_of(self, context: ssl.SSLContext) -> Any:
        """What a context of the ssl module says about trust, as the engine can be told it."""
        if context.verify_mode == ssl.CERT_NONE:
            return False
        if not context.check_hostname:
            raise SSLError("pabal cannot verify a certificate without its host name (check_hostname=False)")
        roots = context.get_ca_certs(binary_form=True)
        if not roots or len(roots) > 60:  # none, or those of the system
            return True
        handle, self._bundle = tempfile.mkstemp(prefix="pabal-", suffix=".pem")
        with os.fdopen(handle, "w") as file:
            file.writelines(ssl.DER_cert_to_PEM_cert(root) for root in roots)
        return self._bundle

    @property
    def engine(self) -> Any:
        """The session of the engine; made when it is first needed."""
        made = self._engine
        return made if made is not None else self._make()

    @property
    def is_open(self) -> bool:
        """Whether there is an engine's session already."""
        return self._engine is not None

    def _make(self) -> Any:
        with self._lock:
            if self._engine is None:
                kept = max(1, int(self.connection_pool_kw.get("maxsize", 1) or 1))
                per_host = kept if self.connection_pool_kw.get("block") else _MANY
                limits = Limits(
                    _MANY, per_host, max_idle_connections=min(_MANY, kept * max(1, self.num_pools)), idle_timeout=300.0
                )
                self._engine = self._engine_class(
                    headers={},
                    timeout=None,
                    limits=limits,
                    trust_env=False,
                    http=self.http,
                    local_address=self._local_address,
                )
            return self._engine

    def __enter__(self) -> PoolManager:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def __del__(self) -> None:
        if getattr(self, "_bundle", None):
            with contextlib.suppress(OSError):
                os.unlink(self._bundle or "")

    def clear(self) -> None:
        """Closes all connections; new ones are made when they are needed."""
        with self._lock:
            # Let go, not closed: a response that is still being streamed holds the session until it is read.
            self._engine = None
            self.pools.clear()

    def connection_from_host(
        self, host: str | None, port: int | None = None, scheme: str | None = "http", pool_kwargs: Any = None
    ) -> HTTPConnectionPool:
        """The pool of an origin, and of the TLS settings in ``pool_kwargs``."""
        if not host:
            raise LocationValueError("No host specified.")
        scheme = (scheme or "http").lower()
        kind = self._pool_classes.get(scheme)
        if kind is None:
            raise URLSchemeUnknown(scheme)
        own: dict[str, Any] = pool_kwargs or {}
        key = (scheme, host, port, tuple(sorted((name, str(value)) for name, value in own.items())))
        pool = self.pools.get(key)
        if pool is None:
            options = {**self.connection_pool_kw, **own}
            pool = kind(host, port, manager=self, headers=self.headers, _proxy=self.proxy, **options)
            if len(self.pools) >= 64:  # they hold nothing: any may go
                self.pools.clear()
            self.pools[key] = pool
        return pool

    def connection_from_url(self, url: str, pool_kwargs: Any = None) -> HTTPConnectionPool:
        """The pool for a URL."""
        parts = parse_url(url)
        return self.connection_from_host(parts.host, parts.port, parts.scheme, pool_kwargs)

    def urlopen(self, method: str, url: str, redirect: bool = True, **kw: Any) -> Any:
        """One request."""
        kw.setdefault("headers", self.headers)
        return self.connection_from_url(url).urlopen(method, url, redirect=False, **kw)

    def request(self, method: str, url: str, **kw: Any) -> Any:
        """One request."""
        return self.urlopen(method, url, **kw)


def _local_address_of(source: Any) -> str | None:
    """The address in source_address=, a pair of address and port."""
    if source is None:
        return None
    host, port = source
    if port:
        raise ValueError(f"source_address={source!r}: the system chooses the port of a connection; give 0 for it")
    if not host:
        return None
    import ipaddress

    return str(ipaddress.ip_address(host))


class ProxyManager(PoolManager):
    """A manager whose requests go through a proxy."""

    def __init__(
        self, proxy_url: str, num_pools: int = 10, headers: Any = None, proxy_headers: Any = None, **kw: Any
    ) -> None:
        parts = parse_url(proxy_url)
        if parts.scheme not in ("http", "https", "socks4", "socks4a", "socks5", "socks5h"):
            raise ProxySchemeUnknown(parts.scheme or "")
        self.proxy = parts
        self.proxy_url = proxy_url
        self.proxy_headers: dict[Any, Any] = dict(proxy_headers or {})
        super().__init__(num_pools, headers, **kw)

    def proxy_for(self, url: str, headers: Any) -> Proxy:
        """What the engine is told: for a request with these headers, the proxy and what it may know.

        An HTTP proxy knows who we are by ``proxy_headers``, not by its URL. Behind a proxy the engine drops
        Proxy-Authorization from the headers of requests, to keep it from origins; a proxy that reads them itself shall
        have it.
        """
        if (self.proxy.scheme or "").startswith("socks"):
            return Proxy(self.proxy_url)
        lines = self.proxy_headers
        if url.startswith("http:"):
            own = {name: value for name, value in headers.items() if _is_proxy_authorization(name)}
            if own and not any(_is_proxy_authorization(name) for name in lines):
                lines = {**lines, **own}
        return Proxy(f"{self.proxy.scheme}://{self.proxy.netloc}", headers=lines)


def _is_proxy_authorization(name: Any) -> bool:
    text = name.decode("latin-1") if isinstance(name, bytes) else str(name)
    return text.lower() == "proxy-authorization"


def proxy_from_url(url: str, **kw: Any) -> ProxyManager:
    """The manager for a proxy's URL."""
    return ProxyManager(proxy_url=url, **kw)
