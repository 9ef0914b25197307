"""What reading entries back means: each looked at by itself, and compared with what was sent."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import structlog

from koppel_connector.contract.delivery import DeliveryContext
from koppel_connector.contract.errors import ActionRequired, Rejected
from koppel_connector.contract.problems import Problem
from koppel_connector.contract.results import Booked, Differs, ReadBack

from .records import UNREADABLE

_DETAIL_LENGTH_MAX: Final = 500

log = structlog.get_logger(__name__)


async def one_by_one(
    contexts: Iterable[DeliveryContext[Any]], look: Callable[[DeliveryContext[Any]], Awaitable[ReadBack]]
) -> dict[UUID, ReadBack]:
    """Return what the books say of each document of a batch.

    One whose entry cannot be read is logged and absent, which asks for it again later; it hides none of its neighbours.

    Raises:
        ConnectorError: the vendor said something that is not about one document.
    """
    seen: dict[UUID, ReadBack] = {}
    for context in contexts:
        try:
            seen[context.delivery.id] = await look(context)
        except UNREADABLE:
            # A bug of the connector, as where the whole read-back fails.
            log.exception("the connector failed to read one entry back", delivery=str(context.delivery.id))
    return seen


async def each_apart(readings: Iterable[Awaitable[Mapping[UUID, ReadBack]]]) -> dict[UUID, ReadBack]:
    """Return what several readings of a batch show; one that is refused, or cannot be read, hides nothing of the others.

    Raises:
        ActionRequired: nothing was seen, and a reading was refused; or ``Rejected``.
        ConnectorError: anything but a refusal, which says something about all of them.
    """
    seen: dict[UUID, ReadBack] = {}
    refused: ActionRequired | Rejected | None = None
    for reading in readings:
        try:
            seen |= await reading
        except (ActionRequired, Rejected) as failure:
            log.warning("a part of a batch cannot be read back", reason=str(failure))
            refused = refused or failure
        except UNREADABLE:
            log.exception("the connector failed to read a part of a batch back")
    if refused is not None and not seen:
        raise refused
    return seen


def compared(differences: Sequence[str], entry_number: str, entry_url: str) -> Booked | Differs:
    """Return that it is booked; where anything differs, ``totals_differ``, a problem of the connector's own, which says what."""
    if differences:
        return Differs(Problem("totals_differ", "; ".join(differences)[:_DETAIL_LENGTH_MAX]), entry_number, entry_url)
    return Booked(entry_number, entry_url)
