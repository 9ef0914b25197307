"""What Prometheus and Grafana get is what the metrics declare, can be read, names metrics that exist, and leads to a runbook."""

import json
import re
from pathlib import Path
from typing import Any

import httpx2
import promql_parser
import pytest
import yaml
from deploy.monitoring.__main__ import FOLDER, files

from koppel_local.cli import app
from koppel_mesh.service import installed_services

PAGE = (Path(__file__).parents[1] / "docs/operating.md").read_text("utf-8")
RULES = yaml.safe_load((FOLDER / "prometheus-rules.yaml").read_text("utf-8"))["groups"][0]["rules"]
PANELS = [
    panel
    for panel in json.loads((FOLDER / "grafana-dashboard.json").read_text("utf-8"))["panels"]
    if "targets" in panel
]
QUERIES = {rule["alert"]: rule["expr"] for rule in RULES} | {
    panel["title"]: panel["targets"][0]["expr"] for panel in PANELS
}
RUNBOOKS = dict(re.findall(r"^### (Koppel\w+)\n\n(.*?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL))
OF_PROMETHEUS = {"up"}


@pytest.mark.parametrize("name", ["prometheus-rules.yaml", "grafana-dashboard.json"])
def test_the_files_are_what_the_metrics_declare(name: str) -> None:
    assert (FOLDER / name).read_text("utf-8") == files()[name], "run make monitoring"


def test_every_alert_has_one_runbook_that_looks_and_does() -> None:
    names = [rule["alert"] for rule in RULES]
    assert len(names) == len(set(names)) > 15
    assert sorted(RUNBOOKS) == sorted(names)
    for name, runbook in RUNBOOKS.items():
        assert "**Look**" in runbook and "**Do**" in runbook, name
    for rule in RULES:
        assert not re.search(r"\}\}\w", rule["annotations"]["summary"]), "a number and the word after it run together"
        assert rule["annotations"]["runbook_url"].endswith(f"#{rule['alert'].lower()}")


def test_every_command_of_the_runbooks_exists() -> None:
    known = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    named = set(re.findall(r"`koppel (\w[\w-]*)", "".join(RUNBOOKS.values())))
    assert named and named <= known


def test_a_service_without_any_pod_is_down() -> None:
    """Without a target there is no ``up`` at all: only ``absent``, which names the job, says so."""
    tree = promql_parser.parse(QUERIES["KoppelServiceDown"])
    terms = [term.strip() for term in str(tree).split(" or ")]
    assert terms[0].startswith("max by (job)(up{job=~"), terms[0]
    assert sorted(terms[1:]) == sorted(f'absent(up{{job="{name}"}})' for name in installed_services())


@pytest.mark.parametrize("title", QUERIES)
def test_every_query_can_be_read(title: str) -> None:
    promql_parser.parse(QUERIES[title].replace("$service", ".*"))


def test_every_query_asks_for_a_metric_that_is_exported(mesh: Any) -> None:
    shown = httpx2.get(f"{mesh.url}/dossier-api/metrics", trust_env=False, timeout=30).text
    families = dict(re.findall(r"^# TYPE (\w+) (\w+)$", shown, re.MULTILINE))
    exported = set(families) | {
        f"{name}_{end}" for name, kind in families.items() for end in ("count", "bucket", "sum") if kind == "histogram"
    }
    for title, query in QUERIES.items():
        assert _metrics_of(query) <= exported | OF_PROMETHEUS, title


def test_every_metric_is_on_the_dashboard(mesh: Any) -> None:
    shown = httpx2.get(f"{mesh.url}/dossier-api/metrics", trust_env=False, timeout=30).text
    exported = {
        name for name in re.findall(r"^# TYPE (koppel_\w+) ", shown, re.MULTILINE) if not name.endswith("_created")
    }
    drawn = set().union(*(_metrics_of(panel["targets"][0]["expr"]) for panel in PANELS))
    assert {re.sub(r"_(bucket|count)$", "", name) for name in drawn} >= exported


def _metrics_of(query: str) -> set[str]:
    return set(re.findall(r"\b((?:koppel|process)_\w+|up)\b(?=[{\[)])", query))
