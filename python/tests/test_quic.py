"""``quic=``: congestion control and qlog, in both roles."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pickle
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pabal
import pytest
from pabal._engine import DemoServer
from pabal.types import CongestionControl
from support.datagram_relay import Relay

SENT = bytes(range(256)) * 40_000
ALGORITHMS: tuple[CongestionControl, ...] = ("cubic", "bbr", "reno")


class Served:
    """A server that logs to a folder, and what its clients are to trust."""

    def __init__(self, folder: Path, quic: pabal.Quic) -> None:
        self.server = DemoServer(quic=quic)
        self.port = self.server.port
        self.url = f"https://127.0.0.1:{self.port}"
        self.ca_file = str(folder / "demo.pem")
        Path(self.ca_file).write_text(self.server.certificate_pem)

    def asked(self, quic: pabal.Quic | None = None, http: Any = "3") -> pabal.Session:
        return pabal.Session(verify=self.ca_file, http=http, quic=quic, timeout=100)


@contextlib.contextmanager
def served(folder: Path, quic: pabal.Quic) -> Iterator[Served]:
    made = Served(folder, quic)
    try:
        yield made
    finally:
        made.server.stop()


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder


def records(file: Path) -> list[dict[str, Any]]:
    """JSON text sequences (RFC 7464)."""
    first, *texts = file.read_text().split("\x1e")
    assert first == ""
    assert all(text.endswith("\n") for text in texts)
    return [json.loads(text) for text in texts]


def only(folder: Path, kind: str) -> Path:
    (found,) = folder.glob(f"*_{kind}.sqlog")
    return found


def knows_thresholds(file: Path) -> bool:
    """Whether the algorithm at work has a slow start threshold, which all have that take loss for congestion."""
    return any("ssthresh" in each["data"] for each in records(file)[1:] if each["name"] == "recovery:metrics_updated")


@pytest.mark.timeout(150)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_each_algorithm_carries_much_through_loss(algorithm: CongestionControl, logs: Path, tmp_path: Path) -> None:
    quic = pabal.Quic(algorithm, qlog=logs, max_qlog_bytes=1 << 30)
    with served(tmp_path, quic) as server:
        relay = Relay(server.port, loses=0.01)
        try:
            with server.asked(quic) as session:
                assert session.get(f"{relay.url}/bytes/20000000").content == b"p" * 20_000_000
                assert session.post(f"{relay.url}/echo", content=SENT).content == SENT
        finally:
            relay.stop()
        assert relay.happened["loses"] > 0
    for role in ("client", "server"):
        assert knows_thresholds(only(logs, role)) == (algorithm != "bbr"), role


def test_each_role_has_its_own_algorithm(logs: Path, tmp_path: Path) -> None:
    with served(tmp_path, pabal.Quic("bbr", qlog=logs)) as server:
        relay = Relay(server.port, loses=0.01)
        try:
            with server.asked(pabal.Quic("cubic", qlog=logs)) as session:
                assert session.post(f"{relay.url}/echo", content=SENT[:2_000_000]).content == SENT[:2_000_000]
        finally:
            relay.stop()
    assert knows_thresholds(only(logs, "client"))
    assert not knows_thresholds(only(logs, "server"))


def test_a_connection_leaves_a_log_in_both_roles(logs: Path, tmp_path: Path) -> None:
    with (
        served(tmp_path, pabal.Quic(qlog=logs)) as server,
        server.asked(pabal.Quic(qlog=str(logs))) as session,
    ):
        answer = session.post(f"{server.url}/echo", content=b"a secret that nobody shall read").content
        assert answer == b"a secret that nobody shall read"
    client, there = only(logs, "client"), only(logs, "server")
    identity = client.name.removesuffix("_client.sqlog")
    assert there.name == f"{identity}_server.sqlog"
    for file, role in ((client, "client"), (there, "server")):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        first, *events = records(file)
        assert (first["qlog_version"], first["qlog_format"]) == ("0.3", "JSON-SEQ")
        assert first["trace"]["vantage_point"]["type"] == role
        assert first["trace"]["common_fields"]["group_id"] == identity
        assert {"transport:packet_sent", "transport:packet_received", "recovery:metrics_updated"} <= {
            each["name"] for each in events
        }
        written = file.read_bytes()
        assert b"secret" not in written
        assert b"echo" not in written
        assert b"127.0.0.1" not in written


def test_an_async_session_logs_each_of_its_connections(logs: Path, tmp_path: Path) -> None:
    async def main(server: Served) -> None:
        for _ in range(2):
            async with pabal.AsyncSession(verify=server.ca_file, http="3", quic=pabal.Quic(qlog=logs)) as session:
                await asyncio.gather(*(session.get(f"{server.url}/price") for _ in range(10)))

    with served(tmp_path, pabal.Quic()) as server:
        asyncio.run(main(server))
    assert len(list(logs.glob("*_client.sqlog"))) == 2
    assert not list(logs.glob("*_server.sqlog"))


def test_what_alt_svc_led_to_is_logged_as_well(logs: Path, tmp_path: Path) -> None:
    with (
        served(tmp_path, pabal.Quic()) as server,
        server.asked(pabal.Quic(qlog=logs), http=("1.1", "2", "3")) as session,
    ):
        for _ in range(2):
            assert session.get(f"{server.url}/price").ok
    assert list(logs.glob("*_client.sqlog"))


def test_a_forked_child_logs_to_the_same_folder(logs: Path, tmp_path: Path) -> None:
    with (
        served(tmp_path, pabal.Quic()) as server,
        server.asked(pabal.Quic(qlog=logs)) as session,
    ):
        assert session.get(f"{server.url}/price").ok
        child = os.fork()
        if child == 0:
            status = 1
            with contextlib.suppress(Exception):
                status = 0 if session.get(f"{server.url}/price").ok else 1
                session.close()
            os._exit(status)
        assert os.waitpid(child, 0)[1] == 0
        first = len(list(logs.glob("*_client.sqlog")))
        assert session.get(f"{server.url}/price").ok
    assert first == 1, "the parent's is still open"
    for log in logs.iterdir():
        records(log)
    assert len(list(logs.iterdir())) == 2


def test_a_log_is_bounded(logs: Path, tmp_path: Path) -> None:
    quic = pabal.Quic(qlog=logs, max_qlog_bytes=10_000)
    with served(tmp_path, quic) as server, server.asked(quic) as session:
        assert len(session.get(f"{server.url}/bytes/1000000").content) == 1_000_000
    for role in ("client", "server"):
        assert 9_000 < only(logs, role).stat().st_size <= 10_000
        assert len(records(only(logs, role))) > 5


def test_a_folder_that_goes_away_disturbs_nobody(logs: Path, tmp_path: Path) -> None:
    quic = pabal.Quic(qlog=logs)
    with served(tmp_path, quic) as server, server.asked(quic) as session:
        assert session.get(f"{server.url}/price").ok
        shutil.rmtree(logs)
        assert len(session.get(f"{server.url}/bytes/5000000").content) == 5_000_000
    assert not logs.exists()


def test_a_folder_that_is_none_is_an_error_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name in ("missing", "file"):
        quic = pabal.Quic(qlog=tmp_path / name)
        for make in (pabal.Session, pabal.AsyncSession, DemoServer):
            with pytest.raises(ValueError, match=f"no qlog can be written to the folder.*{name}") as caught:
                make(quic=quic)
            assert isinstance(caught.value, pabal.exceptions.InvalidArgument)
            assert caught.value.whose == "caller"


def test_without_it_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with served(tmp_path, pabal.Quic("bbr")) as server, server.asked() as session:
        assert session.quic is None
        assert session.get(f"{server.url}/price").ok
    assert [file.name for file in tmp_path.iterdir()] == ["demo.pem"]


def test_a_value_that_is_compared_copied_and_shown(tmp_path: Path) -> None:
    quic = pabal.Quic("bbr", qlog=tmp_path, max_qlog_bytes=5)
    assert (quic.congestion_control, quic.qlog, quic.max_qlog_bytes) == ("bbr", str(tmp_path), 5)
    assert pickle.loads(pickle.dumps(quic)) == quic
    assert quic != pabal.Quic("bbr", qlog=tmp_path)
    assert hash(quic) == hash(pabal.Quic("bbr", qlog=str(tmp_path), max_qlog_bytes=5))
    assert repr(pabal.Quic()) == "Quic(congestion_control='cubic', qlog=None, max_qlog_bytes=67108864)"
    with pytest.raises(AttributeError, match="immutable"):
        quic.qlog = None
    with pabal.Session(quic=quic) as session, pickle.loads(pickle.dumps(session)) as other:
        assert session.quic is quic
        assert other.quic == quic
