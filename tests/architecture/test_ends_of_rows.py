"""Every rule that deletes rows of firms by their age is declared: what docs/retention.md and /holdings say follows from that."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from deploy.retention.page import page

from koppel_mesh.firm_data import Age, FirmData
from koppel_mesh.migrations import Lineage
from koppel_mesh.service import installed_services

ROOT = Path(__file__).parents[2]
SERVICES = {name: service for name, service in installed_services().items() if service.lineages}
LINEAGES = {lineage.name: lineage for service in SERVICES.values() for lineage in service.lineages}
PACKAGES = {"mesh": "libs/mesh/koppel_mesh", "connector-kit": "libs/connector-kit/koppel_connector"}
REMOVES = re.compile(r"\b(?:DELETE FROM|DROP TABLE(?: IF EXISTS)?|TRUNCATE(?: TABLE)?)\s+(?!IF\b)(\w+|\{[^}]*\})")
BY_NAME = {("webhooks/partitions.py", "{name}"): ("event", "delivery", "attempt")}
"""What a name that is computed stands for, where it is a matter of age."""
OF_NO_AGE = {
    ("koppel_mesh/firm_data/statements.py", "{table}"): "what the declarations say",
    ("connection/master_data.py", "master"): "what the vendor has no more",
    ("connection/memory.py", "memory"): "what is known to be untrue",
    ("connection/removing.py", "oauth_token"): "its connection is removed",
    ("identity/secrets.py", "secret"): "its client is removed",
    ("identity/clients.py", "client"): "it is removed",
    ("routes/master_data.py", "{table.name}"): "what its source has no more",
    ("routes/payment_keys.py", "payment_key"): "it is replaced",
    ("pos_ingest/failures.py", "failed_work"): "it succeeded",
    ("scrada/keys.py", "scrada_key"): "it is removed",
    ("tickets/registers.py", "register"): "it is replaced",
    ("tickets/finishing.py", "unfinished_day"): "it succeeded",
    ("webhooks/endpoints.py", "endpoint"): "it is removed",
}


def package_of(name: str) -> Path:
    return ROOT / PACKAGES.get(name, f"services/{name}/{name.replace('-', '_')}")


def removals(package: Path) -> Iterator[tuple[str, str]]:
    """Yield the file and the table of each statement in a package that removes rows; migrations and tests of it left out."""
    for path in sorted(package.rglob("*.py")):
        if not {"migrations", "testing", "generated"} & set(path.relative_to(package).parts):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.JoinedStr | ast.Constant):
                    for found in REMOVES.finditer(ast.unparse(node)):
                        yield path.as_posix(), found[1]


def undeclared(package: Path, declared: FirmData) -> list[str]:
    """Return every removal of rows of firms by age whose table does not say so."""
    ending = {each.table.name for each in declared.holdings if each.goes_after or each.ended_by}
    harmless = set(declared.nothing_of_a_firm)
    found = []
    for path, table in set(removals(package)):
        if not any(path.endswith(f"/{file}") and table == name for file, name in OF_NO_AGE):
            names = next(
                (names for (file, name), names in BY_NAME.items() if path.endswith(file) and name == table), (table,)
            )
            found += [f"{path} ends {name}" for name in names if name not in ending | harmless]
    return sorted(found)


@pytest.mark.parametrize("name", LINEAGES)
def test_what_ends_rows_by_age_is_declared(name: str) -> None:
    lineage: Lineage = LINEAGES[name]
    assert undeclared(package_of(name), lineage.firm_data) == []


def test_every_exception_is_still_there() -> None:
    found = {each for name in LINEAGES for each in removals(package_of(name))}
    named = [*OF_NO_AGE, *BY_NAME]
    assert [
        each for each in named if not any(path.endswith(each[0]) and table == each[1] for path, table in found)
    ] == []


def test_a_rule_that_is_not_declared_is_found() -> None:
    for name, tables in (("identity", {"audit_entry"}), ("webhooks", {"event", "delivery", "attempt", "owner_mail"})):
        declared = FirmData((), {"revocation": "of nobody"})
        assert {each.rpartition(" ")[2] for each in undeclared(package_of(name), declared)} == tables


def test_a_declared_age_is_a_setting_of_every_service_that_has_the_table() -> None:
    for service in SERVICES.values():
        settings = service.settings.model_construct()
        for lineage in service.lineages:
            for holding in lineage.firm_data.holdings:
                assert holding.years_of(settings) >= 10
                assert holding.goes_after is None or holding.goes_after.days_of(settings) > 0
    assert Age("audit_log_days").days_of(SERVICES["identity"].settings.model_construct()) == 730


def test_the_page_says_when_rows_end() -> None:
    rows = {tuple(line.split(" | ")[:2]): line for line in page().splitlines() if line.startswith("| ")}
    for owner, table, says in (
        ("identity", "audit_entry", "stays for the days of `KOPPEL_AUDIT_LOG_DAYS`, **years** at most"),
        ("mesh", "idempotency_key", "goes after 7 days"),
        ("connector-kit", "notice", "after 30 days what was handled goes"),
        ("webhooks", "event", "goes after the days of `KOPPEL_WEBHOOK_EVENT_DAYS`"),
        ("pos-ingest", "entry", "`KOPPEL_RECEIPTS_RETENTION_YEARS`"),
    ):
        assert says in rows[f"| {owner}", f"`{table}`"]
