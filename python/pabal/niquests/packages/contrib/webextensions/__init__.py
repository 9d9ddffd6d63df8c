"""What a response can become: a stream of events. (WebSockets are not there yet.)"""

from __future__ import annotations

from . import sse

__all__ = ["sse"]
