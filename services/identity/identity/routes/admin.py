"""Administering clients and keys; every route needs the scope ``admin`` of a token that is bound to no firm."""

import asyncio
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from identity import clients, keys
from identity.hashing import hash_secret, new_secret
from koppel_mesh.auth import SCOPES, Caller, require
from koppel_mesh.http.idempotency import IdempotencyKey
from koppel_mesh.http.paging import Page, PageParams, uuid_cursor
from koppel_mesh.http.problems import HttpProblem, not_found
from koppel_mesh.http.server import CurrentContext

router = APIRouter(prefix="/v1", tags=["administration"])
OVERLAP_MAX_S = 30 * 86_400


def _administrator(caller: Annotated[Caller, Depends(require("admin"))]) -> Caller:
    if caller.firm_id is not None:
        raise HttpProblem(403, "bound_to_a_firm", "Only a token that is bound to no firm administers clients.")
    return caller


Administrator = Annotated[Caller, Depends(_administrator)]


def _known(scopes: list[str]) -> list[str]:
    if unknown := set(scopes) - set(SCOPES):
        raise ValueError(f"not a scope: {', '.join(sorted(unknown))}")
    return sorted(set(scopes))


Scopes = Annotated[list[str], Field(max_length=50), AfterValidator(_known)]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")]


class NewClient(BaseModel):
    """A client to be made."""

    model_config = ConfigDict(extra="forbid")
    client_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{2,63}$")]
    name: Name
    firm_id: UUID | None = None
    scopes: Scopes


class ClientChange(BaseModel):
    """What may be changed; what is absent stays."""

    model_config = ConfigDict(extra="forbid")
    name: Name | None = None
    scopes: Scopes | None = None
    disabled: bool | None = None


class ShownClient(BaseModel):
    """A client as it is shown: without its secrets."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    client_id: str
    name: str
    firm_id: UUID | None
    scopes: list[str]
    disabled: bool
    created_at: datetime


class NewSecret(BaseModel):
    """For how long the secrets before stay valid."""

    model_config = ConfigDict(extra="forbid")
    overlap_s: Annotated[int, Field(ge=0, le=OVERLAP_MAX_S)] = 86_400


class ShownSecret(BaseModel):
    """A secret, the only time it is shown."""

    client_id: str
    client_secret: str


@router.post("/clients", status_code=201)
async def create_client(
    body: NewClient, _: Administrator, context: CurrentContext, idempotency: IdempotencyKey
) -> Response:
    """Make a client. Its secret is in this answer and nowhere else to be read."""
    secret = new_secret()
    hashed = await asyncio.to_thread(hash_secret, secret)
    async with context.database.transaction() as tx:
        if (earlier := await idempotency.claim(tx, context.resources)) is not None:
            return earlier
        made = await clients.create(tx, body.client_id, body.name, hashed, body.scopes, body.firm_id)
        if made is None:
            raise HttpProblem(409, "client_id_taken", "There is a client with this id.")
        shown = ShownClient.model_validate(made).model_dump(mode="json")
        answer = {**shown, "client_secret": secret}
        return await idempotency.remember(tx, status=201, body=answer, ring=context.resources)


@router.get("/clients")
async def list_clients(page: PageParams, _: Administrator, context: CurrentContext) -> Page[ShownClient]:
    """List clients in the order they were made."""
    async with context.database.reading() as connection:
        rows = await clients.page(connection, uuid_cursor(page), page.rows)
    return page.of(rows, ShownClient.model_validate)


@router.get("/clients/{client_id}")
async def show_client(client_id: UUID, _: Administrator, context: CurrentContext) -> ShownClient:
    """Show one client."""
    async with context.database.reading() as connection:
        return _shown(await clients.get(connection, client_id))


@router.patch("/clients/{client_id}")
async def change_client(client_id: UUID, body: ClientChange, _: Administrator, context: CurrentContext) -> ShownClient:
    """Change a client; tokens it holds keep what they were given until they end."""
    async with context.database.transaction() as tx:
        return _shown(await clients.change(tx, client_id, **body.model_dump()))


@router.delete("/clients/{client_id}", status_code=204)
async def delete_client(client_id: UUID, _: Administrator, context: CurrentContext) -> None:
    """Delete a client."""
    async with context.database.transaction() as tx:
        if not await clients.remove(tx, client_id):
            raise not_found("client")


@router.post("/clients/{client_id}/secrets", status_code=201, response_model=ShownSecret)
async def add_secret(
    client_id: UUID, body: NewSecret, _: Administrator, context: CurrentContext, idempotency: IdempotencyKey
) -> Response:
    """Give a client a new secret; the ones before stay valid for a while."""
    secret = new_secret()
    hashed = await asyncio.to_thread(hash_secret, secret)
    async with context.database.transaction() as tx:
        if (earlier := await idempotency.claim(tx, context.resources)) is not None:
            return earlier
        found = _shown(await clients.get(tx, client_id))
        await clients.add_secret(tx, client_id, hashed, body.overlap_s)
        answer = ShownSecret(client_id=found.client_id, client_secret=secret)
        return await idempotency.remember(tx, status=201, body=answer, ring=context.resources)


@router.post("/signing-keys/rotate", status_code=202)
async def rotate_keys(_: Administrator, context: CurrentContext) -> dict[str, float]:
    """Make the next signing key now; it signs once everybody can have seen it."""
    async with context.database.transaction() as tx:
        await keys.rotate(tx, context.resources)
    return {"signs_in_s": keys.PUBLISHED_BEFORE_S}


def _shown(row: Any) -> ShownClient:
    if row is None:
        raise not_found("client")
    return ShownClient.model_validate(row)
