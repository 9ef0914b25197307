"""Bank entries: opening balance and lines must make the closing balance (exact §3.11, point 41)."""

from decimal import Decimal
from uuid import uuid4

from .call import Call
from .odata.replies import Refusal
from .resources import Resource
from .state import Record
from .texts import say


def on_post(call: Call, _: Resource, entry: Record) -> None:
    """Check and number a bank entry."""
    journals = [one for one in call.division.tables["Journals"].values() if one["Code"] == entry["JournalCode"]]
    if not journals:
        raise Refusal(500, say("Invalid reference: Journals", call.language))
    if journals[0]["Type"] not in {10, 12}:
        raise Refusal(500, say("Invalid: Journal (type)", call.language))
    lines = entry.get("BankEntryLines") or []
    for number, line in enumerate(lines, start=1):
        if line.get("GLAccount") not in call.division.tables["GLAccounts"]:
            raise Refusal(500, say("Invalid reference: G/L account", call.language))
        if line.get("AmountFC") is None:
            raise Refusal(500, say("Mandatory: Amount", call.language))
        line |= {"ID": str(uuid4()), "EntryID": entry["EntryID"], "LineNumber": number}
    opening = entry.get("OpeningBalanceFC") or Decimal(0)
    closing = entry.get("ClosingBalanceFC")
    total = opening + sum((line["AmountFC"] for line in lines), Decimal(0))
    if closing is not None and total != closing:
        raise Refusal(500, f"The entry is not balanced - Difference: EUR {closing - total}")
    entry["ClosingBalanceFC"] = total
    entry["EntryNumber"] = len(call.division.tables["BankEntries"]) + 1
    entry["Status"] = 20


def on_delete(call: Call, _: Resource, entry: Record) -> None:
    """Delete a bank entry as a whole, while it is open."""
    if entry["Status"] != 20:
        raise Refusal(500, "Delete not allowed: the entry has been processed.")
    call.division.remove("BankEntries", entry["EntryID"])
