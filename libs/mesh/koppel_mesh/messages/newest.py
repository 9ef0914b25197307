"""Which of many facts about one thing counts."""

from collections.abc import Iterable
from typing import TypeVar
from uuid import UUID

from .events import ConnectionChanged, DeliveryChanged, DocumentChanged, DocumentReady, DossierChanged

Fact = TypeVar("Fact", DossierChanged, DocumentChanged, DocumentReady, DeliveryChanged, ConnectionChanged)


def newest(facts: Iterable[Fact]) -> dict[UUID, Fact]:
    """Return the newest fact about each thing, in the order of the ids: whoever takes row locks takes them in this order.

    Of equal versions the one that came last counts, for a sender that does not number its facts gives them all version 0.
    """
    by_version = {fact.subject_id: fact for fact in sorted(facts, key=lambda fact: fact.version)}
    return dict(sorted(by_version.items()))
