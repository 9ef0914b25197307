"""The lines of an entry: each with the account and VAT code it is booked on, or a reason why it cannot be."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from koppel_bookkeeping import Booking, BookingLine, CannotBook, Overrides, Party
from koppel_bookkeeping.accounts import insist_on_currency
from koppel_bookkeeping.amounts import ZERO
from koppel_bookkeeping.lines import ChosenLine, choose_lines
from koppel_bookkeeping.settings import Journals, LedgerSettings, PerSide
from koppel_mesh.messages import DocumentKind

from .books import Account, CurrencyJournal, VatCode

ACCOUNTS = {code: Account(code) for code in ("700000", "701000", "702000", "703000")}
STANDARD = VatCode("V21", Decimal(21), "sale")
NO_VAT = VatCode("V0", Decimal(0), "sale", "Z")
VAT_CODES = {code.code: code for code in (STANDARD, NO_VAT)}
SETTINGS = LedgerSettings(default_ledger_account=PerSide(sale="700000"))

LINES = (
    BookingLine("1", Decimal(100), "S", Decimal(21), "Bread", None, Decimal(21)),
    BookingLine("2", Decimal(50), "Z", Decimal(0), "Export", "702000"),
    BookingLine(None, Decimal(-10), "Z", Decimal(0), "Discount"),
)
BOOKING = Booking(DocumentKind.SALES_INVOICE, "F1", date(2026, 1, 15), None, "EUR", Decimal(161), Party("Demo"), LINES)


def chosen(overrides: Overrides, of_relation: str | None = None, settings: LedgerSettings = SETTINGS) -> list[Any]:
    lines = choose_lines(
        BOOKING,
        settings,
        overrides,
        account=ACCOUNTS.get,
        account_of_relation=ACCOUNTS[of_relation] if of_relation else None,
        vat_codes=VAT_CODES,
    )
    assert tuple(each.line for each in lines) == LINES
    return [(each.account.code, each.vat_code.code) for each in lines]


def test_each_line_has_its_own_account_and_vat_code() -> None:
    assert chosen(Overrides()) == [("700000", "V21"), ("702000", "V0"), ("700000", "V0")]


def test_the_account_of_the_relation_and_of_a_person_come_before_the_default() -> None:
    by_person = Overrides(by_line={"1": "701000"})
    assert chosen(by_person, "703000") == [("701000", "V21"), ("702000", "V0"), ("703000", "V0")]


def test_of_two_codes_of_one_rate_the_account_may_prefer_one() -> None:
    goods, services = VatCode("H21", Decimal(21), "sale"), VatCode("D21", Decimal(21), "sale")
    own = {"700000": "H21", "701000": "D21"}

    def codes(account: str) -> str:
        lines = choose_lines(
            replace(BOOKING, lines=LINES[:1], total=Decimal(121)),
            SETTINGS,
            Overrides(ledger_account=account),
            account=ACCOUNTS.get,
            account_of_relation=None,
            vat_codes={code.code: code for code in (goods, services)},
            prefers=lambda account, code: own.get(account.code) == code.code,
        )
        return lines[0].vat_code.code

    assert (codes("700000"), codes("701000")) == ("H21", "D21")
    with pytest.raises(CannotBook, match="codes that could be meant: D21, H21"):
        codes("702000")


def test_a_line_without_an_account_is_named() -> None:
    with pytest.raises(CannotBook) as refused:
        chosen(Overrides(), settings=LedgerSettings())
    assert (refused.value.code, refused.value.detail) == ("ledger_account_missing", "sale, line 1")


def test_vat_under_a_code_that_charges_none_is_refused() -> None:
    with pytest.raises(CannotBook) as refused:
        ChosenLine(LINES[0], ACCOUNTS["700000"], NO_VAT)
    assert refused.value.code == "vat_amount_not_allowed"


DUTCH = Party("Hotel", "NL800123456B01")
STAY = BookingLine("1", Decimal(100), "S", Decimal(9), "Night", None, Decimal(9))


def stay(settings: dict[str, str]) -> tuple[ChosenLine[Account, VatCode], ...]:
    codes = {code.code: code for code in (VatCode("A9", Decimal(9), "purchase"), VatCode("A0", ZERO, "purchase", "Z"))}
    return choose_lines(
        Booking(DocumentKind.PURCHASE_INVOICE, "H1", date(2026, 1, 15), None, "EUR", Decimal(109), DUTCH, (STAY,)),
        LedgerSettings.model_validate(
            {"default_ledger_account": {"purchase": "700000"}, "vat_codes": {"purchase": settings}}
        ),
        Overrides(),
        account=ACCOUNTS.get,
        account_of_relation=None,
        vat_codes=codes,
    )


@pytest.mark.parametrize("settings", [{}, {"S:9": "A9"}, {"S": "A0", "S:9@BE": "A9", "S@XX": "A0"}])
def test_vat_of_another_country_is_asked_about_and_never_deducted_by_itself(settings: dict[str, str]) -> None:
    with pytest.raises(CannotBook) as refused:
        stay(settings)
    assert refused.value.code == "unknown_vat_code"
    assert "set vat_codes.purchase “S:9@EU” to one of A0, A9" in refused.value.detail


@pytest.mark.parametrize("key", ["S:9@EU", "S@EU"])
def test_vat_of_another_country_is_cost_under_a_code_without_vat(key: str) -> None:
    (chosen,) = stay({key: "A0"})
    assert (chosen.vat_code.code, chosen.line.net, chosen.line.tax) == ("A0", Decimal(109), ZERO)


@pytest.mark.parametrize(
    ("journal", "fits"),
    [
        (CurrencyJournal("V", "EUR"), True),
        (CurrencyJournal("V", ""), True),
        (CurrencyJournal("V", "USD", foreign_currency=True), True),
        (CurrencyJournal("V", "USD"), False),
    ],
)
def test_a_journal_of_one_currency_takes_no_other(journal: CurrencyJournal, fits: bool) -> None:
    if fits:
        insist_on_currency(journal, "EUR")
        return
    with pytest.raises(CannotBook) as refused:
        insist_on_currency(journal, "EUR")
    assert (refused.value.code, refused.value.detail) == ("currency_not_allowed", "EUR in journal V (USD)")


@pytest.mark.parametrize(
    ("journals", "missing"),
    [
        (Journals(), ["journals.sale", "journals.purchase"]),
        (Journals(sale_credit="VC"), ["journals.sale", "journals.purchase"]),
        (Journals(sale="V"), []),
        (Journals(purchase="A"), []),
        (Journals(receipts="R"), []),
    ],
)
def test_one_journal_is_enough_to_begin(journals: Journals, missing: list[str]) -> None:
    assert LedgerSettings(journals=journals).missing_journals() == missing
