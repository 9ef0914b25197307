"""Which reference the payer is to quote: what the fields for it say, before what a text happens to mention."""

import re
from collections.abc import Iterable, Sequence

from koppel_ubl.identifiers import (
    find_creditor_references,
    find_structured_references,
    parse_creditor_reference,
    parse_structured_reference,
)

from .payment import PaymentMeans

_ANOTHER_DOCUMENT = re.compile(
    r"\b(?:vorige|vroegere|eerdere|oude|vervang\w*|annul\w*|herinnering|aanmaning|tegenboek\w*|gecrediteerde"
    r"|pr[ée]c[ée]dente?s?|ancienne?s?|remplac\w*|rappel|extourne\w*"
    r"|previous|earlier|former|replac\w*|supersed\w*|cancel\w*|reminder|revers\w*"
    r"|vorherige\w*|fr[üu]here\w*|ersetzt\w*|storn\w*|mahnung"
    r"|voorschotfactu\w*|factures? d.acompte|deposit invoice|(?:openstaande|onbetaalde) factu\w*|factures? impay\w*"
    r"|(?:reeds|al) betaald|d[ée]j[àa] pay\w*|already paid)\b",
    re.IGNORECASE,
)
"""How a text says that it is about a document other than the one it stands in."""
_NUMBER_OF_DOCUMENT = re.compile(
    r"\b(?:factu(?:ur|re)|invoice|rechnung|creditnota|credit note|note de cr[ée]dit|gutschrift)"
    r"\s{0,3}(?:nr|no|n°|num|nummer|num[ée]ro|number)?[\s.:#]{0,3}(?P<number>\w[\w/.\-]{0,60})",
    re.IGNORECASE,
)
"""A document that a text names by its number."""
_INVOICE = re.compile(r"\b(?:factuur|facturen|factures?|invoices?|rechnung(?:en)?)\b", re.IGNORECASE)
_DATE = re.compile(r"\d{1,2}[/.\-]\d{1,2}[/.\-]\d{2,4}|\d{4}-\d{2}-\d{2}")
_DIGIT = re.compile(r"\d")
_NUMBER_LENGTH_MIN = 3
_TEXT_MAX = 10_000
"""As far as references are looked for; a note may be megabytes long."""
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")


def payment_reference(
    means: Sequence[PaymentMeans],
    texts: Iterable[str | None],
    other_documents: Iterable[str | None],
    *,
    number: str | None = None,
    is_credit_note: bool = False,
) -> str | None:
    """Return the reference to pay with; None when the document has none, or it is not clear which.

    BT-83 comes first, then the fields in which older documents have it (InstructionID, InstructionNote). Only where all of
    them are empty do texts count, and then only when exactly one reference stands in them: a text may quote the reference of
    the document that it replaces or reminds of.

    Args:
        means: how the document is to be paid (BG-16).
        texts: its payment terms and notes (BT-20, BT-22).
        other_documents: numbers of the invoices that it refers to (BG-3).
        number: its own (BT-1); a text that names another one is about another document.
        is_credit_note: what a text of a credit note says of an invoice is about that invoice.
    """
    references = [text for one in means for text in one.references if text.strip()]
    older = [text for one in means for text in (one.instruction, one.instruction_note) if text and text.strip()]
    for text in (*references, *older):
        if (found := parse_structured_reference(text) or parse_creditor_reference(text)) is not None:
            return found
    for fields in (references, older):
        if len(found_in_fields := _found_in(fields)) == 1:
            return found_in_fields.pop()
        if fields is references and references:
            return references[0]
    others = [other.strip() for other in other_documents if other and other.strip()]
    own = [text for text in texts if text and not _names_another_document(text, others, number)]
    mentioned = _found_in(text for text in own if not (is_credit_note and _INVOICE.search(text)))
    return mentioned.pop() if len(mentioned) == 1 else None


def _found_in(texts: Iterable[str]) -> set[str]:
    return {found for text in texts for found in (*find_structured_references(text), *find_creditor_references(text))}


def _names_another_document(text: str, others: Sequence[str], own: str | None) -> bool:
    if _ANOTHER_DOCUMENT.search(text) is not None or any(number in text for number in others):
        return True
    named = (found["number"] for found in _NUMBER_OF_DOCUMENT.finditer(text[:_TEXT_MAX]))
    numbers = {_bare(number) for number in named if _DIGIT.search(number) and not _DATE.match(number)}
    return any(len(number) >= _NUMBER_LENGTH_MIN and number != _bare(own) for number in numbers)


def _bare(number: str | None) -> str:
    return _NOT_ALPHANUMERIC.sub("", number or "").casefold()
