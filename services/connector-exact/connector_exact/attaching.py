"""The Document that carries a delivery's files (§3.9): Document → picture → UBL → the other files, each finished step saved.

Document and attachments have ids of ours, so that after a lost answer they cannot be created twice. The Subject ends in the
delivery's remote reference, and attachments are recognised by name, so that they are found where Exact gives the ids.
"""

from collections.abc import Sequence
from typing import Any, Final

from koppel_bookkeeping.texts import clipped
from koppel_connector.contract import CannotTell, DeliveryContext, NotFound
from koppel_connector.ledger.documents import File, FileLimits

from . import odata, our_ids, rights
from .api import ATTACHMENTS, DOCUMENTS, Exact
from .mapping.entry import Entry

SUBJECT_LENGTH_MAX: Final = 100
# Exact measures the raw bytes of a POST, not their base64 (§2, sizes). Types of files that it refuses are documented nowhere.
FILE_LIMITS: Final = FileLimits(size_bytes_max=10_000_000)


async def attach(exact: Exact, context: DeliveryContext, entry: Entry, files: Sequence[File]) -> str:
    """Create the Document and attach its files, from where an earlier attempt stopped; return the Document's id."""
    document_id: str | None = context.progress.get("document_id")
    if document_id is None:
        await context.save(creating=our_ids.creation(DOCUMENTS, context.remote_ref))
        document_id = await exact.create_document(_our_document_id(context), _body(context, entry))
        await context.save(document_id=document_id)
    for file in files:
        attached: list[str] = context.progress.get("attached", [])
        if file.name not in attached:
            await context.save(creating=our_ids.creation(ATTACHMENTS, file.name))
            await exact.attach(document_id, file.name, file.content)
            await context.save(attached=[*attached, file.name])
    return document_id


async def forget(context: DeliveryContext) -> None:
    """Create the Document again at the next attempt: a person removed the saved one at Exact."""
    generation = context.progress.get("document_generation", 0) + 1
    await context.save(document_id=None, attached=[], document_generation=generation)


async def recover(exact: Exact, context: DeliveryContext) -> NotFound | CannotTell:
    """After an unknown outcome, before the entry is sent (again): find the Document and its attachments.

    Returns:
        ``CannotTell`` while a search may not show yet what was created under an id that is not ours.
    """
    store, creating = context.vendor.master_data, context.progress.get("creating")
    document_id = context.progress.get("document_id")
    if document_id is None:
        found = await exact.documents_about(context.remote_ref)
        if not found:
            await rights.insist_on_reading(exact, DOCUMENTS)
            if our_ids.may_be_hidden(store, creating, context.remote_ref):
                return CannotTell("Exact may not show the Document yet")
            return NotFound()
        ours, ids = _our_document_id(context), sorted(odata.same_guid(row["ID"]) for row in found)
        document_id = ours if ours in ids else ids[0]
        if creating is not None:
            await our_ids.learn(store, DOCUMENTS, ours, document_id)
        await context.save(document_id=document_id)
    names = [str(row.get("FileName")) for row in await exact.attachments_of(document_id)]
    if not names:
        await rights.insist_on_reading(exact, ATTACHMENTS)
    # An attachment that the search does not show yet stays saved.
    known = list(dict.fromkeys([*context.progress.get("attached", []), *names]))
    await context.save(attached=known)
    if creating and creating["what"] not in known and our_ids.may_be_hidden(store, creating, creating["what"]):
        return CannotTell("Exact may not show the attachment yet")
    return NotFound()


def _our_document_id(context: DeliveryContext) -> str:
    return our_ids.document_id(context.remote_uuid, context.progress.get("document_generation", 0))


def _body(context: DeliveryContext, entry: Entry) -> dict[str, Any]:
    booking = entry.booking
    room = SUBJECT_LENGTH_MAX - len(context.remote_ref) - 1
    return {
        "Subject": f"{clipped(f'{booking.number} {booking.party.name}', room)} {context.remote_ref}",
        "Type": entry.family.document_type,
        "Account": entry.relation_id,
        "DocumentDate": booking.issued_on,
        "AmountFC": entry.total,
        "Currency": booking.currency,
    }
