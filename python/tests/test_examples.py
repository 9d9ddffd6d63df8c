"""The examples run as they say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from support.nginx import Nginx

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_gather_prices(nginx: Nginx) -> None:
    command = [sys.executable, str(EXAMPLES / "gather_prices.py"), *[nginx.url + "/price"] * 3]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["BTC", "123.45"] * 3


def test_download(nginx: Nginx, tmp_path: Path) -> None:
    data = bytes(range(256)) * 10_000
    (nginx.www / "example.bin").write_bytes(data)
    command = [sys.executable, str(EXAMPLES / "download.py"), nginx.url + "/example.bin", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (tmp_path / "out").read_bytes() == data
    assert "2,560,000 bytes" in done.stdout


def test_careful_gather(nginx: Nginx) -> None:
    urls = [nginx.url + "/price", nginx.url + "/gone", "http://127.0.0.1:1/", "ftp://nowhere/"]
    command = [sys.executable, str(EXAMPLES / "careful_gather.py"), *urls]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    for expected in (
        "31 bytes",
        "HTTPStatusError, fault of the peer",
        "ConnectionRefused, fault of the peer",
        "of the caller",
    ):
        assert expected in done.stdout
