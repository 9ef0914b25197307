"""Moving a delivery: the machine decides, one compare-and-set on (id, state, lease token) writes, the outbox tells.

Whoever comes too late changes nothing and gets ``ConcurrentUpdateError``.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_connector.contract.storable import storable
from koppel_connector.contract.target import OnAmbiguous, Target
from koppel_connector.reporter import Reporter
from koppel_mesh import outbox
from koppel_mesh.messages import DeliveryChanged, DeliveryState, DocumentKind, ProblemData
from koppel_mesh.prepared_sql import Record, Statement

from .events import Event, ResolvedAsAbandoned, ResolvedForResend
from .situation import Patience, Situation, Transition
from .state_machine import transition


class ConcurrentUpdateError(Exception):
    """Somebody else has moved this delivery meanwhile."""


@dataclass(frozen=True)
class DeliveryRow:
    """One delivery, as read at ``read_at`` by the database's clock."""

    id: UUID
    connection_id: UUID
    firm_id: UUID
    dossier_id: UUID
    document_id: UUID
    revision: int
    operation: str
    kind: DocumentKind
    has_target: bool
    on_ambiguous: OnAmbiguous | None
    """This and the next four are of its target; None in deliveries from before there were any."""
    reads_back: bool | None
    may_stay_exported: bool | None
    settle_s: float | None
    sequence_key: str | None
    state: DeliveryState
    lease_token: UUID | None
    owner_id: UUID | None
    remote_ref: str
    remote_uuid: UUID
    remote_id: str | None
    entry_number: str | None
    entry_url: str | None
    progress: dict[str, Any]
    problem: dict[str, Any] | None
    failures: int
    lookups: int
    not_found: int
    unknown_since: datetime | None
    exported_at: datetime | None
    booked_at: datetime | None
    traceparent: str | None
    created_at: datetime
    due_at: datetime | None
    lease_until: datetime | None
    resend_decided_at: datetime | None
    """When a person last said: it is not there, send it."""
    read_at: datetime
    has_prior_delivery: bool = False
    """Whether another delivery of the document may have changed something at the vendor. Read with a claim."""
    first_sent_at: datetime | None = None
    """When the first call left that may have changed something for this delivery. Read with a claim."""
    monotonic: float = field(default_factory=time.monotonic)

    @property
    def target(self) -> Target | None:
        """Return the target it was made for; None in a delivery from before there were any, and where there is none yet."""
        if self.on_ambiguous is None or self.reads_back is None or self.settle_s is None:
            return None
        return Target(
            self.operation,
            self.on_ambiguous,
            self.reads_back,
            may_stay_exported=bool(self.may_stay_exported),
            settle_s=self.settle_s,
            sequence_key=self.sequence_key,
        )

    @property
    def situation(self) -> Situation:
        """Return what the machine needs."""
        return Situation(self.state, self.unknown_since, self.failures, self.lookups, self.not_found, self.exported_at)

    def now(self) -> datetime:
        """Return the present moment by the database's clock."""
        return self.read_at + timedelta(seconds=time.monotonic() - self.monotonic)

    def lease_left_s(self) -> float:
        """Return how long the claim still holds, by a clock that cannot jump."""
        if self.lease_until is None:
            return 0.0
        return (self.lease_until - self.now()).total_seconds()


@dataclass(frozen=True)
class RemoteEntry:
    """What became known of the vendor's side with a move."""

    remote_id: str | None = None
    entry_number: str | None = None
    entry_url: str | None = None


COLUMNS = """d.id, d.connection_id, d.firm_id, d.dossier_id, d.document_id, d.revision, d.operation, d.kind,
    d.has_target, d.on_ambiguous, d.reads_back, d.may_stay_exported, d.settle_s, d.sequence_key, d.state,
    d.lease_token, d.owner_id,
    d.remote_ref, d.remote_uuid, d.remote_id, d.entry_number, d.entry_url, d.progress, d.problem, d.failures,
    d.lookups, d.not_found, d.unknown_since, d.exported_at, d.booked_at, d.traceparent, d.created_at, d.due_at,
    d.lease_until, d.resend_decided_at, clock_timestamp() AS read_at"""

_READ = Statement(f"SELECT {COLUMNS} FROM delivery d WHERE d.id = :id")
_LOCK = Statement(f"SELECT {COLUMNS} FROM delivery d WHERE d.id = :id FOR UPDATE")
_FIELDS = frozenset(DeliveryRow.__dataclass_fields__) - {"monotonic"}

_MOVE = Statement("""
    UPDATE delivery SET state = :state, version = version + 1, due_at = :due_at,
        lease_token = NULL, owner_id = NULL, lease_until = NULL, changed_at = clock_timestamp(),
        failures = :failures, lookups = :lookups, not_found = :not_found, unknown_since = :unknown_since,
        exported_at = :exported_at,
        booked_at = CASE WHEN :state = 'booked' THEN coalesce(booked_at, clock_timestamp()) ELSE booked_at END,
        problem = CASE WHEN CAST(:keeps AS boolean) THEN problem ELSE CAST(:problem AS jsonb) END,
        remote_id = coalesce(:remote_id, remote_id), entry_number = coalesce(:entry_number, entry_number),
        entry_url = coalesce(:entry_url, entry_url),
        resend_decided_at = CASE WHEN CAST(:resend_decided AS boolean) THEN clock_timestamp() ELSE resend_decided_at END,
        abandoned_at = CASE WHEN CAST(:abandoned AS boolean) THEN clock_timestamp() END
    WHERE id = :id AND state = :was AND lease_token IS NOT DISTINCT FROM CAST(:lease AS uuid)
    RETURNING version, remote_id, entry_number, entry_url, exported_at, booked_at, problem, progress
""")


def row_of(record: Record) -> DeliveryRow:
    """Return a record that holds ``COLUMNS`` as a value."""
    values = {name: value for name, value in record.items() if name in _FIELDS}
    values["kind"] = DocumentKind(values["kind"])
    values["state"] = DeliveryState(values["state"])
    return DeliveryRow(**values)


async def read_delivery(tx: AsyncConnection, delivery_id: UUID, *, lock: bool = False) -> DeliveryRow | None:
    """Return one delivery, locked against everybody else when asked."""
    record = await (_LOCK if lock else _READ).one_or_none(tx, {"id": delivery_id})
    return None if record is None else row_of(record)


def _from_json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _worth_telling(row: DeliveryRow, written: Any, to: Situation) -> bool:
    if written.problem != row.problem or written.entry_number != row.entry_number:
        return True
    if to.state is row.state:
        return False
    # Being worked on and waiting for the next try look alike to a person; only the first "ready" was told, by the handler.
    return not (row.state is DeliveryState.SENDING and to.state is DeliveryState.READY)


class DeliveryStore:
    """Moves deliveries and announces each move, in the caller's transaction."""

    def __init__(self, reporter: Reporter, patience: Callable[[DeliveryRow], Patience]) -> None:
        self._reporter = reporter
        self._patience = patience

    async def apply(
        self, tx: AsyncConnection, row: DeliveryRow, event: Event, entry: RemoteEntry | None = None
    ) -> Transition:
        """Move one delivery and announce it, in the caller's transaction.

        Raises:
            IllegalTransitionError: the event cannot happen in this state.
            ConcurrentUpdateError: somebody else has moved it meanwhile.
        """
        made = transition(row.situation, event, self._patience(row), row.now())
        known = entry or RemoteEntry()
        rendered = self._reporter.render(made.problem) if made.problem else None
        to = made.to
        written = await _MOVE.one_or_none(
            tx,
            {
                "id": row.id,
                "was": row.state.value,
                "lease": row.lease_token,
                "state": to.state.value,
                "due_at": made.due_at,
                "failures": to.failures,
                "lookups": to.lookups,
                "not_found": to.not_found,
                "unknown_since": to.unknown_since,
                "exported_at": to.exported_at,
                "keeps": made.keeps_problem,
                "problem": rendered.model_dump_json() if rendered else None,
                "remote_id": storable(known.remote_id),
                "entry_number": storable(known.entry_number),
                "entry_url": storable(known.entry_url),
                "resend_decided": isinstance(event, ResolvedForResend),
                "abandoned": isinstance(event, ResolvedAsAbandoned),
            },
        )
        if written is None:
            raise ConcurrentUpdateError(f"delivery {row.id} is no longer {row.state} under this claim")
        if _worth_telling(row, written, to):
            await outbox.publish(tx, self.changed(row, to.state, written))
        return made

    def changed(self, row: DeliveryRow, state: DeliveryState, written: Any) -> DeliveryChanged:
        """Return the fact that a delivery moved."""
        problem, progress = _from_json(written.problem), _from_json(written.progress)
        return DeliveryChanged(
            delivery_id=row.id,
            document_id=row.document_id,
            revision=row.revision,
            connector=self._reporter.connector,
            connection_id=row.connection_id,
            firm_id=row.firm_id,
            state=state,
            version=written.version,
            entry_number=written.entry_number,
            entry_url=written.entry_url,
            exported_at=written.exported_at,
            booked_at=written.booked_at,
            problem=ProblemData.model_validate(problem) if problem else None,
            warnings=self._reporter.warnings(progress.get("warnings")),
            ends_as=DeliveryState.EXPORTED if row.target and row.target.ends_as_exported else DeliveryState.BOOKED,
        ).traced(row.traceparent)
