"""A server of HTTP/3 that nobody here wrote (aioquic), and a port where there is none."""

from __future__ import annotations

import contextlib
import socket
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

from support.loop_thread import LoopThread

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
        self.body = bytearray()

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


class Http3Server:
    """Listens on 127.0.0.1 until `stop`, at a free port if none is given.

    With ``retry`` it makes clients prove their address first.
    """

    def __init__(
        self,
        certificate: trustme.LeafCert,
        folder: Any,
        answer: Callable[[Request], None] = answer,
        *,
        port: int = 0,
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
        self._loop = LoopThread()
        self._server = self._loop.run(
            serve(
                "127.0.0.1",
                port,
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
