"""The way out: token, budget, a committed line in the sync log, the bytes under one deadline, the outcome, the error.

What one call learned (how it ended, what the vendor's headers said) is committed together with the opening of the next, or
with the outcome of the delivery: a call costs one commit, and none leaves without one.
"""

import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, get_args
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_connector import faults
from koppel_connector.auth.authentication import Authentication
from koppel_connector.auth.ways_in import Openers
from koppel_connector.connection.breaker import Answered, Outage
from koppel_connector.connection.master_data import StoredMasterData
from koppel_connector.connection.memory import StoredMemory
from koppel_connector.connection.missing_settings import problem_of_missing
from koppel_connector.connection.store import ConnectionRow
from koppel_connector.contract import Application, Connection, Vendor, VendorAnswer, retry_after_s
from koppel_connector.contract.answers import ClassifiedAnswer
from koppel_connector.contract.calls import Call
from koppel_connector.contract.errors import ActionRequired, OutcomeUnknown, RetryLater
from koppel_connector.contract.mail import MailCall, MailReply, MailServer
from koppel_connector.contract.problems import Problem
from koppel_connector.delivery.leases import is_to_renew, renew
from koppel_connector.delivery.store import DeliveryRow
from koppel_connector.kit import Kit
from koppel_mesh.http.client import NotSent, Unanswered
from koppel_mesh.telemetry.alerts import Alert
from koppel_mesh.telemetry.metrics import counter

from . import attempts, windows
from .attempts import Budget, Ending, NewAttempt, NoBudget, Opened, Outcome, Phase, Progress
from .budget import ConnectionBudget
from .outgoing import HttpRequest, Outgoing, request_excerpt, trace_id, url_of
from .pending_writes import PendingWrites
from .received import AnswerT, Received, received_by_http, received_by_mail
from .redaction import clean
from .smtp import hand_in

_calls = counter(
    "koppel_vendor_calls",
    "Calls to the vendor",
    ["outcome"],
    alerts=[
        Alert(
            name="KoppelVendorFails",
            summary="Of the calls to the vendor, more than one in ten does not end as it should",
            above=0.1,
            where={"outcome": "unknown|not_sent|later"},
            within="15m",
            as_share=True,
            severity="ticket",
        )
    ],
)


def count_from_zero(service: str) -> None:
    """Show the counts before there is anything to count: Prometheus sees no increase up to a series' first value."""
    for outcome in get_args(Outcome):
        _calls.labels(service=service, outcome=outcome)


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
        self.waiting: Sequence[DeliveryRow] = ()
        """Deliveries that were claimed with those in hand: they are held as long."""
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

    def make_way(self) -> None:
        """Leave a part of each short window to others from now on: what is made here is an import."""
        self._budget.makes_way = True

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
            classified = await self._authenticate(self._http_request(call), self._outgoing_call(call))
        except RetryLater as failure:
            if self.observed is None:  # what lets calls in is the vendor's too
                self._saw_outage(failure.problem, failure.retry_after_s)
            raise
        if classified.failure is not None:
            raise classified.failure
        return classified.answer

    async def send_mail(self, call: MailCall) -> MailReply:
        """Hand in one message (see ``Vendor.send_mail``)."""
        self.observed = None
        server = self.application.mail
        if server is None:
            raise ValueError(f"{self.kit.profile.name} has no mail server")
        secrets = (*self.row.secrets, *filter(None, [server.password.get_secret_value()]))
        outgoing = self._outgoing_mail(call, secrets)
        transmit = partial(self._by_mail, server, call, call.content(), outgoing, secrets)
        received = await self._exchange(outgoing, secrets, transmit)
        if received.failure is not None:
            raise received.failure
        return received.answer

    # ------------------------------------------------------------------------------------------------------------ one call

    async def _authenticate(self, request: HttpRequest, outgoing: Outgoing) -> ClassifiedAnswer:
        connector = self.kit.connector
        openers = Openers(
            self.row,
            connector.auth(self.settings),
            self._log_in_as,
            self._open_dossier_at,
            lease_s=2 * self.kit.settings.deadline_for(self.kit.profile),
        )
        return await self.kit.ways_in.exchange(request.call, openers, partial(self._exchange_http, request, outgoing))

    async def _open_dossier_at(self, api: str) -> Mapping[str, str]:
        connector = self.kit.connector
        return await (connector.open_dossier_at(self, api) if api else connector.open_dossier(self))

    async def _log_in_as(self, api: str, row: ConnectionRow) -> Mapping[str, str]:
        """Log in with settings that were read just now; the delivery in hand goes on with those it began with."""
        missing = problem_of_missing(self.kit, row.settings, "login")
        if missing is not None:
            raise ActionRequired(missing)
        began_with = self.row, self.settings, self.application
        self.row, self.settings = row, row.settings
        self.application = self.kit.connector.application(self.kit.settings, row.settings)
        try:
            connector = self.kit.connector
            return await (connector.log_in_at(self, api) if api else connector.log_in(self))
        finally:
            self.row, self.settings, self.application = began_with

    async def _exchange_http(
        self, request: HttpRequest, outgoing: Outgoing, authentication: Authentication
    ) -> ClassifiedAnswer:
        secrets = (*self.row.secrets, *authentication.secrets)
        transmit = partial(self._by_http, request, outgoing, authentication, secrets)
        received = await self._exchange(outgoing, secrets, transmit)
        return ClassifiedAnswer(received.answer, received.failure)

    async def _exchange(
        self, outgoing: Outgoing, secrets: Collection[str], transmit: Callable[[], Awaitable[Received[AnswerT]]]
    ) -> Received[AnswerT]:
        async with self.kit.slot(self.row.id, self.row.max_inflight):
            return await self._exchange_in_slot(outgoing, secrets, transmit)

    async def _exchange_in_slot(
        self, outgoing: Outgoing, secrets: Collection[str], transmit: Callable[[], Awaitable[Received[AnswerT]]]
    ) -> Received[AnswerT]:
        opened = await self._open(outgoing)
        faults.point("after_attempt_commit")
        attempt = outgoing.attempt
        earlier = (self.acted_at, self.unsaved_effect)
        if attempt.acts:
            self.acted_at, self.unsaved_effect = opened.deadline_at, True
        started = time.monotonic()
        try:
            self._insist_on_claims(attempt)
            received = await transmit()
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
            if attempt.acts:
                raise OutcomeUnknown(said) from error
            raise RetryLater(problem=problem) from error
        faults.point("after_vendor_answer")
        self._take_in(opened, outgoing, received, started, secrets)
        if received.outcome in ("refused", "throttled", "later"):
            self.acted_at, self.unsaved_effect = earlier
        return received

    async def _by_http(
        self, request: HttpRequest, outgoing: Outgoing, authentication: Authentication, secrets: Collection[str]
    ) -> Received[VendorAnswer]:
        call = request.call
        response = await self.kit.http.request(
            call.method,
            request.url,
            deadline_s=outgoing.attempt.deadline_s,
            fresh_connection=call.acts,
            before_bytes=partial(self._insist_on_claims, outgoing.attempt),
            params=call.params or None,
            headers={**request.headers, **authentication.headers},
            content=request.body,
        )
        return received_by_http(self.kit.connector, call, response, secrets)

    async def _by_mail(
        self, server: MailServer, call: MailCall, content: bytes, outgoing: Outgoing, secrets: Collection[str]
    ) -> Received[MailReply]:
        claimed = partial(self._insist_on_claims, outgoing.attempt)
        reply = await hand_in(server, call, content, outgoing.attempt.deadline_s, claimed)
        return received_by_mail(self.kit.connector, reply, secrets)

    async def _open(self, outgoing: Outgoing) -> Opened:
        await self._renew_claims()
        self._insist_on_claims(outgoing.attempt)
        needed = self._budget.needed_by(outgoing.attempt.operation, outgoing.is_counted, self._phase)
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

    def _take_in(
        self, opened: Opened, outgoing: Outgoing, received: Received[AnswerT], started: float, secrets: Collection[str]
    ) -> None:
        failure = received.failure
        if received.is_well:
            self.observed = Answered()
        else:
            assert failure is not None
            problem = failure.problem or Problem("vendor_unavailable", clean(str(failure), secrets))
            self._saw_outage(problem, retry_after_s(received.headers))
        self._note(
            opened,
            received.outcome,
            started,
            status=received.status,
            response=received.excerpt,
            message=clean(str(failure), secrets) if failure else None,
        )
        taken = self._budget.taken(opened, outgoing.attempt.endpoint, outgoing.windows)
        self._pending_writes.rate_limit_updates += self._budget.writes_after(received.headers, failure, taken)

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

    def _http_request(self, call: Call) -> HttpRequest:
        headers = {**self.kit.connector.request_headers(self), **call.headers}
        if call.json is not None:
            headers.setdefault("Content-Type", "application/json")
        return HttpRequest(call, url_of(self.application.base_of(call.server), call.path), headers, call.body())

    def _outgoing_call(self, call: Call) -> Outgoing:
        return self._outgoing(call, call.acts, request_excerpt(call, self.row.secrets))

    def _outgoing_mail(self, call: MailCall, secrets: Collection[str]) -> Outgoing:
        return self._outgoing(call, True, clean(call.summary, secrets))

    def _outgoing(self, call: Call | MailCall, acts: bool, excerpt: str) -> Outgoing:
        of = self._in_hand[0] if self._phase in ("send", "lookup") else None
        attempt = NewAttempt(
            connection_id=self.row.id,
            delivery_id=of.id if of else None,
            document_id=of.document_id if of else None,
            phase=self._phase,
            operation=call.operation,
            endpoint=call.endpoint or call.operation,
            acts=acts,
            deadline_s=self.kit.settings.deadline_for(self.kit.profile),
            request=excerpt,
            trace_id=trace_id(),
        )
        return Outgoing(attempt, self._budget.windows_of(call.operation, call.is_counted), call.is_counted)

    async def _renew_claims(self) -> None:
        """Let a document that needs many calls, or slow ones, keep its claim as long as they are answered.

        Raises:
            LeaseLost: somebody else has taken a claim in hand.
        """
        in_hand = self._in_hand
        if not any(is_to_renew(self.kit, row) for row in in_hand):
            return
        held = {row.id: row for row in await renew(self.kit, (*in_hand, *self.waiting))}
        if any(row.id not in held for row in in_hand):
            raise LeaseLost
        self._in_hand = [held[row.id] for row in in_hand]

    def _insist_on_claims(self, attempt: NewAttempt) -> None:
        """Fencing: asked before a call is noted, before a connection is made for it, and once more just before its bytes leave.

        A process may be frozen anywhere, and making a connection takes long enough to be frozen in.

        Raises:
            LeaseLost: a claim in hand is not ours any more, or does not outlast the call.
        """
        for row in self._in_hand:
            if not self.kit.owner.holds(row.owner_id) or row.lease_left_s() <= attempt.deadline_s:
                raise LeaseLost


async def open_vendor(kit: Kit, row: ConnectionRow) -> OpenVendor:
    """Open a connection: its settings, its master data; nothing has been sent yet.

    Raises:
        ConnectorError: ActionRequired where the secrets cannot be read: without them the vendor would see a wrong login.
    """
    if row.unreadable is not None:
        raise ActionRequired(row.unreadable)
    return OpenVendor(kit, row, await kit.books.open(row.id, row.masters_version))
