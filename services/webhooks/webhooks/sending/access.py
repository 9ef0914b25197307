"""Whether partners may still see the firms whose events are on their way to them: asked anew for every batch that is sent.

identity knows: a client that was disabled, or whose firm has withdrawn its consent or the scope, gets nothing any more. Where
tokens come from another provider (``KOPPEL_OIDC_ISSUER``) it cannot be asked, and who registered an endpoint stays its owner.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import urlencode
from uuid import UUID

import structlog

from koppel_mesh.http.internal_client import InternalCallError
from koppel_mesh.service import Context

SCOPES = frozenset({"webhooks:read", "webhooks:write"})
DEADLINE_S = 5.0
"""For one question, however many parts it is asked in."""
ASKED_AT_ONCE = 50
"""Their query keeps within the 8 KB that servers on the way commonly take."""
log = structlog.get_logger(__name__)

Pair = tuple[str, UUID]
"""A client and a firm."""


class AccessUnknown(Exception):
    """identity does not answer now."""


async def allowed(context: Context, wanted: Iterable[Pair]) -> set[Pair]:
    """Return those clients and firms of ``wanted`` for which the client may receive the firm's events.

    Raises:
        AccessUnknown: it cannot be known now, so nothing may be sent.
    """
    pairs = set(wanted)
    if context.settings.oidc_issuer is not None:
        return pairs
    granted: set[Pair] = set()
    try:
        async with asyncio.timeout(DEADLINE_S):
            for some in _some_at_a_time(sorted(pairs)):
                granted |= await _granted(context, some)
    except TimeoutError as error:
        log.warning("identity does not say in time who may receive events; they wait")
        raise AccessUnknown from error
    return pairs & granted


async def may_see(context: Context, client_id: str, firm_ids: Iterable[UUID]) -> bool:
    """Return whether a client may receive the events of one of these firms at least.

    Raises:
        AccessUnknown: it cannot be known now.
    """
    return bool(await allowed(context, {(client_id, firm_id) for firm_id in firm_ids}))


async def _granted(context: Context, pairs: Sequence[Pair]) -> set[Pair]:
    clients = sorted({("client_id", client_id) for client_id, _ in pairs})
    firms = sorted({("firm_id", str(firm_id)) for _, firm_id in pairs})
    query = urlencode([*clients, *firms])
    try:
        answer = await context.mesh.get_json(f"/identity/v1/client-access?{query}", deadline_s=DEADLINE_S)
    except InternalCallError as error:
        log.warning("identity does not say who may receive events; they wait", error=str(error))
        raise AccessUnknown from error
    return {(item["client_id"], UUID(item["firm_id"])) for item in answer["items"] if SCOPES & set(item["scopes"])}


def _some_at_a_time(pairs: list[Pair]) -> Iterator[list[Pair]]:
    return (pairs[start : start + ASKED_AT_ONCE] for start in range(0, len(pairs), ASKED_AT_ONCE))
