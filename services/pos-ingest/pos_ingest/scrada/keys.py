"""Keys by which a till speaks Scrada's API for one company: ``X-API-KEY`` and ``X-PASSWORD``."""

import hashlib
import hmac
import secrets
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.http.idempotency import IdempotencyKey
from koppel_mesh.http.problems import HttpProblem, not_found
from koppel_mesh.http.server import CurrentContext
from koppel_mesh.ids import new_id
from koppel_mesh.prepared_sql import Record, Statement
from pos_ingest.dossiers import Writer, insist_on_dossier, who

router = APIRouter(prefix="/v1/dossiers/{dossier_id}", tags=["keys of tills"])
KEYS_MAX = 200
KEY_LENGTH_MAX = 200

_ADD = Statement("""
    INSERT INTO scrada_key (id, dossier_id, firm_id, name, api_key, password_hash, created_by)
    VALUES (:id, :dossier_id, :firm_id, :name, :api_key, :password_hash, :created_by)
""")
_LIST = Statement("""
    SELECT id, name, api_key, created_by, created_at FROM scrada_key WHERE dossier_id = :dossier_id ORDER BY id
""")
_REMOVE = Statement("DELETE FROM scrada_key WHERE id = :id AND dossier_id = :dossier_id RETURNING id")
_FIND = Statement("""
    SELECT k.password_hash, k.dossier_id, k.firm_id, d.name, d.enterprise_number, d.language
    FROM scrada_key k JOIN dossier d ON d.id = k.dossier_id WHERE k.api_key = :api_key
""")


class NewKey(BaseModel):
    """A key to make."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00]*$")]


class MadeKey(BaseModel):
    """A key, with its password; it is shown this once."""

    id: UUID
    company_id: UUID = Field(description="What stands in the addresses of Scrada's API")
    name: str
    api_key: str
    password: str


class KeyItem(BaseModel):
    """A key."""

    id: UUID
    name: str
    api_key: str
    created_by: str
    created_at: datetime


class Keys(BaseModel):
    """The keys of a dossier."""

    items: list[KeyItem]
    next: None = None


@router.post("/scrada-keys", status_code=201, response_model=MadeKey)
async def add_key(
    dossier_id: UUID, body: NewKey, context: CurrentContext, caller: Writer, key: IdempotencyKey
) -> Response:
    """Make a key for a till that speaks Scrada's API. Its password is shown this once."""
    dossier = await insist_on_dossier(context, caller, dossier_id)
    made = MadeKey(
        id=new_id(),
        company_id=dossier.id,
        name=body.name,
        api_key=secrets.token_urlsafe(24),
        password=secrets.token_urlsafe(32),
    )
    async with context.database.transaction() as tx:
        if (earlier := await key.claim(tx, context.resources)) is not None:
            return earlier
        if len(await _LIST.all(tx, {"dossier_id": dossier.id})) >= KEYS_MAX:
            message = f"A dossier has at most {KEYS_MAX} keys: revoke those that no till uses."
            raise HttpProblem(422, "too_many_keys", "No more keys can be made.", message)
        await _ADD.run(
            tx,
            {
                "id": made.id,
                "dossier_id": dossier.id,
                "firm_id": dossier.firm_id,
                "name": made.name,
                "api_key": made.api_key,
                "password_hash": _hash(made.password),
                "created_by": who(caller),
            },
        )
        answer: Response = await key.remember(tx, status=201, body=made, ring=context.resources)
        return answer


@router.get("/scrada-keys")
async def list_keys(dossier_id: UUID, context: CurrentContext, caller: Writer) -> Keys:
    """List the keys of a dossier, without their passwords."""
    await insist_on_dossier(context, caller, dossier_id)
    async with context.database.reading() as reading:
        rows = await _LIST.all(reading, {"dossier_id": dossier_id})
    return Keys(items=[KeyItem(**dict(row)) for row in rows])


@router.delete("/scrada-keys/{key_id}", status_code=204)
async def revoke_key(dossier_id: UUID, key_id: UUID, context: CurrentContext, caller: Writer) -> Response:
    """Revoke a key; its till is refused from now on."""
    await insist_on_dossier(context, caller, dossier_id)
    async with context.database.transaction() as tx:
        if await _REMOVE.one_or_none(tx, {"id": key_id, "dossier_id": dossier_id}) is None:
            raise not_found("key")
    return Response(status_code=204)


async def company_of(connection: AsyncConnection, api_key: str | None, password: str | None) -> Record | None:
    """Return the company that these headers speak for: its dossier's id, firm, name, number and language."""
    if not api_key or not password or len(api_key) > KEY_LENGTH_MAX or "\0" in api_key:
        return None
    row = await _FIND.one_or_none(connection, {"api_key": api_key})
    known = row.password_hash if row else b""
    return row if hmac.compare_digest(known, _hash(password)) else None


def _hash(password: str) -> bytes:
    return hashlib.sha256(password.encode("utf-8", "surrogatepass")).digest()
