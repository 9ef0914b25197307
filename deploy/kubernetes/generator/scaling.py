"""How many pods, by KEDA: connectors and webhooks by what waits in the database, everything else by the processor.

What waits counts only where a pod could work on it now. A vendor that throttles (429), is away or has used up its budget moves
the moments of its deliveries into the future, so that no pods are started which would only wait beside the others.
"""

import re
from typing import Any, Final

from koppel_connector.connection.monitoring import WORKABLE
from webhooks.monitoring import SENDABLE

from .catalogue import Part, labels

DELIVERIES_PER_POD: Final = 200
OLDEST_S: Final = 60
CPU_PERCENT: Final = 70
POLL_S: Final = 30
CALM_S: Final = 600
"""How long the smaller number must have been enough before pods end: a drain is not free."""


def objects(parts: tuple[Part, ...]) -> list[dict[str, Any]]:
    """Return a ScaledObject for each service, and how KEDA reads the schemas of those that it looks into."""
    found = []
    for part in parts:
        if waiting := waits_in(part):
            found.append(_authentication(part))
        found.append(_scaled(part, _triggers(part) if waiting else [_cpu()]))
    return found


def waits_in(part: Part) -> str:
    """Return the rows that a pod of this service could work on now, from ``FROM`` on; empty where it claims none."""
    if part.is_connector:
        return _in_schema(part, f"FROM delivery d JOIN connection c ON c.id = d.connection_id\nWHERE {WORKABLE}")
    if part.name == "webhooks":
        return _in_schema(part, f"FROM delivery d JOIN endpoint e ON e.id = d.endpoint_id\nWHERE {SENDABLE}")
    return ""


def _in_schema(part: Part, text: str) -> str:
    lines = (line.strip() for line in re.sub(r"\b(FROM|JOIN) (?=[a-z])", rf"\1 {part.role}.", text).splitlines())
    return "\n  ".join(lines)


def queries(part: Part) -> tuple[str, str]:
    """Return how many wait, and for how many seconds the oldest has."""
    waiting = waits_in(part)
    age = "coalesce(extract(epoch FROM clock_timestamp() - min(d.due_at)), 0)::bigint"
    return f"SELECT count(*) {waiting}\n", f"SELECT {age} {waiting}\n"


def _triggers(part: Part) -> list[dict[str, Any]]:
    depth, age = queries(part)
    return [
        _query(part, "due-deliveries", depth, DELIVERIES_PER_POD, "AverageValue"),
        _query(part, "oldest-due", age, OLDEST_S, "Value"),
    ]


def _query(part: Part, name: str, query: str, target: int, metric_type: str) -> dict[str, Any]:
    return {
        "type": "postgresql",
        "name": name,
        "metricType": metric_type,
        "metadata": {"query": query, "targetQueryValue": str(target), "activationTargetQueryValue": "0"},
        "authenticationRef": {"name": part.config},
    }


def _cpu() -> dict[str, Any]:
    return {"type": "cpu", "metricType": "Utilization", "metadata": {"value": str(CPU_PERCENT)}}


def _authentication(part: Part) -> dict[str, Any]:
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "TriggerAuthentication",
        "metadata": {"name": part.config, "labels": labels(part.name, part.service.kind)},
        "spec": {"secretTargetRef": [{"parameter": "connection", "name": part.config, "key": "KOPPEL_DATABASE_URL"}]},
    }


def _scaled(part: Part, triggers: list[dict[str, Any]]) -> dict[str, Any]:
    least, most = part.resources.replicas
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {"name": part.name, "labels": labels(part.name, part.service.kind)},
        "spec": {
            "scaleTargetRef": {"name": part.name},
            "minReplicaCount": least,
            "maxReplicaCount": most,
            "pollingInterval": POLL_S,
            "advanced": {
                "horizontalPodAutoscalerConfig": {
                    "behavior": {
                        "scaleDown": {
                            "stabilizationWindowSeconds": CALM_S,
                            "policies": [{"type": "Pods", "value": 1, "periodSeconds": 120}],
                        }
                    }
                }
            },
            "triggers": triggers,
        },
    }
