"""nginx as the server of every shape: written by nobody here, on a core of its own, in a folder that goes with it.

For HTTP/3 Caddy stands in front of it, on the same core.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import NamedTuple

from bench.environment import ROOT, Unavailable, pinned

ECHO_MODULE = "ngx_http_echo_module.so"
HOW_TO_INSTALL = "install it with: apt-get install nginx-light libnginx-mod-http-echo openssl"
CADDY = ROOT / "build" / "judges" / "caddy"
HOW_TO_BUILD_CADDY = "build it with: make build/judges/.ready"
START_LIMIT_S = 15.0

# keepalive_*: no connection ends because a slow client took its time.   /once: each request needs a new connection.
# The latencies end in the location that answers at once, so that the responses are the same.
# client_body_buffer_size: an upload is held in memory, never written to a disk.
# Tickets and cache off: every TLS handshake is a full one.
CONFIGURATION = """
load_module {echo_module};
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
worker_rlimit_nofile {files};
events {{ worker_connections {files}; multi_accept on; }}
http {{
  access_log off; default_type application/json; sendfile on;
  keepalive_requests 1000000000; keepalive_timeout 600s;
  client_max_body_size 0; client_body_buffer_size {body_buffer};
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{plain} backlog=16384;
    listen 127.0.0.1:{tls} ssl backlog=16384;
    listen 127.0.0.1:{http2} ssl http2 backlog=16384; http2_max_concurrent_streams {files};
    ssl_certificate {folder}/certificate.pem; ssl_certificate_key {folder}/key.pem; ssl_protocols TLSv1.3;
    ssl_session_cache off; ssl_session_tickets off;
    location /price {{ return 200 '{{"symbol":"BTC","price":123.45}}'; }}
    location /once {{ keepalive_timeout 0; return 200 '{{"symbol":"BTC","price":123.45}}'; }}
    location /1ms {{ echo_sleep 0.001; echo_exec /price; }}
    location /100ms {{ echo_sleep 0.1; echo_exec /price; }}
    location /large/ {{ root {folder}; }}
    location /upload {{ echo_read_request_body; echo -n '{{"received":$content_length}}'; }}
  }}
}}
"""

# auto_https off: no port but its own, and no certificate but the one that is given.
CADDY_CONFIGURATION = """
{{
  admin off
  auto_https off
  persist_config off
}}
https://localhost:{http3} {{
  bind 127.0.0.1
  tls {folder}/certificate.pem {folder}/key.pem
  reverse_proxy 127.0.0.1:{plain}
}}
"""


class Server(NamedTuple):
    plain: str
    tls: str
    http2: str  # TLS, too, with HTTP/2 for whoever negotiates it
    http3: str  # over QUIC; empty: not served
    version: str

    def url(self, path: str, *, tls: bool, version: str) -> str:
        return {"1.1": self.tls if tls else self.plain, "2": self.http2, "3": self.http3}[version] + path


def find_nginx() -> str:
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
    nginx = shutil.which("nginx", path=path)
    if nginx is None:
        raise Unavailable(f"nginx is needed; {HOW_TO_INSTALL}")
    return nginx


def find_echo_module(build: str) -> Path:
    """In the folder of modules that nginx was built with."""
    found = re.search(r"--modules-path=(\S+)", build)
    module = Path(found[1] if found else "/usr/lib/nginx/modules") / ECHO_MODULE
    if not module.exists():
        raise Unavailable(f"nginx's echo module is needed; {HOW_TO_INSTALL}")
    return module


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def write_certificate(folder: Path) -> None:
    if shutil.which("openssl") is None:
        raise Unavailable(f"openssl is needed to make a certificate; {HOW_TO_INSTALL}")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-days", "30", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    command += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    subprocess.run(command, check=True, capture_output=True)


def wait_until_listening(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    end = time.monotonic() + START_LIMIT_S
    while time.monotonic() < end and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    log = folder / "error.log"
    raise Unavailable(f"the server did not start: {log.read_text()[-500:] if log.exists() else 'no error log'}")


def room_for(connections: int) -> int:
    """How many connections nginx must be allowed: it closes idle ones when fewer than a sixteenth are free."""
    return connections * 5 // 4 + 64


@contextmanager
def caddy(core: int, folder: Path, plain: int) -> Iterator[str]:
    """Caddy before the server at port `plain`: its address. It writes into `folder`, where the certificate is."""
    if not CADDY.exists():
        raise Unavailable(f"HTTP/3 needs Caddy; {HOW_TO_BUILD_CADDY}")
    http3 = free_port()
    configuration = folder / "Caddyfile"
    configuration.write_text(CADDY_CONFIGURATION.format(http3=http3, folder=folder, plain=plain))
    command = [str(CADDY), "run", "--config", str(configuration), "--adapter", "caddyfile"]
    with (folder / "error.log").open("wb") as log:
        process = subprocess.Popen(
            pinned(core, command), stderr=log, cwd=folder, env=os.environ | {"HOME": str(folder)}
        )
    try:
        wait_until_listening(process, http3, folder)
        yield f"https://localhost:{http3}"
    finally:
        process.terminate()
        process.wait()


@contextmanager
def nginx(
    core: int, *, connections: int, large_sizes: Iterable[int], upload_size: int, http3: bool = False
) -> Iterator[Server]:
    """Running until the context ends; `http3`: with Caddy before it."""
    program = find_nginx()
    build = subprocess.run([program, "-V"], check=True, capture_output=True, text=True).stderr
    version = re.search(r"nginx/(\S+)", build)
    with tempfile.TemporaryDirectory() as name:
        folder, plain, tls, http2 = Path(name), free_port(), free_port(), free_port()
        write_certificate(folder)
        (folder / "large").mkdir()
        for size in large_sizes:
            with (folder / "large" / str(size)).open("wb") as large:
                large.truncate(size)
        configuration = CONFIGURATION.format(
            echo_module=find_echo_module(build),
            folder=folder,
            files=room_for(connections),
            body_buffer=upload_size + 4096,
            plain=plain,
            tls=tls,
            http2=http2,
        )
        (folder / "nginx.conf").write_text(configuration)
        process = subprocess.Popen(
            pinned(core, [program, "-c", str(folder / "nginx.conf")]), stderr=subprocess.DEVNULL, cwd=folder
        )
        try:
            wait_until_listening(process, plain, folder)
            with caddy(core, folder, plain) if http3 else nullcontext("") as over_quic:
                yield Server(
                    f"http://127.0.0.1:{plain}",
                    f"https://localhost:{tls}",
                    f"https://localhost:{http2}",
                    over_quic,
                    version[1] if version else "",
                )
        finally:
            process.terminate()
            process.wait()
