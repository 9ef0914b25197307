"""Statements for tests: files of one account, and deliveries of them."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import koppel_coda
from koppel_coda import Account, Balance, Header, cash_book
from koppel_connector import Target
from koppel_connector.contract import DeliveryContext
from koppel_connector.testing import SampleDocument
from koppel_mesh.messages import DocumentKind
from koppel_sandbox.exact.seed import BANK_ACCOUNT

from .direct_vendor import SAMPLES, DirectVendor, context_of

DAY = date(2026, 1, 15)


def coda(number: int = 1, iban: str = BANK_ACCOUNT, takings: tuple[str, ...] = ("100.00",)) -> bytes:
    """Return a file: a statement for each of the ``takings``, a day each, on from 1 000.00."""
    statements, before = [], Balance(Decimal("1000.00"), DAY)
    for index, taken in enumerate(takings):
        day = DAY + timedelta(index)
        lines = cash_book.receipts(day, {"Cash": Decimal(taken)}, "Cash") if taken else ()
        account, nth = Account(iban, "EUR"), number + index
        statement = cash_book.statement(account, before, lines, closed_on=day, number=nth, header=Header(day))
        before = Balance(statement.closing, day)
        statements.append(statement)
    return koppel_coda.write(statements)


def delivery(
    vendor: DirectVendor, content: bytes, target: Target, kind: DocumentKind = DocumentKind.BANK_STATEMENT
) -> DeliveryContext:
    """Return the delivery of a file."""
    entered = (SAMPLES / "own__be-01-invoice-ogm-pdf.xml").read_bytes()
    document = SampleDocument("sales_invoice", {"coda": content}, {"kind": kind.value}, entered)
    context = context_of(vendor, document)
    context.delivery = replace(context.delivery, kind=kind, operation=target.operation, target=target)
    return context
