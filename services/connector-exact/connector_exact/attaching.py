"""What carries a delivery's files (§3.9, §3.10): a Document or a message of the mailbox, then file by file, each step saved.

Carrier and attachments have ids of ours, so that after a lost answer they cannot be created twice. The Subject ends in the
delivery's mark, and attachments are recognised by name, so that they are found where Exact gives the ids.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from koppel_bookkeeping.texts import clipped
from koppel_connector import odata
from koppel_connector.contract import CannotTell, DeliveryContext, NotFound
from koppel_connector.ledger import own_ids
from koppel_connector.ledger.documents import File, FileLimits

from . import our_ids, rights
from .api import Carrier, Exact

SUBJECT_LENGTH_MAX: Final = 100
# Exact measures the raw bytes of a POST, not their base64 (§2, sizes). Types of files that it refuses are documented nowhere.
FILE_LIMITS: Final = FileLimits(size_bytes_max=10_000_000)


async def attach(
    exact: Exact, context: DeliveryContext, carrier: Carrier, body: Mapping[str, Any], files: Sequence[File]
) -> str:
    """Create the carrier and attach its files, from where an earlier attempt stopped; return the carrier's id."""
    carrier_id: str | None = context.progress.get("document_id")
    if carrier_id is None:
        await context.save(creating=own_ids.creation(carrier.path, mark_of(context)))
        carrier_id = await exact.create_once(carrier.path, _our_id(context), body)
        await context.save(document_id=carrier_id)
    for file in files:
        attached: list[str] = context.progress.get("attached", [])
        if file.name not in attached:
            await context.save(creating=own_ids.creation(carrier.attachments, file.name))
            await exact.attach(carrier, carrier_id, file)
            await context.save(attached=[*attached, file.name])
    return carrier_id


async def forget(context: DeliveryContext) -> None:
    """Create the carrier again at the next attempt: a person removed the saved one at Exact, or refused it."""
    generation = _generation(context) + 1
    await context.save(document_id=None, attached=[], document_generation=generation)


async def recover(exact: Exact, context: DeliveryContext, carrier: Carrier) -> NotFound | CannotTell:
    """After an unknown outcome, before anything is sent (again): find the carrier and its attachments.

    Returns:
        ``CannotTell`` while a search may not show yet what was created under an id that is not ours.
    """
    store, creating = context.vendor.master_data, context.progress.get("creating")
    carrier_id, mark = context.progress.get("document_id"), mark_of(context)
    if carrier_id is None:
        found = await exact.about(carrier.path, [mark])
        if not found:
            await rights.insist_on_reading(exact, carrier.path)
            if own_ids.may_be_hidden(store, creating, mark):
                return CannotTell(f"Exact may not show it yet in {carrier.path}")
            return NotFound()
        ours, ids = _our_id(context), sorted(odata.same_guid(row["ID"]) for row in found)
        carrier_id = ours if ours in ids else ids[0]
        if creating is not None:
            await own_ids.learn(store, carrier.path, ours, carrier_id)
        await context.save(document_id=carrier_id)
    names = await exact.attachments_of(carrier, carrier_id)
    if not names:
        await rights.insist_on_reading(exact, carrier.attachments)
    # An attachment that the search does not show yet stays saved.
    known = list(dict.fromkeys([*context.progress.get("attached", []), *names]))
    await context.save(attached=known)
    # Of the carrier itself nothing is hidden any more.
    file = creating["what"] if creating and creating["resource"] == carrier.attachments else None
    if file is not None and file not in known and own_ids.may_be_hidden(store, creating, file):
        return CannotTell("Exact may not show the attachment yet")
    return NotFound()


def subject_of(context: DeliveryContext, text: str) -> str:
    """Return a Subject that people understand and that ends in the delivery's mark."""
    mark = mark_of(context)
    return f"{clipped(text, SUBJECT_LENGTH_MAX - len(mark) - 1)} {mark}"


def mark_of(context: DeliveryContext) -> str:
    """Return what the Subject ends in: the delivery's reference, and which generation of the carrier this is."""
    generation = _generation(context)
    return f"{context.remote_ref}-{generation}" if generation else context.remote_ref


def _our_id(context: DeliveryContext) -> str:
    return our_ids.document_id(context.remote_uuid, _generation(context))


def _generation(context: DeliveryContext) -> int:
    return int(context.progress.get("document_generation", 0))
