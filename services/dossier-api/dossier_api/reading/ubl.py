"""From the UBL reader's document to our ``ParsedInvoice``."""

from decimal import Decimal
from typing import Any

import koppel_ubl
from dossier_api.kinds import Parties
from dossier_api.models.common import amount_problem, currency_code
from dossier_api.parsed import Embedded, ParsedInvoice, finding
from koppel_bookkeeping import from_ubl
from koppel_bookkeeping.amounts import rounded
from koppel_mesh.http.problems import FieldError, printable
from koppel_ubl import CreditNote, Document, Party
from koppel_ubl.identifiers import is_belgian_vat_number, normalise_enterprise_number

from . import Unreadable
from .reports import error_of, findings_of

TEXT_MAX = 200
FINDINGS_MAX = 100
ERRORS_MAX = 20
PEPPOL = "urn:fdc:peppol.eu:2017:poacc:"
SELF_BILLING_TYPES = {"261", "389", "527"}


def read_ubl(data: bytes) -> ParsedInvoice:
    """Read a UBL invoice or credit note.

    Raises:
        Unreadable: it is not one, or misses what every document needs.
    """
    try:
        document = koppel_ubl.read(data)
        report = koppel_ubl.check(data, _profile(document))
    except koppel_ubl.ReadError as error:
        raise Unreadable([error_of(error)]) from error
    total = _total_of(document)
    # Small letters break a rule (BR-CL-04), which stops nothing; what is no code at all names no currency.
    currency = currency_code(document.currency or "")
    if wrong := [*_wrong(document, total), *_misbuilt(report)]:
        raise Unreadable(wrong)
    assert total is not None and currency is not None
    pdf = document.pdf
    return ParsedInvoice(
        parties=Parties(
            is_credit_note=isinstance(document, CreditNote),
            type_code=document.type_code,
            seller_numbers=_numbers(document.seller),
            buyer_numbers=_numbers(document.buyer),
            same_endpoint=document.seller.endpoint is not None and document.seller.endpoint == document.buyer.endpoint,
            buyer_reference=document.buyer_reference,
        ),
        number=document.number,
        issue_date=document.issue_date,
        due_date=document.due_date,
        currency=currency,
        total=total,
        seller=from_ubl.counterparty_of(document.seller),
        buyer=from_ubl.counterparty_of(document.buyer),
        self_billed=document.type_code in SELF_BILLING_TYPES or "selfbilling" in (document.profile_id or ""),
        accounting_cost=_short(document.accounting_cost),
        lines=from_ubl.lines_of(document),
        vat=from_ubl.vat_of(document),
        pdf=Embedded(pdf.content, pdf.file_name) if pdf is not None and pdf.content is not None else None,
        findings=[
            *findings_of(report),
            *_unclear_currency(document),
            *_without_content(document),
            *map(_unmapped, document.unmapped),
        ][:FINDINGS_MAX],
    )


def _profile(document: Document) -> koppel_ubl.Profile:
    """Choose the rules by what the document says it follows: what does not name Peppol is judged by the standard alone."""
    return "peppol-bis-3" if PEPPOL in (document.customization_id or "") else "en16931"


def _misbuilt(report: koppel_ubl.Report) -> list[FieldError]:
    """What the schema of UBL refuses (contract §5): whoever reads it further on could read something else."""
    found = [one for one in report.findings if one.layer == "structure"]
    return [
        FieldError(xpath=one.path, rule=one.rule, message=f"{one.message.en} (line {one.line})")
        for one in found[:ERRORS_MAX]
    ]


def _wrong(document: Document, total: Decimal | None) -> list[FieldError]:
    root = "CreditNote" if isinstance(document, CreditNote) else "Invoice"
    needed = (
        (document.number, "ID"),
        (document.issue_date, "IssueDate"),
        (document.currency, "DocumentCurrencyCode"),
        (total, "LegalMonetaryTotal/TaxInclusiveAmount"),
    )
    wrong = [
        FieldError(xpath=f"{root}/{path}", rule="missing", message=f"The document has no {path.rpartition('/')[2]}.")
        for value, path in needed
        if value is None
    ]
    if document.number is not None and len(document.number) > TEXT_MAX:
        message = f"A number has at most {TEXT_MAX} characters."
        wrong.append(FieldError(xpath=f"{root}/ID", rule="too_long", message=message))
    if document.currency is not None and currency_code(document.currency) is None:
        message = "A currency is three letters."
        wrong.append(FieldError(xpath=f"{root}/DocumentCurrencyCode", rule="invalid_code", message=message))
    if total is not None and (reason := amount_problem(total)) is not None:
        xpath = f"{root}/LegalMonetaryTotal/TaxInclusiveAmount"
        wrong.append(FieldError(xpath=xpath, rule="invalid_number", message=reason))
    return wrong


def _total_of(document: Document) -> Decimal | None:
    """Return the total; in cents, as the books have it, where it has more decimals than are kept (BR-DEC-14)."""
    total = from_ubl.total_of(document)
    return total if total is None or amount_problem(total) is None else rounded(total)


def _numbers(party: Party) -> frozenset[str]:
    """Every enterprise number a party carries; a VAT unit's differs from its member's own."""
    vat = party.vat_number or ""
    # Some packages leave the country out of a VAT number; the address has it too.
    is_belgian = is_belgian_vat_number(vat) or (party.address is not None and party.address.country == "BE")
    of_vat = normalise_enterprise_number(vat) if is_belgian else None
    return frozenset(number for number in (party.enterprise_number, of_vat) if number)


def _unclear_currency(document: Document) -> list[dict[str, Any]]:
    """Return a finding where the amounts do not stand in the currency that the document says; ledgers do not book it."""
    if not document.other_currencies:
        return []
    said, written = document.currency, ", ".join(printable(code)[:TEXT_MAX] for code in document.other_currencies)
    return [
        finding(
            "other_currency",
            "warning",
            nl=f"Het document zegt {said}, maar bedragen staan in {written}: vraag de afzender een verbeterd document.",
            fr=f"Le document dit {said}, mais des montants sont en {written} : demandez un document corrigé à l'expéditeur.",
            en=f"The document says {said}, but amounts are in {written}: ask the sender for a corrected document.",
        )
    ]


def _without_content(document: Document) -> list[dict[str, Any]]:
    """Return a finding for each attachment that cannot go along: the document has nothing of it, or has it packed."""
    found = []
    for each in document.attachments:
        if each.is_archive:
            found.append(_archive(each.file_name or each.id or "?"))
        elif each.uri and not each.content:
            found.append(_linked(each.uri))
        elif each.content == b"":
            found.append(_empty(each.file_name or each.id or "?"))
    return found


def _archive(name: str) -> dict[str, Any]:
    name = printable(name)[:TEXT_MAX]
    return finding(
        "archive",
        "warning",
        nl=f"De bijlage {name} is een archief (zoals ZIP): ze wordt niet geopend en gaat niet mee.",
        fr=f"L'annexe {name} est une archive (comme ZIP) : elle n'est pas ouverte et n'accompagne pas le document.",
        en=f"The attachment {name} is an archive (such as ZIP): it is not opened and does not go along.",
    )


def _linked(uri: str) -> dict[str, Any]:
    where = printable(uri)[:TEXT_MAX]
    return finding(
        "linked_file",
        "warning",
        nl=f"Een bijlage zit niet in het document en gaat niet mee: {where}",
        fr=f"Une annexe n'est pas dans le document et ne l'accompagne pas : {where}",
        en=f"An attachment is not in the document and does not go along: {where}",
    )


def _empty(name: str) -> dict[str, Any]:
    name = printable(name)[:TEXT_MAX]
    return finding(
        "empty_file",
        "warning",
        nl=f"De bijlage {name} is leeg en gaat niet mee.",
        fr=f"L'annexe {name} est vide et n'accompagne pas le document.",
        en=f"The attachment {name} is empty and does not go along.",
    )


def _unmapped(path: str) -> dict[str, Any]:
    return finding(
        "not_read",
        "information",
        nl="Dit deel wordt bewaard maar niet gebruikt.",
        fr="Cette partie est conservée mais pas utilisée.",
        en="This part is kept but not used.",
        xpath=path,
    )


def _short(text: str | None) -> str | None:
    return text[:TEXT_MAX] if text else None
