"""The loop that sends period mails, a part at a time: gather, mark, hand in, record.

A part is marked as leaving before it leaves. Where nobody knows whether it was taken, a person says, as for a delivery.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog

from billmail.attaching import Contents, File, plain_name, stem_of, zipped
from billmail.profiles import MailProfile
from billmail.readable import with_readable_pdf
from billmail.sender import Sender, hand_in
from billmail.texts import texts
from koppel_bookkeeping import Document
from koppel_connector import ActionRequired, ConnectorError, Problem, Rejected, Vendor
from koppel_connector.contract import MailCall, OutcomeUnknown, RateLimited, ReauthorisationRequired
from koppel_connector.extension import Kit, open_connection
from koppel_connector.mail.message import Envelope, compose
from koppel_mesh.clock import utc_now
from koppel_mesh.http.internal_client import InternalCallError, InternalClient
from koppel_mesh.ids import new_id
from koppel_mesh.prepared_sql import Record
from koppel_mesh.service import Context

from . import store
from .overview import Period, files_of, subject_of, text_of
from .reading import read_contents, read_document

OPERATION = "period_mail"
LOOP = "period-mails"
OVERHEAD_BYTES = 100_000
"""Headers, text and the ZIP's own bytes."""
BASE64_SHARE = 1.37
log = structlog.get_logger(__name__)


@dataclass
class Part:
    """What goes in one mail."""

    files: list[File] = field(default_factory=list)
    next_document: int = 0
    omitted: list[str] = field(default_factory=list)
    """Numbers of documents that no mail can hold."""

    @property
    def size_bytes(self) -> int:
        """How large the mail becomes at most: compression only helps."""
        return int(sum(len(file.content) for file in self.files) * BASE64_SHARE) + OVERHEAD_BYTES


async def serve_period_mails(context: Context) -> bool:
    """Send the next part that is due; True when there may be more."""
    kit: Kit = context.resources
    await store.take_from_the_dead(kit.database, kit.reporter.render(Problem("unknown_outcome_review")))
    row = await store.claim(kit.database, new_id())
    if row is None:
        return False
    try:
        async with open_connection(kit, row.connection_id) as vendor:
            await _send_part(kit, vendor, row)
    except ConnectorError as failure:
        await _record(kit, row, failure)
    except InternalCallError as error:
        log.warning("infrastructure unavailable, period mail deferred", period_mail=str(row.id), error=repr(error))
        await store.end(kit.database, row, "waiting", None, pause_s=_pause_s(kit, 1))
    return True


async def _send_part(kit: Kit, vendor: Vendor, row: Record) -> None:
    sender = Sender(vendor)
    if (problem := sender.problem) is not None:
        raise ActionRequired(problem)
    profile: MailProfile = vendor.settings.target
    dossier = await kit.mesh.get_json(f"/dossier-api/v1/dossiers/{row.dossier_id}")
    language = str(dossier["language"])
    period = Period(
        row.from_on, row.to_on, str(dossier["name"]), str(dossier["enterprise_number"]), row.remarks, row.open_count
    )
    part = Part(next_document=row.next_document, omitted=list(row.omitted))
    if row.parts_sent == 0:
        documents = [await read_document(kit.mesh, each) for each in row.document_ids]
        part.files += await asyncio.to_thread(files_of, period, documents, language)
    overview_count = len(part.files)
    if row.with_documents:
        await _gather(kit.mesh, row.document_ids, part, profile.size_limit_bytes, language)
    is_last = not row.with_documents or part.next_document >= len(row.document_ids)
    number = row.parts_sent + 1
    envelope = Envelope(
        message_id=sender.message_id(f"period-{row.id}-{number}"),
        sender=sender.address,
        sender_name=period.dossier_name,
        recipient=row.address,
        sent_at=utc_now(),
    )
    words = texts(language).period
    attached = _attached(part.files, overview_count, period, number) if row.with_documents else tuple(part.files)
    message = compose(
        envelope,
        subject_of(period, words, part=number, is_last=is_last, with_documents=row.with_documents),
        text_of(period, len(row.document_ids), with_documents=row.with_documents, language=language),
        attached,
    )
    call = MailCall(OPERATION, message, sender.bounces_to, (row.address,), sign=sender.sign)
    if not await store.mark_leaving(kit.database, row, part.next_document, part.omitted):
        return
    await hand_in(vendor, call)
    problem = Problem("period_mail_without", ", ".join(part.omitted)[:300]) if part.omitted and is_last else None
    await store.end(
        kit.database,
        row,
        "sent" if is_last else "waiting",
        kit.reporter.render(problem) if problem is not None else None,
        failures=0,
        next_document=part.next_document,
        parts_sent=number,
        omitted=part.omitted,
    )


async def _gather(
    mesh: InternalClient, document_ids: Sequence[str], part: Part, limit_bytes: int, language: str
) -> None:
    """Fill a part up to the limit; a document that no mail can hold is left out and named."""
    started_empty = len(part.files)
    while part.next_document < len(document_ids):
        document = await read_document(mesh, document_ids[part.next_document])
        files = await asyncio.to_thread(_files_of, document, await read_contents(mesh, document), language)
        with_it = Part([*part.files, *files])
        if with_it.size_bytes > limit_bytes:
            if len(part.files) > started_empty:
                return
            alone = Part(list(files))
            if alone.size_bytes <= limit_bytes:
                return  # the overview fills this mail
            part.omitted.append(document.number or str(document.id))
        else:
            part.files += files
        part.next_document += 1


def _files_of(document: Document, contents: Contents, language: str) -> tuple[File, ...]:
    """Return the UBL and the PDF of a document, side by side with one stem (R005); a statement as it is."""
    stem = stem_of(document)
    with contextlib.suppress(Rejected):  # a UBL that cannot be read goes along as it is
        contents = with_readable_pdf(contents, "zip", language)
    given = {"xml": contents.ubl, "pdf": contents.pdf, "cod": contents.coda}
    return tuple(File(f"{stem}.{ending}", content) for ending, content in given.items() if content is not None)


def _attached(files: Sequence[File], overview_count: int, period: Period, number: int) -> tuple[File, ...]:
    """Return the page of the overview for whoever opens no ZIP, and the ZIP with everything."""
    name = plain_name(f"{period.dossier_name}-{period.from_on}-{period.to_on}")[:80]
    return (*files[: min(overview_count, 1)], File(f"{name}-{number}.zip", zipped(tuple(files))))


async def _record(kit: Kit, row: Record, failure: ConnectorError) -> None:
    """Write what a failure means: a person's turn, or another try by schedule."""
    problem = kit.reporter.render(failure.problem or Problem("vendor_unavailable"))
    match failure:
        case OutcomeUnknown():
            await store.end(kit.database, row, "review", kit.reporter.render(Problem("unknown_outcome_review")))
        case ActionRequired() | Rejected() | ReauthorisationRequired():
            await store.end(kit.database, row, "failed", problem)
        case RateLimited():
            await store.end(kit.database, row, "waiting", problem, pause_s=_pause_s(kit, 1))
        case _:
            failures = row.failures + 1
            is_over = failures > len(kit.settings.retry_schedule_s)
            pause_s = 0.0 if is_over else _pause_s(kit, failures)
            await store.end(
                kit.database, row, "failed" if is_over else "waiting", problem, pause_s=pause_s, failures=failures
            )


def _pause_s(kit: Kit, failures: int) -> float:
    schedule = kit.settings.retry_schedule_s or (60.0,)
    return schedule[min(failures, len(schedule)) - 1]
