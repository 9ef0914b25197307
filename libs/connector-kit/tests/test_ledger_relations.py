"""The relation of a booking: known, else searched, else made; with the role it needs, and never a blocked one."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from koppel_bookkeeping import Booking, CannotBook, Party
from koppel_connector.ledger.records import records_of
from koppel_connector.ledger.relations import candidates, ensure, known
from koppel_connector.testing import MasterDataInProcess
from koppel_mesh.messages import DocumentKind

from .ledger_vendor import Relation, Relations, delivery_to, relation

DEMO = relation("1", "Bakkerij Demo", vat_number="BE0404616494")


def booking(party: Party, kind: DocumentKind = DocumentKind.SALES_INVOICE) -> Booking:
    return Booking(kind, "F1", date(2026, 1, 15), None, "EUR", Decimal(0), party, ())


def imported(*relations: Relation) -> MasterDataInProcess:
    return MasterDataInProcess(records_of(relations))


async def ensured(
    store: MasterDataInProcess, party: Party, vendor: Relations, **given: Any
) -> tuple[Relation, str | None]:
    context = delivery_to(store)
    found = await ensure(context, booking(party, **given), vendor)
    return found, context.progress.get("relation_id")


def test_an_imported_relation_is_found_by_each_of_its_keys() -> None:
    store = imported(DEMO, relation("2", "Papier", enterprise_number="0403.170.701"), relation("3", "Kassa"))
    for party, code in (
        (Party("Anders", vat_number="BE 0404.616.494"), "1"),
        (Party("Anders", enterprise_number="0403170701"), "2"),
        (Party("PAPIER bv"), "2"),
        (Party("Anders", code="3"), "3"),
    ):
        assert [one.code for one in candidates(party, store, Relation)] == [code]
    assert candidates(Party("Anders"), store, Relation) == []


def test_a_name_that_the_vendor_had_to_cut_is_found() -> None:
    party = Party("Internationale Vereniging voor het Ambacht")
    store = imported(relation("7", party.name[:20]))
    found = known(store, booking(party), Relations())
    assert found is not None
    assert found.code == "7"


async def test_a_known_relation_costs_no_call() -> None:
    vendor = Relations()
    assert await ensured(imported(DEMO), Party("Demo", vat_number="BE0404616494"), vendor) == (DEMO, None)
    assert vendor.asked == []


async def test_one_that_was_made_since_the_import_is_searched_once() -> None:
    store, vendor, party = imported(), Relations(DEMO), Party("Demo", vat_number="BE0404616494")
    assert await ensured(store, party, vendor) == (DEMO, "id-1")
    assert await ensured(store, party, vendor) == (DEMO, None)
    assert vendor.asked == ["search"]


async def test_an_unknown_party_is_made_once() -> None:
    store, vendor, party = imported(DEMO), Relations(), Party("Nieuw", vat_number="BE0403170701")
    made, saved = await ensured(store, party, vendor)
    assert (made.name, saved) == ("Nieuw", made.id)
    assert await ensured(store, party, vendor) == (made, None)
    assert vendor.asked == ["search", "create"]


async def test_a_party_without_a_name_is_not_made() -> None:
    vendor = Relations()
    with pytest.raises(CannotBook) as refused:
        await ensured(imported(), Party("", vat_number="BE0403170701"), vendor)
    assert refused.value.code == "relation_missing"
    assert vendor.asked == ["search"]


async def test_a_missing_role_is_given_once() -> None:
    store, vendor, party = imported(DEMO), Relations(), Party("Demo", vat_number="BE0404616494")
    found, saved = await ensured(store, party, vendor, kind=DocumentKind.PURCHASE_INVOICE)
    assert found.has_role("purchase")
    assert saved == "id-1"
    await ensured(store, party, vendor, kind=DocumentKind.PURCHASE_INVOICE)
    assert vendor.asked == ["give role of purchase"]


async def test_a_blocked_relation_is_asked_for_again_before_it_is_refused() -> None:
    blocked, party = replace(DEMO, blocked=True), Party("Demo", vat_number="BE0404616494")
    store = imported(blocked)
    with pytest.raises(CannotBook) as refused:
        await ensured(store, party, Relations(blocked))
    assert (refused.value.code, refused.value.detail) == ("relation_blocked", "1 Bakkerij Demo")
    vendor = Relations(DEMO)
    assert await ensured(store, party, vendor) == (DEMO, None)
    assert await ensured(store, party, vendor) == (DEMO, None)
    assert vendor.asked == ["search"], "that it is open again is remembered"


async def test_what_an_older_import_did_not_read_is_asked_once() -> None:
    store, vendor, party = imported(replace(DEMO, email=None)), Relations(), Party("Demo", vat_number="BE0404616494")
    found, _ = await ensured(store, party, vendor)
    assert found.email == "an@example.org"
    await ensured(store, party, vendor)
    assert vendor.asked == ["complete"]


def test_a_relation_shows_its_roles_to_people() -> None:
    data = replace(DEMO, roles="purchase").record().data
    assert (data["is_customer"], data["is_supplier"]) == (False, True)
