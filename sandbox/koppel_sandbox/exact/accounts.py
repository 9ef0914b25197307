"""Relations: customers and suppliers are one table (exact §3.4)."""

from .call import Call
from .odata.replies import Refusal
from .resources import Resource
from .state import Record
from .texts import say

CODE_WIDTH = 18


def padded(code: str) -> str:
    """Return a relation's code as it is stored: padded with blanks on the left (point 24)."""
    return code.strip().rjust(CODE_WIDTH)


def on_post(call: Call, _: Resource, record: Record) -> None:
    """Give a new relation its code and defaults."""
    taken = {row["Code"] for row in call.division.tables["Accounts"].values()}
    code = record.get("Code")
    if code is None:
        numbers = [int(one) for one in taken if one.strip().isdecimal()]
        code = str(max(numbers, default=0) + 1)
    elif padded(code) in taken:
        raise Refusal(500, say("Data already exists", call.language))
    record["Code"] = padded(code)
    record.setdefault("Status", "A")
    record.setdefault("IsSupplier", False)
    record.setdefault("Blocked", False)
    record["Type"] = "A"
    record["IsSales"] = record["Status"] == "C"
    record["IsPurchase"] = record["IsSupplier"]
    if record.get("Country"):
        record["Country"] = record["Country"].ljust(3)


def on_put(call: Call, _: Resource, stored: Record, changes: Record) -> None:
    """Refuse a change that carries the code, even unchanged (point 48)."""
    if "Code" in changes:
        raise Refusal(500, say("Data already exists", call.language))
    if changes.get("Country"):
        changes["Country"] = changes["Country"].ljust(3)
    stored["IsSales"] = changes.get("Status", stored["Status"]) == "C"
    stored["IsPurchase"] = changes.get("IsSupplier", stored["IsSupplier"])
