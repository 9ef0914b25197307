"""Settings that are missing: nothing is asked of the vendor without them, and what waited for them goes by itself."""

# Tests explain themselves by their names and assert without ceremony.
# ruff: noqa: D102

from typing import Any, get_args

from koppel_connector.connection.missing_settings import missing_settings
from koppel_connector.connection.store import split_secrets
from koppel_connector.contract import Purpose
from koppel_connector.testing.harness import VendorHarness
from koppel_connector.testing.testbed import Testbed

from .base import ConformanceBase

_TAKE_AWAY = "UPDATE connection SET settings = '{}', secrets = NULL, key_id = NULL, import_due_at = clock_timestamp()"
_IMPORTED = "SELECT 1 FROM connection WHERE import_due_at IS NULL AND imported_at > :since"


class SettingsNeeded(ConformanceBase):
    """Every entry asks first whether the settings suffice for it (contract §7)."""

    async def test_nothing_is_asked_of_the_vendor_without_the_settings_for_it(
        self, testbed: Testbed, harness: VendorHarness
    ) -> None:
        nothing = testbed.kit.connector.settings_model()
        missing = {purpose: missing_settings(testbed.kit, nothing, purpose) for purpose in get_args(Purpose)}
        (before,) = await testbed.rows("SELECT id, imported_at FROM connection")
        async with testbed.context.database.reading() as reading:
            row = await testbed.kit.connections.read(reading, before.id)
        assert row is not None
        shown, secrets = split_secrets(row.settings)
        calls = await harness.calls_seen()
        await testbed.change(_TAKE_AWAY)
        async with testbed.owner() as owner:
            connection = f"/v1/connections/{before.id}"
            await self._import_asks_nothing(testbed, owner, connection, missing["import"], before.imported_at)
            checked = (await owner.post(f"{connection}/check")).json()
            if missing["check"]:
                assert [step["problem"]["code"] for step in checked["steps"]] == ["settings_missing"]
            if missing["import"] and missing["check"]:
                assert await harness.calls_seen() == calls
            if missing["send"]:
                await self.send(testbed, harness)
                (blocked,) = await testbed.until_state("blocked")
                assert blocked.problem["code"] == "settings_missing"
                assert await harness.bookings() == {}
            given = await owner.patch(connection, json={"settings": {**shown, **secrets}})
            assert given.json()["health"]["missing_settings"] == [], given.text

        async def imported() -> bool:
            return bool(await testbed.rows(_IMPORTED, since=before.imported_at))

        await testbed.until(imported, "the import goes by itself once its settings are there")
        if missing["send"]:
            await self.until_booked(testbed, harness)

    async def _import_asks_nothing(
        self, testbed: Testbed, owner: Any, connection: str, missing: list[str], since: Any
    ) -> None:
        async def left() -> bool:
            return bool(await testbed.rows("SELECT 1 FROM connection WHERE import_due_at IS NULL"))

        await testbed.until(left, "an import that cannot be made is not tried again and again")
        answer = await owner.post(f"{connection}/import")
        if not missing:
            assert answer.status_code == 202, answer.text
            return
        assert (answer.status_code, answer.json()["code"]) == (409, "settings_missing")
        assert [each["field"] for each in answer.json()["errors"]] == [f"settings.{name}" for name in missing]
        assert not await testbed.rows(_IMPORTED, since=since)
