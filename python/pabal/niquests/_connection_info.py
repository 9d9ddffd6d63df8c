"""What is known of the connection that a request went over."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

__all__ = ["ConnectionInfo", "HttpVersion", "TransferProgress", "note_version"]


class HttpVersion(str, enum.Enum):
    """The protocol."""

    h11 = "HTTP/1.1"
    h2 = "HTTP/2.0"
    h3 = "HTTP/3.0"


@dataclass
class ConnectionInfo:
    """None is what the engine does not tell yet."""

    established_latency: timedelta | None = None
    http_version: HttpVersion | None = HttpVersion.h11
    certificate_der: bytes | None = None
    certificate_dict: dict[str, Any] | None = None
    issuer_certificate_der: bytes | None = None
    issuer_certificate_dict: dict[str, Any] | None = None
    destination_address: tuple[str, int] | None = None
    cipher: str | None = None
    tls_version: Any = None
    tls_handshake_latency: timedelta | None = None
    tls_ech_accepted: bool | None = None
    resolution_latency: timedelta | None = None
    request_sent_latency: timedelta | None = None


def note_version(request: Any, version: int | None) -> None:
    """Says in ``request.conn_info`` which version the answer came in; ``version`` as urllib3 counts (11, 20, 30)."""
    if request.conn_info is None:
        request.conn_info = ConnectionInfo()
    request.conn_info.http_version = {20: HttpVersion.h2, 30: HttpVersion.h3}.get(version or 11, HttpVersion.h11)


class TransferProgress:
    """How much of a body has gone over."""

    def __init__(self) -> None:
        self.total = 0
        self.content_length: int | None = None
        self.is_completed = False
        self.any_error = False

    def __repr__(self) -> str:
        if self.content_length:
            return f"<Progress {self.percentage} ({self.total} / {self.content_length})>"
        return f"<Progress {self.total} bytes ({'completed' if self.is_completed else 'in progress'})>"

    @property
    def percentage(self) -> str:
        """In per cent, when the length is known."""
        if not self.content_length:
            return "0 %"
        return f"{round(self.total / self.content_length * 100, 2)} %"
