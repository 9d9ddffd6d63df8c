"""Proxies as requests has them, through real ones: which is asked, what it may know, and how it fails."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import trustme
from pabal import requests
from pabal.requests.packages.urllib3 import ProxyManager
from pabal.requests.packages.urllib3.exceptions import MaxRetryError, ProxyError
from support.nginx import QUOTE, Nginx, free_port
from support.proxies import PASSWORD, USER, USERINFO, Dante, Microsocks, RunningProxy, Squid, Tinyproxy
from support.scripted import Connection, Received, ScriptedServer

Start = Callable[..., ScriptedServer]
BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


def running(proxy: RunningProxy) -> Iterator[Any]:
    yield proxy
    proxy.stop()


def squid_of(authority: trustme.CA, auth: bool) -> Squid:
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    chain = b"".join(blob.bytes() for blob in certificate.cert_chain_pems)
    return Squid(chain, certificate.private_key_pem.bytes(), auth)


@pytest.fixture(scope="module")
def squid(authority: trustme.CA) -> Iterator[Squid]:
    yield from running(squid_of(authority, False))


@pytest.fixture(scope="module")
def squid_with_auth(authority: trustme.CA) -> Iterator[Squid]:
    yield from running(squid_of(authority, True))


@pytest.fixture(scope="module")
def tinyproxy() -> Iterator[Tinyproxy]:
    yield from running(Tinyproxy())


@pytest.fixture(scope="module")
def dante() -> Iterator[Dante]:
    yield from running(Dante())


@pytest.fixture(scope="module")
def microsocks() -> Iterator[Microsocks]:
    yield from running(Microsocks())


@pytest.fixture(
    params=[
        "squid http",
        "squid https",
        "squid_with_auth http",
        "squid_with_auth https",
        "tinyproxy http",
        "dante socks4",
        "dante socks5",
        "dante socks5h",
        "microsocks socks5",
        "microsocks socks5h",
    ]
)
def by(request: pytest.FixtureRequest) -> str:
    """The URL of a proxy, one of each kind."""
    name, scheme = request.param.split()
    proxy = request.getfixturevalue(name)
    who = f"{USERINFO}@" if name in ("squid_with_auth", "microsocks") else ""
    return f"{scheme}://{who}127.0.0.1:{proxy.tls_port if scheme == 'https' else proxy.port}"


def both(proxy: str) -> dict[str, str]:
    return {"http": proxy, "https": proxy}


class Recorder:
    """A proxy or an origin of ours: notes what it is asked, refuses tunnels, redirects where it is told to."""

    def __init__(self, scripted: Start, location: str = "") -> None:
        self.requests: list[Received] = []
        self.location = location
        server = scripted(self._serve)
        self.port, self.url = server.port, server.url

    def _serve(self, connection: Connection) -> None:
        while request := connection.read_request():
            self.requests.append(request)
            if request.method == "CONNECT":
                connection.answer(b"", "403 Forbidden")
            elif self.location and request.target.endswith("/moved"):
                connection.answer(b"", "302 Found", f"Location: {self.location}")
            else:
                connection.answer(b"recorded")

    @property
    def lines(self) -> list[str]:
        return [request.line.removesuffix(" HTTP/1.1") for request in self.requests]


# --- real proxies -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_every_kind_of_proxy_carries_both_schemes(by: str, scheme: str, nginx: Nginx, ca_file: str) -> None:
    origin = nginx.tls_url if scheme == "https" else nginx.url
    assert requests.get(f"{origin}/price", proxies=both(by), verify=ca_file).content == QUOTE
    with requests.Session() as session:
        session.proxies, session.verify = both(by), ca_file
        session.trust_env = False  # a bundle of the environment would go before the session's, as in requests
        for _ in range(3):
            assert session.get(f"{origin}/price").content == QUOTE
    # Without a connection kept alive: tinyproxy closes those without a word, and a POST is not sent twice.
    posted = requests.post(f"{origin}/headers?a=b", data=b"x" * 100_000, proxies=both(by), verify=ca_file)
    assert posted.text.split("|")[2:] == ["POST", "a=b", "100000"]


def test_the_environment_and_its_exceptions(squid: Squid, nginx: Nginx, monkeypatch: pytest.MonkeyPatch) -> None:
    def via(session: requests.Session | None = None) -> str:
        answer = (session or requests).get(f"{nginx.url}/price")
        assert answer.content == QUOTE
        return answer.headers.get("Via", "")

    monkeypatch.setenv("http_proxy", f"http://{squid.address}")
    assert "squid" in via()
    with requests.Session() as session:
        assert "squid" in via(session)
        session.trust_env = False
        assert via(session) == ""
    monkeypatch.setenv("no_proxy", "somewhere.test,127.0.0.0/8")
    assert via() == ""
    monkeypatch.delenv("no_proxy")
    monkeypatch.delenv("http_proxy")
    monkeypatch.setenv("ALL_PROXY", squid.address)  # without a scheme
    assert "squid" in via()


def test_https_goes_through_a_tunnel_that_is_used_again(squid: Squid, nginx: Nginx, ca_file: str) -> None:
    origin = nginx.tls_url.replace("127.0.0.1", "localhost")
    with requests.Session() as session:
        for _ in range(4):
            answer = session.get(f"{origin}/price", proxies={"https": f"http://{squid.address}"}, verify=ca_file)
            assert "Via" not in answer.headers
    squid.wait_for_log(f"CONNECT {origin.removeprefix('https://')}")
    assert squid.log.count(f"CONNECT {origin.removeprefix('https://')}") == 1


@pytest.mark.parametrize("who", ["", "user:wrong@", "user@"])
def test_wrong_credentials(
    who: str, squid_with_auth: Squid, microsocks: Microsocks, nginx: Nginx, ca_file: str
) -> None:
    proxies = both(f"http://{who}{squid_with_auth.address}")
    with pytest.raises(requests.exceptions.ProxyError, match="407") as caught:
        requests.get(f"{nginx.tls_url}/price", proxies=proxies, verify=ca_file)
    reason = caught.value.args[0].reason
    assert isinstance(caught.value.args[0], MaxRetryError) and isinstance(reason, ProxyError)
    assert isinstance(reason.original_error, OSError) and "Tunnel connection failed" in str(reason.original_error)
    assert "wrong" not in str(caught.value)
    # What forwards answers itself.
    assert requests.get(f"{nginx.url}/price", proxies=proxies).status_code == 407
    with pytest.raises(requests.exceptions.ProxyError):
        requests.get(f"{nginx.url}/price", proxies=both(f"socks5h://{who}{microsocks.address}"))


@pytest.mark.parametrize("scheme", ["http", "https", "socks4", "socks5", "socks5h"])
@pytest.mark.parametrize("origin", ["http", "https"])
def test_a_proxy_that_is_down_is_not_passed_by(scripted: Start, scheme: str, origin: str) -> None:
    there = Recorder(scripted)
    url = there.url.replace("http:", f"{origin}:")
    with pytest.raises(requests.exceptions.ProxyError, match="Unable to connect to proxy") as caught:
        requests.get(url, proxies=both(f"{scheme}://127.0.0.1:{free_port()}"))
    assert caught.value.request is not None and caught.value.request.url == f"{url}/"
    assert there.requests == []


def test_a_proxy_that_never_answers(scripted: Start) -> None:
    silent = scripted(lambda connection: connection.wait_closed())
    with pytest.raises(requests.exceptions.ProxyError):
        requests.get("https://origin.test/", proxies=both(silent.url), timeout=0.2)


def test_the_proxys_certificate_is_verified_for_http_too(squid: Squid, nginx: Nginx, ca_file: str) -> None:
    proxies = both(f"https://127.0.0.1:{squid.tls_port}")
    for url in (f"{nginx.url}/price", f"{nginx.tls_url}/price"):
        with pytest.raises(requests.exceptions.ProxyError):
            requests.get(url, proxies=proxies)
        assert requests.get(url, proxies=proxies, verify=ca_file).content == QUOTE
        # the class is that of the installed urllib3 where a program uses it
        with pytest.warns(Warning, match="Unverified HTTPS request"):
            assert requests.get(url, proxies=proxies, verify=False).content == QUOTE


# --- what goes on the wire --------------------------------------------------------------------------------------------


def test_what_a_proxy_is_told(scripted: Start) -> None:
    proxy = Recorder(scripted)
    proxies = both(f"http://{USERINFO}@127.0.0.1:{proxy.port}")
    answer = requests.get("http://origin.test/a?b=c#d", headers={"X-One": "1"}, proxies=proxies)
    assert answer.text == "recorded" and answer.url == "http://origin.test/a?b=c#d"
    with pytest.raises(requests.exceptions.ProxyError, match="403"):
        requests.get("https://origin.test/", headers={"X-One": "1"}, proxies=proxies)
    forwarded, tunnel = proxy.requests
    assert forwarded.line == "GET http://origin.test/a?b=c HTTP/1.1"
    assert (forwarded.value("host"), forwarded.value("x-one")) == ("origin.test", "1")
    assert forwarded.values("proxy-authorization") == [BASIC]
    assert tunnel.line == "CONNECT origin.test:443 HTTP/1.1"
    assert tunnel.values("proxy-authorization") == [BASIC] and tunnel.values("x-one") == []


def test_credentials_for_a_proxy_never_reach_an_origin(scripted: Start, dante: Dante, squid_with_auth: Squid) -> None:
    origin = Recorder(scripted)
    headers = {"Proxy-Authorization": "Basic c2VjcmV0", "proxy-authorization": "Basic b3RoZXI="}
    for proxies in (both(f"socks5h://{dante.address}"), both(f"http://{USERINFO}@{squid_with_auth.address}")):
        assert requests.get(origin.url, headers=headers, proxies=proxies).text == "recorded"
        assert requests.post(origin.url, headers=headers, proxies=proxies, data=b"x").text == "recorded"
    assert len(origin.requests) == 4
    assert [value for request in origin.requests for value in request.values("proxy-authorization")] == []


def test_a_gateway_that_is_addressed_by_its_url_is_told_and_where_it_redirects_to_is_not(scripted: Start) -> None:
    """Identity-aware gateways take Proxy-Authorization where Authorization is for what is behind them."""
    origin = Recorder(scripted)
    gateway = Recorder(scripted, f"{origin.url}/end")
    with requests.Session() as session:
        session.headers["Proxy-Authorization"] = "Bearer token"
        assert session.get(f"{gateway.url}/moved").text == "recorded"
        assert session.post(f"{gateway.url}/moved", data=b"x").text == "recorded"
    assert [each.values("proxy-authorization") for each in gateway.requests] == [["Bearer token"]] * 2
    assert [each.values("proxy-authorization") for each in origin.requests] == [[]] * 2


def test_ones_own_proxy_authorization_is_for_the_proxy_that_reads_it(scripted: Start) -> None:
    proxy = Recorder(scripted)
    own = {"Proxy-Authorization": "Bearer token"}
    with requests.Session() as session:
        session.proxies = both(proxy.url)
        session.get("http://origin.test/", headers=own)
        session.get("http://origin.test/")
        with pytest.raises(requests.exceptions.ProxyError):
            session.get("https://origin.test/", headers=own)  # as in requests: the tunnel is not told
    assert [each.values("proxy-authorization") for each in proxy.requests] == [["Bearer token"], [], []]


def test_an_adapter_may_say_what_the_proxy_is_told(scripted: Start) -> None:
    class Told(requests.adapters.HTTPAdapter):
        def proxy_headers(self, proxy: str) -> dict[str, str]:
            return {"Proxy-Authorization": "Bearer mine", "X-Tenant": "7"}

    proxy = Recorder(scripted)
    with requests.Session() as session:
        session.mount("http://", Told())
        session.mount("https://", Told())
        session.proxies = both(f"http://{USERINFO}@127.0.0.1:{proxy.port}")
        session.get("http://origin.test/")
        with pytest.raises(requests.exceptions.ProxyError):
            session.get("https://origin.test/")
    for request in proxy.requests:
        assert request.values("proxy-authorization") == ["Bearer mine"]
        assert request.values("x-tenant") == ["7"]


def test_a_proxy_manager_by_itself(tinyproxy: Tinyproxy, nginx: Nginx) -> None:
    with ProxyManager(f"http://{tinyproxy.address}") as manager:
        answer = manager.request("GET", f"{nginx.url}/price")
    assert answer.data == QUOTE and "tiny" in answer.headers["Via"]


def test_the_scheme_and_host_decide(scripted: Start) -> None:
    general, special = Recorder(scripted), Recorder(scripted)
    proxies = {"http": general.url, "http://special.test": special.url}
    for host in ("one.test", "special.test"):
        requests.get(f"http://{host}/", proxies=proxies)
    assert general.lines == ["GET http://one.test/"]
    assert special.lines == ["GET http://special.test/"]


# --- redirects --------------------------------------------------------------------------------------------------------


def test_a_redirect_decides_the_proxy_anew(scripted: Start) -> None:
    second = Recorder(scripted)
    first = Recorder(scripted, "http://second.test/end")
    proxies = {
        "http://first.test": f"http://one:1@127.0.0.1:{first.port}",
        "http://second.test": f"http://two:2@127.0.0.1:{second.port}",
    }
    answer = requests.get("http://first.test/moved", proxies=proxies)
    assert answer.text == "recorded" and len(answer.history) == 1
    assert first.lines == ["GET http://first.test/moved"]
    assert second.lines == ["GET http://second.test/end"]
    told = [each.values("proxy-authorization") for each in (*first.requests, *second.requests)]
    assert told == [["Basic " + base64.b64encode(who).decode()] for who in (b"one:1", b"two:2")]


def test_a_proxy_of_the_environment_stays_for_the_redirects(scripted: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in requests, which looks at no_proxy only where no proxy is known yet."""
    origin = Recorder(scripted)
    proxy = Recorder(scripted, f"{origin.url}/end")
    monkeypatch.setenv("http_proxy", f"http://{USERINFO}@127.0.0.1:{proxy.port}")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert requests.get("http://outside.test/moved").text == "recorded"
    assert proxy.lines == ["GET http://outside.test/moved", f"GET {origin.url}/end"]
    assert origin.requests == []


def test_a_redirect_from_a_direct_origin_goes_to_the_proxy(scripted: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the short way, too: its redirects are the long way's."""
    proxy = Recorder(scripted)
    origin = Recorder(scripted, "http://outside.test/end")
    monkeypatch.setenv("http_proxy", proxy.url)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert requests.get(f"{origin.url}/moved").text == "recorded"
    assert proxy.lines == ["GET http://outside.test/end"]
    assert origin.lines == ["GET /moved"]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_socks_proxy_is_asked_even_where_no_name_can_be_resolved(
    scripted: Start, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    said: list[bytes] = []
    heard = threading.Event()

    def listen(connection: Connection) -> None:
        said.append(connection.socket.recv(100))
        heard.set()

    server = scripted(listen)
    for name in ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("all_proxy", f"socks5://127.0.0.1:{server.port}")
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(f"{scheme}://nowhere.invalid/", timeout=10)
    assert heard.wait(20)
    assert said == [b"\x05\x01\x00"]
    port = free_port()
    with pytest.raises(requests.exceptions.ProxyError, match="Unable to connect to proxy"):
        requests.get("http://nowhere.invalid/", proxies={"http": f"socks5://127.0.0.1:{port}"}, timeout=10)
