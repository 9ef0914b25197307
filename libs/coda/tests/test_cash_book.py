"""Cash books become statements that keep every rule, with the marks of R133 where packages look for them."""

from datetime import date
from decimal import Decimal

import pytest

import koppel_coda
from koppel_coda import Account, Balance, Header, WriteError, cash_book
from koppel_coda.cash_book import CashLine, Mark

BOOK = Account("BE85735048152606", "EUR")
FRIDAY, MONDAY = date(2026, 3, 6), date(2026, 3, 9)
OPENING = Balance(Decimal("150.00"), FRIDAY)
HEADER = Header(MONDAY, addressee="BAKKERIJ DE KORENMOLEN BV", bic="KREDBEBB")
TAKINGS = {"Cash": Decimal("212.30"), "Bancontact": Decimal("600.00"), "Cadeaubon": Decimal("0.00")}


def made(*lines: CashLine, closing: Decimal | None = None) -> koppel_coda.Statement:
    return cash_book.statement(
        BOOK, OPENING, lines, closed_on=MONDAY, number=12, header=HEADER, holder_name="BAKKERIJ", closing=closing
    )


def test_receipts_go_in_whole_and_out_again_where_they_were_not_cash() -> None:
    statement = made(*cash_book.receipts(MONDAY, TAKINGS, "Cash"), closing=Decimal("362.30"))
    assert [(one.amount, one.communication) for one in statement.movements] == [
        (Decimal("812.30"), "DR/DRIN/09.03.2026/Cash=212.3/Bancontact=600"),
        (Decimal("-600.00"), "DR/DRPM/09.03.2026/Bancontact"),
    ]
    data = koppel_coda.write([statement])
    assert koppel_coda.check(data).findings == ()
    assert koppel_coda.read(data) == [statement]
    assert b"21000100" in data
    assert data.splitlines()[2][62:70] == b"DR/DRIN/"


@pytest.mark.parametrize("mark", list(Mark))
def test_every_mark_is_written_and_known_again(mark: Mark) -> None:
    amount = Decimal("-12.50") if mark in {Mark.CASH_TO_BANK, Mark.SUPPLIER_PAYMENT} else Decimal("12.50")
    data = koppel_coda.write([made(CashLine(MONDAY, amount, mark, ("Peeters", "2026-17", "voorschot")))])
    assert koppel_coda.check(data).findings == ()
    [statement] = koppel_coda.read(data)
    [movement] = statement.movements
    assert movement.communication == f"{mark.value}/Peeters/2026-17/voorschot"
    assert cash_book.mark_of(movement.communication) is mark


def test_a_book_under_a_wrong_account_number_is_refused() -> None:
    with pytest.raises(WriteError, match="check digits"):
        cash_book.statement(Account("BE86735048152606", "EUR"), OPENING, (), closed_on=MONDAY, number=1, header=HEADER)


def test_what_a_bank_says_has_no_mark() -> None:
    for text in ("FACTUUR 117", "CB/BACAX", "", "cb/baca/x"):
        assert cash_book.mark_of(text) is None
        assert not cash_book.is_marked(text)


def test_an_unknown_mark_is_still_one_of_a_cash_book() -> None:
    assert cash_book.is_marked("CB/WAGE/Peeters")
    assert cash_book.mark_of("CB/WAGE/Peeters") is None


def test_a_long_line_goes_on_in_information_and_loses_nothing() -> None:
    long = "x" * 700
    [movement] = koppel_coda.read(koppel_coda.write([made(CashLine(MONDAY, Decimal(1), Mark.TAKINGS, (long,)))]))[
        0
    ].movements
    assert f"{movement.communication}{''.join(str(one.communication) for one in movement.information)}" == (
        f"CB/DRCA/{long}"
    )


def test_a_day_without_lines_is_a_statement_too() -> None:
    data = koppel_coda.write([made()])
    assert koppel_coda.check(data).findings == ()
    assert koppel_coda.read(data)[0].closing == OPENING.amount


def test_lines_are_in_the_order_of_their_days() -> None:
    late = CashLine(MONDAY, Decimal(1), Mark.PRIVATE_DEPOSIT)
    early = CashLine(FRIDAY, Decimal(2), Mark.PRIVATE_DEPOSIT)
    assert [one.entry_on for one in made(late, early).movements] == [FRIDAY, MONDAY]


@pytest.mark.parametrize(
    ("line", "closing", "code"),
    [
        (CashLine(MONDAY, Decimal(10), Mark.TAKINGS), Decimal("159.99"), "balance"),
        (CashLine(date(2026, 3, 10), Decimal(10), Mark.TAKINGS), None, "date"),
        (CashLine(date(2026, 3, 5), Decimal(10), Mark.TAKINGS), None, "date"),
    ],
)
def test_a_book_that_does_not_add_up_is_refused(line: CashLine, closing: Decimal | None, code: str) -> None:
    with pytest.raises(WriteError) as refused:
        made(line, closing=closing)
    assert refused.value.code == code
