"""Administering clients and keys; every route needs the scope ``admin`` of a token that is bound to no firm."""

import asyncio
from datetime import datetime
from typing import Annotated, Any, NoReturn
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from identity import clients, consents, keys, revocations
from identity.audit_log import Act
from identity.clients import Kind
from identity.hashing import hash_secret, new_secret
from koppel_mesh.http.idempotency import IdempotencyKey
from koppel_mesh.http.paging import Page, PageParams, uuid_cursor
from koppel_mesh.http.problems import FieldError, HttpProblem, not_found
from koppel_mesh.http.server import CurrentContext

from .audit_log import Audited
from .values import Administrator, Scopes, revoke_client

router = APIRouter(prefix="/v1", tags=["administration"])
_NO_ADMIN = "A partner cannot have the scope admin: it could consent on behalf of its firms."


Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")]


class NewClient(BaseModel):
    """A client to be made."""

    model_config = ConfigDict(extra="forbid")
    client_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{2,63}$")]
    name: Name
    kind: Kind = Kind.FIRM
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
    kind: Kind
    firm_id: UUID | None
    scopes: list[str]
    disabled: bool
    created_at: datetime


class Access(BaseModel):
    """What a client may do for one firm."""

    model_config = ConfigDict(from_attributes=True)
    client_id: str
    kind: Kind
    firm_id: UUID
    scopes: list[str]


class ClientAccess(BaseModel):
    """What some clients may do for some firms."""

    items: list[Access]
    next: None = None


def _seconds(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()


class RevokedItem(BaseModel):
    """A token, or all tokens that a client got until a moment (in seconds), of one firm or of all."""

    model_config = ConfigDict(from_attributes=True)
    jti: UUID | None
    client_id: str | None
    firm_id: UUID | None
    issued_before: Annotated[float | None, BeforeValidator(_seconds)]
    ends_at: datetime


class Revoked(BaseModel):
    """What is revoked."""

    items: list[RevokedItem]
    next: None = None


@router.post("/clients", status_code=201)
async def create_client(
    body: NewClient, _: Administrator, context: CurrentContext, idempotency: IdempotencyKey, audited: Audited
) -> Response:
    """Make a client: of one firm, a partner that firms consent to, or a service that sees every firm.

    Its secret is in this answer and nowhere else to be read.
    """
    if (body.kind is Kind.FIRM) != (body.firm_id is not None):
        _refuse("firm_id", "kind_and_firm", "A client of kind firm has a firm_id; a partner and a service have none.")
    if body.kind is Kind.PARTNER and "admin" in body.scopes:
        _refuse("scopes", "partner_administers", _NO_ADMIN)
    secret = new_secret()
    hashed = await asyncio.to_thread(hash_secret, secret)
    async with context.database.transaction() as tx:
        if (earlier := await idempotency.claim(tx, context.resources)) is not None:
            return earlier
        if await clients.has_left(tx, body.firm_id):
            raise HttpProblem(
                409, "firm_left", "The data of this firm was deleted: a firm that comes back gets another id."
            )
        made = await clients.create(tx, clients.NewClient(**dict(body)), hashed)
        if made is None:
            raise HttpProblem(409, "client_id_taken", "There is a client with this id.")
        await audited.note(tx, Act.CLIENT_CREATED, body.firm_id, **body.model_dump(exclude={"firm_id"}))
        shown = ShownClient.model_validate(made).model_dump(mode="json")
        answer = {**shown, "client_secret": secret}
        return await idempotency.remember(tx, status=201, body=answer, ring=context.resources)


@router.get("/clients")
async def list_clients(page: PageParams, _: Administrator, context: CurrentContext) -> Page[ShownClient]:
    """List clients in the order they were made."""
    async with context.database.reading() as connection:
        rows = await clients.page(connection, uuid_cursor(page), page.rows)
    return page.of(rows, ShownClient.model_validate)


@router.get("/client-access")
async def show_client_access(
    _: Administrator,
    context: CurrentContext,
    client_id: Annotated[list[str], Query(max_length=1000)],
    firm_id: Annotated[list[UUID] | None, Query(max_length=1000)] = None,
) -> ClientAccess:
    """Say what these clients may do now, for who sends them something.

    There is an item for each firm that a client sees by its binding or by consent; with ``firm_id``, for those firms alone.
    """
    async with context.database.reading() as connection:
        rows = await consents.access(connection, client_id, firm_id)
    return ClientAccess(items=[Access.model_validate(row) for row in rows])


@router.get("/clients/{client_id}")
async def show_client(client_id: UUID, _: Administrator, context: CurrentContext) -> ShownClient:
    """Show one client."""
    async with context.database.reading() as connection:
        return _shown(await clients.get(connection, client_id))


@router.patch("/clients/{client_id}")
async def change_client(
    client_id: UUID, body: ClientChange, caller: Administrator, context: CurrentContext, audited: Audited
) -> ShownClient:
    """Change a client. What is taken from it ends its tokens: it asks for new ones, as far as it may."""
    async with context.database.transaction() as tx:
        before = _shown(await clients.locked(tx, client_id))
        if before.kind is Kind.PARTNER and "admin" in (body.scopes or ()):
            _refuse("scopes", "partner_administers", _NO_ADMIN)
        changed = _shown(await clients.change(tx, client_id, **body.model_dump()))
        changes = body.model_dump(exclude_none=True)
        await audited.note(tx, Act.CLIENT_CHANGED, changed.firm_id, client_id=changed.client_id, **changes)
        if set(before.scopes) - set(changed.scopes) or (changed.disabled and not before.disabled):
            await revoke_client(tx, context.settings, changed.client_id, by=caller.subject)
        return changed


@router.delete("/clients/{client_id}", status_code=204)
async def delete_client(client_id: UUID, caller: Administrator, context: CurrentContext, audited: Audited) -> None:
    """Delete a client. Its tokens end, and consents to it are withdrawn and stay to be read."""
    async with context.database.transaction() as tx:
        gone = _shown(await clients.locked(tx, client_id))
        await clients.remove(tx, client_id, caller.subject)
        await revoke_client(tx, context.settings, gone.client_id, by=caller.subject)
        await audited.note(tx, Act.CLIENT_DELETED, gone.firm_id, client_id=gone.client_id)


@router.get("/revocations")
async def list_revocations(_: Administrator, context: CurrentContext) -> Revoked:
    """List what is revoked and has not ended by itself, the newest first, for services that check tokens."""
    async with context.database.reading() as connection:
        return Revoked(items=[RevokedItem.model_validate(row) for row in await revocations.living(connection)])


@router.post("/signing-keys/rotate", status_code=202)
async def rotate_keys(_: Administrator, context: CurrentContext, audited: Audited) -> dict[str, float]:
    """Make the next signing key now; it signs once everybody can have seen it."""
    async with context.database.transaction() as tx:
        await keys.rotate(tx, context.resources)
        await audited.note(tx, Act.SIGNING_KEY_ROTATED)
    return {"signs_in_s": keys.PUBLISHED_BEFORE_S}


def _refuse(field: str, code: str, sentence: str) -> NoReturn:
    wrong = FieldError(field=f"body.{field}", rule=code, message=sentence)
    raise HttpProblem(422, code, "A client cannot be like this.", sentence, errors=[wrong])


def _shown(row: Any) -> ShownClient:
    if row is None:
        raise not_found("client")
    return ShownClient.model_validate(row)
