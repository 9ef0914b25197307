"""When an entry is due at Exact, which refuses one that nothing says it of ("Mandatory: Payment condition", §5.1)."""

from datetime import date
from typing import Any

import pytest

from connector_exact.master_data import Relation
from connector_exact.settings import ExactSettings
from koppel_connector.contract import ActionRequired, Booked

from .direct_vendor import DirectVendor, SampleDocument, book, context_of, prepare, sample
from .harness import SETTINGS, Sandbox

ISSUED_ON = date(2026, 1, 15)
BUYER, SELLER = "BE0000000295", "BE0000000196"
FIELDS = {"sale": "PaymentConditionSales", "purchase": "PaymentConditionPurchase"}
CREDIT_NOTES = [("sale", "sales_credit_note"), ("purchase", "purchase_credit_note")]
INVOICES = [("sale", "sales_invoice"), ("purchase", "purchase_invoice")]


def undated(kind: str, terms: str | None = None) -> SampleDocument:
    """A document that does not say when it is due."""
    note = f"<cac:PaymentTerms><cbc:Note>{terms}</cbc:Note></cac:PaymentTerms>" if terms else ""
    if kind.endswith("credit_note"):
        means = "</cac:PayeeFinancialAccount></cac:PaymentMeans>"
        swaps = {"<cbc:PaymentDueDate>2026-02-14</cbc:PaymentDueDate>": "", means: means + note}
        return sample("02-creditnote-ref", kind, replace=swaps)
    swaps = {
        "<cbc:DueDate>2026-02-14</cbc:DueDate>": "",
        "<cac:PaymentTerms><cbc:Note>30 dagen</cbc:Note></cac:PaymentTerms>": note,
    }
    return sample("01-invoice-ogm-pdf", kind, replace=swaps)


async def relation(vendor: DirectVendor, sandbox: Sandbox, side: str, condition: str | None) -> Any:
    """Have the counterparty known at Exact, with or without a payment condition of its own."""
    number = BUYER if side == "sale" else SELLER
    role: dict[str, Any] = {"Status": "C"} if side == "sale" else {"IsSupplier": True}
    row = sandbox.add_relation("Tegenpartij", VATNumber=number, **role, **{FIELDS[side]: condition})
    await vendor.import_all()
    return row


async def body_of(vendor: DirectVendor, document: SampleDocument) -> dict[str, Any]:
    context = context_of(vendor, document)
    prepared = await prepare(context)
    return dict(prepared.entry.body(context.remote_uuid, None))


@pytest.mark.parametrize(("side", "kind"), CREDIT_NOTES)
async def test_a_credit_note_without_due_date_is_booked_on_its_own_day(
    vendor: DirectVendor, sandbox: Sandbox, side: str, kind: str
) -> None:
    await relation(vendor, sandbox, side, None)
    sent, result = await book(vendor, context_of(vendor, undated(kind)))
    assert isinstance(result, Booked), result
    assert sandbox.entry(sent.remote_id)["DueDate"] == ISSUED_ON


@pytest.mark.parametrize(("side", "kind"), CREDIT_NOTES)
async def test_so_is_one_of_a_relation_that_exact_did_not_know(
    vendor: DirectVendor, sandbox: Sandbox, side: str, kind: str
) -> None:
    sandbox.forget_relations()
    await vendor.import_all()
    sent, result = await book(vendor, context_of(vendor, undated(kind)))
    assert isinstance(result, Booked), result
    assert sandbox.entry(sent.remote_id)["DueDate"] == ISSUED_ON


@pytest.mark.parametrize(("side", "kind"), [*CREDIT_NOTES, *INVOICES])
async def test_the_terms_of_the_document_count_before_the_relations_condition(
    vendor: DirectVendor, sandbox: Sandbox, side: str, kind: str
) -> None:
    await relation(vendor, sandbox, side, "60")
    body = await body_of(vendor, undated(kind, "30 dagen"))
    assert body["DueDate"] == date(2026, 2, 14)
    assert "PaymentCondition" not in body


@pytest.mark.parametrize(("side", "kind"), [*CREDIT_NOTES, *INVOICES])
async def test_the_relations_own_condition_is_left_to_exact(
    vendor: DirectVendor, sandbox: Sandbox, side: str, kind: str
) -> None:
    vendor.settings = ExactSettings.model_validate({**SETTINGS, "default_payment_condition": {side: "30"}})
    await relation(vendor, sandbox, side, "60")
    body = await body_of(vendor, undated(kind))
    assert not {"DueDate", "PaymentCondition"} & set(body)


@pytest.mark.parametrize(("side", "kind"), [*CREDIT_NOTES, *INVOICES])
async def test_the_settings_say_it_for_a_relation_without_condition(
    vendor: DirectVendor, sandbox: Sandbox, side: str, kind: str
) -> None:
    vendor.settings = ExactSettings.model_validate({**SETTINGS, "default_payment_condition": {side: "60"}})
    await relation(vendor, sandbox, side, None)
    sent, result = await book(vendor, context_of(vendor, undated(kind)))
    assert isinstance(result, Booked), result
    entry = sandbox.entry(sent.remote_id)
    assert (entry["PaymentCondition"], entry["DueDate"]) == ("60", date(2026, 3, 16))


@pytest.mark.parametrize(("side", "kind"), INVOICES)
async def test_an_invoice_that_nothing_says_it_of_is_a_question_that_names_the_setting(
    vendor: DirectVendor, sandbox: Sandbox, side: str, kind: str
) -> None:
    await relation(vendor, sandbox, side, None)
    with pytest.raises(ActionRequired) as caught:
        await prepare(context_of(vendor, undated(kind)))
    assert caught.value.problem is not None
    assert (caught.value.problem.code, caught.value.problem.detail) == (
        "payment_condition_missing",
        f"default_payment_condition.{side}",
    )
    assert sandbox.entries() == []


async def test_a_relation_imported_before_its_conditions_were_is_asked_once_more(
    vendor: DirectVendor, sandbox: Sandbox
) -> None:
    row = await relation(vendor, sandbox, "sale", "60")
    lines = {line.remote_id: line for line in vendor.master_data.all(Relation.kind)}
    old = lines[str(row["ID"])]
    kept = {name: value for name, value in old.data.items() if not name.endswith("_condition")}
    await vendor.master_data.remember(type(old)(old.kind, old.code, old.remote_id, old.name, kept))
    assert not {"DueDate", "PaymentCondition"} & set(await body_of(vendor, undated("sales_invoice")))
    asked = len(vendor.calls)
    assert not {"DueDate", "PaymentCondition"} & set(await body_of(vendor, undated("sales_invoice")))
    assert len(vendor.calls) == asked
