"""From an invoice or credit note to what its page shows: texts in the order of the template."""

import re
import unicodedata
from collections.abc import Iterable
from datetime import date
from typing import Any, Final

from koppel_ubl import (
    AllowanceCharge,
    Attachment,
    CreditNote,
    Document,
    PaymentMeans,
    VatCategory,
    VatSubtotal,
    safe_file_name,
)

from .bounds import Content
from .formats import (
    format_account,
    format_amount,
    format_date,
    format_money,
    format_percent,
    format_reference,
)
from .labels import (
    CATEGORIES,
    PAYMENT_MEANS,
    REVERSE_CHARGE,
    SELF_BILLED,
    SELF_BILLING,
    TITLES,
    Language,
    label,
    say,
)
from .lines import allowance_text, line, period_text
from .parties import others, party

_SUBJECT_CODE: Final = re.compile(r"#[A-Z]{3}#")
"""BT-21 in front of BT-22, as UBL has it."""
_NUMBER_WIDTH_MAX: Final = 14
"""Characters of a number that the columns hold at their usual size."""
_REASONS_MAX: Final = 100
"""Different reasons for no VAT that are compared with each other."""

Fact = dict[str, str]
"""``label`` and ``value``."""


def invoice_content(document: Document, language: Language, *, has_original: bool) -> Content:
    """Return what the page of a document shows; the lines come last, as they are what is cut when it is too much.

    Args:
        document: as read.
        language: of our words; the document's own texts stay as they are.
        has_original: whether the UBL is embedded in the PDF.
    """
    heading = say(TITLES[_kind(document)], language)
    summary = _numbers(document, language)
    lines = [line(one, language) for one in document.lines]
    return {
        "language": language,
        "title": " ".join(part for part in (heading, document.number, "–", document.seller.name) if part),
        "author": document.seller.name or "",
        "source": label("source_inside" if has_original else "source_elsewhere", language),
        **(
            {"original": {"name": original_name(document), "about": label("ubl_description", language)}}
            if has_original
            else {}
        ),
        "labels": _labels(document, language),
        "heading": heading,
        "number": document.number or "",
        "mention": say(SELF_BILLING, language) if document.type_code in SELF_BILLED else "",
        "seller": party(document.seller, "seller", language),
        "buyer": party(document.buyer, "buyer", language),
        "others": others(document, language),
        "facts": facts(document, language),
        "payable": {
            "label": label("credited" if isinstance(document, CreditNote) else "to_pay", language),
            "value": format_money(document.totals.payable, document.currency, language),
            "by": _pay_by(document, language),
        },
        "payments": payments(document, language),
        **summary,
        "terms": document.payment_terms or "",
        "notes": [_SUBJECT_CODE.sub("", note, count=1) if note.startswith("#") else note for note in document.notes],
        "attachments": [_attachment(one, language) for one in document.attachments],
        "small": _is_wide(summary, lines),
        "lines": lines,
    }


def original_name(document: Document) -> str:
    """Return the file name of the embedded UBL: the document's number, in ASCII."""
    number = unicodedata.normalize("NFKD", (document.number or "")[:200]).encode("ascii", "ignore").decode()
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", number).strip("-._")[:80]
    return safe_file_name(f"{stem or 'document'}.xml")


def facts(document: Document, language: Language) -> list[Fact]:
    """Return the dates and references of the document, each with its label."""
    delivery = document.delivery
    preceding = [
        " ".join(filter(None, (one.number, label("of_date", language), format_date(one.issue_date, language))))
        if one.issue_date
        else one.number
        for one in document.billing_references
    ]
    values = {
        "issue_date": format_date(document.issue_date, language),
        "due_date": format_date(_due_on(document), language),
        "preceding": ", ".join(text for text in preceding[:20] if text),
        "tax_point_date": format_date(document.tax_point_date, language),
        "delivery_date": format_date(delivery.actual_date, language) if delivery else "",
        "period": period_text(document.period, language),
        "buyer_reference": document.buyer_reference,
        "order": document.order,
        "sales_order": document.sales_order,
        "contract": document.contract,
        "project": document.project,
        "despatch": document.despatch,
        "receipt": document.receipt,
        "tender": document.tender,
        "object": document.object.value if document.object else None,
        "accounting_cost": document.accounting_cost,
        "currency": document.currency if document.currency != "EUR" else None,
    }
    return [{"label": label(name, language), "value": value} for name, value in values.items() if value]


def _due_on(document: Document) -> date | None:
    """Return the due date; a credit note has it with its means of payment."""
    return document.due_date or next((one.due_date for one in document.payment_means if one.due_date), None)


def _pay_by(document: Document, language: Language) -> str:
    """Return until when to pay; empty where nobody has to."""
    due_on, payable = _due_on(document), document.totals.payable
    if isinstance(document, CreditNote) or due_on is None or payable is None:
        return ""
    if not payable.is_finite() or payable <= 0:
        return ""
    return label("pay_by", language).format(date=format_date(due_on, language))


def payments(document: Document, language: Language) -> list[list[Fact]]:
    """Return how to pay, each way as its facts; the reference to quote and the creditor are the document's."""
    reference = document.payment_reference
    shared = {
        "reference": format_reference(reference) if reference else None,
        "creditor_id": document.creditor_id if any(one.mandate for one in document.payment_means) else None,
    }
    ways = [_way(one, document, language) for one in document.payment_means] or [{}]
    unique = list({tuple(way.items()): way for way in ways}.values())
    found = [
        [
            {"label": label(name, language) if name != "bic" else "BIC", "value": value}
            for name, value in way.items()
            if value
        ]
        for way in ({**way, **(shared if index == 0 else {})} for index, way in enumerate(unique))
    ]
    return [way for way in found if way]


def _way(means: PaymentMeans, document: Document, language: Language) -> dict[str, str | None]:
    named = means.code in PAYMENT_MEANS
    return {
        "paid_by": say(PAYMENT_MEANS[means.code or ""], language) if named else means.text or means.code,
        "account": format_account(means.account) if means.account else None,
        "bic": means.bic,
        "account_name": means.account_name if means.account_name != document.seller.name else None,
        "mandate": means.mandate,
        "debited_account": format_account(means.debited_account) if means.debited_account else None,
        "card": means.card_number,
    }


def _numbers(document: Document, language: Language) -> dict[str, Any]:
    """Return the document's allowances and charges, its VAT breakdown and its totals."""
    return {
        "allowances": [_allowance(one, language) for one in document.allowances_charges],
        "vat": [
            {
                "category": one.category or "",
                "meaning": say(CATEGORIES[one.category], language) if one.category in CATEGORIES else one.name or "",
                "rate": format_percent(one.rate, language),
                "taxable": format_amount(one.taxable, language),
                "tax": format_amount(one.tax, language),
            }
            for one in document.vat_breakdown
        ],
        "reasons": _exemption_reasons(document, language),
        "totals": _totals(document, language),
    }


def _allowance(one: AllowanceCharge, language: Language) -> dict[str, str]:
    base = ""
    if one.percent is not None:
        base = format_percent(one.percent, language)
        if one.base is not None:
            base += f" {label('of_base', language)} {format_amount(one.base, language)}"
    vat = one.vat
    return {
        "description": allowance_text(one, language),
        "base": base,
        "vat": " ".join(filter(None, (format_percent(vat.rate, language), _unless_standard(vat.category))))
        if vat
        else "",
        "amount": format_amount(one.signed_amount, language),
    }


def _unless_standard(category: str | None) -> str:
    return category if category and category != "S" else ""


def _exemption_reasons(document: Document, language: Language) -> list[str]:
    """Return why no VAT is charged, once for each category: the law's mention, then the seller's words as they are.

    A reverse charge has its mention whether the seller wrote it or not (Directive 2006/112/EC, article 226, point 11a).
    """
    groups: list[VatSubtotal | VatCategory] = [*document.vat_breakdown, *(line.vat for line in document.lines)]
    written = dict.fromkeys((one.category, one.exemption_reason, one.exemption_code) for one in groups)
    found: dict[str | None, list[str]] = {}
    for category, reason, code in list(written)[:_REASONS_MAX]:
        known = found.setdefault(category, [say(REVERSE_CHARGE, language)] if category == "AE" else [])
        text = " ".join(part for part in (reason, f"({code})" if code else None) if part)
        if text and not any(text.casefold() in other.casefold() for other in known):
            known.append(text)
    return [": ".join(filter(None, (category, ". ".join(texts)))) for category, texts in found.items() if texts]


def _totals(document: Document, language: Language) -> list[Fact]:
    totals = document.totals
    in_tax_currency = f"{label('total_vat_in', language)} {document.tax_currency or ''}".strip()
    rows = [
        (label("total_lines", language), totals.lines if document.allowances_charges else None),
        (label("total_allowances", language), -totals.allowances if totals.allowances else None),
        (label("total_charges", language), totals.charges or None),
        (label("total_without_vat", language), totals.without_vat),
        (label("total_vat", language), document.vat_total),
        (in_tax_currency, document.vat_total_in_tax_currency),
        (label("total_with_vat", language), totals.with_vat),
        (label("prepaid", language), -totals.prepaid if totals.prepaid else None),
        (label("rounding", language), totals.rounding or None),
    ]
    return [{"label": name, "value": format_amount(value, language)} for name, value in rows if value is not None]


def _attachment(one: Attachment, language: Language) -> str:
    where = one.uri or (label("embedded", language) if one.content is not None or one.is_archive else "")
    named = list(dict.fromkeys(text for text in (one.id, one.description, one.file_name) if text))
    return " – ".join(named) + (f" ({where})" if where else "")


def _labels(document: Document, language: Language) -> dict[str, str]:
    names = ("description", "quantity", "price", "vat", "net", "allowances_charges", "amount", "vat_breakdown")
    more = (
        "category",
        "rate",
        "taxable",
        "vat_amount",
        "totals",
        "payment_terms",
        "notes",
        "attachments",
        "page",
        "of_pages",
    )
    return {name: label(name, language) for name in (*names, *more)} | {"currency": document.currency or ""}


def _kind(document: Document) -> str:
    if document.type_code in TITLES:
        return str(document.type_code)
    return "381" if isinstance(document, CreditNote) else "380"


def _is_wide(summary: dict[str, Any], lines: Iterable[dict[str, Any]]) -> bool:
    """Return whether a number is too long for its column at the usual size of the letters."""
    rows = [*summary["vat"], *summary["totals"], *summary["allowances"], *lines]
    names = ("taxable", "tax", "value", "amount", "quantity", "price", "net")
    return any(len(row.get(name, "")) > _NUMBER_WIDTH_MAX for row in rows for name in names)
