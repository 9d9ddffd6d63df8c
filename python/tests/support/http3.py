"""A server of HTTP/3 that nobody here wrote (aioquic), and a bad network between it and its clients."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Any, cast

import trustme
from aioquic.asyncio import serve
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.buffer import encode_uint_var
from aioquic.h3.connection import FrameType, H3Connection, encode_frame
from aioquic.h3.events import DataReceived, H3Event, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import HandshakeCompleted, ProtocolNegotiated, QuicEvent
from aioquic.tls import SessionTicket

QUOTE = b'{"symbol": "BTC", "price": "67321.55"}'
LARGE = bytes(range(256)) * 12_000

Headers = list[tuple[bytes, bytes]]


class Request:
    """One request as it came, and the ways to answer it."""

    def __init__(self, connection: _Connection, stream: int, headers: Headers) -> None:
        self._connection = connection
        self.stream = stream
        self.headers = headers
        self.early = not connection.shook_hands  # it came before the handshake was done (0-RTT)
        self.trailers: Headers = []
        self.body = b""

    def field(self, name: bytes) -> bytes:
        return next((value for key, value in self.headers if key == name), b"")

    @property
    def path(self) -> str:
        return self.field(b":path").decode().partition("?")[0]

    @property
    def query(self) -> str:
        return self.field(b":path").decode().partition("?")[2]

    def head(self, status: int, headers: Headers, ends: bool = False) -> None:
        self._connection.http.send_headers(self.stream, [(b":status", str(status).encode()), *headers], ends)

    def data(self, body: bytes, ends: bool = False) -> None:
        self._connection.http.send_data(self.stream, body, ends)

    def end(self, trailers: Headers) -> None:
        self._connection.http.send_headers(self.stream, trailers, True)

    def respond(self, status: int, body: bytes = b"", headers: Headers | None = None) -> None:
        length = (b"content-length", str(len(body)).encode())
        self.head(status, [*(headers or []), length], ends=not body)
        if body:
            self.data(body, ends=True)

    def raw(self, data: bytes, ends: bool = True) -> None:
        """On the request's stream, whatever HTTP/3 has to say to it."""
        self._connection.quic.send_stream_data(self.stream, data, ends)

    def control(self, data: bytes, ends: bool = False) -> None:
        """Likewise on the control stream."""
        self._connection.quic.send_stream_data(cast(int, self._connection.http._local_control_stream_id), data, ends)

    def encoder(self, data: bytes, ends: bool = False) -> None:
        """Likewise on the stream of QPACK's encoder."""
        self._connection.quic.send_stream_data(cast(int, self._connection.http._local_encoder_stream_id), data, ends)

    def decoder(self, data: bytes, ends: bool = False) -> None:
        """Likewise on that of its decoder."""
        self._connection.quic.send_stream_data(cast(int, self._connection.http._local_decoder_stream_id), data, ends)

    def open(self, data: bytes, one_way: bool = True) -> None:
        """A stream that the server opens."""
        quic = self._connection.quic
        quic.send_stream_data(quic.get_next_available_stream_id(is_unidirectional=one_way), data)

    def stop(self, code: int) -> None:
        self._connection.quic.stop_stream(self.stream, code)

    def reset(self, code: int) -> None:
        self._connection.quic.reset_stream(self.stream, code)

    def go_away(self, first_unprocessed: int) -> None:
        self.control(encode_frame(FrameType.GOAWAY, encode_uint_var(first_unprocessed)))

    def close(self, code: int, reason: str) -> None:
        self._connection.close(code, reason)


def answer(request: Request) -> None:
    """What a `Http3Server` does with a request unless it was told something else."""
    match request.path:
        case "/price":
            request.respond(200, QUOTE, [(b"content-type", b"application/json")])
        case "/echo":
            told = f"{request.field(b':method').decode()}|{request.query}|{len(request.body)}|{request.trailers}"
            request.respond(200, told.encode())
        case "/large":
            request.respond(200, LARGE)
        case "/early":
            request.head(103, [(b"link", b"</style.css>")])
            request.head(200, [(b"content-type", b"text/plain")])
            request.data(b"body")
            request.end([(b"checksum", b"4")])
        case "/moved":
            request.respond(302, headers=[(b"location", b"/price")])
        case "/cookie":
            request.respond(200, request.field(b"cookie"), [(b"set-cookie", b"seen=1")])
        case "/half":
            request.head(200, [(b"content-length", b"100")])
            request.data(b"half")
        case "/reset":
            request.reset(int(request.query, 16))
        case "/close":
            request.close(int(request.query, 16), "so long")
        case "/never":
            pass
        case _:
            request.respond(404)


class _Connection(QuicConnectionProtocol):
    http: H3Connection
    server: Http3Server

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.quic = self._quic
        self.shook_hands = False
        self.requests: dict[int, Request] = {}

    def quic_event_received(self, event: QuicEvent) -> None:
        if isinstance(event, ProtocolNegotiated):
            self.http = H3Connection(self._quic)
            self.server.connections += 1
        if isinstance(event, HandshakeCompleted):
            self.shook_hands = True
        if hasattr(self, "http"):
            for each in self.http.handle_event(event):
                self._heard(each)
            self.transmit()

    def _heard(self, event: H3Event) -> None:
        if isinstance(event, HeadersReceived):
            if event.stream_id in self.requests:
                self.requests[event.stream_id].trailers = event.headers
            else:
                self.requests[event.stream_id] = Request(self, event.stream_id, event.headers)
        elif isinstance(event, DataReceived):
            self.requests[event.stream_id].body += event.data
        else:
            return
        if event.stream_ended:
            self.server.requests.append(self.requests[event.stream_id])
            self.server.answer(self.requests[event.stream_id])


class _Loop:
    """An event loop on a thread of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    def stop(self) -> None:
        async def cancel_all() -> None:
            tasks = asyncio.all_tasks() - {cast("asyncio.Task[Any]", asyncio.current_task())}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for _ in range(3):  # transports that were closed let go of their sockets
                await asyncio.sleep(0)

        self.run(cancel_all())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(30)
        self.loop.close()


class Http3Server:
    """Listens on 127.0.0.1 until `stop`. With ``retry`` it makes clients prove their address first."""

    def __init__(
        self,
        certificate: trustme.LeafCert,
        folder: Any,
        answer: Callable[[Request], None] = answer,
        *,
        retry: bool = False,
        **options: Any,
    ) -> None:
        chain, key = folder / "chain.pem", folder / "key.pem"
        chain.write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
        key.write_bytes(certificate.private_key_pem.bytes())
        configuration = QuicConfiguration(is_client=False, alpn_protocols=["h3"], **options)
        configuration.load_cert_chain(chain, key)
        self.answer = answer
        self.connections = 0
        self.requests: list[Request] = []
        self._tickets: dict[bytes, SessionTicket] = {}
        connection = type("Connection", (_Connection,), {"server": self})
        self._loop = _Loop()
        self._server = self._loop.run(
            serve(
                "127.0.0.1",
                0,
                configuration=configuration,
                create_protocol=connection,
                retry=retry,
                session_ticket_fetcher=lambda label: self._tickets.pop(label, None),
                session_ticket_handler=lambda ticket: self._tickets.update({ticket.ticket: ticket}),
            )
        )
        self.port: int = self._server._transport.get_extra_info("sockname")[1]
        self.url = f"https://127.0.0.1:{self.port}"

    def forget_tickets(self) -> None:
        """From now on no session that it knows can be resumed."""
        self._tickets.clear()

    def stop(self) -> None:
        self._loop.loop.call_soon_threadsafe(self._server.close)
        self._loop.stop()


class Relay:
    """Carries datagrams between clients and a server: loses, repeats and reorders as many as it is told to.

    Of the datagrams every ``loses``-th is lost, every ``repeats``-th comes twice, every ``delays``-th comes late.
    """

    def __init__(self, port: int, *, loses: int = 0, repeats: int = 0, delays: int = 0) -> None:
        self._to = ("127.0.0.1", port)
        self._loses, self._repeats, self._delays = loses, repeats, delays
        self._carried = 0
        self._loop = _Loop()
        self._upstream: dict[Any, socket.socket] = {}
        self.first: list[bytes] = []  # of every client, the first datagram
        self._downstream = self._bound()
        self.port: int = self._downstream.getsockname()[1]
        self.url = f"https://127.0.0.1:{self.port}"
        self._loop.loop.call_soon_threadsafe(self._loop.loop.add_reader, self._downstream, self._from_clients)

    @staticmethod
    def _bound() -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind(("127.0.0.1", 0))
        made.setblocking(False)
        return made

    def _from_clients(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                data, client = self._downstream.recvfrom(65536)
                if client not in self._upstream:
                    made = self._upstream[client] = self._bound()
                    self.first.append(data)
                    self._loop.loop.add_reader(made, self._from_server, made, client)
                self._carry(self._upstream[client], data, self._to)

    def _from_server(self, upstream: socket.socket, client: Any) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                self._carry(self._downstream, upstream.recv(65536), client)

    def _carry(self, to: socket.socket, data: bytes, address: Any) -> None:
        self._carried += 1
        if self._loses and self._carried % self._loses == 0:
            return
        if self._repeats and self._carried % self._repeats == 0:
            self._send(to, data, address)
        if self._delays and self._carried % self._delays == 0:
            self._loop.loop.call_later(0.005, self._send, to, data, address)
        else:
            self._send(to, data, address)

    @staticmethod
    def _send(to: socket.socket, data: bytes, address: Any) -> None:
        with contextlib.suppress(OSError):  # what does not fit is lost, as on any network
            to.sendto(data, address)

    def rebind(self) -> None:
        """Forgets where the clients came through, as a NAT does: from now on the server sees them at other ports."""

        async def forget() -> None:
            for each in self._upstream.values():
                self._loop.loop.remove_reader(each)
                each.close()
            self._upstream.clear()

        self._loop.run(forget())

    def stop(self) -> None:
        self._loop.stop()
        for each in (self._downstream, *self._upstream.values()):
            each.close()


class SilentPort:
    """A UDP port where everything arrives and nothing comes back."""

    def __init__(self, port: int = 0) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", port))
        self._socket.setblocking(False)
        self.url = f"https://127.0.0.1:{self._socket.getsockname()[1]}"

    def received(self) -> int:
        """How many datagrams have come since it was asked last."""
        count = 0
        with contextlib.suppress(BlockingIOError):
            while self._socket.recv(65536):
                count += 1
        return count

    def close(self) -> None:
        self._socket.close()
