"""How long to wait, how much to hold, where to go: ``Timeout``, ``Limits``, ``Proxy``, ``SafeResolver``.

All are immutable values that are compared by content, checked when they are made, and finite unless told otherwise.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, ClassVar, Final, cast

if TYPE_CHECKING:
    from collections.abc import Iterable
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
    from typing import Any, TypeAlias

    from pabal._engine import Headers
    from pabal.types import HeaderInput

    #: What ``timeout=`` accepts.
    TimeoutInput: TypeAlias = "float | tuple[float | None, float | None] | Timeout | None"
    SafeResolverParts: TypeAlias = tuple[tuple[str, ...], tuple[str, ...], bool]
    #: A network or an address: ``"10.0.0.0/8"``, ``"fd00::1"``, or an object of `ipaddress`.
    NetworkInput: TypeAlias = "str | IPv4Address | IPv4Network | IPv6Address | IPv6Network"
    TimeoutParts: TypeAlias = (
        "tuple[float | None, float | None, float | None, float | None, float | None, float | None, float | None]"
    )

__all__ = [
    "DEFAULT_LIMITS",
    "DEFAULT_TIMEOUT",
    "Frozen",
    "Limits",
    "Proxy",
    "SafeResolver",
    "Timeout",
    "alternatives_file_of",
    "count_of",
    "flag_of",
    "local_address_of",
    "path_of",
    "timeout_of",
]


class _Unset:
    """Tells "not given" from None, which means "no limit"."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<default>"


_UNSET = _Unset()

#: Beyond what any clock here counts; kept apart from infinity, which is a mistake.
MOST_SECONDS = 1e300
#: Of anything that is counted.
MOST = 1_000_000_000
#: Of bytes.
MOST_BYTES = 2**63 - 1


def _seconds(name: str, value: float | None) -> float | None:
    if value is None:
        return None
    return _positive(f"timeout {name}", value, "a number of seconds or None", " (None means no limit)")


def _positive(name: str, value: float, wanted: str, hint: str = "") -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"{name} must be {wanted}, not {type(value).__name__}")
    if not 0 < value <= MOST_SECONDS:  # NaN compares false
        given = repr(value) if isinstance(value, float) else "a number as large as this" if value > 0 else str(value)
        raise ValueError(f"{name} must be positive and finite, not {given}{hint}")
    return float(value)


def flag_of(name: str, value: bool) -> bool:
    """True or False, and nothing that merely counts as one."""
    if not isinstance(value, bool):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"{name} must be True or False, not {type(value).__name__}")
    return value


class Frozen:
    """Values that do not change after they were made: equal, hashed, shown and pickled by their `parts`."""

    __slots__ = ()
    __match_args__: ClassVar[tuple[str, ...]] = ()

    @property
    def parts(self) -> tuple[Any, ...]:
        """All that it says: what ``__match_args__`` names, as `__init__` takes it by name and the engine in order."""
        return tuple(getattr(self, name) for name in self.__match_args__)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(" + ", ".join(f"{n}={getattr(self, n)!r}" for n in self.__match_args__) + ")"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Frozen) or type(other) is not type(self):
            return NotImplemented
        return self.parts == other.parts

    def __hash__(self) -> int:
        return hash(self.parts)

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return _made_of, (type(self), self.parts)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable; make a new one instead of setting {name!r}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")


def _made_of(kind: type[Frozen], parts: tuple[Any, ...]) -> Frozen:
    return kind(**dict(zip(kind.__match_args__, parts, strict=True)))


class Timeout(Frozen):
    """Limits in seconds for the phases of a request; None means no limit. The error raised names the phase.

    total
        From the call to the last byte of the body; for a streamed response (``stream=True``, ``session.stream``) to its
        head, after which only ``read`` counts. 300 by default.
    resolve, connect, tls
        Finding the addresses, reaching one of them, the TLS handshake. 10 each by default. With a proxy they count for
        reaching it and then for what lies behind; the tunnel through it may take as long as ``connect``.
    pool
        Waiting for a connection when ``Limits`` allows no more. 300 by default.
    write, read
        The longest silence while sending and receiving, not the whole of it. 60 each by default.

    ``write``, ``read`` and ``pool`` that are not given are never shorter than ``total``: ``Timeout(3600)`` waits an
    hour for a slow answer. Wherever ``timeout=`` is accepted, a plain number N means ``Timeout(N)``, a pair
    ``(connect, read)`` is understood as in requests, and None switches every limit off.
    """

    __slots__ = ("connect", "pool", "read", "resolve", "tls", "total", "write")
    __match_args__ = ("total", "resolve", "connect", "tls", "pool", "write", "read")

    total: float | None
    resolve: float | None
    connect: float | None
    tls: float | None
    pool: float | None
    write: float | None
    read: float | None

    def __init__(
        self,
        total: float | _Unset | None = _UNSET,
        *,
        resolve: float | _Unset | None = _UNSET,
        connect: float | _Unset | None = _UNSET,
        tls: float | _Unset | None = _UNSET,
        pool: float | _Unset | None = _UNSET,
        write: float | _Unset | None = _UNSET,
        read: float | _Unset | None = _UNSET,
    ) -> None:
        whole = 300.0 if isinstance(total, _Unset) else _seconds("total", total)
        at_least = 0.0 if isinstance(total, _Unset) else whole or 0.0
        put = object.__setattr__
        put(self, "total", whole)
        for name, value, default in (
            ("resolve", resolve, 10.0),
            ("connect", connect, 10.0),
            ("tls", tls, 10.0),
            ("pool", pool, max(300.0, at_least)),
            ("write", write, max(60.0, at_least)),
            ("read", read, max(60.0, at_least)),
        ):
            put(self, name, default if isinstance(value, _Unset) else _seconds(name, value))

    @property
    def parts(self) -> TimeoutParts:
        """(total, resolve, connect, tls, pool, write, read), as the engine takes them."""
        return (self.total, self.resolve, self.connect, self.tls, self.pool, self.write, self.read)


def timeout_of(value: TimeoutInput) -> Timeout:
    """What a ``timeout=`` argument means."""
    if isinstance(value, Timeout):
        return value
    if value is None:
        return _NO_TIMEOUT
    if isinstance(value, tuple):
        if len(value) != 2:
            raise ValueError(f"timeout as a tuple is (connect, read), not {value!r}")
        connect, read = value
        return Timeout(connect=connect, read=read)
    return Timeout(value)


def count_of(name: str, value: int, most: int = MOST) -> int:
    """A whole number from 1 to ``most``; True and False are none."""
    if isinstance(value, bool) or not isinstance(value, int):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"{name} must be an int, not {type(value).__name__}")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, not {value if value > -most else 'less'}")
    if value > most:
        raise ValueError(f"{name} must be at most {most:,}, which this is not")
    return value


class Limits(Frozen):
    """How many connections a session may hold. Requests beyond that wait in line, first come, first served.

    max_connections
        Of the whole session. 500 by default (a process may often open only 1,024 descriptors), or
        ``max_connections_per_host`` when that is larger.
    max_connections_per_host
        To one origin (scheme, host, port and everything else that makes connections differ). 100 by default.
    max_idle_connections
        Kept open without work. By default as many as there may be at all.
    idle_timeout
        Seconds after which an idle connection is closed. 60 by default.
    max_body
        Bytes of one response's body, decompressed, that may be held in memory. 1 GiB by default; what is larger raises
        `BodyTooLarge`, before more than a piece beyond it was decompressed.
    max_streamed_body
        The same for bodies that are read in pieces (``stream=True``), which cost no memory of their own. None, the
        default: no bound. A request's own ``max_body=`` goes before both.
    ping_interval
        Seconds of silence after which the server at the other end of an HTTP/2 connection is asked for a sign of life
        (PING), which also keeps the way there open. None, the default: it is asked only after a request ran out of
        time. One that gives none within 5 seconds is taken for dead, and its connection closed.
    coalesce
        Whether an HTTP/2 or HTTP/3 connection may serve other https origins as well, if their names lead to the same
        address and the certificate covers them. True by default.
    """

    __slots__ = (
        "coalesce",
        "idle_timeout",
        "max_body",
        "max_connections",
        "max_connections_per_host",
        "max_idle_connections",
        "max_streamed_body",
        "ping_interval",
    )
    __match_args__ = (
        "max_connections",
        "max_connections_per_host",
        "max_idle_connections",
        "idle_timeout",
        "max_body",
        "max_streamed_body",
        "ping_interval",
        "coalesce",
    )

    max_connections: int
    max_connections_per_host: int
    max_idle_connections: int
    idle_timeout: float
    max_body: int
    max_streamed_body: int | None
    ping_interval: float | None
    coalesce: bool

    def __init__(
        self,
        max_connections: int | None = None,
        max_connections_per_host: int | None = None,
        *,
        max_idle_connections: int | None = None,
        idle_timeout: float = 60.0,
        max_body: int = 1 << 30,
        max_streamed_body: int | None = None,
        ping_interval: float | None = None,
        coalesce: bool = True,
    ) -> None:
        if max_connections_per_host is None:
            per_host = 100
        else:
            per_host = count_of("max_connections_per_host", max_connections_per_host)
        whole = max(500, per_host) if max_connections is None else count_of("max_connections", max_connections)
        if max_idle_connections is None:
            idle = whole
        elif max_idle_connections == 0:
            idle = 0
        else:
            idle = count_of("max_idle_connections", max_idle_connections)
        put = object.__setattr__
        put(self, "max_connections", whole)
        put(self, "max_connections_per_host", min(per_host, whole))
        put(self, "max_idle_connections", idle)
        put(self, "idle_timeout", _positive("idle_timeout", idle_timeout, "a number of seconds"))
        put(self, "max_body", count_of("max_body", max_body, MOST_BYTES))
        streamed = None if max_streamed_body is None else count_of("max_streamed_body", max_streamed_body, MOST_BYTES)
        put(self, "max_streamed_body", streamed)
        interval = None if ping_interval is None else _positive("ping_interval", ping_interval, "a number of seconds")
        put(self, "ping_interval", interval)
        put(self, "coalesce", flag_of("coalesce", coalesce))


class Proxy(Frozen):
    """A proxy, for ``proxy=`` and as a value in ``proxies=``, where a plain URL does not say enough.

        session = pabal.Session(proxy=pabal.Proxy("http://user:password@proxy:3128", headers={"X-Tenant": "7"}))

    url
        ``http://``, ``https://`` (TLS to the proxy itself), ``socks4://``, ``socks4a://``, ``socks5://`` (names are
        resolved here) or ``socks5h://`` (names are resolved by the proxy), with user and password before the host. The
        port is 80, 443 and 1080 where it is not said.
    headers
        For the proxy: sent with CONNECT, and with each request that it forwards. Not for SOCKS.
    """

    __slots__ = ("_lines", "url")
    __match_args__ = ("url",)

    #: As given, with the credentials.
    url: str
    _lines: tuple[tuple[bytes, bytes], ...]

    def __init__(self, url: str, *, headers: HeaderInput | None = None) -> None:
        from pabal import _engine

        if not isinstance(url, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            from pabal.exceptions import InvalidArgument

            raise InvalidArgument(f"a proxy's URL must be text, not {type(url).__name__}")
        put = object.__setattr__
        put(self, "url", url)
        put(self, "_lines", tuple(_engine.Headers(headers).raw))
        _engine.check_proxy(self)

    @property
    def headers(self) -> Headers:
        """A copy of what the proxy is told."""
        from pabal import _engine

        return _engine.Headers(self._lines)

    @property
    def parts(self) -> tuple[str, tuple[tuple[bytes, bytes], ...]]:
        """(url, header lines), as the engine takes them."""
        return (self.url, self._lines)

    def __repr__(self) -> str:
        from pabal.exceptions import redact

        shown = redact(self.url if "://" in self.url else f"http://{self.url}")
        return f"Proxy({shown!r})" if not self._lines else f"Proxy({shown!r}, headers=...)"

    def __reduce__(self) -> tuple[object, tuple[str, tuple[tuple[bytes, bytes], ...]]]:
        return _proxy_from_parts, self.parts


def _proxy_from_parts(url: str, lines: tuple[tuple[bytes, bytes], ...]) -> Proxy:
    return Proxy(url, headers=lines)


HTTP_VERSIONS: Final = ("1.1", "2", "3")


def versions_of(http: Any) -> frozenset[str]:
    """What ``http=`` of a session says: the versions that may be spoken."""
    if http is None:
        return frozenset(HTTP_VERSIONS)
    if isinstance(http, bytes) or not (isinstance(http, str) or hasattr(http, "__iter__")):
        raise TypeError(f'http must be "1.1", "2", "3" or several of them, not {type(http).__name__}')
    versions = frozenset([http] if isinstance(http, str) else http)
    if not versions or not versions.issubset(HTTP_VERSIONS):
        raise ValueError(f'http must be "1.1", "2", "3" or several of them, not {http!a}')
    return versions


#: In the engine's order.
ENCRYPTED_CLIENT_HELLO = ("never", "when_offered", "required")


def encrypted_client_hello_of(value: Any) -> str:
    """What ``encrypted_client_hello=`` of a session says."""
    if value is None:
        return ENCRYPTED_CLIENT_HELLO[0]
    if not isinstance(value, str):
        raise TypeError(f"encrypted_client_hello must be text, not {type(value).__name__}")
    if value not in ENCRYPTED_CLIENT_HELLO:
        raise ValueError(f'encrypted_client_hello must be "never", "when_offered" or "required", not {value!a}')
    return value


def early_data_of(value: Any) -> bool:
    """What ``early_data=`` of a session says."""
    if value is None:
        return True
    if not isinstance(value, bool):
        raise TypeError(f"early_data must be True or False, not {type(value).__name__}")
    return value


def local_address_of(value: Any) -> str | None:
    """What ``local_address=`` of a session says, as text; whether that is an address is the engine's to judge."""
    if value is None or isinstance(value, str):
        return value
    if type(value).__module__ == "ipaddress" and hasattr(value, "packed"):
        return str(value)
    raise TypeError(f"local_address must be an IP address as text or of ipaddress, not {type(value).__name__}")


def path_of(name: str, value: object, wanted: str) -> str:
    """What an option says that is ``wanted``, the path of something, as text."""
    if isinstance(value, os.PathLike):
        value = os.fspath(cast("os.PathLike[str]", value))
    if not isinstance(value, str):
        raise TypeError(f"{name} must be {wanted} as text or of pathlib, not {type(value).__name__}")
    try:
        if value and b"\0" not in os.fsencode(value):
            return value
    except UnicodeEncodeError:  # a name that no file can have
        pass
    raise ValueError(f"{name} must be {wanted}, not {value!a}")


def alternatives_file_of(value: object) -> str | None:
    """What ``alternatives_file=`` of a session says, as text."""
    return None if value is None else path_of("alternatives_file", value, "the path of a file")


def _networks(name: str, networks: Iterable[NetworkInput]) -> tuple[str, ...]:
    if isinstance(networks, (str, bytes)) or not hasattr(networks, "__iter__"):
        raise TypeError(f"{name}= of a SafeResolver takes several networks: give a list, not {type(networks).__name__}")
    texts: list[str] = []
    for network in networks:
        text = str(network)
        if not text.isascii():
            raise ValueError(f"{name}= of a SafeResolver has {text!a}, which is no network")
        texts.append(text)
    return tuple(texts)


class SafeResolver(Frozen):
    """Which addresses a session may connect to, for programs that fetch URLs which strangers gave them.

        session = pabal.Session(resolver=pabal.SafeResolver(allow=["10.1.0.0/16"]))

    Each address is judged at the moment of connecting to it, whatever led there: a name, however often it is resolved
    anew, an IP literal in any spelling, a redirect. Refused are private, shared, loopback, link-local, unique local,
    multicast, broadcast, documentation, reserved and unspecified addresses, also inside IPv6 forms of them; and Unix
    sockets. The error is `pabal.exceptions.AddressRefused`, raised before a byte is sent.

    allow
        Networks that are reached all the same.
    deny
        Networks that are refused besides; they go before ``allow``.
    proxies_may_resolve
        A proxy's own address is not judged, for the program chose it; the addresses that are asked of it are. Names
        that it resolves itself (all but ``socks4://`` and ``socks5://``) are refused, unless this says that the proxy
        takes care.
    """

    __slots__ = ("allow", "deny", "proxies_may_resolve")
    __match_args__ = ("allow", "deny", "proxies_may_resolve")

    allow: tuple[str, ...]
    deny: tuple[str, ...]
    proxies_may_resolve: bool

    def __init__(
        self,
        *,
        allow: Iterable[NetworkInput] = (),
        deny: Iterable[NetworkInput] = (),
        proxies_may_resolve: bool = False,
    ) -> None:
        from pabal import _engine

        put = object.__setattr__
        for name, networks in (("allow", allow), ("deny", deny)):
            put(self, name, _networks(name, networks))
        put(self, "proxies_may_resolve", flag_of("proxies_may_resolve", proxies_may_resolve))
        _engine.check_networks(self.parts)

    def refusal(self, address: str | IPv4Address | IPv6Address) -> str | None:
        """The rule that refuses an IP address; None: it may be connected to."""
        from pabal import _engine

        return _engine.refusal(self.parts, str(address))

    @property
    def parts(self) -> SafeResolverParts:
        """(allow, deny, proxies_may_resolve), as the engine takes them."""
        return (self.allow, self.deny, self.proxies_may_resolve)


DEFAULT_TIMEOUT = Timeout()
DEFAULT_LIMITS = Limits()
_NO_TIMEOUT = Timeout(None, resolve=None, connect=None, tls=None, pool=None, write=None, read=None)
