"""Settings of connections that share a login: a secret that is given at one of them is the login's, and so everybody's."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_connector.connection.importing import want_import
from koppel_connector.connection.store import ConnectionRow, split_secrets
from koppel_connector.kit import Kit

from .views import refusal_of


async def lock_logins(
    tx: AsyncConnection, kit: Kit, firm_id: UUID, keys: Iterable[str | None], connection_id: UUID | None = None
) -> list[ConnectionRow]:
    """Lock every connection that shares one of these logins, and this one; return the others.

    Raises:
        HttpProblem: 409 when the secrets of one cannot be read now: what is shared would be lost.
    """
    named = {key for key in keys if key is not None}
    if not named:
        return []
    locked = await kit.logins.lock_connections(tx, firm_id, named, connection_id)
    for each in locked:
        insist_on_readable(kit, each)
    return [each for each in locked if each.id != connection_id]


def insist_on_readable(kit: Kit, row: ConnectionRow) -> None:
    """Refuse to change a connection whose secrets cannot be read now and would be lost; what is damaged is lost already.

    Raises:
        HttpProblem: 409, with the ids of the key wanted and of those given.
    """
    if row.unreadable is not None and not row.is_damaged:
        raise refusal_of(kit, row.unreadable, 409)


def shared_secrets(key: str | None, others: Sequence[ConnectionRow]) -> Mapping[str, str] | None:
    """Return the secrets that a login has; None where no other connection shares it."""
    if key is None:
        return None
    readable = (other for other in others if other.login_key == key and other.unreadable is None)
    return next((split_secrets(other.settings)[1] for other in readable), None)


async def share_login(
    tx: AsyncConnection,
    kit: Kit,
    firm_id: UUID,
    key: str | None,
    secrets: Mapping[str, str],
    others: Sequence[ConnectionRow],
    *,
    given: bool,
) -> bool:
    """Give secrets that a person has just typed to all who share the login; return whether the vendor may be tried with it.

    What was refused is tried again when a secret is given anew, be it the same: the vendor may have let the user in again.
    """
    if key is None:
        return True
    refused = await kit.logins.is_refused(tx, firm_id, key)
    if not given:
        return not refused
    if refused or secrets != shared_secrets(key, others):
        await kit.logins.change(tx, others, firm_id, key, secrets)
        for other in others:
            if other.login_key == key and other.imported_at is None:
                changed = await kit.connections.read(tx, other.id)
                assert changed is not None
                await want_import(tx, kit, changed)
    return True
