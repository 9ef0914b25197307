"""Consents: which partner a firm lets do what with its data, granted and withdrawn by whom and when. None is ever deleted."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.auth import Caller
from koppel_mesh.ids import new_id
from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.visibility import VISIBLE

NAMED_MAX = 100
"""Of one answer to a partner that did not name a firm."""
_LIVING = Statement("""
    SELECT firm_id, scopes FROM consent
    WHERE client = :client AND withdrawn_at IS NULL AND (CAST(:firm_id AS uuid) IS NULL OR firm_id = :firm_id) LIMIT :limit
""")
_PARTNER = Statement("""
    SELECT id, client_id, scopes FROM client WHERE client_id = :client_id AND kind = 'partner' AND NOT disabled
    FOR NO KEY UPDATE
""")
_OF_FIRM = Statement("SELECT * FROM consent WHERE client = :client AND firm_id = :firm_id AND withdrawn_at IS NULL")
_GRANT = Statement("""
    INSERT INTO consent (id, client, client_id, firm_id, scopes, reason, granted_by)
    VALUES (:id, :client, :client_id, :firm_id, :scopes, :reason, :granted_by) RETURNING *
""")
_PAGE = Statement(f"""
    SELECT * FROM consent
    WHERE {VISIBLE} AND (CAST(:client_id AS text) IS NULL OR client_id = :client_id)
        AND (CAST(:after AS uuid) IS NULL OR id > CAST(:after AS uuid)) ORDER BY id LIMIT :limit
""")
_WITHDRAW = Statement("""
    UPDATE consent SET withdrawn_at = now(), withdrawn_by = :by WHERE id = :id AND withdrawn_at IS NULL
""")
_GET = Statement(f"SELECT * FROM consent WHERE id = :id AND {VISIBLE}")
_LOCK_CLIENT = Statement("SELECT id FROM client WHERE id = :client FOR NO KEY UPDATE")
_WITHDRAW_ALL = Statement("""
    UPDATE consent SET withdrawn_at = now(), withdrawn_by = :by WHERE client = :client AND withdrawn_at IS NULL
""")
_ACCESS = Statement("""
    SELECT client_id, kind, firm_id, scopes FROM (
        SELECT c.client_id, 'partner' AS kind, g.firm_id,
            ARRAY(SELECT unnest(c.scopes) INTERSECT SELECT unnest(g.scopes) ORDER BY 1) AS scopes
        FROM client c JOIN consent g ON g.client = c.id AND g.withdrawn_at IS NULL WHERE c.kind = 'partner' AND NOT c.disabled
        UNION ALL
        SELECT client_id, 'firm', firm_id, scopes FROM client
        WHERE kind IS DISTINCT FROM 'partner' AND firm_id IS NOT NULL AND NOT disabled
    ) AS seen
    WHERE client_id = ANY(CAST(:client_ids AS text[]))
        AND (CAST(:firm_ids AS uuid[]) IS NULL OR firm_id = ANY(CAST(:firm_ids AS uuid[])))
    ORDER BY client_id, firm_id
""")


class Consent(BaseModel):
    """A firm lets a partner do something; a withdrawn consent stays, and lets it do nothing any more."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    client_id: str
    firm_id: UUID
    scopes: list[str]
    reason: str | None
    granted_by: str
    granted_at: datetime
    withdrawn_by: str | None
    withdrawn_at: datetime | None


async def living(connection: AsyncConnection, client: UUID, firm_id: UUID | None) -> Mapping[UUID, frozenset[str]]:
    """Return what that firm lets a partner do; where none is named, what each of up to a hundred lets it do."""
    rows = await _LIVING.all(connection, {"client": client, "firm_id": firm_id, "limit": NAMED_MAX})
    return {row.firm_id: frozenset(row.scopes) for row in rows}


async def partner(tx: AsyncConnection, client_id: str) -> Record | None:
    """Return a partner that may ask for consent. Its row is locked, so that two consents to it come one after the other."""
    return await _PARTNER.one_or_none(tx, {"client_id": client_id})


async def in_force(tx: AsyncConnection, to: Record, firm_id: UUID) -> Consent | None:
    """Return the firm's consent to the partner ``to``, None when it has given none or withdrawn it."""
    found = await _OF_FIRM.one_or_none(tx, {"client": to.id, "firm_id": firm_id})
    return None if found is None else Consent.model_validate(found)


async def grant(
    tx: AsyncConnection, to: Record, firm_id: UUID, scopes: Sequence[str], *, reason: str | None, by: str
) -> Consent:
    """Return the firm's new consent to the partner ``to``; the one in force before is to be withdrawn first."""
    asked = {"client": to.id, "client_id": to.client_id, "firm_id": firm_id, "scopes": list(scopes)}
    made = await _GRANT.one(tx, {"id": new_id(), **asked, "reason": reason, "granted_by": by})
    return Consent.model_validate(made)


async def page(
    connection: AsyncConnection, caller: Caller, client_id: str | None, after: UUID | None, limit: int
) -> Sequence[Record]:
    """Return the consents of the caller's firm, of every firm for a caller bound to none, in the order they were granted."""
    asked = {"firm_id": caller.firm_id, "client_id": client_id, "after": after, "limit": limit}
    return await _PAGE.all(connection, asked)


async def locked(tx: AsyncConnection, caller: Caller, consent_id: UUID) -> Consent | None:
    """Return a consent of the caller's firm; until the transaction ends its client gets no token."""
    mine = {"id": consent_id, "firm_id": caller.firm_id}
    found = await _GET.one_or_none(tx, mine)
    if found is None:
        return None
    await _LOCK_CLIENT.run(tx, {"client": found.client})
    return Consent.model_validate(await _GET.one(tx, mine))


async def withdraw(tx: AsyncConnection, consent: Consent, by: str) -> None:
    """Withdraw a consent; who withdrew it first stays named."""
    await _WITHDRAW.run(tx, {"id": consent.id, "by": by})


async def withdraw_all(tx: AsyncConnection, client: UUID, by: str) -> None:
    """Withdraw every consent to a client that is about to go."""
    await _WITHDRAW_ALL.run(tx, {"client": client, "by": by})


async def access(
    connection: AsyncConnection, client_ids: Sequence[str], firm_ids: Sequence[UUID] | None
) -> Sequence[Record]:
    """Return what those clients may do now: a row for each firm that one sees by its binding or by consent."""
    return await _ACCESS.all(connection, {"client_ids": list(client_ids), "firm_ids": firm_ids})
