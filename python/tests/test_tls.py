"""TLS: every way a certificate can be wrong has its own exception; what is right works."""

from __future__ import annotations

import datetime
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pabal
import pytest
import trustme
from pabal import exceptions
from support.scripted import Connection, ScriptedServer

Start = Callable[..., ScriptedServer]


def greet(connection: Connection) -> None:
    while connection.read_request():
        connection.answer(b"hello")


def context_of(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def days(count: int) -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=count)


def test_a_bundle_to_trust(scripted: Start, tls_context: ssl.SSLContext, ca_file: str) -> None:
    server = scripted(greet, tls_context)
    assert pabal.get(server.url, verify=ca_file).text == "hello"
    assert pabal.get(server.url, verify=Path(ca_file)).text == "hello"
    assert pabal.get(server.url.replace("127.0.0.1", "localhost"), verify=ca_file).text == "hello"


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_environment_names_a_bundle(name: str, scripted: Start, tls_context: ssl.SSLContext, ca_file: str) -> None:
    import os
    import subprocess
    import sys

    server = scripted(greet, tls_context)
    script = (
        f"import pabal; print(pabal.get({server.url!r}).text)\n"
        f"try: pabal.Session(trust_env=False).get({server.url!r})\n"
        "except pabal.exceptions.CertificateError: print('not trusted')"
    )
    command = [sys.executable, "-c", script]
    others = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
    environment = {key: value for key, value in os.environ.items() if key not in others}
    done = subprocess.run(command, env={**environment, name: ca_file}, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["hello", "not trusted"]


def test_untrusted(scripted: Start, tls_context: ssl.SSLContext) -> None:
    server = scripted(greet, tls_context)
    with pytest.raises(exceptions.CertificateUntrusted) as caught:
        pabal.get(server.url)
    assert (caught.value.phase, caught.value.whose) == ("tls", "peer")


def test_wrong_host(scripted: Start, authority: trustme.CA, ca_file: str) -> None:
    server = scripted(greet, context_of(authority.issue_cert("other.example")))
    with pytest.raises(exceptions.CertificateWrongHost, match=r"127\.0\.0\.1"):
        pabal.get(server.url, verify=ca_file)


def test_expired(scripted: Start, authority: trustme.CA, ca_file: str) -> None:
    certificate = authority.issue_cert("127.0.0.1", not_before=days(-10), not_after=days(-1))
    with pytest.raises(exceptions.CertificateExpired):
        pabal.get(scripted(greet, context_of(certificate)).url, verify=ca_file)


def test_not_yet_valid(scripted: Start, authority: trustme.CA, ca_file: str) -> None:
    certificate = authority.issue_cert("127.0.0.1", not_before=days(1), not_after=days(10))
    with pytest.raises(exceptions.CertificateNotYetValid):
        pabal.get(scripted(greet, context_of(certificate)).url, verify=ca_file)


def test_self_signed(scripted: Start, tmp_path: Path) -> None:
    """OpenSSL's own command makes one that is no authority's."""
    import subprocess

    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = scripted(greet, context)
    with pytest.raises(exceptions.CertificateSelfSigned):
        pabal.get(server.url)
    assert pabal.get(server.url, verify=str(certificate)).text == "hello"


def test_every_certificate_error_is_a_tls_error() -> None:
    for kind in (
        exceptions.CertificateExpired,
        exceptions.CertificateNotYetValid,
        exceptions.CertificateWrongHost,
        exceptions.CertificateSelfSigned,
        exceptions.CertificateUntrusted,
    ):
        assert issubclass(kind, exceptions.CertificateError)
        assert issubclass(kind, exceptions.TLSError)


def test_not_verifying_is_possible_and_does_not_spread(scripted: Start, tls_context: ssl.SSLContext) -> None:
    server = scripted(greet, tls_context)
    with pabal.Session() as session:
        assert session.get(server.url, verify=False).text == "hello"
        with pytest.raises(exceptions.CertificateUntrusted):
            session.get(server.url)
        session.verify = False
        assert session.get(server.url).text == "hello"
        session.verify = True
        with pytest.raises(exceptions.CertificateUntrusted):
            session.get(server.url)


def test_a_client_certificate(
    scripted: Start, authority: trustme.CA, ca_file: str, tmp_path: Path, tls_context: ssl.SSLContext
) -> None:
    context = context_of(authority.issue_cert("127.0.0.1"))
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED

    def who(connection: Connection) -> None:
        assert isinstance(connection.socket, ssl.SSLSocket)
        subject = connection.socket.getpeercert() or {}
        while connection.read_request():
            connection.answer(repr(subject.get("subjectAltName")).encode())

    mine = authority.issue_cert("me.example")
    whole, chain, key = tmp_path / "whole.pem", tmp_path / "chain.pem", tmp_path / "key.pem"
    mine.private_key_and_cert_chain_pem.write_to_path(str(whole))
    mine.cert_chain_pems[0].write_to_path(str(chain))
    mine.private_key_pem.write_to_path(str(key))
    server = scripted(who, context)
    with pabal.Session(verify=ca_file) as session:
        assert "me.example" in session.get(server.url, cert=str(whole)).text
        assert "me.example" in session.get(server.url, cert=(str(chain), str(key))).text
        with pytest.raises((exceptions.TLSError, exceptions.ConnectionClosed)):
            session.get(server.url)
        with pytest.raises(exceptions.ClientCertificateError):
            session.get(server.url, cert=str(tmp_path / "missing.pem"))
        with pytest.raises(exceptions.ClientCertificateError):
            session.get(server.url, cert=ca_file)


def test_a_bundle_that_cannot_be_read(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing in here")
    for path in (tmp_path / "missing.pem", empty):
        with pytest.raises(exceptions.TrustStoreError, match=path.name):
            pabal.get("https://127.0.0.1:1/", verify=path)


def test_contexts_of_the_ssl_module_are_refused_with_a_word() -> None:
    with pytest.raises(TypeError, match="verify"):
        pabal.get("https://127.0.0.1:1/", verify=ssl.create_default_context())  # type: ignore[arg-type]


@pytest.mark.parametrize("raw", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", b"\x15\x03\x01\x00\x02\x02\x28"])
def test_a_server_that_does_not_speak_tls(raw: bytes, scripted: Start) -> None:
    def script(connection: Connection) -> None:
        connection.socket.recv(1000)
        connection.send(raw)

    with pytest.raises((exceptions.TLSError, exceptions.ConnectionClosed)) as caught:
        pabal.get(scripted(script).url.replace("http:", "https:"))
    assert caught.value.phase == "tls"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_versions(version: ssl.TLSVersion, scripted: Start, authority: trustme.CA, ca_file: str) -> None:
    context = context_of(authority.issue_cert("127.0.0.1"))
    context.minimum_version = context.maximum_version = version
    seen: list[object] = []

    def script(connection: Connection) -> None:
        assert isinstance(connection.socket, ssl.SSLSocket)
        seen.append((connection.socket.version(), connection.socket.session_reused))
        connection.read_request()
        connection.answer(b"hello", "200 OK", "Connection: close")

    server = scripted(script, context)
    with pabal.Session(verify=ca_file) as session:
        for _ in range(4):
            assert session.get(server.url).text == "hello"
    assert seen[0] == (f"TLSv1.{'2' if version == ssl.TLSVersion.TLSv1_2 else '3'}", False)
    assert seen[-1][1], "the session was not resumed"  # type: ignore[index]


def test_a_version_that_is_too_old(scripted: Start, authority: trustme.CA, ca_file: str) -> None:
    context = context_of(authority.issue_cert("127.0.0.1"))
    context.set_ciphers("ALL:@SECLEVEL=0")
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(exceptions.TLSHandshakeError):
        pabal.get(scripted(greet, context).url, verify=ca_file)


def test_a_connection_cut_without_goodbye_is_no_end(scripted: Start, tls_context: ssl.SSLContext, ca_file: str) -> None:
    """A body that lasts until the end of the connection must not be cut by whoever can cut TCP (truncation attack)."""

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\n\r\nhalf of it")
        connection.socket.shutdown(socket.SHUT_WR)

    with pytest.raises((exceptions.IncompleteBody, exceptions.TLSError, exceptions.ConnectionClosed)):
        pabal.get(scripted(script, tls_context).url, verify=ca_file)


def test_keys_are_logged_when_asked(scripted: Start, tls_context: ssl.SSLContext, ca_file: str, tmp_path: Path) -> None:
    import os
    import subprocess
    import sys

    log = tmp_path / "keys.log"
    server = scripted(greet, tls_context)
    script = f"import pabal; pabal.get({server.url!r}, verify={ca_file!r})"
    subprocess.run([sys.executable, "-c", script], env={**os.environ, "SSLKEYLOGFILE": str(log)}, check=True)
    assert "CLIENT_TRAFFIC_SECRET_0" in log.read_text()


@pytest.fixture
def big_body(scripted: Start, tls_context: ssl.SSLContext) -> Iterator[str]:
    def script(connection: Connection) -> None:
        while request := connection.read_request():
            connection.answer(request.body)

    yield scripted(script, tls_context).url


def test_big_bodies_both_ways(big_body: str, ca_file: str) -> None:
    data = bytes(range(256)) * 20_000
    assert pabal.post(big_body, data=data, verify=ca_file).content == data
