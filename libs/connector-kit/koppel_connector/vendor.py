"""The way out: token, budget, a committed line in the sync log, the bytes under one deadline, the outcome, the verdict.

What one call learned (how it ended, what the vendor's headers said) is committed together with the opening of the next, or
with the outcome of the delivery: a call costs one commit, and none leaves without one.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from opentelemetry import trace
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.clock import BRUSSELS, utc_now
from koppel_mesh.http.client import NotSent, Response, Unanswered
from koppel_mesh.telemetry.metrics import counter

from . import attempts, faults, limits
from .attempts import Budget, Ending, NewAttempt, NoBudget, Opened, Outcome, Progress
from .connections import ConnectionRow
from .connector import Application, Connection, Phase, Vendor, VendorAnswer, Window, Work
from .grants import Grant
from .kit import Kit
from .masters import StoredMasters
from .problems import Problem
from .redaction import clean, excerpt_of
from .unwritten import Unwritten
from .verdicts import Blocked, Later, OutcomeUnknown, Reauthorise, Rejected, Throttled, Verdict
from .wire import to_json

LONG_WAIT_S = 300.0
log = structlog.get_logger(__name__)
_calls = counter("koppel_vendor_calls", "Calls to the vendor", ["outcome"])


class LeaseLost(Exception):
    """The claim ran out; nothing may leave any more."""


@dataclass(frozen=True)
class _Call:
    """One request, ready to leave."""

    attempt: NewAttempt
    method: str
    url: str
    arguments: Mapping[str, Any]
    counted: bool


class OpenVendor(Vendor):
    """An open connection of one worker."""

    def __init__(self, kit: Kit, row: ConnectionRow, masters: StoredMasters) -> None:
        self.kit = kit
        self.row = row
        self.settings = row.settings
        self.masters = masters
        self.application: Application = kit.connector.application(kit.settings, row.settings)
        self.connection = Connection(row.id, row.dossier_id, row.firm_id, row.state.value, row.connected_via_user)
        self.phase: Phase = "read"
        self.may_leave: Callable[[float], bool] = lambda _: True
        """Fencing: asked with the seconds a call may take, just before its bytes leave."""
        self.acted_at: datetime | None = None
        """Deadline of the last call of this delivery that may have acted."""
        self.unsaved_effect = False
        self.calls = 0
        self._unwritten = Unwritten()

    def begin(self, phase: Phase, may_leave: Callable[[float], bool]) -> None:
        """Start on another delivery, or on another part of it."""
        self.phase = phase
        self.may_leave = may_leave
        self.acted_at = None
        self.unsaved_effect = False

    def save_progress(self, delivery_id: UUID, progress: str) -> None:
        """Have a delivery's JSON written with the next commit; what took effect so far is thereby safe to build on."""
        self._unwritten.progress = Progress(delivery_id, progress)
        self.unsaved_effect = False

    async def flush(self, tx: AsyncConnection) -> Callable[[], None]:
        """Write what is known and not written yet, in the caller's transaction.

        Returns:
            What puts it back, for when that transaction fails.
        """
        taken = self._unwritten.take()
        try:
            await taken.write(tx)
        except BaseException:
            self._unwritten.put_back(taken)
            raise
        return partial(self._unwritten.put_back, taken)

    async def call(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        acts: bool,
        phase: Phase | None = None,
        work: Work | None = None,
        endpoint: str | None = None,
        counted: bool = True,
        deadline_s: float | None = None,
    ) -> VendorAnswer:
        """Make one call (see ``Vendor.call``)."""
        body = to_json(json).encode() if json is not None else content
        arguments: dict[str, Any] = {"params": dict(params) if params else None, "content": body}
        if data is not None:
            arguments["data"] = dict(data)
        sent_headers = {**self.kit.connector.request_headers(self), **(headers or {})}
        if json is not None:
            sent_headers.setdefault("Content-Type", "application/json")
        attempt = NewAttempt(
            connection_id=self.row.id,
            delivery_id=work.delivery.id if work else None,
            document_id=work.delivery.document_id if work else None,
            phase=phase or self.phase,
            operation=operation,
            endpoint=endpoint or operation,
            acts=acts,
            deadline_s=deadline_s or self.kit.settings.deadline_for(self.kit.profile),
            request=self._request_excerpt(method, path, params, json if json is not None else (data or content)),
            trace_id=_trace_id(),
        )
        call = _Call(attempt, method, self._url(path), {**arguments, "headers": sent_headers}, counted)
        async with self.kit.place(self.row.id, self.row.max_inflight):
            answer = await self._authorised(call)
        return self._judge(answer, self.kit.profile.windows if counted else ())

    # ------------------------------------------------------------------------------------------------------------ one call

    async def _authorised(self, call: _Call) -> VendorAnswer:
        if self.kit.vault is None:
            return await self._exchange(call, None)
        grant = await self.kit.vault.grant_for(self.row.id)
        answer = await self._exchange(call, grant)
        if answer.status == 401:
            # A definite no: the call had no effect. One more try with what the vault has (messaging sheet §3.8).
            refused = grant
            grant = await self.kit.vault.after_refusal(refused)
            answer = await self._exchange(call, grant)
            if answer.status == 401 and grant.version == refused.version:
                # Not spurious: another pair, or none until the vendor takes a refresh.
                grant = await self.kit.vault.after_refusal(grant)
                answer = await self._exchange(call, grant)
            if answer.status == 401:
                raise Reauthorise(Problem("reauthorise", "the vendor refuses a token it has just given"))
        self.kit.vault.prove(grant)
        return answer

    async def _exchange(self, call: _Call, grant: Grant | None) -> VendorAnswer:
        opened = await self._open(call)
        faults.point("after_attempt_commit")
        headers = dict(call.arguments["headers"])
        if grant is not None:
            headers["Authorization"] = f"Bearer {grant.access_token}"
        earlier = (self.acted_at, self.unsaved_effect)
        if call.attempt.acts:
            self.acted_at, self.unsaved_effect = opened.deadline_at, True
        started = time.monotonic()
        try:
            if not self.may_leave(call.attempt.deadline_s):
                raise NotSent("the claim ran out before the bytes left")
            response = await self.kit.http.request(
                call.method,
                call.url,
                deadline_s=call.attempt.deadline_s,
                fresh_connection=call.attempt.acts,
                **{**call.arguments, "headers": headers},
            )
        except NotSent as error:
            self.acted_at, self.unsaved_effect = earlier
            self._note(opened, "not_sent", started, message=str(error))
            raise Later(problem=Problem("vendor_unavailable", str(error))) from error
        except Unanswered as error:
            self._note(opened, "unknown", started, status=error.status, message=error.reason)
            if call.attempt.acts:
                raise OutcomeUnknown(error.reason) from error
            raise Later(problem=Problem("vendor_unavailable", error.reason)) from error
        faults.point("after_vendor_answer")
        answer, outcome = self._received(opened, call, response, started, grant)
        if outcome in ("refused", "throttled", "later"):
            self.acted_at, self.unsaved_effect = earlier
        return answer

    async def _open(self, call: _Call) -> Opened:
        if not self.may_leave(call.attempt.deadline_s):
            raise LeaseLost
        windows = self.kit.profile.windows if call.counted else ()
        budget = Budget(self.row.limit_scope, len(windows))
        opened = await self._open_once(call.attempt, budget)
        if opened is None:
            async with self.kit.database.transaction() as tx:
                await limits.make_windows(tx, budget.scope, windows)
            opened = await self._open_once(call.attempt, budget)
        if isinstance(opened, NoBudget):
            raise self._no_budget(opened)
        assert opened is not None
        self.calls += 1
        return opened

    async def _open_once(self, attempt: NewAttempt, budget: Budget) -> Opened | NoBudget | None:
        before = self._unwritten.take()
        try:
            async with self.kit.database.transaction() as tx:
                await before.write_lessons(tx)
                return await attempts.open_attempt(tx, attempt, budget, before.ending, before.progress)
        except BaseException:
            self._unwritten.put_back(before)
            raise

    def _no_budget(self, refused: NoBudget) -> Throttled:
        wait_s = (refused.until - utc_now()).total_seconds()
        if refused.endpoint:
            problem = Problem("too_many_errors", until=_clock(refused.until))
            return Throttled(refused.until, problem, of_endpoint=True)
        return Throttled(refused.until, self._long_wait(refused.until) if wait_s > LONG_WAIT_S else None)

    def _received(
        self, opened: Opened, call: _Call, response: Response, started: float, grant: Grant | None
    ) -> tuple[VendorAnswer, Outcome]:
        answer = VendorAnswer(
            status=response.status,
            headers={name.lower(): value for name, value in response.headers.items()},
            content=response.content,
            operation=call.attempt.operation,
            acts=call.attempt.acts,
            phase=call.attempt.phase,
        )
        verdict = self._classified(answer)
        outcome = _outcome(verdict)
        secrets = (*self.row.secrets, *((grant.access_token, grant.refresh_token) if grant else ()))
        self._note(
            opened,
            outcome,
            started,
            status=answer.status,
            response=excerpt_of(answer.content, secrets),
            message=clean(str(verdict), secrets) if verdict else None,
        )
        windows = self.kit.profile.windows if call.counted else ()
        told = limits.Told(
            answer.status, answer.headers, call.attempt.endpoint, opened.counts, opened.is_probe, utc_now()
        )
        budget = self.kit.profile.error_budget
        self._unwritten.lessons += limits.lessons(self.row.limit_scope, windows, budget, told)
        return answer, outcome

    def _judge(self, answer: VendorAnswer, windows: Sequence[Window]) -> VendorAnswer:
        verdict = self._classified(answer)
        if verdict is None:
            return answer
        if isinstance(verdict, Throttled) and verdict.until is None:
            wait_s = limits.throttle_wait_s(answer, windows, utc_now())
            verdict.until = limits.ends_in(utc_now(), wait_s)
            if wait_s > LONG_WAIT_S and verdict.problem is None:
                verdict.problem = self._long_wait(verdict.until)
            used_up = partial(limits.exhaust, scope=self.row.limit_scope, windows=windows, wait_s=wait_s)
            self._unwritten.lessons.append(used_up)
        raise verdict

    def _classified(self, answer: VendorAnswer) -> Verdict | None:
        try:
            return self.kit.connector.classify(answer)
        except Exception as error:
            log.exception("the connector cannot classify an answer", operation=answer.operation, status=answer.status)
            if answer.acts:
                return OutcomeUnknown(f"cannot be classified: {error!r}", Problem("internal", repr(error)[:200]))
            return Later(problem=Problem("internal", repr(error)[:200]))

    def _note(self, opened: Opened, outcome: Outcome, started: float, **known: Any) -> None:
        duration_ms = int((time.monotonic() - started) * 1000)
        self._unwritten.ending = Ending(
            opened.id, outcome, duration_ms, known.get("status"), known.get("response"), known.get("message")
        )
        _calls.labels(service=self.kit.profile.name, outcome=outcome).inc()

    # -------------------------------------------------------------------------------------------------------------- values

    def _url(self, path: str) -> str:
        base = self.application.base_url.rstrip("/")
        if path.startswith(("http://", "https://")):
            if not path.startswith(f"{base}/"):
                raise Rejected(Problem("internal", "the vendor pointed to another host; not followed"))
            return path
        return f"{base}/{path.lstrip('/')}"

    def _request_excerpt(self, method: str, path: str, params: Mapping[str, str] | None, body: Any) -> str:
        query = "&".join(f"{name}={value}" for name, value in (params or {}).items())
        line = f"{method} {path}{'?' + query if query else ''}"
        excerpt = excerpt_of(body, self.row.secrets)
        return clean(line, self.row.secrets) + (f"\n{excerpt}" if excerpt else "")

    def _long_wait(self, until: datetime) -> Problem:
        return Problem("rate_limited_long", until=_clock(until))


async def open_vendor(kit: Kit, row: ConnectionRow) -> OpenVendor:
    """Open a connection: its settings, its master data; nothing has been sent yet."""
    return OpenVendor(kit, row, await kit.books.open(row.id, row.masters_version))


def _outcome(verdict: Verdict | None) -> Outcome:
    match verdict:
        case None:
            return "ok"
        case OutcomeUnknown():
            return "unknown"
        case Throttled():
            return "throttled"
        case Later():
            return "later"
        case Rejected() | Blocked() | Reauthorise():
            return "refused"
    return "refused"


def _clock(moment: datetime) -> str:
    return moment.astimezone(BRUSSELS).strftime("%H:%M")


def _trace_id() -> str | None:
    context = trace.get_current_span().get_span_context()
    return format(context.trace_id, "032x") if context.is_valid else None
