"""Builds a document that keeps every rule from a draft."""

from dataclasses import fields, replace
from decimal import Decimal
from typing import Final, TypeVar

from koppel_ubl.checking import Profile, check
from koppel_ubl.errors import BuildError, WriteError
from koppel_ubl.model import AllowanceCharge, CreditNote, Document, Invoice, Line, Totals
from koppel_ubl.writing.document import write

from . import amounts, including_vat

Kind = TypeVar("Kind", Invoice, CreditNote)

_STANDARD: Final = "urn:cen.eu:en16931:2017"
_Specification = tuple[str, str | None]
_BILLING: Final[_Specification] = (
    f"{_STANDARD}#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0",
    "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0",
)
_SELF_BILLING: Final[_Specification] = (
    f"{_STANDARD}#compliant#urn:fdc:peppol.eu:2017:poacc:selfbilling:3.0",
    "urn:fdc:peppol.eu:2017:poacc:selfbilling:01:1.0",
)
_TYPE_CODES: Final[dict[type[Document], str]] = {Invoice: "380", CreditNote: "381"}
_SELF_BILLED: Final = frozenset({"389", "261"})
_HOME_CURRENCY: Final = "EUR"


def build(
    draft: Kind,
    *,
    including_vat_prices: bool = False,
    exchange_rate: Decimal | None = None,
    profile: Profile = "peppol-bis-3",
) -> Kind:
    """Work out everything that follows from a draft, and refuse what breaks a rule.

    Worked out: line numbers and net amounts, the VAT breakdown, every total, the type code, the currency and the identifiers of
    the specification (those of self-billing for types 389 and 261). Whether a category is exempt, and why, follows from the
    ``vat`` of its lines. What the draft states already is kept, and refused where it does not follow.

    Args:
        draft: at least number, dates, parties and lines; ``totals`` may hold what was prepaid.
        including_vat_prices: the prices of the lines include VAT; see ``including_vat``.
        exchange_rate: euros for one unit of the document's currency; gives VAT in euros (BT-111), which Belgium wants.
        profile: the rules to keep.

    Raises:
        BuildError: it would break a rule; ``findings`` names each, with its sentence.
        WriteError: something is missing that the schema wants.
    """
    document = _due(_specified(draft, profile))
    if including_vat_prices:
        document = _without_vat(document)
    document = _with_amounts(document)
    document = _with_home_vat(document, exchange_rate)
    broken = check(write(document), profile).errors
    if broken:
        raise BuildError(broken)
    return document


def _specified(draft: Kind, profile: Profile) -> Kind:
    type_code = draft.type_code or _TYPE_CODES[type(draft)]
    customization, process = _SELF_BILLING if type_code in _SELF_BILLED else _BILLING
    if profile == "en16931":
        customization, process = _STANDARD, None
    return replace(
        draft,
        type_code=type_code,
        currency=draft.currency or _HOME_CURRENCY,
        customization_id=draft.customization_id or customization,
        profile_id=draft.profile_id or process,
    )


def _due(document: Kind) -> Kind:
    """Put the due date of a credit note where UBL has it: with the first payment means."""
    if not issubclass(type(document), CreditNote) or document.due_date is None or not document.payment_means:
        return document
    first, *others = document.payment_means
    if first.due_date is not None:
        return document
    return replace(document, payment_means=(replace(first, due_date=document.due_date), *others))


def _without_vat(document: Kind) -> Kind:
    if document.allowances_charges:
        sentence = "Where prices include VAT, allowances and charges are lines of their own."
        raise WriteError("including_vat", sentence, "allowances_charges")
    lines, taxes = including_vat.without_vat(document.lines)
    breakdown = tuple(replace(one, tax=taxes[one.category, one.rate]) for one in amounts.vat_breakdown(lines, ()))
    return replace(document, lines=lines, vat_breakdown=document.vat_breakdown or breakdown)


def _with_amounts(document: Kind) -> Kind:
    priced = [_numbered(line, number) for number, line in enumerate(document.lines, 1)]
    breakdown = document.vat_breakdown or amounts.vat_breakdown(priced, document.allowances_charges)
    vat_total = sum((one.tax for one in breakdown), amounts.ZERO)
    worked_out = amounts.totals(priced, document.allowances_charges, vat_total, document.totals)
    stated = {one.name: value for one in fields(Totals) if (value := getattr(document.totals, one.name)) is not None}
    return replace(
        document,
        lines=tuple(replace(line, vat=amounts.without_exemption(line.vat)) for line in priced),
        allowances_charges=tuple(_plain(one) for one in document.allowances_charges),
        vat_breakdown=breakdown,
        vat_total=vat_total if document.vat_total is None else document.vat_total,
        totals=replace(worked_out, **stated),
    )


def _numbered(line: Line, number: int) -> Line:
    net = amounts.line_net(line) if line.net is None else line.net
    quantity = Decimal(1) if line.quantity is None else line.quantity
    return replace(line, id=line.id or str(number), quantity=quantity, unit=line.unit or "C62", net=net)


def _plain(one: AllowanceCharge) -> AllowanceCharge:
    return one if one.vat is None else replace(one, vat=amounts.without_exemption(one.vat))


def _with_home_vat(document: Kind, rate: Decimal | None) -> Kind:
    """State VAT in euros where the document is in another currency (BT-6 and BT-111, BR-53)."""
    if document.currency == _HOME_CURRENCY or document.vat_total_in_tax_currency is not None:
        return document
    if rate is None or document.vat_total is None:
        if document.seller.enterprise_number is None or not document.vat_total:
            return document
        sentence = "A Belgian seller states VAT in euros too: give the exchange rate."
        raise WriteError("exchange_rate", sentence, "exchange_rate")
    in_euros = amounts.rounded(document.vat_total * rate)
    return replace(document, tax_currency=_HOME_CURRENCY, vat_total_in_tax_currency=in_euros)
