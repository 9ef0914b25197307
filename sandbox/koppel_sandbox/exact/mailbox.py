"""The digital mailbox and ScanService (exact §3.10, exact §3.11, point 42): messages walk on at a control request."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4
from xml.etree import ElementTree

from . import documents
from .call import Call
from .odata.replies import Refusal
from .resources import Resource
from .state import Division, Record
from .texts import say
from .typed_in import type_in

REJECTED, DRAFT, OPEN, IN_PROCESS, SCANNING, ERROR, BLOCKED, PROCESSED = 5, 10, 20, 42, 43, 45, 46, 50
FINAL = frozenset({REJECTED, ERROR, BLOCKED, PROCESSED})
PURCHASE, SALE, BANK, SCANNED = 1000, 1100, 2000, 7000
MESSAGE_TYPES = frozenset({0, PURCHASE, SALE, 1200, 1300, BANK, 3000, SCANNED})
OPERATIONS = frozenset({1, 2, 3, 4})
PDF, BANK_FILE = 10, 70
UBL = frozenset({20, 23, 24, 50, 130})
ATTACHMENT_TYPES = UBL | {PDF, 21, BANK_FILE, 80, 110}
DOCUMENT_TYPES = {SALE: 10, BANK: 130}
PURCHASE_DOCUMENT = 20


def on_send(call: Call, _: Resource, record: Record) -> None:
    """Take a message in; one to ScanService says what is to be done with it."""
    boxes = call.division.tables["Mailboxes"]
    for name in ("SenderMailboxID", "RecipientMailboxID"):
        if record[name] not in boxes:
            raise Refusal(500, say("Invalid reference: Mailbox", call.language))
    if record.get("Type", 0) not in MESSAGE_TYPES:
        raise Refusal(500, say("Invalid: Type", call.language))
    scans = boxes[record["RecipientMailboxID"]].get("IsScanServiceMailbox")
    if scans and record.get("Operation") not in OPERATIONS:
        raise Refusal(500, say("Mandatory: Operation", call.language))
    record["RecipientStatus"] = SCANNING if scans else OPEN


def on_attach(call: Call, _: Resource, record: Record) -> None:
    """Hang a file on a message that nobody has finished with."""
    message = call.division.tables["MailMessagesSent"].get(record["MailMessageID"])
    if message is None:
        raise Refusal(500, say("Invalid reference: Mail message", call.language))
    if message["RecipientStatus"] in FINAL:
        raise Refusal(500, say("Not allowed: Attachment", call.language))
    if record.get("Type") not in ATTACHMENT_TYPES:
        raise Refusal(500, say("Invalid: Type", call.language))
    content: bytes = record.pop("Attachment")
    if len(content) > documents.ATTACHMENT_MAX_BYTES:
        raise Refusal(call.state.switches.too_large_status, "The attachment is too large.")
    record["FileSize"], record["@content"] = len(content), content


def process(division: Division, message: Record, status: int) -> None:
    """Move a message on; what came to its end stays there. A processed one gives a document, as an accountant's work would."""
    if message["RecipientStatus"] in FINAL:
        return
    files = [one for one in division.tables["MailMessageAttachments"].values() if one["MailMessageID"] == message["ID"]]
    if status == PROCESSED and message.get("Type") == BANK and not _is_linked(division, message):
        # A postbox that is not linked to the account imports nothing (exact §3.11).
        status = ERROR
    message["RecipientStatus"] = status
    if status != PROCESSED:
        return
    kind = message.get("Type")
    ubl = next((one["@content"] for one in files if one.get("Type") in UBL), None) if kind != BANK else None
    entry = _book(division, ubl, sells=kind == SALE) if ubl is not None else None
    document = _document(division, message, entry)
    if entry is not None:
        entry["Document"] = document["ID"]
        division.tables["Entries"].touch(entry["EntryID"])
    if kind == BANK:
        key = str(uuid4())
        imported = {"BankAccount": message.get("BankAccount"), "Document": document["ID"], "Result": 0}
        division.put("ImportNotifications", key, {"ID": key, **imported})


def _document(division: Division, message: Record, entry: Record | None) -> Record:
    key = str(uuid4())
    return division.put(
        "Documents",
        key,
        {
            "ID": key,
            "Subject": message["Subject"],
            "Type": DOCUMENT_TYPES.get(message.get("Type", 0), PURCHASE_DOCUMENT),
            "HID": len(division.tables["Documents"]) + 1,
            "ProposedEntryStatus": 20 if entry is None else 50,
            "FinancialTransactionEntryID": None if entry is None else entry["EntryID"],
        },
    )


def _is_linked(division: Division, message: Record) -> bool:
    linked = {journal.get("BankAccountIBAN") for journal in division.tables["Journals"].values()} - {None}
    return message.get("BankAccount") in linked


def _book(division: Division, ubl: bytes, *, sells: bool) -> Record:
    """Book the invoice of a file, as its proposed entry is accepted."""
    root = ElementTree.fromstring(ubl)  # noqa: S314 - it was sent by a test

    def text(path: str, below: Any = root) -> str:
        found = below.find("/".join(f"{{*}}{step}" for step in path.split("/")))
        return (found.text or "").strip() if found is not None else ""

    party = root.find("{*}AccountingCustomerParty" if sells else "{*}AccountingSupplierParty")
    total = Decimal(text("LegalMonetaryTotal/TaxInclusiveAmount"))
    return type_in(
        division,
        sells=sells,
        number=text("ID"),
        issued_on=date.fromisoformat(text("IssueDate")),
        total=-total if root.tag.endswith("}CreditNote") else total,
        name=text("Party/PartyLegalEntity/RegistrationName", party),
        vat_number=text("Party/PartyTaxScheme/CompanyID", party),
    )
