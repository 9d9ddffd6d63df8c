"""One scripted server for the tests of this face."""

from __future__ import annotations

from support.faces import answer
from support.scripted import Connection, Received


class Server:
    """Answers by path, and keeps what came."""

    def __init__(self) -> None:
        self.requests: list[Received] = []

    def __call__(self, connection: Connection) -> None:
        while request := connection.read_request():
            self.requests.append(request)
            path = request.target.partition("?")[0]
            if path != "/echo" and answer(connection, request):
                continue
            if path == "/json":
                connection.answer(b'{"price": 123.45, "name": "\xc3\xa9"}', "200 OK", "Content-Type: application/json")
            elif path == "/text":
                connection.answer(b"caf\xe9\nau lait\n", "200 Fine", "Content-Type: text/plain; charset=latin-1")
            elif path == "/cookies":
                connection.answer(
                    b"", "200 OK", "Set-Cookie: a=1; Path=/", "Set-Cookie: b=2; Path=/", "X-Two: 1", "X-Two: 2"
                )
            elif path == "/moved":
                connection.answer(b"there", "302 Found", "Location: /json#part", "Set-Cookie: hop=1; Path=/")
            elif path == "/twice":
                connection.answer(b"there", "301 Moved", "Location: /moved")
            elif path == "/round":
                connection.answer(b"", "302 Found", "Location: /round")
            elif path == "/missing":
                connection.answer(b"no", "404 Nowhere")
            elif path == "/short":
                connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
                return
            elif path == "/gone":
                return
            elif path == "/bad-gzip":
                connection.answer(b"this is no gzip", "200 OK", "Content-Encoding: gzip")
            elif path == "/slow":
                connection.wait_closed()
                return
            elif path == "/digest" and request.value("authorization") is None:
                challenge = 'Digest realm="here", nonce="n", qop="auth"'
                connection.answer(b"who?", "401 Unauthorized", f"WWW-Authenticate: {challenge}")
            elif path == "/echo":
                connection.answer(request.body, "200 OK", f"X-Auth: {request.value('authorization') or ''}")
            else:
                connection.answer(b"")
