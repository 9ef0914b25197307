"""Prometheus metrics of this process. Labels name services, routes and outcomes; never firms, dossiers or people."""

from collections.abc import Sequence

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


def counter(name: str, text: str, labels: Sequence[str] = ()) -> Counter:
    """Declare a counter; its first label is always the service."""
    return Counter(name, text, ["service", *labels], registry=REGISTRY)


def gauge(name: str, text: str, labels: Sequence[str] = ()) -> Gauge:
    """Declare a gauge; its first label is always the service."""
    return Gauge(name, text, ["service", *labels], registry=REGISTRY)


def histogram(name: str, text: str, labels: Sequence[str] = (), buckets: Sequence[float] = SECONDS) -> Histogram:
    """Declare a histogram of seconds; its first label is always the service."""
    return Histogram(name, text, ["service", *labels], registry=REGISTRY, buckets=tuple(buckets))


def exposition() -> tuple[bytes, str]:
    """Return what ``GET /metrics`` answers, and its media type."""
    return generate_latest(REGISTRY), CONTENT_TYPE_LATEST
