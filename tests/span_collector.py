"""A collector of OpenTelemetry, as an operator runs one: what processes send there can be read."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

ENDED_WITHIN_S = 10.0


@dataclass(frozen=True)
class CollectedSpan:
    """One span that a process has sent; of its attributes those that are texts."""

    service: str
    trace_id: str
    name: str
    attributes: dict[str, str]


class SpanCollector:
    """What has been collected, and where it is sent."""

    def __init__(self, url: str) -> None:
        self.spans: list[CollectedSpan] = []
        self.environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
        """Of a process that is to send its spans here, soon."""

    def take(self, body: bytes) -> None:
        """Take what was posted to ``/v1/traces``."""
        for of_process in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = _texts(of_process.resource.attributes)["service.name"]
            for scope in of_process.scope_spans:
                self.spans += [
                    CollectedSpan(service, span.trace_id.hex(), span.name, _texts(span.attributes))
                    for span in scope.spans
                ]


@contextmanager
def collecting() -> Iterator[SpanCollector]:
    """Run a collector as long as the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/v1/traces":
                collector.take(body)
            self.send_response(200 if self.path == "/v1/traces" else 404)
            self.end_headers()

        def log_message(self, *about: object) -> None:
            """Write nothing of it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector = SpanCollector(f"http://127.0.0.1:{server.server_port}")
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join(ENDED_WITHIN_S)


def _texts(attributes: object) -> dict[str, str]:
    return {each.key: each.value.string_value for each in attributes}  # type: ignore[attr-defined]
