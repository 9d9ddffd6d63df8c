"""Clients of HTTP/2 and HTTP/3 that nobody here wrote, in one table: each asks, and tells in the same way what came."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import curl_cffi
import httpx
from aioquic.asyncio import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import FrameType, H3Connection, encode_frame
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, QuicEvent, StreamReset

from support.chromium import Chromium
from support.demo import Demo, output, program
from support.processes import judge

LIMIT = 40.0  # seconds for all that a client is asked to do at once


@dataclass(frozen=True)
class Told:
    """One response, as its client tells it."""

    version: str
    status: int
    size: int
    digest: str

    @staticmethod
    def of(version: str, status: int, content: bytes) -> Told:
        return Told(version, status, len(content), hashlib.sha256(content).hexdigest())


@dataclass(frozen=True)
class Asking:
    """What a client is to do: `times` requests for `path` at once, each with so many "c", or GET without any."""

    demo: Demo
    folder: Path
    path: str
    times: int = 1
    size: int | None = None
    port: int = 0  # of a way to the server, where it is not to be asked directly

    @property
    def method(self) -> str:
        return "GET" if self.size is None else "POST"

    @property
    def content(self) -> bytes:
        return b"c" * (self.size or 0)

    @property
    def authority(self) -> str:
        return f"127.0.0.1:{self.port or self.demo.tls_port}"

    @property
    def url(self) -> str:
        return f"https://{self.authority}{self.path}"


def curl(asked: Asking, version: str) -> list[Told]:
    sent = asked.folder / "sent"
    sent.write_bytes(asked.content)
    places = [asked.folder / str(number) for number in range(asked.times)]
    body = [] if asked.size is None else ["--data-binary", f"@{sent}"]
    urls = [word for place in places for word in ("-o", str(place), asked.url)]
    options = ("--http2", "--cacert", asked.demo.ca_file, "-Z", "-w", "%{http_version} %{response_code}\\n")
    told = output(program("curl", "curl"), "-sS", *options, *body, *urls, limit=LIMIT).decode().splitlines()
    lines = [line.split() for line in told]
    return [Told.of(said, int(code), place.read_bytes()) for (said, code), place in zip(lines, places, strict=True)]


def httpx_client(asked: Asking, version: str) -> list[Told]:
    async def main() -> list[Told]:
        trust = ssl.create_default_context(cafile=asked.demo.ca_file)
        async with httpx.AsyncClient(http2=True, verify=trust, timeout=LIMIT) as client:
            asking = (client.request(asked.method, asked.url, content=asked.content) for _ in range(asked.times))
            responses = await asyncio.gather(*asking)
        return [Told.of(each.http_version[5:6], each.status_code, each.content) for each in responses]

    return asyncio.run(main())


def curl_cffi_client(asked: Asking, version: str) -> list[Told]:
    only = {"2": curl_cffi.CurlHttpVersion.V2TLS, "3": curl_cffi.CurlHttpVersion.V3ONLY}[version]
    spoken = {curl_cffi.CurlHttpVersion.V2_0: "2", curl_cffi.CurlHttpVersion.V3: "3"}

    async def main() -> list[Told]:
        async with curl_cffi.AsyncSession(max_clients=asked.times, trust_env=False) as session:
            content = None if asked.size is None else asked.content
            asking = (
                session.request(
                    asked.method, asked.url, data=content, verify=asked.demo.ca_file, http_version=only, timeout=LIMIT
                )
                for _ in range(asked.times)
            )
            responses = await asyncio.gather(*asking)
        return [Told.of(spoken[each.http_version], each.status_code, each.content) for each in responses]

    return asyncio.run(main())


def go(asked: Asking, version: str) -> list[Told]:
    options = ("-version", version, "-ca", asked.demo.ca_file, "-method", asked.method, "-times", str(asked.times))
    told = output(str(judge("gopeer")), "ask", *options, "-size", str(asked.size or 0), asked.url, limit=LIMIT)
    lines = [json.loads(line) for line in told.splitlines()]
    return [Told(each["version"][5:6], each["status"], each["size"], each["sha256"]) for each in lines]


def chromium(asked: Asking, version: str) -> list[Told]:
    body = "" if asked.size is None else f", body: 'c'.repeat({asked.size})"
    script = f"""Promise.all(Array.from({{length: {asked.times}}}, async (_, number) => {{
        const response = await fetch('{asked.path}?' + number, {{method: '{asked.method}', cache: 'no-store'{body}}});
        const content = await response.arrayBuffer();
        const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', content));
        const hex = Array.from(digest, byte => byte.toString(16).padStart(2, '0')).join('');
        const spoken = performance.getEntriesByName(response.url).map(each => each.nextHopProtocol).join();
        return [spoken, response.status, content.byteLength, hex];
    }}))"""
    port = int(asked.authority.partition(":")[2])
    browser = Chromium(port, Path(asked.demo.ca_file).read_bytes(), quic=version == "3")
    try:
        browser.open(f"https://localhost:{port}/price")
        told = browser.run(script)
    finally:
        browser.close()
    return [Told(spoken.removeprefix("h"), status, size, digest) for spoken, status, size, digest in told]


class _Elsewhere:
    """Stands for aioquic's QPACK encoder where others encode: what the server acknowledges is not its own."""

    def feed_decoder(self, data: bytes) -> None:
        pass


class Exchanges(QuicConnectionProtocol):
    """The requests on one connection of aioquic."""

    def __init__(self, *args: object, **named: object) -> None:
        super().__init__(*args, **named)  # type: ignore[arg-type]
        self._http = H3Connection(self._quic)
        self._under_way: dict[int, tuple[dict[bytes, bytes], bytearray, asyncio.Future[tuple[int, bytes]]]] = {}

    async def ask(self, method: str, authority: str, path: str, content: bytes) -> tuple[int, bytes]:
        """The status and the content of the response to a request."""
        stream = self._quic.get_next_available_stream_id()
        head = {":method": method, ":scheme": "https", ":authority": authority, ":path": path}
        fields = [(name.encode(), value.encode()) for name, value in head.items()]
        self._http.send_headers(stream, fields, end_stream=not content)
        if content:
            self._http.send_data(stream, content, end_stream=True)
        return await self._answer(stream)

    async def ask_encoded(self, section: bytes) -> tuple[int, bytes]:
        """Likewise, for a request without content whose fields somebody else has encoded."""
        stream = self._quic.get_next_available_stream_id()
        self._quic.send_stream_data(stream, encode_frame(FrameType.HEADERS, section), end_stream=True)
        return await self._answer(stream)

    async def instruct(self, instructions: bytes) -> None:
        """Sends these on the stream of QPACK's encoder, and returns once the server has them."""
        assert self._http._local_encoder_stream_id is not None
        self._http._encoder = _Elsewhere()  # type: ignore[assignment]
        self._quic.send_stream_data(self._http._local_encoder_stream_id, instructions)
        await asyncio.wait_for(self.ping(), LIMIT)

    async def _answer(self, stream: int) -> tuple[int, bytes]:
        told: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()
        self._under_way[stream] = ({}, bytearray(), told)
        self.transmit()
        return await asyncio.wait_for(told, LIMIT)

    def quic_event_received(self, event: QuicEvent) -> None:
        if isinstance(event, ConnectionTerminated):
            for _, _, told in self._under_way.values():
                if not told.done():
                    told.set_exception(ConnectionError(f"{event.error_code:#x} {event.reason_phrase}"))
        if isinstance(event, StreamReset) and event.stream_id in self._under_way:
            self._under_way[event.stream_id][2].set_exception(ConnectionError(f"reset: {event.error_code:#x}"))
        for heard in self._http.handle_event(event):
            if not isinstance(heard, HeadersReceived | DataReceived) or heard.stream_id not in self._under_way:
                continue
            head, content, told = self._under_way[heard.stream_id]
            if isinstance(heard, HeadersReceived):
                head.update(heard.headers)
            else:
                content += heard.data
            if heard.stream_ended:
                told.set_result((int(head[b":status"]), bytes(content)))


@contextlib.asynccontextmanager
async def exchanges(demo: Demo, port: int = 0) -> AsyncIterator[Exchanges]:
    """A connection of aioquic to the server, or to the port of a way there."""
    configuration = QuicConfiguration(is_client=True, alpn_protocols=["h3"])
    configuration.load_verify_locations(demo.ca_file)
    where = ("127.0.0.1", port or demo.tls_port)
    async with connect(*where, configuration=configuration, create_protocol=Exchanges) as connection:
        assert isinstance(connection, Exchanges)
        yield connection


def aioquic(asked: Asking, version: str) -> list[Told]:
    async def main() -> list[Told]:
        async with exchanges(asked.demo, asked.port) as connection:
            words = (asked.method, asked.authority, asked.path, asked.content)
            answers = await asyncio.gather(*(connection.ask(*words) for _ in range(asked.times)))
        return [Told.of("3", status, content) for status, content in answers]

    return asyncio.run(main())


@dataclass(frozen=True)
class Kind:
    """A client and the version of HTTP that it is to speak."""

    name: str
    version: str
    ask: Callable[[Asking, str], list[Told]]

    def __str__(self) -> str:
        return f"{self.name}-h{self.version}"


KINDS = (
    Kind("curl", "2", curl),
    Kind("httpx", "2", httpx_client),
    Kind("curl_cffi", "2", curl_cffi_client),
    Kind("go", "2", go),
    Kind("chromium", "2", chromium),
    Kind("aioquic", "3", aioquic),
    Kind("curl_cffi", "3", curl_cffi_client),
    Kind("go", "3", go),
    Kind("chromium", "3", chromium),
)
