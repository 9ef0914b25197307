"""Traces from the first POST to the vendor's answer, across the outbox.

A message carries the W3C ``traceparent`` of what caused it; whoever handles it continues that trace. Spans leave the
process only where an operator names a collector (``OTEL_EXPORTER_OTLP_ENDPOINT``).
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, Span, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_PROPAGATOR = TraceContextTextMapPropagator()
_tracer = trace.get_tracer("koppel")


def configure_tracing(service: str) -> None:
    """Make spans, and send them to the collector the environment names, if any. Called once per process."""
    if isinstance(trace.get_tracer_provider(), TracerProvider):
        return
    provider = TracerProvider(resource=Resource.create({"service.name": f"koppel-{service}"}))
    if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


def current_traceparent() -> str | None:
    """Return the W3C ``traceparent`` of the present span; None outside of one."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get("traceparent")


@contextmanager
def continue_from(traceparent: str | None, name: str, kind: SpanKind = SpanKind.CONSUMER) -> Iterator[Span]:
    """Open a span that goes on with ``traceparent``; an absent or unreadable one starts a trace of its own."""
    parent = _PROPAGATOR.extract({"traceparent": traceparent}) if traceparent else Context()
    with _tracer.start_as_current_span(name, context=parent, kind=kind) as span:
        yield span


@contextmanager
def take_batch(traceparents: Sequence[str | None], name: str) -> Iterator[Span]:
    """Open the span of a batch of messages: within the trace of one message, or linked to those of many.

    What a batch does is done for all its messages; the facts that follow from each carry that message's own trace.
    """
    if len(traceparents) == 1:
        with continue_from(traceparents[0], name) as opened:
            yield opened
        return
    contexts = [_PROPAGATOR.extract({"traceparent": each}) for each in traceparents if each]
    links = [Link(trace.get_current_span(context).get_span_context()) for context in contexts]
    with _tracer.start_as_current_span(name, Context(), SpanKind.CONSUMER, links=links) as opened:
        yield opened


@contextmanager
def span(name: str, kind: SpanKind = SpanKind.INTERNAL, **attributes: str | int | float | bool) -> Iterator[Span]:
    """Open a child of the present span."""
    with _tracer.start_as_current_span(name, kind=kind, attributes=attributes) as opened:
        yield opened
