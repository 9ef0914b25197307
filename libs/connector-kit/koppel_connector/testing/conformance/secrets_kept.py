"""P4 and the secrets: one owner of a token pair, a wrong password asked once, and a sync log that holds no secret."""

# Tests explain themselves by their names and assert without ceremony.
# ruff: noqa: D102

import asyncio

import pytest

from koppel_connector.testing.harness import VendorHarness
from koppel_connector.testing.testbed import Testbed

from .base import ConformanceBase


class Secrets(ConformanceBase):
    """Tokens and passwords stay where they belong."""

    async def test_the_sync_log_holds_no_secret(self, testbed: Testbed, harness: VendorHarness) -> None:
        await self.send(testbed, harness)
        await self.until_booked(testbed, harness)
        connection = (await testbed.rows("SELECT id FROM connection"))[0]
        secrets: list[str] = []
        for row in await testbed.rows("SELECT id, secrets FROM connection WHERE secrets IS NOT NULL"):
            secrets += testbed.kit.keys.open(row.id, bytes(row.secrets)).values()
        for token in await testbed.rows("SELECT connection_id, ciphertext FROM oauth_token"):
            secrets += testbed.kit.keys.open(connection.id, bytes(token.ciphertext)).values()
        assert secrets or testbed.kit.vault is None, "without a secret to look for this would prove nothing"
        rows = await testbed.rows("SELECT request, response, message FROM attempt")
        said = "\n".join(str(part) for row in rows for part in row if part)
        assert said
        assert not [secret for secret in secrets if secret and secret in said]

    async def test_twenty_tasks_refresh_once(self, testbed: Testbed, harness: VendorHarness) -> None:
        vault = testbed.kit.vault
        if vault is None or not await self._has_grant(testbed):
            # One with a password, or with nothing, holds no grant that two could spend at once (P4).
            pytest.skip("the vendor has no tokens")
        connection = (await testbed.rows("SELECT id FROM connection"))[0]
        before = (await testbed.rows("SELECT version FROM oauth_token"))[0].version
        await testbed.change("UPDATE oauth_token SET obtained_at = obtained_at - interval '1 day'")
        await testbed.change("UPDATE oauth_token SET access_expires_at = access_expires_at - interval '1 day'")
        vault.forget(connection.id)
        grants = await asyncio.gather(*(vault.grant_for(connection.id) for _ in range(20)))
        assert {grant.version for grant in grants} == {before + 1}
        assert len({grant.access_token for grant in grants}) == 1
        assert await harness.spent_tokens_used() == 0

    async def test_a_wrong_password_is_tried_once(self, testbed: Testbed, harness: VendorHarness) -> None:
        has_password = await testbed.rows("SELECT 1 FROM connection WHERE secrets IS NOT NULL")
        if await self._has_grant(testbed) or not has_password:
            # Tokens are refused in a way of their own; what needs no login cannot be locked out.
            pytest.skip("the vendor knows no password")
        await harness.change_password()
        await testbed.deliver(*(testbed.ready(*harness.document(number)) for number in range(3)))
        rows = await testbed.until_state("blocked", "failed", "review", "unknown")
        assert {row.state for row in rows} == {"blocked"}, "they wait for the new password"
        assert {row.failures for row in rows} == {0}
        assert await harness.wrong_passwords() == 1, "the vendor would lock the user out"
        assert await harness.bookings() == {}

    async def _has_grant(self, testbed: Testbed) -> bool:
        """Return whether the harness connects by consent; a vendor may know both ways in."""
        return bool(await testbed.rows("SELECT 1 FROM oauth_token"))
