"""The HTTP/3 server by itself: what its clients see at the edges. What many clients do with it is in peers/."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pabal
import pytest
from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import QuicEvent
from aioquic.tls import SessionTicket
from support.demo import Demo
from support.leaks import descriptors


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    server = Demo(tmp_path_factory.mktemp("demo"))
    yield server
    server.stop()


class Asking(QuicConnectionProtocol):
    """Sends one request and waits for the status of its response."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.http = H3Connection(self._quic)
        self.status = asyncio.get_running_loop().create_future()
        self._seen = b""

    def quic_event_received(self, event: QuicEvent) -> None:
        for each in self.http.handle_event(event):
            if isinstance(each, HeadersReceived):
                self._seen = dict(each.headers)[b":status"]
            if isinstance(each, (HeadersReceived, DataReceived)) and each.stream_ended and not self.status.done():
                self.status.set_result(int(self._seen))

    async def ask(self, method: bytes, path: bytes = b"/price") -> int:
        stream = self._quic.get_next_available_stream_id()
        head = [(b":method", method), (b":scheme", b"https"), (b":authority", b"localhost"), (b":path", path)]
        self.http.send_headers(stream, head, end_stream=True)
        self.transmit()
        return int(await asyncio.wait_for(self.status, 20))


def configuration(ticket: SessionTicket | None = None) -> QuicConfiguration:
    return QuicConfiguration(alpn_protocols=H3_ALPN, verify_mode=ssl.CERT_NONE, session_ticket=ticket)


async def asked(port: int, method: bytes, tickets: list[SessionTicket], early: bool) -> tuple[int, bool]:
    """The status, and whether the request was taken before the handshake was over. Takes a ticket, and leaves one."""
    settings = configuration(tickets.pop() if early else None)
    async with connect(
        "127.0.0.1",
        port,
        configuration=settings,
        create_protocol=Asking,
        session_ticket_handler=tickets.append,
        wait_connected=not early,
    ) as client:
        assert isinstance(client, Asking)
        status = await client.ask(method)
        async with asyncio.timeout(20):
            while not tickets:
                await asyncio.sleep(0.01)
        return status, client._quic.tls.early_data_accepted  # pyright: ignore[reportPrivateUsage]


@pytest.mark.timeout(90)
def test_early_data_is_for_safe_methods(demo: Demo) -> None:
    async def main() -> None:
        tickets: list[SessionTicket] = []
        assert await asked(demo.tls_port, b"GET", tickets, early=False) == (200, False)
        assert await asked(demo.tls_port, b"GET", tickets, early=True) == (200, True)
        assert await asked(demo.tls_port, b"POST", tickets, early=True) == (425, True)

    asyncio.run(main())


def test_responses_over_tcp_say_where_http3_is_to_be_had(demo: Demo, tmp_path: Path) -> None:
    for version in ("1.1", "2"):
        with pabal.Session(verify=demo.ca_file, http=version) as session:  # pyright: ignore[reportArgumentType]
            assert session.get(demo.tls_url + "/price").headers["Alt-Svc"] == f'h3=":{demo.tls_port}"; ma=86400'
    with pabal.Session(verify=demo.ca_file, http="3") as session:
        assert "Alt-Svc" not in session.get(demo.tls_url + "/price").headers
    assert "Alt-Svc" not in pabal.get(demo.url + "/price").headers


def test_a_version_that_is_unknown_is_answered_with_those_that_are_known(demo: Demo) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(20)
        client.connect(("127.0.0.1", demo.tls_port))
        client.send(b"\xc0\x1a\x2a\x3a\x4a\x08destinat\x06source".ljust(1200, b"\0"))
        answer = client.recv(2000)
    assert answer[1:5] == b"\0\0\0\0"  # RFC 9000 section 17.2.1
    assert answer[5:21] == b"\x06source\x08destinat"
    assert b"\0\0\0\1" in [answer[at : at + 4] for at in range(21, len(answer), 4)]


@pytest.mark.timeout(90)
def test_noise_disturbs_nobody(demo: Demo) -> None:
    with pabal.Session(verify=demo.ca_file, http="3", timeout=20) as session:
        assert session.get(demo.tls_url + "/price").status_code == 200
        before = descriptors()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.connect(("127.0.0.1", demo.tls_port))
            for size in [*range(0, 1500, 7), 65_000]:
                for first in (b"", b"\x40", b"\xc0", b"\xc0\0\0\0\1"):
                    client.send((first + os.urandom(size))[: max(size, 1)])
        for _ in range(20):
            assert session.get(demo.tls_url + "/price").status_code == 200
        assert descriptors() == before


@pytest.mark.timeout(90)
def test_a_client_that_gives_up_half_way_costs_the_others_nothing(demo: Demo) -> None:
    async def main() -> None:
        async with pabal.AsyncSession(verify=demo.ca_file, http="3", timeout=30) as session:
            for _ in range(50):
                async with session.stream("GET", demo.tls_url + "/bytes/5000000") as response:
                    async for piece in response.aiter_bytes(1000):
                        assert piece
                        break
            answers = await asyncio.gather(*[session.get(demo.tls_url + "/price") for _ in range(1000)])
            assert {answer.status_code for answer in answers} == {200}
            assert {answer.http_version for answer in answers} == {"3"}

    asyncio.run(main())
