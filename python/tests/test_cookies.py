"""The jar: a mapping like requests', RFC 6265bis underneath."""

from __future__ import annotations

import copy
import http.cookiejar
import json
import os
import pickle
import stat
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pabal
import pytest
from support.scripted import Connection, ScriptedServer


def test_a_jar_is_a_mapping() -> None:
    jar = pabal.CookieJar({"a": "1"})
    jar["b"] = "2"
    jar.set("c", "3", domain="h.example", path="/x")
    assert jar["a"] == "1"
    assert dict(jar) == {"a": "1", "b": "2", "c": "3"}
    assert len(jar) == 3
    assert "b" in jar
    assert jar.get("c", domain="h.example") == "3"
    assert jar.get("c", domain="other.example") is None
    assert jar.get("z", "none") == "none"
    del jar["a"]
    with pytest.raises(KeyError):
        jar["a"]
    jar.update({"d": "4"})
    (cookie,) = (each for each in jar.cookies() if each.name == "c")
    assert (cookie.value, cookie.domain, cookie.path, cookie.secure) == ("3", "h.example", "/x", False)
    jar.clear()
    assert len(jar) == 0


def sent_cookies(connection: Connection, *set_cookies: str) -> None:
    """Answers every request with the Cookie that came, and sets some."""
    while request := connection.read_request():
        body = (request.value("cookie") or "").encode()
        headers = [f"Set-Cookie: {each}" for each in set_cookies] if request.target == "/set" else []
        connection.answer(body, "200 OK", *headers)


Start = Callable[..., ScriptedServer]


def test_cookies_come_back_to_whom_they_belong(scripted: Start) -> None:
    server = scripted(
        lambda connection: sent_cookies(
            connection,
            "plain=1",
            "deep=2; Path=/deep",
            "gone=3; Max-Age=0",
            "old=4; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
            "safe=5; Secure",
            "other=6; Domain=example.com",
            "__Host-x=7",
            "later=8; Max-Age=1000; HttpOnly; SameSite=Lax",
        )
    )
    with pabal.Session() as session:
        response = session.get(server.url + "/set")
        assert response.cookies["plain"] == "1"
        assert session.get(server.url + "/").text == "plain=1; later=8"
        assert session.get(server.url + "/deep/x").text.split("; ")[0] == "deep=2"
        (later,) = (each for each in session.cookies.cookies() if each.name == "later")
        assert later.http_only
        assert later.host_only
        assert later.expires == pytest.approx(time.time() + 1000, abs=5)
        session.cookies.clear()
        assert session.get(server.url + "/").text == ""


def test_a_requests_own_cookies_are_not_kept(scripted: Start) -> None:
    server = scripted(sent_cookies)
    with pabal.Session(cookies={"mine": "1", "both": "session"}) as session:
        assert session.get(server.url, cookies={"own": "2", "both": "request"}).text in (
            "mine=1; own=2; both=request",
            "mine=1; both=request; own=2",
        )
        assert session.get(server.url).text == "mine=1; both=session"


def test_calls_without_a_session_share_nothing(scripted: Start) -> None:
    server = scripted(lambda connection: sent_cookies(connection, "a=1"))
    assert pabal.get(server.url + "/set").cookies["a"] == "1"
    assert pabal.get(server.url + "/").text == ""


def test_thousands_of_bad_cookies_do_no_harm(scripted: Start) -> None:
    bad = ["=x", "x" * 5000, *["; ; ;"] * 50] * 4
    server = scripted(lambda connection: sent_cookies(connection, *bad, "good=1"))
    with pabal.Session() as session:
        session.get(server.url + "/set")
        assert session.get(server.url + "/").text.endswith("good=1")


# --- the mapping ------------------------------------------------------------------------------------------------------


def full_jar() -> pabal.CookieJar:
    """One of every kind."""
    jar = pabal.CookieJar()
    later = float(int(time.time()) + 1000)
    jar.set("everywhere", "0")
    jar.set("host", "1", domain="www.example.com")
    jar.set("below", "2", domain=".example.com", path="/x")
    jar.set("all", "3", domain="b\u00fccher.example", secure=True, http_only=True, same_site="strict", expires=later)
    jar.set_cookie(pabal.Cookie("bytes", b"\xff\xc3\xa9", domain="10.0.0.1", expires=later))
    jar.set_cookie(pabal.Cookie("", "nameless", domain="localhost"))
    jar.set_cookie(pabal.Cookie("six", '"6"', domain="::1", expires=later))
    return jar


def test_a_cookie_is_a_value() -> None:
    cookie = pabal.Cookie("a", "1", domain=".Example.com", secure=True, same_site="lax", expires=2e9)
    assert (cookie.domain, cookie.host_only, cookie.same_site, cookie.expires) == ("example.com", False, "Lax", 2e9)
    assert cookie.created is None
    assert cookie == pickle.loads(pickle.dumps(cookie)) == copy.deepcopy(cookie)
    assert cookie == pabal.Cookie(
        "a", "1", domain="example.com", host_only=False, secure=True, same_site="Lax", expires=2e9
    )
    assert cookie != pabal.Cookie("a", "2", domain=".example.com", secure=True, same_site="Lax", expires=2e9)
    assert cookie != "a"
    assert len({cookie, copy.copy(cookie)}) == 1
    assert repr(cookie) == "<Cookie a for example.com/>"  # no value: it may be a secret
    with pytest.raises(AttributeError):
        cookie.value = "2"  # type: ignore[misc]


def test_values_are_text_bytes_or_numbers() -> None:
    jar = pabal.CookieJar({"a": "\u00e9"})
    jar.set("b", 1.5)
    jar.set("c", 7)
    jar.set("d", b"\xff")
    assert dict(jar) == {"a": "\u00e9", "b": "1.5", "c": "7", "d": "\udcff"}


@pytest.mark.parametrize(
    "arguments",
    [
        {"name": 1},
        {"name": None},
        {"value": None},
        {"value": True},
        {"value": ["1"]},
        {"domain": 1},
        {"domain": None},
        {"path": b"/"},
        {"secure": "yes"},
        {"same_site": None},
        {"expires": "tomorrow"},
        {"expires": True},
    ],
)
def test_wrong_types_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        pabal.CookieJar().set(**{"name": "a", "value": "1", **arguments})


@pytest.mark.parametrize(
    "arguments",
    [
        {"name": "", "value": ""},
        {"name": "a=b"},
        {"name": "a;b"},
        {"name": "a\n"},
        {"value": "1;2"},
        {"value": "1\r\nx: y"},
        {"value": "\x00"},
        {"value": " 1"},
        {"value": "x" * 5000},
        {"domain": "example.com/x"},
        {"domain": "http://example.com"},
        {"domain": "a b"},
        {"path": "x"},
        {"path": "/;"},
        {"same_site": "Relaxed"},
        {"expires": float("nan")},
    ],
)
def test_wrong_values_are_refused(arguments: dict[str, Any]) -> None:
    jar = pabal.CookieJar()
    with pytest.raises(ValueError):
        jar.set(**{"name": "a", "value": "1", **arguments})
    with pytest.raises(ValueError):
        pabal.Cookie(**{"name": "a", "value": "1", **arguments})
    assert len(jar) == 0


def test_expiry_is_kept_within_what_clocks_hold() -> None:
    jar = pabal.CookieJar()
    jar.set("never", "1", expires=1e300)
    jar.set("inf", "1", expires=float("inf"))
    jar.set("past", "1", expires=-1e300)
    jar.set("gone", "1", expires=time.time() - 1)
    assert sorted(jar) == ["inf", "never"]


@pytest.mark.parametrize("given", [1, "a=1; b=2", b"a=1", ["a=1"], [("a",)], [("a", "1", "x")], [1], {"a": None}])
def test_what_is_no_collection_of_cookies_is_refused(given: Any) -> None:
    with pytest.raises(TypeError):
        pabal.CookieJar(given)
    with pytest.raises(TypeError):
        pabal.Session(cookies=given)
    jar = pabal.CookieJar({"kept": "1"})
    with pytest.raises(TypeError):
        jar.update(given)
    assert dict(jar) == {"kept": "1"}


def test_update_takes_all_or_nothing() -> None:
    jar = pabal.CookieJar({"a": "1"})
    with pytest.raises(ValueError):
        jar.update([("b", "2"), ("c", "bad\n")])
    assert dict(jar) == {"a": "1"}
    jar.update([("b", "2")], c="3")
    jar.update(full_jar())
    assert dict(jar).items() >= {"a": "1", "b": "2", "c": "3", "host": "1"}.items()
    assert jar.get("below", domain=".example.com") == "2"


def test_deleting_and_clearing() -> None:
    jar = pabal.CookieJar()
    for domain in ("a.example.com", ".example.com", "badexample.com", "other.org", ""):
        jar.set("x", "1", domain=domain)
        jar.set("y", "2", domain=domain, path="/p")
    assert jar.delete("x", domain="other.org", path="/p") == 0
    assert jar.delete("x", domain="OTHER.org") == 1
    assert jar.delete("y", path="/p", domain="") == 1
    assert jar.delete("nothing") == 0
    jar.clear(domain="example.com")
    assert sorted((each.domain, each.name) for each in jar.cookies()) == [
        ("", "x"),
        ("badexample.com", "x"),
        ("badexample.com", "y"),
        ("other.org", "y"),
    ]
    jar.clear(where=lambda cookie: cookie.path == "/p", domain="other.org")
    jar.clear(where=lambda cookie: cookie.name == "x")
    assert [each.domain for each in jar.cookies()] == ["badexample.com"]
    with pytest.raises(ZeroDivisionError):
        jar.clear(where=lambda cookie: 1 / 0)
    with pytest.raises(TypeError):
        jar.clear(where="x")  # type: ignore[arg-type]
    assert len(jar) == 1
    assert jar.pop("y") == "2"
    assert jar.setdefault("z", "3") == "3"
    assert list(jar.items()) == [("z", "3")]
    with pytest.raises(KeyError, match="none"):
        del jar["none"]
    jar.clear()
    assert not jar


def test_a_predicate_may_use_the_jar() -> None:
    jar = full_jar()
    jar.clear(where=lambda cookie: len(jar) > 0 and jar.delete(cookie.name) == 1)
    assert len(jar) == 0


def test_copies_are_equal_and_apart() -> None:
    jar = full_jar()
    jar.policy = pabal.CookiePolicy(blocked_domains=["ads.example"])
    for other in (jar.copy(), copy.copy(jar), copy.deepcopy(jar), pickle.loads(pickle.dumps(jar))):
        assert other == jar
        assert other.policy == jar.policy
        assert [each.created for each in other.cookies()] == pytest.approx([each.created for each in jar.cookies()])
        other["more"] = "1"
        assert other != jar
        assert "more" not in jar
    assert pabal.CookieJar(jar) == jar
    assert pabal.CookieJar(jar.cookies()) == jar


def test_equality() -> None:
    assert pabal.CookieJar({"a": "1", "b": "2"}) == {"b": "2", "a": "1"}
    assert pabal.CookieJar({"a": "1"}) != {"a": "2"}
    assert pabal.CookieJar({"a": "1"}) != pabal.CookieJar()
    here, there = pabal.CookieJar(), pabal.CookieJar()
    here.set("a", "1", domain="a.example")
    there.set("a", "1", domain="b.example")
    assert here != there
    assert here == here
    assert here != 1
    with pytest.raises(TypeError):
        hash(here)


def test_cookies_for_a_url() -> None:
    jar = full_jar()

    def names(url: str) -> list[str]:
        return [each.name for each in jar.cookies_for(url)]

    assert names("http://www.example.com/x/y") == ["below", "everywhere", "host"]
    assert names("http://example.com/x") == ["below", "everywhere"]
    assert names("http://b\u00fccher.example/") == ["everywhere"]
    assert names("https://xn--bcher-kva.example/") == ["everywhere", "all"]
    with pytest.raises(ValueError):
        jar.cookies_for("not a url")


def test_many_threads_may_use_one_jar() -> None:
    jar = pabal.CookieJar()

    def work(number: int) -> None:
        for turn in range(200):
            jar.set(f"c{turn % 7}", str(turn), domain=f"h{number}.example")
            jar.clear(domain="h0.example", where=lambda cookie: cookie.name == "c1")
            list(jar)
            jar.copy()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {each.domain for each in jar.cookies()} == {f"h{number}.example" for number in range(4)}


# --- policies ---------------------------------------------------------------------------------------------------------


def test_a_policy_is_a_value() -> None:
    policy = pabal.CookiePolicy(allowed_domains=["Example.com", ".b\u00fccher.example", "example.com"])
    assert policy.allowed_domains == ("example.com", "xn--bcher-kva.example")
    assert policy == pickle.loads(pickle.dumps(policy)) == copy.deepcopy(policy)
    assert policy == pabal.CookiePolicy(allowed_domains=("example.com", "xn--bcher-kva.example"))
    assert policy != pabal.CookiePolicy()
    assert len({policy, copy.copy(policy)}) == 1
    assert eval(repr(policy), {"CookiePolicy": pabal.CookiePolicy}) == policy
    with pytest.raises(AttributeError, match="immutable"):
        policy.accept = False
    jar = pabal.CookieJar(policy=policy)
    assert jar.policy == policy
    jar.policy = None  # type: ignore[assignment]
    assert jar.policy == pabal.CookiePolicy()


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"accept": 1}, TypeError),
        ({"third_party": None}, TypeError),
        ({"trust_loopback": "no"}, TypeError),
        ({"allowed_domains": "example.com"}, TypeError),
        ({"blocked_domains": [1]}, TypeError),
        ({"blocked_domains": None}, TypeError),
        ({"allowed_domains": []}, ValueError),
        ({"allowed_domains": ["a b"]}, ValueError),
        ({"blocked_domains": ["https://example.com/"]}, ValueError),
        ({"blocked_domains": [""]}, ValueError),
        ({"unknown": True}, TypeError),
    ],
)
def test_wrong_policies_are_refused(arguments: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        pabal.CookiePolicy(**arguments)


def test_a_jar_takes_policies_only() -> None:
    with pytest.raises(TypeError, match=r"pabal\.CookiePolicy"):
        pabal.CookieJar(policy={"accept": False})  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"pabal\.CookiePolicy"):
        pabal.CookieJar().policy = "none"  # type: ignore[assignment]


def test_a_session_follows_the_policy_of_its_jar(scripted: Start) -> None:
    server = scripted(lambda connection: sent_cookies(connection, "a=1", "safe=2; Secure"))
    with pabal.Session(cookies=pabal.CookieJar({"own": "0"}, policy=pabal.CookiePolicy(accept=False))) as session:
        assert session.get(server.url + "/set").text == "own=0"
        assert session.get(server.url + "/").text == "own=0"
        session.cookies.policy = pabal.CookiePolicy(trust_loopback=True)
        session.get(server.url + "/set")
        assert session.get(server.url + "/").text == "own=0; a=1; safe=2"
        session.cookies.policy = pabal.CookiePolicy(blocked_domains=["127.0.0.1"])
        assert session.get(server.url + "/").text == ""
        assert session.get(server.url + "/", cookies={"x": "1"}).text == "x=1"


def test_a_redirect_to_a_third_party_may_be_left_without_cookies(scripted: Start) -> None:
    def redirecting(connection: Connection) -> None:
        while request := connection.read_request():
            port = (request.value("host") or "").rpartition(":")[2]
            if request.target == "/go":
                connection.answer(b"", "302 Found", f"Location: http://localhost:{port}/set", "Set-Cookie: first=1")
            else:
                connection.answer((request.value("cookie") or "").encode(), "200 OK", "Set-Cookie: third=3")

    server = scripted(redirecting)
    with pabal.Session() as session:
        session.cookies.set("tracker", "2", domain="localhost")
        assert session.get(server.url + "/go").text == "tracker=2"
        assert session.cookies["third"] == "3"
        session.cookies.delete("third")
        session.cookies.policy = pabal.CookiePolicy(third_party=False)
        assert session.get(server.url + "/go").text == ""
        assert "third" not in session.cookies
        assert session.cookies["first"] == "1"
        # Asked for by itself it is no third party.
        assert session.get(server.url.replace("127.0.0.1", "localhost")).text == "tracker=2"


# --- http.cookiejar ---------------------------------------------------------------------------------------------------


def test_jars_of_the_standard_library_there_and_back() -> None:
    jar = full_jar()
    jar.set("web", "7", domain="intranet")
    standard = jar.to_cookiejar()
    assert pabal.CookieJar.from_cookiejar(standard) == jar
    assert pabal.CookieJar(standard) == jar
    by_name = {each.name: each for each in standard}
    assert (by_name["host"].domain, by_name["host"].domain_specified) == ("www.example.com", False)
    assert (by_name["below"].domain, by_name["below"].path) == (".example.com", "/x")
    strict = by_name["all"]
    assert strict.secure
    assert strict.has_nonstandard_attr("HttpOnly")
    assert strict.get_nonstandard_attr("SameSite") == "Strict"
    assert not strict.discard
    assert by_name["nameless"].value is None
    assert by_name["web"].domain == "intranet.local"
    # It sends what we would send.
    for url in ("http://www.example.com/x", "http://localhost/", "http://intranet/", "http://10.0.0.1/"):
        request = urllib.request.Request(url)
        standard.add_cookie_header(request)
        ours = [f"{each.name}={each.value}" if each.name else each.value for each in jar.cookies_for(url)]
        sent = str(request.get_header("Cookie")).split("; ")
        assert sorted(sent) == sorted(each.encode("utf-8", "surrogateescape").decode("latin-1") for each in ours), url


def standard_cookie(**changes: Any) -> http.cookiejar.Cookie:
    fields: dict[str, Any] = {
        "version": 0,
        "name": "a",
        "value": "1",
        "port": None,
        "port_specified": False,
        "domain": "example.com",
        "domain_specified": False,
        "domain_initial_dot": False,
        "path": "/",
        "path_specified": False,
        "secure": False,
        "expires": None,
        "discard": True,
        "comment": None,
        "comment_url": None,
        "rest": {},
    }
    return http.cookiejar.Cookie(**{**fields, **changes})


def test_what_the_standard_library_says_of_cookies_is_understood() -> None:
    standard = http.cookiejar.CookieJar()
    for number, changes in enumerate(
        [
            {},
            {"domain": ".example.com", "domain_specified": True},
            {"domain": "example.com", "domain_specified": True},  # as requests makes them
            {"domain": ""},
            {"domain": "localhost.local"},
            {"domain": "web.local"},
            {"rest": {"HTTPONLY": None, "samesite": "none"}, "secure": True},
            {"expires": int(time.time()) - 5},
            {"rest": {"SameSite": "nonsense"}, "value": "\u00c3\u00a9"},
        ]
    ):
        standard.set_cookie(standard_cookie(**{"name": f"c{number}", **changes}))
    jar = pabal.CookieJar.from_cookiejar(standard)
    seen = sorted((each.name, each.domain, each.host_only) for each in jar.cookies())
    assert seen == [
        ("c0", "example.com", True),
        ("c1", "example.com", False),
        ("c2", "example.com", False),
        ("c3", "", True),
        ("c4", "localhost", True),
        ("c5", "web", True),
        ("c5", "web.local", True),
        ("c6", "example.com", True),
        ("c8", "example.com", True),
    ]
    (six,) = (each for each in jar.cookies() if each.name == "c6")
    assert (six.http_only, six.same_site, six.secure) == (True, "None", True)
    assert jar["c8"] == "\u00e9"
    jar = pabal.CookieJar()
    jar.set_cookie(standard_cookie())
    jar.update(standard)
    assert jar["a"] == "1"
    assert len(jar) == 10
    for wrong in ({"a": "1"}, [], None):
        with pytest.raises(TypeError):
            pabal.CookieJar.from_cookiejar(wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        jar.set_cookie("a=1")  # type: ignore[arg-type]


def test_a_session_and_a_request_take_jars_of_the_standard_library(scripted: Start) -> None:
    server = scripted(sent_cookies)
    standard = http.cookiejar.CookieJar()
    standard.set_cookie(standard_cookie(domain="127.0.0.1"))
    standard.set_cookie(standard_cookie(name="b", domain="other.example"))
    with pabal.Session(cookies=standard) as session:
        assert session.get(server.url).text == "a=1"
    with pabal.Session() as session:
        assert session.get(server.url, cookies=standard).text == "a=1"
        assert session.get(server.url, cookies=[pabal.Cookie("c", "3"), pabal.Cookie("", "d")]).text in (
            "c=3; d",
            "d; c=3",
        )
        # Of a jar only what is meant for this host, and host-only is host-only.
        jar = pabal.CookieJar(
            [pabal.Cookie("x", "1", domain="10.127.0.0.1.example"), pabal.Cookie("y", "2", domain="127.0.0.1")]
        )
        assert session.get(server.url, cookies=jar).text == "y=2"
        with pytest.raises(TypeError, match="headers="):
            session.get(server.url, cookies="a=1")  # type: ignore[arg-type]
        assert len(session.cookies) == 0


# --- files ------------------------------------------------------------------------------------------------------------


def test_a_jar_goes_through_a_file(tmp_path: Path) -> None:
    jar = full_jar()
    path = tmp_path / "cookies.json"
    jar.save(path)
    kept = pabal.CookieJar.load(path)
    assert sorted(kept) == ["all", "bytes", "six"]
    jar.save(str(path), session_cookies=True)
    policy = pabal.CookiePolicy(third_party=False)
    loaded = pabal.CookieJar.load(str(path), policy=policy)
    assert loaded == jar
    assert loaded.policy == policy
    assert [each.created for each in loaded.cookies()] == pytest.approx([each.created for each in jar.cookies()])
    assert json.loads(path.read_text())["version"] == 1
    assert os.listdir(tmp_path) == ["cookies.json"]


def test_host_only_survives_a_file(tmp_path: Path, scripted: Start) -> None:
    server = scripted(lambda connection: sent_cookies(connection, "a=1; Max-Age=100"))
    with pabal.Session() as session:
        session.get(server.url.replace("127.0.0.1", "localhost") + "/set")
        session.cookies.save(tmp_path / "jar")
    jar = pabal.CookieJar.load(tmp_path / "jar")
    (cookie,) = jar.cookies()
    assert cookie.host_only
    assert jar.cookies_for("http://localhost/") == [cookie]
    assert jar.cookies_for("http://app.localhost/") == []


def test_a_file_is_private_and_replaced_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "cookies.json"
    path.write_text("old")
    path.chmod(0o644)
    before = os.umask(0)
    try:
        full_jar().save(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def fail(*_: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr(os, "fsync", fail)
    saved = path.read_bytes()
    with pytest.raises(OSError, match="no space"):
        pabal.CookieJar().save(path)
    assert path.read_bytes() == saved
    assert os.listdir(tmp_path) == ["cookies.json"]
    with pytest.raises(FileNotFoundError):
        full_jar().save(tmp_path / "nowhere" / "x")
    with pytest.raises(TypeError):
        full_jar().save(b"x")  # type: ignore[arg-type]
    with pytest.raises(FileNotFoundError):
        pabal.CookieJar.load(tmp_path / "nothing")


def record(**changes: object) -> dict[str, object]:
    fields: dict[str, object] = {
        "name": "a",
        "value": "1",
        "domain": "example.com",
        "path": "/",
        "host_only": True,
        "secure": False,
        "http_only": False,
        "same_site": "",
        "expires": None,
        "created": None,
    }
    return {**fields, **changes}


def file_of(*records: object) -> str:
    return json.dumps({"format": "pabal cookies", "version": 1, "cookies": records})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "not a file of pabal's cookies"),
        ("{}", "not a file of pabal's cookies"),
        ('{"format": "pabal cookies"}', "version None"),
        ('{"format": "pabal cookies", "version": 2, "cookies": []}', "version 2"),
        ('{"format": "pabal cookies", "version": 1}', "no list"),
        (file_of(1), "cookie 0"),
        (file_of(record(), {"name": "a"}), "cookie 1: 'value' is missing"),
        (file_of(record(host_only=1)), "'host_only'"),
        (file_of(record(secure=None)), "'secure'"),
        (file_of(record(expires=True)), "'expires'"),
        (file_of(record(expires="soon")), "'expires'"),
        (file_of(record(expires=float("nan"))), "expires"),
        (file_of(record(value="secret\n")), "cookie 0"),
        (file_of(record(value=["secret"])), "'value' is of type list"),
        (file_of(record(domain=".example.com")), "dot"),
        (file_of(record(same_site="odd")), "same_site"),
    ],
)
def test_a_malformed_file_is_a_clear_error(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "cookies.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"cookies\.json") as raised:
        pabal.CookieJar.load(path)
    assert said in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_file_is_never_unpickled(tmp_path: Path) -> None:
    path = tmp_path / "cookies.json"
    path.write_bytes(pickle.dumps(full_jar()))
    with pytest.raises(ValueError):
        pabal.CookieJar.load(path)


def test_a_public_suffix_gets_no_cookie(scripted: Start) -> None:
    server = scripted(lambda connection: sent_cookies(connection, "a=1; Domain=localhost", "b=2"))
    with pabal.Session() as session:
        session.get(server.url.replace("127.0.0.1", "app.localhost") + "/set")
        assert [each.name for each in session.cookies.cookies()] == ["b"]
