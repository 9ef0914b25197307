"""Endpoints and their secrets: rows in and out. Every query names the client and a firm whose they are."""

import json
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.auth import Caller
from koppel_mesh.http.outside_client import origin_of
from koppel_mesh.http.problems import FieldError, HttpProblem, not_found
from koppel_mesh.ids import new_id
from koppel_mesh.keyring import KeyRing, WrongKeyError
from koppel_mesh.prepared_sql import Record, Statement

from .models import EndpointChange, NewAuth, NewEndpoint, ShownEndpoint
from .signing import SigningSecret

log = structlog.get_logger(__name__)
ENDPOINTS_MAX = 20
"""Of one client and firm: each multiplies what is kept and sent."""
_DESCRIBED = {"url", "event_types", "description", "contact_email", "firm_ids"}
_MINE = """
    client_id = :client_id AND (firm_id = CAST(:firm_id AS uuid) OR firm_ids @> ARRAY[CAST(:firm_id AS uuid)])
"""

_COUNT = Statement(f"SELECT count(*) AS number FROM endpoint WHERE {_MINE}")
_ADD = Statement("""
    INSERT INTO endpoint (id, client_id, firm_id, firm_ids, url, event_types, description, contact_email, challenge,
        challenge_due_at)
    VALUES (:id, :client_id, :firm_id, :firm_ids, :url, :event_types, :description, :contact_email, :challenge, now())
""")
_SET_AUTH = Statement("""
    UPDATE endpoint SET auth = CAST(:auth AS jsonb), auth_sealed = :sealed, auth_key_id = :key_id WHERE id = :id
""")
_GET = Statement(f"SELECT * FROM endpoint WHERE id = :id AND {_MINE}")
_LOCKED = Statement(f"SELECT * FROM endpoint WHERE id = :id AND {_MINE} FOR NO KEY UPDATE")
_PAGE = Statement(f"""
    SELECT * FROM endpoint WHERE {_MINE} AND (CAST(:after AS uuid) IS NULL OR id > CAST(:after AS uuid)) ORDER BY id LIMIT :limit
""")
_CHANGE = Statement("""
    UPDATE endpoint SET url = coalesce(CAST(:url AS text), url),
        event_types = coalesce(CAST(:event_types AS text[]), event_types),
        description = CASE WHEN :describes THEN :description ELSE description END,
        firm_ids = CASE WHEN :has_firms THEN CAST(:firm_ids AS uuid[]) ELSE firm_ids END,
        contact_email = CASE WHEN :has_contact THEN :contact_email ELSE contact_email END
    WHERE id = :id
""")
# One that has to answer its challenge first is paused when it has.
_PAUSE = Statement("""
    UPDATE endpoint SET paused = true, state = CASE state WHEN 'active' THEN 'paused' ELSE state END WHERE id = :id
""")
_RESUME = Statement("""
    UPDATE endpoint SET paused = false, state = CASE state WHEN 'paused' THEN 'active' ELSE state END,
        resume_at = NULL, failing_since = NULL
    WHERE id = :id AND (paused OR state = 'paused')
""")
_CHALLENGE = Statement("""
    UPDATE endpoint SET paused = paused OR state = 'paused', state = 'unverified', challenge = :challenge,
        challenge_attempts = 0, challenge_due_at = now(), verified_at = NULL, failing_since = NULL, resume_at = NULL,
        problem = NULL, problem_at = NULL
    WHERE id = :id
""")
_PROBLEMS = Statement(f"""
    SELECT id AS endpoint_id, problem, problem_at AS first_seen_at FROM endpoint
    WHERE {_MINE} AND problem IS NOT NULL AND (CAST(:after AS uuid) IS NULL OR id > CAST(:after AS uuid)) ORDER BY id LIMIT :limit
""")
_REMOVE = Statement(f"DELETE FROM endpoint WHERE id = :id AND {_MINE} RETURNING id")
_END_DELIVERIES = Statement("""
    UPDATE delivery SET due_at = NULL, leased_until = NULL, state = 'withheld' WHERE endpoint_id = :id AND due_at IS NOT NULL
""")
_ADD_SECRET = Statement("""
    INSERT INTO secret (id, endpoint_id, sealed, key_id, public_key)
    VALUES (:id, :endpoint_id, :sealed, :key_id, CAST(:public_key AS jsonb))
""")
_OVERLAPS = Statement("SELECT EXISTS (SELECT FROM secret WHERE endpoint_id = :id AND ends_at > now()) AS found")
_END_SECRETS = Statement("""
    UPDATE secret SET ends_at = least(ends_at, now() + CAST(:overlap AS interval)) WHERE endpoint_id = :id
    RETURNING ends_at
""")
_PUBLIC_KEYS = Statement("""
    SELECT s.public_key FROM secret s WHERE s.endpoint_id = :id AND (s.ends_at IS NULL OR s.ends_at > now())
    ORDER BY s.created_at DESC
""")
_SECRETS = Statement("""
    SELECT id, endpoint_id, sealed, key_id FROM secret
    WHERE endpoint_id = ANY(CAST(:ids AS uuid[])) AND (ends_at IS NULL OR ends_at > now()) ORDER BY created_at DESC
""")
_OLD_SECRETS = Statement("SELECT id, sealed, key_id FROM secret WHERE key_id <> :key_id FOR UPDATE")
_RESEAL_SECRET = Statement("UPDATE secret SET sealed = :sealed, key_id = :key_id WHERE id = :id")
_OLD_AUTHS = Statement("""
    SELECT id, auth_sealed AS sealed, auth_key_id AS key_id FROM endpoint WHERE auth_key_id <> :key_id FOR UPDATE
""")
_RESEAL_AUTH = Statement("UPDATE endpoint SET auth_sealed = :sealed, auth_key_id = :key_id WHERE id = :id")


def _mine(caller: Caller) -> dict[str, Any]:
    return {"client_id": caller.subject, "firm_id": caller.firm_id}


async def has_room(connection: AsyncConnection, caller: Caller) -> bool:
    """Return whether the caller may register one more endpoint."""
    return bool((await _COUNT.one(connection, _mine(caller))).number < ENDPOINTS_MAX)


def too_many() -> HttpProblem:
    """Return the refusal of one more."""
    return HttpProblem(409, "too_many_endpoints", f"There are {ENDPOINTS_MAX} endpoints; delete one first.")


async def add(tx: AsyncConnection, ring: KeyRing, caller: Caller, body: NewEndpoint) -> tuple[Record, str]:
    """Register an endpoint, which has to answer a challenge; return its row and its secret.

    Raises:
        HttpProblem: 403 without a firm; 409 when there are too many.
    """
    if caller.firm_id is None:
        raise HttpProblem(403, "bound_to_no_firm", "An endpoint belongs to a firm, and this token is bound to none.")
    if not await has_room(tx, caller):
        raise too_many()
    endpoint_id = new_id()
    described = body.model_dump(include=_DESCRIBED)
    await _ADD.run(tx, {"id": endpoint_id, **_mine(caller), **described, "challenge": _new_challenge()})
    if body.auth is not None:
        await _set_auth(tx, ring, endpoint_id, body.auth)
    secret = await _add_secret(tx, ring, endpoint_id)
    return await of_caller(tx, caller, endpoint_id), secret


async def of_caller(
    connection: AsyncConnection, caller: Caller, endpoint_id: UUID, *, to_change: bool = False
) -> Record:
    """Return an endpoint of the caller.

    Raises:
        HttpProblem: 404 unless it is the caller's.
    """
    row = await (_LOCKED if to_change else _GET).one_or_none(connection, {"id": endpoint_id, **_mine(caller)})
    if row is None:
        raise not_found("endpoint")
    return row


async def page(connection: AsyncConnection, caller: Caller, after: UUID | None, limit: int) -> Sequence[Record]:
    """Return the caller's endpoints in the order they were registered."""
    return await _PAGE.all(connection, {**_mine(caller), "after": after, "limit": limit})


async def problems(connection: AsyncConnection, caller: Caller, after: UUID | None, limit: int) -> Sequence[Record]:
    """Return what keeps the caller's endpoints from getting events, in the order the endpoints were registered."""
    return await _PROBLEMS.all(connection, {**_mine(caller), "after": after, "limit": limit})


async def change(tx: AsyncConnection, ring: KeyRing, row: Record, body: EndpointChange) -> None:
    """Change what is given; another address is challenged before anything is sent to it, and stays paused if it was.

    Raises:
        HttpProblem: 422 ``auth_missing`` where the address leads to another host and ``auth`` is not given with it: the challenge
            would show that host a token which was meant for the one before.
    """
    given = body.model_fields_set
    moves = body.url is not None and origin_of(body.url) != origin_of(row.url)
    if moves and row.auth is not None and "auth" not in given:
        title = "The endpoint moves to another host: say with what token it is called there."
        detail = "Give auth with its client_secret in the same request, or null where the new host wants no token."
        wrong = FieldError(field="body.auth", rule="auth_missing", message=detail)
        raise HttpProblem(422, "auth_missing", title, detail, errors=[wrong])
    named = {"describes": "description", "has_contact": "contact_email", "has_firms": "firm_ids"}
    changed = body.model_dump(include=_DESCRIBED) | {key: name in given for key, name in named.items()}
    await _CHANGE.run(tx, {"id": row.id, **changed})
    if "auth" in given:
        await _set_auth(tx, ring, row.id, body.auth)
    if body.state == "paused":
        await _PAUSE.run(tx, {"id": row.id})
    if body.url is not None and body.url != row.url:
        await _CHALLENGE.run(tx, {"id": row.id, "challenge": _new_challenge()})


async def enable(tx: AsyncConnection, row: Record) -> None:
    """Send to a paused endpoint again; one that is disabled or was never verified has to answer a challenge."""
    await _RESUME.run(tx, {"id": row.id})
    if row.state not in ("active", "paused"):
        await _CHALLENGE.run(tx, {"id": row.id, "challenge": _new_challenge()})


async def remove(tx: AsyncConnection, caller: Caller, endpoint_id: UUID) -> None:
    """Delete an endpoint and its secrets; what was on its way to it is sent no more.

    Raises:
        HttpProblem: 404 unless it is the caller's.
    """
    if await _REMOVE.one_or_none(tx, {"id": endpoint_id, **_mine(caller)}) is None:
        raise not_found("endpoint")
    await _END_DELIVERIES.run(tx, {"id": endpoint_id})


async def rotate(tx: AsyncConnection, ring: KeyRing, row: Record, overlap_s: int) -> tuple[str, datetime]:
    """Give an endpoint a new secret; return it, and until when the one before signs too.

    Raises:
        HttpProblem: 409 while an earlier rotation overlaps; without overlap the older secrets end at once.
    """
    if overlap_s and (await _OVERLAPS.one(tx, {"id": row.id})).found:
        title = "A rotation is under way: two secrets sign already."
        raise HttpProblem(409, "rotation_under_way", title, "With overlap_s 0 both end now.")
    ended = await _END_SECRETS.all(tx, {"id": row.id, "overlap": timedelta(seconds=overlap_s)})
    return await _add_secret(tx, ring, row.id), max(each.ends_at for each in ended)


async def public_keys(connection: AsyncConnection, endpoint_id: UUID) -> list[dict[str, Any]]:
    """Return the keys by which signatures for an endpoint are checked now; anybody may know them."""
    return [row.public_key for row in await _PUBLIC_KEYS.all(connection, {"id": endpoint_id})]


async def signing_secrets(
    connection: AsyncConnection, ring: KeyRing, endpoint_ids: Iterable[UUID]
) -> tuple[dict[UUID, list[SigningSecret]], set[UUID]]:
    """Return the secrets that sign now, by endpoint, the newest first; and the endpoints with one that does not open."""
    found: dict[UUID, list[SigningSecret]] = {}
    closed: set[UUID] = set()
    for row in await _SECRETS.all(connection, {"ids": list(set(endpoint_ids))}):
        try:
            opened = SigningSecret.opened(ring, row.id, row.sealed, row.key_id)
        except WrongKeyError as error:
            log.error("a signing secret does not open", endpoint=str(row.endpoint_id), error=str(error))
            closed.add(row.endpoint_id)
            continue
        found.setdefault(row.endpoint_id, []).append(opened)
    return found, closed


async def reseal(tx: AsyncConnection, ring: KeyRing) -> None:
    """Encrypt again what is under an old secret key, so that it may leave the ring.

    Raises:
        MissingKeyError: something is under a secret key that is not in the ring.
    """
    for find, write in ((_OLD_SECRETS, _RESEAL_SECRET), (_OLD_AUTHS, _RESEAL_AUTH)):
        for row in await find.all(tx, {"key_id": ring.key_id}):
            sealed = ring.seal(row.id, ring.open(row.id, row.sealed, row.key_id))
            await write.run(tx, {"id": row.id, "sealed": sealed, "key_id": ring.key_id})


async def _add_secret(tx: AsyncConnection, ring: KeyRing, endpoint_id: UUID) -> str:
    made = SigningSecret.new(new_id())
    values = {"id": made.id, "sealed": made.sealed(ring), "key_id": ring.key_id}
    await _ADD_SECRET.run(tx, {**values, "endpoint_id": endpoint_id, "public_key": json.dumps(made.public_key)})
    return made.secret


async def _set_auth(tx: AsyncConnection, ring: KeyRing, endpoint_id: UUID, auth: NewAuth | None) -> None:
    if auth is None:
        await _SET_AUTH.run(tx, {"id": endpoint_id, "auth": None, "sealed": None, "key_id": None})
        return
    sealed = ring.seal(endpoint_id, {"client_secret": auth.client_secret.get_secret_value()})
    shown = auth.model_dump_json(exclude={"client_secret"})
    await _SET_AUTH.run(tx, {"id": endpoint_id, "auth": shown, "sealed": sealed, "key_id": ring.key_id})


def _new_challenge() -> str:
    return secrets.token_urlsafe(24)


def firms_of(row: Record) -> list[UUID]:
    """Return the firms whose events an endpoint gets."""
    return list(row.firm_ids or [row.firm_id])


def shown(row: Record) -> ShownEndpoint:
    """Return an endpoint as its owner sees it."""
    return ShownEndpoint.model_validate({**dict(row), "firm_ids": firms_of(row)})
