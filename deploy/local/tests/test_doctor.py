"""``koppel doctor`` says in sentences what an alert would: from readiness, metrics and problems as services answer them."""

import json
import math
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from koppel_local.api import Api
from koppel_local.doctor import beyond, examine, lasting, people_waited_for, unready
from koppel_mesh.service import installed_services
from koppel_mesh.telemetry.metrics import RULES
from koppel_mesh.telemetry.samples import samples

installed_services()  # their metrics declare the alerts


def metrics(*lines: str) -> str:
    return "\n".join(lines) + "\n"


def lines_of(*lines: str) -> list[str]:
    return [str(finding) for finding in beyond(RULES, samples([metrics(*lines)]))]


def test_what_has_waited_too_long_is_told_with_its_runbook() -> None:
    assert lines_of(
        'koppel_delivery_oldest_due_seconds{service="connector-exact"} 4000.0',
        'koppel_delivery_oldest_due_seconds{service="connector-octopus"} 299.0',
    ) == [
        (
            "connector-exact: A delivery that nothing keeps has waited 1 h 6 min for a worker."
            " See docs/operating.md, KoppelDeliveriesWait."
        )
    ]


def test_only_the_states_that_wait_for_people_count() -> None:
    assert not lines_of('koppel_deliveries{service="billmail",state="ready"} 7.0')
    (line,) = lines_of('koppel_deliveries{service="billmail",state="review"} 7.0')
    assert "7 deliveries" in line


def test_a_consent_that_lapses_is_told_and_no_consent_is_not() -> None:
    (line,) = lines_of('koppel_token_expiry_seconds{service="connector-exact"} 3600.0')
    assert "lapses in 1 h" in line
    assert not lines_of('koppel_token_expiry_seconds{service="connector-octopus"} NaN')


def test_what_is_worst_comes_first() -> None:
    lines = lines_of(
        'koppel_dead_messages{service="dossier-api"} 2.0', 'koppel_outbox_oldest_age_seconds{service="webhooks"} 600.0'
    )
    assert ["KoppelOutboxWaits" in lines[0], "KoppelDeadMessages" in lines[1]] == [True, True]


def test_the_same_process_asked_twice_counts_once() -> None:
    page = metrics('koppel_dead_messages{service="dossier-api"} 2.0')
    assert len(samples([page, page])) == 1


def test_readiness_is_told_in_its_own_words() -> None:
    answers: dict[str, dict[str, Any] | None] = {
        "identity": {"reasons": [], "needs": {}},
        "dossier-api": {"reasons": ["database: TimeoutError"]},
        "connector-exact": {"reasons": [], "needs": {"dossier-api": "HTTP 503", "identity": "ready"}},
        "billmail": None,
    }
    assert [(one.severity, one.service, one.sentence) for one in unready(answers)] == [
        ("page", "dossier-api", "database: TimeoutError"),
        ("ticket", "connector-exact", "It calls dossier-api, which is not well: HTTP 503"),
        ("page", "billmail", "Nothing answers"),
    ]


def test_a_service_that_every_koppel_has_is_missed_and_an_optional_one_is_not() -> None:
    class Elsewhere(BaseHTTPRequestHandler):
        def answer(self) -> None:
            known = {"token": {"access_token": "t"}, "problems": {"items": [], "next": None}}
            found = known.get(self.path.partition("?")[0].rpartition("/")[2])
            body = json.dumps(found or {}).encode()
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = answer  # noqa: N815 - names of the standard library

        def log_message(self, *about: object) -> None:
            """Write nothing of it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        api = Api(f"http://127.0.0.1:{server.server_port}", "demo", "demo-secret")
        findings, _ = examine(api, ["webhooks"], ["billmail"])
        api.close()
        server.shutdown()
    assert [(one.severity, one.service, one.sentence) for one in findings] == [
        ("page", "webhooks", "Nothing answers"),
    ]


def test_open_problems_are_counted_for_whom_they_wait() -> None:
    problems = [
        {"who_can_fix": "accountant", "code": code} for code in ("vendor_refused", "vendor_refused", "journal_unknown")
    ]
    problems.append({"who_can_fix": "entrepreneur", "code": "negative_invoice"})
    assert people_waited_for(problems) == [
        "accountant: 2 × vendor_refused, 1 × journal_unknown",
        "entrepreneur: 1 × negative_invoice",
    ]


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 s"), (59.4, "59 s"), (3600, "1 h"), (90_061, "1 day 1 h"), (-120, "-2 min")]
)
def test_times_are_said_as_people_do(seconds: float, said: str) -> None:
    assert lasting(seconds) == said


def test_no_value_is_beyond_nothing() -> None:
    assert not [rule for rule in RULES if rule.alert.within is None and rule.alert.is_beyond(math.nan)]
