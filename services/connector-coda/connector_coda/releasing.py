"""The loop that lets statements go: ``document.ready`` with a sequence key, one of a sequence at a time (decision 13).

One transaction for a dossier, under the lock of its row. What was let go and the message are one commit, so a process that
dies leaves both or neither; the next statement goes when every living connection has answered for this one, and who does not
answer is asked again.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh import outbox
from koppel_mesh.messages import DocumentReady
from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.service import Context

from .arranging import UNASKED_TOLD_AFTER_S

REPEAT_MAX = timedelta(days=1)

_DUE = Statement("""
    SELECT id, clock_timestamp() AS now FROM dossier WHERE releasing_at <= clock_timestamp()
    ORDER BY releasing_at LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
""")
_NEXT_LOOK = Statement("UPDATE dossier SET releasing_at = :at WHERE id = :id")
_ANY_LIVING = Statement("SELECT id FROM connection WHERE dossier_id = :id AND state <> 'disconnected' LIMIT 1")
_UNANSWERED_BY = """EXISTS (SELECT FROM connection c WHERE c.dossier_id = d.dossier_id AND c.state <> 'disconnected'
        AND NOT EXISTS (SELECT FROM delivery v WHERE v.document_id = d.id AND v.connection_id = c.id
            AND v.revision >= CAST(d.ready ->> 'revision' AS integer)))"""
_ANSWERED = Statement(f"""
    UPDATE document d SET answered = true, repeat_at = NULL WHERE d.dossier_id = :id AND NOT d.answered AND NOT {_UNANSWERED_BY}
""")
_WAITED_FOR = Statement("""
    SELECT id, ready, traceparent, sequence_key, repeat_at, repeats FROM document
    WHERE dossier_id = :id AND NOT answered ORDER BY id
""")
_REPEATED = Statement("UPDATE document SET repeats = repeats + 1, repeat_at = :at WHERE id = :id")
_EARLIER = """EXISTS (SELECT FROM statement m JOIN statement e ON e.account_id = m.account_id AND e.released_at IS NULL
        AND e.turn < m.turn AND e.document_id <> m.document_id
        WHERE m.document_id = d.id AND m.turn IS NOT NULL AND m.released_at IS NULL)"""
_COLUMNS = "d.id, d.ready, d.traceparent, d.asked_at, d.released_at, d.let_go_problem"
_MAY_GO = (
    "d.read_at IS NOT NULL AND d.problem IS NULL AND d.state NOT IN ('held', 'dropped', 'received', 'awaiting_entry')"
)
_HEADS = Statement(f"""
    SELECT {_COLUMNS}, a.id AS account_id, a.sequence_key, a.joined_from, a.arrived_at, {_EARLIER} AS has_earlier,
        coalesce(d.asked_at IS NOT NULL AND {_MAY_GO}, false) AS may_go,
        EXISTS (SELECT FROM statement g
            WHERE g.account_id = a.id AND g.released_at IS NOT NULL AND g.standing = 'linked') AS goes_on
    FROM account a CROSS JOIN LATERAL (
        SELECT s.document_id FROM statement s WHERE s.account_id = a.id AND s.released_at IS NULL AND s.turn IS NOT NULL
        ORDER BY s.turn LIMIT 1) head JOIN document d ON d.id = head.document_id
    WHERE a.dossier_id = :id AND a.owned_by IS NOT NULL ORDER BY d.id
""")
_BEHIND = Statement("""
    SELECT d.asked_at, d.problem FROM statement s JOIN document d ON d.id = s.document_id
    WHERE s.account_id = :account AND s.released_at IS NULL AND s.turn IS NOT NULL AND d.asked_at IS NOT NULL
    ORDER BY s.turn LIMIT 1
""")
_ARRANGE = Statement("UPDATE dossier SET arranging = true WHERE id = :id")
_OUT_OF_TURN = Statement(f"""
    SELECT {_COLUMNS}, a.sequence_key, a.joined_from, {_UNANSWERED_BY} AS is_unanswered, {_EARLIER} AS has_earlier
    FROM document d JOIN LATERAL (
        SELECT account_id, closes_on FROM statement WHERE document_id = d.id ORDER BY place LIMIT 1) s ON true
        JOIN account a ON a.id = s.account_id
    WHERE d.dossier_id = :id AND d.asked_at IS NOT NULL AND (d.released_at IS NOT NULL OR d.let_go_at IS NOT NULL) AND {_MAY_GO}
    ORDER BY s.closes_on, d.id
""")
_STILL_UNDER = Statement("""
    SELECT d.id FROM document d
    WHERE d.dossier_id = :id AND d.sequence_key = ANY(CAST(:keys AS text[])) AND d.released_at IS NOT NULL
        AND (NOT d.answered OR EXISTS (SELECT FROM delivery v JOIN connection c ON c.id = v.connection_id
            WHERE v.document_id = d.id AND v.is_open AND c.state <> 'disconnected')) LIMIT 1
""")
_JOINED = Statement("UPDATE account SET joined_from = '{}' WHERE dossier_id = :id AND sequence_key = :key")
_RELEASED = Statement("""
    UPDATE document SET released_at = clock_timestamp(), asked_at = NULL, sequence_key = :key, answered = false, repeats = 0,
        repeat_at = :repeat_at WHERE id = :id
""")
_GONE = Statement(
    "UPDATE statement SET released_at = clock_timestamp() WHERE document_id = :id AND released_at IS NULL"
)
_UNASKED = Statement("UPDATE document SET asked_at = NULL WHERE id = :id")


async def release_statements(context: Context) -> bool:
    """Let go what may go of one dossier; True while there may be more."""
    async with context.database.transaction() as tx:
        due = await _DUE.one_or_none(tx)
        if due is None:
            return False
        turn = _Turn(context, tx, due.id, due.now)
        if await _ANY_LIVING.one_or_none(tx, {"id": due.id}) is not None:
            await turn.settle_answers()
            await turn.release()
        await _NEXT_LOOK.run(tx, {"id": due.id, "at": min(turn.moments, default=None)})
    return True


class _Turn:
    """One look at the statements of one dossier."""

    def __init__(self, context: Context, tx: AsyncConnection, dossier_id: UUID, now: datetime) -> None:
        self._tx = tx
        self._dossier_id = dossier_id
        self._now = now
        self._patience: timedelta = context.settings.patience
        self._repeat_after = timedelta(seconds=context.settings.statement_repeat_after_s)
        self._busy: set[str] = set()
        self.moments: list[datetime] = []
        """When to look again, if nothing happens before."""

    async def settle_answers(self) -> None:
        """End the turn of what every connection has answered for; tell again of what one has not for long."""
        await _ANSWERED.run(self._tx, {"id": self._dossier_id})
        for row in await _WAITED_FOR.all(self._tx, {"id": self._dossier_id}):
            self._busy.add(row.sequence_key)
            at = row.repeat_at
            if at <= self._now:
                at = self._now + min(REPEAT_MAX, self._repeat_after * 2 ** min(row.repeats + 1, 20))
                await outbox.publish(self._tx, _ready(row, row.sequence_key))
                await _REPEATED.run(self._tx, {"id": row.id, "at": at})
            self.moments.append(at)

    async def release(self) -> None:
        """Let the next one of each sequence go."""
        heads = await _HEADS.all(self._tx, {"id": self._dossier_id})
        for row in await _OUT_OF_TURN.all(self._tx, {"id": self._dossier_id}):
            await self._out_of_turn(row)
        of_sequence: dict[str, list[Record]] = defaultdict(list)
        for row in heads:
            of_sequence[row.sequence_key].append(row)
            if row.asked_at is None:
                await self._look_behind(row)
        for key, rows in of_sequence.items():
            if key not in self._busy:
                await self._next(rows)

    async def _next(self, heads: Sequence[Record]) -> None:
        patient: dict[UUID, bool] = defaultdict(bool)
        for row in heads:
            patient[row.id] |= row.may_go and not row.goes_on and self._waits_until(row.arrived_at + self._patience)
        for row in heads:
            if row.may_go and not row.has_earlier and not patient[row.id] and await self._go(row):
                return

    async def _look_behind(self, head: Record) -> None:
        """Have people told of a statement that waits for one that nobody asked to go, when it has waited for long."""
        behind = await _BEHIND.one_or_none(self._tx, {"account": head.account_id})
        if behind is None or behind.problem is not None:
            return
        if not self._waits_until(behind.asked_at + timedelta(seconds=UNASKED_TOLD_AFTER_S)):
            await _ARRANGE.run(self._tx, {"id": self._dossier_id})

    async def _out_of_turn(self, row: Record) -> None:
        """Let go again what went before, or what a person let go although it stands beside its chain."""
        if row.sequence_key in self._busy:
            return
        if row.released_at is None:
            if not row.has_earlier or row.let_go_problem == "statements_crossed":
                await self._go(row)
        elif not row.is_unanswered and not _document(row)["again"]:
            await _UNASKED.run(self._tx, {"id": row.id})
        elif not self._waits_until(row.asked_at + self._patience):
            await self._go(row)

    def _waits_until(self, at: datetime) -> bool:
        if at > self._now:
            self.moments.append(at)
        return at > self._now

    async def _go(self, row: Record) -> bool:
        key: str = row.sequence_key
        if row.joined_from:
            # Looked at again when a delivery of what is waited for changes.
            if await _STILL_UNDER.one_or_none(self._tx, {"id": self._dossier_id, "keys": row.joined_from}) is not None:
                return False
            await _JOINED.run(self._tx, {"id": self._dossier_id, "key": key})
        repeat_at = self._now + self._repeat_after
        await _RELEASED.run(self._tx, {"id": row.id, "key": key, "repeat_at": repeat_at})
        await _GONE.run(self._tx, {"id": row.id})
        await outbox.publish(self._tx, _ready(row, key))
        self._busy.add(key)
        self.moments.append(repeat_at)
        return True


def _ready(row: Record, sequence_key: str) -> DocumentReady:
    """Return what export-scheduler said of the document, now with its sequence."""
    return DocumentReady.model_validate({**_document(row), "sequence_key": sequence_key}).traced(row.traceparent)


def _document(row: Record) -> Mapping[str, Any]:
    known: Mapping[str, Any] = row.ready
    return known
