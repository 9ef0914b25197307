"""Sales and purchase entries: the checks, the arithmetic and the numbering of the journals (exact §3.6–3.8, §5)."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Any
from uuid import uuid4

from .call import Call
from .odata.replies import Refusal
from .resources import Resource
from .state import Record
from .texts import say

CENT = Decimal("0.01")
FORBIDDEN_ON_LINES = frozenset({20, 22, 24})
"""Receivable, payable and VAT accounts: their lines are made by the entry itself."""


@dataclass(frozen=True)
class Family:
    """What distinguishes sales from purchases."""

    party: str
    party_missing: str
    party_wrong: str
    journals: frozenset[int]
    lines: str
    types: tuple[int, int]
    vat_kind: str
    condition: str
    """Field of a relation that holds its own payment condition."""


SALES = Family(
    "Customer",
    "Mandatory: Relationship",
    "Invalid: Customer (Type)",
    frozenset({20, 21}),
    "SalesEntryLines",
    (20, 21),
    "S",
    "PaymentConditionSales",
)
PURCHASE = Family(
    "Supplier",
    "Mandatory: Relationship",
    "Invalid: Supplier (Type)",
    frozenset({22, 23}),
    "PurchaseEntryLines",
    (30, 31),
    "P",
    "PaymentConditionPurchase",
)


def family_of(resource: Resource) -> Family:
    """Return which of the two a resource is."""
    return SALES if resource.path.startswith("salesentry") else PURCHASE


class _Problems:
    """Everything wrong with one entry; Exact names all of it at once."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self.found: list[str] = []

    def add(self, message: str, detail: str = "") -> None:
        text = say(message, self._call.language, detail)
        if text not in self.found:
            self.found.append(text)

    def reference(self, record: Record, name: str, table: str, message: str) -> Record | None:
        """Return the record a GUID names; one of another company is an invalid reference, or null by switch (point 33)."""
        key = record.get(name)
        if key is None:
            return None
        found = self._call.division.tables[table].get(key)
        if found is None:
            if self._call.state.switches.foreign_guid_stored_as_null:
                record[name] = None
            else:
                self.add(message)
        return found

    def refuse(self) -> None:
        if self.found:
            raise Refusal(500, *self.found)


def on_post(call: Call, resource: Resource, entry: Record) -> Record:
    """Check an entry, complete it, number it."""
    family, problems = family_of(resource), _Problems(call)
    entry.setdefault("EntryDate", call.state.clock.now().date())
    journal = _journal(call, entry, family, problems)
    relation = _party(entry, family, problems)
    _document(entry, problems)
    condition = _condition(call, entry, relation, family, problems)
    if not entry.get(family.lines):
        problems.add("Mandatory: Lines")
    for number, line in enumerate(entry.get(family.lines) or [], start=1):
        _line(call, line, number, entry, family, journal, problems)
    _period(call, entry, problems)
    problems.refuse()
    assert journal is not None
    _complete(entry, journal, condition, family, call)
    overwritten = _number(call, entry)
    if overwritten is not None:
        del call.division.tables["Entries"][overwritten]
    return entry


def on_put(call: Call, resource: Resource, stored: Record, changes: Record) -> None:
    """Change an entry's header; lines cannot come along (point 39), and a processed entry's year stays."""
    family = family_of(resource)
    if changes.pop(family.lines, None) is not None and not call.state.switches.ignore_lines_in_put:
        raise Refusal(400, "The property 'Lines' cannot be changed.")
    if stored["Status"] == 50 and changes.get("ReportingYear", stored["ReportingYear"]) != stored["ReportingYear"]:
        raise Refusal(500, "The financial year cannot be changed.")
    problems = _Problems(call)
    _document(changes, problems)
    problems.refuse()


def on_delete(call: Call, _: Resource, stored: Record) -> None:
    """Delete an entry that is not processed."""
    if stored["Status"] == 50:
        raise Refusal(500, "Delete not allowed: the entry has been processed.")
    call.division.remove("Entries", stored["EntryID"])


def find_line(call: Call, resource: Resource, key: str) -> Record | None:
    """Return one line by its id."""
    lines = family_of(resource).lines
    return next(
        (
            line
            for entry in call.division.tables["Entries"].values()
            for line in entry.get(lines, ())
            if line["ID"] == key
        ),
        None,
    )


def on_line_post(call: Call, resource: Resource, line: Record) -> Record:
    """Add a line to an entry."""
    family, problems = family_of(resource), _Problems(call)
    entry = call.division.tables["Entries"].get(line["EntryID"])
    if entry is None:
        raise Refusal(500, say("Invalid reference: Entry", call.language))
    journal = _journal(call, entry, family, problems)
    _line(call, line, len(entry[family.lines]) + 1, entry, family, journal, problems)
    problems.refuse()
    entry[family.lines].append(line)
    _sum(entry, family)
    call.division.put("Entries", entry["EntryID"], entry)
    return line


def on_line_delete(call: Call, resource: Resource, line: Record) -> None:
    """Delete a line; with the last one the entry goes (point 39)."""
    family = family_of(resource)
    entry = call.division.tables["Entries"][line["EntryID"]]
    entry[family.lines].remove(line)
    if not entry[family.lines]:
        call.division.remove("Entries", entry["EntryID"])
        return
    _sum(entry, family)
    call.division.put("Entries", entry["EntryID"], entry)


def _journal(call: Call, entry: Record, family: Family, problems: _Problems) -> Record | None:
    code = entry.get("Journal")
    if not code:
        problems.add("Mandatory: Journal")
        return None
    journal = next((one for one in call.division.tables["Journals"].values() if one["Code"] == code), None)
    if journal is None:
        problems.add("Invalid reference: Journals")
    elif journal["Type"] not in family.journals:
        problems.add("Invalid: Journal (type)")
    elif journal["IsBlocked"]:
        problems.add("Blocked: Journal", code)
    elif entry.get("Currency") not in (None, journal["Currency"]) and not journal["AllowVariableCurrency"]:
        problems.add("Not allowed: Exchange rate")
    return journal


def _party(entry: Record, family: Family, problems: _Problems) -> Record | None:
    if entry.get(family.party) is None:
        problems.add(family.party_missing)
        return None
    relation = problems.reference(entry, family.party, "Accounts", "Invalid reference: Account")
    if relation is None:
        return None
    if relation.get("Blocked"):
        problems.add("Blocked: Account", f"{relation['Code'].strip()} - {relation['Name']}")
    fits = relation.get("Status") == "C" if family is SALES else relation.get("IsSupplier") is True
    if not fits:
        problems.add(family.party_wrong)
    entry[f"{family.party}Name"] = relation["Name"]
    return relation


def _document(entry: Record, problems: _Problems) -> None:
    document = problems.reference(entry, "Document", "Documents", "Invalid reference: Document")
    if document is not None:
        entry["DocumentNumber"], entry["DocumentSubject"] = document["HID"], document["Subject"]


def _condition(
    call: Call, entry: Record, relation: Record | None, family: Family, problems: _Problems
) -> Record | None:
    """Return the condition of the entry, else the relation's; an entry with neither must say when it is due."""
    code = entry.get("PaymentCondition") or (relation or {}).get(family.condition)
    if not code:
        if relation is not None and entry.get("DueDate") is None:
            problems.add("Mandatory: Payment condition")
        return None
    found = next((one for one in call.division.tables["PaymentConditions"].values() if one["Code"] == code), None)
    if found is None:
        problems.add("Invalid reference: Payment condition")
    return found


def _line(
    call: Call, line: Record, number: int, entry: Record, family: Family, journal: Record | None, problems: _Problems
) -> None:
    line.setdefault("ID", str(uuid4()))
    line["LineNumber"], line["EntryID"] = number, entry["EntryID"]
    if line.get("AmountFC") is None:
        problems.add("Mandatory: Amount")
    account = problems.reference(line, "GLAccount", "GLAccounts", "Invalid reference: G/L account")
    if line.get("GLAccount") is None and not problems.found:
        problems.add("Mandatory: G/L account")
    if account is not None:
        if account["IsBlocked"]:
            problems.add("Blocked: G/L account", f"{account['Code']} - {account['Description']}")
        if account["Type"] in FORBIDDEN_ON_LINES:
            problems.add("Invalid: G/L account type")
        if account.get("UseCostcenter") == 1 and not line.get("CostCenter"):
            problems.add("Mandatory: Cost center")
        line["GLAccountCode"], line["GLAccountDescription"] = account["Code"], account["Description"]
        # A line without a code silently takes the account's own (point 35).
        line.setdefault("VATCode", account.get("VATCode"))
    if not problems.found:
        _vat(call, line, family, journal, problems)


def _vat(call: Call, line: Record, family: Family, journal: Record | None, problems: _Problems) -> None:
    amount: Decimal = line["AmountFC"]
    line["AmountFC"] = amount.quantize(CENT, ROUND_HALF_UP)
    given: Decimal | None = line.get("VATAmountFC")
    line["VATDueFC"] = Decimal(0)
    code = (line.get("VATCode") or "").strip()
    if not code:
        line["VATAmountFC"] = Decimal(0)
        return
    vat = next((one for one in call.division.tables["VATCodes"].values() if one["Code"].strip() == code), None)
    if vat is None or vat["IsBlocked"]:
        problems.add("Invalid reference: VAT code")
        return
    if vat["VATTransactionType"] not in {"B", family.vat_kind} or (journal is not None and not journal["AllowVAT"]):
        problems.add("Not allowed: VAT code")
        return
    line["VATCode"], line["VATCodeDescription"], line["VATPercentage"] = (
        vat["Code"],
        vat["Description"],
        vat["Percentage"],
    )
    mode = ROUND_HALF_EVEN if call.state.switches.half_even_rounding else ROUND_HALF_UP
    if vat["Type"] in {"B", "N"}:
        if given:
            problems.add("Not allowed: VAT amount")
        line["VATAmountFC"] = Decimal(0)
        return
    if vat["Type"] == "I":
        # A code "VAT included": the amount sent is taken as inclusive (exact §5.3 b).
        net = (amount / (1 + vat["Percentage"])).quantize(CENT, mode)
        line["VATAmountFC"], line["AmountFC"] = amount - net, net
    else:
        computed = (line["AmountFC"] * vat["Percentage"]).quantize(CENT, mode)
        line["VATAmountFC"] = computed if given is None else given.quantize(CENT, ROUND_HALF_UP)
    # Reverse charge: due and claimed back at once; it is no part of what is paid.
    line["VATDueFC"] = Decimal(0) if vat["Charged"] else line["VATAmountFC"]


def _period(call: Call, entry: Record, problems: _Problems) -> None:
    day: date = entry["EntryDate"]
    year, period = entry.get("ReportingYear") or day.year, entry.get("ReportingPeriod") or day.month
    entry["ReportingYear"], entry["ReportingPeriod"] = year, period
    if year not in call.division.years:
        problems.add("Unknown: Financial year (Period-date table)")
    elif (str(entry.get("Journal")), year, period) in call.division.closed:
        problems.add("Period is closed", f"{year} - {period}")


def _complete(entry: Record, journal: Record, condition: Record | None, family: Family, call: Call) -> None:
    entry.setdefault("Currency", journal["Currency"])
    entry.setdefault("Rate", Decimal(1))
    entry["JournalDescription"] = journal["Description"]
    if entry.get("DueDate") is None:
        entry["DueDate"] = entry["EntryDate"] + timedelta(days=condition["PaymentDays"] if condition else 30)
    entry["Status"], entry["StatusDescription"] = 20, "Open"
    _sum(entry, family)
    credit = entry["AmountFC"] < 0 if call.state.switches.type_by_sign else journal["Type"] in {21, 23}
    entry["Type"] = family.types[int(credit)]


def _sum(entry: Record, family: Family) -> None:
    lines: list[Record] = entry[family.lines]
    rate: Decimal = entry.get("Rate") or Decimal(1)
    entry["VATAmountFC"] = sum((line["VATDueFC"] for line in lines), Decimal(0))
    entry["AmountFC"] = sum((line["AmountFC"] for line in lines), Decimal(0)) + entry["VATAmountFC"]
    entry["AmountDC"] = (entry["AmountFC"] * rate).quantize(CENT, ROUND_HALF_UP)
    entry["VATAmountDC"] = (entry["VATAmountFC"] * rate).quantize(CENT, ROUND_HALF_UP)
    for line in lines:
        line["AmountDC"] = (line["AmountFC"] * rate).quantize(CENT, ROUND_HALF_UP)
        line["VATAmountDC"] = (line["VATAmountFC"] * rate).quantize(CENT, ROUND_HALF_UP)


def _number(call: Call, entry: Record) -> str | None:
    """Give the entry its number (point 36); return the key of an entry it overwrites, where the switch says so."""
    journal, year = entry["Journal"], entry["ReportingYear"]
    last = call.division.last_number.get((journal, year), _first_number(journal, year) - 1)
    hint: Any = entry.get("EntryNumber")
    overwritten = None
    if hint is not None:
        taken = next(
            (
                key
                for key, other in call.division.tables["Entries"].items()
                if other["Journal"] == journal and other["ReportingYear"] == year and other["EntryNumber"] == hint
            ),
            None,
        )
        if taken is not None and not call.state.switches.overwrite_taken_numbers:
            raise Refusal(500, say("In use: Entry number", call.language))
        overwritten = taken
        if taken is None and hint < last and call.state.switches.renumber_lower_hints:
            hint = None
    number = last + 1 if hint is None else hint
    entry["EntryNumber"] = entry["InvoiceNumber"] = number
    call.division.last_number[journal, year] = max(number, last)
    return overwritten


def _first_number(journal: str, year: int) -> int:
    """Return the first number of a journal's year: YYJJnnnn (exact §3.12)."""
    digits = "".join(sign for sign in journal if sign.isdecimal())[:2].rjust(2, "0")
    return int(f"{year % 100:02d}{digits}0001")
