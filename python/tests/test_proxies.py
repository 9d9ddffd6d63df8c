"""Proxies: real ones of every kind, what the rules mean, and that nothing goes direct when a proxy was asked for."""

from __future__ import annotations

import asyncio
import base64
import os
import pickle
import ssl
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pabal
import pytest
import trustme
from pabal import exceptions
from pabal.exceptions import InvalidArgument, ProxyAuthenticationError, ProxyError, ProxyTimeout
from support.nginx import QUOTE, Nginx, free_port
from support.proxies import PASSWORD, USER, USERINFO, Dante, Microsocks, RunningProxy, Squid, Tinyproxy
from support.scripted import Connection, Received, ScriptedServer

Start = Callable[..., ScriptedServer]
BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


def pem_of(authority: trustme.CA) -> tuple[bytes, bytes]:
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    return b"".join(blob.bytes() for blob in certificate.cert_chain_pems), certificate.private_key_pem.bytes()


def stopped_at_the_end(proxy: RunningProxy) -> Iterator[Any]:
    yield proxy
    proxy.stop()


@pytest.fixture(scope="module")
def squid(authority: trustme.CA) -> Iterator[Squid]:
    yield from stopped_at_the_end(Squid(*pem_of(authority)))


@pytest.fixture(scope="module")
def squid_with_auth(authority: trustme.CA) -> Iterator[Squid]:
    yield from stopped_at_the_end(Squid(*pem_of(authority), auth=True))


@pytest.fixture(scope="module")
def tinyproxy() -> Iterator[Tinyproxy]:
    yield from stopped_at_the_end(Tinyproxy())


@pytest.fixture(scope="module")
def tinyproxy_with_auth() -> Iterator[Tinyproxy]:
    yield from stopped_at_the_end(Tinyproxy(auth=True))


@pytest.fixture(scope="module")
def dante() -> Iterator[Dante]:
    yield from stopped_at_the_end(Dante())


@pytest.fixture(scope="module")
def microsocks() -> Iterator[Microsocks]:
    yield from stopped_at_the_end(Microsocks())


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets variables; those given as None go."""

    def change(**variables: str | None) -> None:
        for name, value in variables.items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)

    return change


KINDS = [
    "squid http",
    "squid https",
    "squid http auth",
    "squid https auth",
    "tinyproxy http",
    "tinyproxy http auth",
    "dante socks4",
    "dante socks5",
    "dante socks5h",
    "microsocks socks5 auth",
    "microsocks socks5h auth",
]


@pytest.fixture(params=KINDS)
def by(request: pytest.FixtureRequest) -> str:
    """The URL of a proxy, one of each kind."""
    program, scheme, *auth = request.param.split()
    name = f"{program}_with_auth" if auth and program != "microsocks" else program
    proxy = request.getfixturevalue(name)
    port = proxy.tls_port if scheme == "https" else proxy.port
    who = "" if not auth else "user:secret@" if program == "tinyproxy" else f"{USERINFO}@"
    return f"{scheme}://{who}127.0.0.1:{port}"


# --- real proxies -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_every_kind_of_proxy_carries_both_schemes(by: str, scheme: str, host: str, nginx: Nginx, ca_file: str) -> None:
    origin = (nginx.tls_url if scheme == "https" else nginx.url).replace("127.0.0.1", host)
    with pabal.Session(proxy=by, verify=ca_file) as session:
        for _ in range(3):
            response = session.get(f"{origin}/price")
            assert (response.status_code, response.content) == (200, QUOTE)
    # Without a connection kept alive: tinyproxy closes those without a word, and a POST is not sent twice.
    posted = pabal.post(f"{origin}/headers?a=b", content=b"x" * 300_000, proxy=by, verify=ca_file)
    assert posted.text.split("|")[2:] == ["POST", "a=b", "300000"]


def test_every_kind_of_proxy_serves_the_loop(by: str, nginx: Nginx, ca_file: str, run: Callable[[Any], Any]) -> None:
    (nginx.www / "large.bin").write_bytes(large := os.urandom(3_000_000))

    async def main() -> None:
        async with pabal.AsyncSession(proxy=by, verify=ca_file, limits=pabal.Limits(10)) as session:
            urls = [f"{base}/price" for base in (nginx.url, nginx.tls_url)] * 20
            responses = await asyncio.gather(*[session.get(url) for url in urls])
            assert {response.content for response in responses} == {QUOTE}
            assert (await session.get(f"{nginx.tls_url}/large.bin")).content == large

    run(main())


def test_tunnels_are_kept_alive(squid: Squid, nginx: Nginx, ca_file: str) -> None:
    host = nginx.tls_url.replace("https://127.0.0.1", "localhost")
    before = squid.log.count(f"CONNECT {host}")
    with pabal.Session(proxy=f"http://{squid.address}", verify=ca_file) as session:
        for _ in range(5):
            session.get(f"https://{host}/price")
    with pabal.Session(proxy=f"http://{squid.address}") as session, pytest.raises(ProxyError):
        session.get("https://forbidden.test/")
    squid.wait_for_log("forbidden.test")
    for _ in range(100):  # a tunnel is logged when it ends
        if squid.log.count(f"CONNECT {host}") > before:
            break
        time.sleep(0.05)
    assert squid.log.count(f"CONNECT {host}") == before + 1


def test_socks_tunnels_are_kept_alive(dante: Dante, nginx: Nginx) -> None:
    before = dante.log.count("tcp/connect")
    with pabal.Session(proxy=f"socks5://{dante.address}") as session:
        for _ in range(5):
            session.get(f"{nginx.url}/price")
    assert dante.log.count("tcp/connect") == before + 1


def test_a_proxys_via_shows_that_it_was_passed(squid: Squid, nginx: Nginx) -> None:
    assert "squid" in pabal.get(f"{nginx.url}/price", proxy=f"http://{squid.address}").headers["Via"]
    assert "Via" not in pabal.get(f"{nginx.url}/price").headers


@pytest.mark.parametrize("who", ["", "user:wrong@", "somebody:secret@", "user@"])
def test_wrong_credentials(
    who: str, squid_with_auth: Squid, microsocks: Microsocks, nginx: Nginx, ca_file: str, no_leaks: None
) -> None:
    with pabal.Session(verify=ca_file) as session:
        by = f"http://{who}{squid_with_auth.address}"
        with pytest.raises(ProxyAuthenticationError, match="407 Proxy Authentication Required") as caught:
            session.get(f"{nginx.tls_url}/price", proxy=by)
        assert (caught.value.status, caught.value.code) == (407, "proxy_auth_required")
        assert (caught.value.phase, caught.value.whose) == ("proxy", "proxy")
        assert "wrong" not in str(caught.value)
        # What a proxy that forwards says is a response: nobody can tell it from the origin's.
        assert session.get(f"{nginx.url}/price", proxy=by).status_code == 407
        with pytest.raises(ProxyAuthenticationError) as caught:
            session.get(f"{nginx.url}/price", proxy=f"socks5h://{who}{microsocks.address}")
        assert "wrong" not in str(caught.value)


def test_a_password_may_be_empty(scripted: Start) -> None:
    """By a proxy of ours: squid refuses them."""
    proxy = Recorder(scripted, refuse_tunnels)
    for by in (f"http://nobody:@127.0.0.1:{proxy.port}", f"http://nobody@127.0.0.1:{proxy.port}"):
        with pytest.raises(ProxyError, match="403"):
            pabal.get("https://origin.test/", proxy=by)
        assert pabal.get("http://origin.test/", proxy=by).text == "forwarded"
    wanted = "Basic " + base64.b64encode(b"nobody:").decode()
    assert [request.value("proxy-authorization") for request in proxy.requests] == [wanted] * 4


@pytest.mark.parametrize("scheme", ["socks4", "socks5", "socks5h"])
def test_a_socks_proxy_that_refuses(scheme: str, dante: Dante) -> None:
    with pytest.raises(ProxyError, match=r"refused a tunnel to 127\.0\.0\.66:80") as caught:
        pabal.get("http://127.0.0.66/", proxy=f"{scheme}://{dante.address}")
    assert caught.value.status in (2, 91)
    assert not isinstance(caught.value, ProxyAuthenticationError)


def test_an_http_proxy_that_refuses(squid: Squid, no_leaks: None) -> None:
    with pytest.raises(ProxyError, match="403 Forbidden") as caught:
        pabal.get("https://forbidden.test/", proxy=f"http://{squid.address}")
    assert (caught.value.status, caught.value.code) == (403, "proxy_refused")
    assert isinstance(caught.value, exceptions.ConnectError)
    assert isinstance(caught.value, ConnectionError)


def test_an_origin_that_the_proxy_cannot_reach(squid: Squid, dante: Dante) -> None:
    port = free_port()
    with pytest.raises(ProxyError, match="503") as caught:
        pabal.get(f"https://127.0.0.1:{port}/", proxy=f"http://{squid.address}")
    assert caught.value.code == "proxy_refused"
    assert pabal.get(f"http://127.0.0.1:{port}/", proxy=f"http://{squid.address}").status_code == 503
    with pytest.raises(ProxyError, match=r"connection refused|general failure"):
        pabal.get(f"http://127.0.0.1:{port}/", proxy=f"socks5://{dante.address}")


def test_the_proxys_certificate_is_verified(squid: Squid, nginx: Nginx, ca_file: str) -> None:
    by = f"https://127.0.0.1:{squid.tls_port}"
    for origin in (nginx.url, nginx.tls_url):
        with pytest.raises(ProxyError, match="certificate") as caught:
            pabal.get(f"{origin}/price", proxy=by)
        assert (caught.value.code, caught.value.phase) == ("proxy_tls_failed", "proxy")
        assert pabal.get(f"{origin}/price", proxy=by, verify=False).ok
        assert pabal.get(f"{origin}/price", proxy=by, verify=ca_file).ok


def test_the_origins_certificate_is_verified_through_the_tunnel(by: str, nginx: Nginx) -> None:
    if by.startswith("https"):
        return  # the proxy's is not trusted either: see above
    with pytest.raises(exceptions.CertificateUntrusted, match=r"through the proxy") as caught:
        pabal.get(f"{nginx.tls_url}/price", proxy=by)
    assert (caught.value.phase, caught.value.whose) == ("tls", "peer")
    assert "secret" not in str(caught.value) and "se:cret" not in str(caught.value)


def test_a_client_certificate_is_for_the_origin_alone(
    scripted: Start, authority: trustme.CA, ca_file: str, tmp_path: Path
) -> None:
    seen: list[object] = []

    def refuse(connection: Connection) -> None:
        assert isinstance(connection.socket, ssl.SSLSocket)
        seen.append(connection.socket.getpeercert())
        connection.read_head()
        connection.answer(b"", "403 Forbidden")

    identity = authority.issue_cert("client@example.com")
    identity.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "client.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_OPTIONAL
    by = scripted(refuse, context).url
    with pytest.raises(ProxyError):
        pabal.get("https://origin.test/", proxy=by, verify=ca_file, cert=str(tmp_path / "client.pem"))
    session = pabal.Session(proxy=by, verify=ca_file, cert=str(tmp_path / "client.pem"))
    with pytest.raises(ProxyError):
        session.get("https://origin.test/")
    assert seen == [None, None] or seen == [{}, {}]


# --- what goes on the wire --------------------------------------------------------------------------------------------


class Recorder:
    """An origin or a proxy that notes every request and answers it itself."""

    def __init__(self, scripted: Start, answer: Callable[[Connection, Received], None] | None = None) -> None:
        self.requests: list[Received] = []
        self._answer = answer
        self.server = scripted(self._serve)
        self.port = self.server.port
        self.url = self.server.url

    def _serve(self, connection: Connection) -> None:
        while (request := connection.read_request()) is not None:
            self.requests.append(request)
            if self._answer is not None:
                self._answer(connection, request)
            else:
                connection.answer(b"recorded")

    @property
    def targets(self) -> list[str]:
        return [request.target for request in self.requests]


def refuse_tunnels(connection: Connection, request: Received) -> None:
    if request.method == "CONNECT":
        connection.answer(b"", "403 Forbidden")
    else:
        connection.answer(b"forwarded")


def test_forwarded_requests_have_the_absolute_form(scripted: Start) -> None:
    proxy = Recorder(scripted)
    by = f"http://user:pass@127.0.0.1:{proxy.port}"
    pabal.get("http://u:p@Origin.test/a%2fb?c=d#e", proxy=pabal.Proxy(by, headers={"X-Tenant": "7", "X-Own": "no"}))
    pabal.get("http://origin.test:8080", proxy=by, headers={"X-Own": "yes"})
    first, second = proxy.requests
    assert first.line == "GET http://origin.test/a%2fb?c=d HTTP/1.1"
    assert first.value("host") == "origin.test"
    assert first.value("proxy-authorization") == "Basic " + base64.b64encode(b"user:pass").decode()
    assert first.value("authorization") == "Basic " + base64.b64encode(b"u:p").decode()
    assert (first.value("x-tenant"), first.value("x-own")) == ("7", "no")
    assert second.line == "GET http://origin.test:8080/ HTTP/1.1"
    assert second.value("host") == "origin.test:8080"
    assert second.value("x-own") == "yes"


def test_connect_tells_the_proxy_only_what_is_for_it(scripted: Start) -> None:
    proxy = Recorder(scripted, refuse_tunnels)
    by = pabal.Proxy(f"http://{USERINFO}@127.0.0.1:{proxy.port}", headers={"X-Tenant": "7"})
    with pytest.raises(ProxyError):
        pabal.get(
            "https://u:p@origin.test/secret", proxy=by, headers={"X-Private": "1", "Cookie": "a=b"}, cookies={"c": "d"}
        )
    [request] = proxy.requests
    assert request.line == "CONNECT origin.test:443 HTTP/1.1"
    assert request.headers == [("Host", "origin.test:443"), ("X-Tenant", "7"), ("Proxy-Authorization", BASIC)]


def test_proxy_authorization_never_reaches_an_origin(
    scripted: Start, tls_context: ssl.SSLContext, ca_file: str, tinyproxy_with_auth: Tinyproxy, squid_with_auth: Squid
) -> None:
    seen: list[Received] = []

    def note(connection: Connection) -> None:
        while (request := connection.read_request()) is not None:
            seen.append(request)
            connection.answer(b"ok")

    plain, secure = scripted(note), scripted(note, tls_context)
    headers = {"Proxy-Authorization": "Basic c2VjcmV0"}
    with pabal.Session(verify=ca_file, headers=headers) as session:
        for by in (f"http://user:secret@{tinyproxy_with_auth.address}", f"http://{USERINFO}@{squid_with_auth.address}"):
            assert session.get(secure.url, proxy=by, headers=headers).ok
            assert session.get(plain.url, proxy=by, headers=headers).ok
        assert session.get(plain.url, headers=headers).ok
        assert session.get(secure.url).ok
    assert len(seen) == 6
    assert [request.value("proxy-authorization") for request in seen] == [None] * 6
    assert all(request.target == "/" for request in seen)


def test_origins_share_the_connections_of_a_proxy_that_forwards(scripted: Start) -> None:
    proxy = Recorder(scripted)
    with pabal.Session(proxy=proxy.url) as session:
        for host in ("a.test", "b.test", "c.test:81"):
            assert session.get(f"http://{host}/").text == "recorded"
    assert proxy.targets == ["http://a.test/", "http://b.test/", "http://c.test:81/"]
    assert proxy.server.connections == 1


def test_connections_are_shared_only_with_the_same_identity(scripted: Start) -> None:
    proxy = Recorder(scripted)
    identities = ["", "u:1@", "u:2@", "u:1@", ""]
    with pabal.Session() as session:
        for who in identities:
            session.get("http://a.test/", proxy=f"http://{who}127.0.0.1:{proxy.port}")
        session.get("http://a.test/", proxy=pabal.Proxy(proxy.url, headers={"X-Tenant": "7"}))
        session.get("http://a.test/", proxy=pabal.Proxy(proxy.url, headers={"X-Tenant": "7"}))
    assert proxy.server.connections == 4


# --- SOCKS 4a and others, scripted ------------------------------------------------------------------------------------


def take(connection: Connection, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = connection.socket.recv(size - len(data))
        assert piece
        data += piece
    return data


def test_socks_4a_lets_the_proxy_resolve(scripted: Start) -> None:
    """Dante, and curl with it, fail at names in SOCKS 4a: this proxy is ours."""
    asked: list[bytes] = []

    def serve(connection: Connection) -> None:
        asked.append(take(connection, 8 + 5 + 12))
        connection.send(b"\0\x5a\0\0\0\0\0\0")
        while connection.read_request() is not None:
            connection.answer(b"through")

    server = scripted(serve)
    with pabal.Session(proxy=f"socks4a://user@127.0.0.1:{server.port}") as session:
        assert [session.get("http://origin.test/").text for _ in range(3)] == ["through"] * 3
    assert asked == [b"\4\1" + struct.pack(">H", 80) + b"\0\0\0\1user\0origin.test\0"]


def test_a_name_that_socks_cannot_carry_is_refused_at_once(scripted: Start) -> None:
    """CVE-2023-38545 in curl."""
    proxy = Recorder(scripted)
    for length in (256, 1000):
        with pytest.raises(ValueError):
            pabal.get(f"http://{'.'.join(['a' * 50] * (length // 50 + 1))}/", proxy=f"socks5h://127.0.0.1:{proxy.port}")
    assert proxy.server.connections == 0


# --- trouble ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["http", "https", "socks4", "socks4a", "socks5", "socks5h"])
@pytest.mark.parametrize("origin", ["http", "https"])
def test_nothing_goes_direct_when_the_proxy_is_down(scheme: str, origin: str, nginx: Nginx, no_leaks: None) -> None:
    port = free_port()
    url = nginx.url if origin == "http" else nginx.tls_url
    session = pabal.Session(proxy=f"{scheme}://user@127.0.0.1:{port}", verify=False)
    with session, pytest.raises(ProxyError, match=f"cannot reach the proxy {scheme}://127.0.0.1:{port}: ") as caught:
        session.get(f"{url}/price")
    assert (caught.value.code, caught.value.phase, caught.value.whose) == ("proxy_unreachable", "proxy", "proxy")
    assert caught.value.errno
    assert caught.value.url == f"{url}/price"


SAYINGS = {
    "nothing": b"",
    "no HTTP": b"220 mail.example ESMTP\r\n",
    "half a head": b"HTTP/1.1 200 OK\r\nX: ",
    "too much": b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\nevil",
    "an endless head": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200_000,
    "no SOCKS": b"\0\0",
    "half of SOCKS": b"\5",
    "a method not offered": b"\5\1",
    "half a reply": b"\5\0\5\0\0\1\0",
    "SOCKS and more": b"\5\0\5\0\0\1\0\0\0\0\0\0evil",
}


@pytest.mark.parametrize("saying", SAYINGS)
@pytest.mark.parametrize("scheme", ["http", "socks4a", "socks5h"])
def test_a_proxy_that_talks_nonsense(scheme: str, saying: str, scripted: Start, no_leaks: None) -> None:
    def serve(connection: Connection) -> None:
        connection.socket.recv(100)
        connection.send(SAYINGS[saying])

    server = scripted(serve)
    with pytest.raises(ProxyError) as caught:
        pabal.get("https://origin.test/", proxy=f"{scheme}://127.0.0.1:{server.port}")
    assert (caught.value.code, caught.value.phase, caught.value.whose) == ("proxy_failed", "proxy", "proxy")
    assert "evil" not in str(caught.value)
    server.close()


@pytest.mark.parametrize("scheme", ["http", "socks4a", "socks5h"])
def test_a_proxy_that_hangs(scheme: str, scripted: Start, no_leaks: None) -> None:
    server = scripted(lambda connection: connection.wait_closed())
    began = time.monotonic()
    with pytest.raises(ProxyTimeout, match=r"did not make a tunnel to origin\.test:443 within 150 ms") as caught:
        pabal.get(
            "https://origin.test/", proxy=f"{scheme}://127.0.0.1:{server.port}", timeout=pabal.Timeout(connect=0.15)
        )
    assert time.monotonic() - began < 5
    assert (caught.value.code, caught.value.phase, caught.value.whose) == ("timed_out", "proxy", "proxy")
    assert isinstance(caught.value, (TimeoutError, exceptions.ConnectTimeout, ProxyError))
    server.close()


def test_a_proxy_that_hangs_in_tls(scripted: Start) -> None:
    server = scripted(lambda connection: connection.wait_closed())
    with pytest.raises(ProxyTimeout, match="TLS handshake") as caught:
        pabal.get("http://origin.test/", proxy=f"https://127.0.0.1:{server.port}", timeout=pabal.Timeout(tls=0.15))
    assert caught.value.phase == "proxy"


def test_a_proxy_that_hangs_can_be_cancelled(scripted: Start, run: Callable[[Any], Any], no_leaks: None) -> None:
    server = scripted(lambda connection: connection.wait_closed())

    async def main() -> None:
        async with pabal.AsyncSession(proxy=f"http://127.0.0.1:{server.port}") as session:
            tasks = [asyncio.ensure_future(session.get("https://origin.test/")) for _ in range(20)]
            await asyncio.sleep(0.1)
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(isinstance(result, asyncio.CancelledError) for result in results)

    run(main())
    server.close()


def test_failures_do_not_clog_the_pool(squid_with_auth: Squid, nginx: Nginx, ca_file: str) -> None:
    limits = pabal.Limits(max_connections=2, max_connections_per_host=2)
    with pabal.Session(verify=ca_file, limits=limits, timeout=pabal.Timeout(pool=1)) as session:
        for by in (f"http://{squid_with_auth.address}", f"http://127.0.0.1:{free_port()}", "socks5h://127.0.0.1:1"):
            for _ in range(5):
                with pytest.raises(ProxyError):
                    session.get(f"{nginx.tls_url}/price", proxy=by)
        assert session.get(f"{nginx.tls_url}/price", proxy=f"http://{USERINFO}@{squid_with_auth.address}").ok


def test_a_connection_that_the_proxy_closed_is_not_used_again(scripted: Start) -> None:
    def serve(connection: Connection) -> None:
        if connection.read_request() is not None:
            connection.answer(b"once")

    server = scripted(serve)
    with pabal.Session(proxy=server.url) as session:
        assert [session.get("http://a.test/").text for _ in range(3)] == ["once"] * 3
    assert server.connections == 3


# --- which proxy ------------------------------------------------------------------------------------------------------


class Proxies:
    """Recorders by name."""

    def __init__(self, scripted: Start) -> None:
        self.one, self.two, self.three = (Recorder(scripted, refuse_tunnels) for _ in range(3))

    def used(self) -> str:
        """Which of them were asked since the last time; empty for none."""
        names = [name for name in ("one", "two", "three") if getattr(self, name).requests]
        for name in names:
            getattr(self, name).requests.clear()
        return " ".join(names)


@pytest.fixture
def proxies(scripted: Start) -> Proxies:
    return Proxies(scripted)


def ask(session: pabal.Session, url: str, **options: Any) -> None:
    try:
        session.get(url, **options)
    except ProxyError as error:
        assert error.status == 403  # a tunnel was asked for, and refused by the recorder


def test_the_most_specific_key_counts(proxies: Proxies) -> None:
    one, two, three = proxies.one.url, proxies.two.url, proxies.three.url
    mapping = {"http": one, "https": two, "http://special.test": three, "https://special.test:8443": three}
    with pabal.Session(proxies=mapping) as session:
        for url, expected in [
            ("http://a.test/", "one"),
            ("https://a.test/", "two"),
            ("http://special.test/", "three"),
            ("http://sub.special.test/", "one"),
            ("https://special.test/", "two"),
            ("https://special.test:8443/", "three"),
        ]:
            ask(session, url)
            assert proxies.used() == expected, url


def test_a_requests_own_go_before_the_sessions_and_these_before_the_environments(
    proxies: Proxies, environment: Callable[..., None], nginx: Nginx
) -> None:
    one, two, three = proxies.one.url, proxies.two.url, proxies.three.url
    environment(http_proxy=one, https_proxy=one)
    with pabal.Session() as session:
        ask(session, "http://a.test/")
        assert proxies.used() == "one"
        session.proxies["http"] = two
        ask(session, "http://a.test/")
        assert proxies.used() == "two"
        ask(session, "https://a.test/")
        assert proxies.used() == "one"
        ask(session, "http://a.test/", proxies={"http": three})
        assert proxies.used() == "three"
        ask(session, "http://a.test/", proxies={"https": three})
        assert proxies.used() == "two"
        ask(session, "http://a.test/", proxy=three)
        assert proxies.used() == "three"
        ask(session, f"{nginx.url}/price", proxies={"http": None})
        ask(session, f"{nginx.url}/price", proxies={"all": ""})
        ask(session, f"{nginx.url}/price", proxies={"no_proxy": "127.0.0.1"})
        assert proxies.used() == ""
        session.proxies.clear()
        ask(session, "http://a.test/", proxy=None, proxies=None)
        assert proxies.used() == "one"
        session.proxies = {"all": two}
        ask(session, "http://a.test/")
        assert proxies.used() == "two"
        session.proxies = None
        session.trust_env = False
        ask(session, f"{nginx.url}/price")
        assert proxies.used() == ""


def test_changes_of_the_environment_are_honoured(
    proxies: Proxies, environment: Callable[..., None], nginx: Nginx
) -> None:
    url = f"{nginx.url}/price"
    with pabal.Session() as session, pabal.Session(trust_env=False) as aloof:
        for variables, expected in [
            ({}, ""),
            ({"http_proxy": proxies.one.url}, "one"),
            ({"http_proxy": proxies.two.url}, "two"),
            ({"no_proxy": "127.0.0.1"}, ""),
            ({"no_proxy": "27.0.0.1,.0.0.1"}, "two"),
            ({"no_proxy": "10.0.0.0/8"}, "two"),
            ({"no_proxy": "127.0.0.0/8"}, ""),
            ({"no_proxy": None, "http_proxy": None}, ""),
            ({"HTTP_PROXY": proxies.one.url}, "one"),
            ({"REQUEST_METHOD": "GET"}, ""),
            ({"REQUEST_METHOD": None}, "one"),
            ({"HTTP_PROXY": None, "ALL_PROXY": proxies.three.url}, "three"),
            ({"ALL_PROXY": None, "HTTPS_PROXY": proxies.three.url}, ""),
        ]:
            environment(**variables)
            ask(session, url)
            assert proxies.used() == expected, variables
            ask(aloof, url)
            assert proxies.used() == ""


def test_a_variable_that_cannot_be_understood_is_an_error(environment: Callable[..., None], nginx: Nginx) -> None:
    environment(https_proxy="socks://user:secret@127.0.0.1:1")
    with pabal.Session(verify=False) as session:
        with pytest.raises(InvalidArgument, match=r"https_proxy.*socks5h") as caught:
            session.get(f"{nginx.tls_url}/price")
        assert "secret" not in str(caught.value)
        assert session.get(f"{nginx.url}/price").ok


def test_every_hop_of_a_redirect_decides_anew(scripted: Start, environment: Callable[..., None]) -> None:
    """security-cases 31: credentials for one proxy are seen by that proxy alone."""
    origin = Recorder(scripted)

    def lead_on(connection: Connection, request: Received) -> None:
        location = f"http://127.0.0.1:{origin.port}/end" if "second" in request.target else "http://second.test/"
        connection.answer(b"", "302 Found", f"Location: {location}")

    first, second = Recorder(scripted, lead_on), Recorder(scripted, lead_on)
    environment(no_proxy="127.0.0.1", http_proxy=f"http://b:2@127.0.0.1:{second.port}")
    rules = {"http://first.test": f"http://a:1@127.0.0.1:{first.port}"}
    response = pabal.get("http://first.test/", proxies=rules, headers={"Proxy-Authorization": "Basic c2VjcmV0"})
    assert response.text == "recorded"
    for request, target, who in [
        (first.requests, "http://first.test/", b"a:1"),
        (second.requests, "http://second.test/", b"b:2"),
        (origin.requests, "/end", None),
    ]:
        assert [each.target for each in request] == [target]
        wanted = None if who is None else "Basic " + base64.b64encode(who).decode()
        assert request[0].value("proxy-authorization") == wanted


def test_a_redirect_to_https_takes_a_tunnel(scripted: Start) -> None:
    def lead_on(connection: Connection, request: Received) -> None:
        if request.method == "CONNECT":
            return connection.answer(b"", "403 Forbidden")
        return connection.answer(b"", "301 Moved", "Location: https://origin.test/")

    proxy = Recorder(scripted, lead_on)
    with pytest.raises(ProxyError, match="403"):
        pabal.get("http://origin.test/", proxy=proxy.url)
    assert [request.line for request in proxy.requests] == [
        "GET http://origin.test/ HTTP/1.1",
        "CONNECT origin.test:443 HTTP/1.1",
    ]


# --- arguments --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"proxy": 5},
        {"proxy": ""},
        {"proxy": b"http://p"},
        {"proxy": ["http://p"]},
        {"proxy": "ftp://secret:secret@p"},
        {"proxy": "socks://secret:secret@p"},
        {"proxy": "http://secret:secret@p:port"},
        {"proxy": "http://secret:secret@p/path"},
        {"proxy": "http://secret%3A:x@p"},
        {"proxy": "socks4://secret:secret@p"},
        {"proxy": f"socks5://{'s' * 256}:x@p"},
        {"proxies": "http://p"},
        {"proxies": ["http://p"]},
        {"proxies": {"http": 5}},
        {"proxies": {5: "http://p"}},
        {"proxies": {"htps": "http://p"}},
        {"proxies": {"http_proxy": "http://p"}},
        {"proxies": {"https": "gopher://secret@p"}},
        {"proxies": {"no_proxy": ["a"]}},
        {"proxies": {"http://a b": "http://p"}},
        {"proxy": "http://p", "proxies": {"http": "http://p"}},
    ],
    ids=repr,
)
def test_what_makes_no_sense_is_a_value_error(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError) as caught:
        pabal.Session(**options)
    assert "secret" not in str(caught.value)
    assert isinstance(caught.value, InvalidArgument)
    assert caught.value.phase == "prepare"
    with pabal.Session() as session, pytest.raises(InvalidArgument):
        session.get("http://127.0.0.1:1/", **options)
    session = pabal.AsyncSession()

    async def main() -> None:
        with pytest.raises(InvalidArgument):
            await session.get("http://127.0.0.1:1/", **options)

    asyncio.run(main())


def test_a_change_of_the_session_that_makes_no_sense_is_found_by_the_next_request() -> None:
    with pabal.Session() as session:
        with pytest.raises(InvalidArgument):
            session.proxies = {"http": "ftp://p"}
        session.proxies["http"] = "ftp://p"
        for _ in range(2):
            with pytest.raises(InvalidArgument):
                session.get("http://127.0.0.1:1/")


def test_what_other_programs_put_into_mappings_is_ignored(nginx: Nginx) -> None:
    mapping: dict[str, str | None] = {"ftp": "http://p", "socks": "socks5://p", "no": "a.test", "no_proxy": None}
    assert pabal.get(f"{nginx.url}/price", proxies=mapping).ok


def test_a_unix_socket_cannot_be_reached_through_a_proxy(tmp_path: Path, environment: Callable[..., None]) -> None:
    path = str(tmp_path / "s").replace("/", "%2F")
    with pytest.raises(InvalidArgument, match="Unix socket"):
        pabal.get(f"http+unix://{path}/", proxy="http://127.0.0.1:1")
    environment(all_proxy="http://127.0.0.1:1")
    with pytest.raises(exceptions.ConnectError) as caught:
        pabal.get(f"http+unix://{path}/")
    assert not isinstance(caught.value, ProxyError)


def test_proxy_is_a_value() -> None:
    plain = pabal.Proxy("http://user:secret@p:3128")
    told = pabal.Proxy("http://user:secret@p:3128", headers={"X-Tenant": "7"})
    assert plain == pabal.Proxy("http://user:secret@p:3128") != told
    assert hash(plain) == hash(pabal.Proxy("http://user:secret@p:3128"))
    assert plain != "http://user:secret@p:3128"
    assert told.headers == {"X-Tenant": "7"}
    assert pickle.loads(pickle.dumps(told)) == told
    assert repr(plain) == "Proxy('http://***@p:3128')"
    assert "secret" not in repr(told) + repr(pabal.Proxy("user:secret@p:3128"))
    told.headers["X-More"] = "1"
    assert told.headers == {"X-Tenant": "7"}
    with pytest.raises(AttributeError, match="immutable"):
        plain.url = "http://q"  # type: ignore[misc]
    for wrong in (
        lambda: pabal.Proxy("ftp://p"),
        lambda: pabal.Proxy(5),  # type: ignore[arg-type]
        lambda: pabal.Proxy("socks5://p", headers={"X": "y"}),
        lambda: pabal.Proxy("http://p", headers={"X": "a\nb"}),
    ):
        with pytest.raises(ValueError):
            wrong()


def test_the_session_shows_its_rules() -> None:
    with pabal.Session(proxy="http://p") as session:
        assert session.proxies == {"all": "http://p"}
    mapping = {"http": "http://p"}
    with pabal.Session(proxies=mapping) as session:
        assert session.proxies == mapping
        assert session.proxies is not mapping
    with pabal.Session() as session:
        assert session.proxies == {}


def test_errors_survive_pickling() -> None:
    with pytest.raises(ProxyError) as caught:
        pabal.get("http://a.test/", proxy=f"http://user:secret@127.0.0.1:{free_port()}")
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), str(again), again.status) == (type(caught.value), str(caught.value), caught.value.status)
    assert "secret" not in str(again)
