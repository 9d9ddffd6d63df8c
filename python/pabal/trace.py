"""``Trace``: when what happened to a request, as ``response.trace`` and ``error.trace``.

    >>> print(session.get("https://example.com/price").trace)
    GET https://example.com/price -> 200 in 83.1 ms
      new connection to 93.184.215.14:443 (TLSv1.3, TLS_AES_128_GCM_SHA256)
      resolve 2.1 ms, connect 20.3 ms, tls 40.9 ms, send 0.1 ms, wait 19.2 ms, receive 0.4 ms

Times are seconds. The engine notes them for every request; objects are made of them when somebody looks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from pabal._redact import redact_url

if TYPE_CHECKING:
    from typing import Any, TypeAlias

    #: As the bindings give it: when it began (epoch), and the exchanges.
    Parts: TypeAlias = "tuple[float, list[tuple[Any, ...]]]"

__all__ = ["Connection", "Hop", "Trace"]


class Connection(NamedTuple):
    """The connection an exchange ran on, as it was when it was made."""

    #: When the dial began, in seconds after the beginning of the request; negative for one that was there before.
    dialled: float | None
    #: How long each phase of the dial took.
    resolve: float
    connect: float
    tls: float
    #: ``"127.0.0.1:443"``, ``"[::1]:443"`` or the path of a Unix socket.
    peer_address: str
    local_address: str
    #: What ALPN agreed on, or empty.
    alpn: str
    #: ``"TLSv1.3"``; empty for a plain connection, as is the cipher.
    tls_version: str
    cipher: str
    tls_resumed: bool
    #: Which server was meant was hidden from the path (RFC 9849).
    encrypted_client_hello: bool


class Hop(NamedTuple):
    """One request on the wire and what came of it.

    Moments are seconds after the beginning of the whole, or None where it did not get that far.
    """

    method: str
    #: Secrets in it are replaced by ``***``.
    url: str
    #: 0 when no head came.
    status: int
    #: The engine's name of why it failed, or None.
    error: str | None
    #: The phase it failed in, or empty.
    error_phase: str
    #: Whether its connection had served before.
    reused: bool
    submitted: float | None
    started: float | None
    sent: float | None
    head: float | None
    ended: float | None
    connection: Connection | None

    @property
    def queued(self) -> float:
        """Waiting for a connection that was in use or might not be made yet."""
        if self.submitted is None or self.started is None:
            return 0.0
        waited = self.started - self.submitted
        return max(0.0, waited - self.resolve - self.connect - self.tls)

    def _dial(self, phase: float) -> float:
        return 0.0 if self.reused else phase

    @property
    def resolve(self) -> float:
        """Finding the addresses; 0 on a reused connection, as are ``connect`` and ``tls``."""
        return self._dial(self.connection.resolve) if self.connection else 0.0

    @property
    def connect(self) -> float:
        return self._dial(self.connection.connect) if self.connection else 0.0

    @property
    def tls(self) -> float:
        return self._dial(self.connection.tls) if self.connection else 0.0

    @property
    def send(self) -> float:
        """From having a connection to the last byte of the request."""
        return _between(self.started, self.sent)

    @property
    def wait(self) -> float:
        """From the last byte of the request to the head of the response."""
        return _between(self.sent if self.sent is not None else self.started, self.head)

    @property
    def receive(self) -> float:
        """From the head to the last byte of the body."""
        return _between(self.head, self.ended)

    @property
    def elapsed(self) -> float:
        """All of it."""
        return _between(self.submitted, self.ended)

    def __str__(self) -> str:
        came = str(self.status) if self.error is None else f"{self.error} ({self.error_phase or 'prepare'})"
        lines = [f"{self.method} {self.url} -> {came} in {_text(self.elapsed)}"]
        if self.connection is not None:
            tls = f" ({self.connection.tls_version}, {self.connection.cipher})" if self.connection.tls_version else ""
            lines.append(f"  {'reused' if self.reused else 'new'} connection to {self.connection.peer_address}{tls}")
        phases = ("queued", "resolve", "connect", "tls", "send", "wait", "receive")
        spent = [f"{name} {_text(cast('float', getattr(self, name)))}" for name in phases if getattr(self, name)]
        if spent:
            lines.append("  " + ", ".join(spent))
        return "\n".join(lines)

    def __repr__(self) -> str:
        came = self.status if self.error is None else self.error
        return f"<Hop {self.method} {self.url} -> {came} in {_text(self.elapsed)}>"


class Trace:
    """The life of a request: one `Hop` for every redirect and attempt, and what is asked most of the last of them."""

    __slots__ = ("hops", "started_at")

    #: Oldest first; never empty.
    hops: tuple[Hop, ...]
    #: When the request began, in seconds since the epoch.
    started_at: float

    def __init__(self, parts: Parts) -> None:
        self.started_at = parts[0]
        self.hops = tuple(_hop(each) for each in parts[1])

    @property
    def last(self) -> Hop:
        """The exchange that decided."""
        return self.hops[-1]

    @property
    def elapsed(self) -> float:
        """From the beginning to the last byte, or to the failure."""
        return self.last.ended or 0.0

    @property
    def reused(self) -> bool:
        return self.last.reused

    @property
    def connection(self) -> Connection | None:
        return self.last.connection

    @property
    def queued(self) -> float:
        return self.last.queued

    @property
    def resolve(self) -> float:
        return self.last.resolve

    @property
    def connect(self) -> float:
        return self.last.connect

    @property
    def tls(self) -> float:
        return self.last.tls

    @property
    def send(self) -> float:
        return self.last.send

    @property
    def wait(self) -> float:
        return self.last.wait

    @property
    def receive(self) -> float:
        return self.last.receive

    def __str__(self) -> str:
        return "\n".join(map(str, self.hops))

    def __repr__(self) -> str:
        hops = f" after {len(self.hops) - 1} more" if len(self.hops) > 1 else ""
        return f"<Trace {self.last!r}{hops}>"


def _hop(parts: tuple[Any, ...]) -> Hop:
    *head, connection = parts
    head[1] = redact_url(head[1])
    head[4] = "" if head[4] == "none" else head[4]
    known = None if connection is None else Connection(*connection)
    return Hop._make((*head, known))


def _between(start: float | None, end: float | None) -> float:
    return 0.0 if start is None or end is None else max(0.0, end - start)


def _text(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 10 else f"{seconds:.1f} s"
