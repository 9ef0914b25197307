"""From an invoice as JSON to UBL that keeps every rule, or to what is wrong with which business term on which line. Pure."""

import base64
import binascii
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, TypeVar

import koppel_ubl
from koppel_bookkeeping import from_ubl
from koppel_mesh.http.problems import FieldError, HttpProblem
from koppel_mesh.prepared_sql import Record
from koppel_ubl import (
    Address,
    AllowanceCharge,
    Attachment,
    BillingReference,
    BuildError,
    Contact,
    CreditNote,
    Delivery,
    Finding,
    Identifier,
    Invoice,
    Item,
    Line,
    Party,
    PaymentMeans,
    Price,
    Profile,
    Totals,
    VatCategory,
    WriteError,
)
from koppel_ubl.building.amounts import CENT, rounded
from koppel_ubl.identifiers import is_belgian_vat_number, normalise_enterprise_number

from .models import InvoiceAttachment, InvoiceCustomer, InvoiceLine, NewSalesInvoice

Kind = TypeVar("Kind", Invoice, CreditNote)
ERRORS_MAX: Final = 50
_ENTERPRISE_SCHEME: Final = "0208"
_DISCOUNT: Final = "95"
_CREDIT_TRANSFER: Final = "30"
_CASH: Final = "10"
_UNDEFINED: Final = "1"
_ON_LINE: Final = re.compile(r"(?:InvoiceLine|CreditNoteLine)(?:\[(\d+)\])?")
_FIELDS: Final = {
    "BT-1": "number",
    "BT-2": "issue_date",
    "BT-5": "currency",
    "BT-9": "due_date",
    "BT-10": "buyer_reference",
    "BT-13": "order_reference",
    "BT-22": "note",
    "BT-25": "preceding_invoices",
    "BT-44": "customer.name",
    "BT-47": "customer.enterprise_number",
    "BT-48": "customer.vat_number",
    "BT-49": "customer.peppol_id",
    "BT-55": "customer.address.country",
    "BT-72": "delivery_date",
    "BT-84": "payment.iban",
    "BT-113": "paid",
    "BT-114": "rounding",
    "BT-120": "lines",
    "BT-121": "lines",
    "BT-125": "attachments",
    "BT-129": "quantity",
    "BT-130": "unit",
    "BT-133": "ledger_account",
    "BT-146": "price",
    "BT-151": "vat_category",
    "BT-152": "vat_rate",
    "BT-153": "name",
}
"""The field of the request that a business term is made of."""
_OF_LINES: Final = frozenset({"quantity", "unit", "ledger_account", "price", "vat_category", "vat_rate", "name"})


def build(given: NewSalesInvoice, number: str, seller: Record) -> Invoice | CreditNote:
    """Return the document that an invoice as JSON is.

    A customer without an electronic address gets no invoice by Peppol: its invoice keeps the rules of EN 16931.

    Args:
        given: the invoice.
        number: its number, given or made.
        seller: ``name`` and ``enterprise_number`` of the dossier.

    Raises:
        HttpProblem: 422 naming for each broken rule the business term, the field and the line.
    """
    return _build(CreditNote, given, number, seller) if given.is_credit_note else _build(Invoice, given, number, seller)


def _build(kind: type[Kind], given: NewSalesInvoice, number: str, seller: Record) -> Kind:
    draft = _draft(kind, given, number, seller)
    profile: Profile = "peppol-bis-3" if draft.buyer.endpoint else "en16931"
    try:
        made = koppel_ubl.build(
            draft, including_vat_prices=given.prices_include_vat, exchange_rate=given.exchange_rate, profile=profile
        )
    except BuildError as error:
        raise _refused([_broken(finding) for finding in error.findings[:ERRORS_MAX]]) from error
    except WriteError as error:
        raise _refused(
            [FieldError(field=_field_of_path(error.path), xpath=error.path, rule=error.code, message=error.message)]
        ) from error
    if contradicted := _contradicted(given, made):
        raise _refused(contradicted)
    return made


def _draft(kind: type[Kind], given: NewSalesInvoice, number: str, seller: Record) -> Kind:
    return kind(
        number=number,
        issue_date=given.issue_date,
        due_date=given.due_date,
        currency=given.currency,
        notes=(given.note,) if given.note else (),
        # Peppol wants this or an order (PEPPOL-EN16931-R003).
        buyer_reference=given.buyer_reference or (None if given.order_reference else given.customer.code or number),
        order=given.order_reference,
        billing_references=tuple(
            BillingReference(number=one.number, issue_date=one.issue_date) for one in given.preceding_invoices
        ),
        attachments=tuple(_attachment(place, one) for place, one in enumerate(given.attachments)),
        seller=koppel_ubl.party(seller.name, seller.enterprise_number, Address(country="BE")),
        buyer=_buyer(given.customer),
        delivery=_delivery(given),
        payment_means=(_payment(given),),
        totals=Totals(prepaid=given.paid or None, rounding=given.rounding or None),
        lines=tuple(_line(line, including_vat=given.prices_include_vat) for line in given.lines),
    )


def _buyer(given: InvoiceCustomer) -> Party:
    vat = given.vat_number
    number = given.enterprise_number or (
        normalise_enterprise_number(vat) if vat and is_belgian_vat_number(vat) else None
    )
    registration = Identifier(number, _ENTERPRISE_SCHEME) if number else None
    scheme, _, value = (given.peppol_id or "").partition(":")
    where = given.address
    return Party(
        name=given.name,
        endpoint=Identifier(value, scheme) if value else registration,
        registration=registration,
        vat_number=vat,
        customer_number=given.code,
        address=Address(street=where.street, postal_code=where.postal_code, city=where.city, country=where.country),
        contact=Contact(email=given.email) if given.email else None,
    )


def _delivery(given: NewSalesInvoice) -> Delivery | None:
    if given.delivery_date is None:
        return None
    return Delivery(actual_date=given.delivery_date, address=Address(country=given.customer.address.country))


def _payment(given: NewSalesInvoice) -> PaymentMeans:
    if given.payment is not None:
        reference = given.payment.reference
        return PaymentMeans(
            code=_CREDIT_TRANSFER, account=given.payment.iban, references=(reference,) if reference else ()
        )
    return PaymentMeans(code=_CASH if given.paid else _UNDEFINED)


def _line(given: InvoiceLine, *, including_vat: bool) -> Line:
    # A price is never negative (BR-27): what is given back has a negative quantity.
    quantity = given.quantity.copy_negate() if given.price < 0 else given.quantity
    sign = -1 if quantity < 0 else 1
    price = Price(net=abs(given.price))
    discounts: tuple[AllowanceCharge, ...] = ()
    if given.discount and including_vat:
        # Allowances are stated without VAT; here the discount is in the price of all units together.
        price = Price(net=abs(quantity * given.price) - given.discount, base_quantity=abs(quantity))
    elif given.discount:
        discounts = (AllowanceCharge(is_charge=False, amount=given.discount * sign, reason_code=_DISCOUNT),)
    rate = None if given.vat_category == "O" else given.vat_rate if given.vat_rate is not None else Decimal(0)
    return Line(
        quantity=quantity,
        unit=given.unit,
        price=price,
        allowances_charges=discounts,
        accounting_cost=given.ledger_account,
        item=Item(name=given.name, description=given.description),
        vat=VatCategory(
            category=given.vat_category,
            rate=rate,
            exemption_reason=given.exemption_reason,
            exemption_code=given.exemption_code,
        ),
    )


def _attachment(place: int, given: InvoiceAttachment) -> Attachment:
    try:
        content = base64.b64decode(given.content, validate=True)
    except binascii.Error:
        message = "The content is not base64."
        raise _refused([FieldError(field=f"attachments.{place}.content", rule="base64", message=message)]) from None
    return Attachment(
        id=str(place + 1),
        description=given.description,
        file_name=given.file_name,
        media_type=given.media_type,
        content=content,
    )


def total_of(made: Invoice | CreditNote) -> Decimal:
    """Return what a document comes to, including VAT and what is rounded off."""
    return (from_ubl.total_of(made) or Decimal(0)) + (made.totals.rounding or Decimal(0))


def _contradicted(given: NewSalesInvoice, made: Invoice | CreditNote) -> list[FieldError]:
    """Return what the sender states otherwise than it follows from the lines.

    Half a cent of base goes either way where VAT is within the price: 0.14 at 12 % has 0.125 and 0.015 of it. So the sender's
    VAT may be a cent more or less for each rate then; the total may not.
    """
    wrong = []
    vat_total = made.vat_total or Decimal(0)
    vat_slack = CENT * len(made.vat_breakdown) if given.prices_include_vat else Decimal(0)
    for field, stated, worked_out, term, slack in (
        ("total", given.total, total_of(made), "BT-112", Decimal(0)),
        ("total_vat", given.total_vat, vat_total, "BT-110", vat_slack),
    ):
        if stated is not None and abs(stated - worked_out) > slack:
            message = f"{term}: the lines make {worked_out}, stated is {stated}."
            wrong.append(FieldError(field=field, rule="total", message=message))
    for place, line in enumerate(given.lines):
        gross = line.quantity * line.price
        follows = rounded(gross - line.discount if gross >= 0 else gross + line.discount)
        if line.total is not None and line.total != follows:
            message = f"BT-131: quantity, price and discount make {follows}, stated is {line.total} (line {place + 1})."
            wrong.append(FieldError(field=f"lines.{place}.total", rule="line_total", message=message))
    return wrong


def _broken(finding: Finding) -> FieldError:
    place = _ON_LINE.search(finding.path or "")
    line = int(place[1] or 1) if place else None
    where = f" (line {line})" if line is not None else ""
    message = f"{finding.term + ': ' if finding.term else ''}{finding.message}{where}"
    return FieldError(field=_field(finding, line), xpath=finding.path, rule=finding.rule, message=message)


def _field(finding: Finding, line: int | None) -> str | None:
    """Return the field of the request that a finding is about; None where it is about no single one."""
    terms = [term.strip() for term in finding.term.split(",")]
    field = next((_FIELDS[term] for term in terms if term in _FIELDS), None)
    if "AccountingCustomerParty" in (finding.path or ""):
        return _FIELDS["BT-49"] if (finding.path or "").endswith("EndpointID") else field or "customer"
    if line is None:
        return field
    return f"lines.{line - 1}.{field}" if field in _OF_LINES else f"lines.{line - 1}"


def _field_of_path(path: str) -> str | None:
    """Return the field of the request that an element is made of; None where it is of no single one."""
    if found := re.fullmatch(r"lines\[(\d+)\]", path) or _ON_LINE.search(path):
        return f"lines.{int(found[1] or 1) - 1}"
    if "AccountingCustomerParty" in path:
        return "customer"
    return None if "/" in path else path or None


def _refused(errors: Sequence[FieldError]) -> HttpProblem:
    detail = "; ".join(dict.fromkeys(error.message for error in errors[:5]))
    return HttpProblem(422, "invalid_invoice", "This is no valid invoice.", detail, errors=errors)
