"""A real nginx from Debian, with a configuration of its own in a temporary folder."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import trustme

QUOTE = b'{"symbol":"BTC","price":123.45}'

CONFIGURATION = """
daemon off;
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
worker_rlimit_nofile 8192;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 1000000;
    default_type application/octet-stream;
    types {{ text/plain txt; application/json json; }}
    gzip on;
    gzip_min_length 1;
    gzip_types text/plain;
    server {{
        listen 127.0.0.1:{port};
        listen 127.0.0.1:{tls_port} ssl;
        ssl_certificate {folder}/chain.pem;
        ssl_certificate_key {folder}/key.pem;
        root {folder}/www;
        location = /price {{ gzip off; default_type application/json; return 200 '{quote}'; }}
        location = /close {{ keepalive_timeout 0; default_type application/json; return 200 '{quote}'; }}
        location = /moved {{ return 302 /price; }}
        location = /moved-often {{ return 302 /moved-often; }}
        location = /gone {{ return 410; }}
        location = /private {{ auth_basic "x"; auth_basic_user_file {folder}/users; }}
        location = /none {{ return 204; }}
        location = /cookies {{ add_header Set-Cookie "seen=$http_cookie; Path=/"; return 200 '$http_cookie'; }}
        location = /upload {{ proxy_pass http://127.0.0.1:{port}/uploaded; client_max_body_size 100k; }}
        location = /uploaded {{ return 200 '$request_method|$content_length|$http_content_encoding'; }}
        location /headers {{ return 200 '$http_x_test|$http_user_agent|$request_method|$args|$content_length'; }}
    }}
}}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Nginx:
    """Runs until `stop`. ``url`` and ``tls_url`` are where it answers, ``www`` is the folder it serves."""

    def __init__(self, folder: Path, chain: bytes, key: bytes, configuration: str = CONFIGURATION) -> None:
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        if not os.path.exists(program):
            raise RuntimeError("these tests need nginx: apt-get install nginx-light")
        self.www = folder / "www"
        self.www.mkdir()
        (folder / "chain.pem").write_bytes(chain)
        (folder / "key.pem").write_bytes(key)
        (self.www / "private").write_text("welcome")
        (folder / "users").write_text("user:{PLAIN}secret\n")
        port, tls_port = free_port(), free_port()
        text = configuration.format(folder=folder, port=port, tls_port=tls_port, quote=QUOTE.decode())
        (folder / "nginx.conf").write_text(text)
        self.url = f"http://127.0.0.1:{port}"
        self.tls_url = f"https://127.0.0.1:{tls_port}"
        self._process = subprocess.Popen(
            [program, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
        )
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", tls_port)) == 0:
                    return
            if self._process.poll() is not None:
                break
            time.sleep(0.02)
        self.stop()
        raise RuntimeError("nginx did not start: " + (folder / "error.log").read_text())

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)


def speaking_http2(
    authority: trustme.CA, folder: Path, *, connection_serves: int = 1_000_000, streams: int = 128, plain: bool = False
) -> Nginx:
    """One that offers HTTP/2 over TLS; with ``plain`` its other port speaks nothing else."""
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    chain = b"".join(blob.bytes() for blob in certificate.cert_chain_pems)
    configuration = CONFIGURATION.replace("listen 127.0.0.1:{tls_port} ssl;", "listen 127.0.0.1:{tls_port} ssl http2;")
    configuration = configuration.replace(
        "keepalive_requests 1000000;",
        f"keepalive_requests {connection_serves}; http2_max_concurrent_streams {streams};",
    )
    if plain:
        configuration = configuration.replace("listen 127.0.0.1:{port};", "listen 127.0.0.1:{port} http2;")
    return Nginx(folder, chain, certificate.private_key_pem.bytes(), configuration)
