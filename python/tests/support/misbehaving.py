"""Scripts of servers that break the rules, and what they say."""

from __future__ import annotations

import socket
from collections.abc import Callable

from support.scripted import Connection

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def saying(raw: bytes, byte_by_byte: bool = False, then_good: bool = True) -> Callable[[Connection], None]:
    """The first connection says ``raw`` and closes; later ones are well-behaved."""
    first = [True]

    def script(connection: Connection) -> None:
        if not then_good or first[0]:
            first[0] = False
            connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.read_request()
            if byte_by_byte:
                for byte in raw:
                    connection.send(bytes([byte]))
            else:
                connection.send(raw)
            return
        while connection.read_request():
            connection.send(GOOD)

    return script


def chunks(*pieces: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"".join(pieces)


def coded(coding: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body
