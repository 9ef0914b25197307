"""The right company's books: one client's documents do not go into another's ledger unless a person says so."""

# Tests explain themselves by their names and assert without ceremony.
# ruff: noqa: D102

from typing import Any

from koppel_connector.testing.document_factory import DOSSIER_NAME, DOSSIER_NUMBER
from koppel_connector.testing.harness import VendorHarness
from koppel_connector.testing.testbed import Testbed

from .base import ConformanceBase

OTHER_NAME, OTHER_NUMBER = "Iemand Anders BV", "BE0000000295"
THIRD_NAME, THIRD_NUMBER = "Nog Iemand BV", "BE0000000394"


class RightCompany(ConformanceBase):
    """The company behind a connection is compared with its dossier; where the two differ, a person decides."""

    async def test_nothing_goes_to_another_company_until_a_person_confirms_it(
        self, testbed: Testbed, harness: VendorHarness
    ) -> None:
        tells = await harness.become_company(OTHER_NAME, OTHER_NUMBER)
        read = await compare_again(testbed)
        if not tells:
            assert "company_not_compared" in [each["code"] for each in read["health"]["warnings"]]
            assert read["health"]["can_send"] is True
            return
        told = read["company"]["name"], read["company"]["is_the_dossiers"]
        assert told == (OTHER_NAME, False), f"the vendor tells another company, the connector {told}"
        await self.send(testbed, harness)
        (blocked,) = await testbed.until_blocked("other_company")
        assert blocked.problem["who_can_fix"] == "accountant"
        assert await harness.bookings() == {}
        for sentence in blocked.problem["message"].values():
            assert all(each in sentence for each in (OTHER_NAME, OTHER_NUMBER, DOSSIER_NAME, DOSSIER_NUMBER))
        assert read["health"]["can_send"] is False
        assert read["health"]["problem"] == blocked.problem
        confirmed = await confirm(testbed, read["id"])
        assert confirmed["health"]["can_send"] is True
        (kept,) = confirmed["company"]["confirmations"]
        assert (kept["name"], kept["reason"]) == (OTHER_NAME, "a branch")
        await self.until_booked(testbed, harness)
        assert await harness.become_company(THIRD_NAME, THIRD_NUMBER)
        asked_anew = await compare_again(testbed)
        assert asked_anew["health"]["problem"]["code"] == "other_company", "it was confirmed for another number"
        assert await harness.become_company(DOSSIER_NAME, DOSSIER_NUMBER)
        assert (await compare_again(testbed))["health"]["problem"] is None

    async def test_what_was_blocked_goes_by_itself_once_the_company_is_right(
        self, testbed: Testbed, harness: VendorHarness
    ) -> None:
        if not await harness.become_company(OTHER_NAME, OTHER_NUMBER):
            # That it cannot be compared is told; the scenario above asks for it.
            return
        await compare_again(testbed)
        await self.send(testbed, harness)
        await testbed.until_blocked("other_company")
        await harness.become_company(DOSSIER_NAME, DOSSIER_NUMBER)
        await compare_again(testbed)
        await self.until_booked(testbed, harness)


async def compare_again(testbed: Testbed) -> Any:
    """Have everything imported again, as every night; return the connection as it is shown then."""
    (before,) = await testbed.rows("SELECT id, imported_at FROM connection")
    await testbed.change("UPDATE connection SET import_due_at = clock_timestamp()")

    async def imported() -> bool:
        return bool(await testbed.rows("SELECT 1 FROM connection WHERE imported_at > :at", at=before.imported_at))

    await testbed.until(imported, "the master data is imported again")
    async with testbed.owner() as owner:
        return (await owner.get(f"/v1/connections/{before.id}")).json()


async def confirm(testbed: Testbed, connection_id: str, reason: str = "a branch") -> Any:
    """Confirm the company that the vendor tells; return the connection as it is shown then."""
    async with testbed.owner() as owner:
        answer = await owner.post(f"/v1/connections/{connection_id}/confirm-company", json={"reason": reason})
        assert answer.status_code == 200, answer.text
        return answer.json()
