"""Prometheus metrics of this process. Labels name services, routes and outcomes; never firms, dossiers or people."""

from collections.abc import Sequence
from dataclasses import dataclass

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

from .alerts import Alert

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


@dataclass(frozen=True)
class Rule:
    """An alert and the time series it watches."""

    sample: str
    alert: Alert

    @property
    def expression(self) -> str:
        """Return the rule in PromQL."""
        return self.alert.expression(self.sample)


RULES: list[Rule] = []
"""Of every metric that this process declared, in that order."""


def counter(name: str, text: str, labels: Sequence[str] = (), alerts: Sequence[Alert] = ()) -> Counter:
    """Declare a counter; its first label is always the service."""
    RULES.extend(Rule(f"{name}_total", alert) for alert in alerts)
    return Counter(name, text, ["service", *labels], registry=REGISTRY)


def gauge(name: str, text: str, labels: Sequence[str] = (), alerts: Sequence[Alert] = ()) -> Gauge:
    """Declare a gauge; its first label is always the service."""
    RULES.extend(Rule(name, alert) for alert in alerts)
    return Gauge(name, text, ["service", *labels], registry=REGISTRY)


def histogram(
    name: str,
    text: str,
    labels: Sequence[str] = (),
    buckets: Sequence[float] = SECONDS,
    alerts: Sequence[Alert] = (),
) -> Histogram:
    """Declare a histogram of seconds; its first label is always the service, and its alerts watch how many there are."""
    RULES.extend(Rule(f"{name}_count", alert) for alert in alerts)
    return Histogram(name, text, ["service", *labels], registry=REGISTRY, buckets=tuple(buckets))


def exposition() -> tuple[bytes, str]:
    """Return what ``GET /metrics`` answers, and its media type."""
    return generate_latest(REGISTRY), CONTENT_TYPE_LATEST
