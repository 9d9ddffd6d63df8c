"""``pabal fetch``: many URLs at once in, JSON Lines out, in bounded memory.

A fixed number of workers take one URL after another, so that a list of millions costs no more than one of a hundred.
Lines are written whole, as requests finish.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import signal
import sys
import time
from base64 import b64encode
from typing import TYPE_CHECKING

import pabal
from pabal.cli.progress import Progress
from pabal.cli.sources import Sources
from pabal.cli.summary import Summary
from pabal.config import DEFAULT_TIMEOUT

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence
    from typing import Any

    from pabal.types import HTTP, TimeoutInput, Verify

__all__ = ["Output", "fetch", "fetch_command"]

INTERRUPTED = 130  # 128 + SIGINT, as shells count
PIPE_CLOSED = 141  # 128 + SIGPIPE

#: Lines wait for each other up to this many bytes, or until the next tick.
FLUSH_AT = 64 * 1024
TICK = 0.1


class Output:
    """Writes whole lines to a descriptor, several at a time; whatever happens, the file ends with a line end."""

    def __init__(self, path: str | None) -> None:
        self._descriptor = (
            1 if path in (None, "-") else os.open(str(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        )
        self._lines: list[bytes] = []
        self._size = 0

    def write(self, line: bytes) -> None:
        """``line`` comes without its end."""
        self._lines += (line, b"\n")
        self._size += len(line) + 1
        if self._size >= FLUSH_AT:
            self.flush()

    def flush(self) -> None:
        data = memoryview(b"".join(self._lines))
        self._lines.clear()  # first: what cannot be written is not tried again
        self._size = 0
        while data and self._descriptor >= 0:
            data = data[os.write(self._descriptor, data) :]

    def close(self) -> None:
        self.flush()
        if self._descriptor > 2:
            os.close(self._descriptor)
            self._descriptor = -1


def record(
    url: str, seconds: float, response: pabal.Response | None, error: Exception | None
) -> tuple[bytes, int, str | None]:
    """The line for one URL, the size of its body, and what kind of failure it was, if any."""
    known: dict[str, Any] = {"url": url, "status": None, "elapsed_ms": round(seconds * 1000, 3), "bytes": 0}
    body = b""
    if response is not None:
        content = response.content
        known["status"] = response.status_code
        known["bytes"] = len(content)
        if not response.ok:
            error = pabal.HTTPStatusError(f"{response.status_code} {response.reason}".strip(), response=response)
        body = _body(response, content)
    kind = None
    if error is not None:
        kind = type(error).__name__
        known["error"] = _error(kind, error)
    line = json.dumps(known, ensure_ascii=False).encode("utf-8", "replace")
    return line[:-1] + body + b"}", known["bytes"], kind


def _error(kind: str, error: Exception) -> dict[str, str]:
    known = {"kind": kind, "message": str(getattr(error, "message", error))}
    if isinstance(error, pabal.PabalError):
        known |= {name: value for name in ("code", "phase", "whose") if (value := getattr(error, name))}
    return known


def _body(response: pabal.Response, content: bytes) -> bytes:
    """``, "json": …`` as the server wrote it, so that 1.10 stays 1.10; or ``, "text": …``; or ``, "base64": …``."""
    if not content:
        return b""
    media_type = response.headers.get("content-type", "").lower()
    if "json" in media_type or content[:1] in (b"{", b"["):
        with contextlib.suppress(ValueError):
            response.json()
            # a line break in JSON is white space: inside of strings it must be escaped
            return b', "json": ' + content.strip().replace(b"\r", b" ").replace(b"\n", b" ")
    textual = media_type.startswith("text/") or any(
        word in media_type for word in ("xml", "json", "javascript", "form")
    )
    if not textual:
        try:
            content.decode("utf-8")
        except UnicodeDecodeError:
            return b', "base64": "' + b64encode(content) + b'"'
    return b', "text": ' + json.dumps(response.text, ensure_ascii=False).encode("utf-8", "replace")


async def fetch(
    sources: Sequence[str],
    output: Output,
    *,
    concurrency: int = 100,
    timeout: TimeoutInput = DEFAULT_TIMEOUT,
    verify: Verify = True,
    headers: Sequence[tuple[str, str]] = (),
    progress: bool = True,
    http: HTTP | None = None,
    alternatives_file: str | None = None,
) -> Summary:
    """Fetches everything that ``sources`` name; Ctrl-C ends it early, with what has finished.

    ``http`` and ``alternatives_file`` are a session's.
    """
    summary = Summary()
    urls = Sources(sources)
    bar = Progress(urls.count(), wanted=progress)
    limits = pabal.Limits(max_connections=concurrency, max_connections_per_host=concurrency)
    begun = time.perf_counter()

    async def work(session: pabal.AsyncSession) -> None:
        while (url := await urls.next()) is not None:
            response: pabal.Response | None = None
            error: Exception | None = None
            started = time.perf_counter()
            try:
                response = await session.get(url)
            except Exception as failure:
                error = failure
            seconds = time.perf_counter() - started
            line, size, kind = record(url, seconds, response, error)
            output.write(line)
            summary.add(seconds, response.status_code if response is not None else None, size, kind)

    async def tick() -> None:
        while True:
            await asyncio.sleep(TICK)
            output.flush()
            bar.update(summary.done, summary.failed)

    session = pabal.AsyncSession(
        headers=list(headers),
        timeout=timeout,
        verify=verify,
        limits=limits,
        http=http,
        alternatives_file=alternatives_file,
    )
    async with session:
        work_done = asyncio.gather(*[work(session) for _ in range(concurrency)])
        ticker = asyncio.ensure_future(tick())

        def interrupt() -> None:
            summary.interrupted = True
            work_done.cancel()

        restore = _on_interrupt(interrupt)
        try:
            # the ticker only ever ends when the output cannot be written any more
            both: set[asyncio.Future[Any]] = {work_done, ticker}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            restore()
            summary.seconds = time.perf_counter() - begun
            work_done.cancel()
            ticker.cancel()
            ended = await asyncio.gather(work_done, ticker, return_exceptions=True)
            urls.close()
            bar.update(summary.done, summary.failed)
            bar.close()
    for error in ended:
        if isinstance(error, Exception):
            raise error
    return summary


def _on_interrupt(stop: Callable[[], object]) -> Callable[[], object]:
    """Lets Ctrl-C end the work instead of the program; returns what undoes that."""
    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(signal.SIGINT, stop)
    except (NotImplementedError, RuntimeError, ValueError):  # not the main thread: whoever runs us handles it
        return lambda: None
    return lambda: loop.remove_signal_handler(signal.SIGINT)


def raise_descriptor_limit(wanted: int) -> None:
    """Many connections need many descriptors; a process may raise its own limit up to the hard one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        ceiling = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        if ceiling > soft:
            resource.setrlimit(resource.RLIMIT_NOFILE, (ceiling, hard))


def fetch_command(options: argparse.Namespace) -> int:
    """``pabal fetch``; returns the exit status."""
    concurrency: int = options.concurrency
    raise_descriptor_limit(concurrency + 64)
    output = Output(options.output)
    verify: Verify = False if options.insecure else options.ca or True
    try:
        summary = asyncio.run(
            fetch(
                options.sources,
                output,
                concurrency=concurrency,
                timeout=options.timeout or DEFAULT_TIMEOUT,
                verify=verify,
                headers=options.header,
                progress=not options.no_progress,
                http=options.http,
                alternatives_file=options.alternatives,
            )
        )
        output.close()
    except BrokenPipeError:  # whoever read our lines has seen enough
        return PIPE_CLOSED
    finally:
        with contextlib.suppress(OSError):
            output.close()
    summary.print(sys.stderr)
    return INTERRUPTED if summary.interrupted else 1 if summary.failed else 0
