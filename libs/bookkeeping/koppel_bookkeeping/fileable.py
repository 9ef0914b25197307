"""Which UBL can be a document of a dossier: dossier-api files no other, and who promises to hand one in asks here first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import koppel_ubl

from . import from_ubl
from .amounts import rounded

NUMBER_LENGTH_MAX: Final = 200
AMOUNT_DIGITS_MAX: Final = 18
AMOUNT_PLACES_MAX: Final = 6
_FAULTS_MAX: Final = 20
"""Of its structure."""
_MESSAGE_LENGTH_MAX: Final = 500
_PEPPOL: Final = "urn:fdc:peppol.eu:2017:poacc:"


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a UBL cannot be filed: by which rule, and where."""

    rule: str
    message: str
    xpath: str | None = None


class NotFileable(Exception):
    """The bytes are no UBL that can be filed; ``faults`` say why."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(fault.message for fault in faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Fileable:
    """A UBL that can be filed: it has a number, a date, and what stands here."""

    document: koppel_ubl.Invoice | koppel_ubl.CreditNote
    report: koppel_ubl.Report
    """By the rules that it says it follows. Those of them that it breaks do not hinder."""
    currency: str
    total: Decimal
    """Including VAT (``from_ubl.total_of``); in cents where it has more decimals than are kept."""


def read(data: bytes) -> Fileable:
    """Read a UBL that can be filed.

    Raises:
        NotFileable: it is none, is not built as the schema of UBL asks, or misses what every document needs.
    """
    try:
        document = koppel_ubl.read(data)
        report = koppel_ubl.check(data, _profile(document))
    except koppel_ubl.ReadError as error:
        message = f"{error.message} (line {error.line})" if error.line else error.message
        raise NotFileable([Fault(error.code, message[:_MESSAGE_LENGTH_MAX], error.path)]) from error
    total = _total_of(document)
    # Small letters break a rule (BR-CL-04), which stops nothing; what is no code at all names no currency.
    currency = currency_code(document.currency or "")
    if wrong := [*_wrong(document, total), *_misbuilt(report)]:
        raise NotFileable(wrong)
    assert total is not None and currency is not None
    return Fileable(document, report, currency, total)


def amount_problem(amount: Decimal) -> str | None:
    """Return why ``amount`` is none that is kept: not finite, or longer than any invoice's."""
    if not amount.is_finite():
        return "not a number"
    exponent = amount.as_tuple().exponent
    if isinstance(exponent, int) and (exponent < -AMOUNT_PLACES_MAX or amount.adjusted() >= AMOUNT_DIGITS_MAX):
        return f"at most {AMOUNT_DIGITS_MAX} digits before and {AMOUNT_PLACES_MAX} after the point"
    return None


def currency_code(text: str) -> str | None:
    """Return ``text`` as ISO 4217 writes currencies, in capitals; None when it is no three letters of its alphabet."""
    return text.upper() if len(text) == 3 and text.isascii() and text.isalpha() else None


def _profile(document: koppel_ubl.Document) -> koppel_ubl.Profile:
    """Choose the rules by what the document says it follows: what does not name Peppol is judged by the standard alone."""
    return "peppol-bis-3" if _PEPPOL in (document.customization_id or "") else "en16931"


def _misbuilt(report: koppel_ubl.Report) -> list[Fault]:
    """What the schema of UBL refuses (contract §5): whoever reads it further on could read something else."""
    found = [one for one in report.findings if one.layer == "structure"]
    return [Fault(one.rule, f"{one.message.en} (line {one.line})", one.path) for one in found[:_FAULTS_MAX]]


def _total_of(document: koppel_ubl.Document) -> Decimal | None:
    """Return the total; in cents, as the books have it, where it has more decimals than are kept (BR-DEC-14)."""
    total = from_ubl.total_of(document)
    return total if total is None or amount_problem(total) is None else rounded(total)


def _wrong(document: koppel_ubl.Document, total: Decimal | None) -> Iterator[Fault]:
    root = "CreditNote" if isinstance(document, koppel_ubl.CreditNote) else "Invoice"
    total_path = "LegalMonetaryTotal/TaxInclusiveAmount"
    needed = (
        (document.number, "ID"),
        (document.issue_date, "IssueDate"),
        (document.currency, "DocumentCurrencyCode"),
        (total, total_path),
    )
    for value, path in needed:
        if value is None:
            yield Fault("missing", f"The document has no {path.rpartition('/')[2]}.", f"{root}/{path}")
    if document.number is not None and len(document.number) > NUMBER_LENGTH_MAX:
        yield Fault("too_long", f"A number has at most {NUMBER_LENGTH_MAX} characters.", f"{root}/ID")
    if document.currency is not None and currency_code(document.currency) is None:
        yield Fault("invalid_code", "A currency is three letters.", f"{root}/DocumentCurrencyCode")
    if total is not None and (reason := amount_problem(total)) is not None:
        yield Fault("invalid_number", reason, f"{root}/{total_path}")
