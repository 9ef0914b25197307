"""Which documents wait for which: for one that nobody asked to go, or for each other. Pure."""

from collections import deque
from collections.abc import Collection, Iterable, Sequence
from collections.abc import Set as AbstractSet
from uuid import UUID


def crossed(chains: Iterable[Sequence[UUID]], going: AbstractSet[UUID]) -> set[UUID]:
    """Return the documents that wait for each other: each holds a statement that comes before one of the other.

    Args:
        chains: for each account the documents of its statements, in the order of the chain.
        going: documents that go out of turn, and hold nobody.
    """
    queues = [deque(each for each in chain if each not in going) for chain in chains]
    left: dict[UUID, int] = {}
    for queue in queues:
        for document in queue:
            left[document] = left.get(document, 0) + 1
    progress = True
    while progress:
        progress = False
        for document in {queue[0] for queue in queues if queue}:
            if sum(_leading(queue, document) for queue in queues) == left[document]:
                for queue in queues:
                    while queue and queue[0] == document:
                        queue.popleft()
                progress = True
    return {queue[0] for queue in queues if queue}


def _leading(queue: Iterable[UUID], document: UUID) -> int:
    count = 0
    for each in queue:
        if each != document:
            break
        count += 1
    return count


def first_behind(chain: Sequence[UUID], asked: Collection[UUID]) -> tuple[UUID, UUID] | None:
    """Return the first document that is to go and the one before it that nobody asked to go; None where there are no two."""
    unasked = next((each for each in chain if each not in asked), None)
    if unasked is None:
        return None
    behind = next((each for each in chain[chain.index(unasked) :] if each in asked), None)
    return (behind, unasked) if behind is not None else None
