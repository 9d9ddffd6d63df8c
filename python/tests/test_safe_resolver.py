"""``resolver=pabal.SafeResolver()``: which addresses a session may connect to."""

from __future__ import annotations

import asyncio
import ipaddress
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pabal
import pytest
from pabal.exceptions import AddressRefused, ConnectError, InvalidArgument
from support.scripted import Connection, ScriptedServer

Serve = Callable[..., ScriptedServer]


def get(kind: str, url: str, resolver: pabal.SafeResolver, **options: Any) -> pabal.Response:
    """The response of a session of that kind."""
    settings: dict[str, Any] = {"trust_env": False, "timeout": 20, "resolver": resolver}
    if kind == "sync":
        with pabal.Session(**settings) as session:
            return session.get(url, **options)

    async def whole() -> pabal.Response:
        async with pabal.AsyncSession(**settings) as session:
            return await session.get(url, **options)

    return asyncio.run(whole())


def answer_all(connection: Connection) -> None:
    while connection.read_request():
        connection.answer()


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "app.localhost", "[::ffff:127.0.0.1]", "[::1]"])
def test_what_is_this_machine_is_refused_before_it_hears_anything(scripted: Serve, kind: str, host: str) -> None:
    server = scripted(answer_all)
    with pytest.raises(AddressRefused) as caught:
        get(kind, f"http://{host}:{server.port}/", pabal.SafeResolver())
    assert (caught.value.code, caught.value.phase, caught.value.whose) == ("address_refused", "connect", "caller")
    assert "loopback" in str(caught.value)
    assert host.strip("[]") in str(caught.value)
    assert isinstance(caught.value, ConnectError)
    assert server.connections == 0


@pytest.mark.parametrize("host", ["10.0.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "[fd00::1]", "0.0.0.0"])
def test_private_networks_are_refused_without_a_packet(kind: str, host: str) -> None:
    with pytest.raises(AddressRefused, match=r"RFC \d+"):
        get(kind, f"http://{host}/", pabal.SafeResolver())


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "0177.0.0.1", "①②⑦.0.0.1"])
def test_odd_spellings_of_addresses_lead_nowhere(scripted: Serve, kind: str, host: str) -> None:
    server = scripted(answer_all)
    with pytest.raises((ConnectError, pabal.exceptions.InvalidURL)):
        get(kind, f"http://{host}:{server.port}/", pabal.SafeResolver())
    assert server.connections == 0


def test_what_is_allowed_is_reached(scripted: Serve, kind: str) -> None:
    server = scripted(answer_all)
    assert get(kind, server.url, pabal.SafeResolver(allow=["127.0.0.0/8"])).content == b"ok"


@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/latest/meta-data/", "http://127.0.0.2:{port}/", "http://localhost:{port}/"]
)
def test_redirects_are_judged_as_well(scripted: Serve, kind: str, target: str) -> None:
    def move(connection: Connection) -> None:
        while connection.read_request():
            connection.answer(b"", "302 Found", f"Location: {target.format(port=server.port)}")

    server = scripted(move)
    resolver = pabal.SafeResolver(allow=["127.0.0.1"], deny=["::1", "127.0.0.2"])
    if "localhost" in target:  # ::1 is denied, 127.0.0.1 is not: the name is reached at the address that may be
        with pytest.raises(pabal.exceptions.TooManyRedirects):
            get(kind, server.url, resolver, max_redirects=3)
        return
    with pytest.raises(AddressRefused):
        get(kind, server.url, resolver)
    assert server.connections == 1


def test_retries_do_not_repeat_a_refusal(kind: str) -> None:
    with pytest.raises(AddressRefused) as caught:
        get(kind, "http://10.0.0.1/", pabal.SafeResolver(), retries=pabal.Retry(5, backoff=0))
    assert "attempts" not in str(caught.value)


def test_unix_sockets_are_refused(kind: str, tmp_path: Path) -> None:
    with pytest.raises(AddressRefused, match="no Unix sockets"):
        get(kind, f"http+unix://{str(tmp_path / 'socket').replace('/', '%2F')}/", pabal.SafeResolver())


# --- proxies ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
def test_what_a_proxy_would_resolve_is_refused(scripted: Serve, kind: str, scheme: str) -> None:
    proxy = scripted(answer_all)
    through = f"{scheme}://127.0.0.1:{proxy.port}"
    with pytest.raises(AddressRefused, match="would resolve the name itself"):
        get(kind, "http://example.com/", pabal.SafeResolver(), proxy=through)
    with pytest.raises(AddressRefused, match="link-local"):
        get(kind, "http://169.254.169.254/", pabal.SafeResolver(proxies_may_resolve=True), proxy=through)
    assert proxy.connections == 0


def test_the_proxy_itself_is_not_judged(scripted: Serve, kind: str) -> None:
    proxy = scripted(answer_all)
    resolver = pabal.SafeResolver(proxies_may_resolve=True)
    assert get(kind, "http://example.com/", resolver, proxy=f"http://127.0.0.1:{proxy.port}").content == b"ok"
    assert get(kind, "http://8.8.8.8/", pabal.SafeResolver(), proxy=f"http://127.0.0.1:{proxy.port}").content == b"ok"


@pytest.mark.parametrize("host", ["localhost", "10.0.0.1"])
def test_what_is_known_without_resolving_is_judged_before_socks_hears_anything(
    scripted: Serve, kind: str, host: str
) -> None:
    proxy = scripted(answer_all)
    with pytest.raises(AddressRefused, match=host):
        get(kind, f"http://{host}/", pabal.SafeResolver(), proxy=f"socks5://127.0.0.1:{proxy.port}")
    assert proxy.connections == 0


# --- the value --------------------------------------------------------------------------------------------------------


def test_it_is_a_value() -> None:
    one = pabal.SafeResolver(allow=["10.1.0.0/16", ipaddress.ip_network("fd00::/8")], deny=["8.8.8.8"])
    assert one.allow == ("10.1.0.0/16", "fd00::/8")
    assert one == pickle.loads(pickle.dumps(one))
    assert hash(one) == hash(pickle.loads(pickle.dumps(one)))
    assert one != pabal.SafeResolver()
    assert repr(one) == (
        "SafeResolver(allow=('10.1.0.0/16', 'fd00::/8'), deny=('8.8.8.8',), proxies_may_resolve=False)"
    )
    with pytest.raises(AttributeError, match="immutable"):
        one.allow = ()  # type: ignore[misc]


def test_it_says_what_it_refuses() -> None:
    resolver = pabal.SafeResolver(allow=["10.1.0.0/16"])
    assert resolver.refusal("10.1.2.3") is None
    assert resolver.refusal("1.1.1.1") is None
    assert resolver.refusal(ipaddress.ip_address("10.2.0.1")) == "private network 10.0.0.0/8 (RFC 1918)"
    with pytest.raises(InvalidArgument, match="not a name"):
        resolver.refusal("example.com")


@pytest.mark.parametrize("wrong", ["10.0.0.1/8", "10.0.0.0/33", "intranet", "", "10.0.0.0/8 ", "fe80::1%lo"])
def test_what_is_no_network_is_said_when_it_is_made(wrong: str) -> None:
    with pytest.raises(InvalidArgument, match="allow= of a SafeResolver"):
        pabal.SafeResolver(allow=[wrong])
    with pytest.raises(InvalidArgument, match="deny= of a SafeResolver"):
        pabal.SafeResolver(deny=["10.0.0.0/8", wrong])


def test_wrong_types_are_said() -> None:
    with pytest.raises(TypeError, match="give a list"):
        pabal.SafeResolver(allow="10.0.0.0/8")
    with pytest.raises(TypeError, match="resolver must be a SafeResolver"):
        pabal.Session(resolver=object())  # type: ignore[arg-type]


def test_a_session_shows_it_and_copies_have_it() -> None:
    resolver = pabal.SafeResolver(deny=["8.8.8.8"])
    with pabal.Session(resolver=resolver) as session, pickle.loads(pickle.dumps(session)) as copied:
        assert session.resolver is resolver
        assert copied.resolver == resolver
        with pytest.raises(AddressRefused):
            copied.get("http://8.8.8.8/")
    with pabal.Session() as session:
        assert session.resolver is None
