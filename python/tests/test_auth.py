"""Who the caller is: digest, netrc, auth by place, auth flows; and that nobody else learns it."""

from __future__ import annotations

import asyncio
import copy
import hashlib
import pickle
import re
from collections.abc import AsyncGenerator, Callable, Generator
from pathlib import Path
from typing import Any

import pabal
import pytest
from support.nginx import Nginx
from support.scripted import Connection, Received, ScriptedServer

Run = Callable[[Any], Any]
Scripted = Callable[..., ScriptedServer]


@pytest.fixture(autouse=True)
def no_netrc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETRC", "/nowhere")


def basic(user: str, password: str) -> str:
    return pabal.auth.basic_credentials(user, password)


class Digest:
    """A server that knows one user; written from RFC 7616, not from the client."""

    def __init__(self, algorithm: str = "MD5", qop: str = "auth", user: str = "user", password: str = "secret") -> None:
        self.algorithm, self.qop, self.user, self.password = algorithm, qop, user, password
        self.realm = 'a "quoted" \\ realm'
        self.nonce = "n1"
        self.seen: list[Received] = []

    def _hash(self, *parts: str | bytes) -> str:
        name = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}[self.algorithm.removesuffix("-sess")]
        raw = [part if isinstance(part, bytes) else part.encode() for part in parts]
        return hashlib.new(name, b":".join(raw)).hexdigest()

    def is_right(self, request: Received) -> bool:
        header = request.value("authorization")
        if header is None or not header.startswith("Digest "):
            return False
        pairs = re.findall(r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))', header)
        said = {name: re.sub(r"\\(.)", r"\1", quoted) or plain for name, quoted, plain in pairs}
        if said["nonce"] != self.nonce or said["uri"] != request.target or said["realm"] != self.realm:
            return False
        secret = self._hash(self.user, self.realm, self.password)
        if self.algorithm.endswith("-sess"):
            secret = self._hash(secret, said["nonce"], said["cnonce"])
        what = [request.method, said["uri"]] + ([self._hash(request.body)] if said.get("qop") == "auth-int" else [])
        middle = [said["nc"], said["cnonce"], said["qop"]] if self.qop else []
        return said["response"] == self._hash(secret, said["nonce"], *middle, self._hash(*what))

    def __call__(self, connection: Connection) -> None:
        while request := connection.read_request():
            self.seen.append(request)
            if self.is_right(request):
                connection.answer(b"welcome")
                continue
            realm = self.realm.replace("\\", "\\\\").replace('"', '\\"')
            qop = f', qop="{self.qop}"' if self.qop else ""
            connection.answer(
                b"who?",
                "401 Unauthorized",
                'WWW-Authenticate: Basic realm="x"',
                f'WWW-Authenticate: Digest realm="{realm}", nonce="{self.nonce}", algorithm={self.algorithm}{qop}',
            )


# --- digest -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["MD5", "MD5-sess", "SHA-256", "SHA-256-sess", "SHA-512-256"])
@pytest.mark.parametrize("qop", ["", "auth", "auth-int", "auth-int, auth"])
def test_digest(algorithm: str, qop: str, scripted: Scripted) -> None:
    server = Digest(algorithm, qop)
    url = scripted(server).url
    with pabal.Session(auth=pabal.DigestAuth("user", "secret")) as session:
        for count in range(3):
            response = session.post(f"{url}/a?b={count}", data=b"body")
            assert response.content == b"welcome"
    assert [request.value("authorization") is None for request in server.seen] == [True, False, False, False]
    assert [request.body for request in server.seen] == [b"body"] * 4
    if qop:
        assert "nc=00000003" in (server.seen[3].value("authorization") or "")


def test_digest_async_and_of_a_request(scripted: Scripted, run: Run) -> None:
    server = Digest()
    url = scripted(server).url
    auth = pabal.DigestAuth("user", "secret")

    async def main() -> list[int]:
        async with pabal.AsyncSession() as session:
            together = await asyncio.gather(*[session.get(url, auth=auth) for _ in range(20)])
            other = await session.get(url, auth=pabal.DigestAuth("user", "wrong"))
            return [response.status_code for response in [*together, other]]

    assert run(main()) == [200] * 20 + [401]


def test_digest_text_is_utf8_and_quotes_are_escaped(scripted: Scripted) -> None:
    server = Digest(user='jäsøn "d" \\', password="pässword")
    auth = pabal.DigestAuth(server.user, server.password.encode())
    assert pabal.get(scripted(server).url, auth=auth).content == b"welcome"


def test_digest_renews_its_nonce(scripted: Scripted) -> None:
    server = Digest()
    with pabal.Session(auth=pabal.DigestAuth("user", "secret")) as session:
        url = scripted(server).url
        assert session.get(url).status_code == 200
        server.nonce = "n2"
        assert session.get(url).status_code == 200
    assert len(server.seen) == 4


def test_digest_does_not_answer_another_origin(scripted: Scripted) -> None:
    evil = Digest()
    elsewhere = scripted(evil).url

    def redirect(connection: Connection) -> None:
        while connection.read_request():
            connection.answer(b"", "302 Found", f"Location: {elsewhere}")

    response = pabal.get(scripted(redirect).url, auth=pabal.DigestAuth("user", "secret"))
    assert response.status_code == 401
    assert [request.value("authorization") for request in evil.seen] == [None]


def test_digest_never_sends_a_consumed_body_empty(scripted: Scripted) -> None:
    server = Digest()
    response = pabal.put(
        scripted(server).url, content=(b"x" for _ in range(2)), auth=pabal.DigestAuth("user", "secret")
    )
    assert (response.status_code, len(server.seen)) == (401, 1)


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [(("a\n", "b"), ValueError), (("a", "b\x00"), ValueError), ((1, "b"), TypeError), (("a", None), TypeError)],
)
def test_digest_arguments_are_checked(arguments: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        pabal.DigestAuth(*arguments)


def test_digest_does_not_show_its_password() -> None:
    auth = pabal.DigestAuth("user", "secret")
    assert repr(auth) == "DigestAuth('user', '***')"
    assert auth.username == "user"


def test_basic_against_nginx(nginx: Nginx) -> None:
    assert pabal.get(nginx.url + "/private").status_code == 401
    assert pabal.get(nginx.url + "/private", auth=("user", "secret")).status_code != 401
    assert pabal.get(nginx.url + "/private", auth=pabal.DigestAuth("user", "secret")).status_code == 401


# --- netrc ------------------------------------------------------------------------------------------------------------


class Recorder:
    """Answers everything, keeps what it was asked; redirects from /to/URL."""

    def __init__(self) -> None:
        self.seen: list[Received] = []

    def __call__(self, connection: Connection) -> None:
        while request := connection.read_request():
            self.seen.append(request)
            if request.target.startswith("/to/"):
                connection.answer(b"", "302 Found", f"Location: {request.target[4:]}")
            else:
                connection.answer(b"ok")

    @property
    def last(self) -> str | None:
        return self.seen[-1].value("authorization")


def test_netrc(scripted: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password secret\ndefault login x password y\n")
    monkeypatch.delenv("NETRC")
    monkeypatch.setenv("HOME", str(tmp_path))
    server = Recorder()
    url = scripted(server).url
    with pabal.Session() as session:
        session.get(url)
        assert server.last == basic("me", "secret")
        session.get(url, auth=("a", "b"))
        assert server.last == basic("a", "b")
        session.get(url, headers={"Authorization": "Bearer t"})
        assert server.last == "Bearer t"
        session.get(url.replace("127.0.0.1", "localhost"))
        assert server.last is None, "the default entry is for nobody"
        session.get(url.replace("http://", "http://u:p@"))
        assert server.last == basic("u", "p")
        session.trust_env = False
        session.get(url)
        assert server.last is None

    async def main() -> None:
        async with pabal.AsyncSession() as asynchronous:
            await asynchronous.get(url)

    run(main())
    assert server.last == basic("me", "secret")
    pabal.Session(trust_env=False).get(url)
    assert server.last is None


def test_netrc_is_for_exact_hosts(scripted: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CVE-2024-47081: userinfo that looks like a known host."""
    path = tmp_path / "netrc"
    path.write_text("machine known.example login me password secret\n")
    monkeypatch.setenv("NETRC", str(path))
    server = Recorder()
    place = scripted(server).url.removeprefix("http://")
    for url in (f"http://known.example:@{place}/", f"http://known.example@{place}/", f"http://{place}/@known.example"):
        pabal.get(url)
        assert server.last != basic("me", "secret")


# --- auth by place ----------------------------------------------------------------------------------------------------


def test_auth_by_place(scripted: Scripted) -> None:
    server = Recorder()
    url = scripted(server).url
    place = url.removeprefix("http://")

    def token(request: pabal.Request) -> None:
        request.headers["Authorization"] = "Bearer t"

    with pabal.Session(auth={"127.0.0.1": ("host", "p"), place: ("port", "p"), "other.example": ("x", "y")}) as session:
        session.get(url)
        assert server.last == basic("port", "p")
        session.get(url, auth={url: token, place: ("port", "p")})
        assert server.last == "Bearer t"
        session.get(url.replace("127.0.0.1", "localhost"))
        assert server.last is None
        session.get(url, auth={"other.example": ("x", "y")})
        assert server.last is None
        session.auth = {"127.0.0.1": ("host", "p")}
        session.get(url)
        assert server.last == basic("host", "p")


def own_token(request: pabal.Request) -> None:
    request.headers["Authorization"] = "Bearer own"


@pytest.mark.parametrize(
    ("at_a", "sent_to_a"),
    [
        (("a", "1"), basic("a", "1")),
        (pabal.BasicAuth("a", "1"), basic("a", "1")),
        (pabal.BearerAuth("t"), "Bearer t"),
        (own_token, "Bearer own"),
        (None, None),
    ],
    ids=["pair", "basic", "bearer", "callable", "none"],
)
@pytest.mark.parametrize("by", ["session", "request"])
def test_a_redirect_is_told_what_is_meant_for_its_own_host(
    by: str, at_a: Any, sent_to_a: str | None, scripted: Scripted, run: Run
) -> None:
    """And never what was meant for the host before."""
    there = Recorder()
    other = scripted(there)
    sent: list[str | None] = []

    def redirecting(connection: Connection) -> None:
        while request := connection.read_request():
            sent.append(request.value("authorization"))
            connection.answer(b"", "307 Moved", f"Location: {other.url}/")

    first = scripted(redirecting)
    places = {f"127.0.0.1:{first.port}": at_a, f"127.0.0.1:{other.port}": ("b", "2")}
    whole, own = ({"auth": places}, {}) if by == "session" else ({}, {"auth": places})

    async def main() -> None:
        async with pabal.AsyncSession(**whole) as session:
            await session.post(first.url, data=b"x", **own)

    with pabal.Session(**whole) as session:
        session.post(first.url, data=b"x", **own)
        assert there.last == basic("b", "2")
        del places[f"127.0.0.1:{other.port}"]
        session.post(first.url, data=b"x", **own)
        assert there.last is None
    places[f"127.0.0.1:{other.port}"] = pabal.BearerAuth("b")
    run(main())
    assert there.last == "Bearer b"
    assert sent == [sent_to_a] * 3


def test_a_digest_of_the_next_host_answers_its_challenge(scripted: Scripted) -> None:
    server = Digest()
    other = scripted(server)

    def redirecting(connection: Connection) -> None:
        while connection.read_request():
            connection.answer(b"", "302 Found", f"Location: {other.url}/")

    first = scripted(redirecting)
    auth = {f"127.0.0.1:{first.port}": ("a", "1"), other.url: pabal.DigestAuth("user", "secret")}
    assert pabal.get(first.url, auth=auth).ok


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda made: pickle.loads(pickle.dumps(made))])
def test_a_digest_can_be_copied_and_is_challenged_anew(copied: Callable[[Any], Any], scripted: Scripted) -> None:
    server = Digest()
    url = scripted(server).url
    auth = pabal.DigestAuth("user", "secret")
    with pabal.Session(auth=auth) as session:
        assert session.get(url).ok
        for made in (copied(auth), copied(session).auth):
            assert made.username == "user"
            with pabal.Session(auth=made) as other:
                assert other.get(url).ok


@pytest.mark.parametrize(
    ("auth", "kind"),
    [
        ({"a/b": ("u", "p")}, ValueError),
        ({"*": ("u", "p")}, ValueError),
        ({1: ("u", "p")}, TypeError),
        ({"127.0.0.1": 5}, ValueError),
        (5, ValueError),
        (("a",), ValueError),
        (("a:b", "c"), ValueError),
    ],
)
def test_wrong_auth_is_refused_before_anything_is_sent(auth: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        pabal.get("http://127.0.0.1:9/", auth=auth)


# --- flows ------------------------------------------------------------------------------------------------------------


class Token:
    """Fetches a token when it is told that it has none."""

    requires_response_body = True

    def __init__(self, url: str) -> None:
        self.url = url
        self.closed = 0

    def auth_flow(self, request: pabal.Request) -> Generator[pabal.Request, pabal.Response, None]:
        try:
            response = yield request
            if response.status_code == 401:
                token = yield pabal.Request("POST", self.url + "/token")
                request.headers["Authorization"] = f"Bearer {token.text}"
                yield request
        finally:
            self.closed += 1


class TokenServer(Recorder):
    def __call__(self, connection: Connection) -> None:
        while request := connection.read_request():
            self.seen.append(request)
            if request.target == "/token":
                connection.answer(b"t123")
            elif request.value("authorization") == "Bearer t123":
                connection.answer(b"in " + request.body)
            else:
                connection.answer(b"out", "401 Unauthorized")


def test_a_flow_with_a_sync_session(scripted: Scripted) -> None:
    server = TokenServer()
    auth = Token(scripted(server).url)
    with pabal.Session(auth=auth, headers={"X-One": "1"}) as session:
        response = session.put(auth.url + "/x", data=b"body", params={"a": "1"}, timeout=10)
        assert response.content == b"in body"
        with session.stream("GET", auth.url) as streamed:
            assert b"".join(streamed.iter_bytes()) == b"in "
    assert [request.target for request in server.seen] == ["/x?a=1", "/token", "/x?a=1", "/", "/token", "/"]
    assert server.seen[0].value("x-one") == "1"
    assert auth.closed == 2


def test_a_flow_with_an_async_session(scripted: Scripted, run: Run) -> None:
    server = TokenServer()
    auth = Token(scripted(server).url)

    async def main() -> list[bytes]:
        async with pabal.AsyncSession(auth=auth) as session:
            one = await session.get(auth.url)
            two, three = await asyncio.gather(session.post(auth.url, data=b"2"), session.post(auth.url, data=b"3"))
            async with session.stream("GET", auth.url) as streamed:
                four = await streamed.aread()
            five = await asyncio.create_task(session.get(auth.url))
            session.get(auth.url)  # never awaited: nothing happens
            return [one.content, two.content, three.content, four, five.content]

    assert run(main()) == [b"in ", b"in 2", b"in 3", b"in ", b"in "]
    assert auth.closed == 5


class Both:
    requires_request_body = True

    def sync_auth_flow(self, request: pabal.Request) -> Generator[pabal.Request, pabal.Response, None]:
        assert isinstance(request.body, bytes)
        request.headers["Authorization"] = f"Sync {len(request.body)}"
        yield request

    async def async_auth_flow(self, request: pabal.Request) -> AsyncGenerator[pabal.Request, pabal.Response]:
        await asyncio.sleep(0)
        assert isinstance(request.body, bytes)
        request.headers["Authorization"] = f"Async {len(request.body)}"
        yield request


def test_flows_of_both_kinds_that_need_the_body(scripted: Scripted, run: Run) -> None:
    server = Recorder()
    url = scripted(server).url
    pabal.put(url, content=(b"xx" for _ in range(3)), auth=Both())
    assert server.last == "Sync 6"

    async def pieces() -> AsyncGenerator[bytes, None]:
        yield b"abc"
        yield b"d"

    async def main() -> None:
        async with pabal.AsyncSession(auth=Both()) as session:
            await session.put(url, content=pieces())
            assert server.last == "Async 4"
            await session.put(url, content=[b"ab"])
            assert server.last == "Async 2"

    run(main())


def test_a_flow_that_repeats_a_consumed_body_fails_clearly(scripted: Scripted) -> None:
    auth = Token(scripted(TokenServer()).url)
    with pytest.raises(pabal.exceptions.BodyNotReplayable, match="already consumed"):
        pabal.put(auth.url, content=(b"x" for _ in range(3)), auth=auth)
    assert auth.closed == 1


def test_a_flow_that_raises_is_heard(scripted: Scripted, run: Run) -> None:
    class Broken:
        def auth_flow(self, request: pabal.Request) -> Generator[pabal.Request, pabal.Response, None]:
            yield request
            raise KeyError("mine")

    class Empty:
        def auth_flow(self, request: pabal.Request) -> Generator[pabal.Request, pabal.Response, None]:
            yield from ()

    class Other:
        async def async_auth_flow(self, request: pabal.Request) -> AsyncGenerator[pabal.Request, pabal.Response]:
            yield request

    url = scripted(Recorder()).url
    with pytest.raises(KeyError, match="mine"):
        pabal.get(url, auth=Broken())
    with pytest.raises(ValueError, match="yielded no request"):
        pabal.get(url, auth=Empty())
    with pytest.raises(ValueError, match="no auth flow for this kind of session"):
        pabal.get(url, auth=Other())

    async def main(auth: Any) -> None:
        async with pabal.AsyncSession() as session:
            await session.get(url, auth=auth)

    with pytest.raises(KeyError, match="mine"):
        run(main(Broken()))
    with pytest.raises(ValueError, match="yielded no request"):
        run(main(Empty()))


def test_a_flow_can_be_cancelled(no_leaks: None, scripted: Scripted, run: Run) -> None:
    def silent(connection: Connection) -> None:
        connection.read_request()
        connection.wait_closed()

    auth = Token(scripted(silent).url)

    async def main() -> None:
        async with pabal.AsyncSession(auth=auth) as session:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(session.get(auth.url), 0.2)

    run(main())
    assert auth.closed == 1
