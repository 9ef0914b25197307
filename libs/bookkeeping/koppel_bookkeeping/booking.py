"""One document as there is to book, free of its format and of any vendor, verified to the cent.

**Signs.** Amounts stand as on paper. What an invoice asks is positive, and what a credit note gives back is positive as
well: a credit note of 121.00 has ``total`` 121.00, and its kind says what it is. A line that reduces its document (an
allowance, a returned good) is negative, and so is every amount of a negative invoice. ``Booking.sign`` turns paper into
books: a ledger whose credit notes are negative multiplies every amount by it, a ledger that wants a negative total over
positive lines multiplies the total alone.

**What is part of it.** The total is the invoice's total including VAT (BT-112). What was paid in advance (BT-113) or rounded
at the till (BT-114) changes what is still to be paid, not what was invoiced; the payment closes the difference.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from koppel_mesh.messages import DocumentKind

from .amounts import ZERO, rounded, spread, to_cents
from .parties import Party
from .reasons import CannotBook, Reason
from .sides import CREDIT_NOTES, SIDES, Side

VatGroup = tuple[str, Decimal]
"""Category and rate; no rate is 0, so that ``E`` and ``E at 0 %`` are one."""


@dataclass(frozen=True)
class BookingLine:
    """One amount to book: an invoice line, or an allowance or charge of the whole document."""

    line_id: str | None
    """The line's id in dossier-api's document; None for an allowance or charge of the document."""
    net: Decimal
    category: str
    """One of ``vat_categories.CATEGORIES``."""
    rate: Decimal | None
    """In percent."""
    text: str
    reference: str | None = None
    """What the sender wrote as the buyer's booking reference (BT-133)."""
    tax: Decimal = ZERO
    """VAT charged by the seller, this line's part of its group's."""
    non_deductible_percent: Decimal = Decimal(0)
    """Which part of the VAT the buyer may not deduct, where the books know; it is cost then."""
    exemption_code: str | None = None
    """Why no VAT is charged, as a code (BT-121)."""
    vat_name: str | None = None
    """The VAT code of Belgian books that UBL.BE writes as the name of the category (ubl §11)."""
    exemption_reason: str | None = None
    """Why no VAT is charged, in words (BT-120)."""
    unit: str | None = None
    """BT-130."""
    classifications: tuple[tuple[str, str], ...] = ()
    """List (UNTDID 7143) and code of what was sold (BT-158)."""

    @property
    def group(self) -> VatGroup:
        """Return category and rate."""
        return self.category, self.rate or Decimal(0)

    @property
    def non_deductible_tax(self) -> Decimal:
        """Return the part of the VAT that is cost."""
        return rounded(self.tax * self.non_deductible_percent / 100)

    @property
    def deductible_tax(self) -> Decimal:
        """Return the part of the VAT that is claimed back; with ``cost`` it makes net and VAT, to the cent."""
        return self.tax - self.non_deductible_tax

    @property
    def cost(self) -> Decimal:
        """Return what the line costs: its net, and the VAT that cannot be deducted."""
        return self.net + self.non_deductible_tax


@dataclass(frozen=True)
class VatAmount:
    """The VAT of one category and rate, as the document states it (BG-23)."""

    category: str
    rate: Decimal | None
    base: Decimal
    tax: Decimal

    @property
    def group(self) -> VatGroup:
        """Return category and rate, comparable with a line's."""
        return self.category, self.rate or Decimal(0)


@dataclass(frozen=True)
class EmbeddedFile:
    """A file inside the document (BG-24)."""

    content: bytes = field(repr=False)
    name: str = ""
    """Its name without folders, or what the sender calls it; may be empty."""
    media_type: str = ""
    """What the content is, else what the sender declared, in small letters; may be empty."""
    is_picture: bool = False
    """Whether it shows the document itself, as far as is known."""
    is_named_so: bool = False
    """Whether the sender says so; the first PDF of a document without such names may be anything."""


@dataclass(frozen=True)
class Booking:
    """One document as the books see it. Making one raises ``CannotBook`` where lines and VAT do not make its total."""

    kind: DocumentKind
    number: str
    issued_on: date
    due_on: date | None
    currency: str
    total: Decimal
    """Including VAT (BT-112), in ``currency``."""
    party: Party
    lines: tuple[BookingLine, ...]
    prepaid: Decimal = ZERO
    """BT-113."""
    rounding: Decimal = ZERO
    """BT-114."""
    payment_reference: str | None = None
    payment_terms: str | None = None
    """BT-20, as written."""
    document_reference: str | None = None
    """What the sender wrote as the buyer's booking reference of the whole document (BT-19)."""
    exchange_rate: Decimal | None = None
    """Euros for one unit of ``currency``, where the document tells."""
    vat_in_euros: Decimal | None = None
    """The VAT in euros of a document in another currency (BT-111), where it tells."""
    embedded: tuple[EmbeddedFile, ...] = ()
    """Files inside the document, the picture of the document itself first."""

    def __post_init__(self) -> None:
        """Refuse what does not add up."""
        if self.kind not in SIDES:
            raise CannotBook(Reason.KIND_NOT_SUPPORTED, self.kind.value)
        booked = sum((line.net + line.tax for line in self.lines), Decimal(0))
        if booked != self.total:
            raise CannotBook(
                Reason.DOCUMENT_TOTALS_WRONG, f"lines and VAT make {booked}, the document says {self.total}"
            )

    @property
    def side(self) -> Side:
        """Return the side of the books."""
        return SIDES[self.kind]

    @property
    def is_credit_note(self) -> bool:
        """Whether the document is a credit note by kind; a negative invoice is none."""
        return self.kind in CREDIT_NOTES

    @property
    def sign(self) -> int:
        """Return what paper is multiplied by to become books: -1 for a credit note, else 1."""
        return -1 if self.is_credit_note else 1

    @property
    def payable(self) -> Decimal:
        """Return what is still to be paid (BT-115)."""
        return self.total - self.prepaid + self.rounding

    @property
    def vat(self) -> tuple[VatAmount, ...]:
        """Return base and VAT by category and rate, in the order in which the lines first name them."""
        groups: dict[VatGroup, list[BookingLine]] = defaultdict(list)
        for line in self.lines:
            groups[line.group].append(line)
        return tuple(
            VatAmount(
                lines[0].category,
                lines[0].rate,
                sum((line.net for line in lines), Decimal(0)),
                sum((line.tax for line in lines), Decimal(0)),
            )
            for lines in groups.values()
        )


def in_cents(lines: Iterable[BookingLine], bases: Mapping[VatGroup, Decimal]) -> list[BookingLine]:
    """Return the lines with nets in cents, which make what those of their group make together.

    Books know cents alone. A sender that writes more decimals in a line (against BR-DEC-23) adds up before it rounds; one that
    rounded each line first is followed where its base says so.

    Args:
        lines: with nets as written.
        bases: what the document states as the sum of a group, in cents, where it does (BT-116).
    """
    result = list(lines)
    for group, indexes in _by_group(result).items():
        cents = to_cents([result[index].net for index in indexes], bases.get(group))
        for index, net in zip(indexes, cents, strict=True):
            result[index] = replace(result[index], net=net)
    return result


def _by_group(lines: Sequence[BookingLine]) -> dict[VatGroup, list[int]]:
    groups: dict[VatGroup, list[int]] = defaultdict(list)
    for index, line in enumerate(lines):
        groups[line.group].append(index)
    return groups


def with_vat(lines: Sequence[BookingLine], stated: Iterable[VatAmount]) -> tuple[BookingLine, ...]:
    """Return the lines with each group's VAT spread over them; raise for VAT that no line carries."""
    tax_of: dict[VatGroup, Decimal] = defaultdict(Decimal)
    for vat in stated:
        tax_of[vat.group] += vat.tax
    result = list(lines)
    for group, indexes in _by_group(lines).items():
        tax, nets = rounded(tax_of.pop(group, Decimal(0))), [lines[index].net for index in indexes]
        taxes = spread(tax, nets, group[1])
        for index, tax in zip(indexes, taxes, strict=True):
            result[index] = replace(lines[index], tax=tax)
    if any(tax_of.values()):
        without = ", ".join(category for category, _ in tax_of)
        raise CannotBook(Reason.DOCUMENT_TOTALS_WRONG, f"VAT without lines: {without}")
    return tuple(result)


def vat_due_by_buyer(lines: Sequence[BookingLine], percentage: Decimal) -> list[Decimal]:
    """Return the VAT that the buyer owes on each line, for a ledger that wants to be told.

    The invoice shows 0 %; ``percentage`` is what the goods or services carry in the buyer's country. It is rounded once, on
    the sum of ``lines``, and the parts make that sum.
    """
    base = sum((line.net for line in lines), Decimal(0))
    return spread(rounded(base * percentage / 100), [line.net for line in lines], percentage)
