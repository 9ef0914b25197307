"""Bank statements: they go where the balances continue each other, and what is missing is named."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

import koppel_coda
from koppel_coda import Account, Balance, Header, cash_book
from koppel_connector import ActionRequired, CannotTell, DeliveryContext, Found, NotFound
from koppel_connector.contract import OutcomeUnknown
from koppel_connector.testing import SampleDocument, context_of
from koppel_sandbox.octopus import seed

from .documents import SAMPLES
from .harness import CONNECTOR, DOSSIER, Sandbox, Vendor


def coda(number: int, opening: str, takings: str, day: date = date(2026, 1, 15), iban: str = seed.BAKERY_IBAN) -> bytes:
    lines = cash_book.receipts(day, {"Cash": Decimal(takings)}, "Cash")
    account, before = Account(iban, "EUR"), Balance(Decimal(opening), day)
    statement = cash_book.statement(account, before, lines, closed_on=day, number=number, header=Header(day))
    return koppel_coda.write([statement])


def delivery(vendor: Vendor, content: bytes) -> DeliveryContext:
    (entered,) = SAMPLES.glob("own__be-01-*.xml")
    sample = SampleDocument("sales_invoice", {"coda": content}, {"kind": "bank_statement"}, entered.read_bytes())
    context = context_of(vendor, sample)
    context.delivery = type(context.delivery)(
        **{**vars(context.delivery), "kind": type(context.delivery.kind)("bank_statement")}
    )
    return context


@pytest.fixture
async def vendor(sandbox: Sandbox) -> Any:
    opened = await sandbox.vendor(send_coda=True)
    await opened.import_all()
    yield opened
    await opened.close()


@pytest.mark.parametrize("form", ["json_string", "raw"])
async def test_statements_that_continue_each_other_are_taken_in_either_form(sandbox: Sandbox, form: str) -> None:
    sandbox.control("switches", coda_body=form.replace("_", "-"))
    vendor = await sandbox.vendor(send_coda=True, coda_body=form)
    await vendor.import_all()
    for number, opening in ((1, "1000.00"), (2, "1100.00")):
        sent = await vendor.send(delivery(vendor, coda(number, opening, "100.00")))
        assert sent.entry_number == "F1"
    assert sandbox.books.bank_accounts["F1"]["balance"] == Decimal("1200.00")
    await vendor.close()


@pytest.mark.parametrize("form", ["json_string", "raw"])
async def test_letters_of_the_bank_s_code_page_arrive_as_they_are(sandbox: Sandbox, form: str) -> None:
    """A record is 128 bytes at the bank; written anew in UTF-8, one with an é has 129 (octopus §2.9)."""
    sandbox.control("switches", coda_body=form.replace("_", "-"))
    vendor = await sandbox.vendor(send_coda=True, coda_body=form)
    await vendor.import_all()
    content = coda(1, "1000.00", "100.00").replace(b"Cash", "Café".encode("latin-1"))
    await vendor.send(delivery(vendor, content))
    (taken,) = sandbox.books.statements.values()
    assert "Café" in taken["@text"]
    await vendor.close()


async def test_a_gap_names_both_balances_and_the_missing_statements(vendor: Vendor, sandbox: Sandbox) -> None:
    await vendor.send(delivery(vendor, coda(1, "1000.00", "100.00")))
    with pytest.raises(ActionRequired) as refused:
        await vendor.send(delivery(vendor, coda(4, "1350.00", "100.00")))
    assert refused.value.problem is not None
    assert refused.value.problem.code == "statement_gap"
    assert refused.value.problem.detail == (
        "F1 stands at 1100.00, statement 4 opens at 1350.00; missing: statements 2 to 3"
    )
    assert sandbox.requests("POST coda") == 1, "Octopus was not asked to refuse it"


async def test_an_account_without_a_journal_is_named_and_may_be_given_one(vendor: Vendor, sandbox: Sandbox) -> None:
    other = coda(1, "1000.00", "1.00", iban=seed.STUDIO_IBAN)
    with pytest.raises(ActionRequired) as refused:
        await vendor.send(delivery(vendor, other))
    assert refused.value.problem is not None
    assert refused.value.problem.code == "statement_account_unknown"
    assert f"statement_journals.{seed.STUDIO_IBAN}" in (refused.value.problem.detail or "")
    sandbox.control("bank_account", dossier=DOSSIER, journal="F1", iban=seed.STUDIO_IBAN)
    vendor.settings = vendor.settings.model_copy(update={"statement_journals": {seed.STUDIO_IBAN: "F1"}})
    assert (await vendor.send(delivery(vendor, other))).entry_number == "F1"


@pytest.mark.parametrize(("kind", "acted"), [("reset_after_commit", True), ("reset_before", False)])
async def test_after_a_lost_answer_the_balance_says_whether_it_is_in(
    vendor: Vendor, sandbox: Sandbox, kind: str, acted: bool
) -> None:
    sandbox.control("faults", kind=kind, method="POST", path="/coda")
    context = delivery(vendor, coda(1, "1000.00", "100.00"))
    with pytest.raises(OutcomeUnknown):
        await vendor.send(context)
    assert isinstance(await CONNECTOR.lookup(context), Found if acted else NotFound)
    sandbox.control("bank_account", dossier=DOSSIER, journal="F1", balance="77.00")
    assert isinstance(await CONNECTOR.lookup(context), CannotTell)


async def test_the_bank_module_must_be_active(vendor: Vendor, sandbox: Sandbox) -> None:
    sandbox.control("dossier", dossier=DOSSIER, bank_module=False)
    with pytest.raises(ActionRequired) as refused:
        await vendor.send(delivery(vendor, coda(1, "1000.00", "100.00")))
    assert refused.value.problem is not None
    assert refused.value.problem.code == "statement_refused"


async def test_what_is_no_coda_and_what_holds_two_accounts_is_refused(vendor: Vendor) -> None:
    two = coda(1, "1000.00", "1.00") + coda(1, "5.00", "1.00", iban=seed.STUDIO_IBAN)
    for content in (b"geen coda", two):
        with pytest.raises(Exception, match="document_unreadable"):
            await vendor.send(delivery(vendor, content))
