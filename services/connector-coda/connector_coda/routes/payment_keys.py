"""Payment keys: what begins with one is paid already, and nobody needs to look at it (R134)."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from sqlalchemy import select

from connector_coda.tables import payment_key
from koppel_mesh.http.idempotency import IdempotencyKey
from koppel_mesh.http.paging import Page, PageParams
from koppel_mesh.http.server import CurrentContext
from koppel_mesh.prepared_sql import Statement

from .visibility import Reader, Writer, insist_on_dossier, who

router = APIRouter(prefix="/v1", tags=["payment keys"])
KEYS_MAX = 200

_REMOVE_OTHERS = Statement("DELETE FROM payment_key WHERE dossier_id = :dossier AND key <> ALL(CAST(:keys AS text[]))")
_ADD = Statement("""
    INSERT INTO payment_key (dossier_id, firm_id, key, added_by)
    SELECT :dossier, :firm, key, :by FROM unnest(CAST(:keys AS text[])) AS key ON CONFLICT DO NOTHING
""")
_ALL = Statement("SELECT key, added_by, added_at FROM payment_key WHERE dossier_id = :dossier ORDER BY key")
# Two lists at once would leave a mixture of both.
_LOCK = Statement("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


def _separated(value: Any) -> Any:
    """A list may come as people type it: with commas (R134)."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Key = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=140, pattern=r"^[^\x00]*$")]


class PaymentKeys(BaseModel):
    """The keys of a dossier: all of them, those that were there before are gone."""

    model_config = ConfigDict(extra="forbid")
    keys: Annotated[
        list[Key],
        BeforeValidator(_separated),
        Field(max_length=KEYS_MAX, description="A list, or text with commas between the keys"),
    ]


class PaymentKeyItem(BaseModel):
    """A payment key."""

    key: str
    added_by: str
    added_at: datetime


@router.post("/dossiers/{dossier_id}/payment-keys", status_code=201, response_model=Page[PaymentKeyItem])
async def set_payment_keys(
    dossier_id: UUID, body: PaymentKeys, context: CurrentContext, caller: Writer, key: IdempotencyKey
) -> Response:
    """Set the keys of a dossier. They count for every line that is there, and for those that will come."""
    firm_id = await insist_on_dossier(context, caller, dossier_id)
    keys = sorted(set(body.keys))
    async with context.database.transaction() as tx:
        if (earlier := await key.claim(tx)) is not None:
            return earlier
        await _LOCK.run(tx, {"name": f"payment keys {dossier_id}"})
        await _REMOVE_OTHERS.run(tx, {"dossier": dossier_id, "keys": keys})
        await _ADD.run(tx, {"dossier": dossier_id, "firm": firm_id, "keys": keys, "by": who(caller)})
        kept = await _ALL.all(tx, {"dossier": dossier_id})
        answer: Response = await key.remember(
            tx, status=201, body=Page[PaymentKeyItem](items=[PaymentKeyItem(**dict(row)) for row in kept])
        )
        return answer


@router.get("/dossiers/{dossier_id}/payment-keys")
async def list_payment_keys(
    dossier_id: UUID, context: CurrentContext, caller: Reader, page: PageParams
) -> Page[PaymentKeyItem]:
    """List the keys of a dossier."""
    await insist_on_dossier(context, caller, dossier_id)
    query = select(payment_key).where(payment_key.c.dossier_id == dossier_id)
    if page.after:
        query = query.where(payment_key.c.key > page.after[0])
    async with context.database.reading() as reading:
        rows = (await reading.execute(query.order_by(payment_key.c.key).limit(page.rows))).all()
    return page.of(
        rows,
        lambda row: PaymentKeyItem(key=row.key, added_by=row.added_by, added_at=row.added_at),
        lambda row: [row.key],
    )
