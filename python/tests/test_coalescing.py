"""Connections that serve several origins (RFC 9113 section 9.1.1, RFC 9110 section 15.5.20), with nginx and aioquic."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pabal
import pytest
import trustme
from pabal import exceptions
from support.http3 import Http3Server
from support.nginx import CONFIGURATION, Nginx

#: What nginx says of itself: which connection, and for which origin.
PLACES = """
        location = /which { return 200 '$connection $host'; }
        location = /strict { if ($ssl_server_name != $host) { return 421; } return 200 '$connection $host'; }
        location = /never { return 421; }
        location = /price"""


def named(authority: trustme.CA, folder: Path, *names: str, http2: bool = True) -> Nginx:
    certificate = authority.issue_cert(*names)
    chain = b"".join(blob.bytes() for blob in certificate.cert_chain_pems)
    places = PLACES.replace("{ ", "{{ ").replace("; }", "; }}")
    configuration = CONFIGURATION.replace("\n        location = /price", places, 1)
    if http2:
        configuration = configuration.replace("{tls_port} ssl;", "{tls_port} ssl http2;")
    return Nginx(folder, chain, certificate.private_key_pem.bytes(), configuration)


@pytest.fixture(scope="module")
def shared(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    server = named(authority, tmp_path_factory.mktemp("shared"), "a.localhost", "b.localhost", "*.wild.localhost")
    yield server
    server.stop()


def at(server: Nginx, host: str, path: str = "/which") -> str:
    return f"https://{host}:{urlsplit(server.tls_url).port}{path}"


def test_names_of_one_certificate_at_one_address_share_a_connection(shared: Nginx, ca_file: str) -> None:
    with pabal.Session(verify=ca_file) as session:
        answers = [
            session.get(at(shared, host)).text.split()
            for host in ("a.localhost", "b.localhost", "x.wild.localhost", "b.localhost", "a.localhost")
        ]
    assert len({connection for connection, _ in answers}) == 1
    assert [host for _, host in answers][:3] == ["a.localhost", "b.localhost", "x.wild.localhost"]


def test_so_do_requests_at_once(shared: Nginx, ca_file: str) -> None:
    async def connections() -> set[str]:
        async with pabal.AsyncSession(verify=ca_file) as session:
            first = await session.get(at(shared, "a.localhost"))
            others = await asyncio.gather(*[session.get(at(shared, f"{n}.wild.localhost")) for n in range(20)])
        return {answer.text.split()[0] for answer in [first, *others]}

    assert len(asyncio.run(connections())) == 1


def test_a_connection_over_quic_is_shared_too(authority: trustme.CA, tmp_path: Path, ca_file: str) -> None:
    server = Http3Server(authority.issue_cert("a.localhost", "b.localhost"), tmp_path)
    try:
        with pabal.Session(verify=ca_file, http="3") as session:
            for host in ("a.localhost", "b.localhost", "b.localhost", "a.localhost"):
                assert session.get(f"https://{host}:{server.port}/price").http_version == "3"
            assert server.connections == 1
            with pytest.raises(exceptions.CertificateWrongHost):
                session.get(f"https://c.localhost:{server.port}/price")
    finally:
        server.stop()


def test_a_name_that_the_certificate_does_not_cover_is_refused_as_ever(shared: Nginx, ca_file: str) -> None:
    with pabal.Session(verify=ca_file) as session:
        session.get(at(shared, "a.localhost"))
        with pytest.raises(exceptions.CertificateWrongHost):
            session.get(at(shared, "c.localhost"))


def test_a_server_that_says_421_is_asked_on_a_connection_of_its_own(shared: Nginx, ca_file: str) -> None:
    with pabal.Session(verify=ca_file) as session:
        session.get(at(shared, "a.localhost"))
        answer = session.post(at(shared, "b.localhost", "/strict"), content=b"once more")
        assert (answer.status_code, answer.text.split()[1]) == (200, "b.localhost")
        assert [each.status for each in answer.trace.hops] == [421, 200]
        again = session.get(at(shared, "b.localhost", "/strict"))
        assert again.text == answer.text
        assert len(again.trace.hops) == 1
        assert session.get(at(shared, "a.localhost")).text.split()[0] != again.text.split()[0]


def test_a_421_on_a_connection_of_its_own_is_the_answer(shared: Nginx, ca_file: str) -> None:
    with pabal.Session(verify=ca_file) as session:
        assert session.get(at(shared, "a.localhost", "/never")).status_code == 421
        answer = session.get(at(shared, "b.localhost", "/never"))
        assert (answer.status_code, len(answer.trace.hops)) == (421, 2)


def test_a_streamed_body_that_cannot_be_sent_again_gets_the_421(shared: Nginx, ca_file: str) -> None:
    with pabal.Session(verify=ca_file) as session:
        session.get(at(shared, "a.localhost"))
        answer = session.post(at(shared, "b.localhost", "/strict"), content=iter([b"only ", b"once"]))
        assert answer.status_code == 421


@pytest.mark.parametrize("how", ["limits", "verify", "http"])
def test_what_keeps_origins_apart(how: str, shared: Nginx, ca_file: str) -> None:
    limits = pabal.Limits(coalesce=False) if how == "limits" else None
    verify = False if how == "verify" else ca_file
    with pabal.Session(verify=verify, limits=limits, http="1.1" if how == "http" else None) as session:
        answers = [session.get(at(shared, host)).text.split()[0] for host in ("a.localhost", "b.localhost")]
    assert len(set(answers)) == 2
