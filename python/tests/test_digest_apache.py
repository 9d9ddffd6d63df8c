"""Digest authentication against Apache's own: MD5 with qop=auth, nonces that age, wrong passwords."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pabal
import pytest
from support.apache import PASSWORD, SHORT, USER, Apache

Run = Callable[[Any], Any]


@pytest.fixture(scope="module")
def apache() -> Iterator[Apache]:
    # Not pytest's folder: Apache gives up root, and must still reach its files.
    folder = Path(tempfile.mkdtemp(prefix="pabal-apache-"))
    server = Apache(folder)
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


def test_a_challenge_is_answered_and_then_known(apache: Apache) -> None:
    """The first request costs two, the next ones go with credentials at once, each with its own count."""
    before = apache.requests
    with pabal.Session(auth=pabal.DigestAuth(USER, PASSWORD)) as session:
        for _ in range(3):
            response = session.get(f"{apache.url}/page")
            assert (response.status_code, response.text) == (200, "welcome")
    lines = apache.asked(before + 4)[-4:]
    assert [line.split()[2] for line in lines] == ["401", "200", "200", "200"]
    assert lines[0].endswith(" -")
    assert [f"nc=0000000{count}" in line for count, line in enumerate(lines[1:], 1)] == [True] * 3


def test_async(apache: Apache, run: Run) -> None:
    async def main() -> None:
        async with pabal.AsyncSession() as session:
            response = await session.get(f"{apache.url}/page?a=b&c", auth=pabal.DigestAuth(USER, PASSWORD))
            assert response.text == "welcome"

    run(main())


@pytest.mark.parametrize(("user", "password"), [(USER, "wrong"), ("nobody", PASSWORD), (USER, "")])
def test_a_wrong_password_is_tried_once(user: str, password: str, apache: Apache) -> None:
    before = apache.requests
    with pabal.Session() as session:
        assert session.get(f"{apache.url}/page", auth=pabal.DigestAuth(user, password)).status_code == 401
        assert session.get(f"{apache.url}/page", auth=pabal.DigestAuth(USER, PASSWORD)).ok
    lines = apache.asked(before + 4)[-4:]
    assert [line.split()[2] for line in lines] == ["401", "401", "401", "200"]


def test_a_nonce_that_became_too_old_is_renewed(apache: Apache) -> None:
    """Apache says stale=true; the request goes again with the new nonce, and the caller hears nothing of it."""
    before = apache.requests
    with pabal.Session(auth=pabal.DigestAuth(USER, PASSWORD)) as session:
        assert session.get(f"{apache.url}/short/page").ok
        time.sleep(SHORT + 1.1)  # that the time passes is what is tested
        assert session.get(f"{apache.url}/short/page").text == "welcome"
    lines = apache.asked(before + 4)[-4:]
    assert [line.split()[2] for line in lines] == ["401", "200", "401", "200"]
    nonces = [line.replace("\\", "").split(' nonce="')[1].split('"')[0] for line in lines[1:]]
    assert len(set(nonces)) == 3, "with a short life, each answer announces the next nonce (Authentication-Info)"


@pytest.mark.parametrize("body", [b"hello" * 100_000, "file", "iterable"])
def test_a_post_sends_its_body_again(body: Any, apache: Apache, tmp_path: Path) -> None:
    """Apache's handler of files knows no POST and says 405, but only to whom it let in."""
    file = tmp_path / "body"
    file.write_bytes(b"hello" * 100_000)
    before = apache.requests
    with file.open("rb") as opened, pabal.Session() as session:
        given = {"file": opened, "iterable": [b"hello"] * 1000}.get(body, body) if isinstance(body, str) else body
        response = session.post(f"{apache.url}/page", content=given, auth=pabal.DigestAuth(USER, PASSWORD))
        assert response.status_code in (200, 405)
    lines = apache.asked(before + 2)[-2:]
    assert lines[0].startswith("POST /page 401")
    assert "Digest username=" in lines[1] and " 401 " not in lines[1]


def test_many_at_once_share_what_is_known(apache: Apache) -> None:
    auth = pabal.DigestAuth(USER, PASSWORD)
    with pabal.Session(auth=auth) as session:
        assert session.get(f"{apache.url}/page").ok
        outcomes = list(pabal.gather([f"{apache.url}/page"] * 50, concurrency=10, session=session))
    assert [outcome.result().status_code for outcome in outcomes] == [200] * 50
