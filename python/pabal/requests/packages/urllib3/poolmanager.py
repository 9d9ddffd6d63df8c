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

from . import _installed
from ._installed import used
from ._shapes import LocationValueError, ProxySchemeUnknown, SSLError, URLSchemeUnknown
from .connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from .util.url import parse_url

__all__ = ["PoolManager", "ProxyManager", "proxy_from_url"]

pool_classes_by_scheme = {"http": HTTPConnectionPool, "https": HTTPSConnectionPool}

#: What the engine cannot honour, and must not ignore. A context cannot even be read: nobody can tell whether it holds a
#: client's certificate.
_BEYOND = (
    *("assert_fingerprint", "assert_hostname", "server_hostname"),
    *("proxy_assert_fingerprint", "proxy_assert_hostname", "proxy_ssl_context"),
)
_OF_TLS = frozenset(("ssl_context", *_BEYOND))
#: No limit worth the name.
_MANY = 10_000


class PoolManager:
    """Hands out pools, which all send through one engine session."""

    proxy: Any = None
    _pool_classes: ClassVar[dict[str, type[HTTPConnectionPool]]] = pool_classes_by_scheme
    _engine_class: Any = Session
    #: Whether the installed urllib3's own pools are handed out where somebody replaced its connections, and for
    #: settings of TLS that only it can honour.
    _gives_way = True

    def __init__(self, num_pools: int = 10, headers: Any = None, **connection_pool_kw: Any) -> None:
        self.headers: Any = headers or {}
        self.connection_pool_kw = connection_pool_kw
        self.num_pools = num_pools
        self.pools: dict[Any, HTTPConnectionPool] = {}
        self.verify: Any = True
        self._engine: Any = None
        self._theirs: Any = None
        self._lock = free_in_children(threading.Lock())
        self._bundle: str | None = None
        self._local_address = _local_address_of(connection_pool_kw.get("source_address"))
        self._always_theirs = False
        if not _OF_TLS.isdisjoint(connection_pool_kw):
            self._see_to({name: kw for name, kw in connection_pool_kw.items() if name in _OF_TLS and kw is not None})

    def _see_to(self, settings: dict[str, Any]) -> None:
        """Settings of TLS: who is to honour them."""
        if settings and self._gives_way and _installed.found("poolmanager") is not None:
            self._always_theirs = True
            return
        for name in _BEYOND:
            if name in settings:
                raise used(SSLError)(f"pabal cannot honour {name}=, and does not connect without it")
        if "ssl_context" in settings:
            self.verify = self._trust_of(settings["ssl_context"])

    def _trust_of(self, context: ssl.SSLContext) -> Any:
        """What a context of the ssl module says about trust, as the engine can be told it.

        Its ``check_hostname`` is not asked: urllib3 compares the names itself when the context does not, unless it
        is given ``assert_hostname=False``, which is refused here.
        """
        if context.verify_mode == ssl.CERT_NONE:
            return False
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
                    http=self.connection_pool_kw.get("http", "1.1"),
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
            theirs, self._theirs = self._theirs, None
        if theirs is not None:
            theirs.clear()

    def connection_from_host(
        self, host: str | None, port: int | None = None, scheme: str | None = "http", pool_kwargs: Any = None
    ) -> HTTPConnectionPool:
        """The pool of an origin and of the TLS settings in ``pool_kwargs``; see ``_gives_way``."""
        if not host:
            raise used(LocationValueError)("No host specified.")
        scheme = (scheme or "http").lower()
        kind = self._pool_classes.get(scheme)
        if kind is None:
            raise used(URLSchemeUnknown)(scheme)
        own: dict[str, Any] = pool_kwargs or {}
        if self._always_theirs or (self._gives_way and _installed.was_replaced()):
            theirs = self._installed_manager()
            if theirs is not None:
                return theirs.connection_from_host(host, port, scheme, own)  # type: ignore[no-any-return]
            if self._always_theirs:
                raise used(SSLError)("these settings of TLS need urllib3's SOCKS support (pip install PySocks)")
        key = (scheme, host, port, tuple(sorted((name, str(value)) for name, value in own.items())))
        pool = self.pools.get(key)
        if pool is None:
            options = {**self.connection_pool_kw, **own}
            pool = kind(host, port, manager=self, headers=self.headers, _proxy=self.proxy, **options)
            if len(self.pools) >= 64:  # they hold nothing: any may go
                self.pools.clear()
            self.pools[key] = pool
        return pool

    def _installed_manager(self, **options: Any) -> Any:
        if self._theirs is None:
            proxy = getattr(self, "proxy_url", None)
            self._theirs = _installed.manager_for(
                proxy, num_pools=self.num_pools, headers=self.headers, **self.connection_pool_kw, **options
            )
        return self._theirs

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
            raise used(ProxySchemeUnknown)(parts.scheme or "")
        self.proxy = parts
        self.proxy_url = proxy_url
        self.proxy_headers: dict[Any, Any] = dict(proxy_headers or {})
        super().__init__(num_pools, headers, **kw)

    def _installed_manager(self, **options: Any) -> Any:
        return super()._installed_manager(proxy_headers=self.proxy_headers, **options)

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
