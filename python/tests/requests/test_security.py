"""What must never happen: credentials at the wrong host, a proxy passed by, an empty body where one was meant."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pabal import requests
from pabal.requests.utils import extract_zipped_paths, get_netrc_auth, should_bypass_proxies
from support.scripted import Connection, Received, Redirector, ScriptedServer

Start = Callable[..., ScriptedServer]


@pytest.fixture
def elsewhere(scripted: Start) -> tuple[Redirector, Redirector, str]:
    """(first server, the one that it redirects to, URL of the first)."""
    there = Redirector()
    here = Redirector(scripted(there).url + "/end")
    return here, there, scripted(here).url


def test_credentials_stay_at_home(elsewhere: tuple[Redirector, Redirector, str]) -> None:
    here, there, url = elsewhere
    headers = {"Authorization": "Bearer secret", "Cookie": "a=secret", "Proxy-Authorization": "Basic secret"}
    response = requests.get(url, headers=headers)
    assert response.status_code == 200
    assert here.requests[0].value("authorization") == "Bearer secret"
    for name in headers:
        assert there.requests[0].values(name) == []


def test_cookies_of_one_request_stay_at_home(elsewhere: tuple[Redirector, Redirector, str]) -> None:
    here, there, url = elsewhere
    with requests.Session() as session:
        session.get(url, cookies={"mine": "1"})
    assert here.requests[0].value("cookie") == "mine=1"
    assert there.requests[0].values("cookie") == []


def test_basic_authentication_stays_at_home(elsewhere: tuple[Redirector, Redirector, str]) -> None:
    here, there, url = elsewhere
    requests.get(url, auth=("user", "secret"))
    assert here.requests[0].value("authorization")
    assert there.requests[0].values("authorization") == []


def test_a_digest_challenge_from_elsewhere_is_not_answered(scripted: Start) -> None:
    seen: list[Received] = []

    def challenging(connection: Connection) -> None:
        while request := connection.read_request():
            seen.append(request)
            connection.answer(b"", "401 Who", 'WWW-Authenticate: Digest realm="evil", nonce="1", qop="auth"')

    here = Redirector(scripted(challenging).url)
    response = requests.get(scripted(here).url, auth=requests.auth.HTTPDigestAuth("user", "secret"))
    assert response.status_code == 401
    assert len(seen) == 1 and seen[0].values("authorization") == []


def test_digest_values_are_escaped(scripted: Start) -> None:
    seen: list[Received] = []

    def challenging(connection: Connection) -> None:
        while request := connection.read_request():
            seen.append(request)
            if request.values("authorization"):
                connection.answer(b"in")
            else:
                connection.answer(
                    b"", "401 Who", 'WWW-Authenticate: Basic realm="x", Digest realm="a \\"b\\"", nonce="1", qop="auth"'
                )

    auth = requests.auth.HTTPDigestAuth('us"er\\', "secret")
    response = requests.get(scripted(challenging).url, auth=auth)
    assert response.text == "in"
    value = seen[-1].value("authorization") or ""
    assert value.startswith('Digest username="us\\"er\\\\", realm="a \\"b\\"", nonce="1"')


@pytest.mark.parametrize("variable", ["http_proxy", "ALL_PROXY"])
def test_a_proxy_is_never_passed_by(scripted: Start, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    server = Redirector()
    url = scripted(server).url + "/end"
    monkeypatch.setenv(variable, "http://127.0.0.1:1")
    for ask in (requests.get, requests.Session().get):
        with pytest.raises(requests.exceptions.ProxyError):
            ask(url)
    with pytest.raises(requests.exceptions.ProxyError):
        requests.Session().send(requests.Request("GET", url).prepare())
    monkeypatch.delenv(variable)
    with pytest.raises(requests.exceptions.ProxyError):
        requests.get(url, proxies={"http": "socks5h://127.0.0.1:1"})
    assert server.requests == []


@pytest.mark.parametrize(("status", "method", "body"), [(303, "GET", b""), (302, "GET", b""), (307, "POST", b"hello")])
def test_what_becomes_of_a_body(scripted: Start, status: int, method: str, body: bytes) -> None:
    server = Redirector(status=status)
    requests.post(scripted(server).url, data=b"hello")
    last = server.requests[-1]
    assert (last.method, last.body) == (method, body)
    if not body:
        assert last.values("content-length") == last.values("content-type") == []


def test_a_body_that_is_gone_is_an_error(scripted: Start) -> None:
    server = Redirector(status=307)
    with pytest.raises(requests.exceptions.RequestException) as caught:
        requests.post(scripted(server).url, data=iter([b"hello"]))
    assert type(caught.value).__name__ == "UnrewindableBodyError"
    assert len(server.requests) == 1


def test_allow_redirects_false_is_heard(scripted: Start) -> None:
    server = Redirector()
    response = requests.post(scripted(server).url, data="x", allow_redirects=False)
    assert response.status_code == 302 and len(server.requests) == 1
    assert response.next is not None and response.next.method == "GET"


@pytest.mark.parametrize("url", ["http:////host", "http://x@//h", "http://", "http://*.example.com", "http://☃.net/"])
def test_urls_without_a_host(url: str) -> None:
    with pytest.raises(requests.exceptions.InvalidURL):
        requests.get(url)


def test_userinfo_does_not_choose_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine example.com login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    assert get_netrc_auth("http://example.com/") == ("me", "secret")
    assert get_netrc_auth("http://example.com:@evil.com/") is None


@pytest.mark.parametrize(
    ("no_proxy", "direct"),
    [("ple.com", False), ("example.com", True), (".example.com", True), ("www.example.com", False)],
)
def test_no_proxy_names_whole_labels(no_proxy: str, direct: bool) -> None:
    assert should_bypass_proxies("http://example.com/", no_proxy=no_proxy) is direct


def test_extracted_files_cannot_be_foreseen(tmp_path: Path) -> None:
    archive = tmp_path / "archive.zip"
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("folder/cacert.pem", "hello")
    first, second = (extract_zipped_paths(str(archive / "folder" / "cacert.pem")) for _ in range(2))
    assert first != second and Path(first).name != "cacert.pem"
    assert Path(first).read_text() == "hello"
    assert Path(first).stat().st_mode & 0o077 == 0
    for path in (first, second):
        Path(path).unlink()


def test_names_of_uploaded_files_cannot_break_out() -> None:
    prepared = requests.Request("POST", "http://a", files={'x"\r\ny': ('na"me\r\n', b"1")}).prepare()
    assert b"\r\ny" not in prepared.body.split(b"\r\n\r\n")[0].replace(b"\r\nContent", b"")
    with pytest.raises(ValueError, match="line break"):
        requests.Request("POST", "http://a", files={"x": ("n", b"1", "text/plain\r\nX: y")}).prepare()


def test_verification_is_not_inherited(
    scripted: Start, tls_context: Any, ca_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    server = scripted(Redirector(), tls=tls_context)
    url = server.url.replace("127.0.0.1", "localhost") + "/end"
    with requests.Session() as session:
        with pytest.warns(Warning, match="Unverified HTTPS request"):
            assert session.get(url, verify=False).ok
        with pytest.raises(requests.exceptions.SSLError):
            session.get(url)
        assert session.get(url, verify=ca_file).ok
        with pytest.warns(Warning, match="Unverified HTTPS request"):
            assert session.get(url, verify=False).ok
    assert server.connections == 3  # the failed one; two contexts, two connections
