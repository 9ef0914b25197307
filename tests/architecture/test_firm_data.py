"""Every table says what it holds of firms: what no declaration names is forgotten by every export and every deletion."""

import re
from collections.abc import Iterator

import pytest
from deploy.retention.page import PAGE, page
from sqlalchemy import LargeBinary, MetaData, Table

from koppel_mesh.firm_data import FirmData, Holding
from koppel_mesh.migrations import Lineage
from koppel_mesh.service import Service, installed_services

SERVICES = {name: service for name, service in installed_services().items() if service.lineages}
LINEAGES = {lineage.name: lineage for service in SERVICES.values() for lineage in service.lineages}
SECRET = re.compile(r"secret|sealed$|cipher|password|hash$|api_key|key_id$|(^|_)token$")
NO_SECRETS = {
    ("delivery", "lease_token"): "names who works on it",
    ("period_mail", "lease_token"): "names who works on it",
    ("entry", "sent_hash"): "of what was sent",
    ("entry", "hash"): "the link of a chain, for everybody to check",
    ("entry", "previous_hash"): "the link of a chain, for everybody to check",
    ("ticket", "content_hash"): "of what was sent",
    ("ticket", "sale_hash"): "of what was sent",
    ("external_invoice", "sent_hash"): "of what was sent",
    ("external_invoice", "ubl"): "the invoice",
    ("hand_in", "content"): "the invoice or statement",
    ("seal", "key_id"): "of a public key",
    ("notice", "content"): "what a vendor wrote",
    ("document", "sha256"): "of its bytes",
    ("idempotency_key", "request_hash"): "of what was sent",
}


def undeclared(models: MetaData, declared: FirmData) -> list[str]:
    """Return every table that is declared in no list, or in both, or more than once, or that is not there."""
    named = [holding.table.name for holding in declared.holdings] + list(declared.nothing_of_a_firm)
    tables = set(models.tables)
    return sorted((tables ^ set(named)) | {name for name in named if named.count(name) > 1})


def shown_secrets(holding: Holding) -> list[str]:
    """Return every column that an export would show and that looks like a secret."""
    return [
        f"{holding.table.name}.{column.name}"
        for column in holding.table.columns
        if (SECRET.search(column.name) or isinstance(column.type, LargeBinary))
        and column.name not in holding.withheld
        and (holding.table.name, column.name) not in NO_SECRETS
    ]


def out_of_order(tables: list[Table]) -> list[str]:
    """Return every reference to a table that would be deleted before what refers to it."""
    place = {table.name: number for number, table in enumerate(tables)}
    return [
        f"{table.name} refers to {key.column.table.name}"
        for table in tables
        for key in table.foreign_keys
        if place.get(key.column.table.name, len(tables)) < place[table.name]
    ]


@pytest.mark.parametrize("name", LINEAGES)
def test_every_table_is_declared(name: str) -> None:
    lineage = LINEAGES[name]
    assert undeclared(lineage.models, lineage.firm_data) == []
    assert all(lineage.firm_data.nothing_of_a_firm.values())


@pytest.mark.parametrize("name", LINEAGES)
def test_no_export_shows_a_secret(name: str) -> None:
    assert [shown for holding in LINEAGES[name].firm_data.holdings for shown in shown_secrets(holding)] == []


@pytest.mark.parametrize("name", LINEAGES)
def test_what_refers_goes_first(name: str) -> None:
    assert out_of_order([holding.table for holding in LINEAGES[name].firm_data.holdings]) == []


def test_the_rules_can_fail() -> None:
    identity: Lineage = LINEAGES["identity"]
    fewer = FirmData(identity.firm_data.holdings[1:], identity.firm_data.nothing_of_a_firm)
    assert undeclared(identity.models, fewer) == ["secret"]
    twice = FirmData(identity.firm_data.holdings, {**identity.firm_data.nothing_of_a_firm, "client": "no"})
    assert undeclared(identity.models, twice) == ["client"]
    assert shown_secrets(Holding(identity.models.tables["secret"], "true")) == ["secret.hash"]
    assert out_of_order([identity.models.tables[name] for name in ("client", "secret")]) == ["secret refers to client"]
    with pytest.raises(ValueError, match="since no day"):
        Holding(identity.models.tables["client"], "true", kept_because="a duty")
    with pytest.raises(ValueError, match="no column nothing"):
        Holding(identity.models.tables["client"], "true", withheld=("nothing",))


def holdings(service: Service) -> Iterator[Holding]:
    for lineage in service.lineages:
        yield from lineage.firm_data.holdings


def test_every_exception_is_a_column_that_is_there() -> None:
    columns = {
        (holding.table.name, column.name)
        for service in SERVICES.values()
        for holding in holdings(service)
        for column in holding.table.columns
    }
    assert set(NO_SECRETS) - columns == set()


def test_the_page_says_what_the_tables_declare() -> None:
    assert PAGE.read_text("utf-8") == page(), "run `make retention`"
    assert all(f"`{table}`" in page() for lineage in LINEAGES.values() for table in lineage.models.tables)
