"""The company behind a connection is the dossier's, or a person of the firm says why not. What the suite cannot see is here."""

from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

import pytest

from koppel_connector.connection.importing import refresh_master_data
from koppel_connector.contract import ActionRequired, Problem, RemoteCompany, Vendor
from koppel_connector.service import connector_service
from koppel_connector.testing import DOSSIER_NAME, DOSSIER_NUMBER, Testbed, open_testbed
from koppel_connector.testing.conformance.right_company import OTHER_NAME, OTHER_NUMBER, compare_again, confirm
from koppel_mesh.ids import new_id
from koppel_mesh.messages import DossierChanged, ExportRules

from .paper_connector import SERVICE, PaperConnector, PaperServiceSettings, PaperSettings
from .paper_harness import PaperHarness
from .paper_vendor import PaperVendor


@pytest.fixture
async def testbed(
    vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> AsyncIterator[Testbed]:
    async with open_testbed(SERVICE, make_database(SERVICE), paper_base_url=vendor.url) as running:
        await harness.connect(running)
        yield running


async def shown(testbed: Testbed, connection_id: UUID | None = None) -> Any:
    if connection_id is None:
        connection_id = (await testbed.rows("SELECT id FROM connection"))[0].id
    async with testbed.owner() as owner:
        return (await owner.get(f"/v1/connections/{connection_id}")).json()


async def blocked(testbed: Testbed, harness: PaperHarness) -> None:
    await testbed.deliver(testbed.ready(*harness.document(1)))
    await testbed.until_blocked("other_company")
    assert await harness.bookings() == {}


async def rename_dossier(testbed: Testbed, number: str) -> None:
    fact = DossierChanged(
        dossier_id=testbed.dossier_id,
        firm_id=testbed.firm_id,
        name=DOSSIER_NAME,
        enterprise_number=number,
        language="nl",
        export=ExportRules(),
        version=2,
    )
    await testbed.deliver(fact)


async def test_a_company_of_the_dossiers_number_is_shown_with_its_numbers(testbed: Testbed) -> None:
    company = (await shown(testbed))["company"]
    assert (company["name"], company["numbers"]) == (DOSSIER_NAME, [DOSSIER_NUMBER])
    assert company["is_the_dossiers"] is True
    assert company["compared_at"]
    assert company["confirmations"] == []


async def test_a_connection_from_before_is_compared_before_anything_is_sent(
    testbed: Testbed, harness: PaperHarness
) -> None:
    await testbed.change("UPDATE connection SET remote_company = NULL, company_compared_at = NULL")
    assert (await shown(testbed))["company"]["compared_at"] is None
    await harness.become_company(OTHER_NAME, OTHER_NUMBER)
    await blocked(testbed, harness)
    assert (await shown(testbed))["health"]["problem"]["code"] == "other_company"


async def test_changed_settings_are_compared_before_anything_is_sent(testbed: Testbed, harness: PaperHarness) -> None:
    await harness.become_company(OTHER_NAME, OTHER_NUMBER)
    async with testbed.owner() as owner:
        path = f"/v1/connections/{(await shown(testbed))['id']}"
        assert (await owner.patch(path, json={"settings": {"journal": "701"}})).status_code == 200
    await blocked(testbed, harness)


async def test_a_new_consent_is_compared_before_anything_is_sent(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    await testbed.change("UPDATE connection SET state = 'reauthorise'")
    await harness.become_company(OTHER_NAME, OTHER_NUMBER)
    await testbed.consent(UUID((await shown(testbed))["id"]), vendor.allow)
    await blocked(testbed, harness)


async def test_a_company_that_changes_at_the_vendor_is_noticed_at_night(
    testbed: Testbed, harness: PaperHarness
) -> None:
    await harness.become_company(OTHER_NAME, OTHER_NUMBER)
    await testbed.change("UPDATE connection SET imported_at = imported_at - interval '25 hours'")
    await refresh_master_data(testbed.context)

    async def noticed() -> bool:
        problem = (await shown(testbed))["health"]["problem"]
        return problem is not None and problem["code"] == "other_company"

    await testbed.until(noticed, "the comparison of the night")


async def test_a_dossier_whose_number_is_put_right_sends_by_itself(testbed: Testbed, harness: PaperHarness) -> None:
    await harness.become_company(OTHER_NAME, OTHER_NUMBER)
    await compare_again(testbed)
    await blocked(testbed, harness)
    await rename_dossier(testbed, OTHER_NUMBER.removeprefix("BE"))
    await testbed.until_state("booked")
    await rename_dossier(testbed, DOSSIER_NUMBER)
    assert (await shown(testbed))["health"]["problem"]["code"] == "other_company"


async def test_a_confirmation_holds_for_the_numbers_it_was_given_for(testbed: Testbed, harness: PaperHarness) -> None:
    async with testbed.owner() as owner, testbed.caller(testbed.internal_services.token(new_id())) as stranger:
        path = f"/v1/connections/{(await shown(testbed))['id']}/confirm-company"
        assert (await owner.post(path, json={"reason": "x"})).json()["code"] == "nothing_to_confirm"
        await harness.become_company(OTHER_NAME, OTHER_NUMBER)
        await compare_again(testbed)
        assert (await owner.post(path, json={"reason": "  "})).status_code == 422
        assert (await owner.post(path, json={})).status_code == 422
        assert (await stranger.post(path, json={"reason": "mine now"})).status_code == 404
    given = (await confirm(testbed, (await shown(testbed))["id"]))["company"]["confirmations"]
    assert [(each["numbers"], each["dossier_number"], bool(each["confirmed_by"])) for each in given] == [
        ([OTHER_NUMBER.removeprefix("BE")], DOSSIER_NUMBER, True)
    ]
    await compare_again(testbed)
    assert (await shown(testbed))["health"]["can_send"] is True, "the same number is not asked about again"
    await rename_dossier(testbed, "0836836222")
    assert (await shown(testbed))["health"]["can_send"] is False, "it was confirmed for another dossier's number"


async def test_what_may_have_been_sent_is_looked_up_whatever_the_company_is_called_now(
    testbed: Testbed, harness: PaperHarness
) -> None:
    await harness.lose_first_answers()
    await testbed.deliver(testbed.ready(*harness.document(1)))

    async def is_there() -> bool:
        return bool(await harness.bookings())

    await testbed.until(is_there, "it is booked, its answer lost")
    await harness.become_company(OTHER_NAME, OTHER_NUMBER)
    await testbed.change("UPDATE connection SET company_compared_at = NULL")
    await testbed.until_state("booked")


class SilentConnector(PaperConnector):
    async def remote_company(self, vendor: Vendor) -> RemoteCompany | None:
        raise ActionRequired(Problem("forbidden_by_vendor"))


async def test_a_user_who_may_not_see_the_company_is_not_kept_from_working(
    vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> None:
    service = connector_service(SilentConnector(), settings=PaperServiceSettings)
    async with open_testbed(service, make_database(service), paper_base_url=vendor.url) as testbed:
        await harness.connect(testbed)
        await testbed.deliver(testbed.ready(*harness.document(1)))
        await testbed.until_state("booked")
        read = await shown(testbed)
        assert [each["code"] for each in read["health"]["warnings"]] == ["company_not_compared"]
        assert read["company"]["is_the_dossiers"] is None


class BooksOfJournal(PaperConnector):
    def books_scope(self, settings: PaperSettings) -> str | None:
        return settings.journal


async def test_two_dossiers_of_a_firm_with_the_same_books_are_told_of_each_other(
    vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> None:
    service = connector_service(BooksOfJournal(), settings=PaperServiceSettings)
    async with open_testbed(service, make_database(service), paper_base_url=vendor.url) as testbed:
        first = await harness.connect(testbed)
        ours, firm_id = testbed.dossier_id, testbed.firm_id
        assert (await shown(testbed, first))["health"]["warnings"] == []
        testbed.dossier_id = new_id()
        await testbed.introduce_dossier()
        second = await testbed.connect({"journal": "700"}, vendor.allow)
        testbed.dossier_id, testbed.firm_id = new_id(), new_id()
        await testbed.introduce_dossier()
        await testbed.connect({"journal": "700"}, vendor.allow)
        testbed.dossier_id, testbed.firm_id = ours, firm_id
        for connection_id in (first, second):
            health = (await shown(testbed, connection_id))["health"]
            assert [each["code"] for each in health["warnings"]] == ["books_shared"]
            assert health["warnings"][0]["message"]["en"].count(DOSSIER_NAME) == 1, "another firm's is not told"
            assert health["can_send"] is True
        async with testbed.owner() as owner:
            listed = (await owner.get("/v1/connections")).json()["items"]
            assert [len(each["health"]["warnings"]) for each in listed] == [1, 1]
            moved = await owner.patch(f"/v1/connections/{second}", json={"settings": {"journal": "701"}})
            assert moved.json()["health"]["warnings"] == []
        assert (await shown(testbed, first))["health"]["warnings"] == []
