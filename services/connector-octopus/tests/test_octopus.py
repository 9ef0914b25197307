"""The connector at the sandbox: each kind booked to the cent, each refusal a problem that names who can fix it."""

from decimal import Decimal
from typing import Any

import pytest

from connector_octopus.api import Octopus
from connector_octopus.settings import OctopusSettings
from koppel_connector import ActionRequired, Booked
from koppel_connector.contract import RetryLater, RetryNow

from .documents import code_of, delivery, refused
from .harness import CONNECTOR, DOSSIER, SETTINGS, Sandbox, Vendor

KINDS = [
    ("01-invoice", "sales_invoice", "V1", "582.77"),
    ("01-invoice", "purchase_invoice", "A1", "582.77"),
    ("02-creditnote", "sales_credit_note", "V2", "-151.86"),
    ("02-creditnote", "purchase_credit_note", "A2", "-151.86"),
    ("03-AE", "sales_invoice", "V1", "4500.00"),
    ("03-AE", "purchase_invoice", "A1", "4500.00"),
    ("04-K", "sales_invoice", "V1", "1600.00"),
    ("05-G", "sales_invoice", "V1", "1000.00"),
    ("06-E", "sales_invoice", "V1", "650.00"),
    ("08-O", "sales_invoice", "V1", None),
    ("10-mixed", "sales_invoice", "V1", "258.08"),
    ("12-daily", "daily_receipts", "V3", None),
    ("15-cash", "sales_invoice", "V1", "1205.80"),
]


WITHOUT_TERMS = {
    "<cbc:DueDate>2026-02-14</cbc:DueDate>": "",
    "<cac:PaymentTerms><cbc:Note>30 dagen</cbc:Note></cac:PaymentTerms>": "",
}


@pytest.mark.parametrize(("name", "kind", "journal", "total"), KINDS)
async def test_each_kind_is_booked_and_read_back_to_the_cent(
    vendor: Vendor, sandbox: Sandbox, name: str, kind: str, journal: str, total: str | None
) -> None:
    sent, seen = await vendor.book(delivery(vendor, name, kind))
    assert seen == Booked(f"{journal}/2026/1", sent.entry_url), seen
    assert sent.entry_number == f"{journal}/2026/1"
    row = sandbox.booking(f"3/{journal}/1")
    if total is not None:
        assert row["amount"] == Decimal(total)


async def test_reverse_charge_is_booked_without_vat_on_the_code_that_says_so(vendor: Vendor, sandbox: Sandbox) -> None:
    await vendor.book(delivery(vendor, "03-AE", "purchase_invoice"))
    (row,) = sandbox.bookings()
    assert [(line["vatCodeKey"], line["vatAmount"]) for line in row["bookingLines"]] == [("MC21", 0)]


@pytest.mark.parametrize(
    ("name", "tax"), [("03-AE", [Decimal(0)]), ("01-invoice-ogm-pdf", [Decimal("79.07"), Decimal("7.20")])]
)
async def test_of_a_code_for_lines_with_and_without_vat_the_line_decides(
    vendor: Vendor, sandbox: Sandbox, name: str, tax: list[Decimal]
) -> None:
    chosen = {"vat_codes": {"sale": {"S:21": "21", "AE": "21"}}}
    vendor.settings = OctopusSettings.model_validate({**SETTINGS, **chosen})
    await vendor.book(delivery(vendor, name))
    (row,) = sandbox.bookings()
    assert [line["vatAmount"] for line in row["bookingLines"]] == tax
    assert row["bookingLines"][0]["vatCodeKey"] == "21"


async def test_what_octopus_gets_of_an_invoice(vendor: Vendor, sandbox: Sandbox) -> None:
    context = delivery(vendor)
    await vendor.book(context)
    (row,) = sandbox.bookings()
    assert (row["comment"], row["orderReference"]) == ("2026-0001", context.remote_ref)
    assert row["reference"] == "+++202/6000/00192+++"
    assert (row["bookyearKey"], row["bookyearPeriodeNr"]) == ({"id": 3}, 202601)
    assert (row["documentDate"], row["expiryDate"]) == ("2026-01-15", "2026-02-14")
    lines = [
        (each["accountKey"], each["vatCodeKey"], each["baseAmount"], each["vatAmount"]) for each in row["bookingLines"]
    ]
    assert lines == [
        (700000, "21", Decimal("376.50"), Decimal("79.07")),
        (700000, "6", Decimal("120.00"), Decimal("7.20")),
    ]
    assert list(sandbox.files("3/V1/1")) == ["2026-0001.pdf", "2026-0001.xml"], "in the same call"


async def test_a_stream_costs_one_call_a_booking(vendor: Vendor) -> None:
    """With relation, periods and the journal's number known, a booking is one call, and one more reads all of them back."""
    await vendor.book(delivery(vendor))
    vendor.calls.clear()
    contexts = [delivery(vendor, swaps={"2026-0001": f"2026-1{number:03}"}) for number in range(20)]
    for context in contexts:
        await vendor.send(context)
    assert [call.operation for call in vendor.calls] == ["POST buysellbookings"] * 20
    seen = await CONNECTOR.read_back(vendor, contexts)
    assert [call.operation for call in vendor.calls[20:]] == ["GET buysellbookings/modified"]
    numbers = [each.entry_number for each in seen.values() if isinstance(each, Booked)]
    assert numbers == [f"V1/2026/{number}" for number in range(2, 22)]


# ── numbers ──


async def test_a_number_that_somebody_took_is_refused_and_the_next_one_tried(vendor: Vendor, sandbox: Sandbox) -> None:
    await vendor.book(delivery(vendor))
    sandbox.book_by_hand()
    context = delivery(vendor, swaps={"2026-0001": "2026-0002"})
    with pytest.raises(RetryNow):
        await vendor.send(context)
    sent, seen = await vendor.book(context)
    assert (sent.remote_id, isinstance(seen, Booked)) == ("3/V1/3", True)


async def test_a_number_taken_by_our_own_call_made_twice_is_no_second_booking(vendor: Vendor, sandbox: Sandbox) -> None:
    """A gateway makes the call again after the first answer got lost: the refusal it passes on is of our own booking."""
    context = delivery(vendor)
    prepared = await vendor.prepare(context)
    body = prepared.posting.body(1, context.remote_ref)
    await Octopus(vendor).book(body, prepared.files)
    await vendor.memory.remember("next_number 3 V1", 1)
    sent = await CONNECTOR.send(context, prepared)
    assert sent.remote_id == "3/V1/1"
    assert len(sandbox.bookings()) == 1


async def test_the_number_is_noted_before_the_call_leaves(vendor: Vendor, sandbox: Sandbox) -> None:
    context, noted = delivery(vendor), []
    context.write_progress = lambda progress: noted.append((dict(progress), sandbox.requests("POST buysellbookings")))
    await vendor.send(context)
    before = [progress["expected"] for progress, calls in noted if calls == 0 and "expected" in progress]
    assert [(each["bookyear"], each["journal"], each["number"]) for each in before] == [(3, "V1", 1)]


@pytest.mark.parametrize("read", ["both", "2020", "2026"])
async def test_both_spellings_of_the_plain_question_and_none_are_lived_with(
    vendor: Vendor, sandbox: Sandbox, read: str
) -> None:
    sandbox.control("switches", booking_read_parameters=read)
    await vendor.book(delivery(vendor))
    sandbox.book_by_hand()
    for _ in range(2):
        with pytest.raises(RetryNow):
            await vendor.memory.remember("next_number 3 V1", 2)
            await vendor.send(delivery(vendor, swaps={"2026-0001": "2026-0002"}))
    asked = [call.status for call in vendor.calls if call.operation == "GET buysellbookings"]
    assert asked == ([404, 404] if read == "both" else [400]), "a refused question is not asked again"


# ── bookyear, period, journal ──


async def test_a_protected_period_is_a_problem_without_a_booking_or_a_relation(
    vendor: Vendor, sandbox: Sandbox
) -> None:
    before = len(sandbox.relations())
    sandbox.control("journal", dossier=DOSSIER, journal="V1", protectedPeriod=202601)
    assert await code_of(vendor) == "period_closed"
    assert (len(sandbox.relations()), sandbox.bookings()) == (before, [])


@pytest.mark.parametrize("change", [{"closedPeriod": 202604}, {"closed": True}])
async def test_a_closed_period_and_a_closed_journal_are_problems(
    vendor: Vendor, sandbox: Sandbox, change: dict[str, Any]
) -> None:
    sandbox.control("journal", dossier=DOSSIER, journal="V1", **change)
    assert await code_of(vendor) == "period_closed"


async def test_a_closed_bookyear_is_a_problem(vendor: Vendor, sandbox: Sandbox) -> None:
    sandbox.control("bookyear", dossier=DOSSIER, bookyear=3, closed=True)
    assert await code_of(vendor) == "period_closed"


async def test_a_period_closed_since_it_was_asked_is_octopuss_own_no(vendor: Vendor, sandbox: Sandbox) -> None:
    await vendor.book(delivery(vendor))
    sandbox.control("journal", dossier=DOSSIER, journal="V1", protectedPeriod=202604)
    assert await code_of(vendor, swaps={"2026-0001": "2026-0002"}) == "period_closed"


async def test_a_day_without_a_bookyear_is_a_problem(vendor: Vendor) -> None:
    swaps = {"2026-01-15": "2027-01-15", "2026-02-14": "2027-02-14"}
    assert await code_of(vendor, swaps=swaps) == "financial_year_missing"


async def test_a_bookyear_opened_since_the_import_is_imported_again_first(vendor: Vendor, sandbox: Sandbox) -> None:
    sandbox.control("bookyear", dossier=DOSSIER, bookyear=4, year=2027)
    later = {"2026-01-15": "2027-01-15", "2026-02-14": "2027-02-14"}
    assert await code_of(vendor, swaps=later) == "bookyear_not_imported"
    assert "bookyear_not_imported" in CONNECTOR.profile.master_data_problems
    await vendor.import_all()
    sent, _ = await vendor.book(delivery(vendor, swaps=later))
    assert sent.remote_id == "4/V1/1"


async def test_a_journal_that_a_colleague_holds_is_tried_again_later(vendor: Vendor, sandbox: Sandbox) -> None:
    sandbox.control("journal", dossier=DOSSIER, journal="V1", held_by="An Peeters")
    failure = await refused(vendor)
    assert isinstance(failure, RetryLater)
    assert failure.problem is not None
    assert failure.problem.code == "journal_held"
    sandbox.control("journal", dossier=DOSSIER, journal="V1", held_by="")
    _, seen = await vendor.book(delivery(vendor))
    assert isinstance(seen, Booked)


async def test_an_invoice_journal_is_told_apart(sandbox: Sandbox) -> None:
    vendor = await sandbox.vendor(journals={"sale": "V9"})
    await vendor.import_all()
    assert await code_of(vendor) == "journal_for_invoices"
    await vendor.close()


# ── accounts and VAT codes ──


async def test_an_account_goes_line_document_counterparty_default(vendor: Vendor, sandbox: Sandbox) -> None:
    party = {"id": str(vendor.connection.id), "source": "x", "code": "1", "name": "x", "ledger_account": "705000"}
    choices: list[dict[str, Any]] = [{}, {"relation": party}, {"relation": party, "ledger_account": "708000"}]
    for number, changes in enumerate(choices):
        await vendor.book(delivery(vendor, swaps={"2026-0001": f"2026-{number:04}"}, **changes))
    accounts = [{line["accountKey"] for line in row["bookingLines"]} for row in sandbox.bookings()]
    assert accounts == [{700000}, {705000}, {708000}]


async def test_the_account_that_octopus_proposes_comes_before_the_default(vendor: Vendor, sandbox: Sandbox) -> None:
    sandbox.add_relation("Exemple Conseil SRL", vatNr="BE0000000295", client=True, defaultBookingAccountClient=705000)
    await vendor.import_all()
    await vendor.book(delivery(vendor))
    assert {line["accountKey"] for line in sandbox.bookings()[0]["bookingLines"]} == {705000}


async def test_the_vat_code_of_the_account_settles_which_of_several_is_meant(sandbox: Sandbox) -> None:
    accounts = {"sale": "700000", "purchase": "613200"}
    vendor = await sandbox.vendor(vat_codes={"purchase": {"S:6": "D6"}}, default_ledger_account=accounts)
    await vendor.import_all()
    await vendor.book(delivery(vendor, kind="purchase_invoice"))
    assert [line["vatCodeKey"] for line in sandbox.bookings()[0]["bookingLines"]] == ["D21", "D6"]
    await vendor.close()


async def test_a_rate_of_several_codes_is_asked(sandbox: Sandbox) -> None:
    vendor = await sandbox.vendor(vat_codes={}, default_ledger_account={"sale": "700000", "purchase": "620000"})
    await vendor.import_all()
    failure = await refused(vendor, kind="purchase_invoice")
    assert failure.problem is not None
    assert "D21, H21, I21" in (failure.problem.detail or "")
    await vendor.close()


async def test_an_account_that_the_year_no_longer_has_is_named(vendor: Vendor, sandbox: Sandbox) -> None:
    sandbox.control("record", dossier=DOSSIER, table="accounts", where={"accountKey": {}}, delete=True)
    del sandbox.books.accounts["3/700000"]
    failure = await refused(vendor)
    assert isinstance(failure, ActionRequired)
    assert failure.problem is not None
    assert failure.problem.code == "ledger_account_unknown"
    assert "700000" in (failure.problem.detail or "")


# ── currency and due date ──


async def test_foreign_currency_waits_until_the_accountant_allows_it(vendor: Vendor, sandbox: Sandbox) -> None:
    failure = await refused(vendor, "11-USD")
    assert isinstance(failure, ActionRequired)
    assert failure.problem is not None
    assert failure.problem.code == "currency_needs_permission"
    allowed = await sandbox.vendor(allow_foreign_currency=True)
    await allowed.import_all()
    _, seen = await allowed.book(delivery(allowed, "11-USD"))
    assert isinstance(seen, Booked)
    assert sandbox.bookings()[0]["currencyCode"] == "USD"
    assert sandbox.bookings()[0]["exchangeRate"] != 1
    await allowed.close()


@pytest.mark.parametrize(("days", "due"), [(14, "2026-01-29"), (0, "2026-02-14")])
async def test_the_term_of_the_relation_comes_before_the_default(
    vendor: Vendor, sandbox: Sandbox, days: int, due: str
) -> None:
    sandbox.add_relation("Exemple Conseil SRL", vatNr="BE0000000295", client=True, expirationDays=days)
    await vendor.import_all()
    await vendor.book(delivery(vendor, swaps=WITHOUT_TERMS))
    assert sandbox.bookings()[0]["expiryDate"] == due


async def test_nothing_says_when_it_is_due(sandbox: Sandbox) -> None:
    vendor = await sandbox.vendor(default_payment_condition={})
    await vendor.import_all()
    failure = await refused(vendor, swaps=WITHOUT_TERMS)
    assert failure.problem is not None
    assert (failure.problem.code, failure.problem.detail) == (
        "payment_condition_missing",
        "default_payment_condition.sale",
    )
    await vendor.close()
