"""What Prometheus reads, when it calls somebody, and what Grafana shows; ``deploy/monitoring`` makes the content."""

import json
from typing import Any, Final

from deploy.monitoring.grafana import dashboard
from deploy.monitoring.prometheus import groups

from .catalogue import SERVICES, labels, selector
from .database import ANY_CLUSTER
from .database import NAME as POSTGRES

REPOSITORY: Final = "https://koppel.example"
"""Under which an operator publishes the pages that alerts lead to; an overlay patches it."""


def rule() -> dict[str, Any]:
    """Return every alert, each with the address of its runbook."""
    spec = groups()
    for group in spec["groups"]:
        for each in group["rules"]:
            each["annotations"]["runbook_url"] = f"{REPOSITORY}/{each['annotations']['runbook_url']}"
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "koppel", "labels": labels("koppel", "monitoring")},
        "spec": spec,
    }


def shown() -> dict[str, Any]:
    """Return the dashboard, as the sidecar of Grafana looks for it."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "koppel-dashboard",
            "labels": {**labels("koppel", "monitoring"), "grafana_dashboard": "1"},
        },
        "data": {"koppel.json": json.dumps(dashboard(), indent=1) + "\n"},
    }


def monitors() -> list[dict[str, Any]]:
    """Return where metrics are read: every service at its own path, and the database."""
    found = [
        {
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "ServiceMonitor",
            "metadata": {"name": part.name, "labels": labels(part.name, "monitoring")},
            "spec": {
                "selector": {"matchLabels": selector(part.name)},
                # The metrics have the label service themselves.
                "endpoints": [
                    {"port": "http", "path": f"/{part.name}/metrics", "interval": "15s", "honorLabels": True}
                ],
            },
        }
        for part in SERVICES
    ]
    database = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PodMonitor",
        "metadata": {"name": POSTGRES, "labels": labels(POSTGRES, "monitoring")},
        "spec": {
            "selector": ANY_CLUSTER,
            "podMetricsEndpoints": [{"port": "metrics", "interval": "30s"}],
        },
    }
    return [*found, database]
