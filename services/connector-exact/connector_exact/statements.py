"""Bank and cash statements, one file of one account at a time, in the order of the account (``DocumentReady.sequence_key``).

A CODA file goes to the digital mailbox, which imports it where the account is linked (exact §3.11). For a company without one the
settings say whether statements are entered in a journal (``bank_entries``), or kept as Documents that nothing is booked from.
"""

import re
from typing import Any, Final

from koppel_connector import DeliveryContext, Problem, values
from koppel_connector.ledger.documents import CODA, File
from koppel_connector.ledger.records import Records
from koppel_connector.ledger.statements import StatementFile, number_of, read_statements

from . import attaching, bank_entries, mailbox
from .api import DOCUMENT_TYPES, Exact
from .bank_entries import PreparedBankEntries
from .mailbox import PreparedMessage
from .master_data import Journal
from .settings import ExactSettings, StatementDestination

BANK: Final = 2000
MISCELLANEOUS: Final = 55
"""The type of a Document where the company has none of its own for bank statements (exact §3.9)."""
_BELIEVED_S: Final = 86_400.0
_BANK_STATEMENT: Final = re.compile(r"bankafschrift|rekeninguittreksel|extrait|relevé|bank statement", re.IGNORECASE)


async def prepare(context: DeliveryContext[ExactSettings]) -> PreparedMessage | PreparedBankEntries:
    """Read the file, which holds one account, and compose what the settings make of it."""
    file, exact = await read_statements(context), Exact(context.vendor)
    # What was begun goes on to where it was begun, whatever the settings say by now.
    begun: StatementDestination | None = context.progress.get("destination")
    destination = begun or context.vendor.settings.destination.statement
    number = number_of(file.last)
    subject = attaching.subject_of(context, f"CODA {file.account} {number}")
    name = f"{file.account}-{file.closed_on:%Y}-{number:03}.cod"
    attachment = File(name, await context.content("coda"), CODA)
    if destination == "mailbox":
        return PreparedMessage(destination, await _message(exact, file, context, subject), (attachment,), {})
    document = {"Subject": subject, "Type": await _document_type(exact), "DocumentDate": file.closed_on}
    if destination == "document":
        return PreparedMessage(destination, document, (attachment,), {})
    return await bank_entries.prepare(context, file, document, attachment)


async def _message(
    exact: Exact, file: StatementFile, context: DeliveryContext[ExactSettings], subject: str
) -> dict[str, Any]:
    linked = {journal.iban for journal in Records(context.vendor.master_data, Journal).all_by_code().values()}
    # A mailbox that is not linked to the account imports nothing, and says nothing.
    await context.warn([] if file.account in linked else [Problem("bank_not_linked", file.account)])
    addressed = await mailbox.mailboxes(exact, "mailbox")
    about = {"Subject": subject, "Type": BANK, "BankAccount": file.account, "ForDivision": exact.division}
    return {**about, **addressed}


async def _document_type(exact: Exact) -> int:
    """Return the company's type of Document for bank statements, where exactly one is called so."""

    async def ask() -> int:
        rows = await exact.list_of(DOCUMENT_TYPES)
        named = [row for row in rows if _BANK_STATEMENT.search(values.text(row.get("Description")))]
        usable = [values.integer(row["ID"]) for row in named if values.flag(row.get("DocumentIsCreatable"))]
        return usable[0] or MISCELLANEOUS if len(usable) == 1 else MISCELLANEOUS

    return int(await exact.vendor.memory.believed("document type of statements", _BELIEVED_S, ask))
