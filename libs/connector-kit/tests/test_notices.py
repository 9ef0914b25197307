"""A way in: what a vendor tells by itself is proven, stored, answered, and worked off once."""

import asyncio
import hmac
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID, uuid4

import httpx2
import pytest

from koppel_connector import ActionRequired, Problem, Vendor
from koppel_connector.contract import AddressProbe, Notice, NoticeProfile, Verified
from koppel_connector.service import connector_service
from koppel_connector.testing import Fault, Testbed, open_testbed
from koppel_connector.testing.worker import WorkerProcess
from koppel_mesh.messages import DeliveryChanged

from .paper_connector import SERVICE, PaperConnector, PaperServiceSettings, PaperSettings
from .paper_harness import PaperHarness
from .paper_vendor import PaperVendor

SERVICE_FILE = Path(__file__).parent / "paper_connector.py"
SECRET = "paper-notices"


@pytest.fixture
async def testbed(
    vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> AsyncIterator[Testbed]:
    async with open_testbed(SERVICE, make_database(SERVICE), paper_base_url=vendor.url) as running:
        await harness.connect(running)
        yield running


async def send_notice(
    testbed: Testbed, content: dict[str, Any] | bytes, *, address: object = "paper", secret: str = SECRET
) -> httpx2.Response:
    """Send a notice as the vendor does: without a token of ours, signed with the secret that we share."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    signature = hmac.new(secret.encode(), body, "sha256").hexdigest()
    async with testbed.caller(None) as vendor:
        headers = {"X-Paper-Signature": signature, "Authorization": "Basic c2VjcmV0"}
        return await vendor.post(f"/v1/notices/{address}", content=body, headers=headers)


async def exported(testbed: Testbed, harness: PaperHarness, vendor: PaperVendor) -> Any:
    """Return a delivery that the vendor has taken and not booked, whose next look is far away."""
    vendor.booked_at_once = False
    await testbed.deliver(testbed.ready(*harness.document(1)))

    async def looked_at() -> bool:
        rows = await testbed.rows(
            "SELECT 1 FROM delivery WHERE state = 'exported' AND lookups > 0 AND lease_token IS NULL"
        )
        return bool(rows)

    await testbed.until(looked_at, "the entry was read back once")
    await testbed.change("UPDATE delivery SET due_at = clock_timestamp() + interval '1 hour'")
    return (await testbed.deliveries())[0]


async def handled(testbed: Testbed) -> None:
    async def none_open() -> bool:
        return not await testbed.rows("SELECT 1 FROM notice WHERE handled_at IS NULL")

    await testbed.until(none_open, "every notice is worked off")


async def test_what_does_not_prove_where_it_comes_from_is_401_and_not_kept(testbed: Testbed) -> None:
    connection = (await testbed.rows("SELECT id FROM connection"))[0].id
    given = {"id": "n1", "event": "accounts", "company": "any"}
    for address, secret in (("paper", "guessed"), (connection, SECRET), (uuid4(), SECRET)):
        answer = await send_notice(testbed, given, address=address, secret=secret)
        assert (answer.status_code, answer.json()["code"]) == (401, "unverified_notice")
    assert (await send_notice(testbed, b"\xff not JSON, and well signed")).status_code == 401
    assert await testbed.rows("SELECT 1 FROM notice") == []


async def test_a_connection_that_was_removed_takes_no_notice(testbed: Testbed) -> None:
    connection = (await testbed.rows("SELECT id FROM connection"))[0].id
    async with testbed.owner() as owner:
        await owner.patch(f"/v1/connections/{connection}", json={"settings": {"pin": "4071"}})
        given = {"id": "n1", "event": "accounts"}
        assert (await send_notice(testbed, given, address=connection, secret="4071")).status_code == 202
        await owner.delete(f"/v1/connections/{connection}")
        assert (await send_notice(testbed, given | {"id": "n2"}, address=connection, secret="4071")).status_code == 401


async def test_a_notice_has_a_size_limit(testbed: Testbed) -> None:
    answer = await send_notice(testbed, b"x" * 1_000_001)
    assert (answer.status_code, answer.json()["code"]) == (413, "notice_too_large")
    assert await testbed.rows("SELECT 1 FROM notice") == []


async def test_what_the_vendor_booked_is_read_back_now(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    row = await exported(testbed, harness, vendor)
    vendor.ledger[0]["booked"] = True
    assert (await send_notice(testbed, {"id": "n1", "event": "entry", "reference": row.remote_ref})).status_code == 202
    await testbed.until_state("booked")
    (notice,) = await testbed.rows("SELECT * FROM notice")
    assert "authorization" not in notice.headers


async def test_what_is_unknown_is_looked_up_now(testbed: Testbed, harness: PaperHarness, vendor: PaperVendor) -> None:
    await harness.fail(Fault.ACTS_THEN_RESETS)
    await testbed.deliver(testbed.ready(*harness.document(1)))
    (row,) = await testbed.until_state("unknown")
    # As it is after a search that found nothing, whose repeat is far away.
    await testbed.change("UPDATE delivery SET not_found = 1, due_at = clock_timestamp() + interval '1 hour'")
    await send_notice(testbed, {"id": "n1", "event": "entry", "reference": row.remote_ref})
    await testbed.until_state("booked")
    assert len(vendor.ledger) == 1


async def test_what_bounced_is_a_problem_and_may_be_sent_again(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    row = await exported(testbed, harness, vendor)
    given = {"id": "n1", "event": "bounce", "reference": row.remote_ref, "reason": "no such mailbox"}
    for _ in range(3):
        assert (await send_notice(testbed, given)).status_code == 202
    (failed,) = await testbed.until_state("failed")
    assert failed.problem["detail"] == "no such mailbox"
    await handled(testbed)
    vendor.booked_at_once = True
    async with testbed.owner() as owner:
        assert (await owner.post(f"/v1/deliveries/{row.id}/retry")).status_code == 202
    await testbed.until_state("booked")
    assert (await send_notice(testbed, given)).status_code == 202
    await handled(testbed)
    assert [each.state for each in await testbed.deliveries()] == ["booked"], "a repeated notice had a second effect"


async def test_what_comes_back_twice_from_one_place_is_a_problem_of_the_connection(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    vendor.booked_at_once = False
    await testbed.deliver(*(testbed.ready(*harness.document(number)) for number in range(1, 4)))
    rows = await testbed.until_state("exported")
    for row, drawer in zip(rows, ("left", "right", "left"), strict=True):
        filled = "UPDATE delivery SET progress = jsonb_build_object('drawer', CAST(:drawer AS text)) WHERE id = :id"
        await testbed.change(filled, drawer=drawer, id=row.id)
    found = []
    for number, row in enumerate(rows):
        bounced = {"id": f"n{number}", "event": "bounce", "reference": row.remote_ref, "reason": "?", "place": "drawer"}
        await send_notice(testbed, bounced)
        await send_notice(testbed, bounced | {"id": f"again {number}", "reason": "in other words"})
        await handled(testbed)
        found.append((await testbed.rows("SELECT state, problem FROM connection"))[0])
    assert [each.state for each in found] == ["connected", "connected", "degraded"]
    assert found[2].problem["message"]["en"] == "Broken: left."
    vendor.booked_at_once = True
    await testbed.deliver(testbed.ready(*harness.document(4)))

    async def booked() -> bool:
        return (await testbed.deliveries())[3].state == "booked"

    await testbed.until(booked, "another document is accepted")
    assert [each.state for each in await testbed.rows("SELECT state FROM connection")] == ["degraded"]


async def test_a_notice_may_be_of_the_whole_connection(testbed: Testbed) -> None:
    connection = (await testbed.rows("SELECT id FROM connection"))[0].id
    async with testbed.owner() as owner:
        await owner.patch(f"/v1/connections/{connection}", json={"settings": {"pin": "4071"}})
    given = {"id": "n1", "event": "broken"}
    assert (await send_notice(testbed, given, address=connection, secret="4071")).status_code == 202
    await handled(testbed)
    (found,) = await testbed.rows("SELECT state, problem FROM connection")
    assert (found.state, found.problem["code"]) == ("degraded", "drawer_broken")


async def test_changed_accounts_are_imported_again_once(testbed: Testbed, vendor: PaperVendor) -> None:
    imports = [path for _, path in vendor.seen].count("/accounts")
    await testbed.change(
        "UPDATE connection SET books_scope = 'company 7', imported_at = imported_at - interval '1 hour'"
    )
    for number in range(5):
        await send_notice(testbed, {"id": f"n{number}", "event": "accounts", "company": "company 7"})
    await send_notice(testbed, {"id": "other", "event": "accounts", "company": "company 8"})
    await handled(testbed)

    async def imported() -> bool:
        return bool(await testbed.rows("SELECT 1 FROM connection WHERE imported_at > now() - interval '1 minute'"))

    await testbed.until(imported, "the accounts are imported")
    assert [path for _, path in vendor.seen].count("/accounts") - imports == 1


async def test_a_notice_concerns_the_books_it_names_and_not_all_that_share_their_limits(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    """One firm's user reaches two companies, for whom the vendor counts together."""
    other = await harness.connect(testbed)
    row = await exported(testbed, harness, vendor)
    await testbed.change(
        "UPDATE connection SET limit_scope = 'one user', imported_at = imported_at - interval '1 hour'"
    )
    await testbed.change("UPDATE connection SET books_scope = 'company 7' WHERE id = :id", id=row.connection_id)
    await testbed.change("UPDATE connection SET books_scope = 'company 8' WHERE id <> :id", id=row.connection_id)
    await testbed.change("UPDATE delivery SET remote_id = 'entry 1'")
    bounced = {"id": "n1", "event": "bounce", "entry": "entry 1", "company": "company 7", "reason": "no such mailbox"}
    await send_notice(testbed, bounced)
    await send_notice(testbed, {"id": "n2", "event": "accounts", "company": "company 7"})
    await handled(testbed)
    states = {each.connection_id: each.state for each in await testbed.deliveries()}
    assert states == {row.connection_id: "failed", other: "exported"}
    wanted = "SELECT id FROM connection WHERE import_due_at IS NOT NULL OR imported_at > now() - interval '1 minute'"
    assert [each.id for each in await testbed.rows(wanted)] == [row.connection_id]


async def test_a_connection_made_by_the_version_before_is_found_by_its_limits(testbed: Testbed) -> None:
    await testbed.change(
        "UPDATE connection SET books_scope = NULL, limit_scope = 'company 7',"
        " imported_at = imported_at - interval '1 hour'"
    )
    await send_notice(testbed, {"id": "n1", "event": "accounts", "company": "company 7"})

    async def imported() -> bool:
        return bool(await testbed.rows("SELECT 1 FROM connection WHERE imported_at > now() - interval '1 minute'"))

    await testbed.until(imported, "the accounts are imported")


async def test_a_notice_that_cannot_be_worked_off_waits_and_is_given_up_in_the_end(testbed: Testbed) -> None:
    await send_notice(testbed, {"id": "n1", "event": "bounce", "reference": "KPL-NOBODY", "reason": "?"})
    await send_notice(testbed, {"id": "n2", "event": "invented"})

    async def tried() -> bool:
        await testbed.change("UPDATE notice SET due_at = clock_timestamp() WHERE due_at IS NOT NULL")
        return not await testbed.rows("SELECT 1 FROM notice WHERE due_at IS NOT NULL OR handled_at IS NOT NULL")

    await testbed.until(tried, "both are given up")
    found = await testbed.rows("SELECT problem FROM notice ORDER BY notice_id")
    assert ["no delivery" in found[0].problem, "invented" in found[1].problem] == [True, True]


async def test_a_process_killed_between_store_and_work_loses_no_notice(
    vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> None:
    loops = ("deliveries", "read-back", "imports")
    async with open_testbed(SERVICE, make_database(SERVICE), start=False, paper_base_url=vendor.url) as testbed:
        testbed.start(loops)
        await harness.connect(testbed)
        row = await exported(testbed, harness, vendor)
        await send_notice(
            testbed, {"id": "n1", "event": "bounce", "reference": row.remote_ref, "reason": "no such mailbox"}
        )
        assert await killed_worker(testbed) == 137
        assert [each.state for each in await testbed.deliveries()] == ["exported"], "the dead worker had no effect"
        testbed.start(("notices",))
        await handled(testbed)
        failed = await testbed.rows("SELECT version FROM delivery WHERE state = 'failed'")
        assert len(failed) == 1


async def killed_worker(testbed: Testbed) -> int | None:
    """Run a worker that dies after it worked a notice off and before that is committed."""
    fault = "before_notice_commit:exit"
    async with WorkerProcess(f"{SERVICE_FILE}:SERVICE", testbed.context.settings, fault) as worker:
        return await asyncio.wait_for(worker.wait(), 60)


def test_an_id_of_a_connection_is_distinguished_from_a_vendors_key() -> None:
    from koppel_connector.delivery.notices import connection_id_of

    number = uuid4()
    assert connection_id_of(str(number)) == UUID(str(number))
    assert connection_id_of("paper") is None


async def booked(testbed: Testbed, harness: PaperHarness) -> Any:
    await testbed.deliver(testbed.ready(*harness.document(1)))
    (row,) = await testbed.until_state("booked")
    return row


async def test_an_entry_that_was_changed_after_it_was_booked_is_a_problem_until_a_person_agrees(
    testbed: Testbed, harness: PaperHarness
) -> None:
    row = await booked(testbed, harness)
    await harness.change(row.remote_ref)
    await send_notice(testbed, {"id": "n1", "event": "entry", "reference": row.remote_ref})

    async def told() -> bool:
        return (await testbed.deliveries())[0].problem is not None

    await testbed.until(told, "the books were read once more")
    (changed,) = await testbed.deliveries()
    assert (changed.state, changed.problem["code"]) == ("booked", "changed_after_booking")
    async with testbed.owner() as owner:
        agreed = await owner.post(f"/v1/deliveries/{row.id}/resolve", json={"decision": "booked"})
        assert (agreed.status_code, agreed.json()["problem"]) == (200, None)
    changes = [event for event in await testbed.published() if isinstance(event, DeliveryChanged)]
    assert [event.state for event in changes[-2:]] == ["booked", "booked"]


async def test_an_entry_that_is_gone_after_it_was_booked_is_for_a_person(
    testbed: Testbed, harness: PaperHarness
) -> None:
    row = await booked(testbed, harness)
    await harness.remove(row.remote_ref)
    await send_notice(testbed, {"id": "n1", "event": "entry", "reference": row.remote_ref})
    (gone,) = await testbed.until_state("review")
    assert gone.problem["code"] == "vanished_at_vendor"


async def test_an_entry_that_is_as_it_was_is_read_once_for_many_notices_and_nothing_is_said(
    testbed: Testbed, harness: PaperHarness
) -> None:
    row = await booked(testbed, harness)
    said, read = len(await testbed.published()), await read_backs(testbed)
    for number in range(5):
        await send_notice(testbed, {"id": f"n{number}", "event": "entry", "reference": row.remote_ref})
    await handled(testbed)

    async def read_again() -> bool:
        (now,) = await testbed.deliveries()
        return now.due_at is None and await read_backs(testbed) > read

    await testbed.until(read_again, "the books were read once more")
    assert await read_backs(testbed) == read + 1
    assert len(await testbed.published()) == said


async def test_a_vendor_that_cannot_be_asked_then_is_asked_later(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    row = await booked(testbed, harness)
    await harness.remove(row.remote_ref)
    vendor.outage = "503"
    await send_notice(testbed, {"id": "n1", "event": "entry", "reference": row.remote_ref})
    await handled(testbed)

    async def away() -> bool:
        return bool(await testbed.rows("SELECT 1 FROM connection WHERE away_since IS NOT NULL"))

    await testbed.until(away, "the vendor is away")
    vendor.outage = None
    (gone,) = await testbed.until_state("review")
    assert gone.problem["code"] == "vanished_at_vendor"


async def read_backs(testbed: Testbed) -> int:
    return len(await testbed.rows("SELECT 1 FROM attempt WHERE phase = 'read_back'"))


class Subscribed(PaperConnector):
    profile = replace(PaperConnector.profile, notices=NoticeProfile("paper", answer_status=200))
    addresses: ClassVar[list[str]] = []

    async def subscribe(self, vendor: Vendor, address: str) -> None:
        if self.addresses:
            raise ActionRequired(Problem("missing_right", "webhooks"))
        self.addresses.append(address)

    def verify(
        self, notice: Notice, service_settings: PaperServiceSettings, settings: PaperSettings | None
    ) -> Verified | AddressProbe | None:
        return super().verify(notice, service_settings, settings) if notice.content else AddressProbe()


async def test_a_vendor_is_asked_for_notices_with_each_import_and_may_refuse(
    harness: PaperHarness, vendor: PaperVendor, make_database: Callable[..., str]
) -> None:
    service = connector_service(Subscribed(), settings=PaperServiceSettings)
    async with open_testbed(service, make_database(service), paper_base_url=vendor.url) as testbed:
        connection_id = await harness.connect(testbed)
        (address,) = Subscribed.addresses
        assert address == f"{testbed.kit.settings.public_url}/connector-paper/v1/notices/paper"
        (before,) = await testbed.rows("SELECT imported_at FROM connection")
        async with testbed.owner() as owner:
            await owner.post(f"/v1/connections/{connection_id}/import")

        async def imported() -> bool:
            return bool(await testbed.rows("SELECT 1 FROM connection WHERE imported_at > :at", at=before.imported_at))

        await testbed.until(imported, "the import does not fail with it")
        async with httpx2.AsyncClient(trust_env=False, timeout=30) as anybody:
            probed = await anybody.post(address, content=b"")
        assert probed.status_code == 200, "the vendor tries the address"
        assert await testbed.rows("SELECT 1 FROM notice") == []
        given = json.dumps({"id": "n1", "event": "accounts", "company": "any"}).encode()
        assert (await send_notice(testbed, given)).status_code == 200
        assert len(await testbed.rows("SELECT 1 FROM notice")) == 1
