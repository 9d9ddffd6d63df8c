"""OpenTelemetry: a client span for every request, after the semantic conventions for HTTP.

    instrumentation = pabal.otel.instrument(session)
    …
    instrumentation.uninstrument()

Needs ``opentelemetry-api``, which pabal does not install. The span is a child of the one that is current where the
request is made; its context goes out with the request (``traceparent``), by the propagator that the program has set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pabal._engine import __version__
from pabal._redact import redact_text, redact_url

if TYPE_CHECKING:
    from typing import Any

    from opentelemetry.trace import Span, TracerProvider

    from pabal._request import Request
    from pabal.response import Response
    from pabal.session import AsyncSession, Session

__all__ = ["Instrumentation", "instrument"]

#: Others are `_OTHER`, so that a span's name has few values.
KNOWN_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"))
PORTS = {"http": 80, "https": 443}
SCHEMA = "https://opentelemetry.io/schemas/1.27.0"


def instrument(
    session: Session | AsyncSession, *, tracer_provider: TracerProvider | None = None, propagate: bool = True
) -> Instrumentation:
    """Begins to make spans for the requests of ``session``.

    tracer_provider
        Whose tracer to use; by default the program's.
    propagate
        Whether to send the context along.
    """
    return Instrumentation(session, tracer_provider, propagate)


class Instrumentation:
    """What `instrument` returns."""

    def __init__(
        self, session: Session | AsyncSession, tracer_provider: TracerProvider | None, propagate: bool
    ) -> None:
        try:
            from opentelemetry import trace
            from opentelemetry.propagate import inject
        except ImportError as error:
            raise ImportError("pabal.otel needs OpenTelemetry: pip install opentelemetry-api") from error
        from pabal.session import AsyncSession, Session

        if not isinstance(session, (Session, AsyncSession)):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"a Session or AsyncSession is instrumented, not {type(session).__name__}")
        if any(isinstance(each, Instrumentation) for each in session.hooks.observers):
            raise ValueError("this session is instrumented already")
        self._trace = trace
        self._tracer = trace.get_tracer("pabal", __version__, tracer_provider, schema_url=SCHEMA)
        self._inject = inject if propagate else None
        self._session = session
        session.hooks.observers += (self,)

    def uninstrument(self) -> None:
        """Makes no more spans."""
        hooks = self._session.hooks
        hooks.observers = tuple(each for each in hooks.observers if each is not self)
        if hooks.are_none:
            self._session.hooks = None  # the fast way again

    # --- what the session tells (pabal._hooks.Observer) ---------------------------------------------------------------

    def begin(self, request: Request) -> Span:
        known = request.method in KNOWN_METHODS
        parts = urlsplit(request.url)
        attributes: dict[str, str | int] = {
            "http.request.method": request.method if known else "_OTHER",
            "url.full": redact_url(request.url),
            "server.address": parts.hostname or "",
        }
        try:
            port = parts.port or PORTS.get(parts.scheme)
        except ValueError:
            port = None
        if port is not None:
            attributes["server.port"] = port
        if not known:
            attributes["http.request.method_original"] = request.method
        span = self._tracer.start_span(
            request.method if known else "HTTP", kind=self._trace.SpanKind.CLIENT, attributes=attributes
        )
        if self._inject is not None:
            self._inject(request.headers, context=self._trace.set_span_in_context(span))
        return span

    def end(self, token: Span, request: Request, response: Response | None, error: BaseException | None) -> None:
        span = token
        if span.is_recording():
            if response is not None:
                self._describe(span, response)
            elif error is not None:
                kind = type(error)
                span.set_attribute("error.type", f"{kind.__module__}.{kind.__qualname__}")
                span.set_status(
                    self._trace.Status(self._trace.StatusCode.ERROR, redact_text(getattr(error, "message", "")) or None)
                )
                self._describe_connection(span, getattr(error, "trace", None))
        span.end()

    def _describe(self, span: Span, response: Response) -> None:
        status = response.status_code
        span.set_attribute("http.response.status_code", status)
        span.set_attribute("network.protocol.version", response.http_version)
        if status >= 400:
            span.set_attribute("error.type", str(status))
            span.set_status(self._trace.Status(self._trace.StatusCode.ERROR))
        self._describe_connection(span, response.trace)

    @staticmethod
    def _describe_connection(span: Span, trace: Any) -> None:
        if trace is None:
            return
        if len(trace.hops) > 1:
            span.set_attribute("http.request.resend_count", len(trace.hops) - 1)
        if trace.connection is not None:
            address, separator, port = trace.connection.peer_address.rpartition(":")
            span.set_attribute("network.peer.address", address.strip("[]") if separator else port)
            if separator and port.isdigit():
                span.set_attribute("network.peer.port", int(port))
