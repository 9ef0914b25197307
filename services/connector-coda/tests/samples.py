"""Statements as banks and cash books send them, made by the writer of koppel_coda."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import koppel_coda
from koppel_coda import Account, Balance, Header, Movement, Statement, TransactionCode, cash_book

OURS = "0793904121"
OUR_NAME = "Bakkerij Demo BV"
CURRENT, SAVINGS, DRAWER = "BE85735048152606", "BE47735048160080", "BE68539007547034"
FIRST_DAY = date(2026, 3, 2)


def statement(
    number: int,
    opening: int | str,
    *amounts: int | str,
    iban: str = CURRENT,
    currency: str = "EUR",
    holder: str = OURS,
    name: str = OUR_NAME,
    messages: Sequence[str] = (),
    **changes: Any,
) -> Statement:
    """Return the statement of the ``number``-th day; ``coded_number`` and ``day`` may say otherwise."""
    day = FIRST_DAY + timedelta(changes.pop("day", number))
    coded = changes.pop("coded_number", number)
    moved = [Decimal(amount) for amount in amounts]
    closing = Decimal(opening) + sum(moved)
    known = {
        "header": Header(day + timedelta(1), "735", bic="KREDBEBB", company_number=holder),
        "account": Account(iban, currency),
        "old_balance": Balance(Decimal(opening), changes.pop("opened_on", day - timedelta(1)), coded),
        "new_balance": Balance(closing, day, coded),
        "movements": tuple(
            Movement(amount, TransactionCode.of("00150000"), day, day, message)
            for amount, message in zip(moved, [*messages, *["betaling"] * len(moved)], strict=False)
        ),
        "holder_name": name,
        "coded_number": coded,
    }
    return Statement(**{**known, **changes})


def chain(count: int, *, opening: int = 1000, **changes: Any) -> list[Statement]:
    """Return ``count`` statements that follow one another, each with one line of its number in euros."""
    made: list[Statement] = []
    for number in range(1, count + 1):
        made.append(statement(number, str(made[-1].closing) if made else opening, number, **changes))
    return made


def cash(number: int, opening: str, *lines: cash_book.CashLine) -> Statement:
    """Return the statement of a cash book."""
    day = FIRST_DAY + timedelta(number)
    return cash_book.statement(
        Account(DRAWER, "EUR"),
        Balance(Decimal(opening), day - timedelta(1)),
        lines,
        closed_on=day,
        number=number,
        header=Header(day),
        holder_name=OUR_NAME,
    )


def coda(*statements: Statement) -> bytes:
    """Return a file of these statements."""
    return koppel_coda.write(statements)
