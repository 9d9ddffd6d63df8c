"""When what happened: `response.trace` and `error.trace`."""

from __future__ import annotations

import asyncio
import pickle
import time
from collections.abc import Callable

import pabal
import pytest
from pabal import exceptions
from support.nginx import Nginx
from support.scripted import Connection, ScriptedServer

Start = Callable[..., ScriptedServer]


def slowly(connection: Connection) -> None:
    while request := connection.read_request():
        if request.target == "/moved":
            connection.answer(b"", "302 Found", "Location: /slow?token=secret")
            continue
        time.sleep(0.05)
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
        time.sleep(0.05)
        connection.send(b"cd")


def test_the_phases_of_a_request(scripted: Start) -> None:
    server = scripted(slowly)
    before = time.time()
    with pabal.Session() as session:
        trace = session.get(server.url + "/slow").trace
        assert len(trace.hops) == 1 and trace.last is trace.hops[0]
        assert not trace.reused
        assert 0.04 < trace.wait < 1
        assert 0.04 < trace.receive < 1
        assert trace.connect > 0 and trace.tls == 0 and trace.resolve < 0.05
        parts = trace.queued + trace.resolve + trace.connect + trace.tls + trace.send + trace.wait + trace.receive
        assert parts == pytest.approx(trace.elapsed, abs=0.005)
        assert before - 0.01 <= trace.started_at <= time.time()
        assert trace.connection is not None
        assert trace.connection.peer_address == f"127.0.0.1:{server.port}"
        assert trace.connection.local_address.startswith("127.0.0.1:")
        assert trace.connection.tls_version == trace.connection.cipher == trace.connection.alpn == ""

        again = session.get(server.url + "/slow").trace
        assert again.reused and again.connect == again.resolve == 0
        assert again.connection is not None
        assert again.connection.local_address == trace.connection.local_address
        assert again.connection.dialled is not None and again.connection.dialled < 0


def test_tls(nginx: Nginx, ca_file: str) -> None:
    with pabal.Session(verify=ca_file) as session:
        trace = session.get(nginx.tls_url + "/price").trace
        assert trace.tls > 0
        connection = trace.connection
        assert connection is not None
        assert connection.tls_version in ("TLSv1.2", "TLSv1.3")  # as old as the nginx
        assert connection.cipher.startswith("TLS_")
        assert not connection.tls_resumed
        assert not connection.encrypted_client_hello
        closed = session.get(nginx.tls_url + "/close").trace
        assert closed.reused
        resumed = session.get(nginx.tls_url + "/price").trace.connection
        assert resumed is not None and resumed.tls_resumed


def test_every_hop(scripted: Start) -> None:
    server = scripted(slowly)
    trace = pabal.get(server.url + "/moved").trace
    assert [(hop.status, hop.reused) for hop in trace.hops] == [(302, False), (200, True)]
    assert trace.hops[1].url == server.url + "/slow?token=***"
    first, last = trace.hops
    assert first.ended is not None and last.submitted is not None and last.ended is not None
    assert 0 <= first.ended <= last.submitted < last.ended
    assert trace.elapsed == last.ended


def test_attempts_are_hops(scripted: Start) -> None:
    seen = 0

    def script(connection: Connection) -> None:
        nonlocal seen
        while connection.read_request():
            seen += 1
            if seen == 2:
                return
            connection.answer()

    server = scripted(script)
    with pabal.Session() as session:
        session.get(server.url)
        trace = session.get(server.url).trace
    assert [(hop.status, hop.error) for hop in trace.hops] == [(0, "connection_closed"), (200, None)]
    assert trace.hops[0].error_phase == "read"
    assert trace.hops[0].connection != trace.hops[1].connection


def test_of_a_streamed_response(scripted: Start) -> None:
    server = scripted(slowly)
    with pabal.Session() as session, session.stream("GET", server.url) as response:
        assert response.trace.last.head is not None
        assert response.trace.last.ended is None and response.trace.receive == 0
        assert response.content == b"abcd"
        assert response.trace.last.ended is not None and response.trace.receive > 0.04


def test_of_an_async_request(nginx: Nginx) -> None:
    async def main() -> None:
        async with pabal.AsyncSession() as session:
            responses = await asyncio.gather(*[session.get(nginx.url + "/price") for _ in range(5)])
            assert not any(response.trace.reused for response in responses)
            assert (await session.get(nginx.url + "/price")).trace.reused

    asyncio.run(main())


def test_waiting_for_a_connection(scripted: Start) -> None:
    server = scripted(slowly)

    async def main() -> None:
        async with pabal.AsyncSession(limits=pabal.Limits(1)) as session:
            first, second = await asyncio.gather(session.get(server.url), session.get(server.url))
            assert first.trace.queued < 0.04
            assert second.trace.queued > 0.05 and second.trace.reused

    asyncio.run(main())


def test_of_a_failure(scripted: Start) -> None:
    with pytest.raises(exceptions.ConnectionRefused) as refused:
        pabal.get("http://127.0.0.1:1/?api_key=secret")
    trace = refused.value.trace
    assert trace is not None and trace.connection is None
    assert (trace.last.error, trace.last.error_phase, trace.last.status) == ("connection_refused", "connect", 0)
    assert trace.last.url == "http://127.0.0.1:1/?api_key=***"
    assert refused.value.elapsed == trace.elapsed >= 0

    server = scripted(slowly)
    with pytest.raises(exceptions.TotalTimeout) as late:
        pabal.get(server.url, timeout=0.02)
    assert late.value.trace is not None and late.value.trace.last.sent is not None
    assert late.value.trace.last.head is None
    assert late.value.elapsed == pytest.approx(0.02, abs=0.015)
    copy = pickle.loads(pickle.dumps(late.value))
    assert copy.trace is not None and copy.trace.hops == late.value.trace.hops

    async def main() -> None:
        async with pabal.AsyncSession() as session:
            with pytest.raises(exceptions.ConnectionRefused) as again:
                await session.get("http://127.0.0.1:1/")
            assert again.value.elapsed is not None

    asyncio.run(main())
    with pytest.raises(exceptions.InvalidURL) as invalid:
        pabal.get("http://")
    assert invalid.value.trace is None and invalid.value.elapsed is None


def test_of_a_failure_in_the_middle_of_a_stream(scripted: Start) -> None:
    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")

    with pabal.stream("GET", scripted(script).url) as response, pytest.raises(exceptions.IncompleteBody) as broken:
        assert response.content
    assert broken.value.trace is not None and broken.value.trace.last.status == 200
    assert broken.value.trace.last.error == "body_incomplete"


def test_it_can_be_read(nginx: Nginx) -> None:
    trace = pabal.get(nginx.url + "/moved").trace
    text = str(trace)
    assert text.startswith(f"GET {nginx.url}/moved -> 302 in ")
    assert "new connection to 127.0.0.1:" in text and "reused connection to" in text and "wait " in text
    assert repr(trace).startswith(f"<Trace <Hop GET {nginx.url}/price -> 200 in ")
    assert repr(trace).endswith("after 1 more>")
    with pytest.raises(exceptions.ConnectionRefused) as refused:
        pabal.get("http://127.0.0.1:1/")
    assert "-> connection_refused (connect) in " in str(refused.value.trace)
