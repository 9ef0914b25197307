"""The digital mailbox and ScanService (R080, exact §3.10): a document goes there as a message with its files.

A person in Exact books it, or ScanService reads it, some time or never: a mailbox shows no booking. What became of a message its
RecipientStatus says; one that was processed becomes a Document, and its Document names the entry that was made of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from koppel_bookkeeping import SIDES, Side
from koppel_connector import (
    ActionRequired,
    CannotTell,
    DeliveryContext,
    Found,
    NotFound,
    Problem,
    ReadBack,
    Rejected,
    Sent,
    Vendor,
    odata,
    values,
)
from koppel_connector.contract import NotBooked, TurnedDown
from koppel_connector.ledger import reading_back
from koppel_connector.ledger.documents import PDF, XML, File, FileLimits, files_to_attach, read_document
from koppel_connector.odata import Row
from koppel_mesh.clock import brussels_date, utc_now

from . import answers, attaching, held_entries, rights
from .api import DOCUMENT, MAILBOXES, MESSAGE, Exact
from .settings import Destination, ExactSettings, StatementDestination

# No other type of file has a number of its own among the attachments of a message.
FILE_LIMITS: Final = FileLimits(size_bytes_max=10_000_000, media_types=frozenset({PDF, XML}))
_BELIEVED_S: Final = 86_400.0
_TYPES: Final[Mapping[Side, int]] = {"purchase": 1000, "sale": 1100}
_SCAN_OPERATIONS: Final[Mapping[Side, int]] = {"purchase": 2, "sale": 3}
_REFUSED: Final[Mapping[int, str]] = {5: "rejected", 45: "error", 46: "blocked"}
_PROCESSED: Final = 50
_CARRIERS: Final = {"mailbox": MESSAGE, "scan_service": MESSAGE, "document": DOCUMENT}


@dataclass(frozen=True)
class PreparedMessage:
    """What ``send`` needs: the message, its files, and what reading its booking back must show."""

    destination: Destination | StatementDestination
    body: Mapping[str, Any]
    files: tuple[File, ...]
    expected: Mapping[str, str]


def takes(context: DeliveryContext[ExactSettings]) -> bool:
    """Whether the delivery was made for a message."""
    return context.delivery.target is not None and context.delivery.target.may_stay_exported


def took(context: DeliveryContext[ExactSettings]) -> bool:
    """Whether a message was sent, or begun, for a delivery; or a Document that keeps a statement."""
    return context.progress.get("destination") in _CARRIERS


async def prepare(context: DeliveryContext[ExactSettings]) -> PreparedMessage:
    """Read the document, which must add up here, too, and find the mailbox that it goes to."""
    read = await read_document(context)
    booking, side = read.booking, SIDES[context.delivery.kind]
    files = await files_to_attach(context, read, FILE_LIMITS)
    # What was begun goes on to where it was begun, whatever the settings say by now.
    destination: Destination = context.progress.get("destination") or context.vendor.settings.destination.of(side)
    boxes = await mailboxes(Exact(context.vendor), destination, side)
    subject = attaching.subject_of(context, f"{booking.number} {booking.party.name}")
    return PreparedMessage(
        destination,
        {"Subject": subject, "Type": _TYPES[side], **boxes},
        files,
        {"total": str(booking.total)},
    )


async def send(context: DeliveryContext[ExactSettings], prepared: PreparedMessage) -> Sent:
    """Create the message and attach its files. Finished steps are not repeated."""
    names = [file.name for file in prepared.files]
    await context.save(destination=prepared.destination, files=names, expected=prepared.expected)
    try:
        carrier = _CARRIERS[prepared.destination]
        return Sent(await attaching.attach(Exact(context.vendor), context, carrier, prepared.body, prepared.files))
    except (ActionRequired, Rejected):
        # Perhaps the mailbox is no longer there: a retry asks again.
        await context.vendor.memory.forget(_key(prepared.destination, SIDES.get(context.delivery.kind)))
        raise


async def lookup(context: DeliveryContext[ExactSettings]) -> Found | NotFound | CannotTell:
    """Search the message by the mark in its Subject; one that lacks files is completed by ``send``."""
    carrier = _CARRIERS[context.progress["destination"]]
    result = await attaching.recover(Exact(context.vendor), context, carrier)
    message_id = context.progress.get("document_id")
    if message_id is None or isinstance(result, CannotTell):
        return result
    is_complete = set(context.progress["files"]) <= set(context.progress["attached"])
    # The message of an earlier delivery is completed no more, and is in the mailbox all the same.
    is_of_another = context.delivery.target is None
    return Found(message_id) if is_complete or is_of_another else result


async def read_back(
    vendor: Vendor[ExactSettings], contexts: Sequence[DeliveryContext[ExactSettings]]
) -> Mapping[UUID, ReadBack]:
    """Ask what became of the messages, in one call; of those that were processed, for their Documents and entries."""
    exact, sent = Exact(vendor), {str(each.delivery.remote_id).casefold(): each for each in contexts}
    rows = await exact.with_ids(MESSAGE.path, "ID", list(sent), "ID,RecipientStatus")
    statuses = {odata.same_guid(row["ID"]): values.integer(row.get("RecipientStatus")) or 0 for row in rows}
    results: dict[UUID, ReadBack] = {each.delivery.id: NotBooked() for each in contexts}
    for message_id, context in sent.items():
        if (refused := _REFUSED.get(statuses.get(message_id, 0))) is not None:
            # Sent again, it is another message.
            await attaching.forget(context)
            results[context.delivery.id] = TurnedDown(Problem("message_refused", refused))
    processed = [each for message_id, each in sent.items() if statuses.get(message_id) == _PROCESSED]
    return results | (await _booked(exact, vendor, processed) if processed else {})


async def mailboxes(exact: Exact, destination: Destination, side: Side | None = None) -> Mapping[str, Any]:
    """Return sender and recipient of a message, and what ScanService is to do: the probe of what the division has.

    Raises:
        ActionRequired: the company has no mailbox, or no ScanService, or the user may not see it.
    """

    async def ask() -> Mapping[str, Any]:
        return await ask_mailboxes(exact, destination, side)

    return dict(await exact.vendor.memory.believed(_key(destination, side), _BELIEVED_S, ask))


async def ask_mailboxes(exact: Exact, destination: Destination, side: Side | None) -> Mapping[str, Any]:
    """Ask Exact; as ``mailboxes``, without what is remembered."""
    operation = _SCAN_OPERATIONS[side] if side and destination == "scan_service" else None
    own = await _mailbox(exact, "PreferredMailbox") or await _mailbox(exact, "DefaultMailbox")
    to = own if operation is None else await _mailbox(exact, "PreferredMailboxForOperation", operation)
    if own is None or to is None:
        await rights.insist_on_reading(exact, MAILBOXES)
        raise answers.refusal("mailbox_missing" if own is None else "scan_service_missing", None)
    found = {"SenderMailboxID": own["ID"], "RecipientMailboxID": to["ID"]}
    return found if operation is None else {**found, "Operation": operation}


async def _mailbox(exact: Exact, function: str, operation: int | None = None) -> Row | None:
    """Return the mailbox of the division that a function of Exact's names; with an operation, only one of ScanService."""
    try:
        rows = await exact.list_from(
            f"read/mailbox/{function}", {} if operation is None else {"operation": str(operation)}
        )
    except ActionRequired as refused:
        if refused.problem is not None and refused.problem.code == "missing_right":
            # Whatever is asked of a mailbox is forbidden to a company whose licence has none (§3.10).
            raise answers.refusal("mailbox_missing", refused.problem.detail) from refused
        raise
    today, named = brussels_date(utc_now()), [row for row in rows if values.text(row.get("ID"))]
    return next((row for row in named if _serves(row, exact.division, today, scans=operation is not None)), None)


def _serves(row: Row, division: int | None, today: date, *, scans: bool) -> bool:
    """Whether a mailbox is this company's and valid today. One that is linked to another would book there (R081)."""
    of = values.integer(row.get("ForDivision"))
    begins, ends = odata.day(row.get("ValidFrom")), odata.day(row.get("ValidTo"))
    is_valid = (begins is None or begins <= today) and (ends is None or today <= ends)
    return of in (None, division) and is_valid and (values.flag(row.get("IsScanServiceMailbox")) or not scans)


async def _booked(
    exact: Exact, vendor: Vendor[ExactSettings], contexts: Sequence[DeliveryContext[ExactSettings]]
) -> dict[UUID, ReadBack]:
    """Return, by delivery, the entries that Exact shows to have been made of messages."""
    marks = {attaching.mark_of(each): each for each in contexts}
    fields = "ID,Subject,FinancialTransactionEntryID"
    entry_ids = {
        odata.same_guid(row.get("FinancialTransactionEntryID")): marks[mark]
        for row in await exact.about(DOCUMENT.path, list(marks), fields)
        if row.get("FinancialTransactionEntryID") and (mark := values.text(row["Subject"]).rpartition(" ")[2]) in marks
    }
    lines = await exact.transaction_lines(list(entry_ids)) if entry_ids else []
    return {
        context.delivery.id: _compared(vendor, context, head)
        for head in lines
        if (context := entry_ids.get(odata.same_guid(head.get("EntryID")))) is not None
    }


def _compared(vendor: Vendor[ExactSettings], context: DeliveryContext, head: Row) -> ReadBack:
    """Compare the total of an entry with the document's, without signs: what is owed stands on either side of the books."""
    number = held_entries.number_of(head) or ""
    url = held_entries.url_of(vendor, str(head["EntryID"]))
    held, expected = values.amount(head.get("AmountFC")), context.progress["expected"].get("total")
    is_other = expected is not None and held is not None and abs(held) != abs(Decimal(expected))
    return reading_back.compared([f"total {held}, sent {expected}"] if is_other else [], number, url)


def _key(destination: str, side: Side | None) -> str:
    return f"mailbox {destination} {side}"
