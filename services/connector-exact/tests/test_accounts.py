"""Journal and ledger account: line → document → counterparty → default."""

import pytest

from connector_exact.mapping.accounts import AccountChooser, Wishes, choose_journal
from connector_exact.mapping.refusal import CannotBook
from connector_exact.masters import Books, Relation
from connector_exact.settings import Journals, LedgerAccounts
from koppel_mesh.messages import DocumentKind

from .books import RELATIONS, account, book, relation

BOOKS = Books(book())
SET = Journals(sale="700", sale_credit="710", purchase="600", purchase_credit="610", receipts="720")


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("sales_invoice", "700"),
        ("sales_credit_note", "710"),
        ("purchase_invoice", "600"),
        ("purchase_credit_note", "610"),
        ("daily_receipts", "720"),
    ],
)
def test_each_kind_has_its_journal(kind: str, code: str) -> None:
    assert choose_journal(BOOKS, SET, DocumentKind(kind), Wishes()).code == code


def test_a_person_decides_before_the_counterparty_and_the_settings() -> None:
    kind = DocumentKind.SALES_INVOICE
    assert choose_journal(BOOKS, SET, kind, Wishes(counterparty_journal="720")).code == "720"
    assert choose_journal(BOOKS, SET, kind, Wishes(journal="710", counterparty_journal="720")).code == "710"


def test_credit_notes_fall_back_on_the_invoices_journal_and_receipts_never_do() -> None:
    only = Journals(sale="700", purchase="600")
    assert choose_journal(BOOKS, only, DocumentKind.SALES_CREDIT_NOTE, Wishes()).code == "700"
    assert choose_journal(BOOKS, only, DocumentKind.PURCHASE_CREDIT_NOTE, Wishes()).code == "600"
    with pytest.raises(CannotBook) as caught:
        choose_journal(BOOKS, only, DocumentKind.DAILY_RECEIPTS, Wishes())
    assert caught.value.code == "journal_missing"


@pytest.mark.parametrize(
    ("journal", "problem"), [("999", "journal_unknown"), ("600", "journal_wrong_type"), ("900", "journal_wrong_type")]
)
def test_a_journal_that_cannot_be_used_is_a_problem(journal: str, problem: str) -> None:
    with pytest.raises(CannotBook) as caught:
        choose_journal(BOOKS, SET, DocumentKind.SALES_INVOICE, Wishes(journal=journal))
    assert caught.value.code == problem


NOTHING = Wishes()


def chooser(
    wishes: Wishes = NOTHING,
    relation: Relation | None = None,
    reference: str | None = None,
    default: str | None = "700000",
) -> AccountChooser:
    return AccountChooser(BOOKS, LedgerAccounts(sale=default), "sale", wishes, relation, reference)


def test_accounts_go_from_line_to_document_to_counterparty_to_default() -> None:
    customer = RELATIONS[0]
    assert chooser().choose("1", None).code == "700000"
    assert chooser(relation=customer).choose("1", None).code == "702000"
    assert chooser(Wishes(counterparty_ledger_account="701000"), customer).choose("1", None).code == "701000"
    assert chooser(relation=customer, reference="701000").choose("1", None).code == "701000"
    assert chooser(relation=customer, reference="701000").choose("1", "604000").code == "604000"
    assert chooser(Wishes(ledger_account="700000"), customer, "701000").choose("1", "604000").code == "700000"
    assert chooser(Wishes(ledger_account="700000", by_line={"1": "701000"})).choose("1", "604000").code == "701000"


def test_a_senders_reference_that_is_no_usable_account_is_only_a_text() -> None:
    for reference in ("PROJECT 7", "703000", "400000", "", " "):
        assert chooser().choose("1", reference).code == "700000"


def test_what_a_person_chose_and_cannot_be_used_is_told() -> None:
    for wishes, problem in (
        (Wishes(ledger_account="999999"), "ledger_account_unknown"),
        (Wishes(ledger_account="703000"), "ledger_account_blocked"),
        (Wishes(by_line={"1": "400000"}), "ledger_account_wrong_type"),
    ):
        with pytest.raises(CannotBook) as caught:
            chooser(wishes).choose("1", None)
        assert caught.value.code == problem
    with pytest.raises(CannotBook) as caught:
        chooser(default=None).choose("1", None)
    assert caught.value.code == "ledger_account_missing"


def test_an_account_of_the_relation_from_another_division_is_not_used() -> None:
    stranger = relation("9", "Vreemd", sales_account_id=account("799999").id)
    assert chooser(relation=stranger).choose("1", None).code == "700000"
