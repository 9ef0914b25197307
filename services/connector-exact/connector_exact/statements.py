"""Bank statements: a CODA file goes to the digital mailbox, which Exact imports into the books of a linked account (exact §3.11).

Statements of an account come one after the other (``DocumentReady.sequence_key``), each in a message of its own.
"""

from typing import Any, Final

from koppel_connector import DeliveryContext, Problem
from koppel_connector.ledger.documents import CODA, File
from koppel_connector.ledger.records import Records
from koppel_connector.ledger.statements import number_of, read_statements

from . import attaching, mailbox
from .api import Exact
from .mailbox import PreparedMessage
from .master_data import Journal
from .settings import ExactSettings

BANK: Final = 2000


async def prepare(context: DeliveryContext[ExactSettings]) -> PreparedMessage:
    """Read the file, which holds one account, and find the mailbox."""
    file, exact = await read_statements(context), Exact(context.vendor)
    linked = {journal.iban for journal in Records(context.vendor.master_data, Journal).all_by_code().values()}
    # A mailbox that is not linked to the account imports nothing, and says nothing.
    await context.warn([] if file.account in linked else [Problem("bank_not_linked", file.account)])
    number = number_of(file.last)
    body: dict[str, Any] = {
        "Subject": attaching.subject_of(context, f"CODA {file.account} {number}"),
        "Type": BANK,
        "BankAccount": file.account,
        "ForDivision": exact.division,
        **await mailbox.mailboxes(exact, "mailbox"),
    }
    name = f"{file.account}-{file.closed_on:%Y}-{number:03}.cod"
    return PreparedMessage("mailbox", body, (File(name, await context.content("coda"), CODA),), {})
