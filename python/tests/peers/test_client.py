"""pabal's client with servers that nobody here wrote, over HTTP/2 and HTTP/3: what works, works with all of them."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections.abc import Callable, Iterator

import pabal
import pytest
import trustme
from support.peers import KINDS, QUOTE, SIZES, STREAMS, Kind, Peer, running

#: What is sent at once; a tenth where every byte is looked at by a sanitizer.
LARGE = b"x" * (10_000_000 if os.environ.get("PABAL_SANITIZED") else 100_000_000)
DIGEST = hashlib.sha256(LARGE).hexdigest()


@pytest.fixture(scope="module", params=KINDS, ids=str)
def peer(
    request: pytest.FixtureRequest, authority: trustme.CA, ca_file: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Peer]:
    with running(request.param, tmp_path_factory.mktemp("peer"), authority, ca_file) as started:
        yield started


def where(can: Callable[[Kind], bool]) -> pytest.MarkDecorator:
    """For the kinds of server that can do something; KINDS says what the others lack, and why."""
    return pytest.mark.parametrize(
        "peer", [kind for kind in KINDS if can(kind)], ids=str, indirect=True, scope="module"
    )


def test_get(peer: Peer) -> None:
    with peer.session() as session:
        response = session.get(f"{peer.url}/price")
        assert (response.status_code, response.http_version, response.content) == (200, peer.kind.version, QUOTE)
        for size in SIZES:
            assert session.get(f"{peer.url}/bytes/{size}").content == b"p" * size


def test_head_has_the_length_and_no_content(peer: Peer) -> None:
    with peer.session() as session:
        for size in SIZES:
            response = session.head(f"{peer.url}/bytes/{size}")
            assert (response.status_code, response.content) == (200, b"")
            assert response.headers["content-length"] == str(size)


def test_post_of_nothing_and_of_pieces(peer: Peer) -> None:
    with peer.session() as session:
        assert peer.counted(session.post(f"{peer.url}/count")) == (0, hashlib.sha256().hexdigest())
        response = session.post(f"{peer.url}/count", content=iter([b"x" * 1000] * 100))
        assert peer.counted(response) == (100_000, hashlib.sha256(b"x" * 100_000).hexdigest())


@pytest.mark.timeout(120)
def test_post_of_a_large_body(peer: Peer) -> None:
    with peer.session(timeout=100) as session:
        assert peer.counted(session.post(f"{peer.url}/count", content=LARGE)) == (len(LARGE), DIGEST)


def test_a_thousand_requests_at_once_share_a_connection(peer: Peer) -> None:
    async def main() -> None:
        async with peer.asynchronous(limits=pabal.Limits(max_connections_per_host=1)) as session:
            responses = await asyncio.gather(*(session.get(f"{peer.url}/price") for _ in range(STREAMS)))
        assert {(each.status_code, each.http_version, each.content) for each in responses} == {
            (200, peer.kind.version, QUOTE)
        }
        assert len({each.trace.connection.local_address for each in responses if each.trace.connection}) == 1

    asyncio.run(main())


@where(lambda kind: not kind.no_trailers)
def test_trailers_of_a_response(peer: Peer) -> None:
    with peer.session() as session:
        response = session.get(f"{peer.url}/trailers", headers={"TE": "trailers"})
    assert (response.content, response.trailers["checksum"]) == (b"body", "4")


@where(lambda kind: not kind.no_trailers_in)
def test_trailers_of_a_request(peer: Peer) -> None:
    with peer.session() as session:
        response = session.put(f"{peer.url}/count", content=iter([b"x" * 1000] * 3), trailers={"Sum": "1"})
    assert response.text == f"PUT|3000|{hashlib.sha256(b'x' * 3000).hexdigest()}|1"


@where(lambda kind: not kind.no_resumption)
def test_a_new_connection_resumes_the_tls_session_of_an_earlier_one(peer: Peer) -> None:
    with peer.session(limits=pabal.Limits(idle_timeout=0.1)) as session:
        first = session.get(f"{peer.url}/price").trace.connection
        for _ in range(50):
            time.sleep(0.2)  # until the connection has gone; nghttpd's ticket comes only after its response, too
            later = session.get(f"{peer.url}/price").trace.connection
            assert first and later
            if later.tls_resumed:
                assert later.local_address != first.local_address
                return
    pytest.fail("no connection was resumed")


def test_what_is_not_there(peer: Peer) -> None:
    with peer.session() as session:
        assert session.get(f"{peer.url}/nothing").status_code == 404
        with pytest.raises(pabal.exceptions.HTTPStatusError):
            session.get(f"{peer.url}/nothing").raise_for_status()


@where(lambda kind: not kind.no_breaking)
def test_a_response_that_ends_in_the_middle_costs_the_next_one_nothing(peer: Peer) -> None:
    with peer.session() as session:
        for _ in range(3):
            with pytest.raises(pabal.PabalError) as caught:
                session.get(f"{peer.url}/broken", retries=0)
            assert caught.value.whose in ("peer", "network")
            assert session.get(f"{peer.url}/price").content == QUOTE


def test_a_server_that_stops_between_requests_and_one_that_is_back(
    peer: Peer, authority: trustme.CA, ca_file: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with (
        running(peer.kind, tmp_path_factory.mktemp("stopping"), authority, ca_file) as stopping,
        stopping.session(timeout=20, retries=0) as session,
    ):
        for _ in range(2):
            assert session.post(f"{stopping.url}/count", content=b"x").status_code == 200
            stopping.stop()
            with pytest.raises(pabal.exceptions.ConnectError) as caught:
                session.post(f"{stopping.url}/count", content=b"x")
            assert caught.value.code == "connection_refused"
            stopping.start()
        assert session.get(f"{stopping.url}/price").content == QUOTE
