"""From the UBL reader's document to our ``ParsedInvoice``."""

from typing import Any

from dossier_api.kinds import Parties
from dossier_api.parsed import Embedded, ParsedInvoice, finding
from koppel_bookkeeping import fileable, from_ubl
from koppel_mesh.http.problems import FieldError, printable
from koppel_ubl import CreditNote, Document, Party
from koppel_ubl.identifiers import is_belgian_vat_number, normalise_enterprise_number

from . import Unreadable
from .reports import findings_of

TEXT_MAX = 200
FINDINGS_MAX = 100
SELF_BILLING_TYPES = {"261", "389", "527"}


def read_ubl(data: bytes) -> ParsedInvoice:
    """Read a UBL invoice or credit note.

    Raises:
        Unreadable: it is not one, or misses what every document needs.
    """
    try:
        found = fileable.read(data)
    except fileable.NotFileable as error:
        errors = [FieldError(xpath=one.xpath, rule=one.rule, message=one.message) for one in error.faults]
        raise Unreadable(errors) from error
    document = found.document
    findings = [
        *findings_of(found.report),
        *_unclear_currency(document),
        *_without_content(document),
        *map(_unmapped, document.unmapped),
    ]
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
        currency=found.currency,
        total=found.total,
        seller=from_ubl.counterparty_of(document.seller),
        buyer=from_ubl.counterparty_of(document.buyer),
        self_billed=document.type_code in SELF_BILLING_TYPES or "selfbilling" in (document.profile_id or ""),
        accounting_cost=_short(document.accounting_cost),
        lines=from_ubl.lines_of(document),
        vat=from_ubl.vat_of(document),
        pdf=Embedded(pdf.content, pdf.file_name) if pdf is not None and pdf.content is not None else None,
        findings=findings[:FINDINGS_MAX],
    )


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
