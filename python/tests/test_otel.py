"""OpenTelemetry spans, as its SDK's in-memory exporter gets them."""

from __future__ import annotations

import asyncio
import builtins
from collections.abc import Callable, Iterator
from typing import Any

import pabal
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from pabal import exceptions, otel
from support.nginx import Nginx
from support.scripted import Connection, ScriptedServer

Start = Callable[..., ScriptedServer]
Run = Callable[[Any], Any]


class Spans:
    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer = self.provider.get_tracer("test")

    @property
    def all(self) -> list[ReadableSpan]:
        return list(self.exporter.get_finished_spans())

    def attributes(self) -> dict[str, Any]:
        (span,) = self.all
        return dict(span.attributes or {})


@pytest.fixture
def spans() -> Iterator[Spans]:
    made = Spans()
    yield made
    made.provider.shutdown()


def headers(connection: Connection) -> None:
    while request := connection.read_request():
        connection.answer((request.value("traceparent") or "none").encode())


def test_a_span(nginx: Nginx, spans: Spans) -> None:
    with pabal.Session() as session:
        otel.instrument(session, tracer_provider=spans.provider)
        assert session.get(nginx.url.replace("//", "//user:hidden@") + "/price?token=hidden&q=1").ok
    (span,) = spans.all
    assert span.name == "GET" and span.kind is SpanKind.CLIENT
    assert span.status.status_code is StatusCode.UNSET
    port = int(nginx.url.rpartition(":")[2])
    assert dict(span.attributes or {}) == {
        "http.request.method": "GET",
        "url.full": f"http://***@127.0.0.1:{port}/price?token=***&q=1",
        "server.address": "127.0.0.1",
        "server.port": port,
        "http.response.status_code": 200,
        "network.protocol.version": "1.1",
        "network.peer.address": "127.0.0.1",
        "network.peer.port": port,
    }
    assert span.instrumentation_scope is not None and span.instrumentation_scope.name == "pabal"


def test_errors(nginx: Nginx, spans: Spans) -> None:
    with pabal.Session() as session:
        otel.instrument(session, tracer_provider=spans.provider)
        session.get(nginx.url + "/gone")
        with pytest.raises(exceptions.ConnectionRefused):
            session.get("http://127.0.0.1:1/?token=hidden")
        session.request("PURGE", nginx.url + "/price")
    gone, refused, purged = spans.all
    assert (gone.attributes or {})["error.type"] == "410" and gone.status.status_code is StatusCode.ERROR
    assert (refused.attributes or {})["error.type"] == "pabal.exceptions.ConnectionRefused"
    assert refused.status.status_code is StatusCode.ERROR and "hidden" not in str(refused.to_json())
    assert "http.response.status_code" not in (refused.attributes or {})
    assert purged.name == "HTTP"
    assert (purged.attributes or {})["http.request.method"] == "_OTHER"
    assert (purged.attributes or {})["http.request.method_original"] == "PURGE"


def test_the_context_goes_along(scripted: Start, spans: Spans) -> None:
    server = scripted(headers)
    with pabal.Session() as session:
        instrumentation = otel.instrument(session, tracer_provider=spans.provider)
        with spans.tracer.start_as_current_span("parent") as parent:
            sent = session.get(server.url).text
        (span, _) = spans.all
        assert span.context is not None and span.parent is not None
        assert sent.startswith(f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}-")
        assert span.parent.span_id == parent.get_span_context().span_id
        instrumentation.uninstrument()
        assert session.get(server.url).text == "none"
        assert session._hooks is None, "the fast way again"
        otel.instrument(session, tracer_provider=spans.provider, propagate=False)
        assert session.get(server.url).text == "none"


def test_redirects_are_counted(nginx: Nginx, spans: Spans) -> None:
    with pabal.Session() as session:
        otel.instrument(session, tracer_provider=spans.provider)
        session.get(nginx.url + "/moved")
    assert spans.attributes()["http.request.resend_count"] == 1


def test_an_async_session(nginx: Nginx, spans: Spans, run: Run) -> None:
    async def main() -> None:
        async with pabal.AsyncSession() as session:
            otel.instrument(session, tracer_provider=spans.provider)

            async def one(name: str) -> None:
                with spans.tracer.start_as_current_span(name):
                    await session.get(nginx.url + "/price")

            await asyncio.gather(*[one(str(index)) for index in range(10)])
            assert all([each.ok async for each in session.map([nginx.url + "/price"] * 5)])
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(session.get(nginx.url + "/price", hooks={"request": late}), 0.01)

    async def late(_: object) -> None:
        await asyncio.sleep(5)

    run(main())
    parents = {span.context.span_id: span.name for span in spans.all if span.name != "GET" and span.context}
    ours = [span for span in spans.all if span.name == "GET"]
    assert len(ours) == 15
    assert sorted(parents[span.parent.span_id] for span in ours if span.parent) == sorted(map(str, range(10)))


def test_a_cancelled_request_has_a_span(scripted: Start, spans: Spans) -> None:
    def slow(connection: Connection) -> None:
        connection.read_request()
        connection.wait_closed()

    server = scripted(slow)

    async def main() -> None:
        async with pabal.AsyncSession() as session:
            otel.instrument(session, tracer_provider=spans.provider)
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(session.get(server.url), 0.05)

    asyncio.run(main())
    assert spans.attributes()["error.type"] == "asyncio.exceptions.CancelledError"


def test_what_cannot_be_instrumented(spans: Spans, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong: Any = 5
    with pytest.raises(TypeError):
        otel.instrument(wrong)
    with pabal.Session() as session:
        otel.instrument(session, tracer_provider=spans.provider)
        with pytest.raises(ValueError, match="already"):
            otel.instrument(session)
    original = builtins.__import__

    def missing(name: str, *arguments: Any, **named: Any) -> Any:
        if name.startswith("opentelemetry"):
            raise ModuleNotFoundError(name)
        return original(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pabal.Session() as session, pytest.raises(ImportError, match="pip install opentelemetry-api"):
        otel.instrument(session)
