"""Ids of ours for each object created at Exact: a second creation is refused with "Data already exists" (§5.1).

Exact documents this for entries (``EntryID``, §3.6). For relations, Documents and attachments it is an assumption: the id in the
answer is compared with the one sent, and a resource that gives ids of its own is remembered. After a creation there, a search
that finds nothing is not believed until searches can no longer lag.
"""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

from koppel_connector.contract import MasterDataStore, MasterRecord
from koppel_mesh.clock import utc_now

SEARCH_LAG_MAX: Final = timedelta(minutes=10)
_KIND: Final = "gives_own_ids"


def document_id(remote_uuid: UUID, generation: int) -> str:
    """Return the id of a delivery's Document; one that a person removed is created again under the next generation."""
    return str(uuid5(remote_uuid, f"document {generation}"))


def attachment_id(document: str, file_name: str) -> str:
    """Return the id of an attachment."""
    return str(uuid5(UUID(document), file_name))


def relation_id(division: int | None, identity: str) -> str:
    """Return the id of the relation created for a party in a division, the same for every delivery."""
    return str(uuid5(NAMESPACE_URL, f"koppel exact {division} relation {identity}"))


def are_kept(store: MasterDataStore, resource: str) -> bool:
    """Whether the resource keeps the ids we send; true until it is seen to replace one."""
    line = store.get(_KIND, resource)
    return line is None or not line.data["gives_own_ids"]


async def learn(store: MasterDataStore, resource: str, ours: str, given: str) -> None:
    """Remember whether the resource kept an id of ours, where that was not known."""
    kept = ours == given
    if kept != are_kept(store, resource):
        await store.remember(MasterRecord(_KIND, resource, resource, resource, {"gives_own_ids": not kept}))


def creation(resource: str, what: str) -> dict[str, Any]:
    """Return the note that is saved before a creation is sent, for ``may_be_hidden``."""
    return {"resource": resource, "what": what, "at": utc_now().isoformat()}


def may_be_hidden(store: MasterDataStore, note: dict[str, Any] | None, what: str) -> bool:
    """Whether ``what`` may exist under an id of Exact's although a search does not show it yet."""
    if note is None or note["what"] != what or are_kept(store, note["resource"]):
        return False
    return utc_now() - datetime.fromisoformat(note["at"]) < SEARCH_LAG_MAX
