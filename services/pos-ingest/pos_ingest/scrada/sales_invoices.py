"""Sales invoices of other programs: taken as external invoices, shown as UBL, and what became of sending them."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC
from decimal import Decimal
from typing import Annotated, Any, Final

from fastapi import Response
from pydantic import Field, ValidationError

from koppel_mesh.http.problems import HttpProblem
from pos_ingest.closing.hand_in import HAND_IN
from pos_ingest.dossiers import insist_on_dossier
from pos_ingest.external_invoices import books, invoices
from pos_ingest.external_invoices.models import ATTACHMENT_CHARACTERS_MAX, LINES_MAX, NewSalesInvoice
from pos_ingest.fields import Whole
from pos_ingest.tickets.models import Party
from pos_ingest.tickets.vat_types import VAT_TYPES, exempt_together, invoice_category, takes_rate

from .call import Amount, BookDay, Call, Reference, ScradaBody, Text
from .customers import customer_of
from .errors import invalid, of_problem, of_validation

XML: Final = "application/xml"
UNITS: Final = {
    1: "C62",
    2: "H87",
    3: "XPX",
    100: "SEC",
    101: "MIN",
    102: "HUR",
    103: "DAY",
    104: "MON",
    105: "ANN",
    106: "WEE",
    200: "MGM",
    201: "GRM",
    202: "KGM",
    203: "TNE",
    300: "MTR",
    301: "KMT",
    400: "LTR",
    401: "MLT",
    500: "HAR",
}
"""Scrada's ``unitType``, as integrators of it and its changelog have it, in UN/ECE recommendation 20."""
SPELLINGS: Final = {
    "issue_date": "invoiceDate",
    "due_date": "invoiceExpiryDate",
    "delivery_date": "delivery.deliveryDate",
    "preceding_invoices": "invoiceReference",
    "order_reference": "purchaseOrderReference",
    "enterprise_number": "taxNumber",
    "peppol_id": "peppolID",
    "postal_code": "zipCode",
    "country": "countryCode",
    "total": "totalInclVat",
    "rounding": "payableRoundingAmount",
    "paid": "paymentMethods",
    "unit": "unitType",
    "vat_category": "vatType",
    "exemption_reason": "vatType",
    "exemption_code": "vatType",
    "vat_rate": "vatPercentage",
    "file_name": "filename",
    "media_type": "mimeType",
    "content": "base64Data",
}
_OF_LINES: Final = {"name": "itemName", "price": "item", "discount": "totalDiscount", "total": "total"}
_Price = Annotated[Decimal, Field(max_digits=16, decimal_places=6, allow_inf_nan=False)]
_Long = Annotated[str | None, Field(max_length=1000, pattern=r"^[^\x00-\x08\x0b-\x1f]*$")]


class InvoiceLine(ScradaBody):
    """A line; its amounts include VAT, or do not, as the invoice says."""

    item_name: Text = None
    quantity: _Price = Decimal(1)
    unit_type: Whole | None = None
    item_excl_vat: _Price | None = None
    item_incl_vat: _Price | None = None
    vat_type: Whole
    vat_percentage: Annotated[Decimal, Field(ge=0, lt=100, decimal_places=2, allow_inf_nan=False)]
    total_discount_excl_vat: Amount | None = None
    total_discount_incl_vat: Amount | None = None
    total_excl_vat: Amount | None = None
    total_incl_vat: Amount | None = None


class VatTotal(ScradaBody):
    """The totals of a VAT type and rate; ``note`` says why there is no VAT."""

    vat_type: Whole
    vat_percentage: Annotated[Decimal, Field(ge=0, lt=100, decimal_places=2, allow_inf_nan=False)]
    total_excl_vat: Amount
    total_vat: Amount
    total_incl_vat: Amount
    note: _Long = None


class PaymentMethod(ScradaBody):
    """What was paid by a method already."""

    total_paid: Amount | None = None


class Attachment(ScradaBody):
    """A file in base64."""

    filename: str = Field(max_length=120)
    mime_type: str = Field(max_length=100)
    base64_data: str = Field(alias="base64Data", max_length=ATTACHMENT_CHARACTERS_MAX, repr=False)


class Delivery(ScradaBody):
    """When it was delivered."""

    delivery_date: BookDay | None = None


class SalesInvoice(ScradaBody):
    """An invoice or credit note."""

    book_year: Annotated[str, Field(max_length=200)]
    journal: Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
    number: Annotated[str, Field(min_length=1, max_length=250)]
    external_reference: Reference | None = None
    credit_invoice: bool | None = None
    is_incl_vat: bool | None = None
    invoice_reference: Text = None
    invoice_date: BookDay
    invoice_expiry_date: BookDay | None = None
    buyer_reference: Text = None
    purchase_order_reference: Text = None
    customer: Party
    delivery: Delivery | None = None
    total_excl_vat: Amount
    total_incl_vat: Amount
    total_vat: Amount
    currency: Annotated[str | None, Field(max_length=3)] = None
    payable_rounding_amount: Amount | None = None
    note: _Long = None
    lines: Annotated[list[InvoiceLine], Field(min_length=1, max_length=LINES_MAX)]
    vat_totals: Annotated[list[VatTotal] | None, Field(max_length=100)] = None
    payment_methods: Annotated[list[PaymentMethod] | None, Field(max_length=50)] = None
    attachments: Annotated[list[Attachment] | None, Field(max_length=20)] = None


async def add(call: Call) -> str:
    """Take an invoice and return its id; the same invoice again has the same id. A journal that is new is made."""
    given = await call.body(SalesInvoice)
    _insist_on_totals(given)
    dossier = await insist_on_dossier(call.context, call.caller, call.company.dossier_id)
    async with call.context.database.transaction() as tx:
        book_id = (await books.ensure(tx, dossier, given.journal.strip())).id if given.journal.strip() else None
        try:
            invoice = NewSalesInvoice.model_validate({**_invoice(given), "book_id": book_id})
            taken = await invoices.take_invoice(tx, dossier, invoice)
        except ValidationError as error:
            raise of_validation(error, _spellings(given)) from error
        except HttpProblem as problem:
            raise of_problem(problem, _spellings(given)) from problem
    call.context.wake(HAND_IN)
    return str(taken.row.id)


async def ubl(call: Call) -> Response:
    """Return the UBL of an invoice."""
    async with call.context.database.reading() as reading:
        found = await invoices.ubl_of(reading, call.company.firm_id, call.company.dossier_id, call.ids[0])
    return Response(found, media_type=XML)


async def send_status(call: Call) -> dict[str, Any]:
    """Return what became of sending an invoice to its customer: whoever made it sends it, so nothing did here."""
    async with call.context.database.reading() as reading:
        row = await invoices.shown(reading, call.company.firm_id, call.company.dossier_id, call.ids[0])
    of_peppol = [
        *("peppolSenderID", "peppolReceiverID", "peppolC1CountryCode", "peppolC2Timestamp", "peppolC2SeatID"),
        *("peppolC2MessageID", "peppolC3MessageID", "peppolC3Timestamp", "peppolC3SeatID", "peppolConversationID"),
        *("peppolSbdhInstanceID", "peppolDocumentTypeScheme", "peppolDocumentTypeValue", "peppolProcessScheme"),
        *("peppolProcessValue", "peppolOutboundDocumentID", "receiverEmailAddress", "receiverEmailTime"),
    ]
    return {
        "id": str(row.id),
        "createdOn": f"{row.created_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{row.created_at.microsecond // 1000:03}Z",
        "externalReference": row.external_reference,
        **dict.fromkeys(of_peppol),
        "status": "None",
        "attempt": 0,
        "errorMessage": "",
        "sendMethod": "None",
        "receiverEmailStatus": "Not sent",
    }


def _insist_on_totals(given: SalesInvoice) -> None:
    if given.total_excl_vat + given.total_vat != given.total_incl_vat:
        raise invalid("totalInclVat", f"{given.total_excl_vat} and {given.total_vat} of VAT are not that together")
    for name, spelling in (("total_excl_vat", "ExclVat"), ("total_vat", "Vat"), ("total_incl_vat", "InclVat")):
        stated = getattr(given, name)
        together = sum((getattr(each, name) for each in given.vat_totals or ()), Decimal(0))
        if given.vat_totals and together != stated:
            raise invalid("vatTotals", f"their total{spelling} are {together} together, the invoice says {stated}")


def _invoice(given: SalesInvoice) -> dict[str, Any]:
    rounding = given.payable_rounding_amount or Decimal(0)
    notes: dict[tuple[int, Decimal], str] = defaultdict(str)
    notes |= {(each.vat_type, each.vat_percentage): each.note for each in given.vat_totals or () if each.note}
    exempt = _exempt(given, notes)
    said = {
        "number": given.number,
        "external_reference": given.external_reference,
        "is_credit_note": bool(given.credit_invoice),
        "issue_date": given.invoice_date.isoformat(),
        "due_date": given.invoice_expiry_date.isoformat() if given.invoice_expiry_date else None,
        "delivery_date": _delivered(given.delivery),
        "currency": given.currency or "EUR",
        "prices_include_vat": bool(given.is_incl_vat),
        "customer": customer_of(given.customer),
        "lines": [_line(given, place, line, notes, exempt) for place, line in enumerate(given.lines)],
        "preceding_invoices": [{"number": given.invoice_reference}] if given.invoice_reference else [],
        "buyer_reference": given.buyer_reference or None,
        "order_reference": given.purchase_order_reference or None,
        "note": given.note or None,
        "paid": sum((each.total_paid or Decimal(0) for each in given.payment_methods or ()), Decimal(0)),
        "rounding": rounding,
        "total": given.total_incl_vat + rounding,
        "total_vat": given.total_vat,
        "attachments": [
            {"file_name": each.filename, "media_type": each.mime_type, "content": each.base64_data}
            for each in given.attachments or ()
        ],
    }
    return {name: value for name, value in said.items() if value is not None}


def _exempt(given: SalesInvoice, notes: Mapping[tuple[int, Decimal], str]) -> tuple[str | None, str | None]:
    """Return the code and the reason that the exempt lines have together."""
    known = [(line, invoice_category(line.vat_type)) for line in given.lines if line.vat_type in VAT_TYPES]
    return exempt_together(
        (each, notes.get((line.vat_type, line.vat_percentage))) for line, each in known if each.category == "E"
    )


def _line(
    given: SalesInvoice,
    place: int,
    line: InvoiceLine,
    notes: Mapping[tuple[int, Decimal], str],
    exempt: tuple[str | None, str | None],
) -> dict[str, Any]:
    if line.vat_type not in VAT_TYPES:
        raise invalid(f"lines.{place}.vatType", f"there is no VAT type {line.vat_type}")
    if not takes_rate(line.vat_type, line.vat_percentage):
        raise invalid(f"lines.{place}.vatPercentage", f"VAT type {line.vat_type} has no {line.vat_percentage} %")
    unit = UNITS.get(line.unit_type or 1)
    if unit is None:
        raise invalid(f"lines.{place}.unitType", f"there is no unit {line.unit_type}")
    price = line.item_incl_vat if given.is_incl_vat else line.item_excl_vat
    if price is None:
        raise invalid(f"lines.{place}.item{'Incl' if given.is_incl_vat else 'Excl'}Vat", "give the price of one")
    discount = line.total_discount_incl_vat if given.is_incl_vat else line.total_discount_excl_vat
    total = line.total_incl_vat if given.is_incl_vat else line.total_excl_vat
    known = invoice_category(line.vat_type)
    said_why = notes.get((line.vat_type, line.vat_percentage)) or known.reason
    code, reason = exempt if known.category == "E" else (known.exemption, said_why)
    said = {
        "name": line.item_name,
        "quantity": line.quantity,
        "unit": unit,
        "price": price,
        "discount": discount,
        "vat_category": known.category,
        "vat_rate": line.vat_percentage,
        "exemption_code": code,
        "exemption_reason": reason,
        "total": total,
    }
    return {name: value for name, value in said.items() if value is not None}


def _delivered(given: Delivery | None) -> str | None:
    return given.delivery_date.isoformat() if given and given.delivery_date else None


def _spellings(given: SalesInvoice) -> dict[str, str]:
    ending = "InclVat" if given.is_incl_vat else "ExclVat"
    amounts = {f"lines.{name}": word + ("" if name == "name" else ending) for name, word in _OF_LINES.items()}
    return SPELLINGS | amounts
