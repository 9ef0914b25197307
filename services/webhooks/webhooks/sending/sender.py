"""What one process has under way: it claims what is due, sends it side by side, and records what came of it.

The loop that runs ``turn`` never waits for a receiver. A result that could not be recorded is kept for the next turn; one that is
lost with the process is sent again after its lease, with the same ``webhook-id``.
"""

import asyncio
import random
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

import structlog

from koppel_connector.contract import retry_after_s
from koppel_mesh.http.outside_client import OutsideClient, origin_of
from koppel_mesh.keyring import KeyRing, WrongKeyError
from koppel_mesh.prepared_sql import Record
from koppel_mesh.service import Context
from koppel_mesh.telemetry.metrics import counter
from webhooks import endpoints, owner_mails
from webhooks.loops import OWNERS, SEND
from webhooks.signing import SigningSecret

from .access import AccessUnknown, allowed, may_see
from .attempts import WITHHELD, Letter, attempt
from .claims import Claim, Result, claim, record
from .rules import Attempt, outcome_of
from .tokens import Credentials, Tokens, Wanted

log = structlog.get_logger(__name__)
_ATTEMPTS = counter("koppel_webhook_attempts", "Attempts to deliver events to partners", ("outcome",))


class Sender:
    """Sends what is due. One for each process."""

    def __init__(self, ring: KeyRing, outside: OutsideClient, *, deadline_s: float) -> None:
        self.ring = ring
        self.outside = outside
        self.tokens = Tokens(outside, deadline_s=deadline_s)
        self._tasks: set[asyncio.Task[None]] = set()
        self._under_way = 0
        self._results: list[Result] = []

    async def turn(self, context: Context) -> None:
        """Record what has ended and begin what is due."""
        settings = context.settings
        claims = await self._recorded_and_claimed(context, settings.webhook_connections - self._under_way)
        if claims:
            self._under_way += len(claims)
            self.spawn(self._send(context, claims))

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Have something done beside the loop."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def finish(self, context: Context) -> None:
        """Wait for what is under way, and record it."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=context.settings.webhook_deadline_s)
        for task in self._tasks:
            task.cancel()
        await self._recorded_and_claimed(context, 0)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("sending failed; what was claimed is due again after its lease", exc_info=error)

    async def _recorded_and_claimed(self, context: Context, free: int) -> list[Claim]:
        settings = context.settings
        results, self._results = self._results, []
        try:
            async with context.database.transaction() as tx:
                disabled = await record(tx, results)
                await owner_mails.write(tx, disabled, settings)
                claims = await claim(
                    tx,
                    free=free,
                    concurrency=settings.webhook_concurrency,
                    lease_s=2 * settings.webhook_deadline_s + 30,
                )
        except BaseException:
            self._results = results + self._results
            raise
        for row in disabled:
            tells = row.contact_email is not None and settings.mail_server is not None
            log.warning("an endpoint was disabled", endpoint=str(row.id), owner_gets_mail=tells)
        if disabled:
            context.wake(OWNERS)
        return claims

    async def _send(self, context: Context, claims: Sequence[Claim]) -> None:
        left = len(claims)
        try:
            wanted = {(one.client_id, one.firm_id) for one in claims}
            granted = await allowed(context, wanted)
            async with context.database.reading() as reading:
                secrets, closed = await endpoints.signing_secrets(
                    reading, self.ring, (one.endpoint_id for one in claims)
                )
        except AccessUnknown as error:
            log.warning("nothing is sent now", count=left, error=repr(error))
            self._postpone(context, claims)
            return
        except BaseException:
            self._under_way -= left
            raise
        self._postpone(context, [one for one in claims if one.endpoint_id in closed])
        async with asyncio.TaskGroup() as group:
            for one in claims:
                if one.endpoint_id in closed:
                    continue
                goes = one.is_wanted and (one.client_id, one.firm_id) in granted and one.endpoint_id in secrets
                group.create_task(self._send_one(context, one, secrets[one.endpoint_id] if goes else None))

    async def _send_one(self, context: Context, one: Claim, secrets: Sequence[SigningSecret] | None) -> None:
        at = datetime.now(UTC)
        try:
            if secrets is None:
                made = Attempt(None, 0, WITHHELD, {}, withheld=True)
            else:
                token = token_wanted(self.ring, one.endpoint_id, one)
                letter = Letter(str(one.event_id), one.body, one.url, secrets, token, verified=True)
                made = await attempt(
                    self.outside,
                    self.tokens,
                    letter,
                    may_send=partial(may_see, context, one.client_id, [one.firm_id]),
                    deadline_s=context.settings.webhook_deadline_s,
                )
            self._add(context, one, at, made)
        except WrongKeyError as error:
            log.error("a client secret does not open", endpoint=str(one.endpoint_id), error=str(error))
            self._add(context, one, at, Attempt(None, 0, "", {}, postponed=True))
        except Exception as error:
            # Whatever one receiver brings about is its own failure: the others of the batch are under way.
            log.exception("an attempt broke", endpoint=str(one.endpoint_id))
            self._add(context, one, at, Attempt(None, 0, f"an error of ours: {type(error).__name__}", {}))
        finally:
            self._under_way -= 1

    def _postpone(self, context: Context, claims: Sequence[Claim]) -> None:
        for one in claims:
            self._add(context, one, datetime.now(UTC), Attempt(None, 0, "", {}, postponed=True))
        self._under_way -= len(claims)

    def _add(self, context: Context, one: Claim, at: datetime, made: Attempt) -> None:
        schedule_s = context.settings.webhook_retry_schedule_s
        outcome = outcome_of(made, one.number, schedule_s, retry_after_s(made.headers), random.uniform(-1, 1))  # noqa: S311
        _ATTEMPTS.labels(context.name, outcome.kind).inc()
        self._results.append(Result(one, at, made, outcome))
        context.wake(SEND)


def token_wanted(ring: KeyRing, endpoint_id: UUID, of: Claim | Record) -> Wanted | None:
    """Return the token that the receiver of an endpoint wants, given its row or a claim; None where it wants none.

    Raises:
        WrongKeyError: the secret is under a secret key that is not in the ring, or is damaged.
    """
    if of.auth is None or of.auth_sealed is None:
        return None
    credentials = Credentials.opened(ring, endpoint_id, of.auth, of.auth_sealed, of.auth_key_id)
    return Wanted(endpoint_id, origin_of(of.url), credentials)


async def send_due(context: Context) -> None:
    """Run one turn of the sender."""
    sender: Sender = context.resources
    await sender.turn(context)
