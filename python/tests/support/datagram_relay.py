"""A network between QUIC's two ends that loses, repeats, reorders and delays datagrams, and forgets who sent them."""

from __future__ import annotations

import contextlib
import random
import socket
from typing import Any

from support.loop_thread import LoopThread

LATE = 0.005  # seconds by which a datagram comes after those that were sent behind it


def bound() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    made.setblocking(False)
    return made


class Relay:
    """Carries datagrams between clients and the server at a port of 127.0.0.1, until `stop`.

    ``loses``, ``repeats`` and ``reorders`` are the shares of the datagrams, either way, that are lost, come twice and
    come late; ``delay`` is how many seconds each of them takes. ``loses`` can be set anew at any time. After every
    ``rebinds`` datagrams of a client the server sees them come from another port, and what it sends to the old one is
    lost, as when a NAT forgets them. What happens to which datagram is drawn from ``seed``, for either direction by
    itself; `happened` counts it. `first` has the first datagram of every client, and of every one that was forgotten.
    """

    def __init__(
        self,
        port: int,
        *,
        loses: float = 0.0,
        repeats: float = 0.0,
        reorders: float = 0.0,
        delay: float = 0.0,
        rebinds: int = 0,
        seed: int = 1,
    ) -> None:
        self._to = ("127.0.0.1", port)
        self.loses, self._repeats, self._reorders = loses, repeats, reorders
        self._delay, self._rebinds = delay, rebinds
        self._there, self._back = random.Random(seed), random.Random(-seed)
        self.happened = {"loses": 0, "repeats": 0, "reorders": 0, "rebinds": 0}
        self.first: list[bytes] = []
        self._loop = LoopThread()
        self._upstream: dict[Any, socket.socket] = {}
        self._sent: dict[Any, int] = {}
        self._deaf: set[Any] = set()
        self._downstream = bound()
        self.port: int = self._downstream.getsockname()[1]
        self.url = f"https://127.0.0.1:{self.port}"
        self._loop.loop.call_soon_threadsafe(self._loop.loop.add_reader, self._downstream, self._from_clients)

    def _from_clients(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                data, client = self._downstream.recvfrom(65536)
                if client in self._deaf:
                    continue
                if client not in self._upstream:
                    self.first.append(data)
                self._carry(self._way_of(client), data, self._to, self._there)

    def _way_of(self, client: Any) -> socket.socket:
        """The socket from which the server hears this client, and hears it next."""
        sent = self._sent[client] = self._sent.get(client, 0) + 1
        if client in self._upstream and self._rebinds and sent % self._rebinds == 0:
            self._forget(client)
        if client not in self._upstream:
            made = self._upstream[client] = bound()
            self._loop.loop.add_reader(made, self._from_server, made, client)
        return self._upstream[client]

    def _forget(self, client: Any) -> None:
        old = self._upstream.pop(client)
        self._loop.loop.remove_reader(old)
        old.close()
        self.happened["rebinds"] += 1

    def rebind(self) -> None:
        """From now on the server sees all clients come from other ports."""

        async def forget_all() -> None:
            for client in list(self._upstream):
                self._forget(client)

        self._loop.run(forget_all())

    def drop(self) -> None:
        """From now on nothing is carried to or from the addresses that clients have so far."""

        async def drop_all() -> None:
            for client in list(self._upstream):
                self._deaf.add(client)
                self._forget(client)

        self._loop.run(drop_all())

    def _from_server(self, upstream: socket.socket, client: Any) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionRefusedError):
            while True:
                self._carry(self._downstream, upstream.recv(65536), client, self._back)

    def _carry(self, to: socket.socket, data: bytes, address: Any, chance: random.Random) -> None:
        lost, repeated, reordered = (chance.random() < share for share in (self.loses, self._repeats, self._reorders))
        if lost:
            self.happened["loses"] += 1
            return
        self.happened["repeats"] += repeated
        self.happened["reorders"] += reordered
        delay = self._delay + (LATE if reordered else 0.0)
        for _ in range(2 if repeated else 1):
            if delay:
                self._loop.loop.call_later(delay, self._send, to, data, address)
            else:
                self._send(to, data, address)

    @staticmethod
    def _send(to: socket.socket, data: bytes, address: Any) -> None:
        with contextlib.suppress(OSError):  # what does not fit, or has no way any more, is lost
            to.sendto(data, address)

    def stop(self) -> None:
        self._loop.stop()
        for each in (self._downstream, *self._upstream.values()):
            each.close()
