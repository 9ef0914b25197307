"""Relations: found however they are written, made once, and changed in nothing but the side that they lack."""

import json

import pytest

from connector_octopus.api import Octopus
from connector_octopus.mapping import OUR_NUMBERS_FROM
from connector_octopus.relations import OctopusRelations
from koppel_bookkeeping import Party

from .documents import code_of, delivery
from .harness import DOSSIER, Row, Sandbox, Vendor

JAN = {
    "Exemple Conseil SRL": "Jan Peeters",
    "BE0000000295": "",
    '<cbc:CompanyID schemeID="0208">0000000295</cbc:CompanyID>': "",
    '<cbc:EndpointID schemeID="0208">0000000295</cbc:EndpointID>': "",
}
"""What of the sample's customer makes him a private person."""


async def test_an_unknown_relation_is_made_once_with_its_side(vendor: Vendor, sandbox: Sandbox) -> None:
    before = len(sandbox.relations())
    for number in range(2):
        await vendor.book(delivery(vendor, kind="purchase_invoice", swaps={"2026-0001": f"2026-{number:04}"}))
    made = sandbox.relations()[before:]
    assert [(row["supplier"], row["client"], row["vatType"], row["country"]) for row in made] == [
        (True, False, 1, "BE")
    ]
    assert made[0]["relationIdentificationServiceData"]["externalRelationId"] >= 1_000_000_000


@pytest.mark.parametrize("spelling", ["BE0000000295", "BE 0000.000.295", "0000.000.295"])
@pytest.mark.parametrize("strict", [False, True])
async def test_a_relation_is_found_however_its_number_is_written(
    vendor: Vendor, sandbox: Sandbox, spelling: str, strict: bool
) -> None:
    sandbox.control("switches", strict_vat_filter=strict)
    sandbox.add_relation("Exemple Conseil SRL", vatNr=spelling, client=True)
    before = len(sandbox.relations())
    await vendor.book(delivery(vendor))
    assert len(sandbox.relations()) == before


async def test_a_relation_known_by_its_name_or_external_number_is_not_made_again(
    vendor: Vendor, sandbox: Sandbox
) -> None:
    sandbox.add_relation("EXEMPLE CONSEIL", client=True)
    before = len(sandbox.relations())
    await vendor.import_all()
    await vendor.book(delivery(vendor))
    assert len(sandbox.relations()) == before


async def test_the_side_is_ticked_and_nothing_else_is_changed(vendor: Vendor, sandbox: Sandbox) -> None:
    kept = {"email": "x@y.be", "remarks": "belt eerst", "ibanAccountNr": "BE68539007547034", "expirationDays": 45}
    row = dict(sandbox.add_relation("Exemple Conseil SRL", vatNr="BE0000000295", supplier=True, external=77, **kept))
    await vendor.import_all()
    await vendor.book(delivery(vendor))
    after = sandbox.relation_named("Exemple Conseil SRL")
    assert {name: value for name, value in after.items() if value != row.get(name) and name != "@modified"} == {
        "client": True
    }


async def test_a_blank_country_does_not_keep_the_side_from_being_ticked(vendor: Vendor, sandbox: Sandbox) -> None:
    fields = {"country": "", "deliveryCountry": "", "vatNr": "BE0000000295", "supplier": True}
    sandbox.add_relation("Exemple Conseil SRL", **fields)
    await vendor.import_all()
    await vendor.book(delivery(vendor))
    assert sandbox.relation_named("Exemple Conseil SRL")["client"]


async def test_an_inactive_relation_waits_for_the_accountant(vendor: Vendor, sandbox: Sandbox) -> None:
    sandbox.add_relation("Exemple Conseil SRL", vatNr="BE0000000295", client=True, active=False)
    await vendor.import_all()
    assert await code_of(vendor) == "relation_blocked"


@pytest.mark.parametrize("refuses_lists", [False, True])
@pytest.mark.parametrize("answered", ["record", "numbers", "key", "number", "nothing"])
async def test_a_new_relation_is_used_whatever_the_answer_tells_of_it(
    vendor: Vendor, sandbox: Sandbox, answered: str, refuses_lists: bool
) -> None:
    sandbox.control("switches", new_relation_answer=answered)
    sandbox.control("dossier", dossier=DOSSIER, lists_refused=refuses_lists)
    before = len(sandbox.relations())
    for number in range(2):
        await vendor.book(delivery(vendor, swaps={"2026-0001": f"2026-{number:04}"}))
    (made,) = sandbox.relations()[before:]
    assert [sandbox.relation_of(booking)["name"] for booking in sandbox.bookings()] == [made["name"]] * 2


async def test_null_in_the_answer_blanks_nothing_of_a_new_relation(vendor: Vendor, sandbox: Sandbox) -> None:
    party = Party("Exemple Conseil SRL", "BE0000000295", country="BE")
    told = {
        "relationIdentificationServiceData": {"relationKey": {"id": "88"}, "externalRelationId": None},
        "name": None,
    }
    body = json.dumps({**told, "client": None, "vatNr": None})
    sandbox.control("faults", kind="status", method="PUT", path="relations", status=201, body=body)
    made = await OctopusRelations(Octopus(vendor)).create(party, "sale")
    assert (made.id, made.name, made.vat_number, made.is_customer) == ("88", party.name, party.vat_number, True)
    assert int(made.external_number) >= OUR_NUMBERS_FROM


async def test_a_relation_that_octopus_refuses_is_a_problem(vendor: Vendor, sandbox: Sandbox) -> None:
    swaps = {"BE0000000295": "BE0000000294", "0000000295": "0000000294"}
    assert await code_of(vendor, swaps=swaps) == "relation_refused"
    assert sandbox.bookings() == []


# ── where filters are refused, from the feed (octopus §2.7) ──


async def test_new_counterparties_share_one_read_of_what_changed(vendor: Vendor, sandbox: Sandbox) -> None:
    sandbox.control("dossier", dossier=DOSSIER, lists_refused=True)
    before = len(sandbox.relations())
    sandbox.add_relation("Klant 3", client=True)
    for number in range(5):
        named = {**JAN, "Exemple Conseil SRL": f"Klant {number}", "2026-0001": f"2026-{number:04}"}
        await vendor.book(delivery(vendor, swaps=named))
    read = [line.query for line in sandbox.state.log if line.operation == "GET relations/modified"]
    assert len(read) == 1
    assert "2000-01-01" not in read[0], "only what changed since the import"
    assert len(sandbox.relations()) == before + 5, "the one that somebody made is found"


async def test_the_side_of_a_relation_is_ticked_from_the_whole_feed(vendor: Vendor, sandbox: Sandbox) -> None:
    sandbox.control("dossier", dossier=DOSSIER, lists_refused=True)
    sandbox.add_relation("Exemple Conseil SRL", vatNr="BE0000000295", supplier=True, remarks="belt eerst")
    await vendor.book(delivery(vendor))
    row = sandbox.relation_named("Exemple Conseil SRL")
    assert (row["client"], row["supplier"], row["remarks"]) == (True, True, "belt eerst")


# ── by the number of another package (octopus §2.4, §6) ──


@pytest.mark.parametrize("refuses_lists", [False, True])
@pytest.mark.parametrize("is_imported", [False, True])
async def test_octopus_s_own_number_is_no_customer_number(
    vendor: Vendor, sandbox: Sandbox, is_imported: bool, refuses_lists: bool
) -> None:
    other = sandbox.add_relation("Drukkerij Vlaskaai NV", vatNr="BE0876543270", client=True)
    if is_imported:
        await vendor.import_all()
    sandbox.control("dossier", dossier=DOSSIER, lists_refused=refuses_lists)
    key = other["relationIdentificationServiceData"]["relationKey"]["id"]
    booked = await relation_of_jan(vendor, sandbox, str(key))
    assert booked["name"] == "Jan Peeters"


@pytest.mark.parametrize("refuses_lists", [False, True])
@pytest.mark.parametrize("is_imported", [False, True])
@pytest.mark.parametrize("code", ["412", "K-0412", "00412"])
async def test_the_number_of_another_package_is_one(
    vendor: Vendor, sandbox: Sandbox, code: str, is_imported: bool, refuses_lists: bool
) -> None:
    sandbox.add_relation("Café De Hoek", external=412, client=True)
    if is_imported:
        await vendor.import_all()
    sandbox.control("dossier", dossier=DOSSIER, lists_refused=refuses_lists)
    booked = await relation_of_jan(vendor, sandbox, code)
    assert booked["name"] == "Café De Hoek"


async def test_a_name_with_another_vat_number_does_not_hide_the_external_number(
    vendor: Vendor, sandbox: Sandbox
) -> None:
    sandbox.add_relation("Exemple Conseil SRL", vatNr="BE0876543270", client=True)
    sandbox.add_relation("Conseil", external=412, client=True)
    booked = await relation_of(vendor, sandbox, "412", {})
    assert booked["name"] == "Conseil"


async def relation_of_jan(vendor: Vendor, sandbox: Sandbox, code: str) -> Row:
    return await relation_of(vendor, sandbox, code, JAN)


async def relation_of(vendor: Vendor, sandbox: Sandbox, code: str, swaps: dict[str, str]) -> Row:
    """Book an invoice to a customer with this number; return the relation that it stands on."""
    customer = "<cac:AccountingCustomerParty>"
    number = f"{customer}<cbc:SupplierAssignedAccountID>{code}</cbc:SupplierAssignedAccountID>"
    await vendor.book(delivery(vendor, swaps={**swaps, customer: number}))
    (booking,) = sandbox.bookings()
    return sandbox.relation_of(booking)
