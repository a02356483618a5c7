"""Traces for OpenTelemetry, where the settings ask for them: what a request took, and what took it.

A span has a name of ours and attributes that may be logged, and no other: no address, no words of an error.
OpenTelemetry's own variables (OTEL_...) say where spans are sent and how many of them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from structlog.contextvars import bind_contextvars

from service import logs

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.trace import Span, Tracer

TRACEPARENT = "traceparent"
_tracers: list["Tracer"] = []  # none where nothing is traced


def begin(processor: "SpanProcessor | None" = None) -> None:
    """Trace from now on in this process; spans are sent by OTLP over HTTP, or go to this processor."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    ours = Resource.create({SERVICE_NAME: logs.DOSEGATE, SERVICE_VERSION: version("dosegate")})
    provider = TracerProvider(resource=ours)
    provider.add_span_processor(processor or BatchSpanProcessor(OTLPSpanExporter()))
    _tracers[:] = [provider.get_tracer(logs.DOSEGATE)]


@contextmanager
def span(name: str, **attributes: Any) -> Iterator[None]:
    """Trace what is done meanwhile, as a part of what is traced already."""
    if not _tracers:
        yield
        return
    from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415

    # An exception's own words may repeat a request: that there was one is enough.
    with _tracers[0].start_as_current_span(
        name, attributes=_known(attributes), record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield
        except BaseException:
            current.set_status(Status(StatusCode.ERROR))
            raise


class Request:
    """The span of one request. `traceparent` is who asked's own span (W3C Trace Context), if it has one."""

    def __init__(self, name: str, traceparent: str | None) -> None:
        from opentelemetry import context  # noqa: PLC0415
        from opentelemetry.trace import SpanKind, set_span_in_context  # noqa: PLC0415
        from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
            TraceContextTextMapPropagator,
        )

        carried = {TRACEPARENT: traceparent} if traceparent else {}
        parent = TraceContextTextMapPropagator().extract(carried, context.Context())
        self._span: Span = _tracers[0].start_span(name, parent, kind=SpanKind.SERVER)
        self._token = context.attach(set_span_in_context(self._span, parent))
        bind_contextvars(trace=f"{self._span.get_span_context().trace_id:032x}")

    def tell(self, **attributes: Any) -> None:
        """Say how it went."""
        from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415

        self._span.set_attributes(_known(attributes))
        if attributes["status"] >= 500:
            self._span.set_status(Status(StatusCode.ERROR))

    def end(self) -> None:
        """It is answered."""
        from opentelemetry import context  # noqa: PLC0415

        context.detach(self._token)
        self._span.end()


def request(name: str, traceparent: str | None) -> Request | None:
    """The span of a request that has come; None where nothing is traced."""
    return Request(name, traceparent) if _tracers else None


def _known(attributes: dict[str, Any]) -> dict[str, Any]:
    """Those that may be logged, under names of ours."""
    return {f"{logs.DOSEGATE}.{name}": value for name, value in attributes.items() if logs.fits(name, value)}
