"""From a booking of the books to what Octopus takes, and what reading it back must show; pure (octopus §2.7, §3).

**Signs.** An invoice has a positive ``amount`` over positive lines. What gives money back, a credit note or a negative invoice,
has a negative ``amount`` over lines that are positive where they contribute to it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from koppel_bookkeeping import Booking, Party, Side
from koppel_bookkeeping.comparison import LineFigures, line_differences
from koppel_bookkeeping.lines import ChosenLine
from koppel_bookkeeping.parties import bare_number
from koppel_bookkeeping.periods import Period
from koppel_bookkeeping.terms import Terms
from koppel_bookkeeping.texts import clipped, structured_payment_reference
from koppel_bookkeeping.vat_situation import Territory, territory_of
from koppel_connector import values

from .master_data import Journal, LedgerAccount, Relation, VatCode
from .rows import Row, identity_of, key_id, key_text

COMMENT_LENGTH_MAX: Final = 100
RATE_PLACES: Final = Decimal("0.0000000001")
OUR_NUMBERS_FROM: Final = 1_000_000_000
OUR_NUMBERS_COUNT: Final = 1_000_000_000
"""The external numbers of relations that Koppel made; other packages count from 1 (octopus §2.4)."""
COMPANY: Final = 8
"""``corporationType`` of companies."""
_VAT_TYPES: Final = {
    Territory.BELGIUM: (1, 7),
    Territory.UNION: (4, 8),
    Territory.OUTSIDE: (6, 9),
}
"""``vatType`` by territory: with a VAT number, and without any number (octopus §2.4)."""
_FIRST_OF: Final[Mapping[Side, str]] = {"sale": "client", "purchase": "supplier"}
_NEVER_BLANK: Final = ("country", "deliveryCountry")
_RELATION_FIELDS: Final[Mapping[str, tuple[str, int | None]]] = {
    "name": ("name", None),
    "streetAndNr": ("street", None),
    "postalCode": ("postcode", None),
    "city": ("city", None),
    "country": ("country", None),
    "email": ("email", None),
    "telephone": ("phone", None),
    "vatNr": ("vat_number", None),
}


@dataclass(frozen=True)
class Posting:
    """One buy/sell booking, complete but for its number."""

    booking: Booking
    journal: Journal
    period: Period
    relation_id: str
    due_on: date
    exchange_rate: Decimal
    lines: tuple[ChosenLine[LedgerAccount, VatCode], ...]

    @property
    def amount(self) -> Decimal:
        """Return the total including VAT; negative where money is given back."""
        return self.booking.sign * self.booking.total

    def body(self, number: int, reference: str) -> dict[str, Any]:
        """Return the booking under a number.

        Args:
            number: of the document in its journal and bookyear.
            reference: ours, by which it is found again.
        """
        booking = self.booking
        return {
            "bookyearKey": {"id": self.period.year},
            "journalKey": self.journal.code,
            "documentSequenceNr": number,
            "relationIdentificationServiceData": {
                "relationKey": {"id": int(self.relation_id)},
                "externalRelationId": 0,
            },
            "bookyearPeriodeNr": self.period.number,
            "documentDate": booking.issued_on,
            "expiryDate": self.due_on,
            "comment": booking.number,
            "reference": structured_payment_reference(booking.payment_reference) or "",
            "orderReference": reference,
            "amount": self.amount,
            "currencyCode": booking.currency,
            "exchangeRate": self.exchange_rate,
            "paymentMethod": 0,
            "bookingLines": self.booking_lines(),
        }

    def booking_lines(self) -> list[dict[str, Any]]:
        """Return one line for each account, VAT code, with VAT or without, and share of it that is claimed back, in order."""
        sign = self.booking.sign * (-1 if self.amount < 0 else 1)
        lines: dict[tuple[str, str, bool, Decimal], dict[str, Any]] = {}
        for chosen in self.lines:
            line, account = chosen.line, chosen.account
            # The share that is claimed back is of purchases; a sale owes the whole of its VAT (octopus §2.7).
            claimed = Decimal(100)
            if self.booking.side == "purchase":
                claimed = account.recoverable_percent * (100 - line.non_deductible_percent) / 100
            body = lines.setdefault(
                (account.code, chosen.vat_code.code, chosen.vat_code.computes_vat, claimed),
                {
                    "accountKey": int(account.code),
                    "baseAmount": Decimal(0),
                    "vatCodeKey": chosen.vat_code.code,
                    "vatAmount": Decimal(0),
                    "comment": clipped(line.text, COMMENT_LENGTH_MAX),
                    "vatRecupPercentage": claimed,
                },
            )
            body["baseAmount"] += sign * line.net
            body["vatAmount"] += sign * line.tax
        used = [body for body in lines.values() if body["baseAmount"] or body["vatAmount"]]
        return used or list(lines.values())[:1]


def due_on(booking: Booking, terms: Terms, relation: Relation) -> date:
    """Return the due date, which Octopus always wants (-18)."""
    if terms.due_on is not None:
        return terms.due_on
    days = relation.days_until_due if terms.condition is None else int(terms.condition)
    return booking.issued_on + timedelta(days=days or 0)


def quoted(rate: Decimal | None, quotation: str) -> Decimal:
    """Return an exchange rate as the dossier reads it: euros for one unit of the currency, or the other way round."""
    if rate is None:
        return Decimal("1.0")
    return rate if quotation == "euros_per_unit" else (1 / rate).quantize(RATE_PLACES)


# ── read back ──


def expectation(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what reading the booking back must show, as JSON that is saved with the delivery."""
    return {
        "bookyear": body["bookyearKey"]["id"],
        "journal": body["journalKey"],
        "number": body["documentSequenceNr"],
        "period": body["bookyearPeriodeNr"],
        "relation_id": str(body["relationIdentificationServiceData"]["relationKey"]["id"]),
        "document": body["comment"],
        "currency": body["currencyCode"],
        "amount": str(body["amount"]),
        "lines": [[str(each) for each in _figures(line)] for line in body["bookingLines"]],
    }


def differences(expected: Mapping[str, Any], row: Row) -> list[str]:
    """Return what differs between the booking that Octopus holds and the one that was sent; empty when booked to the cent.

    ``expected`` is what ``expectation`` returned when it was sent. Only what the answer tells is compared; null is not told.
    """
    found = []
    amount, lines = values.amount(row.get("amount")), row.get("bookingLines")
    # An answer with neither proves nothing.
    if amount != Decimal(expected["amount"]) and not (amount is None and lines):
        found.append(f"amount {amount}, sent {expected['amount']}")
    if (relation := relation_of(row)) is not None and str(relation) != expected["relation_id"]:
        found.append(f"relation {relation}, sent {expected['relation_id']}")
    told = {"period": values.integer(row.get("bookyearPeriodeNr")), "currency": values.text(row.get("currencyCode"))}
    for name, held in told.items():
        if held and held != expected[name]:
            found.append(f"{name} {held}, sent {expected[name]}")
    if lines is not None:
        sent = [_line_figures(*line) for line in expected["lines"]]
        found += line_differences(sent, [_line_figures(*_figures(line)) for line in lines])
    return found


def relation_of(row: Row) -> int | None:
    """Return the key of the relation that a booking stands on; None where the answer has none."""
    return key_id(identity_of(row).get("relationKey"))


def _figures(line: Mapping[str, Any]) -> tuple[Any, Any, Any, Any]:
    return line.get("accountKey"), line.get("vatCodeKey"), line.get("baseAmount"), line.get("vatAmount")


def _line_figures(account: Any, vat_code: Any, base: Any, tax: Any) -> LineFigures:
    return LineFigures(str(key_id(account)), key_text(vat_code), values.amount(base), values.amount(tax))


# ── relations ──


def external_number(identity: str, attempt: int) -> int:
    """Return the external number under which a party is made: the same for the same party; another for each attempt."""
    digest = hashlib.sha256(f"{identity}/{attempt}".encode()).digest()
    return OUR_NUMBERS_FROM + int.from_bytes(digest[:8]) % OUR_NUMBERS_COUNT


def creation(party: Party, side: Side, number: int) -> dict[str, Any]:
    """Return a new relation; a field that is not known is left out, for an empty country is refused (octopus §2.4)."""
    territory, number_of = territory_of(party), bare_number(party.vat_number)
    payer, private = _VAT_TYPES[territory]
    vat_type = payer if number_of else private
    if not number_of and (number_of := bare_number(party.enterprise_number)):
        # In Belgium the two are one, and Octopus takes no relation whose type is unknown.
        vat_type = payer
    if number_of[:1].isdigit() and territory is Territory.BELGIUM:
        number_of = f"BE{number_of}"
    country = party.country.strip().upper() or ("BE" if territory is Territory.BELGIUM else "")
    return {
        "relationIdentificationServiceData": {"externalRelationId": number},
        **replace(party, country=country, vat_number=number_of).written(_RELATION_FIELDS),
        **{role: role == _FIRST_OF[side] for role in _FIRST_OF.values()},
        "active": True,
        "vatType": vat_type,
        **({"corporationType": COMPANY} if number_of else {}),
        "currencyCode": "EUR",
    }


def with_role(row: Row, side: Side) -> Row:
    """Return a relation as Octopus holds it with one role more; every other field stays (R097, R099).

    A country that is blank is left out: absent it may be, but not blank (octopus §2.4).
    """
    blank = {name for name in _NEVER_BLANK if not values.text(row.get(name)).strip()}
    return {**{name: value for name, value in row.items() if name not in blank}, _FIRST_OF[side]: True}
