"""``Quic``: how connections over QUIC (HTTP/3) behave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pabal.config import MOST_BYTES, Frozen, count_of, path_of

if TYPE_CHECKING:
    import os

    from pabal.types import CongestionControl

__all__ = ["CONGESTION_CONTROL", "Quic"]

#: In the engine's order.
CONGESTION_CONTROL: tuple[CongestionControl, ...] = ("cubic", "bbr", "reno")


class Quic(Frozen):
    """For ``quic=`` of a session that speaks HTTP/3.

        session = pabal.Session(http="3", quic=pabal.Quic("bbr", qlog="logs"))

    congestion_control
        What decides how fast we send: ``"cubic"`` (RFC 9438), the default, takes loss for congestion; ``"bbr"``
        measures what the path carries, and bears loss that is no congestion; ``"reno"`` is that of RFC 9002. It
        concerns uploads: how fast a response comes is its server's choice.
    qlog
        An existing folder in which each connection leaves a file of its own, ``<ID>_client.sqlog``, of what QUIC did:
        qlog 0.3, to be looked at with qvis. None, the default: nothing is written. See docs/protocols.md for what is in
        it.
    max_qlog_bytes
        Of one connection's file. 64 MiB by default.
    """

    __slots__ = ("congestion_control", "max_qlog_bytes", "qlog")
    __match_args__ = ("congestion_control", "qlog", "max_qlog_bytes")

    congestion_control: CongestionControl
    #: As given, as text.
    qlog: str | None
    max_qlog_bytes: int

    def __init__(
        self,
        congestion_control: CongestionControl = "cubic",
        *,
        qlog: str | os.PathLike[str] | None = None,
        max_qlog_bytes: int = 64 << 20,
    ) -> None:
        if not isinstance(congestion_control, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"congestion_control must be text, not {type(congestion_control).__name__}")
        if congestion_control not in CONGESTION_CONTROL:
            raise ValueError(f'congestion_control must be "cubic", "bbr" or "reno", not {congestion_control!a}')
        put = object.__setattr__
        put(self, "congestion_control", congestion_control)
        put(self, "qlog", None if qlog is None else path_of("qlog", qlog, "the path of a folder"))
        put(self, "max_qlog_bytes", count_of("max_qlog_bytes", max_qlog_bytes, MOST_BYTES))
