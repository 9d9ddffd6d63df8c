"""What is measured: shapes of work, and the figures that are published of each.

A table holds shapes that share their figures; a shape is one column of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

from bench.results import Sample


class Kind(Enum):
    """What the measured program does with the client; client.py has one function for each."""

    GATHER = "gather"  # waves of asyncio.gather, until the time is up
    MEMORY = "memory"  # the same, for its peak of resident memory
    SYNC = "sync"  # one request after another on one connection
    DOWNLOAD = "download"  # one large body, streamed
    UPLOAD = "upload"  # one large body, from bytes
    IMPORT = "import"  # a Python that imports the client and ends


@dataclass(frozen=True)
class Figure:
    """One number made of a sample."""

    name: str
    unit: str
    of: Callable[[Sample], float]
    more_is_better: bool = False


CPU_PER_REQUEST = Figure("CPU per request", "µs", lambda sample: 1e6 * sample.cpu_s / sample.units)
REQUEST_RATE = Figure("requests per second", "/s", lambda sample: sample.units / sample.wall_s, more_is_better=True)
CPU_PER_GIGABYTE = Figure("CPU per gigabyte", "s", lambda sample: 1e9 * sample.cpu_s / sample.units)
MEGABYTE_RATE = Figure("throughput", "MB/s", lambda sample: sample.units / sample.wall_s / 1e6, more_is_better=True)
PEAK_MEMORY = Figure("peak of resident memory", "MB", lambda sample: sample.peak_mb)
IMPORT_CPU = Figure("CPU over bare Python", "ms", lambda sample: 1e3 * sample.cpu_s / sample.units)
IMPORT_WALL = Figure("time over bare Python", "ms", lambda sample: 1e3 * sample.wall_s / sample.units)


@dataclass(frozen=True)
class Shape:
    """One piece of work. `quick_at_once` replaces `at_once` where only running matters, not the figure."""

    name: str
    kind: Kind
    heading: str
    path: str = "/price"
    tls: bool = False
    version: str = "1.1"  # of HTTP; "2" and "3" over TLS. A client that would not speak it has no part in it
    at_once: int = 1
    quick_at_once: int = 2
    size: int = 0
    quick_size: int = 0
    faces: bool = False  # done by pabal's native API and by its faces, and by nobody else


@dataclass(frozen=True)
class Table:
    """Shapes with the same figures: `main` is plotted and compared, `second` stands beside it."""

    name: str
    title: str
    main: Figure
    shapes: tuple[Shape, ...]
    second: Figure | None = None
    note: str = ""


MEBIBYTE = 1 << 20


def gather(latency_ms: int, *at_once: int) -> tuple[Shape, ...]:
    path = f"/{latency_ms}ms" if latency_ms else "/price"
    return tuple(
        Shape(f"gather-{latency_ms}ms-{many}", Kind.GATHER, f"{many:,} at once", path, at_once=many) for many in at_once
    )


def gather_over(version: str, *at_once: int) -> tuple[Shape, ...]:
    return tuple(
        Shape(f"http{version}-{many}", Kind.GATHER, f"{many:,} at once", tls=True, version=version, at_once=many)
        for many in at_once
    )


def download_over(version: str, size: int) -> tuple[Shape, ...]:
    shape = Shape(f"http{version}-download", Kind.DOWNLOAD, "TLS", "/large", tls=True, version=version, size=size)
    return (replace(shape, quick_size=MEBIBYTE),)


def transfer(kind: Kind, size: int) -> tuple[Shape, ...]:
    """One body of `size` bytes, plain and over TLS."""
    path = "/large" if kind is Kind.DOWNLOAD else "/upload"
    return tuple(
        Shape(f"{kind.value}-{name}", kind, heading, path, tls=tls, size=size, quick_size=MEBIBYTE)
        for name, heading, tls in (("plain", "plain", False), ("tls", "TLS", True))
    )


TABLES = (
    Table(
        "gather-0ms",
        "asyncio.gather, answered at once",
        CPU_PER_REQUEST,
        gather(0, 20, 100, 1000, 10000),
        second=REQUEST_RATE,
        note="Small JSON over HTTP/1.1 from a server that answers as fast as it can: the client's own cost.",
    ),
    Table(
        "gather-1ms",
        "asyncio.gather, answered after 1 ms",
        CPU_PER_REQUEST,
        gather(1, 20, 100, 1000),
        second=REQUEST_RATE,
        note="A service in the same building.",
    ),
    Table(
        "gather-100ms",
        "asyncio.gather, answered after 100 ms",
        CPU_PER_REQUEST,
        gather(100, 20, 100, 1000),
        second=REQUEST_RATE,
        note="A service on another continent: rates are set by the latency until a client's own cost exceeds it.",
    ),
    Table(
        "sync",
        "One request after another",
        REQUEST_RATE,
        (Shape("sync", Kind.SYNC, "one connection"),),
        second=CPU_PER_REQUEST,
        note="A loop on one connection. `socket` is no client but the limit: a fixed request, one send, one recv.",
    ),
    Table(
        "faces",
        "What a face costs",
        CPU_PER_REQUEST,
        (
            Shape("faces-sync", Kind.SYNC, "one after another", faces=True),
            Shape("faces-gather", Kind.GATHER, "100 at once", at_once=100, faces=True),
        ),
        second=REQUEST_RATE,
        note="The same engine by its native API and by the APIs of requests and niquests.",
    ),
    Table(
        "download",
        "Download of one large body",
        CPU_PER_GIGABYTE,
        transfer(Kind.DOWNLOAD, 256 * MEBIBYTE),
        second=MEGABYTE_RATE,
        note="Streamed in the chunks that the client itself chooses.",
    ),
    Table(
        "http2",
        "asyncio.gather over HTTP/2",
        CPU_PER_REQUEST,
        gather_over("2", 10, 100, 1000, 10000),
        second=REQUEST_RATE,
        note="Small JSON over TLS. Of the clients that speak HTTP/2; the server takes all requests on one connection.",
    ),
    Table(
        "http2-download",
        "Download of one large body over HTTP/2",
        CPU_PER_GIGABYTE,
        download_over("2", 256 * MEBIBYTE),
        second=MEGABYTE_RATE,
        note="Streamed in the chunks that the client itself chooses.",
    ),
    Table(
        "http3",
        "asyncio.gather over HTTP/3",
        CPU_PER_REQUEST,
        gather_over("3", 10, 100, 1000),
        second=REQUEST_RATE,
        note="Small JSON over QUIC, from Caddy in front of nginx. Of the clients that speak HTTP/3.",
    ),
    Table(
        "http3-download",
        "Download of one large body over HTTP/3",
        CPU_PER_GIGABYTE,
        download_over("3", 512 * MEBIBYTE),
        second=MEGABYTE_RATE,
        note="Streamed in the chunks that the client itself chooses, from Caddy in front of nginx.",
    ),
    Table(
        "upload",
        "Upload of one large body",
        CPU_PER_GIGABYTE,
        transfer(Kind.UPLOAD, 64 * MEBIBYTE),
        second=MEGABYTE_RATE,
        note="From a bytes object in memory.",
    ),
    Table(
        "handshakes",
        "TLS handshakes",
        REQUEST_RATE,
        (Shape("handshakes", Kind.GATHER, "10 at once", "/once", tls=True, at_once=10),),
        second=CPU_PER_REQUEST,
        note="A new connection and a full TLS 1.3 handshake for every request; nothing is resumed or verified.",
    ),
    Table(
        "memory",
        "Memory with 1,000 requests in flight",
        PEAK_MEMORY,
        (Shape("memory", Kind.MEMORY, "1,000 at once", "/100ms", at_once=1000),),
        note="Of the whole interpreter, at its peak, over three waves.",
    ),
    Table(
        "import",
        "Import",
        IMPORT_CPU,
        (Shape("import", Kind.IMPORT, "import"),),
        second=IMPORT_WALL,
        note="What `import` adds to starting and ending a bare Python, with bytecode ready.",
    ),
)

SHAPES = tuple(shape for table in TABLES for shape in table.shapes)
