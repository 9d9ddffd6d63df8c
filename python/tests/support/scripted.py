"""A server that does to its clients exactly what a test says, good or bad, on raw sockets."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Received:
    """A request as it came over the wire."""

    line: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    @property
    def method(self) -> str:
        return self.line.split(" ")[0]

    @property
    def target(self) -> str:
        return self.line.split(" ")[1]

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def value(self, name: str) -> str | None:
        found = self.values(name)
        assert len(found) < 2, f"{name} came {len(found)} times"
        return found[0] if found else None


class Connection:
    """One client, as the script sees it."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self._input = b""

    def _more(self) -> bool:
        try:
            piece = self.socket.recv(65536)
        except (ConnectionError, ssl.SSLError, TimeoutError):
            return False
        self._input += piece
        return bool(piece)

    def read_head(self) -> Received | None:
        """The next request without its body; None when the client is gone."""
        while b"\r\n\r\n" not in self._input:
            if not self._more():
                return None
        head, _, self._input = self._input.partition(b"\r\n\r\n")
        line, *lines = head.decode("latin-1").split("\r\n")
        headers: list[tuple[str, str]] = []
        for each in lines:
            name, _, value = each.partition(":")
            headers.append((name, value.strip()))
        return Received(line, headers)

    def read_request(self) -> Received | None:
        """The next request with its body."""
        request = self.read_head()
        if request is None:
            return None
        length = request.value("content-length")
        if length is not None:
            assert request.value("transfer-encoding") is None
            request.body = self._take(int(length))
        elif request.value("transfer-encoding") == "chunked":
            while size := int(self._line(), 16):
                request.body += self._take(size)
                assert self._line() == b""
            while self._line():
                pass
        return request

    def _take(self, size: int) -> bytes:
        while len(self._input) < size:
            if not self._more():
                raise ConnectionError("the client went away within its body")
        taken, self._input = self._input[:size], self._input[size:]
        return taken

    def _line(self) -> bytes:
        while b"\r\n" not in self._input:
            if not self._more():
                raise ConnectionError("the client went away within its body")
        line, _, self._input = self._input.partition(b"\r\n")
        return line

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self, body: bytes = b"ok", status: str = "200 OK", *headers: str) -> None:
        """An ordinary response."""
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
        self.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)

    def wait_closed(self) -> None:
        """Returns when the client has closed."""
        with contextlib.suppress(OSError):
            while self.socket.recv(65536):
                pass

    def reset(self) -> None:
        """Closes with RST instead of FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


Script = Callable[[Connection], None]


class ScriptedServer:
    """Runs ``script`` in a thread for every connection; closes the connection when it returns."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self._script = script
        self._tls = tls
        self._listener = socket.create_server((host, 0), backlog=4096)
        self.port = int(self._listener.getsockname()[1])
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.connections = 0
        self.errors: list[BaseException] = []
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._closed = False
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def _accept(self) -> None:
        while True:
            try:
                connected, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                if self._closed:
                    connected.close()
                    return
                self.connections += 1
                self._open.add(connected)
                thread = threading.Thread(target=self._serve, args=(connected,), daemon=True)
                self._threads.append(thread)
            thread.start()

    def _serve(self, connected: socket.socket) -> None:
        wrapped = connected
        try:
            connected.settimeout(20)
            if self._tls is not None:
                wrapped = self._tls.wrap_socket(connected, server_side=True)
                with self._lock:
                    self._open.discard(connected)
                    self._open.add(wrapped)
            self._script(Connection(wrapped))
        except (ConnectionError, TimeoutError, ssl.SSLError, OSError):
            pass  # clients that go away are part of many tests
        except BaseException as error:
            self.errors.append(error)
        finally:
            with self._lock:
                self._open.discard(wrapped)
            with contextlib.suppress(OSError):
                wrapped.close()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            connected = list(self._open)
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in connected:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._accepting.join(5)
        for thread in self._threads:
            thread.join(5)
        assert not self.errors, self.errors


class Redirector:
    """A script that redirects everything but /end, which answers with what it was sent."""

    def __init__(self, location: str = "/end", status: int = 302) -> None:
        self.location, self.status = location, status
        self.requests: list[Received] = []

    def __call__(self, connection: Connection) -> None:
        while request := connection.read_request():
            self.requests.append(request)
            if request.target.startswith("/end"):
                connection.answer(request.body)
            else:
                connection.answer(b"elsewhere", f"{self.status} Moved", f"Location: {self.location}")
