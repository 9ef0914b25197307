"""Looking before sending: earlier deliveries of a document that may stand in the same books already (P1).

Two connections may lead to one company, by mistake mostly, and a revision may follow one that was sent. A unique key cannot
see that, the vendor's books can. What is found there is a person's to judge, once: whoever decides to send it all the same is
not asked again about what was there when they decided.
"""

from dataclasses import replace
from typing import Any

from koppel_connector.calls.vendor import OpenVendor
from koppel_connector.contract.delivery import Delivery, DeliveryContext, Trace
from koppel_connector.contract.errors import Rejected, RetryLater
from koppel_connector.contract.problems import Problem
from koppel_connector.contract.results import CannotTell, Found
from koppel_connector.kit import Kit
from koppel_mesh.messages import DocumentKind
from koppel_mesh.prepared_sql import Record, Statement

from .store import DeliveryRow

_TRACES = Statement("""
    SELECT o.id, o.document_id, o.revision, o.operation, o.kind, o.remote_id, o.remote_ref, o.remote_uuid, o.progress,
        o.created_at, acted.first_sent_at
    FROM delivery d JOIN connection here ON here.id = d.connection_id
        JOIN delivery o ON o.document_id = d.document_id AND o.operation = d.operation AND o.id <> d.id
        JOIN connection way ON way.id = o.connection_id
            AND coalesce(way.books_scope, way.limit_scope) = coalesce(here.books_scope, here.limit_scope)
        CROSS JOIN LATERAL (
            SELECT min(a.started_at) AS first_sent_at, max(a.started_at) AS last_sent_at FROM attempt a
            WHERE a.delivery_id = o.id AND a.acts AND (a.outcome IS NULL OR a.outcome IN ('ok', 'unknown'))
        ) acted
    WHERE d.id = :id AND acted.last_sent_at > coalesce(d.resend_decided_at, '-infinity')
        AND (CAST(:searchable AS boolean) OR o.remote_id IS NOT NULL OR o.unknown_since IS NOT NULL)
    ORDER BY o.id
""")


async def read_traces(kit: Kit, row: DeliveryRow) -> tuple[Trace, ...]:
    """Return the earlier deliveries of a claimed one; of those that cannot be searched, those that may be there."""
    if not row.has_prior_delivery:
        return ()
    values = {"id": row.id, "searchable": kit.patience(row).on_ambiguous == "lookup"}
    async with kit.database.reading() as reading:
        return tuple(_trace(record) for record in await _TRACES.all(reading, values))


async def find_prior(kit: Kit, vendor: OpenVendor, row: DeliveryRow, context: DeliveryContext) -> Problem | None:
    """Return what a person must be told when the document stands in the books already; None when it does not.

    Raises:
        ConnectorError: the vendor cannot be searched now.
    """
    if not context.traces:
        return None
    if kit.patience(row).on_ambiguous != "lookup":
        return _problem(context, context.traces[0], None)
    vendor.begin("lookup", row)
    try:
        for trace in context.traces:
            if (problem := await _search(kit, context, trace)) is not None:
                return problem
    finally:
        vendor.begin("send", row)
    return None


async def _search(kit: Kit, context: DeliveryContext, trace: Trace) -> Problem | None:
    try:
        found = await kit.connector.lookup(_context_of(context, trace))
    except Rejected as refused:
        # Refusing a search says nothing about the document: only a send can end as failed.
        raise RetryLater(problem=refused.problem) from refused
    match found:
        case Found(problem=problem, entry_number=entry_number, remote_id=remote_id):
            return problem or _problem(context, trace, entry_number or remote_id)
        case CannotTell(reason):
            raise RetryLater(problem=Problem("vendor_unavailable", reason or None))
    return None


def _context_of(context: DeliveryContext, trace: Trace) -> DeliveryContext:
    """Return the earlier delivery as ``lookup`` takes it; what it saves is of no consequence, for it is not in hand."""

    def keep_nothing(_: dict[str, Any]) -> None:
        return

    return replace(
        context,
        delivery=trace.delivery,
        remote_ref=trace.remote_ref,
        remote_uuid=trace.remote_uuid,
        progress=dict(trace.progress),
        first_sent_at=trace.first_sent_at,
        traces=(),
        write_progress=keep_nothing,
    )


def _problem(context: DeliveryContext, trace: Trace, entry: str | None) -> Problem:
    if trace.delivery.revision != context.delivery.revision:
        return Problem("already_booked_other_revision", entry)
    return Problem("already_booked_other_connection", entry)


def _trace(record: Record) -> Trace:
    return Trace(
        Delivery(
            record.id,
            record.document_id,
            record.revision,
            record.operation,
            DocumentKind(record.kind),
            record.remote_id,
            record.created_at,
        ),
        record.remote_ref,
        record.remote_uuid,
        record.progress,
        record.first_sent_at,
    )
