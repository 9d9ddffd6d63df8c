"""HTTP/3 connections that outlive their addresses (RFC 9000 section 9); proofs of address (section 8.1.3)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pabal
import pytest
import trustme
from aioquic.buffer import Buffer
from aioquic.quic.connection import QuicConnection
from aioquic.quic.packet import QuicFrameType, pull_quic_header
from support.datagram_relay import Relay
from support.http3 import LARGE, QUOTE, Http3Server, Request, answer

HERE = Path(__file__).parent


@pytest.fixture
def start(authority: trustme.CA, tmp_path: Any) -> Iterator[Callable[..., tuple[Http3Server, Relay]]]:
    """``start()`` starts a server, and a relay before it, that live as long as the test."""
    started: list[Http3Server | Relay] = []

    def begin(answer: Callable[[Request], None] = answer, **options: Any) -> tuple[Http3Server, Relay]:
        server = Http3Server(authority.issue_cert("127.0.0.1"), tmp_path, answer, **options)
        relay = Relay(server.port)
        started.extend((relay, server))
        return server, relay

    yield begin
    for each in started:
        each.stop()


def test_a_connection_outlives_a_nat_that_forgets_it(
    no_leaks: None, start: Callable[..., tuple[Http3Server, Relay]], ca_file: str
) -> None:
    server, relay = start()
    with pabal.Session(verify=ca_file, http="3", timeout=20) as session:
        for _ in range(4):
            assert session.post(f"{relay.url}/echo", content=b"x").text == "POST||1|[]"
            relay.rebind()
        assert session.get(f"{relay.url}/large").content == LARGE
    assert server.connections == 1


def test_a_body_under_way_outlives_it_too(
    no_leaks: None, start: Callable[..., tuple[Http3Server, Relay]], ca_file: str
) -> None:
    server, relay = start()
    with pabal.Session(verify=ca_file, http="3", timeout=20) as session:
        with session.stream("GET", f"{relay.url}/large") as response:
            pieces = response.iter_bytes()
            body = next(pieces)
            relay.rebind()
            body += b"".join(pieces)
        assert body == LARGE
    assert server.connections == 1


def test_a_client_whom_nothing_reaches_any_more_goes_on_from_another_port(
    no_leaks: None, start: Callable[..., tuple[Http3Server, Relay]], ca_file: str
) -> None:
    server, relay = start()
    with pabal.Session(verify=ca_file, http="3", timeout=20, retries=0) as session:
        assert session.post(f"{relay.url}/echo", content=b"x").text == "POST||1|[]"
        for _ in range(2):
            relay.drop()
            assert session.post(f"{relay.url}/echo", content=b"y").text == "POST||1|[]"
    assert server.connections == 1


def test_a_client_whom_nothing_reaches_at_all_says_so(
    start: Callable[..., tuple[Http3Server, Relay]], ca_file: str
) -> None:
    _, relay = start(idle_timeout=1)
    with (
        pabal.Session(verify=ca_file, http="3", timeout=100, retries=0) as session,
        session.stream("GET", f"{relay.url}/large") as response,
    ):
        pieces = response.iter_bytes()
        next(pieces)
        relay.loses = 1
        with pytest.raises(pabal.exceptions.IncompleteBody, match="nothing came for too long") as failed:
            b"".join(pieces)
    assert failed.value.whose == "network"


def test_a_client_whose_address_is_gone_goes_on_from_another() -> None:
    command = ["unshare", "--net", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    done = subprocess.run(
        [*command, sys.executable, "-m", "support.address_change"],
        cwd=HERE,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    said = json.loads(done.stdout)
    assert said["before"] == [f"GET|n={number}|0|[]" for number in range(3)]
    assert said["after"] == [f"POST|n={number}|1|[]" for number in range(3)]
    assert said["connections"] == 1


def test_a_proof_of_address_is_brought_along_once(
    start: Callable[..., tuple[Http3Server, Relay]], ca_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = b"it is you whom I have seen before"
    write_handshake_done = QuicConnection._write_handshake_done_frame

    def write_token_too(self: QuicConnection, builder: Any) -> None:
        write_handshake_done(self, builder)
        frame: Buffer = builder.start_frame(QuicFrameType.NEW_TOKEN, capacity=1 + 2 + len(token))
        frame.push_uint_var(len(token))
        frame.push_bytes(token)

    monkeypatch.setattr(QuicConnection, "_write_handshake_done_frame", write_token_too)
    _, relay = start()
    with pabal.Session(verify=ca_file, http="3", timeout=20) as session:
        for _ in range(2):
            assert session.get(f"{relay.url}/price").content == QUOTE
            with pytest.raises(pabal.PabalError):
                session.post(f"{relay.url}/close?100")
        monkeypatch.undo()
        for _ in range(2):
            assert session.get(f"{relay.url}/price").content == QUOTE
            with pytest.raises(pabal.PabalError):
                session.post(f"{relay.url}/close?100")
    brought = [pull_quic_header(Buffer(data=first), host_cid_length=8).token for first in relay.first]
    assert brought == [b"", token, token, b""]
