"""Ids of ours for objects that a vendor creates: a second creation is refused then, and after a lost answer the id is known.

A vendor may document this for some resources and give ids of its own in others. So the id in the answer is compared with the one
sent, and a resource that replaces ours is remembered. After a creation there, a search that finds nothing is not believed until
searches can no longer lag.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from koppel_connector.contract.errors import RetryLater
from koppel_connector.contract.master_data import MasterDataStore, MasterRecord
from koppel_connector.contract.problems import Problem
from koppel_mesh.clock import utc_now

SEARCH_LAG_MAX: Final = timedelta(minutes=10)
_KIND: Final = "gives_own_ids"
_CREATION: Final = "relation_creation"


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


async def note_creation(store: MasterDataStore, resource: str, identity: str, name: str) -> None:
    """Where the vendor gives the ids, make sure that no search still hides an object of this identity that we created.

    Raises:
        RetryLater: it was sent a moment ago, and the answer got lost.
    """
    if are_kept(store, resource):
        return
    if (record := store.get(_CREATION, identity)) and may_be_hidden(store, dict(record.data), identity):
        raise RetryLater(problem=Problem("vendor_unavailable", f"{resource}: {name} may exist and not be shown yet"))
    await store.remember(MasterRecord(_CREATION, identity, identity, name, creation(resource, identity)))


def may_be_hidden(store: MasterDataStore, note: dict[str, Any] | None, what: str) -> bool:
    """Whether ``what`` may exist under an id of the vendor's although a search does not show it yet."""
    if note is None or note["what"] != what or are_kept(store, note["resource"]):
        return False
    return utc_now() - datetime.fromisoformat(note["at"]) < SEARCH_LAG_MAX
