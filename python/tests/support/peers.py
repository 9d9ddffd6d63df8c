"""Servers of HTTP/2 and HTTP/3 that nobody here wrote, in one table: all on 127.0.0.1, all with the same resources.

`/price` is a quote, `/bytes/N` so many bytes, `/count` tells the method, size, digest and trailer of what it was sent,
`/trailers` has one, `/broken` ends in the middle. What only carries (nginx, Caddy) has a Go program behind it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pabal
import trustme

from support.asgi_resources import QUOTE
from support.demo import program
from support.http3 import Http3Server, Request
from support.nginx import free_port
from support.processes import end, judge, their_environment

STREAMS = 1000  # at once, where a peer can be told so
SIZES = (1000, 1_000_000)  # those of `/bytes/` that are to be had everywhere


class Running(Protocol):
    def stop(self) -> None:
        """Finishes what has begun and ends."""


class Place:
    """Where a server is to answer, and with which certificate."""

    def __init__(self, folder: Path, certificate: trustme.LeafCert) -> None:
        self.folder = folder
        self.certificate = certificate
        self.port = free_port()
        self.chain = self.write("chain.pem", b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
        self.key = self.write("key.pem", certificate.private_key_pem.bytes())

    def write(self, name: str, content: bytes) -> str:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return str(path)


class Program:
    """One that runs until `stop`, which asks it to finish by a signal; then what is `behind` it is stopped."""

    def __init__(self, *command: str, behind: Running | None = None, asked_by: int = signal.SIGTERM) -> None:
        self._behind, self._asked_by = behind, asked_by
        self._process = subprocess.Popen(
            command,
            env=their_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self._process.stdout is not None
        self.output = self._process.stdout

    def stop(self) -> None:
        self._process.send_signal(self._asked_by)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        end(self._process)
        self.output.close()
        if self._behind is not None:
            self._behind.stop()


# --- the servers ------------------------------------------------------------------------------------------------------


def go(place: Place) -> Program:
    return Program(str(judge("gopeer")), "serve", "-cert", place.chain, "-key", place.key, "-port", str(place.port))


def behind(place: Place) -> tuple[Program, int]:
    """A Go server for one that only carries, and its port for HTTP/1.1."""
    server = Program(str(judge("gopeer")), "serve", "-cert", place.chain, "-key", place.key)
    return server, int(server.output.readline())


def nginx(place: Place) -> Program:
    server, port = behind(place)
    configuration = f"""
    daemon off; master_process off; pid {place.folder}/nginx.pid; error_log {place.folder}/error.log;
    events {{ worker_connections 1024; }}
    http {{
        access_log off; client_max_body_size 0; http2_max_concurrent_streams {STREAMS};
        client_body_temp_path {place.folder}/body; proxy_temp_path {place.folder}/proxy;
        fastcgi_temp_path {place.folder}/fcgi; uwsgi_temp_path {place.folder}/uwsgi; scgi_temp_path {place.folder}/scgi;
        server {{
            listen 127.0.0.1:{place.port} ssl http2; ssl_certificate {place.chain}; ssl_certificate_key {place.key};
            location / {{ proxy_pass http://127.0.0.1:{port}; proxy_http_version 1.1; }}
        }}
    }}"""
    path = place.write("nginx.conf", configuration.encode())
    command = (program("nginx", "nginx-light"), "-p", str(place.folder), "-e", f"{place.folder}/error.log", "-c", path)
    return Program(*command, behind=server, asked_by=signal.SIGQUIT)


def caddy(place: Place) -> Program:
    server, port = behind(place)
    route = {"handle": [{"handler": "reverse_proxy", "upstreams": [{"dial": f"127.0.0.1:{port}"}]}]}
    site = {
        "listen": [f"127.0.0.1:{place.port}"],
        "routes": [route],
        "tls_connection_policies": [{}],
        "automatic_https": {"disable": True},
        "protocols": ["h1", "h2", "h3"],
    }
    configuration = {
        "admin": {"disabled": True, "config": {"persist": False}},
        "storage": {"module": "file_system", "root": str(place.folder / "storage")},
        "apps": {
            "http": {"servers": {"site": site}, "grace_period": "2s"},
            "tls": {"certificates": {"load_files": [{"certificate": place.chain, "key": place.key}]}},
        },
    }
    path = place.write("caddy.json", json.dumps(configuration).encode())
    return Program(str(judge("caddy")), "run", "--config", path, behind=server)


def nghttpd(place: Place) -> Program:
    """Serves files; what is sent to it comes back."""
    place.write("www/price", QUOTE)
    place.write("www/trailers", b"body")
    for size in SIZES:
        place.write(f"www/bytes/{size}", b"p" * size)
    options = ("--address=127.0.0.1", f"--htdocs={place.folder}/www", "--echo-upload", "--trailer=checksum: 4")
    concurrency = f"--max-concurrent-streams={STREAMS}"
    files = (place.key, place.chain)
    return Program(program("nghttpd", "nghttp2-server"), *options, concurrency, str(place.port), *files)


def hypercorn(place: Place) -> Program:
    application = Path(__file__).with_name("asgi_resources.py")
    where = f"127.0.0.1:{place.port}"
    settings = f'certfile = "{place.chain}"\nkeyfile = "{place.key}"\nbind = "{where}"\nquic_bind = "{where}"\n'
    # Its tree of priorities holds 1,000, and forgets late who has ended: beyond that the connection falls silent.
    settings += "h2_max_concurrent_streams = 800\ngraceful_timeout = 2\nworkers = 0\n"
    path = place.write("hypercorn.toml", settings.encode())
    return Program(sys.executable, "-m", "hypercorn", "--config", path, f"{application}:application")


def aioquic(place: Place) -> Http3Server:
    return Http3Server(place.certificate, place.folder, answer, port=place.port)


def answer(request: Request) -> None:
    """The resources, of aioquic."""
    method = request.field(b":method").decode()
    if request.path == "/price":
        request.respond(200, QUOTE, [(b"content-type", b"application/json")])
    elif request.path == "/count":
        trailer = dict(request.trailers).get(b"sum", b"").decode()
        told = f"{method}|{len(request.body)}|{hashlib.sha256(request.body).hexdigest()}|{trailer}"
        request.respond(200, told.encode())
    elif request.path.startswith("/bytes/"):
        size = int(request.path.removeprefix("/bytes/"))
        request.head(200, [(b"content-length", str(size).encode())], ends=method == "HEAD")
        if method != "HEAD":
            request.data(b"p" * size, ends=True)
    elif request.path == "/trailers":
        request.head(200, [])
        request.data(b"body")
        request.end([(b"checksum", b"4")])
    elif request.path == "/broken":
        request.head(200, [(b"content-length", b"100")])
        request.data(b"half")
        request.reset(0x102)
    else:
        request.respond(404)


# --- the table --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """A server, the version of HTTP that is spoken with it, and what it has not: each with its reason."""

    name: str
    version: str
    start: Callable[[Place], Running]
    no_trailers: str = ""  # in responses
    no_trailers_in: str = ""  # in requests
    no_breaking: str = ""  # responses that end in the middle
    no_resumption: str = ""
    echoes: bool = False  # what it is sent comes back, and is not counted

    def __str__(self) -> str:
        return f"{self.name}-h{self.version}"


KINDS = (
    Kind("nginx", "2", nginx, no_trailers="nginx 1.22 passes none on", no_trailers_in="it ends the connection"),
    Kind("nghttpd", "2", nghttpd, no_trailers_in="it shows none", no_breaking="it serves files", echoes=True),
    Kind("hypercorn", "2", hypercorn, no_trailers_in="ASGI has none", no_breaking="it leaves the response unfinished"),
    Kind("caddy", "2", caddy),
    Kind("go", "2", go),
    Kind("caddy", "3", caddy, no_trailers_in="it passes on none of quic-go's"),
    Kind("go", "3", go),
    Kind("aioquic", "3", aioquic),
    Kind(
        "hypercorn",
        "3",
        hypercorn,
        no_trailers="it sends DATA after them",
        no_trailers_in="they end its QUIC server",
        no_breaking="it leaves the response unfinished",
        no_resumption="it gives no tickets",
    ),
)


class Peer:
    """A running server of one kind; `stop` and `start` keep its place."""

    def __init__(self, kind: Kind, folder: Path, authority: trustme.CA, ca_file: str) -> None:
        self.kind = kind
        self.ca_file = ca_file
        self.place = Place(folder, authority.issue_cert("127.0.0.1", "localhost"))
        self.url = f"https://127.0.0.1:{self.place.port}"
        self._running: Running | None = None
        self.start()

    def session(self, **options: Any) -> pabal.Session:
        return pabal.Session(verify=self.ca_file, http=self.kind.version, **options)

    def asynchronous(self, **options: Any) -> pabal.AsyncSession:
        return pabal.AsyncSession(verify=self.ca_file, http=self.kind.version, **options)

    def start(self) -> None:
        """Returns once it answers."""
        self._running = self.kind.start(self.place)
        for _ in range(100):
            try:
                with self.session(timeout=10) as session:
                    session.get(f"{self.url}/price").raise_for_status()
                    return
            except pabal.PabalError as error:
                last = error
                time.sleep(0.1)
        self.stop()
        raise RuntimeError(f"{self.kind} does not answer") from last

    def stop(self) -> None:
        if self._running is not None:
            self._running.stop()
            self._running = None

    def counted(self, response: pabal.Response) -> tuple[int, str]:
        """The size and digest of what the peer was sent."""
        if self.kind.echoes:
            return len(response.content), hashlib.sha256(response.content).hexdigest()
        _, size, digest, _ = response.text.split("|")
        return int(size), digest


@contextlib.contextmanager
def running(kind: Kind, folder: Path, authority: trustme.CA, ca_file: str) -> Iterator[Peer]:
    peer = Peer(kind, folder, authority, ca_file)
    try:
        yield peer
    finally:
        peer.stop()
