"""Rate limits: how many requests begin in a time, and what becomes of the others."""

from __future__ import annotations

import asyncio
import copy
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


class Clock:
    """Notes when each request came."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.targets: list[str] = []

    def __call__(self, connection: Connection) -> None:
        while request := connection.read_request():
            self.times.append(time.monotonic())
            self.targets.append(request.target)
            connection.answer(b"ok")


@pytest.mark.parametrize(
    ("make", "kind", "says"),
    [
        (lambda: pabal.TokenBucket(0, 1), ValueError, "rate must be"),
        (lambda: pabal.TokenBucket(-1, 1), ValueError, "rate must be"),
        (lambda: pabal.TokenBucket(float("nan"), 1), ValueError, "rate must be"),
        (lambda: pabal.TokenBucket(float("inf"), 1), ValueError, "rate must be"),
        (lambda: pabal.TokenBucket("1", 1), TypeError, "rate must be"),  # type: ignore[arg-type]
        (lambda: pabal.TokenBucket(True, 1), TypeError, "rate must be"),
        (lambda: pabal.TokenBucket(1, 0), ValueError, "burst must be"),
        (lambda: pabal.TokenBucket(1, 1.5), TypeError, "burst must be"),  # type: ignore[arg-type]
        (lambda: pabal.TokenBucket(1, 10**30), ValueError, "burst must be"),
        (lambda: pabal.TokenBucket(1, 1, max_waiting=-1), ValueError, "max_waiting must be"),
        (lambda: pabal.LeakyBucket(1, -1), ValueError, "capacity must be"),
        (lambda: pabal.LeakyBucket(1, None), TypeError, "capacity must be"),  # type: ignore[arg-type]
        (lambda: pabal.Session(rate_limit=5), TypeError, "rate_limit must be"),  # type: ignore[arg-type]
        (lambda: pabal.Session(rate_limit={"a": 5}), TypeError, "rate_limit must be"),  # type: ignore[dict-item]
        (lambda: pabal.Session(rate_limit={"a/b": pabal.LeakyBucket(1, 1)}), ValueError, "a place is"),
        (lambda: pabal.AsyncSession(rate_limit={5: pabal.LeakyBucket(1, 1)}), TypeError, "a place in rate_limit must"),  # type: ignore[dict-item]
    ],
)
def test_arguments_are_checked(make: Callable[[], object], kind: type[Exception], says: str) -> None:
    with pytest.raises(kind, match=says):
        make()


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda made: pickle.loads(pickle.dumps(made))])
def test_limiters_can_be_copied_and_begin_anew(copied: Callable[[Any], Any], scripted: Scripted) -> None:
    bucket = pabal.TokenBucket(0.001, 1, max_waiting=0)
    url = scripted(Clock()).url
    with pabal.Session(rate_limit=bucket) as session:
        assert session.get(url).ok
        with pytest.raises(pabal.exceptions.PabalError):
            session.get(url)
        made = copied(bucket)
        assert repr(made) == repr(bucket)
        with pabal.Session(rate_limit={"127.0.0.1": made}) as other:
            assert other.get(url).ok
            with pytest.raises(pabal.exceptions.PabalError):
                other.get(url)
    spaced = copied(pabal.LeakyBucket(2.5, 3))
    assert (spaced.rate, spaced.capacity) == (2.5, 3)


def test_a_session_with_limiters_and_digests_can_be_pickled(scripted: Scripted) -> None:
    auth = {"127.0.0.1": pabal.DigestAuth("a", "b")}
    limits = {"127.0.0.1": pabal.TokenBucket(100, 7), "other.example": pabal.LeakyBucket(1, 2)}
    with pabal.Session(auth=auth, rate_limit=limits) as session, pickle.loads(pickle.dumps(session)) as made:
        assert made.get(scripted(Clock()).url).ok
        assert made.auth["127.0.0.1"].username == "a"
        assert made.rate_limit["127.0.0.1"].burst == 7


def test_limiters_can_be_looked_at() -> None:
    bucket = pabal.TokenBucket(2.5, 10)
    assert (bucket.rate, bucket.burst, repr(bucket)) == (2.5, 10, "TokenBucket(2.5, 10)")
    leaky = pabal.LeakyBucket(4, 7)
    assert (leaky.rate, leaky.capacity, repr(leaky)) == (4.0, 7, "LeakyBucket(4.0, 7)")
    with pabal.Session(rate_limit=bucket) as session:
        assert session.rate_limit is bucket
    with pabal.Session() as session:
        assert session.rate_limit is None


def test_a_token_bucket(scripted: Scripted, run: Run) -> None:
    server = Clock()
    url = scripted(server).url

    async def main() -> list[int]:
        async with pabal.AsyncSession(rate_limit=pabal.TokenBucket(20, 5)) as session:
            responses = await asyncio.gather(*[session.get(f"{url}/{n}") for n in range(10)])
            return [response.status_code for response in responses]

    assert run(main()) == [200] * 10
    times = sorted(server.times)
    assert times[4] - times[0] < 0.15
    assert times[9] - times[0] > 0.24
    assert server.targets[-3:] == ["/7", "/8", "/9"]


def test_a_leaky_bucket_sync(scripted: Scripted) -> None:
    server = Clock()
    url = scripted(server).url
    with pabal.Session(rate_limit=pabal.LeakyBucket(20, 10)) as session:
        for _ in range(5):
            session.get(url)
    assert server.times[4] - server.times[0] > 0.15


def test_threads_share_a_limiter(scripted: Scripted) -> None:
    server = Clock()
    url = scripted(server).url
    limiter = pabal.LeakyBucket(50, 100)
    one, two = pabal.Session(rate_limit=limiter), pabal.Session(rate_limit={"127.0.0.1": limiter})
    threads = [threading.Thread(target=session.get, args=(url,)) for session in (one, two) for _ in range(5)]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - begun > 0.17
    assert len(server.times) == 10
    one.close()
    two.close()


def test_by_place(scripted: Scripted) -> None:
    server = Clock()
    url = scripted(server).url
    begun = time.monotonic()
    with pabal.Session(rate_limit={"localhost": pabal.LeakyBucket(0.1, 1)}) as session:
        for _ in range(5):
            session.get(url)
        session.get(url.replace("127.0.0.1", "localhost"))
        with pytest.raises(pabal.exceptions.PoolTimeout, match="rate limiter"):
            session.get(url.replace("127.0.0.1", "localhost"), timeout=pabal.Timeout(pool=0.1))
    assert time.monotonic() - begun < 5


def test_the_queue_is_bounded_and_waits_can_be_cancelled(no_leaks: None, scripted: Scripted, run: Run) -> None:
    server = Clock()
    url = scripted(server).url

    async def main() -> None:
        async with pabal.AsyncSession(rate_limit=pabal.LeakyBucket(2, 2)) as session:
            await session.get(url)
            waiting = [asyncio.create_task(session.get(url)) for _ in range(2)]
            await asyncio.sleep(0)
            with pytest.raises(pabal.exceptions.RateLimited) as raised:
                await session.get(url)
            assert raised.value.code == "rate_limited"
            waiting[0].cancel()
            assert (await waiting[1]).status_code == 200
            closing = asyncio.create_task(session.get(url))
            await asyncio.sleep(0.05)
            await session.aclose()
            with pytest.raises(pabal.exceptions.SessionClosed):
                await closing

    run(main())
    assert len(server.times) == 2
