"""Adapters: retries, mounting, pickling, errors by their right names."""

from __future__ import annotations

import gc
import pickle
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from pabal import requests
from pabal.requests.adapters import BaseAdapter, HTTPAdapter
from pabal.requests.packages.urllib3.util.retry import Retry
from support.leaks import descriptors
from support.scripted import Connection, ScriptedServer

Start = Callable[..., ScriptedServer]


def unwilling(times: int) -> tuple[Callable[[Connection], None], list[int]]:
    """503 some times, then 200."""
    left = [times]

    def script(connection: Connection) -> None:
        while connection.read_request():
            if left[0]:
                left[0] -= 1
                connection.answer(b"", "503 Busy")
            else:
                connection.answer(b"at last")

    return script, left


def session_with(retries: Any) -> requests.Session:
    session = requests.Session()
    session.mount("http://", HTTPAdapter(max_retries=retries))
    return session


def test_statuses_are_retried(scripted: Start) -> None:
    script, _ = unwilling(2)
    response = session_with(Retry(total=3, status_forcelist=[503])).get(scripted(script).url)
    assert response.text == "at last"
    assert [attempt.status for attempt in response.raw.retries.history] == [503, 503]


def test_retries_end(scripted: Start) -> None:
    script, _ = unwilling(9)
    url = scripted(script).url
    with pytest.raises(requests.exceptions.RetryError):
        session_with(Retry(total=2, status_forcelist=[503])).get(url)
    assert session_with(Retry(total=2, status_forcelist=[503], raise_on_status=False)).get(url).status_code == 503
    assert session_with(Retry(total=2, status_forcelist=[503])).post(url).status_code == 503


def test_retry_after_is_bounded() -> None:
    retry = Retry()
    assert retry.parse_retry_after("99999999") == Retry.DEFAULT_RETRY_AFTER_MAX
    assert retry.parse_retry_after("9" * 5000) == Retry.DEFAULT_RETRY_AFTER_MAX
    assert retry.parse_retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0


def test_errors_by_name(scripted: Start) -> None:
    def silent(connection: Connection) -> None:
        connection.read_request()
        connection.wait_closed()

    def gone(connection: Connection) -> None:
        connection.read_request()

    with pytest.raises(requests.ConnectionError) as refused:
        requests.get("http://127.0.0.1:1/")
    assert type(refused.value.args[0].reason).__name__ == "NewConnectionError"
    assert refused.value.request is not None and refused.value.request.url == "http://127.0.0.1:1/"
    with pytest.raises(requests.ReadTimeout):
        requests.get(scripted(silent).url, timeout=0.1)
    with pytest.raises(requests.ConnectionError):
        requests.post(scripted(gone).url, data=b"x")
    with pytest.raises(requests.ConnectionError):
        requests.get("http://nowhere.invalid/")


def test_mounting() -> None:
    class Echo(BaseAdapter):
        def send(self, request: Any, *_: Any, **__: Any) -> Any:
            response = requests.Response()
            response.status_code, response.url, response._content = 200, request.url, b"echo"
            response.request = request
            return response

        def close(self) -> None:
            pass

    session = requests.Session()
    session.mount("http://a/longer", Echo())
    session.mount("mail:", Echo())
    assert list(session.adapters) == ["http://a/longer", "https://", "http://", "mail:"]
    assert session.get("mail:somebody").text == session.get("http://a/longer/b").text == "echo"
    with pytest.raises(requests.exceptions.InvalidSchema):
        session.get("gopher://a")


def test_sessions_are_pickled(scripted: Start) -> None:
    script, _ = unwilling(0)
    session = session_with(3)
    session.headers["X"] = "y"
    session.cookies.set("a", "b")
    again: requests.Session = pickle.loads(pickle.dumps(session))
    assert again.headers == session.headers and again.cookies.get_dict() == {"a": "b"}
    assert again.get(scripted(script).url).text == "at last"


def test_refuses_what_it_cannot_honour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "urllib3.poolmanager", None)  # which could

    class Pinned(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            super().init_poolmanager(*args, assert_fingerprint="00", **kwargs)

    with pytest.raises(requests.packages.urllib3.exceptions.SSLError):
        Pinned()


@pytest.mark.parametrize("options", [{}, {"auth": ("user", "pass")}, {"stream": True}])
def test_connections_end_with_their_session(scripted: Start, options: dict[str, Any]) -> None:
    """Not when the garbage collector comes: a loop of ``requests.get`` would run out of descriptors."""

    def serve(connection: Connection) -> None:
        while connection.read_request():
            connection.answer(b"ok")

    url = scripted(serve).url
    gc.collect()
    gc.disable()
    try:
        kept = [requests.get(url, **options) for _ in range(2)]
        assert [each.content for each in kept] == [b"ok"] * 2
        before = len(descriptors())
        kept += [requests.get(url, **options) for _ in range(5)]
        assert [each.content for each in kept] == [b"ok"] * 7
        for _ in range(100):  # the server's ends take a moment
            if len(descriptors()) <= before:
                break
            time.sleep(0.02)
        assert len(descriptors()) <= before
    finally:
        gc.enable()
