"""Fixtures for all tests: real peers, certificates, loops to run on, and a look at what is left open."""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
import uvloop

sys.path.insert(0, str(Path(__file__).parent))  # for `support`

from support.leaks import descriptors, settle
from support.nginx import Nginx
from support.scripted import Script, ScriptedServer

# All test traffic is to this machine, whatever proxy the surroundings use.
for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
    os.environ.pop(name, None)
    os.environ.pop(name.upper(), None)


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The authority's certificate, for ``verify=``."""
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def server_context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


@pytest.fixture(scope="session")
def tls_context(authority: trustme.CA) -> ssl.SSLContext:
    """A server's, with a certificate for 127.0.0.1 and localhost."""
    return server_context(authority.issue_cert("127.0.0.1", "localhost"))


@pytest.fixture(scope="session")
def nginx(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    chain = b"".join(blob.bytes() for blob in certificate.cert_chain_pems)
    server = Nginx(tmp_path_factory.mktemp("nginx"), chain, certificate.private_key_pem.bytes())
    yield server
    server.stop()


@pytest.fixture
def scripted() -> Iterator[Callable[..., ScriptedServer]]:
    """``scripted(script, tls=context)`` starts a `ScriptedServer` that lives as long as the test."""
    with contextlib.ExitStack() as stack:

        def start(script: Script, tls: ssl.SSLContext | None = None) -> ScriptedServer:
            server = ScriptedServer(script, tls)
            stack.callback(server.close)
            return server

        yield start


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Callable[[Any], Any]:
    """Runs a coroutine to its end, on asyncio's loop and on uvloop's."""
    return asyncio.run if request.param == "asyncio" else uvloop.run


@pytest.fixture
def no_leaks() -> Iterator[None]:
    """Fails when the test leaves descriptors open. Ask for it before the fixtures that open some of their own."""
    before = descriptors()
    yield
    left = settle(before)
    assert not left, f"left open: {left}"
