"""Ids of ours for whatever is created at Exact: created a second time it is refused with "Data already exists" (§5.1).

Exact documents this for entries (``EntryID``, §3.6). For relations, Documents and attachments it is an assumption, so the id
that comes back is compared with the one sent, and a resource that gives ids of its own is remembered. There, a search that
finds nothing proves nothing for as long as searches may lag.
"""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

from koppel_connector.contract.connector import MasterDataStore, MasterRecord
from koppel_mesh.clock import utc_now

SEARCH_LAG_MAX: Final = timedelta(minutes=10)
_KIND: Final = "gives_own_ids"


def document_id(remote_uuid: UUID, generation: int) -> str:
    """Return the id of a delivery's Document; a Document that somebody removed is made again under the next generation."""
    return str(uuid5(remote_uuid, f"document {generation}"))


def attachment_id(document: str, file_name: str) -> str:
    """Return the id of a file on a Document."""
    return str(uuid5(UUID(document), file_name))


def relation_id(division: int | None, identity: str) -> str:
    """Return the id of the relation that a party becomes in a division, whichever delivery meets it first."""
    return str(uuid5(NAMESPACE_URL, f"koppel exact {division} relation {identity}"))


def are_kept(book: MasterDataStore, resource: str) -> bool:
    """Whether the resource keeps the ids we give, as far as is known."""
    line = book.get(_KIND, resource)
    return line is None or not line.data["gives_own_ids"]


async def learn(book: MasterDataStore, resource: str, ours: str, given: str) -> None:
    """Remember what the resource did with an id of ours, when that is news."""
    kept = ours == given
    if kept != are_kept(book, resource):
        await book.remember(MasterRecord(_KIND, resource, resource, resource, {"gives_own_ids": not kept}))


def creation(resource: str, what: str) -> dict[str, Any]:
    """Return the note that is saved before a creation leaves, for ``may_be_hidden``."""
    return {"resource": resource, "what": what, "at": utc_now().isoformat()}


def may_be_hidden(book: MasterDataStore, note: dict[str, Any] | None, what: str) -> bool:
    """Whether ``what``, which no search shows, may have been created all the same, under an id that is not ours."""
    if note is None or note["what"] != what or are_kept(book, note["resource"]):
        return False
    return utc_now() - datetime.fromisoformat(note["at"]) < SEARCH_LAG_MAX
