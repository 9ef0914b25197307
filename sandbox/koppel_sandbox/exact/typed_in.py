"""Entries that an accountant types in himself: Exact takes a YourRef that is there already (exact §5.5)."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

from .entries import PURCHASE, SALES
from .state import Division, Record

FIRST_NUMBER = 26_990_000
NEXT_CODE = 990


def type_in(
    division: Division, *, sells: bool, number: str, issued_on: date, total: Decimal, name: str, vat_number: str
) -> Record:
    """Book a document in one line without files, in the first journal of its side; a negative total is a credit note's."""
    family = SALES if sells else PURCHASE
    relation = _relation(division, name, vat_number)
    journal = next(one for one in division.tables["Journals"].values() if one["Type"] in family.journals)
    entry: dict[str, Any] = {
        "EntryID": str(uuid4()).upper(),
        "EntryNumber": FIRST_NUMBER + len(division.tables["Entries"]),
        "Journal": journal["Code"],
        "YourRef": number,
        "EntryDate": issued_on,
        "AmountFC": total,
        "AmountDC": total,
        "VATAmountFC": Decimal(0),
        "VATAmountDC": Decimal(0),
        "Currency": journal["Currency"],
        "ReportingYear": issued_on.year,
        "ReportingPeriod": issued_on.month,
        "Status": 20,
        "Type": family.types[int(total < 0)],
        "Document": None,
        "InvoiceNumber": None,
        "Modified": issued_on,
        family.party: relation["ID"],
        f"{family.party}Name": relation["Name"],
        family.lines: [],
    }
    return division.put("Entries", entry["EntryID"], entry)


def _relation(division: Division, name: str, vat_number: str) -> Record:
    relations = division.tables["Accounts"]
    for row in relations.values():
        if row.get("VATNumber") == vat_number:
            return row
    key = str(uuid4())
    made = {
        "ID": key,
        "Code": str(NEXT_CODE + len(relations)).rjust(18),
        "Name": name,
        "VATNumber": vat_number,
        "Status": "C",
        "IsSupplier": True,
        "Blocked": False,
    }
    return division.put("Accounts", key, made)
