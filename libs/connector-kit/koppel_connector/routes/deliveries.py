"""Deliveries as a person sees them, and the two things a person may do: try again now, and settle what we cannot know."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy import bindparam, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_connector.connection.breaker import ResetRequested
from koppel_connector.connection.importing import want_import_again
from koppel_connector.delivery import events
from koppel_connector.delivery.book_search import found_entry
from koppel_connector.delivery.claims import IN_FRONT
from koppel_connector.delivery.events import Event
from koppel_connector.delivery.revisions import changes_since_sent
from koppel_connector.delivery.state_machine import IllegalTransitionError
from koppel_connector.delivery.store import DeliveryRow, RemoteEntry, read_delivery
from koppel_connector.kit import Kit
from koppel_connector.tables import NOT_AT_ITS_END, connection, delivery
from koppel_mesh.auth import Caller
from koppel_mesh.http.paging import Page, PageParams, cursor_id
from koppel_mesh.http.problems import HttpProblem, not_found, raises_problem
from koppel_mesh.http.server import CurrentContext
from koppel_mesh.messages import DeliveryState
from koppel_mesh.prepared_sql import Statement
from koppel_mesh.visibility import VISIBLE, visible

from .connections import Reader, Writer
from .views import DeliveryView, view_delivery

_IN_FRONT = IN_FRONT.format(delivery="delivery", books_scope="coalesce(connection.books_scope, connection.limit_scope)")
_WITH_PAUSE = select(
    delivery,
    literal_column(f"""CASE WHEN delivery.state = 'ready' AND delivery.sequence_key IS NOT NULL THEN (
        SELECT jsonb_build_object('delivery_id', o.id, 'document_id', o.document_id) {_IN_FRONT} ORDER BY o.id LIMIT 1) END
    """).label("in_front"),
    connection.c.state.label("connection_state"),
    connection.c.away_since,
    connection.c.probe_at,
    connection.c.outage,
    connection.c.not_before,
).join(connection, connection.c.id == delivery.c.connection_id)
_ONE_WITH_PAUSE = Statement(_WITH_PAUSE.where(delivery.c.id == bindparam("id")))
_WAITING = Statement(f"""
    SELECT state, count(*) AS number FROM delivery WHERE {NOT_AT_ITS_END} AND {VISIBLE} GROUP BY state
""")
router = APIRouter(prefix="/v1", tags=["deliveries"])


class Resolution(BaseModel):
    """What a person found out about a delivery in review, or about another one whose end nobody would learn otherwise.

    ``abandon`` leaves it: an exported one stays exported, and is looked for in the books no more.
    """

    decision: Literal["booked", "resend", "abandon"]
    entry_number: str | None = Field(None, max_length=100, pattern=r"^[^\x00]*$")
    """With ``booked``: the number the entry has; where an entry of others was found in the books, that one's when not given."""


class Counted(BaseModel):
    """How many deliveries are in one state."""

    state: DeliveryState
    count: int


class Waiting(BaseModel):
    """How many deliveries are not at their end."""

    items: list[Counted]
    next: None = None


@router.get("/deliveries")
async def list_deliveries(
    context: CurrentContext,
    caller: Reader,
    page: PageParams,
    state: Annotated[DeliveryState | None, Query()] = None,
    connection_id: UUID | None = None,
    document_id: UUID | None = None,
) -> Page[DeliveryView]:
    """List deliveries, newest first."""
    kit: Kit = context.resources
    statement = _WITH_PAUSE.where(visible(delivery, caller)).order_by(delivery.c.id.desc()).limit(page.rows)
    if state is not None:
        statement = statement.where(delivery.c.state == state.value)
    if connection_id is not None:
        statement = statement.where(delivery.c.connection_id == connection_id)
    if document_id is not None:
        statement = statement.where(delivery.c.document_id == document_id)
    if page.after:
        statement = statement.where(delivery.c.id < cursor_id(page.after[0]))
    async with context.database.reading() as reading:
        rows = (await reading.execute(statement)).all()
    return page.of(rows, lambda row: view_delivery(kit, row))


@router.get("/waiting")
async def count_waiting(context: CurrentContext, caller: Reader) -> Waiting:
    """Count the deliveries that are not at their end, by state; states without any are left out."""
    async with context.database.reading() as reading:
        rows = await _WAITING.all(reading, {"firm_id": caller.firm_id})
    return Waiting(items=[Counted(state=row.state, count=row.number) for row in rows])


@router.get("/deliveries/{delivery_id}")
async def read_one_delivery(context: CurrentContext, caller: Reader, delivery_id: UUID) -> DeliveryView:
    """Read one delivery."""
    async with context.database.reading() as reading:
        await _owned(reading, caller, delivery_id)
        shown = await _viewed(reading, context.resources, delivery_id)
    return shown.model_copy(update={"changes": await changes_since_sent(context.resources, delivery_id)})


@router.post("/deliveries/{delivery_id}/retry", status_code=202)
@raises_problem(409, "delivery_booked", "delivery_review", "delivery_superseded")
async def retry_delivery(context: CurrentContext, caller: Writer, delivery_id: UUID) -> DeliveryView:
    """Try again now. What may have reached the vendor is looked up first, as always.

    It also ends the pause of a connection whose vendor was away. Where the problem may come of old master data, that is imported
    again: what a person has just changed at the vendor is not known here yet.
    """
    kit: Kit = context.resources
    async with context.database.transaction() as tx:
        # Its connection is locked before it, as whoever records an outcome does.
        row = await _owned(tx, caller, delivery_id)
        await kit.connections.observe(tx, row.connection_id, ResetRequested())
        row = await _owned(tx, caller, delivery_id, lock=True)
        await want_import_again(tx, kit, row.connection_id, row.problem)
        if row.state not in (DeliveryState.SENDING, DeliveryState.UNKNOWN):  # these are being looked after already
            try:
                await kit.deliveries.apply(tx, row, events.RetryRequested())
            except IllegalTransitionError as error:
                said = f"The delivery is {row.state}; there is nothing to try again."
                raise HttpProblem(409, f"delivery_{row.state}", said) from error
        view = await _viewed(tx, kit, delivery_id)
    for loop in ("deliveries", "read-back", "imports"):
        kit.wake(loop)
    return view


@router.post("/deliveries/{delivery_id}/resolve")
async def resolve_delivery(
    context: CurrentContext, caller: Writer, delivery_id: UUID, resolution: Resolution
) -> DeliveryView:
    """Settle what only a person can know: it is booked, it must be sent again, or it is left."""
    kit: Kit = context.resources
    decisions: dict[str, Event] = {
        "booked": events.ResolvedAsBooked(),
        "resend": events.ResolvedForResend(),
        "abandon": events.ResolvedAsAbandoned(),
    }
    async with context.database.transaction() as tx:
        row = await _owned(tx, caller, delivery_id, lock=True)
        known = _entry_of(row, resolution.entry_number) if resolution.decision == "booked" else RemoteEntry()
        try:
            await kit.deliveries.apply(tx, row, decisions[resolution.decision], known)
        except IllegalTransitionError as error:
            said = f"The delivery is {row.state}; “{resolution.decision}” cannot be said of it."
            raise HttpProblem(409, "not_in_review", said) from error
        view = await _viewed(tx, kit, delivery_id)
    kit.wake("deliveries")
    return view


def _entry_of(row: DeliveryRow, entry_number: str | None) -> RemoteEntry:
    """Return the entry in which a person says that the document is booked: mostly the one that the question was about."""
    found = found_entry(row.progress)
    if entry_number is not None and entry_number != found.get("number"):
        return RemoteEntry(entry_number=entry_number)
    return RemoteEntry(entry_number=found.get("number"), entry_url=found.get("url"))


async def _owned(db: AsyncConnection, caller: Caller, delivery_id: UUID, *, lock: bool = False) -> DeliveryRow:
    row = await read_delivery(db, delivery_id, lock=lock)
    if row is None or not caller.may_see(row.firm_id):
        raise not_found("delivery")
    return row


async def _viewed(db: AsyncConnection, kit: Kit, delivery_id: UUID) -> DeliveryView:
    return view_delivery(kit, await _ONE_WITH_PAUSE.one(db, {"id": delivery_id}))
