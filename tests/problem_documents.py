"""Documents that meet problems: our own samples, changed."""

import re
from base64 import b64encode
from collections.abc import Callable

from .firm_client import SAMPLES, SELLER

BUYER = "0000000295"
NEGATED = rb'(<cbc:(?!Price)\w*Amount currencyID="\w+">|<cbc:InvoicedQuantity[^>]*>)(?=\d)'
PICTURE = rb"<cac:AdditionalDocumentReference>.*?</cac:AdditionalDocumentReference>"


def sample(name: str, number: str) -> bytes:
    content = next(SAMPLES.glob(f"own__be-{name}-*.xml")).read_bytes()
    return re.sub(rb"<cbc:ID>[^<]*</cbc:ID>", f"<cbc:ID>{number}</cbc:ID>".encode(), content, count=1)


def sale(number: str) -> bytes:
    """Return a sales invoice without picture, of 582.77 on 15 January 2026."""
    return re.sub(PICTURE, b"", sample("01", number), flags=re.DOTALL)


def purchase(number: str) -> bytes:
    """Return the same invoice as its buyer has it."""
    content = sale(number).replace(SELLER.encode(), b"SELLER").replace(BUYER.encode(), SELLER.encode())
    return content.replace(b"SELLER", BUYER.encode())


def credit(number: str) -> bytes:
    """Return a sales credit note, of 151.86."""
    return sample("02", number)


def negative(number: str) -> bytes:
    """Return a sales invoice whose amounts are all negative."""
    return re.sub(NEGATED, rb"\1-", sale(number))


def without_due_date(number: str) -> bytes:
    return re.sub(rb"<cbc:DueDate>.*?</cbc:DueDate>|<cac:PaymentTerms>.*?</cac:PaymentTerms>", b"", sale(number))


def with_file(number: str, name: str, media_type: str, content: bytes) -> bytes:
    """Return a sales invoice with a file inside."""
    file = (
        "<cac:AdditionalDocumentReference><cbc:ID>plan</cbc:ID><cac:Attachment>"
        f'<cbc:EmbeddedDocumentBinaryObject mimeCode="{media_type}" filename="{name}">{b64encode(content).decode()}'
        "</cbc:EmbeddedDocumentBinaryObject></cac:Attachment></cac:AdditionalDocumentReference>"
    )
    party = b"<cac:AccountingSupplierParty>"
    return sale(number).replace(party, file.encode() + party, 1)


def big_file(number: str) -> bytes:
    """Return a sales invoice with a plan of nearly eight megabytes inside, which makes its UBL larger than ten."""
    return with_file(number, "plan.pdf", "application/pdf", b"%PDF-1.4\n" + bytes(range(256)) * 31_250)


def letter_inside(number: str) -> bytes:
    """Return a sales invoice with a file inside of a type that Peppol does not allow."""
    return with_file(number, "plan.doc", "application/msword", b"a letter")


_KINDS: dict[str, Callable[[str], bytes]] = {
    "sale": sale,
    "purchase": purchase,
    "negative": negative,
    "without due date": without_due_date,
    "big file": big_file,
    "letter inside": letter_inside,
    "credit": credit,
    "negative credit": lambda number: re.sub(NEGATED, rb"\1-", credit(number)),
    "dollars": lambda number: sample("11", number),
    "receipts": lambda number: sample("12", number),
}


def document(kind: str, number: str) -> bytes:
    """Return a document of a kind, with this number."""
    return _KINDS[kind](number)
