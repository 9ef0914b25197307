"""Mails to the owners of endpoints that were disabled: a channel that does not depend on the endpoint.

A mail is a row of the transaction that disabled the endpoint, so none is lost. A process that dies between the mail server's
answer and its record has it sent again, with the same Message-ID.
"""

import asyncio
from collections.abc import Sequence
from urllib.parse import urlsplit

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_connector.mail.handing_in import hand_in
from koppel_mesh.http.client import NotSent, Unanswered
from koppel_mesh.ids import new_id
from koppel_mesh.messages import ProblemData
from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.service import Context

from .settings import WebhookSettings

BATCH = 10
DEADLINE_S = 20.0
LEASE_S = 60.0
MAILS_A_DAY = 5
"""To one address: whoever registers it decides when an endpoint fails, and it may be somebody else's."""
log = structlog.get_logger(__name__)

_ADD = Statement("""
    INSERT INTO owner_mail (id, endpoint_id, recipient, subject, content)
    SELECT :id, :endpoint_id, CAST(:recipient AS text), :subject, :content
    WHERE (SELECT count(*) FROM owner_mail
        WHERE recipient = CAST(:recipient AS text) AND created_at > now() - interval '1 day') < :most
""")
_CLAIM = Statement("""
    UPDATE owner_mail SET attempts = attempts + 1, due_at = now()
        + greatest((CAST(:schedule_s AS float8[]))[attempts + 1], :lease_s) * interval '1 second'
    WHERE id IN (SELECT id FROM owner_mail WHERE due_at <= now() ORDER BY due_at LIMIT :batch FOR NO KEY UPDATE SKIP LOCKED)
    RETURNING *
""")
_END = Statement("UPDATE owner_mail SET due_at = NULL, sent_at = CASE WHEN :sent THEN now() END WHERE id = :id")
_FORGET = Statement("DELETE FROM owner_mail WHERE due_at IS NULL AND created_at < now() - :days * interval '1 day'")


async def write(tx: AsyncConnection, disabled: Sequence[Record], settings: WebhookSettings) -> None:
    """Have the owners of endpoints told that these were disabled, as far as they gave an address and there is a mail server."""
    for row in disabled:
        if row.contact_email is None or settings.mail_server is None:
            continue
        # The path and the query of an address may be what keeps it secret.
        host = urlsplit(row.url).netloc
        told = ProblemData.model_validate(row.problem).message
        where = f"{settings.public_url}/webhooks/v1/endpoints/{row.id}"
        mail = {
            "id": new_id(),
            "endpoint_id": row.id,
            "recipient": row.contact_email,
            "subject": f"Webhook endpoint at {host} was disabled",
            "content": f"{host}\n{where}\n\n{told.nl}\n\n{told.fr}\n\n{told.en}\n",
        }
        await _ADD.run(tx, {**mail, "most": MAILS_A_DAY})


async def send_due(context: Context) -> bool:
    """Send the mails that are due, and forget those that have been kept long enough; True while there may be more."""
    settings: WebhookSettings = context.settings
    async with context.database.transaction() as tx:
        await _FORGET.run(tx, {"days": settings.webhook_event_days})
        if settings.mail_server is None:
            return False
        schedule_s = list(settings.webhook_retry_schedule_s)
        due = await _CLAIM.all(tx, {"schedule_s": schedule_s, "lease_s": LEASE_S, "batch": BATCH})
    await asyncio.gather(*(_send(context, row) for row in due))
    return len(due) == BATCH


async def _send(context: Context, row: Record) -> None:
    settings: WebhookSettings = context.settings
    try:
        reference = f"webhook-{row.id}"
        reply = await hand_in(settings, reference, row.recipient, row.subject, row.content, deadline_s=DEADLINE_S)
        reason = f"{reply.code} {reply.text}"
        is_sent, is_refused = reply.code < 300, reply.code >= 500
    except (NotSent, Unanswered) as error:
        reason, is_sent, is_refused = str(error), False, False
    is_over = is_sent or is_refused or row.attempts > len(settings.webhook_retry_schedule_s)
    if not is_sent:
        log.warning(
            "the owner of an endpoint was not reached by mail",
            endpoint=str(row.endpoint_id),
            reason=reason,
            last=is_over,
        )
    if is_over:
        async with context.database.transaction() as tx:
            await _END.run(tx, {"id": row.id, "sent": is_sent})
