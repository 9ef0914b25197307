"""``koppel vat-preview``: which boxes of the Belgian VAT return the amounts of files land in, without a running mesh."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Final

import koppel_ubl
from koppel_bookkeeping import CannotBook, from_ubl
from koppel_bookkeeping.exchange_rates import EURO
from koppel_bookkeeping.parties import number_key
from koppel_bookkeeping.vat_return import ASK, Boxes, vat_return
from koppel_mesh.messages import DocumentKind
from koppel_ubl.identifiers import normalise_enterprise_number

from .user_errors import UserError

_KINDS: Final = {
    ("sale", False): DocumentKind.SALES_INVOICE,
    ("sale", True): DocumentKind.SALES_CREDIT_NOTE,
    ("purchase", False): DocumentKind.PURCHASE_INVOICE,
    ("purchase", True): DocumentKind.PURCHASE_CREDIT_NOTE,
}
_PROFORMA: Final = "325"
_NOT_KNOWN: Final = "?"
_NO_RATE: Final = "It is in {currency} and tells no exact rate; what it does not state in euros is not known."
_SIGNS: Final = "A credit note with a negative total: a person says which sign is meant."


@dataclass(frozen=True)
class Preview:
    """What one file does to the return, and why that is not certain."""

    path: Path
    number: str = ""
    kind: str = ""
    boxes: Boxes = field(default_factory=dict)
    problem: str = ""

    @property
    def is_clear(self) -> bool:
        """Whether every amount has its box."""
        return not self.problem and ASK not in self.boxes and None not in self.boxes.values()


def preview(path: Path, enterprise_number: str, rate_due: Decimal, *, import_deferred: bool) -> Preview:
    """Read a UBL file and return its boxes.

    Args:
        path: the file.
        enterprise_number: of whose return it is; decides whether the file is a sale or a purchase.
        rate_due: in percent, of what the buyer owes the VAT of.
        import_deferred: as in ``vat_return``.
    """
    try:
        content = path.read_bytes()
        kind = _kind(koppel_ubl.read(content), enterprise_number)
        booking = from_ubl.booking(content, kind)
    except OSError as error:
        return Preview(path, problem=error.strerror or str(error))
    except (koppel_ubl.ReadError, CannotBook, UserError) as error:
        return Preview(path, problem=str(error))
    boxes = vat_return(booking, rate_due=rate_due, import_deferred=import_deferred)
    problems = [
        _SIGNS if booking.is_credit_note and booking.total < 0 else "",
        _NO_RATE.format(currency=booking.currency) if None in boxes.values() else "",
    ]
    return Preview(path, booking.number, kind.value, boxes, " ".join(filter(None, problems)))


def dossier_number(written: str) -> str:
    """Return the ten digits of an enterprise number.

    Raises:
        UserError: it is none.
    """
    number = normalise_enterprise_number(written)
    if number is None:
        raise UserError(f"“{written}” is not an enterprise number; it has ten digits and ends in its check digits.")
    return number


def rows_of(previews: Sequence[Preview]) -> Iterator[tuple[str, ...]]:
    """Yield *document, number, kind, box, amount, problem*; of several documents the sum of each box too."""
    sums: dict[str, Decimal | None] = defaultdict(Decimal)
    for one in previews:
        for box, amount in one.boxes.items():
            before = sums[box]
            sums[box] = None if amount is None or before is None else before + amount
            yield one.path.name, one.number, one.kind, box, _written(amount), one.problem
        if not one.boxes:
            yield one.path.name, one.number, one.kind, "", "", one.problem
    if len(previews) > 1:
        for box, total in sorted(sums.items()):
            yield "all", "", "", box, _written(total), ""


def _written(amount: Decimal | None) -> str:
    return f"{_NOT_KNOWN if amount is None else amount} {EURO}"


def _kind(document: koppel_ubl.Document, number: str) -> DocumentKind:
    sells, buys = (number in _numbers(party) for party in (document.seller, document.buyer))
    if not sells and not buys:
        raise UserError(f"Neither the seller nor the buyer is {number}.")
    if document.type_code == _PROFORMA:
        raise UserError("It is a pro forma invoice, which asks for nothing and is not booked.")
    # A till's day is addressed to its own seller, and is a sale.
    return _KINDS["sale" if sells else "purchase", isinstance(document, koppel_ubl.CreditNote)]


def _numbers(party: koppel_ubl.Party) -> set[str]:
    endpoint = party.endpoint.value if party.endpoint is not None else None
    return {number_key(each) for each in (party.enterprise_number, party.vat_number, endpoint)} - {""}
