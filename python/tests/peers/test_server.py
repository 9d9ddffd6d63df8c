"""pabal's server with clients that nobody here wrote, over HTTP/2 and HTTP/3: what works, works with all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.asgi_resources import QUOTE
from support.clients import KINDS, Asking, Kind, Told
from support.demo import Demo, output, program

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    server = Demo(tmp_path_factory.mktemp("demo"))
    yield server
    server.stop()


each_client = pytest.mark.parametrize("client", KINDS, ids=str)


@each_client
def test_a_hundred_requests_at_once(client: Kind, demo: Demo, tmp_path: Path) -> None:
    told = client.ask(Asking(demo, tmp_path, "/price", times=100), client.version)
    assert told == [Told.of(client.version, 200, QUOTE)] * 100


@each_client
def test_what_is_sent_comes_back(client: Kind, demo: Demo, tmp_path: Path) -> None:
    for size in (1, 5_000_000):
        asked = Asking(demo, tmp_path, "/echo", size=size)
        assert client.ask(asked, client.version) == [Told.of(client.version, 200, asked.content)]


@each_client
def test_large_responses_at_once(client: Kind, demo: Demo, tmp_path: Path) -> None:
    told = client.ask(Asking(demo, tmp_path, "/bytes/5000000", times=4), client.version)
    assert told == [Told.of(client.version, 200, b"p" * 5_000_000)] * 4


@each_client
def test_what_is_not_there_and_what_is_too_large(client: Kind, demo: Demo, tmp_path: Path) -> None:
    (missing,) = client.ask(Asking(demo, tmp_path, "/nothing"), client.version)
    assert (missing.version, missing.status) == (client.version, 404)
    (refused,) = client.ask(Asking(demo, tmp_path, "/price", size=10), client.version)
    assert (refused.version, refused.status) == (client.version, 405)


@pytest.mark.parametrize("where", ["tls_url", "url"])
def test_h2load_succeeds_with_all_of_its_requests(where: str, demo: Demo) -> None:
    url = getattr(demo, where) + "/price"
    said = output(program("h2load", "nghttp2-client"), "-n", "20000", "-c", "10", "-m", "100", url, limit=60).decode()
    assert re.search(r"Application protocol: h2c?\b", said), said
    assert "20000 succeeded, 0 failed, 0 errored, 0 timeout" in said, said
    assert "status codes: 20000 2xx" in said, said
