"""What a firm lets partners do with its data: granted, read and withdrawn by who administers the firm (scope ``admin``)."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from identity import consents
from identity.audit_log import Act
from identity.consents import Consent
from identity.settings import IdentitySettings
from koppel_mesh.auth import Caller, require
from koppel_mesh.http.idempotency import IdempotencyKey
from koppel_mesh.http.paging import Page, PageParams, uuid_cursor
from koppel_mesh.http.problems import FieldError, HttpProblem, not_found
from koppel_mesh.http.server import CurrentContext

from .audit_log import Acts, Audited
from .values import Scopes, revoke_client

router = APIRouter(prefix="/v1/consents", tags=["consents"])
Administrator = Annotated[Caller, Depends(require("admin"))]


class NewConsent(BaseModel):
    """Which partner may do what."""

    model_config = ConfigDict(extra="forbid")
    client_id: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f]+$")]
    scopes: Annotated[Scopes, Field(min_length=1)]
    reason: Annotated[str | None, Field(max_length=500, pattern=r"^[^\x00]*$")] = None


@router.post(
    "",
    status_code=201,
    response_model=Consent,
    responses={200: {"model": Consent, "description": "The firm consents to this already."}},
)
async def grant_consent(
    body: NewConsent, caller: Administrator, context: CurrentContext, idempotency: IdempotencyKey, audited: Audited
) -> Response:
    """Let a partner act for your firm with these scopes, from now until you withdraw it; they replace those granted before."""
    if caller.firm_id is None:
        raise HttpProblem(403, "bound_to_no_firm", "A firm consents for itself, and this token is bound to none.")
    async with context.database.transaction() as tx:
        if (earlier := await idempotency.claim(tx)) is not None:
            return earlier
        partner = await consents.partner(tx, body.client_id)
        if partner is None:
            raise _refused("client_id", "no_such_partner", "There is no partner of this id.")
        if beyond := set(body.scopes) - set(partner.scopes):
            named = ", ".join(sorted(beyond))
            raise _refused("scopes", "not_of_the_partner", f"The partner cannot have these scopes: {named}.")
        before = await consents.in_force(tx, partner, caller.firm_id)
        if before is not None and set(before.scopes) == set(body.scopes):
            return await idempotency.remember(tx, status=200, body=before)
        if before is not None:
            await _withdraw(tx, context.settings, before, caller, audited)
        granted = await consents.grant(tx, partner, caller.firm_id, body.scopes, reason=body.reason, by=caller.subject)
        await audited.note(tx, Act.CONSENT_GRANTED, caller.firm_id, **_about(granted))
        return await idempotency.remember(tx, status=201, body=granted)


@router.get("")
async def list_consents(
    page: PageParams,
    caller: Administrator,
    context: CurrentContext,
    client_id: Annotated[str | None, Query(max_length=64, pattern=r"^[^\x00]*$")] = None,
) -> Page[Consent]:
    """List your firm's consents in the order they were granted, those that were withdrawn too."""
    async with context.database.reading() as connection:
        rows = await consents.page(connection, caller, client_id, uuid_cursor(page), page.rows)
    return page.of(rows, Consent.model_validate)


@router.delete("/{consent_id}", status_code=204)
async def withdraw_consent(consent_id: UUID, caller: Administrator, context: CurrentContext, audited: Audited) -> None:
    """Withdraw a consent: the partner gets no token and no event any more, and its tokens for your firm end within seconds.

    The consent stays to be read, with who withdrew it and when.
    """
    async with context.database.transaction() as tx:
        consent = await consents.locked(tx, caller, consent_id)
        if consent is None:
            raise not_found("consent")
        if consent.withdrawn_at is None:
            await _withdraw(tx, context.settings, consent, caller, audited)


async def _withdraw(
    tx: AsyncConnection, settings: IdentitySettings, consent: Consent, caller: Caller, audited: Acts
) -> None:
    await consents.withdraw(tx, consent, caller.subject)
    await revoke_client(tx, settings, consent.client_id, consent.firm_id, by=caller.subject)
    await audited.note(tx, Act.CONSENT_WITHDRAWN, consent.firm_id, **_about(consent))


def _about(consent: Consent) -> dict[str, Any]:
    return {"consent_id": consent.id, "client_id": consent.client_id, "scopes": consent.scopes}


def _refused(field: str, code: str, sentence: str) -> HttpProblem:
    wrong = FieldError(field=f"body.{field}", rule=code, message=sentence)
    return HttpProblem(422, code, "Nothing was granted.", sentence, errors=[wrong])
