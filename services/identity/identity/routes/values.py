"""What several routes take and do."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends
from pydantic import AfterValidator, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from identity import revocations
from identity.settings import IdentitySettings
from koppel_mesh.auth import SCOPES, Caller, require
from koppel_mesh.http.problems import HttpProblem


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


async def revoke_client(
    tx: AsyncConnection, settings: IdentitySettings, client_id: str, firm_id: UUID | None = None, *, by: str
) -> None:
    """Revoke every token that a client has got, whose row this transaction has locked; of one firm, or of all."""
    await revocations.revoke_client(tx, client_id, firm_id, by=by, token_lifetime_s=settings.token_lifetime_s)
