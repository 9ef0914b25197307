"""Bank statements of one account, each of which continues the one before."""

from datetime import date, timedelta
from decimal import Decimal

import koppel_coda
from koppel_coda import Account, Balance, Header, Movement, Statement, TransactionCode

NUMBER, IBAN = "0000000196", "BE68539007547034"
FIRST_DAY = date(2026, 3, 2)
OPENING_BALANCE, EACH_ADDS = Decimal(1000), Decimal(10)
CODA = {"content-type": "text/plain"}


def statement(number: int) -> bytes:
    """Return the statement of a day; each adds ten euros to the balance."""
    day = FIRST_DAY + timedelta(number)
    opening = OPENING_BALANCE + EACH_ADDS * (number - 1)
    line = Movement(EACH_ADDS, TransactionCode.of("00150000"), day, day, "betaling")
    made = Statement(
        Header(day, "539", company_number=NUMBER),
        Account(IBAN, "EUR"),
        Balance(opening, day - timedelta(1), number),
        Balance(opening + EACH_ADDS, day, number),
        (line,),
        coded_number=number,
    )
    return koppel_coda.write([made])
