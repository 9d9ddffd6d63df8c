"""``Priority``: how responses should share a connection (RFC 9218)."""

from __future__ import annotations

from pabal.config import Frozen, flag_of

__all__ = ["Priority"]


class Priority(Frozen):
    """A wish, for ``priority=``: servers of HTTP/2 and HTTP/3 mostly heed it where they answer many requests at once.

        session.get(url, priority=pabal.Priority(1))
        session.get(video, priority=pabal.Priority(5, incremental=True))

    urgency
        From 0, the most urgent, to 7, what nobody waits for. What is more urgent comes first. 3 by default.
    incremental
        Parts of the response are of use already: it shares the connection with its equals instead of waiting for them.
    """

    __slots__ = ("incremental", "urgency")
    __match_args__ = ("urgency", "incremental")

    urgency: int
    incremental: bool

    def __init__(self, urgency: int = 3, *, incremental: bool = False) -> None:
        if isinstance(urgency, bool) or not isinstance(urgency, int):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"urgency must be an int, not {type(urgency).__name__}")
        if not 0 <= urgency <= 7:
            raise ValueError("urgency must be from 0 to 7")
        put = object.__setattr__
        put(self, "urgency", urgency)
        put(self, "incremental", flag_of("incremental", incremental))

    def __repr__(self) -> str:
        return f"Priority({self.urgency}, incremental={self.incremental})"
