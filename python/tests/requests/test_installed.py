"""Programs that use the installed urllib3 beside requests: to them the two are one."""

from __future__ import annotations

import gzip
import hashlib
import io
import socket
import ssl
import subprocess
import sys
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme
import urllib3
import urllib3.connection
import urllib3.connectionpool
import urllib3.exceptions
import urllib3.filepost
from pabal import requests
from pabal.requests import adapters, models
from pabal.requests.adapters import HTTPAdapter
from pabal.requests.packages.urllib3.response import HTTPResponse
from support.scripted import Connection, ScriptedServer

Start = Callable[..., ScriptedServer]


def answering(connection: Connection) -> None:
    while request := connection.read_request():
        if request.target == "/broken":
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
            return
        connection.answer(b"the engine's", "503 Busy" if request.target == "/busy" else "200 OK")


def without_urllib3(patched: pytest.MonkeyPatch) -> None:
    for name in ("urllib3", *(name for name in sys.modules if name.startswith("urllib3."))):
        patched.setitem(sys.modules, name, None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


# --- exceptions -------------------------------------------------------------------------------------------------------


def test_exceptions_are_those_of_urllib3() -> None:
    theirs = urllib3.exceptions
    assert requests.packages.urllib3.exceptions.InsecureRequestWarning is theirs.InsecureRequestWarning
    assert adapters.MaxRetryError is theirs.MaxRetryError
    assert models.ProtocolError is theirs.ProtocolError
    with pytest.raises(AttributeError, match="Nonsense"):
        _ = requests.packages.urllib3.exceptions.Nonsense  # type: ignore[attr-defined]  # pyright: ignore


def test_without_urllib3_there_are_own_exceptions(monkeypatch: pytest.MonkeyPatch) -> None:
    without_urllib3(monkeypatch)
    own = requests.packages.urllib3.exceptions
    assert own.MaxRetryError.__module__.startswith("pabal.")
    with pytest.raises(requests.ConnectionError) as caught:
        requests.get("http://127.0.0.1:1/", timeout=10)
    assert isinstance(caught.value.args[0], own.MaxRetryError)


def test_what_is_raised_is_caught_as_urllib3s(scripted: Start) -> None:
    response = requests.get(scripted(answering).url + "/broken", stream=True)
    with pytest.raises(urllib3.exceptions.ProtocolError):
        response.raw.read()
    with pytest.raises(requests.ConnectionError) as caught:
        requests.get("http://127.0.0.1:1/", timeout=10)
    failure = caught.value.args[0]
    assert isinstance(failure, urllib3.exceptions.MaxRetryError)
    assert isinstance(failure.reason, urllib3.exceptions.NewConnectionError)


def test_a_retry_of_urllib3_counts_by_kind_and_may_let_statuses_through(scripted: Start) -> None:
    session = requests.Session()
    retries = urllib3.Retry(total=5, connect=0, status=1, status_forcelist=[503], raise_on_status=False)
    session.mount("http://", HTTPAdapter(max_retries=retries))
    server = scripted(answering)
    assert session.get(server.url + "/busy").status_code == 503
    with pytest.raises(requests.ConnectionError) as caught:
        session.get("http://127.0.0.1:1/", timeout=10)
    assert isinstance(caught.value.args[0].reason, urllib3.exceptions.NewConnectionError)


# --- what programs set ------------------------------------------------------------------------------------------------


def test_the_annotations_of_a_response_can_be_resolved() -> None:
    known = {"PreparedRequest": requests.PreparedRequest, "HTTPAdapter": HTTPAdapter}
    assert typing.get_type_hints(requests.Response, localns=known)["headers"] is not None


def test_whether_a_replayed_body_is_chunked_can_be_said() -> None:
    recorded = HTTPResponse(b"text", {"Transfer-Encoding": "chunked"}, 200, preload_content=False)
    assert recorded.chunked is True
    recorded.chunked = False
    assert b"".join(recorded.stream(2)) == b"text"


def test_the_boundary_of_forms_can_be_set_where_urllib3_chooses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urllib3.filepost, "choose_boundary", lambda: "the-boundary")
    prepared = requests.Request("POST", "http://localhost/", files={"file": b"text"}).prepare()
    assert prepared.headers["Content-Type"] == "multipart/form-data; boundary=the-boundary"
    assert isinstance(prepared.body, bytes) and prepared.body.startswith(b"--the-boundary\r\n")


# --- the file below a raw response ------------------------------------------------------------------------------------

TEXT = b"one line and another\n" * 500
CODED = {"gzip": gzip.compress(TEXT), "identity": TEXT}


def coded(connection: Connection) -> None:
    while request := connection.read_request():
        coding, _, framing = request.target[1:].partition("/")
        body = CODED[coding]
        if framing == "chunked":
            connection.send(f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\n".encode())
            connection.send(b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
        else:
            connection.answer(body, "200 OK", f"Content-Encoding: {coding}")


class Keeping:
    """What caches put in the place of the file: it keeps what passes, and notices the end."""

    def __init__(self, file: Any) -> None:
        self.file = file
        self.kept = b""
        self.ended = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)

    def read(self, amt: int | None = None) -> bytes:
        data: bytes = self.file.read(amt)
        self.kept += data
        self.ended = self.file.fp is None
        return data


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("coding", ["gzip", "identity"])
def test_a_file_in_the_place_of_the_raw_one_sees_the_body_as_it_came(
    scripted: Start, coding: str, framing: str
) -> None:
    response = requests.get(f"{scripted(coded).url}/{coding}/{framing}", stream=True)
    keeping = response.raw._fp = Keeping(response.raw._fp)
    assert b"".join(response.iter_content(700)) == TEXT
    assert keeping.kept == CODED[coding] and keeping.ended and response.raw.closed


def test_codings_that_urllib3_does_not_know_are_undone_before(scripted: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urllib3.HTTPResponse, "CONTENT_DECODERS", ["deflate"])
    response = requests.get(f"{scripted(coded).url}/gzip/length", stream=True)
    keeping = response.raw._fp = Keeping(response.raw._fp)
    assert response.content == TEXT == keeping.kept
    assert "Content-Encoding" not in response.raw.headers


@pytest.mark.parametrize("decode", [True, False])
def test_recorded_bodies_are_decoded(decode: bool) -> None:
    recorded = HTTPResponse(io.BytesIO(CODED["gzip"]), {"Content-Encoding": "gzip"}, 200, preload_content=False)
    assert b"".join(recorded.stream(100, decode_content=decode)) == (TEXT if decode else CODED["gzip"])
    assert HTTPResponse(CODED["gzip"], {"Content-Encoding": "gzip"}, 200).data == TEXT
    assert HTTPResponse(b"", {"Content-Encoding": "gzip"}, 304).data == b""


def test_how_much_of_a_stream_has_arrived_can_be_asked(scripted: Start) -> None:
    response = requests.get(f"{scripted(coded).url}/identity/chunked", stream=True)
    raw = response.raw
    assert raw._fp.chunked
    first = raw.read(1)
    assert first + raw.read(raw._fp.chunk_left) + raw.read() == TEXT


def test_the_file_of_a_response_that_was_read_is_at_its_end(scripted: Start) -> None:
    response = requests.get(f"{scripted(coded).url}/gzip/length")
    assert response.raw._fp.fp is None and response.raw._fp.read() == b"" and response.content == TEXT


def test_a_raw_response_passes_for_one_of_urllib3(scripted: Start) -> None:
    raw = requests.get(f"{scripted(coded).url}/gzip/length", stream=True).raw
    assert isinstance(raw, urllib3.HTTPResponse) and isinstance(raw, urllib3.BaseHTTPResponse)


# --- pools ------------------------------------------------------------------------------------------------------------


class ToOneAddress(urllib3.connection.HTTPConnection):
    """Connects elsewhere than its host says."""

    address: tuple[str, int] = ("", 0)

    def connect(self) -> None:
        self.sock = socket.create_connection(self.address, self.timeout)  # pyright: ignore


class OwnPools(HTTPAdapter):
    """As adapters for Unix sockets do it: their own pool, of urllib3's classes."""

    def __init__(self, connect_to: type[ToOneAddress], **options: Any) -> None:
        self.kind = connect_to
        super().__init__(**options)

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> Any:
        pool = urllib3.connectionpool.HTTPConnectionPool("localhost")
        pool.ConnectionCls = self.kind
        return pool


def connecting_to(port: int) -> type[ToOneAddress]:
    return type("Connecting", (ToOneAddress,), {"address": ("127.0.0.1", port)})


def test_an_adapter_may_bring_pools_of_urllib3(scripted: Start) -> None:
    session = requests.Session()
    session.mount("http+one://", OwnPools(connecting_to(scripted(answering).port)))
    response = session.get("http+one://anything/", timeout=(5, 10))
    assert response.content == b"the engine's"
    assert isinstance(response.raw, urllib3.HTTPResponse)


def test_pools_of_urllib3_ask_for_the_codings_that_urllib3_undoes(scripted: Start) -> None:
    def telling(connection: Connection) -> None:
        while request := connection.read_request():
            connection.answer((request.value("Accept-Encoding") or "").encode())

    known = urllib3.make_headers(accept_encoding=True)["accept-encoding"].replace(",", ", ")
    session = requests.Session()
    session.mount("http+one://", OwnPools(connecting_to(scripted(telling).port)))
    assert session.get("http+one://anything/", timeout=10).text == known
    own = {"Accept-Encoding": "br"}
    assert session.get("http+one://anything/", headers=own, timeout=10).text == "br"


def test_retries_hold_for_pools_of_urllib3(scripted: Start) -> None:
    retries = requests.packages.urllib3.Retry(total=2, status_forcelist=[503])
    session = requests.Session()
    server = scripted(answering)
    session.mount("http+one://", OwnPools(connecting_to(server.port), max_retries=retries))
    with pytest.raises(requests.exceptions.RetryError):
        session.get("http+one://anything/busy", timeout=10)


class Recorded(urllib3.connection.HTTPConnection):
    """Answers without a server, as recorders do."""

    def connect(self) -> None:
        ours, theirs = socket.socketpair()
        self.sock = ours
        with theirs:
            theirs.sendall(b"HTTP/1.1 200 OK\r\nSet-Cookie: taste=1\r\nContent-Length: 8\r\n\r\nrecorded")


@pytest.mark.parametrize("ask", [{}, {"stream": True}, {"json": {"a": 1}}])
def test_who_replaced_the_connections_of_urllib3_is_heard(
    scripted: Start, monkeypatch: pytest.MonkeyPatch, ask: dict[str, Any]
) -> None:
    session = requests.Session()
    server = scripted(answering)
    assert session.post(server.url, **ask).content == b"the engine's"
    with monkeypatch.context() as patched:
        patched.setattr(urllib3.connectionpool.HTTPConnectionPool, "ConnectionCls", Recorded)
        response = session.post(server.url, **ask)
        assert response.content == b"recorded" and response.cookies["taste"] == "1"
        assert session.cookies["taste"] == "1"
    assert session.post(server.url, **ask).content == b"the engine's"


def test_who_replaced_the_sending_of_urllib3_is_heard(scripted: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    def urlopen(pool: Any, method: str, url: str, *_: Any, **__: Any) -> urllib3.HTTPResponse:
        return urllib3.HTTPResponse(io.BytesIO(f"{method} {url}".encode()), status=299, preload_content=False)

    monkeypatch.setattr(urllib3.connectionpool.HTTPConnectionPool, "urlopen", urlopen)
    response = requests.put(scripted(answering).url + "/path?query", timeout=10)
    assert (response.status_code, response.text) == (299, "PUT /path?query")


def test_a_program_may_import_urllib3_after_the_first_request(scripted: Start, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        f"""
import io, sys
import requests
session = requests.Session()
print(session.get("{scripted(answering).url}").text, "urllib3" in sys.modules)
import urllib3
def urlopen(self, *_, **__):
    return urllib3.HTTPResponse(io.BytesIO(b"replaced"), status=200, preload_content=False)
urllib3.HTTPConnectionPool.urlopen = urlopen
print(session.get("http://127.0.0.1:1/").text)
"""
    )
    done = subprocess.run(
        [sys.executable, "-m", "pabal.alias", "requests", str(program)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout.splitlines() == ["the engine's False", "replaced"]


# --- TLS settings that only urllib3 can honour ------------------------------------------------------------------------


class Settings(HTTPAdapter):
    """Hands settings on to its manager, as such adapters do."""

    def __init__(self, **settings: Any) -> None:
        self.settings = settings
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, **self.settings)


def ask(url: str, adapter: HTTPAdapter, **options: Any) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        session.mount("https://", adapter)
        return session.get(url, timeout=30, **options)


def test_a_fingerprint_is_compared(scripted: Start, tls_context: ssl.SSLContext, ca_file: str) -> None:
    server = scripted(answering, tls=tls_context)
    leaf = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", server.port)))
    right = hashlib.sha256(leaf).hexdigest()
    wrong = ("0" if right[0] != "0" else "1") + right[1:]
    assert ask(server.url, Settings(assert_fingerprint=right), verify=ca_file).content == b"the engine's"
    with pytest.raises(requests.exceptions.SSLError, match=r"[Ff]ingerprint"):
        ask(server.url, Settings(assert_fingerprint=wrong), verify=ca_file)


def test_another_name_is_compared(scripted: Start, authority: trustme.CA, ca_file: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("inside.example").configure_cert(context)
    server = scripted(answering, tls=context)
    adapter = Settings(assert_hostname="inside.example", server_hostname="inside.example")
    assert ask(server.url, adapter, verify=ca_file).content == b"the engine's"
    with pytest.raises(requests.exceptions.SSLError):
        ask(server.url, Settings(assert_hostname="other.example"), verify=ca_file)
    with pytest.raises(requests.exceptions.SSLError):
        ask(server.url, HTTPAdapter(), verify=ca_file)


def client_context(authority: trustme.CA) -> ssl.SSLContext:
    """As many adapters make it: urllib3 compares the names when the context does not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    authority.configure_trust(context)
    return context


def test_a_context_presents_its_certificate(scripted: Start, authority: trustme.CA) -> None:
    def greeting(connection: Connection) -> None:
        while connection.read_request():
            assert isinstance(connection.socket, ssl.SSLSocket)
            shown = connection.socket.getpeercert() or {}
            connection.answer(str(shown.get("subjectAltName")).encode())

    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server_side)
    authority.configure_trust(server_side)
    server_side.verify_mode = ssl.CERT_OPTIONAL
    context = client_context(authority)
    authority.issue_cert("client.example").configure_cert(context)
    server = scripted(greeting, tls=server_side)
    assert "client.example" in ask(server.url, Settings(ssl_context=context)).text


def test_a_context_does_not_do_without_names(scripted: Start, authority: trustme.CA) -> None:
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("inside.example").configure_cert(server_side)
    server = scripted(answering, tls=server_side)
    with pytest.raises(requests.exceptions.SSLError):
        ask(server.url, Settings(ssl_context=client_context(authority)))
    with pytest.raises(requests.exceptions.SSLError):
        ask(server.url, Settings(ssl_context=ssl.create_default_context()))


def test_a_bare_context_trusts_the_usual_bundle(
    scripted: Start, tls_context: ssl.SSLContext, ca_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapters, "DEFAULT_CA_BUNDLE_PATH", ca_file)
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    assert ask(scripted(answering, tls=tls_context).url, Settings(ssl_context=bare)).content == b"the engine's"


def test_without_urllib3_the_engine_takes_the_trust_of_a_context(
    scripted: Start, authority: trustme.CA, tls_context: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_urllib3(monkeypatch)
    trusting = client_context(authority)
    assert ask(scripted(answering, tls=tls_context).url, Settings(ssl_context=trusting)).content == b"the engine's"
    elsewhere = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("inside.example").configure_cert(elsewhere)
    with pytest.raises(requests.exceptions.SSLError):
        ask(scripted(answering, tls=elsewhere).url, Settings(ssl_context=trusting))
