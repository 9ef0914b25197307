"""The rules of Prometheus: one for each alert that a metric declares, and one for a service that does not answer."""

from typing import Any, Final

import koppel_mesh.runtime  # noqa: F401 - declares the metrics that every service has
from koppel_mesh.service import installed_services
from koppel_mesh.telemetry.metrics import RULES, Rule

RUNBOOK: Final = "docs/operating.md"


def groups() -> dict[str, Any]:
    """Return the content of a rules file, which is also the ``spec`` of a PrometheusRule."""
    services = installed_services()
    rules = [_down(list(services)), *(_rule(rule) for rule in RULES)]
    return {"groups": [{"name": "koppel", "rules": sorted(rules, key=lambda rule: rule["alert"])}]}


def _down(services: list[str]) -> dict[str, Any]:
    # The job of a scraped Service is its name. A service without any pod has no target, and so no series that could be 0.
    silent = f'max by (job) (up{{job=~"{"|".join(services)}"}}) == 0'
    missing = [f'absent(up{{job="{service}"}})' for service in services]
    return {
        "alert": "KoppelServiceDown",
        "expr": " or ".join([silent, *missing]),
        "for": "2m",
        "labels": {"severity": "page"},
        "annotations": {
            "summary": "No process of {{ $labels.job }} answers.",
            "runbook_url": _section("KoppelServiceDown"),
        },
    }


def _rule(rule: Rule) -> dict[str, Any]:
    alert = rule.alert
    shown = "humanizeDuration" if rule.sample.endswith("_seconds") else "humanize"
    summary = alert.summary.replace("{value}", f"{{{{ $value | {shown} }}}}")
    return {
        "alert": alert.name,
        "expr": rule.expression,
        "for": alert.lasts,
        "labels": {"severity": alert.severity},
        "annotations": {"summary": f"{{{{ $labels.service }}}}: {summary}.", "runbook_url": _section(alert.name)},
    }


def _section(name: str) -> str:
    return f"{RUNBOOK}#{name.lower()}"
