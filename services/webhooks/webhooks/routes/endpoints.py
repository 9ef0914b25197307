"""Endpoints: registered, verified, tested, paused, and their secrets replaced."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from koppel_mesh.auth import Caller, require, require_one_of
from koppel_mesh.http.idempotency import IdempotencyKey
from koppel_mesh.http.outside_client import ForbiddenAddress, NotLookedUpNow
from koppel_mesh.http.paging import Page, PageParams, uuid_cursor
from koppel_mesh.http.problems import FieldError, HttpProblem, not_found
from koppel_mesh.http.server import CurrentContext
from koppel_mesh.keyring import WrongKeyError
from koppel_mesh.service import Context
from webhooks import endpoints
from webhooks.loops import CHALLENGE, SEND
from webhooks.models import (
    EndpointChange,
    EndpointProblem,
    NewEndpoint,
    NewEndpointShown,
    NewSecret,
    PublicKeys,
    Rotation,
    ShownEndpoint,
    TestResult,
)
from webhooks.sending import challenge
from webhooks.sending.access import AccessUnknown, allowed, may_see

router = APIRouter(prefix="/v1/endpoints", tags=["endpoints"])
problems_router = APIRouter(prefix="/v1/problems", tags=["endpoints"])
Reader = Annotated[Caller, Depends(require_one_of("webhooks:read", "webhooks:write"))]
Writer = Annotated[Caller, Depends(require("webhooks:write"))]


@router.post("", status_code=201, response_model=NewEndpointShown)
async def register_endpoint(
    body: NewEndpoint, context: CurrentContext, caller: Writer, key: IdempotencyKey
) -> Response:
    """Register an address. Its secret is in this answer and nowhere else; a challenge is sent to the address next."""
    async with context.database.reading() as reading:
        has_room = await endpoints.has_room(reading, caller)
    if has_room:
        await _insist_on_outside(
            context, {"url": body.url, "auth.token_url": body.auth.token_url if body.auth else None}
        )
        await _insist_on_consent(context, caller, body.firm_ids)
    ring = context.resources.ring
    async with context.database.transaction() as tx:
        if (earlier := await key.claim(tx, ring)) is not None:
            return earlier
        if not has_room:  # also when there is some by now: nothing was checked
            raise endpoints.too_many()
        row, secret = await endpoints.add(tx, ring, caller, body)
        made = NewEndpointShown(**endpoints.shown(row).model_dump(), secret=secret)
        answer: Response = await key.remember(tx, status=201, body=made, ring=ring)
    context.wake(CHALLENGE)
    return answer


@router.get("")
async def list_endpoints(context: CurrentContext, caller: Reader, page: PageParams) -> Page[ShownEndpoint]:
    """List your endpoints in the order they were registered."""
    async with context.database.reading() as reading:
        rows = await endpoints.page(reading, caller, uuid_cursor(page), page.rows)
    return page.of(rows, endpoints.shown)


@problems_router.get("")
async def list_problems(context: CurrentContext, caller: Reader, page: PageParams) -> Page[EndpointProblem]:
    """List the open problems of your endpoints: what was disabled, and what has not answered its challenge."""
    async with context.database.reading() as reading:
        rows = await endpoints.problems(reading, caller, uuid_cursor(page), page.rows)
    return page.of(rows, lambda row: EndpointProblem(**dict(row) | row.problem), lambda row: [str(row.endpoint_id)])


@router.get("/{endpoint_id}")
async def read_endpoint(endpoint_id: UUID, context: CurrentContext, caller: Reader) -> ShownEndpoint:
    """Return an endpoint, with its state and what is wrong with it."""
    async with context.database.reading() as reading:
        return endpoints.shown(await endpoints.of_caller(reading, caller, endpoint_id))


@router.patch("/{endpoint_id}")
async def change_endpoint(
    endpoint_id: UUID, body: EndpointChange, context: CurrentContext, caller: Writer
) -> ShownEndpoint:
    """Change an endpoint, or pause it: what happens meanwhile is sent when it is enabled again."""
    await _insist_on_outside(context, {"url": body.url, "auth.token_url": body.auth.token_url if body.auth else None})
    await _insist_on_consent(context, caller, body.firm_ids)
    async with context.database.transaction() as tx:
        row = await endpoints.of_caller(tx, caller, endpoint_id, to_change=True)
        await endpoints.change(tx, context.resources.ring, row, body)
        changed = endpoints.shown(await endpoints.of_caller(tx, caller, endpoint_id))
    context.wake(CHALLENGE)
    return changed


@router.delete("/{endpoint_id}", status_code=204)
async def delete_endpoint(endpoint_id: UUID, context: CurrentContext, caller: Writer) -> None:
    """Delete an endpoint; what was on its way to it is sent no more."""
    async with context.database.transaction() as tx:
        await endpoints.remove(tx, caller, endpoint_id)


@router.post("/{endpoint_id}/enable")
async def enable_endpoint(endpoint_id: UUID, context: CurrentContext, caller: Writer) -> ShownEndpoint:
    """Send to a paused endpoint again; one that is disabled or not verified gets a new challenge first."""
    async with context.database.transaction() as tx:
        row = await endpoints.of_caller(tx, caller, endpoint_id, to_change=True)
        await endpoints.enable(tx, row)
        enabled = endpoints.shown(await endpoints.of_caller(tx, caller, endpoint_id))
    for loop in (CHALLENGE, SEND):
        context.wake(loop)
    return enabled


@router.post("/{endpoint_id}/rotate-secret", response_model=NewSecret)
async def rotate_secret(
    endpoint_id: UUID, body: Rotation, context: CurrentContext, caller: Writer, key: IdempotencyKey
) -> Response:
    """Make a new secret and key pair. During the overlap both sign; the new secret is in this answer and nowhere else.

    With an ``Idempotency-Key`` an answer that was lost can be had again. Without one its secret is lost with it, and after the
    overlap nothing that you have checks our signatures.
    """
    ring = context.resources.ring
    async with context.database.transaction() as tx:
        if (earlier := await key.claim(tx, ring)) is not None:
            return earlier
        row = await endpoints.of_caller(tx, caller, endpoint_id, to_change=True)
        secret, ends_at = await endpoints.rotate(tx, ring, row, body.overlap_s)
        made = NewSecret(secret=secret, previous_ends_at=ends_at)
        return await key.remember(tx, status=200, body=made, ring=ring)


@router.post("/{endpoint_id}/test")
async def test_endpoint(endpoint_id: UUID, context: CurrentContext, caller: Writer) -> TestResult:
    """Send an ``endpoint.test`` event, or the challenge while the endpoint is not verified, and return what came of it."""
    async with context.database.reading() as reading:
        row = await endpoints.of_caller(reading, caller, endpoint_id)
    try:
        if not await may_see(context, row.client_id, endpoints.firms_of(row)):
            raise not_found("endpoint")
        made = await challenge.probe(context, row)
    except (AccessUnknown, WrongKeyError) as error:
        raise _try_again("A test cannot be sent right now.") from error
    if made.withheld:
        raise not_found("endpoint")
    async with context.database.reading() as reading:
        state = (await endpoints.of_caller(reading, caller, endpoint_id)).state
    taken = made.status is not None and 200 <= made.status < 300
    outcome = "delivered" if taken else "failed"
    return TestResult(
        outcome=outcome, status=made.status, duration_ms=made.duration_ms, answer=made.answer, state=state
    )


@router.get("/{endpoint_id}/keys")
async def list_public_keys(endpoint_id: UUID, context: CurrentContext) -> PublicKeys:
    """Return the public keys of ``v1a`` signatures, by the ids of the header ``webhook-key-id``. No token is needed."""
    async with context.database.reading() as reading:
        keys = await endpoints.public_keys(reading, endpoint_id)
    if not keys:
        raise not_found("endpoint")
    return PublicKeys(keys=keys)


async def _insist_on_consent(context: Context, caller: Caller, firm_ids: list[UUID] | None) -> None:
    """Refuse firms whose events the caller may not receive; its token shows that it may see its own.

    Raises:
        HttpProblem: 422 ``firm_has_not_consented``; 503 while identity is away.
    """
    others = {(caller.subject, firm_id) for firm_id in firm_ids or [] if firm_id != caller.firm_id}
    if not others:
        return
    try:
        # Another issuer cannot be asked, and its token speaks for one firm.
        granted = await allowed(context, others) if context.settings.oidc_issuer is None else set()
    except AccessUnknown as error:
        raise _try_again("Consents cannot be asked for right now.") from error
    if refused := sorted(str(firm_id) for _, firm_id in others - granted):
        title = "A firm has not consented to this."
        detail = f"It may not be known either: {', '.join(refused)}"
        wrong = FieldError(field="body.firm_ids", rule="firm_has_not_consented", message=detail)
        raise HttpProblem(422, "firm_has_not_consented", title, detail, errors=[wrong])


def _try_again(title: str) -> HttpProblem:
    return HttpProblem(503, "try_again", title, headers={"Retry-After": "5"})


async def _insist_on_outside(context: Context, urls: dict[str, str | None]) -> None:
    """Refuse addresses that are not outside.

    Raises:
        HttpProblem: 422 ``address_not_allowed``, naming the field; 503 while too many names are looked up.
    """
    for field, url in urls.items():
        if url is None:
            continue
        try:
            await context.resources.outside.check(url)
        except ForbiddenAddress as error:
            wrong = FieldError(field=f"body.{field}", rule="address_not_allowed", message=str(error))
            raise HttpProblem(
                422, "address_not_allowed", "This address is not called.", str(error), errors=[wrong]
            ) from error
        except NotLookedUpNow as error:
            raise _try_again("An address cannot be looked up right now.") from error
