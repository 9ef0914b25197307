"""Exact's webhooks: proven by HashCode, subscribed once for a division, and what they change in the books is learnt."""

import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from connector_exact import notices
from connector_exact.service import SERVICE
from koppel_connector import Call
from koppel_connector.contract import AddressProbe, EntryChanged, MasterDataChanged, Notice, Verified
from koppel_connector.testing import Testbed, open_testbed
from koppel_sandbox.exact.seed import WEBHOOK_SECRET
from koppel_sandbox.exact.webhooks import sign

from .harness import DIVISION, ExactHarness, Sandbox

KEY = "0b0f8d0e-7a55-4a3f-9b58-3f1f6a0c2d11"
VECTOR = (
    b'{"Content":{"Topic":"PurchaseEntries","ClientId":"11111111-2222-3333-4444-555555555555","Division":3090901,'
    b'"Action":"Update","Key":"0b0f8d0e-7a55-4a3f-9b58-3f1f6a0c2d11","ExactOnlineEndpoint":"https://start.exactonline.be'
    b"/api/v1/3090901/purchaseentry/PurchaseEntries(guid'0b0f8d0e-7a55-4a3f-9b58-3f1f6a0c2d11')\","
    b'"EventCreatedOn":"2026-01-15T10:22:31.123"},'
    b'"HashCode":"D33AB07D0CE5F9074A68EBD932691DE4CCE8C9D336B8496BCF8D5F08C44A2AEF"}'
)


def notice(content: bytes) -> Notice:
    return Notice("exact", {}, content, datetime(2026, 1, 15, tzinfo=UTC))


def test_the_vector_of_the_vendor_is_proven() -> None:
    proof = notices.verify(notice(VECTOR), "demo-webhook-secret")
    assert proof == Verified(f"PurchaseEntries {KEY} Update 2026-01-15T10:22:31.123")
    assert notices.receive(notice(VECTOR)) == [EntryChanged(remote_id=KEY, scope="3090901")]


@pytest.mark.parametrize(
    "content",
    [
        VECTOR.replace(b"3090901", b"3090902"),
        VECTOR.replace(b"D33AB0", b"d33ab0"),
        VECTOR[:-1],
        VECTOR.replace(b'"HashCode"', b'"Hashcode"'),
        b'{"Content":{},"HashCode":""}',
        b"[]",
        b"\xff",
        VECTOR + VECTOR,
    ],
)
def test_what_is_not_signed_so_proves_nothing(content: bytes) -> None:
    assert notices.verify(notice(content), "demo-webhook-secret") is None
    assert notices.verify(notice(VECTOR), "another secret") is None


def test_without_a_secret_nothing_is_proven() -> None:
    forged = sign({"Topic": "SalesEntries", "Division": DIVISION, "Key": KEY}, "")
    assert notices.verify(notice(forged), "") is None


def test_the_empty_post_of_a_subscription_is_answered() -> None:
    assert notices.verify(notice(b""), "demo-webhook-secret") == AddressProbe()


@pytest.mark.parametrize(
    ("topic", "effects"),
    [
        ("Accounts", [MasterDataChanged("3090901")]),
        ("GLAccounts", [MasterDataChanged("3090901")]),
        ("SalesEntries", [EntryChanged(remote_id=KEY, scope="3090901")]),
        ("GoodsDeliveries", []),
    ],
)
def test_each_topic_means_something_or_nothing(topic: str, effects: list[Any]) -> None:
    content = json.dumps({"Content": {"Topic": topic, "Division": 3090901, "Key": KEY.upper(), "Action": "Delete"}})
    assert list(notices.receive(notice(content.encode()))) == effects


@pytest.fixture
async def testbed(sandbox: Sandbox, make_database: Callable[..., str]) -> AsyncIterator[Testbed]:
    settings: dict[str, Any] = {**sandbox.service_settings(), "exact_webhook_secret": WEBHOOK_SECRET}
    async with open_testbed(SERVICE, make_database(SERVICE), **settings) as running:
        await ExactHarness(sandbox).connect(running)
        yield running


async def subscribed(testbed: Testbed, sandbox: Sandbox) -> None:
    async def proven() -> bool:
        proofs = [proof for proof in sandbox.state.proofs.values() if proof.done() and proof.result()]
        return len(proofs) == len(sandbox.state.webhooks) == 4

    await testbed.until(proven, "Exact has tried the address of each topic")


async def test_a_division_is_subscribed_once_and_moves_with_our_address(testbed: Testbed, sandbox: Sandbox) -> None:
    await subscribed(testbed, sandbox)
    topics = sorted(one["Topic"] for one in sandbox.state.webhooks.values())
    assert topics == ["Accounts", "GLAccounts", "PurchaseEntries", "SalesEntries"]
    await ExactHarness(sandbox).connect(testbed)
    assert len(sandbox.state.webhooks) == 4
    moved = await sandbox.vendor()
    moved.application = testbed.kit.connector.application(testbed.kit.settings, moved.settings)
    await notices.subscribe(moved, "https://elsewhere.example/connector-exact/v1/notices/exact")
    assert {one["CallbackURL"] for one in sandbox.state.webhooks.values()} == {
        "https://elsewhere.example/connector-exact/v1/notices/exact"
    }
    assert len(sandbox.state.webhooks) == 4
    await moved.close()


async def test_an_entry_that_the_accountant_deletes_is_learnt_at_once(testbed: Testbed, sandbox: Sandbox) -> None:
    await subscribed(testbed, sandbox)
    await testbed.deliver(testbed.ready(*ExactHarness(sandbox).document(1)))
    await testbed.until_state("booked")

    async def at_rest() -> bool:
        handled = await testbed.rows("SELECT 1 FROM notice WHERE handled_at IS NOT NULL")
        return bool(handled) and not await testbed.rows("SELECT 1 FROM delivery WHERE due_at IS NOT NULL")

    await testbed.until(at_rest, "what Exact reports of our own booking was followed")
    (row,) = await testbed.deliveries()
    assert row.state == "booked"
    accountant = await sandbox.vendor()
    path = f"/api/v1/{DIVISION}/salesentry/SalesEntries(guid'{row.remote_id}')"
    await accountant.call(Call("salesentry/SalesEntries", "DELETE", path, acts=True))
    await accountant.close()
    (gone,) = await testbed.until_state("review")
    assert gone.problem["code"] == "vanished_at_vendor"
    received = [bytes(one.content) for one in await testbed.rows("SELECT content FROM notice")]
    assert any(b'"Action":"Delete"' in each for each in received)


async def test_a_new_relation_has_the_master_data_imported(testbed: Testbed, sandbox: Sandbox) -> None:
    await subscribed(testbed, sandbox)
    accountant = await sandbox.vendor()
    body = {"Name": "Nieuwe Klant BV", "Status": "C"}
    await accountant.call(Call("crm/Accounts", "POST", f"/api/v1/{DIVISION}/crm/Accounts", json=body, acts=True))
    await accountant.close()

    async def wanted() -> bool:
        return bool(await testbed.rows("SELECT 1 FROM connection WHERE import_due_at IS NOT NULL"))

    await testbed.until(wanted, "the import is wanted")


async def test_without_the_right_to_subscribe_the_connection_works_all_the_same(
    sandbox: Sandbox, make_database: Callable[..., str]
) -> None:
    sandbox.deny("webhooks/WebhookSubscriptions", "POST")
    settings: dict[str, Any] = {**sandbox.service_settings(), "exact_webhook_secret": WEBHOOK_SECRET}
    async with open_testbed(SERVICE, make_database(SERVICE), **settings) as testbed:
        harness = ExactHarness(sandbox)
        await harness.connect(testbed)
        await testbed.deliver(testbed.ready(*harness.document(1)))
        await testbed.until_state("booked")
    assert not sandbox.state.webhooks
