"""A door of the kit: how a connector takes in what it fetched itself, a mail out of a mailbox, as if it had been posted."""

from typing import Any

import structlog

from .contract.notices import AddressProbe, Notice, Verified
from .delivery.notices import has_delivery, store_notice
from .kit import Kit

__all__ = ["accept_notice", "has_delivery"]
log = structlog.get_logger(__name__)


async def accept_notice(kit: Kit, notice: Notice, settings: Any = None) -> bool:
    """Store a notice that ``Connector.verify`` takes for proven; it is worked off like any other, once.

    Args:
        kit: of the connector (``context.resources``).
        notice: what came in.
        settings: of the connection that it came to.

    Returns:
        False where it proves nothing; it is not stored then.
    """
    verified = _verified(kit, notice, settings)
    if verified is None:
        return False
    if isinstance(verified, Verified):
        await store_notice(kit, notice, verified)
    return True


def _verified(kit: Kit, notice: Notice, settings: Any) -> Verified | AddressProbe | None:
    try:
        return kit.connector.verify(notice, kit.settings, settings)
    except Exception:
        # Whatever arrives may come from anybody: what ``verify`` cannot cope with is not proven.
        log.exception("the connector cannot verify a notice", connector=kit.profile.name)
        return None
