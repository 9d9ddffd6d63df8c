"""``pabal demo``: the embedded price server, until Ctrl-C."""

from __future__ import annotations

import os
import signal
import tempfile
import threading

from pabal._engine import DemoServer
from pabal.quic import Quic

__all__ = ["certificate_file", "serve"]


def certificate_file(server: DemoServer) -> str:
    """Writes the server's throw-away certificate to a temporary file, for clients to trust; remove it afterwards."""
    handle, path = tempfile.mkstemp(prefix="pabal-demo-", suffix=".pem")
    with os.fdopen(handle, "w") as file:
        file.write(server.certificate_pem)
    return path


def serve(port: int, *, tls: bool, qlog: str | None = None) -> int:
    """Runs the server on 127.0.0.1 until SIGINT or SIGTERM; ``qlog`` is that of `pabal.Quic`."""
    stop = threading.Event()

    def on_signal(_number: int, _frame: object) -> None:
        stop.set()

    for which in (signal.SIGINT, signal.SIGTERM):
        signal.signal(which, on_signal)
    server = DemoServer(port, tls, Quic(qlog=qlog))
    path = certificate_file(server) if tls else None
    try:
        base = f"{'https' if tls else 'http'}://127.0.0.1:{server.port}"
        print(f"pabal demo server on {base}  (Ctrl-C stops it)")
        for route in ("/price", "/quotes/BTC", "/bytes/1000000", "/delay/100", "/echo"):
            print(f"  {base}{route}")
        if path is not None:
            print(f"Its certificate: {path}\nTry: pabal fetch --ca {path} {base}/quotes/BTC", flush=True)
        else:
            print(f"Try: pabal fetch {base}/quotes/BTC", flush=True)
        stop.wait()
    finally:
        server.stop()
        if path is not None:
            os.unlink(path)
    return 0
