"""Secrets of clients: added with an overlap, listed without their values, ended at once; by administrators alone.

A partner does not rotate its own: whoever stole a token, or a secret that is to end, would make a secret of their own with it.
"""

import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from identity import clients, secrets
from identity.audit_log import Act
from identity.hashing import hash_secret, new_secret
from identity.secrets import ShownSecret
from koppel_mesh.http.idempotency import IdempotencyKey
from koppel_mesh.http.problems import not_found
from koppel_mesh.http.server import CurrentContext

from .audit_log import Audited
from .values import Administrator, revoke_client

router = APIRouter(prefix="/v1/clients/{client_id}/secrets", tags=["administration"])
OVERLAP_MAX_S = 30 * 86_400


class NewSecret(BaseModel):
    """For how long the secrets before stay valid."""

    model_config = ConfigDict(extra="forbid")
    overlap_s: Annotated[int, Field(ge=0, le=OVERLAP_MAX_S)] = 86_400


class NewSecretShown(BaseModel):
    """A secret, the only time its value is shown."""

    id: UUID
    client_id: str
    client_secret: str


class Secrets(BaseModel):
    """The secrets of a client."""

    items: list[ShownSecret]
    next: None = None


@router.post("", status_code=201, response_model=NewSecretShown)
async def add_secret(
    client_id: UUID,
    body: NewSecret,
    _: Administrator,
    context: CurrentContext,
    idempotency: IdempotencyKey,
    audited: Audited,
) -> Response:
    """Give a client a new secret; the ones before stay valid for a while."""
    secret = new_secret()
    hashed = await asyncio.to_thread(hash_secret, secret)
    async with context.database.transaction() as tx:
        if (earlier := await idempotency.claim(tx, context.resources)) is not None:
            return earlier
        client = await clients.locked(tx, client_id)
        if client is None:
            raise not_found("client")
        secret_id = await secrets.rotate(tx, client.id, hashed, body.overlap_s)
        about = {"client_id": client.client_id, "secret_id": secret_id, "overlap_s": body.overlap_s}
        await audited.note(tx, Act.SECRET_ADDED, client.firm_id, **about)
        answer = NewSecretShown(id=secret_id, client_id=client.client_id, client_secret=secret)
        return await idempotency.remember(tx, status=201, body=answer, ring=context.resources)


@router.get("")
async def list_secrets(client_id: UUID, _: Administrator, context: CurrentContext) -> Secrets:
    """List the secrets of a client without their values, oldest first, those that have ended too."""
    async with context.database.reading() as connection:
        if await clients.get(connection, client_id) is None:
            raise not_found("client")
        return Secrets(items=await secrets.of_client(connection, client_id))


@router.delete("/{secret_id}", status_code=204)
async def end_secret(
    client_id: UUID, secret_id: UUID, caller: Administrator, context: CurrentContext, audited: Audited
) -> None:
    """End a secret at once, because somebody else may have it; all tokens of the client end with it."""
    async with context.database.transaction() as tx:
        client = await clients.locked(tx, client_id)
        if client is None or not await secrets.end(tx, client_id, secret_id):
            raise not_found("secret")
        await revoke_client(tx, context.settings, client.client_id, by=caller.subject)
        await audited.note(tx, Act.SECRET_ENDED, client.firm_id, client_id=client.client_id, secret_id=secret_id)
