"""What a vendor writes and PostgreSQL cannot hold: a NUL, and half of an emoji. It is kept with a replacement character."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from koppel_connector import (
    Call,
    ConnectorError,
    DeliveryContext,
    MasterData,
    MasterRecord,
    Problem,
    Rejected,
    Sent,
    Vendor,
    VendorAnswer,
)
from koppel_connector.calls.redaction import excerpt_of
from koppel_connector.contract.json_values import encode
from koppel_connector.contract.storable import storable
from koppel_connector.service import connector_service
from koppel_connector.testing import DOSSIER_NAME, Testbed, open_testbed

from .paper_connector import PaperConnector, PaperServiceSettings, PaperSettings
from .paper_harness import PaperHarness
from .paper_vendor import PaperVendor

KEPT = "\ufffd"


class CollectingConnector(PaperConnector):
    """Keeps whatever the vendor says wherever a connector may keep something."""

    async def import_master_data(self, vendor: Vendor) -> MasterData:
        lines = (await vendor.call(Call("accounts", "GET", "/accounts", acts=False))).json()
        name = str(lines[0]["name"])
        relation = MasterRecord("relation", f"code {name}", f"id {name}", name, {name: [name], "email": name})
        await vendor.memory.remember(f"seen {name}", {name: [name]})
        assert await vendor.memory.recall(f"seen {name}") is not None
        return MasterData(relations=(relation,))

    async def send(self, context: DeliveryContext[PaperSettings], prepared: dict[str, Any]) -> Sent:
        name = context.vendor.master_data.all("relation")[0].name.replace(KEPT, "\ud83d")
        await context.save(**{name: [name]})
        await context.warn([Problem("entry_alike_in_books", name)])
        await context.vendor.master_data.remember(MasterRecord("relation", "remembered", f"new {name}", name))
        sent = await super().send(context, prepared)
        return Sent(sent.remote_id, None, f"https://paper.example/{name}")

    def classify(self, answer: VendorAnswer) -> ConnectorError | None:
        if answer.status == 422:
            return Rejected(Problem("rejected_by_vendor", answer.json()["error"]))
        return super().classify(answer)


SERVICE = connector_service(CollectingConnector(), settings=PaperServiceSettings)


@pytest.mark.parametrize("cut", ["Verkopen\ud83d", "\udc00Verkopen", "Ver\x00kopen"])
async def test_what_cannot_be_kept_is_replaced_wherever_it_is_written(
    vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str], cut: str
) -> None:
    vendor.garbles = {"Verkopen": cut, DOSSIER_NAME: cut, "An Accountant": cut, "26700": cut}
    kept = storable(cut)
    async with open_testbed(SERVICE, make_database(SERVICE), paper_base_url=vendor.url) as testbed:
        await harness.connect(testbed)
        await testbed.deliver(testbed.ready(*harness.document(1)))
        (row,) = await testbed.until_state("booked")
        assert row.entry_number == f"{kept}001"
        assert KEPT in row.entry_url
        (connection,) = await testbed.rows("SELECT connected_via_user, remote_company FROM connection")
        assert (connection.connected_via_user, connection.remote_company["name"]) == (kept, kept)
        (line,) = await testbed.rows("SELECT * FROM master WHERE code <> 'remembered'")
        assert (line.code, line.remote_id, line.name) == (f"code {kept}", f"id {kept}", kept)
        assert len(await testbed.rows("SELECT FROM master WHERE code = 'remembered'")) == 1
        assert len(vendor.ledger) == 1
        async with testbed.owner() as owner:
            shown = await owner.get(f"/v1/deliveries/{row.id}")
            assert shown.json()["warnings"][0]["detail"] == kept


@pytest.fixture
async def testbed(vendor: PaperVendor, make_database: Callable[..., str]) -> AsyncIterator[Testbed]:
    async with open_testbed(SERVICE, make_database(SERVICE), paper_base_url=vendor.url) as running:
        yield running


@pytest.mark.parametrize("cut", ["niet gevonden \ud83d", "niet\x00gevonden"])
async def test_a_refusal_is_told_in_the_words_that_can_be_kept(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor, cut: str
) -> None:
    await harness.connect(testbed)
    vendor.garbles = {"unknown account": cut}
    document, files = harness.document(1)
    await testbed.deliver(testbed.ready({**document, "reference": "unknown account"}, files))
    (row,) = await testbed.until_state("failed")
    assert row.problem["detail"] == storable(cut)
    (call,) = await testbed.rows("SELECT message FROM attempt WHERE http_status = 422")
    assert storable(cut) in call.message


def test_half_a_surrogate_pair_is_replaced_and_a_whole_one_kept() -> None:
    whole = json.loads('"\\ud83d\\ude00"')
    assert storable(whole) == whole
    assert storable({"a\x00": ["\ud83d", {"b": ("\udc00", 1, None)}]}) == {f"a{KEPT}": [KEPT, {"b": [KEPT, 1, None]}]}
    assert encode({"a\x00": "\ud83d"}, "it") == {f"a{KEPT}": KEPT}
    assert excerpt_of(b'{"Name":"abc\\ud83d"}') == f'{{"Name": "abc{KEPT}"}}'
