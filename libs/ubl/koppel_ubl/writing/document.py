"""The whole document, element by element."""

import base64
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from koppel_ubl.errors import WriteError
from koppel_ubl.mapping.aggregate import (
    AMOUNT,
    BYTES,
    IDENTIFIER,
    INTO,
    MANY,
    ONE,
    SOLE,
    TEXTS,
    WITH_ATTRIBUTES,
    Aggregate,
    Entry,
)
from koppel_ubl.mapping.document import CREDIT_NOTE, INVOICE
from koppel_ubl.model import CreditNote, Document, Invoice

from .markup import attribute, escaped, plain

_NAMESPACES: Final = (
    'xmlns="urn:oasis:names:specification:ubl:schema:xsd:{root}-2"'
    ' xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"'
    ' xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"'
)
_INDENT: Final = "  "


def write(document: Invoice | CreditNote) -> bytes:
    """Write a document as UBL 2.1, in UTF-8; the same document gives the same bytes.

    Everything the model holds is written and nothing else, so that reading the bytes gives the document back. The
    rules are not checked here: check the bytes.

    Raises:
        WriteError: the document lacks what the schema requires, or a text has characters that XML cannot hold.
    """
    root, aggregate = ("CreditNote", CREDIT_NOTE) if isinstance(document, CreditNote) else ("Invoice", INVOICE)
    _check_due_date(document)
    writer = _Writer(document)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<{root} {_NAMESPACES.format(root=root)}>",
        *writer.elements(aggregate, aggregate.unmake(document), root, 1),
        f"</{root}>",
        "",
    ]
    return "\n".join(lines).encode()


def _check_due_date(document: Document) -> None:
    """A credit note has its due date (BT-9) with its payment means only."""
    if isinstance(document, CreditNote) and document.due_date is not None:
        dates = [means.due_date for means in document.payment_means if means.due_date is not None]
        if document.due_date not in dates[:1]:
            path = "CreditNote/PaymentMeans/PaymentDueDate"
            raise WriteError("missing", "A credit note's due date must stand with its first payment means.", path)


class _Writer:
    def __init__(self, document: Document) -> None:
        self._currency = document.currency

    def elements(self, aggregate: Aggregate, values: Mapping[str, Any], path: str, depth: int) -> Iterator[str]:
        """Yield the lines of an aggregate's elements; nothing for what is absent, as an empty element breaks a rule."""
        any_written = False
        missing: Entry | None = None
        for entry in aggregate.entries:
            if entry.is_read_only:
                continue
            written = False
            for line in self._entry(entry, values, path, depth):
                written = True
                yield line
            any_written = any_written or written
            if entry.is_required and not written and missing is None:
                missing = entry
        if missing is not None and (any_written or depth == 1):
            name = missing.name.partition(":")[2]
            raise WriteError("missing", f"The schema wants {name} here.", f"{path}/{name}")

    def _entry(self, entry: Entry, values: Mapping[str, Any], path: str, depth: int) -> Iterator[str]:
        below = f"{path}/{entry.name.partition(':')[2]}"
        if entry.kind in {SOLE, INTO}:
            yield from self._aggregate(entry, values, below, depth)
        elif entry.kind in {ONE, MANY, TEXTS}:
            found = values.get(entry.field)
            several = (found,) if entry.kind == ONE else found or ()
            for position, one in enumerate(several, start=1):
                place = below if entry.kind == ONE else f"{below}[{position}]"
                if entry.kind == TEXTS:
                    yield from self._leaf(entry, one, values, place, depth)
                elif one is not None:
                    assert entry.inner is not None
                    yield from self._aggregate(entry, entry.inner.unmake(one), place, depth)
        else:
            yield from self._leaf(entry, values.get(entry.field), values, below, depth)

    def _aggregate(self, entry: Entry, values: Mapping[str, Any], path: str, depth: int) -> Iterator[str]:
        assert entry.inner is not None
        lines = list(self.elements(entry.inner, values, path, depth + 1))
        if lines:
            yield f"{_INDENT * depth}<{entry.name}>"
            yield from lines
            yield f"{_INDENT * depth}</{entry.name}>"

    def _leaf(self, entry: Entry, value: Any, values: Mapping[str, Any], path: str, depth: int) -> Iterator[str]:
        if value is None or value == "":
            return
        text, attributes = self._content(entry, value, values, path)
        yield f"{_INDENT * depth}<{entry.name}{attributes}>{text}</{entry.name}>"

    def _content(self, entry: Entry, value: Any, values: Mapping[str, Any], path: str) -> tuple[str, str]:
        """Return text and attributes of a leaf."""
        if entry.kind == IDENTIFIER:
            return escaped(value.value, path), attribute("schemeID", value.scheme, path)
        if entry.kind == BYTES:
            attributes = (("mimeCode", value["media_type"]), ("filename", value["file_name"]))
            text = base64.b64encode(value["content"]).decode()
            return text, "".join(attribute(name, found, path) for name, found in attributes)
        if entry.kind == AMOUNT:
            if not self._currency:
                raise WriteError("missing", "An amount needs the document's currency.", f"{path}/@currencyID")
            return plain(value, path), attribute("currencyID", self._currency, path)
        known = entry.attributes if entry.kind == WITH_ATTRIBUTES else ()
        return _text(value, path), "".join(attribute(name, values.get(field), path) for name, field in known)


def _text(value: Any, path: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return plain(value, path)
    if isinstance(value, date):
        return value.isoformat()
    return escaped(str(value), path)
