"""``priority=`` (RFC 9218), as nginx sees it."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Iterator
from typing import Any

import pabal
import pytest
import trustme
from support.nginx import CONFIGURATION, Nginx


@pytest.fixture(scope="module")
def echoing(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    certificate = authority.issue_cert("127.0.0.1")
    chain = b"".join(blob.bytes() for blob in certificate.cert_chain_pems)
    configuration = CONFIGURATION.replace("{tls_port} ssl;", "{tls_port} ssl http2;")
    configuration = configuration.replace(
        "location = /none", "location = /priority {{ return 200 '$http_priority'; }}\n location = /none"
    )
    server = Nginx(tmp_path_factory.mktemp("priorities"), chain, certificate.private_key_pem.bytes(), configuration)
    yield server
    server.stop()


CASES: list[tuple[Any, str]] = [
    (None, ""),
    (0, "u=0"),
    (3, "u=3"),
    (pabal.Priority(), "u=3"),
    (pabal.Priority(7, incremental=True), "u=7, i"),
    (pabal.Priority(incremental=True), "i"),
]


@pytest.mark.parametrize(("wish", "sent"), CASES)
def test_it_is_sent_as_a_field(wish: Any, sent: str, echoing: Nginx, ca_file: str) -> None:
    with pabal.Session(verify=ca_file) as session:
        for base in (echoing.url, echoing.tls_url):
            assert session.get(f"{base}/priority", priority=wish).text == sent
        params = session.get(
            f"{base}/priority", priority=wish, params={"a": 1}, hooks={"request": lambda request: None}
        )
        assert params.text == sent

    async def main() -> str:
        async with pabal.AsyncSession(verify=ca_file) as session:
            return (await session.get(f"{echoing.tls_url}/priority", priority=wish)).text

    assert asyncio.run(main()) == sent


def test_a_field_that_was_written_by_hand_goes_before_it(echoing: Nginx, ca_file: str) -> None:
    with pabal.Session(verify=ca_file, headers={"Priority": "u=6"}) as session:
        assert session.get(f"{echoing.tls_url}/priority", priority=1).text == "u=6"
        assert session.get(f"{echoing.tls_url}/priority", priority=1, headers={"priority": "i"}).text == "i"


def test_priorities_are_values() -> None:
    given = pabal.Priority(1, incremental=True)
    assert given == pickle.loads(pickle.dumps(given)) != pabal.Priority(1)
    assert hash(given) == hash(pabal.Priority(1, incremental=True))
    assert repr(given) == "Priority(1, incremental=True)"
    with pytest.raises(AttributeError, match="immutable"):
        given.urgency = 2
    with pytest.raises(ValueError, match="from 0 to 7"):
        pabal.get("http://127.0.0.1:9/", priority=8)
