"""HTTP/3 with servers and clients that nobody here wrote, over networks that lose, repeat, reorder and delay."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pabal
import pytest
import trustme
from support.clients import KINDS as CLIENTS
from support.clients import Asking, Told
from support.clients import Kind as Client
from support.datagram_relay import Relay
from support.demo import Demo
from support.peers import KINDS, QUOTE, Peer, running

SENT = bytes(range(256)) * 2000

#: What the network does: shares of the datagrams, seconds, and datagrams between two changes of the client's port.
NETWORKS: dict[str, dict[str, Any]] = {
    "loses 1 %": {"loses": 0.01},
    "loses 5 %": {"loses": 0.05},
    "repeats": {"repeats": 0.1},
    "reorders": {"reorders": 0.1},
    "delays": {"delay": 0.05},
    "rebinds": {"rebinds": 200},
    "all of it": {"loses": 0.02, "repeats": 0.05, "reorders": 0.05, "delay": 0.01, "rebinds": 400},
}


@pytest.fixture(scope="module", params=[kind for kind in KINDS if kind.version == "3"], ids=str)
def peer(
    request: pytest.FixtureRequest, authority: trustme.CA, ca_file: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Peer]:
    with running(request.param, tmp_path_factory.mktemp("peer"), authority, ca_file) as started:
        yield started


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    server = Demo(tmp_path_factory.mktemp("demo"))
    yield server
    server.stop()


@contextlib.contextmanager
def through(network: str, port: int) -> Iterator[Relay]:
    """A bad network before a port; it must have been as bad as it was told to be."""
    relay = Relay(port, **NETWORKS[network])
    try:
        yield relay
        assert all(relay.happened.get(trouble, 1) for trouble in NETWORKS[network]), relay.happened
    finally:
        relay.stop()


each_network = pytest.mark.parametrize("network", NETWORKS)


@each_network
@pytest.mark.timeout(120)
def test_the_client_gets_all_that_it_asks_for(peer: Peer, network: str) -> None:
    async def main(url: str) -> None:
        limits = pabal.Limits(max_connections_per_host=1)
        async with peer.asynchronous(limits=limits, timeout=100, retries=0) as session:
            quotes = await asyncio.gather(*(session.get(f"{url}/price") for _ in range(200)))
            assert {(each.http_version, each.content) for each in quotes} == {("3", QUOTE)}
            large, sent, small = await asyncio.gather(
                session.get(f"{url}/bytes/1000000"),
                session.post(f"{url}/count", content=SENT),
                session.get(f"{url}/price"),
            )
        assert (large.content, small.content) == (b"p" * 1_000_000, QUOTE)
        assert peer.counted(sent) == (len(SENT), hashlib.sha256(SENT).hexdigest())

    with through(network, peer.place.port) as relay:
        asyncio.run(main(relay.url))


@each_network
@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "client", [kind for kind in CLIENTS if kind.version == "3" and kind.name != "chromium"], ids=str
)
def test_the_server_is_understood(client: Client, network: str, demo: Demo, tmp_path: Path) -> None:
    with through(network, demo.tls_port) as relay:
        for asked, count, content in (
            (Asking(demo, tmp_path, "/price", port=relay.port, times=20), 20, QUOTE),
            (Asking(demo, tmp_path, "/bytes/1000000", port=relay.port), 1, b"p" * 1_000_000),
            (Asking(demo, tmp_path, "/echo", port=relay.port, size=500_000), 1, b"c" * 500_000),
        ):
            assert client.ask(asked, "3") == [Told.of("3", 200, content)] * count
