"""The sync session against nginx and against servers that look closely at what they get."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pabal
import pytest
from pabal import exceptions
from support.leaks import descriptors
from support.nginx import Nginx
from support.scripted import Connection, Received, ScriptedServer

Start = Callable[..., ScriptedServer]


class Recorder:
    """A script that answers 200 to everything and keeps what it got."""

    def __init__(self) -> None:
        self.requests: list[Received] = []

    def __call__(self, connection: Connection) -> None:
        while request := connection.read_request():
            self.requests.append(request)
            connection.answer(request.body)

    @property
    def last(self) -> Received:
        return self.requests[-1]


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def server(recorder: Recorder, scripted: Start) -> ScriptedServer:
    return scripted(recorder)


@pytest.fixture
def session() -> Iterator[pabal.Session]:
    with pabal.Session() as session:
        yield session


# --- against nginx ----------------------------------------------------------------------------------------------------


def test_a_quote(nginx: Nginx, session: pabal.Session) -> None:
    response = session.get(nginx.url + "/price")
    assert response.json() == {"symbol": "BTC", "price": 123.45}
    assert (response.status_code, response.reason, response.ok, bool(response)) == (200, "OK", True, True)
    assert response.headers["Content-Type"] == "application/json"
    assert response.url == nginx.url + "/price"
    assert response.http_version == "1.1"
    assert response.history == []
    assert timedelta(0) < response.elapsed < timedelta(seconds=5)
    assert (response.request.method, response.request.url) == ("GET", nginx.url + "/price")
    assert repr(response) == "<Response [200]>"
    assert response.raise_for_status() is response


def test_functions_without_a_session(nginx: Nginx) -> None:
    assert pabal.get(nginx.url + "/headers", params={"a": 1}).text.endswith("|GET|a=1|")
    assert pabal.head(nginx.url + "/headers").content == b""
    for method in ("post", "put", "patch", "delete"):
        response = getattr(pabal, method)(nginx.url + "/headers")
        assert f"|{method.upper()}|" in response.text
    assert pabal.request("get", nginx.url + "/headers").request.method == "GET"
    with pabal.stream("GET", nginx.url + "/price") as response:
        assert b"".join(response.iter_bytes()) == b'{"symbol":"BTC","price":123.45}'
    response = pabal.get(nginx.url + "/price", stream=True)
    assert response.json()["price"] == 123.45


def test_over_tls(nginx: Nginx, ca_file: str) -> None:
    with pabal.Session(verify=ca_file) as session:
        assert session.get(nginx.tls_url + "/price").json()["symbol"] == "BTC"


def test_a_compressed_file(nginx: Nginx, session: pabal.Session) -> None:
    text = "a line\n" * 10_000
    (nginx.www / "lines.txt").write_text(text)
    response = session.get(nginx.url + "/lines.txt")
    assert response.headers["content-encoding"] == "gzip"
    assert response.text == text


def test_a_big_file_whole_and_in_pieces(nginx: Nginx, session: pabal.Session) -> None:
    data = bytes(range(256)) * 40_000
    (nginx.www / "big.bin").write_bytes(data)
    assert session.get(nginx.url + "/big.bin").content == data
    with session.stream("GET", nginx.url + "/big.bin") as response:
        pieces = list(response.iter_content(100_000))
    assert {len(piece) for piece in pieces[:-1]} == {100_000}
    assert b"".join(pieces) == data


def test_no_content(nginx: Nginx, session: pabal.Session) -> None:
    for _ in range(3):
        response = session.get(nginx.url + "/none")
        assert (response.status_code, response.content) == (204, b"")


def test_basic_auth(nginx: Nginx, session: pabal.Session) -> None:
    assert session.get(nginx.url + "/private").status_code == 401
    assert session.get(nginx.url + "/private", auth=("user", "wrong")).status_code == 401
    assert session.get(nginx.url + "/private", auth=("user", "secret")).text == "welcome"
    assert session.get(nginx.url.replace("://", "://user:secret@") + "/private").text == "welcome"
    session.auth = pabal.BasicAuth("user", "secret")
    assert session.get(nginx.url + "/private").text == "welcome"


def test_raise_for_status(nginx: Nginx, session: pabal.Session) -> None:
    response = session.get(nginx.url.replace("://", "://user:secret@") + "/gone")
    assert not response
    with pytest.raises(pabal.HTTPStatusError, match=r"^410 Client Error: Gone for url: http://\S+/gone$") as caught:
        response.raise_for_status()
    assert caught.value.response is response
    assert caught.value.status_code == 410
    assert "secret" not in str(caught.value)
    assert "secret" not in repr(caught.value.request)


def test_one_connection_serves_many(server: ScriptedServer, session: pabal.Session) -> None:
    for _ in range(50):
        assert session.get(server.url).ok
    assert server.connections == 1


def test_a_connection_that_the_server_closes_each_time(nginx: Nginx, session: pabal.Session) -> None:
    for _ in range(20):
        assert session.get(nginx.url + "/close").json()["price"] == 123.45


# --- what is sent -----------------------------------------------------------------------------------------------------


def test_the_head_of_a_request(server: ScriptedServer, recorder: Recorder, session: pabal.Session) -> None:
    session.get(server.url + "/a/b?c=d#fragment")
    request = recorder.last
    assert request.line == "GET /a/b?c=d HTTP/1.1"
    assert request.value("host") == f"127.0.0.1:{server.port}"
    assert request.value("accept") == "*/*"
    assert (request.value("user-agent") or "").startswith("pabal/")
    assert {"gzip", "br", "zstd"} <= {each.strip() for each in (request.value("accept-encoding") or "").split(",")}
    assert request.value("content-length") is None
    assert request.value("transfer-encoding") is None


def test_headers_of_the_session_and_the_request(server: ScriptedServer, recorder: Recorder) -> None:
    with pabal.Session(headers={"X-Session": "1", "User-Agent": "mine"}) as session:
        session.get(server.url, headers={"x-session": "2", "X-Own": "3"})
        assert (recorder.last.value("x-session"), recorder.last.value("x-own")) == ("2", "3")
        assert recorder.last.value("user-agent") == "mine"
        session.get(server.url, headers={"X-Session": None})
        assert recorder.last.value("x-session") is None
        session.headers["X-Later"] = "4"
        session.headers.pop("X-Session")
        session.get(server.url)
        assert (recorder.last.value("x-later"), recorder.last.value("x-session")) == ("4", None)
        assert recorder.last.value("x-own") is None


def test_params_of_the_session(server: ScriptedServer, recorder: Recorder) -> None:
    with pabal.Session(params={"key": "k"}) as session:
        session.get(server.url + "/x?y", params={"a": ["1", "2"]})
        assert recorder.last.target == "/x?y&key=k&a=1&a=2"
        session.get(server.url)
        assert recorder.last.target == "/?key=k"


def test_a_signed_url_goes_out_to_the_letter(
    server: ScriptedServer, recorder: Recorder, session: pabal.Session
) -> None:
    session.get(server.url + "/%7Ea%2fb/%27?sig=%3A%2b+x~'")
    assert recorder.last.target == "/%7Ea%2fb/%27?sig=%3A%2b+x~'"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_method_with_a_body_says_when_there_is_none(
    method: str, server: ScriptedServer, recorder: Recorder, session: pabal.Session
) -> None:
    session.request(method, server.url)
    assert recorder.last.value("content-length") == "0"


@pytest.mark.parametrize(
    ("options", "body", "content_type"),
    [
        ({"json": {"a": 1}}, b'{"a":1}', "application/json"),
        ({"data": {"a": "1 2", "b": None}}, b"a=1+2", "application/x-www-form-urlencoded"),
        ({"data": b"\0\r\n\r\n"}, b"\0\r\n\r\n", None),
        ({"content": "ü"}, "ü".encode(), None),
        ({"content": io.BytesIO(b"x" * 300_000)}, b"x" * 300_000, None),
        ({"content": bytearray(b"abc")}, b"abc", None),
    ],
)
def test_bodies_of_known_size(
    options: Any,
    body: bytes,
    content_type: str | None,
    server: ScriptedServer,
    recorder: Recorder,
    session: pabal.Session,
) -> None:
    response = session.post(server.url, **options)
    assert response.content == body
    assert recorder.last.value("content-length") == str(len(body))
    assert recorder.last.value("content-type") == content_type


def test_a_file_goes_out_in_constant_memory(
    tmp_path: Path, server: ScriptedServer, recorder: Recorder, session: pabal.Session
) -> None:
    path = tmp_path / "upload"
    path.write_bytes(b"0123456789abcdef" * 100_000)
    with path.open("rb") as file:
        session.put(server.url, data=file)
    assert recorder.last.body == path.read_bytes()
    assert recorder.last.value("transfer-encoding") is None


def test_an_iterator_goes_out_chunked(server: ScriptedServer, recorder: Recorder, session: pabal.Session) -> None:
    pieces = [b"x" * 70_000, b"", b"y", b"z" * 200_000]
    assert session.post(server.url, content=iter(pieces)).content == b"".join(pieces)
    assert recorder.last.value("transfer-encoding") == "chunked"
    assert recorder.last.value("content-length") is None
    session.post(server.url, content=iter([]))
    assert recorder.last.body == b""


def test_a_form_with_a_file(tmp_path: Path, server: ScriptedServer, recorder: Recorder, session: pabal.Session) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"contents" * 50_000)
    with path.open("rb") as file:
        session.post(server.url, data={"name": "value"}, files={"upload": file, "two": ("b.json", b"{}")})
    assert b'name="upload"; filename="a.txt"' in recorder.last.body
    assert path.read_bytes() in recorder.last.body
    assert recorder.last.value("content-length") == str(len(recorder.last.body))


def test_an_error_of_the_body_is_the_callers_own(server: ScriptedServer, session: pabal.Session) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"x"
        raise KeyError("my own")

    with pytest.raises(KeyError, match="my own"):
        session.post(server.url, content=pieces())
    assert session.get(server.url).ok


@pytest.mark.parametrize(("size", "given"), [(5, b"123"), (5, b"1234567")])
def test_a_file_that_is_not_as_long_as_it_said(
    size: int, given: bytes, server: ScriptedServer, session: pabal.Session
) -> None:
    class Liar(io.BytesIO):
        def seek(self, offset: int, whence: int = 0, /) -> int:
            return size if whence == 2 else super().seek(offset, whence)

    class Unseekable:
        def __init__(self) -> None:
            self.rest = Liar(given)

        def read(self, count: int = -1) -> bytes:
            return self.rest.read(count)

        def tell(self) -> int:
            return 0

        def seek(self, offset: int, whence: int = 0) -> int:
            return self.rest.seek(offset, whence)

    with pytest.raises(exceptions.RequestBodyError):
        session.post(server.url, content=Unseekable())
    assert session.get(server.url).ok


def test_a_callable_signs(server: ScriptedServer, recorder: Recorder, session: pabal.Session) -> None:
    def sign(request: pabal.Request) -> None:
        request.headers["X-Signed"] = f"{request.method} {request.url} {request.body!r}"

    session.post(server.url + "/", json=[1], auth=sign)
    assert recorder.last.value("x-signed") == f"POST {server.url}/ b'[1]'"


def test_a_method_of_ones_own(server: ScriptedServer, recorder: Recorder, session: pabal.Session) -> None:
    session.request("PROPFIND", server.url)
    assert recorder.last.method == "PROPFIND"


# --- what is refused before any I/O -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers", [{"X": "a\r\nY: b"}, {"X": "a\nb"}, {"X": "a\0b"}, {"X\r\nY": "b"}, {"": "b"}, {"a b": "c"}]
)
def test_headers_that_break_out(headers: dict[str, str], server: ScriptedServer, session: pabal.Session) -> None:
    with pytest.raises(exceptions.InvalidHeader):
        session.get(server.url, headers=headers)
    with pytest.raises(ValueError):
        session.post(server.url, headers=headers, json={})
    with pytest.raises(ValueError):
        session.headers.update(headers)
    assert server.connections == 0


@pytest.mark.parametrize("method", ["GET /x HTTP/1.1\r\nX: y\r\n\r\n", "G ET", "", "GET\0", "GÉT"])
def test_methods_that_break_out(method: str, server: ScriptedServer, session: pabal.Session) -> None:
    with pytest.raises(ValueError):
        session.request(method, server.url)
    assert server.connections == 0


@pytest.mark.parametrize(
    "url",
    ["", "nothing", "/relative", "ftp://h/", "http://", "http:///x", "http://h:99999/", "http://h:x/", "http://[::1", "file:///etc/passwd",
     "http://exa mple/", "http://h\0/", "http://h/\r\nX: y", "//h/"],
)  # fmt: skip
def test_urls_that_are_none(url: str, session: pabal.Session) -> None:
    with pytest.raises(ValueError) as caught:
        session.get(url)
    assert isinstance(caught.value, exceptions.PabalError)


def test_two_bodies(server: ScriptedServer, session: pabal.Session) -> None:
    with pytest.raises(ValueError, match="data= and as json="):
        session.post(server.url, data={"a": 1}, json={})
    assert server.connections == 0


def test_an_option_that_does_not_exist(server: ScriptedServer, session: pabal.Session) -> None:
    with pytest.raises(TypeError, match="tiemout"):
        session.get(server.url, tiemout=5)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        session.get()  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        pabal.Session(header={})  # type: ignore[call-arg]


@pytest.mark.parametrize("bad", [0, -1, float("nan")])
def test_a_timeout_that_makes_no_sense(bad: float, server: ScriptedServer, session: pabal.Session) -> None:
    with pytest.raises(ValueError):
        session.get(server.url, timeout=bad)
    with pytest.raises(ValueError):
        pabal.Session(timeout=bad)


# --- life of a session ------------------------------------------------------------------------------------------------


def test_a_closed_session_says_so(server: ScriptedServer) -> None:
    session = pabal.Session()
    session.get(server.url)
    session.close()
    assert session.is_closed
    with pytest.raises(exceptions.SessionClosed):
        session.get(server.url)
    session.close()


def test_nothing_is_left_open(no_leaks: None, nginx: Nginx, ca_file: str) -> None:
    for _ in range(5):
        with pabal.Session(verify=ca_file) as session:
            session.get(nginx.url + "/price")
            session.get(nginx.tls_url + "/price")
            session.stream("GET", nginx.url + "/price")
        forgotten = pabal.Session()
        forgotten.get(nginx.url + "/price")
        del forgotten
        pabal.get(nginx.url + "/price")


def test_many_threads_share_a_session(nginx: Nginx) -> None:
    with pabal.Session() as session, ThreadPoolExecutor(16) as threads:

        def work(number: int) -> str:
            response = session.get(f"{nginx.url}/headers", headers={"X-Test": str(number)})
            return response.text.split("|")[0]

        assert list(threads.map(work, range(2000))) == [str(number) for number in range(2000)]


def test_threads_share_connections_within_limits(scripted: Start) -> None:
    running, most, lock = [0], [0], threading.Lock()

    def script(connection: Connection) -> None:
        while connection.read_request():
            with lock:
                running[0] += 1
                most[0] = max(most[0], running[0])
            threading.Event().wait(0.005)
            with lock:
                running[0] -= 1
            connection.answer()

    server = scripted(script)
    with pabal.Session(limits=pabal.Limits(max_connections_per_host=3)) as session, ThreadPoolExecutor(12) as threads:
        assert all(response.ok for response in threads.map(lambda _: session.get(server.url), range(100)))
    assert most[0] <= 3
    assert server.connections <= 3


def test_a_slow_thread_does_not_hold_up_the_others(scripted: Start, nginx: Nginx) -> None:
    release = threading.Event()

    def slow(connection: Connection) -> None:
        connection.read_request()
        release.wait(10)
        connection.answer(b"late")

    server = scripted(slow)
    with pabal.Session() as session, ThreadPoolExecutor(2) as threads:
        late = threads.submit(session.get, server.url)
        for _ in range(100):
            assert session.get(nginx.url + "/price").ok
        assert not late.done()
        release.set()
        assert late.result(10).text == "late"


def test_closing_from_another_thread_ends_what_runs(scripted: Start) -> None:
    entered = threading.Event()

    def script(connection: Connection) -> None:
        connection.read_request()
        entered.set()
        connection.wait_closed()

    server = scripted(script)
    session = pabal.Session()
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(session.get, server.url)
        assert entered.wait(5)
        session.close()
        with pytest.raises((exceptions.SessionClosed, exceptions.RequestCancelled)):
            running.result(5)


def test_ctrl_c_ends_a_request_that_waits() -> None:
    import signal
    import socket
    import subprocess
    import sys
    import time

    with socket.create_server(("127.0.0.1", 0)) as silent:
        # Of its own will: a program that was started in the background has inherited that it ignores the signal.
        heeds = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
        asks = f"import pabal; print('go', flush=True); pabal.get('http://127.0.0.1:{silent.getsockname()[1]}/')"
        script = f"{heeds}; {asks}"
        with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
            assert child.stdout is not None
            assert child.stderr is not None
            child.stdout.readline()
            with silent.accept()[0]:
                time.sleep(0.2)
                begun = time.monotonic()
                child.send_signal(signal.SIGINT)
                assert b"KeyboardInterrupt" in child.stderr.read()
                assert time.monotonic() - begun < 5


def test_closing_closes_the_sockets_at_once(nginx: Nginx) -> None:
    def sockets() -> int:
        return sum(what.startswith("socket:") for what in descriptors().values())

    session = pabal.Session()
    session.get(nginx.url + "/price")
    held = sockets()
    session.close()
    assert sockets() == held - 1
