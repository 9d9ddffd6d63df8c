"""``local_address=``: which address of this machine connections leave from. All of 127.0.0.0/8 are Linux's own."""

from __future__ import annotations

import asyncio
import copy
import ipaddress
import pickle
from collections.abc import Callable
from typing import Any

import pabal
import pytest
from pabal import exceptions, niquests, requests
from support.scripted import Connection, ScriptedServer

Start = Callable[..., ScriptedServer]


def from_where(connection: Connection) -> None:
    """Tells its clients the addresses they come from; answers what is asked of a proxy as well."""
    while connection.read_request():
        connection.answer(connection.socket.getpeername()[0].encode())


@pytest.mark.parametrize("local", ["127.0.0.2", ipaddress.ip_address("127.0.0.2")])
def test_connections_leave_from_it(local: Any, scripted: Start) -> None:
    url = scripted(from_where).url
    with pabal.Session(local_address=local) as session:
        assert session.local_address == "127.0.0.2"
        for copied in (session, copy.copy(session), pickle.loads(pickle.dumps(session))):
            response = copied.get(url)
            assert response.text == "127.0.0.2"
            assert response.trace.connection is not None
            assert response.trace.connection.local_address.startswith("127.0.0.2:")

    async def asked() -> str:
        async with pabal.AsyncSession(local_address=local) as session:
            return (await session.get(url)).text

    assert asyncio.run(asked()) == "127.0.0.2"
    assert pabal.get(url).text == "127.0.0.1"


def test_so_do_those_to_proxies(scripted: Start) -> None:
    with pabal.Session(local_address="127.0.0.3", proxy=scripted(from_where).url) as session:
        assert session.get("http://origin.example/").text == "127.0.0.3"


def test_the_other_family_is_left_out(scripted: Start) -> None:
    server = scripted(from_where)
    with pabal.Session(local_address="0.0.0.0", timeout=10) as session:
        assert session.get(server.url).text == "127.0.0.1"
        with pytest.raises(exceptions.ConnectError, match="out of reach from an IPv4 local address"):
            session.get(f"http://[::1]:{server.port}/")
    out_of_reach = pytest.raises(exceptions.ConnectError, match="out of reach from an IPv6 local address")
    with pabal.Session(local_address="::", timeout=10) as session, out_of_reach:
        session.get(server.url)


def test_an_address_of_another_machine(scripted: Start) -> None:
    url = scripted(from_where).url
    with (
        pabal.Session(local_address="192.0.2.1") as session,
        pytest.raises(exceptions.ConnectError, match=r"192\.0\.2\.1") as raised,
    ):
        session.get(url)
    assert raised.value.whose == "local"


class FromThere(requests.adapters.HTTPAdapter):
    """As programs for requests do it."""

    def init_poolmanager(self, *args: Any, **settings: Any) -> None:
        super().init_poolmanager(*args, source_address=("127.0.0.2", 0), **settings)


def test_the_faces_call_it_source_address(scripted: Start) -> None:
    url = scripted(from_where).url
    with requests.Session() as session:
        assert session.get(url).text == "127.0.0.1"
        session.mount("http://", FromThere())
        assert session.get(url).text == "127.0.0.2"
    with niquests.Session(source_address=("127.0.0.2", 0)) as other:
        assert other.get(url).text == "127.0.0.2"
        assert pickle.loads(pickle.dumps(other)).get(url).text == "127.0.0.2"
    with niquests.Session(disable_ipv4=True) as other, pytest.raises(niquests.ConnectionError):
        other.get(url)

    async def asked(**settings: Any) -> Any:
        async with niquests.AsyncSession(**settings) as session:
            return (await session.get(url)).text

    assert asyncio.run(asked(source_address=("127.0.0.4", 0))) == "127.0.0.4"
    assert asyncio.run(asked(disable_ipv6=True)) == "127.0.0.1"
    with pytest.raises(RuntimeError, match="no address"):
        niquests.Session(disable_ipv4=True, disable_ipv6=True)
    with pytest.raises(ValueError, match="give 0"):
        niquests.Session(source_address=("127.0.0.2", 4000))
