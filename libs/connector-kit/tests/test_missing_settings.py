"""What is asked of a connection whose settings do not suffice for it: refused by name, and done once they are there."""

from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

import pytest

from koppel_connector import Purpose
from koppel_connector.connection.importing import want_import_of
from koppel_connector.service import connector_service
from koppel_connector.testing import Testbed, begin_consent, open_testbed

from . import office_connector, pin_connector
from .office_vendor import LOGIN_SERVER, OfficeVendor
from .paper_connector import PaperConnector, PaperServiceSettings, PaperSettings
from .paper_harness import PaperHarness
from .paper_vendor import PaperVendor


class CountrySettings(PaperSettings):
    country: str | None = None


class CountryConnector(PaperConnector):
    """A vendor with a host for each country: without it there is nowhere to send a person for the consent."""

    settings_model = CountrySettings

    def missing_settings(self, settings: PaperSettings, purpose: Purpose) -> list[str]:
        assert isinstance(settings, CountrySettings)
        if purpose == "login":
            return [] if settings.country else ["country"]
        return super().missing_settings(settings, purpose)


async def make(testbed: Testbed, **settings: Any) -> dict[str, Any]:
    async with testbed.owner() as owner:
        body = {"dossier_id": str(testbed.dossier_id), "settings": settings}
        made = await owner.post("/v1/connections", json=body)
        assert made.status_code == 201, made.text
        return dict(made.json())


async def until_imported(testbed: Testbed) -> None:
    async def imported() -> bool:
        return bool(await testbed.rows("SELECT 1 FROM connection WHERE imported_at IS NOT NULL"))

    await testbed.until(imported, "the master data is imported")


@pytest.fixture
async def office_vendor() -> AsyncIterator[OfficeVendor]:
    async with OfficeVendor() as running:
        yield running


@pytest.fixture
async def office(office_vendor: OfficeVendor, make_database: Callable[..., str]) -> AsyncIterator[Testbed]:
    service = office_connector.SERVICE
    login_base_url = f"{office_vendor.url}{LOGIN_SERVER}"
    async with open_testbed(
        service, make_database(service), paper_base_url=office_vendor.url, login_base_url=login_base_url
    ) as running:
        yield running


async def test_an_import_names_the_settings_it_lacks(office: Testbed, office_vendor: OfficeVendor) -> None:
    made = await make(office, user="an", pin="4071")
    async with office.owner() as owner:
        answer = await owner.post(f"/v1/connections/{made['id']}/import")
    body = answer.json()
    assert (answer.status_code, body["code"]) == (409, "settings_missing")
    assert [each["field"] for each in body["errors"]] == ["settings.dossier"], "a journal is chosen after the import"
    assert "dossier" in body["message"]["nl"]
    assert office_vendor.seen == []


async def test_nothing_is_asked_in_the_name_of_nobody(vendor: PaperVendor, make_database: Callable[..., str]) -> None:
    service = pin_connector.SERVICE
    async with open_testbed(service, make_database(service), paper_base_url=vendor.url) as testbed:
        made = await make(testbed, journal="700")
        connection = f"/v1/connections/{made['id']}"
        async with testbed.owner() as owner:
            for path in ("import", "remote-dossiers"):
                answer = await owner.request("POST" if path == "import" else "GET", f"{connection}/{path}")
                assert (answer.status_code, answer.json()["code"]) == (409, "settings_missing"), path
            checked = (await owner.post(f"{connection}/check")).json()
            assert [(step["name"], step["problem"]["code"]) for step in checked["steps"]] == [
                ("settings", "settings_missing")
            ]
            assert (await owner.get(connection)).json()["health"]["missing_settings"] == ["pin"]
        assert vendor.seen == []


async def test_an_import_goes_by_itself_once_a_change_fills_in_what_it_lacked(
    vendor: PaperVendor, make_database: Callable[..., str]
) -> None:
    service = pin_connector.SERVICE
    async with open_testbed(service, make_database(service), paper_base_url=vendor.url) as pins:
        made = await make(pins)
        async with pins.owner() as owner:
            changed = await owner.patch(f"/v1/connections/{made['id']}", json={"settings": {"pin": "4071"}})
        assert changed.json()["health"]["missing_settings"] == ["journal"]
        await until_imported(pins)


async def test_an_import_that_lost_its_settings_waits_and_is_no_bug(
    office: Testbed, office_vendor: OfficeVendor
) -> None:
    made = await make(office, user="an", pin="4071", dossier="7")
    await until_imported(office)
    asked = len(office_vendor.seen)
    async with office.owner() as owner:
        await owner.patch(f"/v1/connections/{made['id']}", json={"settings": {"dossier": None}})
    async with office.context.database.transaction() as tx:
        await want_import_of(tx, office.kit, UUID(made["id"]), None)
    await office.change("UPDATE connection SET import_due_at = clock_timestamp()")

    async def left() -> bool:
        return bool(await office.rows("SELECT 1 FROM connection WHERE import_due_at IS NULL AND state = 'connected'"))

    await office.until(left, "it is not tried again and again")
    assert len(office_vendor.seen) == asked
    (before,) = await office.rows("SELECT imported_at FROM connection")
    async with office.owner() as owner:
        await owner.patch(f"/v1/connections/{made['id']}", json={"settings": {"dossier": "7"}})

    async def again() -> bool:
        return bool(await office.rows("SELECT 1 FROM connection WHERE imported_at > :at", at=before.imported_at))

    await office.until(again, "the change that fills it in has it imported")


async def test_a_consent_begins_once_what_it_needs_is_filled_in(
    vendor: PaperVendor, make_database: Callable[..., str]
) -> None:
    service = connector_service(CountryConnector(), settings=PaperServiceSettings)
    async with open_testbed(service, make_database(service), paper_base_url=vendor.url) as testbed:
        made = await make(testbed, journal="700")
        assert made["authorize_url"] is None
        assert made["health"]["missing_settings"] == ["country"]
        async with testbed.owner() as owner:
            path = f"/v1/connections/{made['id']}"
            changed = (await owner.patch(path, json={"settings": {"country": "be"}})).json()
            vendor_page = await begin_consent(owner, changed["authorize_url"])
            assert vendor_page.startswith(vendor.url)
            returned = await vendor.allow(vendor_page)
            await testbed.change("UPDATE connection SET settings = '{}'")
            assert (await owner.get("/oauth/callback", params=returned)).status_code == 422
            assert "/token" not in [seen for _, seen in vendor.seen]


async def test_documents_of_a_login_that_lost_its_pin_wait(
    vendor: PaperVendor, make_database: Callable[..., str], harness: PaperHarness
) -> None:
    service = pin_connector.SERVICE
    async with open_testbed(service, make_database(service), paper_base_url=vendor.url) as testbed:
        made = await make(testbed, journal="700", pin="4071")
        await until_imported(testbed)
        async with testbed.owner() as owner:
            await owner.patch(f"/v1/connections/{made['id']}", json={"settings": {"pin": None}})
            await testbed.deliver(testbed.ready(*harness.document(1)))
            (row,) = await testbed.until_state("blocked")
            assert row.problem["code"] == "settings_missing"
            await owner.patch(f"/v1/connections/{made['id']}", json={"settings": {"pin": "4071"}})
            await testbed.until_state("booked")


async def test_a_person_chooses_a_journal_from_what_was_imported(testbed: Testbed, vendor: PaperVendor) -> None:
    connection_id = await testbed.connect({}, vendor.allow)
    async with testbed.owner() as owner:
        read = (await owner.get(f"/v1/connections/{connection_id}")).json()
        assert read["health"]["missing_settings"] == ["journal"]
        assert read["health"]["imported_at"] is not None
        assert (await owner.post(f"/v1/connections/{connection_id}/import")).status_code == 202
