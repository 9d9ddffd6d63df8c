"""How each client is asked to do the work: one row per client, so that every shape runs the same program.

Each is used as its own documentation advises for many requests to one host: one session, a pool as large as the
number of requests at once, certificates unchecked. Time limits are lifted where the default would cut a client short.

This module runs inside the process that is measured, so it imports little.
"""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, NamedTuple

# The peers are not installed where types are checked, and some of them have none.
Module = Any
Session = Any

Get = Callable[[str], object]


class AsyncCalls(NamedTuple):
    """An open asynchronous client: what the shapes ask of it."""

    get: Callable[[str], Awaitable[object]]  # the decoded JSON
    download: Callable[[str], Awaitable[int]]  # the number of bytes that came, streamed
    upload: Callable[[str, bytes], Awaitable[object]]  # the decoded JSON of the answer


Opener = Callable[[Module, int], AbstractAsyncContextManager[AsyncCalls]]


class Adapter(NamedTuple):
    """One row: a client, and how to open it."""

    name: str
    module: str  # what a program imports; its import is timed
    open_async: Opener | None = None
    open_sync: Callable[[Module], Get] | None = None
    loop: str = "asyncio"
    open_http2: Opener | None = None  # that it will speak
    open_http3: Opener | None = None  # and nothing else

    def opener(self, version: str) -> Opener | None:
        """How to open it for a version of HTTP; None: it does not speak it."""
        return {"1.1": self.open_async, "2": self.open_http2, "3": self.open_http3}[version]

    @property
    def is_pabal(self) -> bool:
        """True for its faces, too."""
        return self.module.partition(".")[0] == "pabal"

    @property
    def is_face(self) -> bool:
        return self.is_pabal and self.module != "pabal"

    @property
    def is_library(self) -> bool:
        """False for a second row of the same library, and for what is only a yardstick."""
        return self.loop == "asyncio" and self.name != SOCKET


SOCKET = "socket"


async def total_length(chunks: AsyncIterable[bytes]) -> int:
    length = 0
    async for chunk in chunks:
        length += len(chunk)
    return length


def session_calls(session: Session, body: str, chunks: str) -> AsyncCalls:
    """For every client shaped like requests or httpx; `body` and `chunks` are where they differ."""

    async def get(url: str) -> object:
        return (await session.get(url)).json()

    async def download(url: str) -> int:
        async with session.stream("GET", url) as response:
            return await total_length(getattr(response, chunks)())

    async def upload(url: str, content: bytes) -> object:
        return (await session.post(url, **{body: content})).json()

    return AsyncCalls(get, download, upload)


@asynccontextmanager
async def open_session(
    session: Session, body: str = "content", chunks: str = "aiter_bytes"
) -> AsyncIterator[AsyncCalls]:
    async with session:
        yield session_calls(session, body, chunks)


@asynccontextmanager
async def open_aiohttp(aiohttp: Module, connections: int) -> AsyncIterator[AsyncCalls]:
    connector = aiohttp.TCPConnector(limit=connections, ssl=False)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def get(url: str) -> object:
            async with session.get(url) as response:
                return await response.json()

        async def download(url: str) -> int:
            async with session.get(url) as response:
                return await total_length(response.content.iter_any())

        async def upload(url: str, content: bytes) -> object:
            async with session.post(url, data=content) as response:
                return await response.json()

        yield AsyncCalls(get, download, upload)


@asynccontextmanager
async def open_niquests(niquests: Module, connections: int, **options: bool) -> AsyncIterator[AsyncCalls]:
    async with niquests.AsyncSession(pool_maxsize=connections, **options) as session:
        session.verify = False

        async def download(url: str) -> int:
            response = await session.get(url, stream=True)
            return await total_length(await response.iter_content(65536))

        yield session_calls(session, body="data", chunks="")._replace(download=download)


def open_niquests_over_http3(niquests: Module, connections: int) -> AbstractAsyncContextManager[AsyncCalls]:
    return open_niquests(niquests, connections, disable_http1=True, disable_http2=True)


@asynccontextmanager
async def open_pyreqwest(pyreqwest: Module, connections: int) -> AsyncIterator[AsyncCalls]:
    builder = importlib.import_module("pyreqwest.client").ClientBuilder()
    async with builder.max_connections(connections).danger_accept_invalid_certs(True).build() as client:

        async def get(url: str) -> object:
            return await (await client.get(url).build().send()).json()

        async def download(url: str) -> int:
            length = 0
            async with client.get(url).build_streamed() as response:
                while chunk := await response.body_reader.read_chunk():
                    length += len(chunk)
            return length

        async def upload(url: str, content: bytes) -> object:
            return await (await client.post(url).body_bytes(content).build().send()).json()

        yield AsyncCalls(get, download, upload)


@asynccontextmanager
async def open_wreq(wreq: Module, connections: int) -> AsyncIterator[AsyncCalls]:
    client = wreq.Client(tls_verify=False)

    async def get(url: str) -> object:
        return await (await client.get(url)).json()

    async def download(url: str) -> int:
        response = await client.get(url)
        async with response.stream() as chunks:
            return await total_length(chunks)

    async def upload(url: str, content: bytes) -> object:
        return await (await client.post(url, body=content)).json()

    yield AsyncCalls(get, download, upload)


def open_pabal(pabal: Module, connections: int, **options: str) -> AbstractAsyncContextManager[AsyncCalls]:
    limits = pabal.Limits(max_connections=connections, max_connections_per_host=connections)
    return open_session(pabal.AsyncSession(verify=False, limits=limits, **options))


def open_pabal_over_http3(pabal: Module, connections: int) -> AbstractAsyncContextManager[AsyncCalls]:
    return open_pabal(pabal, connections, http="3")


def open_httpx(httpx: Module, connections: int, http2: bool = False) -> AbstractAsyncContextManager[AsyncCalls]:
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    return open_session(httpx.AsyncClient(verify=False, timeout=None, limits=limits, http2=http2))


def open_httpx_over_http2(httpx: Module, connections: int) -> AbstractAsyncContextManager[AsyncCalls]:
    return open_httpx(httpx, connections, http2=True)


def open_curl_cffi(curl_cffi: Module, connections: int, **options: Any) -> AbstractAsyncContextManager[AsyncCalls]:
    session = curl_cffi.AsyncSession(max_clients=connections, verify=False, timeout=None, **options)
    return open_session(session, body="data", chunks="aiter_content")


def open_curl_cffi_over_http3(curl_cffi: Module, connections: int) -> AbstractAsyncContextManager[AsyncCalls]:
    return open_curl_cffi(curl_cffi, connections, http_version=curl_cffi.CurlHttpVersion.V3ONLY)


def open_impit(impit: Module, connections: int) -> AbstractAsyncContextManager[AsyncCalls]:
    return open_session(impit.AsyncClient(verify=False, timeout=None))


def open_impit_over_http2(impit: Module, connections: int) -> AbstractAsyncContextManager[AsyncCalls]:
    """It negotiates HTTP/2 only where it behaves like a browser."""
    return open_session(impit.AsyncClient(verify=False, timeout=None, browser="chrome"))


def json_getter(session: Session) -> Get:
    return lambda url: session.get(url).json()


def sync_session(module: Module) -> Get:
    session = module.Session()
    session.verify = False
    return json_getter(session)


def sync_client(module: Module) -> Get:
    return json_getter(module.Client(verify=False))


def sync_curl_cffi(curl_cffi: Module) -> Get:
    return json_getter(curl_cffi.Session(verify=False))


def sync_wreq(wreq: Module) -> Get:
    return json_getter(importlib.import_module("wreq.blocking").Client(tls_verify=False))


def sync_pyreqwest(pyreqwest: Module) -> Get:
    client = importlib.import_module("pyreqwest.client").SyncClientBuilder().danger_accept_invalid_certs(True).build()
    return lambda url: client.get(url).build().send().json()


def sync_socket(socket: Module) -> Get:
    """No client: a fixed request, one recv, no checks. The limit of this shape, to hold the clients against."""
    json = importlib.import_module("json")
    connections: dict[str, tuple[Any, bytes]] = {}

    def connect(url: str) -> tuple[Any, bytes]:
        parts = importlib.import_module("urllib.parse").urlsplit(url)
        connection = socket.create_connection((parts.hostname, parts.port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connections[url] = connection, f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()
        return connections[url]

    def get(url: str) -> object:
        connection, request = connections.get(url) or connect(url)
        connection.send(request)
        decoded: object = json.loads(connection.recv(65536).partition(b"\r\n\r\n")[2])
        return decoded

    return get


ADAPTERS = (
    Adapter("pabal", "pabal", open_pabal, sync_session, open_http2=open_pabal, open_http3=open_pabal_over_http3),
    Adapter("pabal+uvloop", "pabal", open_pabal, loop="uvloop"),
    Adapter("pabal.requests", "pabal.requests", open_sync=sync_session),
    Adapter("pabal.niquests", "pabal.niquests", open_niquests, sync_session),
    Adapter("aiohttp", "aiohttp", open_aiohttp),
    Adapter("aiohttp+uvloop", "aiohttp", open_aiohttp, loop="uvloop"),
    Adapter(
        "curl_cffi",
        "curl_cffi",
        open_curl_cffi,
        sync_curl_cffi,
        open_http2=open_curl_cffi,
        open_http3=open_curl_cffi_over_http3,
    ),
    Adapter("httpx", "httpx", open_httpx, sync_client, open_http2=open_httpx_over_http2),
    Adapter("httpx2", "httpx2", open_httpx, sync_client),
    Adapter("impit", "impit", open_impit, sync_client, open_http2=open_impit_over_http2),
    Adapter("niquests", "niquests", open_niquests, sync_session, open_http3=open_niquests_over_http3),
    Adapter("pyreqwest", "pyreqwest", open_pyreqwest, sync_pyreqwest),
    Adapter("requests", "requests", open_sync=sync_session),
    Adapter("wreq", "wreq", open_wreq, sync_wreq, open_http2=open_wreq),
    Adapter(SOCKET, "socket", open_sync=sync_socket),
)


def adapter_named(name: str) -> Adapter:
    return next(adapter for adapter in ADAPTERS if adapter.name == name)
