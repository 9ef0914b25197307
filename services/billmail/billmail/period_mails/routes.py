"""Where a period's mail is asked for, seen and decided on."""

import hashlib
import json
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from billmail.settings import BillmailSettings
from koppel_connector.extension import Kit, owned_connection
from koppel_connector.mail.addresses import Address
from koppel_mesh.auth import Caller, require
from koppel_mesh.http.idempotency import IdempotencyKey
from koppel_mesh.http.internal_client import InternalCallError
from koppel_mesh.http.paging import Page, PageParams, cursor_id
from koppel_mesh.http.problems import HttpProblem, not_found
from koppel_mesh.http.server import CurrentContext
from koppel_mesh.ids import new_id
from koppel_mesh.messages import ProblemData
from koppel_mesh.prepared_sql import Record

from . import store
from .reading import READY, list_documents
from .sending import LOOP

DAYS_MAX = 366
DOCUMENTS_MAX = 5000
REMARKS_LENGTH_MAX = 2000
Reader = Annotated[Caller, Depends(require("connections:read"))]
Writer = Annotated[Caller, Depends(require("exports:write"))]
router = APIRouter(prefix="/v1", tags=["period mails"])


class NewPeriodMail(BaseModel):
    """A period, the office's address, and what to say."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    from_on: date = Field(alias="from")
    to_on: date = Field(alias="to")
    address: Address = Field(max_length=320)
    remarks: str = Field("", max_length=REMARKS_LENGTH_MAX)
    with_documents: bool = True
    """False: only the overview and the notice that everything is in."""

    @model_validator(mode="after")
    def _is_a_period(self) -> Self:
        if not 0 <= (self.to_on - self.from_on).days < DAYS_MAX:
            raise PydanticCustomError("not_a_period", "the period ends before it begins, or is longer than a year")
        return self


class PeriodMail(BaseModel):
    """How far one has come."""

    id: UUID
    connection_id: UUID
    from_on: date = Field(serialization_alias="from")
    to_on: date = Field(serialization_alias="to")
    address: str
    remarks: str
    with_documents: bool
    state: Literal["waiting", "sending", "sent", "review", "failed"]
    count: int
    """Documents that go along, or that the notice counts."""
    open_count: int
    """Documents of the period that wait for something and do not go along."""
    parts_sent: int
    omitted: list[str]
    """Numbers of documents that no mail can hold."""
    problem: ProblemData | None
    requested_by: str
    requested_at: datetime
    sent_at: datetime | None


class Decision(BaseModel):
    """What a person decides on one in ``review`` or ``failed``."""

    period_mail_id: UUID
    decision: Literal["arrived", "resend", "abandon"]


@router.post(
    "/connections/{connection_id}/period-mails",
    status_code=202,
    response_model=PeriodMail,
    responses={200: {"model": PeriodMail, "description": "The same was asked for before"}},
)
async def send_period(
    context: CurrentContext, caller: Writer, connection_id: UUID, new: NewPeriodMail, idempotency: IdempotencyKey
) -> Response:
    """Send a period's documents to the office, or the notice that everything is in. The same again sends nothing twice."""
    kit: Kit = context.resources
    connection, settings = await owned_connection(kit, caller, connection_id)
    _must_be_self_mail(settings)
    documents = await _documents_of(kit, connection.dossier_id, new)
    ready = [each for each in documents if each["state"] in READY]
    if new.with_documents and not ready:
        raise HttpProblem(422, "nothing_to_send", "No document of this period is ready to go.")
    if len(ready) > DOCUMENTS_MAX:
        raise HttpProblem(422, "period_too_large", f"The period has more than {DOCUMENTS_MAX} documents.")
    values = {
        "id": new_id(),
        "connection_id": connection.id,
        "firm_id": connection.firm_id,
        "dossier_id": connection.dossier_id,
        "request_key": _key_of(new, [f"{each['id']}/{each['revision']}" for each in ready]),
        **new.model_dump(),
        "open_count": sum(each["state"] != "dropped" for each in documents) - len(ready),
        "requested_by": caller.subject,
    }
    async with context.database.transaction() as tx:
        if (earlier := await idempotency.claim(tx)) is not None:
            return earlier
        row, is_new = await store.make(tx, values, [str(each["id"]) for each in ready])
        answer = await idempotency.remember(tx, status=202 if is_new else 200, body=_shown(row))
    kit.wake(LOOP)
    return answer


@router.get("/connections/{connection_id}/period-mails")
async def list_period_mails(
    context: CurrentContext, caller: Reader, connection_id: UUID, page: PageParams
) -> Page[PeriodMail]:
    """List the period mails of a connection, newest first."""
    await owned_connection(context.resources, caller, connection_id)
    after = cursor_id(page.after[0]) if page.after else None
    async with context.database.reading() as reading:
        rows = await store.newest(reading, connection_id, after, page.rows)
    return page.of(rows, _shown)


@router.post("/connections/{connection_id}/resolve-period-mail")
async def resolve_period_mail(
    context: CurrentContext, caller: Writer, connection_id: UUID, decided: Decision
) -> PeriodMail:
    """Decide on one that waits for a person: the part in doubt arrived, it goes again, or all that is left stays."""
    kit: Kit = context.resources
    await owned_connection(kit, caller, connection_id)
    async with context.database.transaction() as tx:
        if decided.decision == "arrived":
            row = await store.resolve_as_arrived(tx, connection_id, decided.period_mail_id)
        else:
            state = "waiting" if decided.decision == "resend" else "failed"
            row = await store.resolve(tx, connection_id, decided.period_mail_id, state)
        if row is None:
            raise not_found("period mail that waits for a decision")
    kit.wake(LOOP)
    return _shown(row)


async def _documents_of(kit: Kit, dossier_id: UUID, new: NewPeriodMail) -> list[Any]:
    try:
        return list(await list_documents(kit.mesh, dossier_id, new.from_on, new.to_on))
    except InternalCallError as error:
        raise HttpProblem(
            503, "dossier_api_away", "The documents cannot be read right now.", headers={"Retry-After": "2"}
        ) from error


def _must_be_self_mail(settings: object) -> None:
    target = settings.target if isinstance(settings, BillmailSettings) else None
    if target is None or not target.takes_periods:
        raise HttpProblem(409, "no_period_mail", "Only a connection with the profile self_mail sends a whole period.")


def _key_of(new: NewPeriodMail, documents: list[str]) -> str:
    wish = [new.model_dump(mode="json"), documents]
    return hashlib.sha256(json.dumps(wish, sort_keys=True).encode()).hexdigest()


def _shown(row: Record) -> PeriodMail:
    values = {name: getattr(row, name, None) for name in PeriodMail.model_fields}
    return PeriodMail.model_validate({**values, "count": len(row.document_ids)})
