"""``koppel doctor``: the state of an installation in sentences: who does not answer, what waits too long, who is waited for.

It reads what every operator can read: readiness, metrics, and the open problems. The limits are those of the alerts.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import httpx2

import koppel_mesh.runtime  # noqa: F401 - declares the metrics that every service has
from koppel_mesh.telemetry.metrics import RULES, Rule
from koppel_mesh.telemetry.samples import Sample, samples, worst

from .api import Api

RUNBOOKS: Final = "docs/operating.md"
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400
_ASKED_ITSELF: Final = frozenset({"koppel_ready"})
"""``unready`` asks for it, and for the reason."""
_SEVERITIES: Final = ("page", "ticket")


@dataclass(frozen=True)
class Finding:
    """Something that wants somebody."""

    severity: str
    """``page``: documents do not move; ``ticket``: within the working day."""
    service: str
    sentence: str
    runbook: str
    """The section of the page for operators."""

    def __str__(self) -> str:
        """Return the finding as a line."""
        return f"{self.service}: {self.sentence}. See {RUNBOOKS}, {self.runbook}."


def examine(api: Api, needed: Iterable[str], optional: Iterable[str]) -> tuple[list[Finding], list[str]]:
    """Ask a Koppel how it is; return what wants somebody, the worst first, and a sentence for each role that problems wait for.

    Args:
        api: how it is asked.
        needed: the services that every Koppel has.
        optional: those that are installed here and may be no part of that Koppel: one that is not there (404) is left out.

    Raises:
        ApiError: it gives no token, or not its problems.
    """
    needed = list(needed)
    answers = {service: api.page(f"/{service}/health/ready") for service in dict.fromkeys([*needed, *optional])}
    there = {
        service: answer
        for service, answer in answers.items()
        if service in needed or answer is None or answer.status_code != 404
    }
    readiness = {service: _as_object(answer) for service, answer in there.items()}
    pages = [api.page(f"/{service}/metrics") for service, answer in readiness.items() if answer is not None]
    seen = samples(page.text for page in pages if page is not None and page.status_code == 200)
    found = [*unready(readiness), *beyond(RULES, seen)]
    if pages and not seen:
        found.append(
            Finding("ticket", "metrics", "No service shows its metrics here: ask inside the cluster", "Metrics")
        )
    return found, people_waited_for(api.dossier_api.iterate_problems())


def _as_object(answer: httpx2.Response | None) -> dict[str, Any] | None:
    try:
        read = answer.json() if answer is not None else None
    except ValueError:
        return None
    return read if isinstance(read, dict) and "reasons" in read else None


def unready(readiness: Mapping[str, Mapping[str, Any] | None]) -> list[Finding]:
    """Return a finding for each service that does not answer, or says why it should get no requests, or warns.

    ``readiness`` holds by service what ``GET /health/ready`` answered; None where nothing did.
    """
    found = []
    for service, answer in readiness.items():
        if answer is None:
            found.append(Finding("page", service, "Nothing answers", "KoppelServiceDown"))
            continue
        found += [Finding("page", service, reason, "KoppelNotReady") for reason in answer.get("reasons") or ()]
        found += [
            Finding("ticket", service, f"It calls {other}, which is not well: {state}", "KoppelNotReady")
            for other, state in (answer.get("needs") or {}).items()
            if state != "ready"
        ]
    return found


def beyond(rules: Sequence[Rule], seen: Sequence[Sample]) -> list[Finding]:
    """Return a finding for each service of which a gauge is beyond the limit of its alert; what is worst first.

    What an alert asks of an increase within some time cannot be seen at one look, and is left to Prometheus.
    """
    found = [
        Finding(rule.alert.severity, service, _sentence(rule, value), rule.alert.name)
        for rule in rules
        if rule.alert.within is None and rule.sample not in _ASKED_ITSELF
        for service, value in worst(rule, seen).items()
        if rule.alert.is_beyond(value)
    ]
    return sorted(found, key=lambda one: (_SEVERITIES.index(one.severity), one.service))


def people_waited_for(problems: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a sentence for each role that open problems wait for."""
    counted = Counter((problem["who_can_fix"], problem["code"]) for problem in problems)
    roles = sorted({role for role, _ in counted})
    return [
        f"{role}: {', '.join(f'{count} × {code}' for (who, code), count in counted.most_common() if who == role)}"
        for role in roles
    ]


def _sentence(rule: Rule, value: float) -> str:
    shown = lasting(value) if rule.sample.endswith("_seconds") else f"{value:g}"
    return rule.alert.summary.replace("{value}", shown)


def lasting(seconds: float) -> str:
    """Return a time in the two units a person would say it in: ``3 days 4 h``, ``12 min``."""
    left = timedelta(seconds=round(abs(seconds))) // timedelta(seconds=1)
    parts = []
    for size, unit in ((_DAY_S, "days"), (_HOUR_S, "h"), (_MINUTE_S, "min"), (1, "s")):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {'day' if unit == 'days' and count == 1 else unit}")
    return ("-" if seconds < 0 else "") + (" ".join(parts[:2]) or "0 s")
