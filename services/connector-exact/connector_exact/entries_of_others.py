"""SalesEntries and PurchaseEntries with the number of a document, whoever made them, as the kit compares them."""

from collections.abc import Sequence

from koppel_bookkeeping import Side
from koppel_bookkeeping.business_keys import document_number_spellings
from koppel_bookkeeping.document import Counterparty
from koppel_bookkeeping.entries_in_books import EntryInBooks, SoughtDocument
from koppel_connector import Vendor, odata, values
from koppel_connector.ledger.records import Records
from koppel_connector.odata import Row

from . import held_entries, rights
from .api import Exact
from .mapping.entry import FAMILIES, Family, your_ref
from .master_data import Relation
from .settings import ExactSettings


async def search(vendor: Vendor[ExactSettings], documents: Sequence[SoughtDocument]) -> list[EntryInBooks]:
    """Return the entries whose YourRef is the number of one of the documents, in any spelling: one call a side, as a rule.

    Raises:
        ActionRequired: the user may not read entries; without the right Exact shows none (§3.3).
    """
    exact, found = Exact(vendor), list[EntryInBooks]()
    for side, family in FAMILIES.items():
        numbers = [document_number_spellings(your_ref(each.number)) for each in documents if each.side == side]
        if not numbers:
            continue
        rows = await exact.entries_with_your_ref(family, numbers)
        if not rows:
            await rights.insist_on_searching(exact, family.path)
        found += [_read(vendor, side, family, row) for row in rows]
    return found


def _read(vendor: Vendor[ExactSettings], side: Side, family: Family, row: Row) -> EntryInBooks:
    entry_id = odata.same_guid(row["EntryID"])
    name = values.text(row.get(f"{family.party}Name"))
    relation = Records(vendor.master_data, Relation).by_id(odata.same_guid(row.get(family.party)))
    return EntryInBooks(
        remote_id=entry_id,
        side=side,
        document_number=values.text(row.get("YourRef")),
        counterparty=relation.counterparty if relation else Counterparty(name=name),
        issued_on=odata.day(row.get("EntryDate")),
        total=values.amount(row.get("AmountFC")),
        currency=values.text(row.get("Currency")) or None,
        entry_number=held_entries.number_of(row),
        entry_url=held_entries.url_of(vendor, entry_id),
    )
