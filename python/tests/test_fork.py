"""A session goes on in both processes after a fork: undisturbed in the parent, with new connections in the child."""

from __future__ import annotations

import asyncio
import gc
import json
import multiprocessing
import os
import random
import ssl
import subprocess
import sys
import threading
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pabal
import pabal.requests as requests
import pytest
import trio
from pabal import _engine  # pyright: ignore[reportPrivateUsage]
from pabal.exceptions import SessionClosed
from support.leaks import descriptors
from support.nginx import QUOTE, Nginx
from support.scripted import Connection, ScriptedServer

#: Newer Pythons warn of any fork while there are threads, which is what is done here.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")

Scripted = Callable[..., ScriptedServer]

#: What a child may take; one that hangs is killed and fails its test.
PATIENCE = 60.0


def child(work: Callable[[], Any]) -> Any:
    """What ``work()`` returns in a forked child (as JSON); the child then leaves without further ado."""
    reader, writer = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            outcome = {"value": work()}
        except BaseException:
            outcome = {"error": traceback.format_exc()}
        os.write(writer, json.dumps(outcome).encode())
        os._exit(0)
    os.close(writer)
    answer = b""
    waiting = threading.Timer(PATIENCE, os.kill, (process, 9))
    waiting.start()
    try:
        while piece := os.read(reader, 65536):
            answer += piece
    finally:
        waiting.cancel()
        os.close(reader)
        os.waitpid(process, 0)
    assert answer, "the child hung or died"
    told: dict[str, Any] = json.loads(answer)
    assert "error" not in told, told["error"]
    return told["value"]


class Numbered:
    """Answers every request with the number of its connection."""

    def __init__(self, scripted: Scripted, tls: ssl.SSLContext | None = None, *headers: str) -> None:
        self.ended: list[int] = []
        self.failures: list[str] = []
        self._headers = headers
        self._count = 0
        self._lock = threading.Lock()
        self.server = scripted(self._serve, tls=tls)
        self.url = self.server.url

    def _serve(self, connection: Connection) -> None:
        with self._lock:
            self._count += 1
            number = self._count
        try:
            while connection.read_request() is not None:
                connection.answer(str(number).encode(), "200 OK", *self._headers)
        except ssl.SSLError as error:  # a record of the wrong process
            self.failures.append(repr(error))
        self.ended.append(number)


@pytest.fixture(params=["plain", "tls"])
def numbered(request: pytest.FixtureRequest, scripted: Scripted, tls_context: ssl.SSLContext) -> Numbered:
    return Numbered(scripted, tls_context if request.param == "tls" else None)


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


# ------------------------------------------------------------------------------------------------------------- sessions


def test_both_processes_go_on_each_with_connections_of_its_own(numbered: Numbered, ca_file: str) -> None:
    with pabal.Session(verify=ca_file) as session:
        assert session.get(numbered.url).text == "1"

        def work() -> list[str]:
            return [session.get(numbered.url).text for _ in range(3)]

        assert child(work) == ["2", "2", "2"]
        assert session.get(numbered.url).text == "1"
        # Once more, from a child of a child, and while the first child is gone.
        assert child(lambda: [*work(), *child(work)]) == ["3", "3", "3", "4", "4", "4"]
        assert [session.get(numbered.url).text for _ in range(3)] == ["1", "1", "1"]
        assert 1 not in numbered.ended
    assert not numbered.failures


def test_async_sessions(numbered: Numbered, ca_file: str) -> None:
    async def in_child(session: pabal.AsyncSession) -> list[str]:
        return [(await session.get(numbered.url)).text for _ in range(2)]

    async def main() -> None:
        async with pabal.AsyncSession(verify=ca_file) as session:
            assert (await session.get(numbered.url)).text == "1"
            assert await asyncio.to_thread(child, lambda: asyncio.run(in_child(session))) == ["2", "2"]
            # From the loop's own thread, in the middle of its turn.
            assert child(lambda: asyncio.run(in_child(session))) == ["3", "3"]
            assert (await session.get(numbered.url)).text == "1"
            assert 1 not in numbered.ended

    asyncio.run(main())
    assert not numbered.failures


def test_trio(numbered: Numbered, ca_file: str) -> None:
    session = pabal.AsyncSession(verify=ca_file)

    async def text() -> str:
        return (await session.get(numbered.url)).text

    def work() -> str:
        with warnings.catch_warnings():  # trio finds its own signal handling in its way
            warnings.simplefilter("ignore")
            return trio.run(text)

    async def main() -> None:
        assert await text() == "1"
        assert await trio.to_thread.run_sync(child, work) == "2"
        assert await text() == "1"
        assert 1 not in numbered.ended
        await session.aclose()

    trio.run(main)
    assert not numbered.failures


def test_many_requests_at_once(numbered: Numbered, ca_file: str) -> None:
    with pabal.Session(verify=ca_file) as session:
        begun = pabal.gather([numbered.url] * 6, session=session, concurrency=2)
        assert next(begun).response

        def work() -> list[int]:
            failures: list[object] = []
            try:
                failures += [outcome.error for outcome in begun]  # those that had not been started
            except SessionClosed as raised:  # those that had
                failures.append(raised)
            assert "belongs to the process that began it" in str(failures[-1])
            outcomes = pabal.gather([numbered.url] * 20, session=session, concurrency=3)
            return [outcome.response.status_code for outcome in outcomes if outcome.response]

        assert child(work) == [200] * 20
        assert [bool(outcome.response) for outcome in begun] == [True] * 5
        assert not set(numbered.ended) & {1, 2}
    assert not numbered.failures


ORDINARY_END = """
import os, sys
import pabal

session = pabal.Session()
stream = session.get(sys.argv[1], stream=True)
process = os.fork()
if process == 0:
    print(session.get(sys.argv[1]).text, flush=True)
    sys.exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 7
print(stream.text, session.get(sys.argv[1]).text)
"""


def test_a_child_may_run_to_the_end_of_the_program(scripted: Scripted) -> None:
    """The interpreter then destroys everything that was inherited."""
    numbered = Numbered(scripted)
    command = [sys.executable, "-c", ORDINARY_END, numbered.url]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert (ended.stdout.split(), ended.stderr, ended.returncode) == (["2", "1", "1"], "", 0)


def test_a_child_that_ends_in_the_ordinary_way_disturbs_nobody(numbered: Numbered, ca_file: str) -> None:
    """multiprocessing runs finalisers, and garbage is collected: sessions, responses and loops die in the child."""
    session = pabal.Session(verify=ca_file)
    stream = session.get(numbered.url, stream=True)
    asynchronous = pabal.AsyncSession(verify=ca_file)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(asyncio.wait_for(asynchronous.get(numbered.url), PATIENCE))

    def work() -> None:
        nonlocal session, asynchronous, stream
        stream.close()
        session.close()
        asynchronous.close()
        del session, asynchronous, stream
        gc.collect()

    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    process.join(PATIENCE)
    assert process.exitcode == 0
    assert stream.text == "1"
    assert session.get(numbered.url).text == "1"
    assert loop.run_until_complete(asyncio.wait_for(asynchronous.get(numbered.url), PATIENCE)).text == "2"
    assert not numbered.ended
    assert not numbered.failures
    loop.run_until_complete(asynchronous.aclose())
    loop.close()
    session.close()


def test_a_pool_of_processes_works_with_one_session(nginx: Nginx, ca_file: str) -> None:
    with pabal.Session(verify=ca_file) as session:
        assert session.get(nginx.tls_url + "/price").content == QUOTE
        shared.update(session=session, url=nginx.tls_url + "/price")
        with multiprocessing.get_context("fork").Pool(3) as pool:
            assert pool.map_async(fetch_price, range(30)).get(PATIENCE) == [QUOTE] * 30
        shared.clear()
        response = session.get(nginx.tls_url + "/price")
        assert response.trace.reused


#: What the children of a pool inherit.
shared: dict[str, Any] = {}


def fetch_price(_: int) -> bytes:
    content: bytes = shared["session"].get(shared["url"]).content
    return content


def test_what_a_session_knows_is_carried_over(scripted: Scripted) -> None:
    def script(connection: Connection) -> None:
        while request := connection.read_request():
            said = [request.value(name) or "" for name in ("cookie", "x-mine", "authorization")]
            connection.answer("|".join(said).encode(), "200 OK", "Set-Cookie: seen=1")

    server = scripted(script)
    with pabal.Session(headers={"X-Mine": "yes"}, auth=("user", "word"), cookies={"a": "b"}) as session:
        session.get(server.url)
        inherited = session.get(server.url).text
        assert inherited.startswith("a=b; seen=1|yes|Basic ")

        def work() -> list[str]:
            before = session.get(server.url).text
            session.cookies.set("mine", "alone")
            session.headers["X-Mine"] = "child"
            return [before, session.get(server.url).text]

        before, after = child(work)
        assert before == inherited
        assert "mine=alone" in after and "|child|" in after
        assert session.get(server.url).text == inherited


def test_a_closed_session_is_closed_in_the_child_too(numbered: Numbered) -> None:
    session = pabal.Session()
    session.close()

    def work() -> str:
        with pytest.raises(SessionClosed):
            session.get(numbered.url)
        return "closed" if session.is_closed else "open"

    assert child(work) == "closed"


def test_fork_while_other_threads_send(nginx: Nginx, ca_file: str) -> None:
    stop = threading.Event()
    done: Counter[str] = Counter()
    failures: list[BaseException] = []
    with pabal.Session(verify=ca_file) as session:

        def send(url: str) -> None:
            try:
                while not stop.is_set():
                    assert session.get(url).status_code == 200
                    done[url] += 1
            except BaseException as error:
                failures.append(error)

        asynchronous = pabal.AsyncSession(verify=ca_file)

        async def gather(url: str) -> None:
            while not stop.is_set():
                answers = await asyncio.gather(*[asynchronous.get(url) for _ in range(10)])
                assert all(answer.status_code == 200 for answer in answers)
                done["asyncio"] += 1
            await asynchronous.aclose()

        def run_loop() -> None:
            try:
                asyncio.run(gather(nginx.tls_url + "/price"))
            except BaseException as error:
                failures.append(error)

        def work() -> list[int]:
            one = asyncio.run(asyncio.wait_for(asynchronous.get(nginx.tls_url + "/price"), PATIENCE))
            return [one.status_code, *(session.get(url).status_code for url in urls)]

        urls = [nginx.url + "/price", nginx.tls_url + "/price", nginx.tls_url + "/cookies", nginx.tls_url + "/close"]
        threads = [threading.Thread(target=send, args=(url,)) for url in urls]
        threads.append(threading.Thread(target=run_loop))
        for thread in threads:
            thread.start()
        try:
            wait_until(lambda: bool(failures) or len(done) == len(threads))
            for _ in range(15):
                assert not failures
                before = done.copy()
                assert child(work) == [200] * len(threads)
                wait_until(lambda: bool(failures) or all(done[each] > before[each] for each in before))  # noqa: B023
        finally:
            stop.set()
            for thread in threads:
                thread.join(PATIENCE)
        assert not failures


def test_locks_of_the_face_of_requests_are_free_in_the_child(nginx: Nginx) -> None:
    held, stop = threading.Event(), threading.Event()
    with requests.Session() as session:
        session.cookies.set("a", "b")
        session.get(nginx.url + "/cookies")
        jar, adapter = session.cookies, session.get_adapter(nginx.url)

        def hold() -> None:  # as a thread does that is within add_cookie_header, or connection_from_host
            with jar._cookies_lock, adapter.poolmanager._lock:
                held.set()
                stop.wait(PATIENCE)

        thread = threading.Thread(target=hold)
        thread.start()
        assert held.wait(PATIENCE)
        try:
            assert "a=b" in child(lambda: session.get(nginx.url + "/cookies").text)
        finally:
            stop.set()
            thread.join(PATIENCE)
        assert "a=b" in session.get(nginx.url + "/cookies").text


# ------------------------------------------------------------------------------------------------------- what was begun


def test_what_was_begun_belongs_to_the_parent(scripted: Scripted) -> None:
    go_on = threading.Event()

    def script(connection: Connection) -> None:
        while connection.read_request() is not None:
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
            go_on.wait(PATIENCE)
            connection.send(b"def")

    server = scripted(script)
    with pabal.Session() as session:
        response = session.get(server.url, stream=True)

        def work() -> list[Any]:
            with pytest.raises(SessionClosed, match="belongs to the process that began it"):
                response.content  # noqa: B018
            with pytest.raises(SessionClosed, match="belongs to the process that began it"):
                next(response.iter_bytes())
            status = response.status_code
            response.close()
            return [status, response.headers["content-length"]]

        assert child(work) == [200, "6"]
        go_on.set()
        assert response.content == b"abcdef"
        assert session.get(server.url).content == b"abcdef"
    assert server.connections == 1


def test_what_was_begun_on_a_loop_belongs_to_the_parent(scripted: Scripted) -> None:
    go_on = threading.Event()

    def script(connection: Connection) -> None:
        while (request := connection.read_request()) is not None:
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n")
            if request.target == "/slow":
                connection.send(b"abc")
                go_on.wait(PATIENCE)
                connection.send(b"def")
            else:
                connection.send(b"abcdef")

    server = scripted(script)

    async def main() -> None:
        async with pabal.AsyncSession() as session:
            streamed = await session.get(server.url + "/slow", stream=True)
            running = session.get(server.url + "/slow")
            started = asyncio.ensure_future(running)
            fresh = session.get(server.url + "/quick")
            finished = asyncio.ensure_future(session.get(server.url + "/quick"))
            await finished

            async def in_child() -> list[Any]:
                with pytest.raises(SessionClosed, match="belongs to the process that began it"):
                    await streamed.aread()
                with pytest.raises(SessionClosed, match="belongs to the process that began it"):
                    await running
                await streamed.aclose()
                return [streamed.status_code, (await fresh).text, finished.result().text]

            assert child(lambda: asyncio.run(in_child())) == [200, "abcdef", "abcdef"]
            go_on.set()
            assert await streamed.aread() == b"abcdef"
            assert (await started).content == b"abcdef"
            assert (await fresh).content == b"abcdef"

    asyncio.run(main())
    assert server.connections == 4  # one of them the child's


def test_the_parent_can_close_while_a_child_lives(numbered: Numbered, ca_file: str) -> None:
    """A child that kept the sockets open would keep the peer from seeing the end."""
    reader, writer = os.pipe()
    session = pabal.Session(verify=ca_file)
    assert session.get(numbered.url).text == "1"
    process = os.fork()
    if process == 0:
        os.close(writer)
        os.read(reader, 1)
        os._exit(0)
    session.close()
    try:
        wait_until(lambda: numbered.ended == [1])
    finally:
        os.close(writer)
        os.close(reader)
        os.waitpid(process, 0)


def test_a_child_has_none_of_the_parents_sockets(nginx: Nginx, ca_file: str) -> None:
    with pabal.Session(verify=ca_file) as session:
        before = set(descriptors().values())
        session.get(nginx.url + "/price")
        session.get(nginx.tls_url + "/price")
        opened = set(descriptors().values()) - before
        assert any("socket" in each for each in opened)
        left = child(lambda: sorted(descriptors().values()))
        assert not opened & set(left)


# ----------------------------------------------------------------------------------------------- randomness, the server


def test_randomness_is_not_shared(
    scripted: Scripted, nginx: Nginx, ca_file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def script(connection: Connection) -> None:
        while request := connection.read_request():
            said = request.value("authorization") or request.value("content-type") or ""
            connection.answer(
                said.encode(),
                "200 OK" if said else "401 Unauthorized",
                f'WWW-Authenticate: Digest realm="r", nonce="{random.random()}", qop="auth"',
            )

    server = scripted(script)
    log = tmp_path / "keys"
    monkeypatch.setenv("SSLKEYLOGFILE", str(log))
    session = pabal.Session(verify=ca_file)

    def boundary() -> str:
        return session.post(server.url, files={"a": b"b"}).text

    def client_nonce() -> str:
        told = session.get(server.url, auth=pabal.DigestAuth("user", "word")).text
        return told.partition('cnonce="')[2].partition('"')[0]

    def client_random() -> str:
        session.get(nginx.tls_url + "/close")
        return log.read_text().split()[-2]

    def jitter() -> list[float]:
        retry = pabal.Retry(2, backoff=0.02, jitter=1.0, statuses=(410,))
        return [attempt.wait for attempt in session.get(nginx.url + "/gone", retries=retry).retries]

    def everything() -> list[Any]:
        return [boundary(), client_nonce(), client_random(), jitter()]

    everything()
    children = [child(everything), child(everything)]
    for in_one, in_other, in_parent in zip(*children, everything(), strict=True):
        assert in_one and in_one != in_other != in_parent != in_one
    session.close()


def test_the_embedded_server_stays_with_its_parent() -> None:
    server = _engine.DemoServer(tls=False)
    url = f"http://127.0.0.1:{server.port}/price"
    status = pabal.get(url).status_code

    def work() -> int:
        answered = pabal.get(url).status_code
        server.stop()
        return answered

    assert child(work) == status
    assert pabal.get(url).status_code == status
    server.stop()
