"""A SalesEntry or PurchaseEntry: its body as Exact wants it, and what reading it back must show."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from connector_exact.master_data import Journal, LedgerAccount, VatCode
from koppel_bookkeeping import Booking, CannotBook, Side
from koppel_bookkeeping.amounts import CENT, rounded
from koppel_bookkeeping.comparison import LineFigures, line_differences
from koppel_bookkeeping.lines import ChosenLine
from koppel_bookkeeping.terms import Terms
from koppel_bookkeeping.texts import clipped, structured_payment_reference
from koppel_connector import Problem, odata, values
from koppel_connector.odata import Row

# Maximum lengths are undocumented; these are the widths Exact's screens show (exact §8).
YOUR_REF_LENGTH_MAX: Final = 30
DESCRIPTION_LENGTH_MAX: Final = 60
ENTRY_NUMBER_MAX: Final = 2**31 - 1

TYPES: Final[Mapping[Side, tuple[int, int]]] = {"sale": (20, 21), "purchase": (30, 31)}


@dataclass(frozen=True)
class Family:
    """SalesEntries or PurchaseEntries: one shape, two sets of names."""

    path: str
    party: str
    lines: str
    document_type: int


FAMILIES: Final[Mapping[Side, Family]] = {
    "sale": Family("salesentry/SalesEntries", "Customer", "SalesEntryLines", 10),
    "purchase": Family("purchaseentry/PurchaseEntries", "Supplier", "PurchaseEntryLines", 20),
}


@dataclass(frozen=True)
class EntryLine:
    """One line: GLAccount, VATCode, and amounts, negative on a credit note (§3.8)."""

    net: Decimal
    tax: Decimal
    text: str
    account: LedgerAccount
    vat: VatCode

    def body(self) -> dict[str, Any]:
        """Return the line. VATCode is always sent: without it Exact silently takes the GLAccount's own (§5.3c)."""
        line: dict[str, Any] = {
            "GLAccount": self.account.id,
            "AmountFC": self.net,
            "VATCode": self.vat.raw_code,
        }
        if self.text:
            line["Description"] = clipped(self.text, DESCRIPTION_LENGTH_MAX)
        if self.vat.computes_vat:
            line["VATAmountFC"] = self.tax
        return line


@dataclass(frozen=True)
class Entry:
    """One entry, complete but for EntryID and Document."""

    booking: Booking
    terms: Terms
    journal: Journal
    relation_id: str
    lines: tuple[EntryLine, ...]
    number: int | None

    @property
    def family(self) -> Family:
        """Return the names of this side."""
        return FAMILIES[self.booking.side]

    @property
    def total(self) -> Decimal:
        """Return the total including VAT, negative for a credit note (§3.8)."""
        return self.booking.sign * self.booking.total

    @property
    def your_ref(self) -> str:
        """Return the document's number as YourRef; a long one keeps its end, where numbers differ."""
        return your_ref(self.booking.number)

    @property
    def rate(self) -> Decimal | None:
        """Return the rate that is sent; Exact takes its own of the day without one, and where the journal insists on it."""
        return self.booking.exchange_rate if self.journal.own_rate else None

    @property
    def in_euros(self) -> dict[str, str]:
        """Return what is known of the entry in euros: its total by the rate sent, its VAT as the document states it (BT-111)."""
        amounts: dict[str, str] = {}
        if self.rate is not None:
            amounts["AmountDC"] = str(rounded(self.total * self.rate))
        if self.booking.vat_in_euros and all(line.vat.computes_vat for line in self.lines):
            amounts["VATAmountDC"] = str(self.booking.sign * rounded(self.booking.vat_in_euros))
        return amounts

    @property
    def title(self) -> str:
        """Return number and counterparty, for people."""
        return f"{self.booking.number} {self.booking.party.name}"

    def document(self, subject: str) -> dict[str, Any]:
        """Return the Document that carries the files."""
        return {
            "Subject": subject,
            "Type": self.family.document_type,
            "Account": self.relation_id,
            "DocumentDate": self.booking.issued_on,
            "AmountFC": self.total,
            "Currency": self.booking.currency,
        }

    def body(self, entry_id: UUID, document_id: str | None) -> dict[str, Any]:
        """Return the whole entry."""
        booking, family = self.booking, self.family
        body = {
            "EntryID": str(entry_id),
            family.party: self.relation_id,
            "Journal": self.journal.code,
            "EntryDate": booking.issued_on,
            "DueDate": self.terms.due_on,
            "PaymentCondition": self.terms.condition,
            "YourRef": self.your_ref,
            "EntryNumber": self.number,
            "Description": clipped(self.title, DESCRIPTION_LENGTH_MAX),
            "PaymentReference": structured_payment_reference(booking.payment_reference),
            "Currency": booking.currency,
            "Rate": self.rate,
            "Document": document_id,
            family.lines: [line.body() for line in self.lines],
        }
        return {name: value for name, value in body.items() if value is not None}


def line_of(booking: Booking, chosen: ChosenLine[LedgerAccount, VatCode]) -> EntryLine:
    """Return a line of the entry, with the signs that Exact wants (§3.8)."""
    line = chosen.line
    return EntryLine(booking.sign * line.net, booking.sign * line.tax, line.text, chosen.account, chosen.vat_code)


def type_left_open(booking: Booking) -> list[Problem]:
    """Return the warning that a document against the sign of its kind needs: a negative invoice, or a negative credit note.

    Whether Exact derives invoice or credit note from sign or from journal is unproven (§3.8), and each has VAT boxes of its own.
    """
    return [Problem("type_left_open", f"{booking.kind.value}: {booking.total}")] if booking.total < 0 else []


def entry_number_of(number: str) -> int:
    """Return the document's number as entry number (setting ``entry_numbers: document``)."""
    if not re.fullmatch(r"\d{1,10}", number.strip()) or not 0 < int(number) <= ENTRY_NUMBER_MAX:
        raise CannotBook("entry_number_not_numeric", number)
    return int(number)


def differences(expected: Mapping[str, Any], row: Row, lines: Sequence[Row]) -> list[str]:
    """Return what differs between the entry that Exact holds and the one that was sent; empty when booked to the cent.

    ``expected`` is what ``expectation`` returned when the entry was sent. Only fields that were sent are compared (Exact computes
    the VAT of a reverse-charge code itself), and only those that the answer contains.
    """
    found: list[str] = []
    total = values.amount(row.get("AmountFC"))
    if total != Decimal(expected["total"]):
        found.append(f"total {total}, sent {expected['total']}")
    if "Journal" in row and values.text(row["Journal"]) != expected["journal"]:
        found.append(f"journal {values.text(row['Journal'])}, sent {expected['journal']}")
    if expected["party"] in row and odata.same_guid(row[expected["party"]]) != expected["relation_id"].casefold():
        found.append(f"{expected['party'].casefold()} is another relation")
    linked = expected["document_id"]
    if linked and "Document" in row and odata.same_guid(row["Document"]) != linked.casefold():
        found.append("the document is not linked")
    number = values.integer(row.get("EntryNumber"))
    if expected["number"] is not None and number is not None and number != expected["number"]:
        found.append(f"entry number {number}, asked {expected['number']}")
    # Exact may round line by line: a cent for each.
    tolerance = CENT * max(1, len(expected["lines"]))
    for name, euros in expected.get("in_euros", {}).items():
        held = values.amount(row[name]) if row.get(name) is not None else None
        if held is not None and abs(held - Decimal(euros)) > tolerance:
            found.append(f"{name} {held}, expected {euros} EUR")
    kind = values.integer(row.get("Type"))
    if "type" in expected and kind is not None and kind != expected["type"]:
        found.append(f"type {kind}, expected {expected['type']}")
    sent = [_figures_sent(*line) for line in expected["lines"]]
    return found + line_differences(sent, [_figures_held(line) for line in lines])


def expectation(entry: Entry, document_id: str | None) -> dict[str, Any]:
    """Return what reading the entry back must show, as JSON that is saved with the delivery."""
    plain, credit = TYPES[entry.booking.side]
    expected: dict[str, Any] = {
        "total": str(entry.total),
        "journal": entry.journal.code,
        "party": entry.family.party,
        "relation_id": entry.relation_id,
        "document_id": document_id,
        "number": entry.number,
        "in_euros": entry.in_euros,
        "lines": [
            [
                f"{line.account.id.casefold()}|{line.vat.code}",
                str(line.net),
                str(line.tax) if line.vat.computes_vat else None,
            ]
            for line in entry.lines
        ],
    }
    # Whether sign or journal decides the type is unproven (§3.8): only where both agree is one expected.
    if entry.booking.is_credit_note and entry.total < 0:
        expected["type"] = credit
    elif not entry.booking.is_credit_note and entry.total > 0:
        expected["type"] = plain
    return expected


def _figures_sent(key: str, net: str, tax: str | None) -> LineFigures:
    account_id, _, vat_code = key.partition("|")
    return LineFigures(account_id, vat_code, Decimal(net), None if tax is None else Decimal(tax))


def _figures_held(line: Row) -> LineFigures:
    return LineFigures(
        odata.same_guid(line.get("GLAccount")),
        values.text(line.get("VATCode")),
        values.amount(line.get("AmountFC")),
        values.amount(line.get("VATAmountFC")),
    )


def your_ref(number: str) -> str:
    """Return a document number as YourRef: its last 30 characters."""
    return number.strip()[-YOUR_REF_LENGTH_MAX:]
