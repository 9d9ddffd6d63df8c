"""Retries: what is sent again and what is not, how long that takes, and how it is told."""

from __future__ import annotations

import asyncio
import pickle
import threading
import time
from collections.abc import Callable
from typing import Any

import pabal
import pytest
from support.scripted import Connection, ScriptedServer

Run = Callable[[Any], Any]
Scripted = Callable[..., ScriptedServer]

QUICK = pabal.Retry(3, backoff=0.01)


class Flaky:
    """Answers with the next of ``answers`` to every request; the last one stays. ``"drop"`` closes instead."""

    def __init__(self, *answers: str) -> None:
        self.answers = answers
        self.seen: list[Any] = []
        self._lock = threading.Lock()

    def __call__(self, connection: Connection) -> None:
        while request := connection.read_request():
            with self._lock:
                self.seen.append(request)
                answer = self.answers[min(len(self.seen), len(self.answers)) - 1]
            if answer == "drop":
                return
            status, *headers = answer.split("; ")
            connection.answer(status.encode(), status, *headers)


# --- Retry: a value ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "kind", "says"),
    [
        ({"total": -1}, ValueError, "total must be from 0"),
        ({"total": 1.5}, TypeError, "total must be an int"),
        ({"total": True}, TypeError, "total must be an int"),
        ({"connect": "1"}, TypeError, "connect must be an int"),
        ({"status": 1001}, ValueError, "status must be"),
        ({"statuses": 503}, TypeError, "statuses must be an iterable"),
        ({"statuses": "503"}, TypeError, "statuses must be an iterable"),
        ({"statuses": [99]}, ValueError, "statuses must be from 200"),
        ({"statuses": ["503"]}, TypeError, "statuses must be ints"),
        ({"methods": "GET"}, TypeError, "methods must be an iterable"),
        ({"methods": [b"GET"]}, TypeError, "methods must be str"),
        ({"backoff": -1}, ValueError, "backoff must be"),
        ({"backoff": float("nan")}, ValueError, "backoff must be"),
        ({"backoff": "1"}, TypeError, "backoff must be"),
        ({"jitter": 1.1}, ValueError, "jitter is a fraction"),
        ({"max_backoff": float("inf")}, ValueError, "max_backoff must be"),
        ({"respect_retry_after": 1}, TypeError, "respect_retry_after must be True or False"),
        ({"retry_after_cap": None}, TypeError, "retry_after_cap must be"),
        ({"budget": 0}, ValueError, "budget must be positive"),
    ],
)
def test_a_retry_is_checked_when_it_is_made(arguments: dict[str, Any], kind: type[Exception], says: str) -> None:
    with pytest.raises(kind, match=says):
        pabal.Retry(**arguments)


def test_a_retry_is_a_value() -> None:
    one = pabal.Retry(2, connect=1, methods=["get", "post"])
    assert one == pabal.Retry(2, connect=1, methods=("GET", "POST"))
    assert one != pabal.Retry(2)
    assert hash(one) == hash(pickle.loads(pickle.dumps(one)))
    assert one == pickle.loads(pickle.dumps(one))
    assert "total=2, connect=1" in repr(one)
    with pytest.raises(AttributeError, match="immutable"):
        one.total = 5


@pytest.mark.parametrize("value", ["3", 1.5, True, [1]])
def test_retries_of_a_wrong_type_are_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="retries must be"):
        pabal.Session(retries=value)
    with pabal.Session() as session, pytest.raises(TypeError, match="retries must be"):
        session.get("http://127.0.0.1:9/", retries=value)
    with pytest.raises(ValueError, match="retries must be"):
        pabal.Session(retries=-1)


def test_a_sessions_retries_can_be_changed() -> None:
    with pabal.Session() as session:
        assert session.retries is None
        session.retries = 2
        assert session.retries == pabal.Retry(2)
        session.retries = None
        assert session.retries is None


# --- what is sent again -----------------------------------------------------------------------------------------------


def test_nothing_by_default(scripted: Scripted) -> None:
    server = Flaky("503 Busy", "200 OK")
    assert pabal.get(scripted(server).url).status_code == 503


def test_until_the_answer_is_good(scripted: Scripted) -> None:
    server = Flaky("503 Busy", "429 Slower", "200 OK")
    with pabal.Session(retries=QUICK) as session:
        response = session.get(scripted(server).url)
    assert response.status_code == 200
    assert [(each.cause, each.status, each.error) for each in response.retries] == [
        ("status", 503, None),
        ("status", 429, None),
    ]
    assert 0 < response.retries[0].wait <= 0.01


def test_async(scripted: Scripted, run: Run) -> None:
    server = Flaky("drop", "503 Busy", "200 OK")

    async def main() -> pabal.Response:
        async with pabal.AsyncSession() as session:
            return await session.get(scripted(server).url, retries=QUICK)

    response = run(main())
    assert response.content == b"200 OK"
    assert [each.cause for each in response.retries] == ["read", "status"]
    assert response.retries[0].error in {"connection_closed", "connection_reset"}


def test_a_request_goes_before_its_session(scripted: Scripted) -> None:
    server = Flaky("503 Busy", "503 Busy", "200 OK")
    url = scripted(server).url
    with pabal.Session(retries=QUICK) as session:
        assert session.get(url, retries=0).status_code == 503
        assert session.get(url, retries=None).status_code == 200


def test_the_last_answer_is_the_response(scripted: Scripted) -> None:
    server = Flaky("503 Busy")
    response = pabal.get(scripted(server).url, retries=QUICK)
    assert (response.status_code, len(response.retries), len(server.seen)) == (503, 3, 4)
    assert response.content == b"503 Busy"


def test_the_last_failure_says_how_often(scripted: Scripted) -> None:
    server = Flaky("drop")
    with pytest.raises(pabal.exceptions.ConnectionClosed, match="4 attempts"):
        pabal.get(scripted(server).url, retries=QUICK)
    assert len(server.seen) == 4


def test_post_is_not_repeated_once_it_was_sent(scripted: Scripted) -> None:
    server = Flaky("drop", "200 OK")
    url = scripted(server).url
    with pytest.raises(pabal.exceptions.ConnectionClosed):
        pabal.post(url, data=b"x", retries=QUICK)
    server = Flaky("drop", "200 OK")
    allowed = pabal.Retry(backoff=0.01, methods=["POST"])
    assert pabal.post(scripted(server).url, data=b"x", retries=allowed).status_code == 200
    assert [request.body for request in server.seen] == [b"x", b"x"]


def test_nobody_listens() -> None:
    with pytest.raises(pabal.exceptions.ConnectionRefused, match="3 attempts"):
        pabal.post("http://127.0.0.1:9/", data=b"x", retries=pabal.Retry(2, backoff=0.01))


def test_a_file_is_sent_again_from_where_it_stood(scripted: Scripted, tmp_path: Any) -> None:
    path = tmp_path / "body"
    path.write_bytes(b"skip" + b"x" * 100_000)
    server = Flaky("503 Busy", "200 OK")
    with path.open("rb") as file:
        file.seek(4)
        assert pabal.put(scripted(server).url, content=file, retries=QUICK).status_code == 200
    assert [request.body for request in server.seen] == [b"x" * 100_000] * 2


def test_a_generator_is_never_sent_again_empty(scripted: Scripted) -> None:
    server = Flaky("503 Busy", "200 OK")
    response = pabal.put(scripted(server).url, content=(b"x" for _ in range(3)), retries=QUICK)
    assert (response.status_code, response.retries, len(server.seen)) == (503, [], 1)
    with pytest.raises(pabal.PabalError, match="not repeated, because its streamed body was already consumed"):
        pabal.put(scripted(Flaky("drop")).url, content=(b"x" for _ in range(3)), retries=QUICK)


def test_streamed_responses_before_their_head(scripted: Scripted, run: Run) -> None:
    async def main() -> bytes:
        async with (
            pabal.AsyncSession(retries=QUICK) as session,
            session.stream("GET", scripted(Flaky("502 Bad", "200 OK")).url) as response,
        ):
            return await response.aread()

    assert run(main()) == b"200 OK"
    with pabal.stream("GET", scripted(Flaky("502 Bad", "200 OK")).url, retries=QUICK) as response:
        assert response.content == b"200 OK"


# --- waiting ----------------------------------------------------------------------------------------------------------


def test_retry_after_is_waited_for_up_to_its_cap(scripted: Scripted) -> None:
    server = Flaky("503 Busy; Retry-After: 99999999", "200 OK")
    begun = time.monotonic()
    response = pabal.get(scripted(server).url, retries=pabal.Retry(retry_after_cap=0.3))
    assert 0.29 < time.monotonic() - begun < 2
    assert [each.wait for each in response.retries] == [0.3]


def test_what_the_total_limit_forbids_is_not_waited_for(scripted: Scripted) -> None:
    server = Flaky("503 Busy; Retry-After: 30", "200 OK")
    begun = time.monotonic()
    assert pabal.get(scripted(server).url, retries=3, timeout=5).status_code == 503
    assert (
        pabal.get(scripted(Flaky("503 B", "200 OK")).url, retries=pabal.Retry(backoff=5, budget=1)).status_code == 503
    )
    assert time.monotonic() - begun < 2


def test_a_wait_can_be_cancelled(no_leaks: None, scripted: Scripted, run: Run) -> None:
    server = Flaky("503 Busy", "200 OK")

    async def main() -> float:
        async with pabal.AsyncSession(retries=pabal.Retry(backoff=30, jitter=0)) as session:
            begun = time.monotonic()
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(session.get(scripted(server).url), 0.2)
            return time.monotonic() - begun

    assert run(main()) < 2
    assert len(server.seen) == 1


def test_closing_the_session_ends_the_wait(scripted: Scripted, run: Run) -> None:
    patient = pabal.Retry(backoff=30, jitter=0)
    session = pabal.Session(retries=patient)
    timer = threading.Timer(0.3, session.close)
    timer.start()
    with pytest.raises(pabal.exceptions.SessionClosed):
        session.get(scripted(Flaky("503 Busy")).url)
    timer.join()

    async def main() -> None:
        session = pabal.AsyncSession(retries=patient)
        waiting = asyncio.create_task(session.get(scripted(Flaky("503 Busy")).url))
        await asyncio.sleep(0.2)
        await session.aclose()
        with pytest.raises(pabal.exceptions.SessionClosed):
            await waiting

    run(main())
