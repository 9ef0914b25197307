"""The paper vendor as the conformance suite wants it."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

from sqlalchemy import text

from koppel_connector import oauth
from koppel_connector.conformance import Fault, VendorHarness, Workshop
from koppel_connector.connections import read_connection
from koppel_connector.routes.connections import _insert

from .paper_connector import PaperSettings
from .paper_vendor import PaperVendor


class PaperHarness(VendorHarness):
    """The paper vendor, for the conformance suite."""

    def __init__(self, vendor: PaperVendor) -> None:
        self.vendor = vendor
        self._ids: dict[int, UUID] = {}

    async def connect(self, shop: Workshop) -> UUID:
        async with shop.context.database.transaction() as tx:
            view = await _insert(tx, shop.kit, shop.dossier_id, shop.firm_id, PaperSettings(journal="700"))
        assert view.authorize_url is not None
        state = parse_qs(urlsplit(view.authorize_url).query)["state"][0]
        returned = await oauth.take_return(shop.kit, code=self.vendor.new_code(), state=state, error=None)
        assert returned.ending == "connected"
        return view.id

    async def connect_again(self, shop: Workshop) -> None:
        """Give a new consent, as a person does."""
        async with shop.context.database.reading() as reading:
            connection_id = (await reading.execute(text("SELECT id FROM connection"))).scalar_one()
            row = await read_connection(reading, shop.kit, connection_id)
        assert row is not None
        state = parse_qs(urlsplit(oauth.authorize_url(shop.kit, row) or "").query)["state"][0]
        returned = await oauth.take_return(shop.kit, code=self.vendor.new_code(), state=state, error=None)
        assert returned.ending == "connected"

    def document(self, number: int) -> tuple[Mapping[str, Any], Mapping[str, bytes]]:
        identifier = self._ids.setdefault(number, uuid4())
        document = {"id": str(identifier), "kind": "sales_invoice", "number": f"F2026-{number}", "total": "121.00"}
        return document, {}

    async def fail(self, fault: Fault, times: int = 1) -> None:
        self.vendor.faults.extend([fault] * times)

    async def repair(self) -> None:
        self.vendor.faults.clear()

    async def index_late(self, delay_s: float) -> None:
        self.vendor.index_delay_s = delay_s

    async def bookings(self) -> Mapping[str, int]:
        found: dict[str, int] = {}
        for entry in self.vendor.ledger:
            found[entry["reference"]] = found.get(entry["reference"], 0) + 1
        return found

    async def calls_seen(self) -> int:
        return len(self.vendor.seen)

    async def limits_broken(self) -> int:
        return self.vendor.over_limit

    async def spent_tokens_used(self) -> int:
        return self.vendor.spent_uses
