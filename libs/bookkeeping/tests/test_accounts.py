"""Journal and ledger account: line → document → counterparty → default."""

import pytest

from koppel_bookkeeping import CannotBook, Overrides
from koppel_bookkeeping.accounts import AccountChooser, choose_journal
from koppel_bookkeeping.settings import Journals, PerSide
from koppel_mesh.messages import DocumentKind

from .books import Account, Journal

JOURNALS = {
    each.code: each
    for each in (
        Journal("V", "sale"),
        Journal("VC", "sale"),
        Journal("R", "sale"),
        Journal("A", "purchase"),
        Journal("AC", "purchase"),
        Journal("OLD", "sale", blocked=True),
    )
}
ACCOUNTS = {
    each.code: each
    for each in (
        Account("700000"),
        Account("701000"),
        Account("702000"),
        Account("703000", blocked=True),
        Account("604000"),
        Account("400000", takes_lines=False),
    )
}
SET = Journals(sale="V", sale_credit="VC", purchase="A", purchase_credit="AC", receipts="R")
NOTHING = Overrides()


def journal(kind: str, settings: Journals = SET, overrides: Overrides = NOTHING) -> str:
    return choose_journal(JOURNALS.get, settings, DocumentKind(kind), overrides).code


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("sales_invoice", "V"),
        ("sales_credit_note", "VC"),
        ("purchase_invoice", "A"),
        ("purchase_credit_note", "AC"),
        ("daily_receipts", "R"),
    ],
)
def test_each_kind_has_its_journal(kind: str, code: str) -> None:
    assert journal(kind) == code


def test_a_person_decides_before_the_counterparty_and_the_settings() -> None:
    assert journal("sales_invoice", overrides=Overrides(counterparty_journal="R")) == "R"
    assert journal("sales_invoice", overrides=Overrides(journal="VC", counterparty_journal="R")) == "VC"


def test_credit_notes_fall_back_on_the_invoices_journal_and_receipts_never_do() -> None:
    only = Journals(sale="V", purchase="A")
    assert journal("sales_credit_note", only) == "V"
    assert journal("purchase_credit_note", only) == "A"
    with pytest.raises(CannotBook) as caught:
        journal("daily_receipts", only)
    assert caught.value.code == "journal_missing"


@pytest.mark.parametrize(
    ("code", "problem"), [("X", "journal_unknown"), ("A", "journal_wrong_type"), ("OLD", "journal_blocked")]
)
def test_a_journal_that_cannot_be_used_is_refused(code: str, problem: str) -> None:
    with pytest.raises(CannotBook) as caught:
        journal("sales_invoice", overrides=Overrides(journal=code))
    assert caught.value.code == problem


def chooser(
    overrides: Overrides = NOTHING,
    of_relation: str | None = None,
    reference: str | None = None,
    default: str | None = "700000",
) -> AccountChooser[Account]:
    proposed = ACCOUNTS[of_relation] if of_relation else None
    return AccountChooser(ACCOUNTS.get, PerSide(sale=default), "sale", overrides, proposed, reference)


def test_accounts_go_from_line_to_document_to_counterparty_to_default() -> None:
    assert chooser().choose("1", None).code == "700000"
    assert chooser(of_relation="702000").choose("1", None).code == "702000"
    assert chooser(Overrides(counterparty_ledger_account="701000"), "702000").choose("1", None).code == "701000"
    assert chooser(of_relation="702000", reference="701000").choose("1", None).code == "701000"
    assert chooser(of_relation="702000", reference="701000").choose("1", "604000").code == "604000"
    of_document = Overrides(ledger_account="700000")
    assert chooser(of_document, "702000", "701000").choose("1", "604000").code == "700000"
    of_line = Overrides(ledger_account="700000", by_line={"1": "701000"})
    assert chooser(of_line).choose("1", "604000").code == "701000"
    assert chooser(of_line).choose("2", "604000").code == "700000"


def test_a_senders_reference_that_is_no_usable_account_is_only_a_text() -> None:
    for reference in ("PROJECT 7", "703000", "400000", "", " "):
        assert chooser().choose("1", reference).code == "700000"


@pytest.mark.parametrize(
    ("overrides", "problem"),
    [
        (Overrides(ledger_account="999999"), "ledger_account_unknown"),
        (Overrides(ledger_account="703000"), "ledger_account_blocked"),
        (Overrides(by_line={"1": "400000"}), "ledger_account_wrong_type"),
    ],
)
def test_what_a_person_chose_and_cannot_be_used_is_refused(overrides: Overrides, problem: str) -> None:
    with pytest.raises(CannotBook) as caught:
        chooser(overrides).choose("1", None)
    assert caught.value.code == problem


def test_without_any_account_the_side_and_the_line_are_named() -> None:
    with pytest.raises(CannotBook) as caught:
        chooser(default=None).choose("7", None)
    assert (caught.value.code, caught.value.detail) == ("ledger_account_missing", "sale, line 7")
