"""Ids of ours for each object created at Exact: a second creation is refused with "Data already exists" (§5.1).

Exact documents this for entries (``EntryID``, §3.6). For relations, Documents, messages and attachments it is an assumption,
which ``koppel_connector.ledger.own_ids`` watches.
"""

from uuid import NAMESPACE_URL, UUID, uuid5


def document_id(remote_uuid: UUID, generation: int) -> str:
    """Return the id of a delivery's Document or message; in place of one that is gone or refused, the next generation is made."""
    return str(uuid5(remote_uuid, f"document {generation}"))


def bank_entry_id(remote_uuid: UUID, index: int) -> str:
    """Return the id of the entry of a file's statement, counted from 0."""
    return str(uuid5(remote_uuid, f"bank entry {index}"))


def attachment_id(document: str, file_name: str) -> str:
    """Return the id of an attachment."""
    return str(uuid5(UUID(document), file_name))


def relation_id(division: int | None, identity: str) -> str:
    """Return the id of the relation created for a party in a division, the same for every delivery."""
    return str(uuid5(NAMESPACE_URL, f"koppel exact {division} relation {identity}"))
