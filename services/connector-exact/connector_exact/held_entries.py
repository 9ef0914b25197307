"""An entry as Exact holds it: whether it is ours, its EntryNumber and address, and what differs from what was sent."""

from collections.abc import Mapping, Sequence
from typing import Any

from koppel_connector import odata, values
from koppel_connector.contract import DeliveryContext, NotBooked, ReadBack, Vanished, Vendor
from koppel_connector.ledger import reading_back
from koppel_connector.odata import Row

from .api import Exact
from .mapping.entry import FAMILIES, Entry, Family, differences, expectation
from .profile import ENTRY_URL
from .settings import ExactSettings


def search_progress_of(entry: Entry, document_id: str) -> dict[str, Any]:
    """Return what is saved before an entry is sent: what ``lookup`` searches for, and what ``read_back`` compares with."""
    return {
        "side": entry.booking.side,
        "your_ref": entry.your_ref,
        "relation_id": entry.relation_id,
        "expected": expectation(entry, document_id),
        "already_exists": False,
    }


def family_of(context: DeliveryContext) -> Family | None:
    """Return SalesEntries or PurchaseEntries; None where no entry was sent."""
    side = context.progress.get("side")
    return FAMILIES[side] if side else None


def filter_alike(context: DeliveryContext, family: Family) -> str | None:
    """Return the filter that finds entries with our YourRef and relation, whoever made them."""
    your_ref = context.progress.get("your_ref")
    if not your_ref:
        return None
    return f"YourRef eq {odata.text(your_ref)} and {family.party} eq {odata.guid(context.progress['relation_id'])}"


def id_of(context: DeliveryContext) -> str:
    """Return the EntryID of a delivery's entry."""
    return str(context.delivery.remote_id or context.remote_uuid).casefold()


def is_ours(row: Row, context: DeliveryContext) -> bool:
    """Whether its EntryID is ours, or its Document is the one with our reference."""
    document_id = context.progress.get("document_id")
    if odata.same_guid(row.get("EntryID")) == str(context.remote_uuid):
        return True
    return bool(document_id) and odata.same_guid(row.get("Document")) == str(document_id).casefold()


def number_of(row: Row) -> str | None:
    """Return the EntryNumber."""
    number = values.integer(row.get("EntryNumber"))
    return str(number) if number else None


def url_of(vendor: Vendor[ExactSettings], entry_id: str) -> str:
    """Return the address of an entry's screen."""
    return ENTRY_URL.format(
        base_url=vendor.application.base_url.rstrip("/"), entry_id=entry_id, division=vendor.settings.division
    )


async def compared(exact: Exact, vendor: Vendor[ExactSettings], context: DeliveryContext, row: Row | None) -> ReadBack:
    """Compare an entry that was read back, its lines included, with what was saved when it was sent."""
    family = family_of(context)
    if row is None or family is None:
        # Exact's search may lag behind its own 201. An entry that was never seen is reported when read-back gives up.
        return Vanished() if context.delivery.was_booked else NotBooked()
    entry_id = str(row["EntryID"])
    number, url = number_of(row) or "", url_of(vendor, entry_id)
    expected: Mapping[str, Any] = context.progress["expected"]
    return reading_back.compared(differences(expected, row, await _lines(exact, family, row)), number, url)


async def _lines(exact: Exact, family: Family, row: Row) -> Sequence[Row]:
    """Return the lines of an entry; where the answer does not contain them all, they are asked for."""
    lines = odata.expanded(row.get(family.lines))
    return await exact.lines_of(family, str(row["EntryID"])) if lines is None else lines
