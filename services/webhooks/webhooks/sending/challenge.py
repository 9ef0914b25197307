"""The challenge: an endpoint gets events only after it has shown that it wants them, by repeating a value.

A status alone would show nothing: many servers answer 200 to anything.
"""

import json
from datetime import UTC, datetime
from functools import partial
from uuid import UUID, uuid5

from koppel_mesh.keyring import WrongKeyError
from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.service import Context
from webhooks import endpoints
from webhooks.event_types import Data, EndpointChallenge, EndpointTest, body_of
from webhooks.problems import rendered

from .access import AccessUnknown, may_see
from .attempts import Letter, attempt
from .rules import Attempt
from .sender import Sender, token_wanted

BATCH = 50
_CLAIM = Statement("""
    UPDATE endpoint SET challenge_attempts = challenge_attempts + 1,
        challenge_due_at = now() + (CAST(:schedule_s AS float8[]))[challenge_attempts + 1] * interval '1 second'
    WHERE id IN (SELECT id FROM endpoint WHERE challenge_due_at <= now() ORDER BY challenge_due_at LIMIT :batch
        FOR NO KEY UPDATE SKIP LOCKED)
    RETURNING *
""")
_PASSED = Statement("""
    UPDATE endpoint SET state = CASE WHEN paused THEN 'paused' ELSE 'active' END, verified_at = now(), challenge = NULL,
        challenge_due_at = NULL, problem = NULL, problem_at = NULL
    WHERE id = :id AND challenge = :challenge AND state = 'unverified' RETURNING state
""")
_FAILED = Statement("""
    UPDATE endpoint SET problem = CAST(:problem AS jsonb), problem_at = coalesce(problem_at, now())
    WHERE id = :id AND challenge = :challenge AND state = 'unverified'
""")


async def send_challenges(context: Context) -> bool:
    """Begin the challenges that are due; True while there may be more. They are tried again by the schedule of deliveries."""
    sender: Sender = context.resources
    async with context.database.transaction() as tx:
        schedule_s = list(context.settings.webhook_retry_schedule_s)
        due = await _CLAIM.all(tx, {"schedule_s": schedule_s, "batch": BATCH})
    for row in due:
        sender.spawn(_challenge(context, row))
    return len(due) == BATCH


async def _challenge(context: Context, row: Record) -> None:
    try:
        if await may_see(context, row.client_id, endpoints.firms_of(row)):
            await probe(context, row)
    except AccessUnknown:
        return  # it is due again


async def probe(context: Context, row: Record) -> Attempt:
    """Send an endpoint its challenge, or a test event when it has passed; return what came of it.

    Raises:
        AccessUnknown: whether the partner may still see the firms, or where a name leads, cannot be known now; nothing was sent.
        WrongKeyError: a secret of the endpoint is under a secret key that is not in the ring.
    """
    sender: Sender = context.resources
    async with context.database.reading() as reading:
        secrets, closed = await endpoints.signing_secrets(reading, sender.ring, [row.id])
    if closed:
        raise WrongKeyError("a signing secret does not open")
    now = datetime.now(UTC)
    event_id = uuid5(row.id, row.challenge or now.isoformat())
    data: Data = EndpointTest(endpoint_id=row.id)
    if row.challenge is not None:
        data = EndpointChallenge(endpoint_id=row.id, challenge=row.challenge)
    more = {"firmid": row.firm_id, "sequence": 1}
    body = body_of(event_id, data, public_url=context.settings.public_url, time=now, subject=row.id, **more)
    token = token_wanted(sender.ring, row.id, row)
    letter = Letter(str(event_id), body, row.url, secrets.get(row.id, []), token, verified=row.challenge is None)
    made = await attempt(
        sender.outside,
        sender.tokens,
        letter,
        may_send=partial(may_see, context, row.client_id, endpoints.firms_of(row)),
        deadline_s=context.settings.webhook_deadline_s,
    )
    if made.postponed:
        raise AccessUnknown
    if row.challenge is not None and not made.withheld:
        await _decide(context, row.id, row.challenge, made)
    return made


async def _decide(context: Context, endpoint_id: UUID, challenge: str, made: Attempt) -> None:
    key = {"id": endpoint_id, "challenge": challenge}
    async with context.database.transaction() as tx:
        if passes(made, challenge):
            await _PASSED.run(tx, key)
        else:
            reason = made.answer[:200] if made.status is None else f"HTTP {made.status}"
            await _FAILED.run(tx, {**key, "problem": rendered("webhook_unverified", reason=reason)})


def passes(made: Attempt, challenge: str) -> bool:
    """Return whether an answer repeats the challenge: as JSON ``{"challenge": …}``, or as the whole text."""
    if made.status is None or not 200 <= made.status < 300:
        return False
    if made.answer.strip() == challenge:
        return True
    try:
        answer = json.loads(made.answer)
    except (ValueError, RecursionError):
        return False
    return isinstance(answer, dict) and answer.get("challenge") == challenge
