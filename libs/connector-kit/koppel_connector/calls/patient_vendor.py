"""Calls of long work that nobody waits for, an import: where the vendor allows no more in this minute, they wait for the next.

The work goes on where it was: thrown away and begun anew, one that needs more calls than a minute has would never end. No
transaction, place or session is held meanwhile, and of each minute a part is left to bookings (``attempts.LEFT_SHARE``).
"""

import asyncio
from typing import Any
from uuid import UUID

from koppel_connector.contract import Call, Vendor, VendorAnswer
from koppel_connector.contract.errors import RateLimited
from koppel_connector.contract.mail import MailCall, MailReply
from koppel_connector.kit import Kit
from koppel_mesh.clock import utc_now

from .attempts import SHORT_S
from .vendor import LeaseLost, OpenVendor

PATIENCE_S = SHORT_S + 15.0
"""A short window ends within this, by clocks that differ a little. A longer wait is left to whoever called."""
LOOK_UP_S = 1.0
"""So often a wait looks whether this process ends."""


class PatientVendor(Vendor[Any]):
    """An open connection whose calls wait for a short window, and leave only while the claim ``owner_id`` holds."""

    def __init__(self, kit: Kit, vendor: OpenVendor, owner_id: UUID) -> None:
        self._kit = kit
        self._vendor = vendor
        self._owner_id = owner_id
        self.connection = vendor.connection
        self.settings = vendor.settings
        self.master_data = vendor.master_data
        self.memory = vendor.memory
        self.application = vendor.application

    async def call(self, call: Call) -> VendorAnswer:
        """Make one call (see ``Vendor.call``), as soon as the vendor allows it.

        Raises:
            LeaseLost: another process may have taken the work over.
        """
        while True:
            self._insist_on_claim()
            try:
                return await self._vendor.call(call)
            except RateLimited as refused:
                if not self._may_wait(refused):
                    raise
                await self._wait(refused)

    async def send_mail(self, call: MailCall) -> MailReply:
        """Hand in one message (see ``Vendor.send_mail``)."""
        self._insist_on_claim()
        return await self._vendor.send_mail(call)

    def _insist_on_claim(self) -> None:
        if not self._kit.owner.holds(self._owner_id):
            raise LeaseLost

    def _may_wait(self, refused: RateLimited) -> bool:
        # A probe tells how the vendor is, and others wait to know.
        return not self._vendor.is_probe and refused.until is not None and _left_s(refused) <= PATIENCE_S

    async def _wait(self, refused: RateLimited) -> None:
        async with self._kit.database.transaction() as tx:
            await self._vendor.flush(tx)  # others must know now what the vendor has just said of its limits
        await asyncio.sleep(LOOK_UP_S)  # at least: the window ends by the database's clock
        while (left_s := _left_s(refused)) > 0:
            if self._kit.closing:
                raise refused
            await asyncio.sleep(min(left_s, LOOK_UP_S))


def _left_s(refused: RateLimited) -> float:
    return 0.0 if refused.until is None else (refused.until - utc_now()).total_seconds()
