"""``ServerSentEvent``: one event of a ``text/event-stream``, and the reader of such a stream."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from typing import Any

__all__ = ["EventReader", "EventStream", "ServerSentEvent"]


class ServerSentEvent:
    """What came: name, data, identifier, and how long to wait before connecting again (milliseconds)."""

    def __init__(
        self, event: str | None = None, data: str | None = None, id: str | None = None, retry: int | None = None
    ) -> None:
        self._event = event or "message"
        self._data = data or ""
        self._id = id or ""
        self._retry = retry

    @property
    def event(self) -> str:
        """The name; ``message`` unless the server says another."""
        return self._event

    @property
    def data(self) -> str:
        """The lines of data, joined."""
        return self._data

    @property
    def id(self) -> str:
        """The identifier, perhaps empty."""
        return self._id

    @property
    def retry(self) -> int | None:
        """Milliseconds."""
        return self._retry

    def json(self) -> Any:
        """The data as JSON."""
        return json.loads(self._data)

    def __repr__(self) -> str:
        parts = [f"event={self._event!r}"]
        parts += [f"{name}={value!r}" for name, value in (("data", self._data), ("id", self._id)) if value]
        return f"ServerSentEvent({', '.join(parts)})"


class EventStream:
    """``response.extension``: the events of a response as they come."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self._events = self._read()
        self._closed = False

    def _read(self) -> Iterator[ServerSentEvent]:
        reader, held = EventReader(), ""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        while piece := self._raw.read(4096):
            *lines, held = (held + decoder.decode(piece)).replace("\r\n", "\n").split("\n")
            yield from reader.feed(lines)

    @property
    def closed(self) -> bool:
        """Whether there are no more."""
        return self._closed

    def next_payload(self, *, raw: bool = False) -> Any:
        """The next event; None at the end."""
        if self._closed:
            raise OSError("the stream of events is closed")
        event = next(self._events, None)
        if event is None:
            self.close()
        return event

    def send_payload(self, buf: Any) -> None:
        """Events come from the server only."""
        raise NotImplementedError("a stream of events goes one way")

    def close(self) -> None:
        """Ends it."""
        self._closed = True
        self._raw.close()


class EventReader:
    """Turns lines into events (WHATWG HTML, section 9.2.6)."""

    def __init__(self) -> None:
        self._data: list[str] = []
        self._event = ""
        self._id = ""
        self._retry: int | None = None

    def feed(self, lines: list[str]) -> Iterator[ServerSentEvent]:
        """The events that are complete with these lines (an empty line ends one)."""
        for line in lines:
            if not line:
                event = self._finish()
                if event is not None:
                    yield event
                continue
            name, _, value = line.partition(":")
            self._take(name, value.removeprefix(" "))

    def _take(self, name: str, value: str) -> None:
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._event = value
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and value.isdecimal():
            self._retry = int(value)

    def _finish(self) -> ServerSentEvent | None:
        data, event = self._data, self._event
        self._data, self._event = [], ""
        if not data:
            return None
        return ServerSentEvent(event, "\n".join(data), self._id, self._retry)
