"""Copied and pickled sessions: the same settings and cookies, connections of their own."""

from __future__ import annotations

import asyncio
import copy
import pickle
from collections.abc import Callable

import pabal
import pytest
from support.scripted import Connection, ScriptedServer

Start = Callable[..., ScriptedServer]
Copier = Callable[[pabal.Session], pabal.Session]


noted: list[str] = []


def note(response: pabal.Response) -> None:
    """A hook that can be pickled."""
    noted.append(response.url)


def unpickled(session: pabal.Session) -> pabal.Session:
    made: pabal.Session = pickle.loads(pickle.dumps(session))
    return made


@pytest.fixture(params=[copy.copy, copy.deepcopy, unpickled], ids=["copy", "deepcopy", "pickle"])
def copied(request: pytest.FixtureRequest) -> Copier:
    copier: Copier = request.param
    return copier


def echo(connection: Connection) -> None:
    while request := connection.read_request():
        sent = [request.value(name) or "-" for name in ("user-agent", "x-own", "cookie", "authorization")]
        connection.answer(" ".join(sent).encode())


def test_settings_come_along(copied: Copier, scripted: Start) -> None:
    server = scripted(echo)
    with pabal.Session(
        headers={"X-Own": "1"},
        cookies={"a": "b"},
        auth=("user", "password"),
        timeout=7,
        limits=pabal.Limits(max_connections=3),
        retries=2,
        base_url=server.url,
        hooks={"response": [note]},
        proxies={"http://elsewhere.example": "http://127.0.0.1:1"},
        verify=False,
    ) as session:
        del session.headers["User-Agent"]
        before = session.get("/").text
        with copied(session) as other:
            assert other.get("/").text == before == "- 1 a=b Basic dXNlcjpwYXNzd29yZA=="
            noted.clear()
            other.get("/")
            assert noted == [f"{server.url}/"]
            assert (other.timeout, other.limits, other.retries) == (session.timeout, session.limits, session.retries)
            assert (other.proxies, other.verify, other.base_url) == (session.proxies, False, session.base_url)
        assert server.connections == 2


def test_what_is_changed_afterwards_is_ones_own(copied: Copier) -> None:
    with pabal.Session(cookies={"a": "1"}, hooks={"response": [note]}) as session, copied(session) as other:
        other.headers["X-New"] = "1"
        other.cookies["b"] = "2"
        other.hooks["response"].clear()
        other.proxies["http"] = "http://127.0.0.1:1"
        assert "X-New" not in session.headers
        assert "b" not in session.cookies
        assert session.hooks["response"] == [note]
        assert not session.proxies


class Api(pabal.Session):
    """A subclass with arguments of its own."""

    def __init__(self, key: str) -> None:
        super().__init__(headers={"X-Own": key})
        self.key = key


def test_a_subclass_stays_what_it_is(copied: Copier) -> None:
    with Api("secret") as session:
        made = copied(session)
        assert type(made) is Api
        assert made.key == "secret"
        assert made.headers["X-Own"] == "secret"
        made.close()


def test_a_closed_session_has_an_open_copy(copied: Copier, scripted: Start) -> None:
    session = pabal.Session()
    session.close()
    with copied(session) as other:
        assert other.get(scripted(echo).url).ok


def test_async_sessions(scripted: Start) -> None:
    server = scripted(echo)

    async def main() -> None:
        async with pabal.AsyncSession(headers={"X-Own": "2"}) as session:
            assert " 2 " in (await session.get(server.url)).text
            for other in (copy.copy(session), pickle.loads(pickle.dumps(session))):
                async with other:
                    assert " 2 " in (await other.get(server.url)).text

    asyncio.run(main())
