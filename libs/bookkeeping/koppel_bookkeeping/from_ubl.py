"""From UBL: what dossier-api tells of a document, and what there is to book.

Both read one ``koppel_ubl.Document``, so that a line has the same id and a total the same meaning at both ends.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from decimal import Decimal
from typing import Final, TypeVar

import koppel_ubl
from koppel_mesh.messages import DocumentKind
from koppel_ubl.model import NO_VAT, VatCategory

from .amounts import CENT, ZERO, negated, percent_of, rounded, total_of_all
from .booking import Booking, BookingLine, EmbeddedFile, VatAmount, VatGroup, in_cents, with_vat
from .document import Counterparty, DocumentLine, VatTotal
from .exchange_rates import EURO, rate_of_vat
from .parties import Party, bare_number, number_key
from .reasons import CannotBook, Reason
from .sides import SIDES
from .vat_categories import DUE_BY_BUYER, STANDARD, UNRATED, category_of, is_rated

TEXT_LENGTH_MAX: Final = 200
_VAT_SCHEMES: Final = "99"
"""How the electronic address schemes (EAS) begin that hold VAT numbers, such as 9930 in Germany."""
_FOREIGN_VAT_NUMBER: Final = re.compile(r"(?!BE)[A-Z]{2}[A-Z0-9]*\d[A-Z0-9]*")
D = TypeVar("D", bound=koppel_ubl.Document)


# ── what dossier-api tells ──


def total_of(document: koppel_ubl.Document) -> Decimal | None:
    """Return what was invoiced including VAT (BT-112), whatever was paid or rounded; None when the document has no total.

    Older documents state only what is to be paid, and what was paid already.
    """
    totals = document.totals
    if totals.with_vat is not None or totals.payable is None:
        return totals.with_vat
    return total_of_all((totals.payable, totals.prepaid or ZERO, negated(totals.rounding or ZERO)))


def counterparty_of(party: koppel_ubl.Party) -> Counterparty:
    """Return a party as the document of dossier-api tells it."""
    return Counterparty(
        name=_short(party.name), enterprise_number=party.enterprise_number, vat_number=_short(vat_number_of(party))
    )


def vat_number_of(party: koppel_ubl.Party) -> str | None:
    """Return the VAT number of a party (BT-31, BT-48) as written, else a foreign one in its electronic address."""
    if bare_number(party.vat_number) or party.endpoint is None:
        return party.vat_number
    address = bare_number(party.endpoint.value)
    in_scheme = (party.endpoint.scheme or "").startswith(_VAT_SCHEMES)
    return address if in_scheme and _FOREIGN_VAT_NUMBER.fullmatch(address) else party.vat_number


def lines_of(document: koppel_ubl.Document) -> list[DocumentLine]:
    """Return the lines; one without an id is known by its place, from 1."""
    return [
        DocumentLine(
            id=line.id or str(position),
            description=_short(line.item.name or line.item.description),
            net=line.net,
            vat_category=line.vat.category,
            vat_rate=line.vat.rate,
            accounting_cost=_short(line.accounting_cost),
        )
        for position, line in enumerate(document.lines, start=1)
    ]


def vat_of(document: koppel_ubl.Document) -> list[VatTotal]:
    """Return the VAT by category and rate (BG-23)."""
    return [
        VatTotal(category=each.category or "", rate=each.rate, base=each.taxable, tax=each.tax)
        for each in document.vat_breakdown
    ]


def _short(text: str | None) -> str | None:
    return text[:TEXT_LENGTH_MAX] if text else None


# ── what there is to book ──


def booking(ubl: bytes, kind: DocumentKind, *, signs_reversed: bool = False) -> Booking:
    """Read a document and return what there is to book, amounts as on paper.

    Args:
        ubl: the file.
        kind: what the dossier says that it is.
        signs_reversed: whether a person said that its amounts stand with the wrong sign.

    Raises:
        CannotBook: it is no UBL, misses what an entry needs, contradicts itself, or does not add up.
    """
    if kind not in SIDES:
        raise CannotBook(Reason.KIND_NOT_SUPPORTED, kind.value)
    try:
        document = koppel_ubl.read(ubl)
    except koppel_ubl.ReadError as error:
        raise CannotBook(Reason.DOCUMENT_UNREADABLE, str(error)) from error
    if signs_reversed:
        document = reverse_signs(document)
    if not document.number or document.issue_date is None or not document.currency:
        raise CannotBook(Reason.DOCUMENT_UNREADABLE, "number, date or currency is missing")
    if document.other_currencies:
        others = ", ".join(document.other_currencies)
        raise CannotBook(Reason.DOCUMENT_CURRENCY_UNCLEAR, f"document {document.currency.upper()}, amounts {others}")
    if (total := total_of(document)) is None:
        raise CannotBook(Reason.DOCUMENT_UNREADABLE, "no total")
    ours, theirs = (document.seller, document.buyer) if SIDES[kind] == "sale" else (document.buyer, document.seller)
    written = [*_lines(document), *_adjustments(document)]
    lines = _in_cents(written, document)
    stated = [
        VatAmount(category_of(group.category, group.rate), group.rate, rounded(group.taxable), rounded(group.tax))
        for group in document.vat_breakdown
    ] or _vat_of_lines(lines, rounded(total))
    return Booking(
        kind=kind,
        number=document.number,
        issued_on=document.issue_date,
        due_on=document.due_date,
        currency=document.currency.upper(),  # small letters break BR-CL-04, and name the same currency
        total=rounded(total),
        party=_party(theirs, ours),
        lines=with_vat(*_as_charged(lines, stated)),
        prepaid=rounded(document.totals.prepaid or ZERO),
        rounding=rounded(document.totals.rounding or ZERO),
        payment_reference=document.payment_reference,
        payment_terms=document.payment_terms,
        document_reference=document.accounting_cost,
        exchange_rate=_exchange_rate(document, total),
        vat_in_euros=_vat_in_euros(document),
        embedded=_embedded(document),
    )


def _in_cents(lines: Sequence[BookingLine], document: koppel_ubl.Document) -> list[BookingLine]:
    """Return the lines in cents, which make the sums by rate (BT-116), or without a breakdown the one sum there is (BT-109)."""
    bases: dict[VatGroup, Decimal] = defaultdict(Decimal)
    for each in document.vat_breakdown:
        bases[category_of(each.category, each.rate), each.rate or Decimal(0)] += rounded(each.taxable)
    added_first, without_vat = in_cents(lines, bases), document.totals.without_vat
    if bases or without_vat is None or _nets(added_first) == rounded(without_vat):
        return added_first
    rounded_first = [replace(line, net=rounded(line.net)) for line in lines]
    return rounded_first if _nets(rounded_first) == rounded(without_vat) else added_first


def _nets(lines: Sequence[BookingLine]) -> Decimal:
    return total_of_all(line.net for line in lines)


def _vat_of_lines(lines: Sequence[BookingLine], total: Decimal) -> list[VatAmount]:
    """Return the VAT by category and rate of a document without a breakdown (BR-CO-18), from what its lines say.

    It is the VAT that makes the total: a cent of rounding for each line goes to the only rate.
    """
    nets: dict[VatGroup, Decimal] = defaultdict(Decimal)
    for line in lines:
        nets[line.group] += line.net
    found = [
        VatAmount(category, rate, net, percent_of(net, rate) if is_rated(category, rate) else ZERO)
        for (category, rate), net in nets.items()
    ]
    left = total - sum((each.base + each.tax for each in found), ZERO)
    rated = [each for each in found if each.tax]
    if left and len(rated) == 1 and abs(left) <= CENT * len(lines):
        return [replace(each, tax=each.tax + left) if each is rated[0] else each for each in found]
    return found


def _as_charged(lines: Sequence[BookingLine], stated: Sequence[VatAmount]) -> tuple[list[BookingLine], list[VatAmount]]:
    """Return lines and VAT, those under a category of 0 % or exempt that charge VAT all the same as the standard rate.

    The payer pays it. Reverse charge with VAT contradicts itself, and stays as it is.
    """
    charged = {each.group for each in stated if each.tax and each.rate and each.category in UNRATED - DUE_BY_BUYER}
    return (
        [
            replace(line, category=STANDARD, exemption_code=None, exemption_reason=None)
            if line.group in charged
            else line
            for line in lines
        ],
        [replace(each, category=STANDARD) if each.group in charged else each for each in stated],
    )


def reverse_signs(document: D) -> D:
    """Return the document with every amount that is booked of the other sign; prices and rates stay."""
    totals = document.totals
    return replace(
        document,
        totals=replace(totals, **{each.name: _negated(getattr(totals, each.name)) for each in fields(totals)}),
        vat_total=_negated(document.vat_total),
        vat_total_in_tax_currency=_negated(document.vat_total_in_tax_currency),
        vat_breakdown=tuple(
            replace(each, taxable=negated(each.taxable), tax=negated(each.tax)) for each in document.vat_breakdown
        ),
        allowances_charges=tuple(replace(each, amount=negated(each.amount)) for each in document.allowances_charges),
        lines=tuple(replace(line, net=_negated(line.net)) for line in document.lines),
    )


def _negated(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else negated(amount)


def _lines(document: koppel_ubl.Document) -> Iterator[BookingLine]:
    """Yield the lines; what a line allows or charges itself is inside its net (BT-131)."""
    for position, line in enumerate(document.lines, start=1):
        line_id = line.id or str(position)
        if line.net is None:
            raise CannotBook(Reason.DOCUMENT_TOTALS_WRONG, f"line {line_id} has no amount")
        text = line.item.name or line.item.description or ""
        booked = _line(line_id, line.net, _vat(line.vat, document), text, line.accounting_cost)
        classifications = tuple((one.scheme or "", one.value) for one in line.item.classifications)
        yield replace(booked, unit=line.unit, classifications=classifications)


def _adjustments(document: koppel_ubl.Document) -> Iterator[BookingLine]:
    """Yield allowances and charges of the whole document (BG-20, BG-21) as lines of their own."""
    for one in document.allowances_charges:
        text = one.reason or ("Charge" if one.is_charge else "Allowance")
        yield _line(None, one.signed_amount, _vat(one.vat or NO_VAT, document), text, one.accounting_cost)


def _line(line_id: str | None, net: Decimal, vat: VatCategory, text: str, reference: str | None) -> BookingLine:
    return BookingLine(
        line_id,
        net,
        category_of(vat.category, vat.rate),
        vat.rate,
        text,
        reference,
        exemption_code=vat.exemption_code,
        vat_name=vat.name,
        exemption_reason=vat.exemption_reason,
    )


def _vat(own: VatCategory, document: koppel_ubl.Document) -> VatCategory:
    """Return the VAT of a line, allowance or charge, with what it leaves out taken from the breakdown (BG-23).

    What states no category (BR-CO-04, BR-32, BR-37) or no rate has that of the document, where the document has only one to
    take. The reason of an exemption is stated in the breakdown alone (BT-121).
    """
    groups = [
        group
        for group in document.vat_breakdown
        if own.category in {None, group.category} and (own.rate is None or own.rate == (group.rate or 0))
    ]
    if len(groups) != 1:
        return own
    group = groups[0]
    return VatCategory(
        category=own.category or group.category,
        rate=group.rate if own.rate is None else own.rate,
        exemption_code=own.exemption_code or group.exemption_code,
        exemption_reason=own.exemption_reason or group.exemption_reason,
        name=own.name or group.name,
    )


def _party(theirs: koppel_ubl.Party, ours: koppel_ubl.Party) -> Party:
    """Return the counterparty. The dossier's own number on the other side (daily receipts) identifies nobody."""
    vat, enterprise = vat_number_of(theirs) or "", theirs.enterprise_number or ""
    own = {number_key(ours.vat_number), number_key(ours.enterprise_number)} - {""}
    address, contact = theirs.address, theirs.contact
    return Party(
        name=(theirs.name or theirs.trade_name or "").strip(),
        vat_number="" if number_key(vat) in own else vat,
        enterprise_number="" if number_key(enterprise) in own else enterprise,
        code=(theirs.customer_number or "").strip(),
        street=(address.street if address else None) or "",
        postcode=(address.postal_code if address else None) or "",
        city=(address.city if address else None) or "",
        country=(address.country if address else None) or "",
        email=(contact.email if contact else None) or "",
        phone=(contact.telephone if contact else None) or "",
    )


def _embedded(document: koppel_ubl.Document) -> tuple[EmbeddedFile, ...]:
    picture = document.picture
    files = [
        EmbeddedFile(
            each.content,
            each.file_name or each.id or "",
            each.actual_media_type,
            is_picture=each is picture,
            is_named_so=each is picture and document.names_itself_in(each),
        )
        for each in document.attachments
        if each.content
    ]
    return tuple(sorted(files, key=lambda file: not file.is_picture))


def _exchange_rate(document: koppel_ubl.Document, total: Decimal) -> Decimal | None:
    """Return euros for one unit of the document's currency, where both VAT totals tell."""
    foreign, euros = document.vat_total, _vat_in_euros(document)
    return None if foreign is None or euros is None else rate_of_vat(foreign, euros, total)


def _vat_in_euros(document: koppel_ubl.Document) -> Decimal | None:
    """Return the VAT in euros of a document in another currency (BT-111)."""
    is_foreign = (document.currency or "").upper() != EURO and (document.tax_currency or "").upper() == EURO
    euros, foreign = document.vat_total_in_tax_currency, document.vat_total
    if not is_foreign or euros is None or foreign is None:
        return euros if is_foreign else None
    return euros.copy_sign(foreign)  # some senders turn the sign of one of them (PEPPOL-EN16931-R055)
