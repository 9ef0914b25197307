"""A firm leaves: its clients get no token any more, those that they hold are refused, and what it let partners do ends."""

from uuid import UUID

from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.service import Context

from . import audit_log, consents, revocations
from .audit_log import Act
from .consents import Consent
from .firm_data import OF_FIRM

_ASKED = Statement("SELECT asked_by FROM firm_deletion WHERE firm_id = :firm_id")
_CLIENTS = Statement(f"SELECT id, client_id FROM client WHERE {OF_FIRM} ORDER BY id FOR UPDATE")
_DISABLE = Statement("UPDATE client SET disabled = true WHERE id = :id")
_CONSENTS = Statement("""
    SELECT g.* FROM consent g JOIN client c ON c.id = g.client
    WHERE g.firm_id = :firm_id AND g.withdrawn_at IS NULL ORDER BY c.id FOR NO KEY UPDATE OF c
""")


async def stop_firm(context: Context, firm_id: UUID) -> None:
    """Disable the firm's clients, revoke its tokens and those of partners for it, and withdraw its consents."""
    lifetime_s = context.settings.token_lifetime_s
    async with context.database.transaction() as tx:
        asked = await _ASKED.one_or_none(tx, {"firm_id": firm_id})
        by = asked.asked_by if asked else "koppel"
        for client in await _CLIENTS.all(tx, {"firm_id": firm_id}):
            await _DISABLE.run(tx, {"id": client.id})
            await revocations.revoke_client(tx, client.client_id, None, by=by, token_lifetime_s=lifetime_s)
            about = {"client_id": client.client_id}
            await audit_log.add(tx, Act.CLIENT_DELETED, actor=by, firm_id=firm_id, about=about, source="")
        for row in await _CONSENTS.all(tx, {"firm_id": firm_id}):
            await consents.withdraw(tx, Consent.model_validate(row), by)
            await revocations.revoke_client(tx, row.client_id, firm_id, by=by, token_lifetime_s=lifetime_s)
            await audit_log.add(tx, Act.CONSENT_WITHDRAWN, actor=by, firm_id=firm_id, about=_about(row), source="")


def _about(row: Record) -> dict[str, object]:
    return {"consent_id": row.id, "client_id": row.client_id, "scopes": row.scopes}
