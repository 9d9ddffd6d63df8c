"""What the quick start page of requests promises, example by example, against a server that tells what it was asked."""

from __future__ import annotations

import io
import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pabal import requests
from support.httpbin import EchoServer
from support.scripted import ScriptedServer


@pytest.fixture
def url(scripted: Callable[..., ScriptedServer], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("HOME", "/nonexistent")
    yield scripted(EchoServer()).url


# --- make a request ---------------------------------------------------------------------------------------------------


def test_one_function_for_every_method(url: str) -> None:
    assert requests.get(f"{url}/get").json()["method"] == "GET"
    r = requests.post(f"{url}/post", data={"key": "value"})
    assert (r.json()["method"], r.json()["form"]) == ("POST", {"key": "value"})
    r = requests.put(f"{url}/put", data={"key": "value"})
    assert (r.json()["method"], r.json()["form"]) == ("PUT", {"key": "value"})
    assert requests.delete(f"{url}/delete").json()["method"] == "DELETE"
    assert requests.patch(f"{url}/patch", data="x").json()["data"] == "x"
    assert requests.options(f"{url}/get").json()["method"] == "OPTIONS"
    assert requests.head(f"{url}/get").content == b""


def test_parameters_in_urls(url: str) -> None:
    r = requests.get(f"{url}/get", params={"key1": "value1", "key2": "value2"})
    assert r.url == f"{url}/get?key1=value1&key2=value2"
    r = requests.get(f"{url}/get", params={"key1": "value1", "key2": ["value2", "value3"], "none": None})
    assert r.url == f"{url}/get?key1=value1&key2=value2&key2=value3"
    assert r.json()["args"] == {"key1": "value1", "key2": ["value2", "value3"]}


# --- what comes back --------------------------------------------------------------------------------------------------


def test_response_content(url: str) -> None:
    r = requests.get(f"{url}/html")
    assert r.encoding == "utf-8" and r.text == "caf\xe9 \u2603"
    r.encoding = "ISO-8859-1"
    assert r.text == "caf\xe9 \u2603".encode().decode("latin-1")
    assert r.headers["content-type"] == "text/html; charset=utf-8"


def test_binary_response_content(url: str) -> None:
    r = requests.get(f"{url}/image")
    assert io.BytesIO(r.content).read(8) == b"\x89PNG\r\n\x1a\n"
    assert len(r.content) == 8 + 256
    assert requests.get(f"{url}/gzip").json()["headers"]["Accept-Encoding"].startswith("gzip, deflate")


def test_json_response_content(url: str) -> None:
    assert requests.get(f"{url}/get").json()["args"] == {}
    with pytest.raises(requests.exceptions.JSONDecodeError) as failed:
        requests.get(f"{url}/html").json()
    assert isinstance(failed.value, (requests.exceptions.RequestException, json.JSONDecodeError))


def test_raw_response_content(url: str, tmp_path: Path) -> None:
    r = requests.get(f"{url}/image", stream=True)
    assert r.raw.read(10) == b"\x89PNG\r\n\x1a\n\0\1"
    r = requests.get(f"{url}/image", stream=True)
    with open(tmp_path / "image", "wb") as file:
        for piece in r.iter_content(chunk_size=128):
            file.write(piece)
    assert (tmp_path / "image").read_bytes()[8:] == bytes(range(256))


# --- what is sent -----------------------------------------------------------------------------------------------------


def test_custom_headers(url: str) -> None:
    r = requests.get(f"{url}/get", headers={"user-agent": "my-app/0.0.1", "X-Number": "1"})
    assert r.json()["headers"]["User-Agent"] == "my-app/0.0.1"
    assert r.json()["headers"]["X-Number"] == "1"
    with pytest.raises(requests.exceptions.InvalidHeader):
        requests.get(f"{url}/get", headers={"X-Number": 1})


@pytest.mark.parametrize(
    "payload", [{"key1": ["value1", "value2"]}, [("key1", "value1"), ("key1", "value2")]], ids=["dict", "tuples"]
)
def test_forms(url: str, payload: Any) -> None:
    r = requests.post(f"{url}/post", data=payload)
    assert r.json()["form"] == {"key1": ["value1", "value2"]}
    assert r.request.body == "key1=value1&key1=value2"


def test_text_and_json_bodies(url: str) -> None:
    payload = {"some": "data"}
    r = requests.post(f"{url}/post", data=json.dumps(payload))
    assert r.json()["data"] == json.dumps(payload) and "Content-Type" not in r.json()["headers"]
    r = requests.post(f"{url}/post", json=payload)
    assert r.json()["json"] == payload and r.json()["headers"]["Content-Type"] == "application/json"
    r = requests.post(f"{url}/post", json=payload, data={"key": "value"})  # json is ignored then
    assert r.json()["form"] == {"key": "value"} and r.json()["json"] is None


def test_multipart_files(url: str, tmp_path: Path) -> None:
    report = tmp_path / "report.xls"
    report.write_text("cells")
    with report.open("rb") as file:
        r = requests.post(f"{url}/post", files={"file": file})
    assert r.json()["files"]["file"]["name"] == "report.xls" and r.json()["files"]["file"]["is"] == "cells"
    with report.open("rb") as file:
        files = {"file": ("other.xls", file, "application/vnd.ms-excel", {"X-Part": "0"})}
        r = requests.post(f"{url}/post", files=files, data={"field": "value"})
    assert r.json()["form"] == {"field": "value"}
    assert r.json()["files"] == {
        "file": {"name": "other.xls", "type": "application/vnd.ms-excel", "x": "0", "is": "cells"}
    }
    r = requests.post(f"{url}/post", files={"file": ("report.csv", "some,data,to,send\nanother,row,to,send\n")})
    assert r.json()["files"]["file"]["is"] == "some,data,to,send\nanother,row,to,send\n"
    several = [("images", ("a.png", b"a", "image/png")), ("images", ("b.png", b"b", "image/png"))]
    assert [each["is"] for each in requests.post(f"{url}/post", files=several).json()["files"]["images"]] == ["a", "b"]


def test_a_body_that_is_streamed(url: str) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"hi"
        yield b"there"

    r = requests.post(f"{url}/post", data=pieces())
    assert r.json()["data"] == "hithere" and r.json()["headers"]["Transfer-Encoding"] == "chunked"
    r = requests.post(f"{url}/post", data=io.BytesIO(b"from a file"))
    assert r.json()["data"] == "from a file" and r.json()["headers"]["Content-Length"] == "11"


# --- status, headers, cookies -----------------------------------------------------------------------------------------


def test_status_codes(url: str) -> None:
    r = requests.get(f"{url}/get")
    assert r.status_code == requests.codes.ok == 200 and r.raise_for_status() is None
    bad = requests.get(f"{url}/status/404")
    assert bad.status_code == 404 and not bad and not bad.ok
    with pytest.raises(requests.exceptions.HTTPError, match=f"404 Client Error: Not Found for url: {url}/status/404"):
        bad.raise_for_status()


def test_response_headers(url: str) -> None:
    r = requests.get(f"{url}/get")
    assert r.headers["Content-Type"] == r.headers.get("content-type") == "application/json"
    assert "X-Nothing" not in r.headers
    assert requests.get(f"{url}/links").links["next"] == {"url": "/links?page=2", "rel": "next"}


def test_cookies(url: str) -> None:
    r = requests.get(f"{url}/cookies/set/example/value", allow_redirects=False)
    assert r.cookies["example"] == "value"
    assert requests.get(f"{url}/cookies", cookies={"cookies_are": "working"}).json() == {
        "cookies": {"cookies_are": "working"}
    }
    jar = requests.cookies.RequestsCookieJar()
    jar.set("tasty", "yum", domain="127.0.0.1", path="/cookies")
    jar.set("gross", "blech", domain="127.0.0.1", path="/elsewhere")
    assert requests.get(f"{url}/cookies", cookies=jar).json() == {"cookies": {"tasty": "yum"}}


def test_a_session_keeps_cookies_and_defaults(url: str) -> None:
    with requests.Session() as s:
        s.headers.update({"x-test": "true"})
        s.get(f"{url}/cookies/set/sessioncookie/123456789")
        assert s.get(f"{url}/cookies").json() == {"cookies": {"sessioncookie": "123456789"}}
        assert s.get(f"{url}/cookies", cookies={"from-my": "browser"}).json()["cookies"]["from-my"] == "browser"
        assert s.get(f"{url}/cookies").json() == {"cookies": {"sessioncookie": "123456789"}}
        assert s.get(f"{url}/get", headers={"x-test2": "true"}).json()["headers"]["X-Test"] == "true"
        s.auth = ("user", "pass")
        assert s.get(f"{url}/basic-auth/user/pass").json() == {"authenticated": True}


def test_authentication(url: str) -> None:
    assert requests.get(f"{url}/basic-auth/user/pass").status_code == 401
    assert requests.get(f"{url}/basic-auth/user/pass", auth=("user", "pass")).status_code == 200
    basic = requests.auth.HTTPBasicAuth("user", "pass")
    assert requests.get(f"{url}/basic-auth/user/pass", auth=basic).status_code == 200


# --- redirects, time limits, errors -----------------------------------------------------------------------------------


def test_redirects_and_history(url: str) -> None:
    r = requests.get(f"{url}/redirect/2")
    assert (r.url, r.status_code, [each.status_code for each in r.history]) == (f"{url}/get", 200, [302, 302])
    r = requests.get(f"{url}/redirect/2", allow_redirects=False)
    assert (r.status_code, r.history, r.is_redirect) == (302, [], True)
    assert r.next is not None and r.next.url == f"{url}/redirect/1"
    assert requests.head(f"{url}/redirect/1").status_code == 302
    r = requests.head(f"{url}/redirect/1", allow_redirects=True)
    assert r.url == f"{url}/get" and len(r.history) == 1


@pytest.mark.parametrize(("code", "method", "data"), [(303, "GET", ""), (302, "GET", ""), (307, "POST", "body")])
def test_a_redirected_post(url: str, code: int, method: str, data: str) -> None:
    told = requests.post(f"{url}/redirect-to/{code}", data="body").json()
    assert (told["method"], told["data"]) == (method, data)


def test_timeouts(url: str) -> None:
    with pytest.raises(requests.exceptions.Timeout):
        requests.get(f"{url}/delay", timeout=0.1)
    with pytest.raises(requests.exceptions.ReadTimeout) as failed:
        requests.post(f"{url}/delay", data={"a": "b"}, timeout=(5, 0.1))
    assert failed.value.request is not None and failed.value.request.body == "a=b"


def test_errors_and_exceptions(url: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(requests.exceptions.ConnectionError):
            requests.get(f"http://127.0.0.1:{unused.getsockname()[1]}/")
    with pytest.raises(requests.exceptions.TooManyRedirects), requests.Session() as s:
        s.max_redirects = 3
        s.get(f"{url}/redirect/5")
    for bad, kind in (
        ("127.0.0.1/get", requests.exceptions.MissingSchema),
        ("http://", requests.exceptions.InvalidURL),
        ("gopher://127.0.0.1/", requests.exceptions.InvalidSchema),
    ):
        with pytest.raises(kind) as failed:
            requests.get(bad)
        assert isinstance(failed.value, requests.exceptions.RequestException)
