"""One entry that cannot be read hides no other of its batch; what the vendor says of all of them is not taken for one of them."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from koppel_connector.contract import Application, Booked, DeliveryContext, ReadBack, RetryLater
from koppel_connector.ledger.reading_back import one_by_one
from koppel_connector.testing import DirectVendor, SampleDocument, context_of

from .paper_connector import PaperConnector

UBL = Path(__file__).parents[2] / "ubl" / "tests" / "samples" / "valid" / "own__be-01-invoice-ogm-pdf.xml"
ROWS: dict[str, Any] = {
    "null": {"lines": None},
    "text": {"lines": ["x"]},
    "number": {"lines": [{"net": "x"}]},
    "none": {},
}


@pytest.fixture
def contexts() -> list[DeliveryContext]:
    vendor = DirectVendor(PaperConnector(), Application("http://127.0.0.1", ""), None)
    return [context_of(vendor, SampleDocument("sales_invoice", {"ubl": UBL.read_bytes()})) for _ in range(3)]


@pytest.mark.parametrize("row", list(ROWS.values()), ids=list(ROWS))
async def test_an_entry_that_cannot_be_read_hides_no_other(
    contexts: list[DeliveryContext], row: dict[str, Any]
) -> None:
    first, bad, last = contexts

    async def look(context: DeliveryContext) -> ReadBack:
        held = row if context is bad else {"lines": [{"net": "1.00"}]}
        return Booked(str(sum(Decimal(line["net"]) for line in held["lines"])), "")

    with capture_logs() as logs:
        seen = await one_by_one(contexts, look)
    assert seen == {each.delivery.id: Booked("1.00", "") for each in (first, last)}
    assert [each["delivery"] for each in logs] == [str(bad.delivery.id)]


async def test_what_the_vendor_refuses_ends_the_whole(contexts: list[DeliveryContext]) -> None:
    async def look(_: DeliveryContext) -> ReadBack:
        raise RetryLater

    with pytest.raises(RetryLater):
        await one_by_one(contexts, look)
