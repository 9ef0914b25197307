"""The digital mailbox (exact §3.10, point 42): messages walk on only when a control request moves them."""

from uuid import uuid4

from .call import Call
from .odata.replies import Refusal
from .resources import Resource
from .state import Division, Record
from .texts import say

OPEN, IN_PROCESS, ERROR, PROCESSED = 20, 42, 45, 50


def on_send(call: Call, _: Resource, record: Record) -> None:
    """Take a message in."""
    boxes = call.division.tables["Mailboxes"]
    for name in ("SenderMailboxID", "RecipientMailboxID"):
        if record[name] not in boxes:
            raise Refusal(500, say("Invalid reference: Mailbox", call.language))
    record["RecipientStatus"] = OPEN


def on_attach(call: Call, _: Resource, record: Record) -> None:
    """Hang a file on a message."""
    if record["MailMessageID"] not in call.division.tables["MailMessagesSent"]:
        raise Refusal(500, say("Invalid reference: Mail message", call.language))
    content: bytes = record.pop("Attachment")
    record["FileSize"], record["@content"] = len(content), content


def process(division: Division, message: Record, status: int) -> None:
    """Move a message on; a processed one gives a document, as an accountant's work would."""
    message["RecipientStatus"] = status
    if status == PROCESSED:
        key = str(uuid4())
        division.put(
            "Documents",
            key,
            {
                "ID": key,
                "Subject": message["Subject"],
                "Type": 20,
                "HID": len(division.tables["Documents"]) + 1,
                "ProposedEntryStatus": 20,
                "FinancialTransactionEntryID": str(uuid4()),
            },
        )
