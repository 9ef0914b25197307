"""The dashboard for Grafana: ages first, then what waits for people, vendors, requests and processes.

Grafana's own JSON model, of which a dashboard needs few keys:
https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/
"""

from dataclasses import dataclass
from typing import Any, Final

_COLUMNS: Final = 3
_WIDTH, _HEIGHT = 24 // _COLUMNS, 8
_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
_CHOSEN: Final = 'service=~"$service"'


@dataclass(frozen=True)
class Panel:
    """One graph: a line for each combination of the labels in ``legend``."""

    title: str
    query: str
    unit: str
    """A unit of Grafana: ``s``, ``short``, ``percentunit``, ``reqps``, ``bytes``."""
    legend: str = "{{service}}"


def _oldest(title: str, metric: str) -> Panel:
    return Panel(title, f"max by (service) ({metric}{{{_CHOSEN}}})", "s")


def _number(title: str, metric: str) -> Panel:
    return Panel(title, f"max by (service) ({metric}{{{_CHOSEN}}})", "short")


def _per_second(title: str, metric: str, label: str) -> Panel:
    query = f"sum by (service, {label}) (rate({metric}{{{_CHOSEN}}}[5m]))"
    return Panel(title, query, "reqps", f"{{{{service}}}} {{{{{label}}}}}")


def _quantile(title: str, metric: str, share: float) -> Panel:
    query = f"histogram_quantile({share}, sum by (service, le) (rate({metric}_bucket{{{_CHOSEN}}}[5m])))"
    return Panel(title, query, "s")


ROWS: Final[dict[str, tuple[Panel, ...]]] = {
    "How long the oldest has waited": (
        _oldest("Facts in the outbox", "koppel_outbox_oldest_age_seconds"),
        _oldest("Deliveries that could go", "koppel_delivery_oldest_due_seconds"),
        _oldest("Outcome unknown", "koppel_delivery_oldest_unknown_seconds"),
        _oldest("Exported, not in the books", "koppel_delivery_oldest_unbooked_seconds"),
        _oldest("Statements, for their turn", "koppel_statement_oldest_waiting_seconds"),
        _oldest("Takings, for their dossier", "koppel_hand_in_oldest_due_seconds"),
        _oldest("Books of takings that fail", "koppel_book_oldest_failure_seconds"),
        _oldest("Events, for partners", "koppel_webhook_oldest_due_seconds"),
    ),
    "What waits for somebody": (
        Panel(
            "Deliveries that are not at their end",
            f"max by (service, state) (koppel_deliveries{{{_CHOSEN}}})",
            "short",
            "{{service}} {{state}}",
        ),
        _number("Dead messages", "koppel_dead_messages"),
        _number("Documents that no connector answers for", "koppel_documents_unanswered"),
        _number("Accounts with a gap", "koppel_statement_gaps"),
        _number("Notices not worked off", "koppel_notices_open"),
        _number("Bounces without proof", "koppel_bounces_unproven"),
        Panel("Until a consent lapses", f"min by (service) (koppel_token_expiry_seconds{{{_CHOSEN}}})", "s"),
        _number("Secrets under an old key", "koppel_secrets_under_old_key"),
        _number("Facts in the outbox", "koppel_outbox_messages"),
    ),
    "Vendors and partners": (
        _per_second("Calls to vendors", "koppel_vendor_calls_total", "outcome"),
        _quantile("From claim to outcome, 95 in 100", "koppel_delivery_seconds", 0.95),
        _number("Connections paused", "koppel_connections_paused"),
        _oldest("Vendor away", "koppel_vendor_longest_away_seconds"),
        _number("Endpoints left alone", "koppel_endpoint_breakers_open"),
        _per_second("Windows nearly used up", "koppel_window_warnings_total", "window"),
        _per_second("New tokens hard to store", "koppel_token_commit_failures_total", "connector"),
        _per_second("Attempts to reach partners", "koppel_webhook_attempts_total", "outcome"),
    ),
    "Requests and processes": (
        Panel("Processes that are ready", f"sum by (service) (koppel_ready{{{_CHOSEN}}})", "short"),
        _per_second("Requests", "koppel_http_request_seconds_count", "status"),
        _quantile("Answered within, 99 in 100", "koppel_http_request_seconds", 0.99),
        _per_second("Failures of background work", "koppel_loop_failures_total", "loop"),
        Panel("Memory", 'process_resident_memory_bytes{job=~"$service"}', "bytes", "{{job}} {{instance}}"),
        Panel("Cores", 'rate(process_cpu_seconds_total{job=~"$service"}[5m])', "short", "{{job}} {{instance}}"),
        Panel("Open files", 'process_open_fds{job=~"$service"}', "short", "{{job}} {{instance}}"),
    ),
}


def dashboard() -> dict[str, Any]:
    """Return the dashboard in Grafana's JSON model."""
    shown: list[dict[str, Any]] = []
    top = 0
    for title, panels in ROWS.items():
        shown.append(
            {"type": "row", "title": title, "collapsed": False, "panels": [], "gridPos": _place(0, top, 24, 1)}
        )
        top += 1
        for number, panel in enumerate(panels):
            line, column = divmod(number, _COLUMNS)
            shown.append(_graph(panel, _place(column * _WIDTH, top + line * _HEIGHT, _WIDTH, _HEIGHT)))
        top += -(-len(panels) // _COLUMNS) * _HEIGHT
    for number, each in enumerate(shown, start=1):
        each["id"] = number
    return {
        "uid": "koppel",
        "title": "Koppel",
        "tags": ["koppel"],
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "graphTooltip": 1,
        "templating": {"list": [_source_variable(), _service_variable()]},
        "panels": shown,
    }


def _graph(panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    return {
        "type": "timeseries",
        "title": panel.title,
        "datasource": _SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        "targets": [{"refId": "A", "datasource": _SOURCE, "expr": panel.query, "legendFormat": panel.legend}],
    }


def _place(x: int, y: int, width: int, height: int) -> dict[str, int]:
    return {"x": x, "y": y, "w": width, "h": height}


def _source_variable() -> dict[str, Any]:
    return {"name": "datasource", "label": "Source", "type": "datasource", "query": "prometheus"}


def _service_variable() -> dict[str, Any]:
    query = "label_values(koppel_http_request_seconds_count, service)"
    return {
        "name": "service",
        "label": "Service",
        "type": "query",
        "datasource": _SOURCE,
        "definition": query,
        "query": {"query": query, "refId": "services"},
        "refresh": 2,
        "includeAll": True,
        "multi": True,
        "current": {"text": "All", "value": "$__all"},
    }
