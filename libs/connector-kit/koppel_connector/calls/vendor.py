"""The way out: token, budget, a committed line in the sync log, the bytes under one deadline, the outcome, the error.

What one call learned (how it ended, what the vendor's headers said) is committed together with the opening of the next, or
with the outcome of the delivery: a call costs one commit, and none leaves without one.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_connector import faults
from koppel_connector.auth.authentication import Authentication
from koppel_connector.auth.ways_in import Openers
from koppel_connector.connection.breaker import Answered, Outage
from koppel_connector.connection.master_data import StoredMasterData
from koppel_connector.connection.memory import StoredMemory
from koppel_connector.connection.store import ConnectionRow
from koppel_connector.contract.answers import ClassifiedAnswer
from koppel_connector.contract.calls import Call, Reply
from koppel_connector.contract.connector import Application, Connection, Vendor, VendorAnswer, retry_after_s
from koppel_connector.contract.errors import ConnectorError, OutcomeUnknown, RateLimited, RetryLater
from koppel_connector.contract.problems import Problem, internal
from koppel_connector.delivery.store import DeliveryRow
from koppel_connector.kit import Kit
from koppel_mesh.http.client import NotSent, Unanswered
from koppel_mesh.telemetry.metrics import counter

from . import attempts, windows
from .attempts import Budget, Ending, NewAttempt, NoBudget, Opened, Outcome, Phase, Progress
from .budget import ConnectionBudget
from .outgoing import Outgoing, request_excerpt, trace_id, url_of
from .pending_writes import PendingWrites
from .redaction import clean, excerpt_of

log = structlog.get_logger(__name__)
_calls = counter("koppel_vendor_calls", "Calls to the vendor", ["outcome"])


class LeaseLost(Exception):
    """The claim ran out; nothing may leave any more."""


class OpenVendor(Vendor):
    """An open connection of one worker."""

    def __init__(self, kit: Kit, row: ConnectionRow, master_data: StoredMasterData) -> None:
        self.kit = kit
        self.row = row
        self.settings = row.settings
        self.master_data = master_data
        self.memory = StoredMemory(kit.database, row.id)
        self.application: Application = kit.connector.application(kit.settings, row.settings)
        self.connection = Connection(row.id, row.dossier_id, row.firm_id, row.state.value, row.connected_via_user)
        self.acted_at: datetime | None = None
        """Deadline of the last call of this delivery that may have acted."""
        self.unsaved_effect = False
        self.observed: Outage | Answered | None = None
        """How the vendor was at the last call; None: nothing was heard of it."""
        self.is_probe = False
        """Whether the calls ask a vendor that is away whether it is back."""
        self.has_opened_breaker = False
        """Set by ``flush``: it was well until our last call."""
        self._outage: Problem | None = None
        self._phase: Phase = "read"
        self._in_hand: Sequence[DeliveryRow] = ()
        self._pending_writes = PendingWrites()
        self._budget = ConnectionBudget(kit.profile, row.id, row.limit_scope)

    def begin(self, phase: Phase, *rows: DeliveryRow) -> None:
        """Take deliveries in hand: calls are made for them from now on, and only while their claim holds.

        A call for one is logged with it; reading back answers for many, and is logged with none.
        """
        self._phase = phase
        self._in_hand = rows
        self.acted_at = None
        self.unsaved_effect = False

    def save_progress(self, delivery_id: UUID, progress: str) -> None:
        """Have a delivery's JSON written with the next commit; what took effect so far is thereby safe to build on."""
        self._pending_writes.progress = Progress(delivery_id, progress)
        self.unsaved_effect = False

    async def flush(self, tx: AsyncConnection) -> Callable[[], None]:
        """Write what is known and not written yet, in the caller's transaction: how the last call ended, how the vendor was.

        Returns:
            What puts it back, for when that transaction fails.
        """
        taken = self._pending_writes.take()
        try:
            await taken.write(tx)
            await self._observe(tx)
        except BaseException:
            self._pending_writes.put_back(taken)
            raise
        return partial(self._pending_writes.put_back, taken)

    async def call(self, call: Call) -> VendorAnswer:
        """Make one call (see ``Vendor.call``)."""
        self.observed = None
        try:
            classified = await self._authenticate(self._outgoing(call))
        except RetryLater as failure:
            if self.observed is None:  # what lets calls in is the vendor's too
                self._saw_outage(failure.problem, failure.retry_after_s)
            raise
        if classified.failure is not None:
            raise classified.failure
        return classified.answer

    # ------------------------------------------------------------------------------------------------------------ one call

    async def _authenticate(self, outgoing: Outgoing) -> ClassifiedAnswer:
        connector = self.kit.connector
        openers = Openers(
            self.row,
            connector.auth(self.settings),
            self._log_in_as,
            partial(connector.open_dossier, self),
            lease_s=2 * self.kit.settings.deadline_for(self.kit.profile),
        )
        return await self.kit.ways_in.exchange(outgoing.call, openers, partial(self._exchange, outgoing))

    async def _log_in_as(self, row: ConnectionRow) -> Mapping[str, str]:
        """Log in with settings that were read just now; the delivery in hand goes on with those it began with."""
        began_with = self.row, self.settings, self.application
        self.row, self.settings = row, row.settings
        self.application = self.kit.connector.application(self.kit.settings, row.settings)
        try:
            return await self.kit.connector.log_in(self)
        finally:
            self.row, self.settings, self.application = began_with

    async def _exchange(self, outgoing: Outgoing, authentication: Authentication) -> ClassifiedAnswer:
        async with self.kit.slot(self.row.id, self.row.max_inflight):
            return await self._exchange_in_slot(outgoing, authentication)

    async def _exchange_in_slot(self, outgoing: Outgoing, authentication: Authentication) -> ClassifiedAnswer:
        opened = await self._open(outgoing)
        faults.point("after_attempt_commit")
        call, attempt = outgoing.call, outgoing.attempt
        secrets = (*self.row.secrets, *authentication.secrets)
        earlier = (self.acted_at, self.unsaved_effect)
        if call.acts:
            self.acted_at, self.unsaved_effect = opened.deadline_at, True
        started = time.monotonic()
        try:
            if not self._may_leave(attempt):
                raise LeaseLost
            reply = await self._carried(outgoing, authentication)
        except LeaseLost:
            self.acted_at, self.unsaved_effect = earlier
            self._note(opened, "not_sent", started, message="the claim ran out before the bytes left")
            raise
        except NotSent as error:
            self.acted_at, self.unsaved_effect = earlier
            said = clean(str(error), secrets)
            self._note(opened, "not_sent", started, message=said)
            raise RetryLater(problem=self._saw_outage(Problem("vendor_unavailable", said))) from error
        except Unanswered as error:
            said = clean(error.reason, secrets)
            self._note(opened, "unknown", started, status=error.status, message=said)
            problem = self._saw_outage(Problem("vendor_unavailable", said))
            if call.acts:
                raise OutcomeUnknown(said) from error
            raise RetryLater(problem=problem) from error
        faults.point("after_vendor_answer")
        classified, outcome = self._received(opened, outgoing, reply, started, secrets)
        if outcome in ("refused", "throttled", "later"):
            self.acted_at, self.unsaved_effect = earlier
        return classified

    async def _carried(self, outgoing: Outgoing, authentication: Authentication) -> Reply:
        call, deadline_s = outgoing.call, outgoing.attempt.deadline_s
        if call.carrier is not None:
            try:
                async with asyncio.timeout(deadline_s):
                    return await call.carrier()
            except TimeoutError as error:
                raise Unanswered(f"no complete answer within {deadline_s} s") from error
            except OSError as error:
                raise Unanswered(repr(error)) from error
        response = await self.kit.http.request(
            call.method,
            outgoing.url,
            deadline_s=deadline_s,
            fresh_connection=call.acts,
            params=call.params or None,
            headers={**outgoing.headers, **authentication.headers},
            content=outgoing.body,
        )
        return Reply(response.status, response.headers, response.content)

    async def _open(self, outgoing: Outgoing) -> Opened:
        if not self._may_leave(outgoing.attempt):
            raise LeaseLost
        call = outgoing.call
        needed = self._budget.needed_by(call.operation, call.is_counted, self._phase)
        opened = await self._open_once(outgoing.attempt, needed)
        if opened is None:
            async with self.kit.database.transaction() as tx:
                await windows.make(tx, self._budget.windows)
            opened = await self._open_once(outgoing.attempt, needed)
        if isinstance(opened, NoBudget):
            raise self._budget.refusal(opened)
        assert opened is not None
        return opened

    async def _open_once(self, attempt: NewAttempt, budget: Budget) -> Opened | NoBudget | None:
        before = self._pending_writes.take()
        try:
            async with self.kit.database.transaction() as tx:
                await before.write_rate_limit_updates(tx)
                return await attempts.open_attempt(tx, attempt, budget, before.ending, before.progress)
        except BaseException:
            self._pending_writes.put_back(before)
            raise

    def _received(
        self, opened: Opened, outgoing: Outgoing, reply: Reply, started: float, secrets: Collection[str]
    ) -> tuple[ClassifiedAnswer, Outcome]:
        answer = VendorAnswer(
            status=reply.status,
            headers={name.lower(): value for name, value in reply.headers.items()},
            content=reply.content,
            operation=outgoing.call.operation,
            acts=outgoing.call.acts,
        )
        empty = outgoing.call.nothing_found
        if empty is not None and empty.is_said_by(answer):
            answer = replace(answer, found_nothing=True)
        failure = None if answer.found_nothing else self._classified(answer)
        outcome = _outcome(failure)
        if failure is None or failure.is_answer or _is_of_ours(answer):
            self.observed = Answered()
        else:
            problem = failure.problem or Problem("vendor_unavailable", clean(str(failure), secrets))
            self._saw_outage(problem, retry_after_s(answer.headers))
        self._note(
            opened,
            outcome,
            started,
            status=answer.status,
            response=None if outgoing.call.is_confidential else excerpt_of(answer.content, secrets),
            message=clean(str(failure), secrets) if failure else None,
        )
        taken = self._budget.taken(opened, outgoing.attempt.endpoint, outgoing.windows)
        self._pending_writes.rate_limit_updates += self._budget.writes_after(answer, failure, taken)
        return ClassifiedAnswer(answer, failure), outcome

    def _classified(self, answer: VendorAnswer) -> ConnectorError | None:
        try:
            return self.kit.connector.classify(answer)
        except Exception as error:
            log.exception("the connector cannot classify an answer", operation=answer.operation, status=answer.status)
            problem = internal(error)
            if answer.acts:
                return OutcomeUnknown(f"cannot be classified: {problem.detail}", problem)
            return RetryLater(problem=problem)

    def _saw_outage(self, problem: Problem | None, retry_after_s: float | None = None) -> Problem | None:
        self.observed, self._outage = Outage(retry_after_s, self.is_probe), problem
        return problem

    async def _observe(self, tx: AsyncConnection) -> None:
        observed = self.observed
        if observed is None or (isinstance(observed, Answered) and self.row.breaker.away_since is None):
            return
        before, after = await self.kit.connections.observe(tx, self.row.id, observed, self._outage)
        self.has_opened_breaker = before.away_since is None and after.away_since is not None

    def _note(self, opened: Opened, outcome: Outcome, started: float, **known: Any) -> None:
        duration_ms = int((time.monotonic() - started) * 1000)
        self._pending_writes.ending = Ending(
            opened.id, outcome, duration_ms, known.get("status"), known.get("response"), known.get("message")
        )
        _calls.labels(service=self.kit.profile.name, outcome=outcome).inc()

    # -------------------------------------------------------------------------------------------------------------- values

    def _outgoing(self, call: Call) -> Outgoing:
        body, of = call.body(), self._in_hand[0] if self._phase in ("send", "lookup") else None
        attempt = NewAttempt(
            connection_id=self.row.id,
            delivery_id=of.id if of else None,
            document_id=of.document_id if of else None,
            phase=self._phase,
            operation=call.operation,
            endpoint=call.endpoint or call.operation,
            acts=call.acts,
            deadline_s=self.kit.settings.deadline_for(self.kit.profile),
            request=request_excerpt(call, self.row.secrets),
            trace_id=trace_id(),
        )
        headers = {**self.kit.connector.request_headers(self), **call.headers}
        if call.json is not None:
            headers.setdefault("Content-Type", "application/json")
        counting = self._budget.windows_of(call.operation, call.is_counted)
        return Outgoing(
            call, attempt, counting, url_of(self.application.base_of(call.server), call.path), headers, body
        )

    def _may_leave(self, attempt: NewAttempt) -> bool:
        """Fencing: whether the claims in hand are ours and outlast the call, asked just before its bytes leave."""
        return all(
            self.kit.owner.holds(row.owner_id) and row.lease_left_s() > attempt.deadline_s for row in self._in_hand
        )


async def open_vendor(kit: Kit, row: ConnectionRow) -> OpenVendor:
    """Open a connection: its settings, its master data; nothing has been sent yet."""
    return OpenVendor(kit, row, await kit.books.open(row.id, row.masters_version))


def _is_of_ours(answer: VendorAnswer) -> bool:
    """Return whether a status says that our request is not to the vendor's liking, which only a well vendor finds out."""
    return 400 <= answer.status < 500 and answer.status != 408


def _outcome(failure: ConnectorError | None) -> Outcome:
    match failure:
        case None:
            return "ok"
        case OutcomeUnknown():
            return "unknown"
        case RateLimited():
            return "throttled"
        case RetryLater():
            return "later"
    return "refused"
