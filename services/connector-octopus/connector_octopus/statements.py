"""Bank statements: a CODA file goes to Octopus where its opening balance continues the journal of its account (octopus §2.9).

Statements of an account come one after the other (``DocumentReady.sequence_key``). After a call without an answer the balance
of the journal says whether the file is in.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from koppel_connector import CannotTell, DeliveryContext, Found, NotFound, Sent, values
from koppel_connector.ledger.records import Records
from koppel_connector.ledger.statements import StatementFile, read_statements

from .api import Octopus
from .journals import calendar
from .master_data import FINANCIAL, Journal
from .rows import Row
from .settings import OctopusSettings

_BALANCES: Final = ("balance", "closingBalance", "endBalance", "amount")
"""What the balance of a financial journal may be called; no source shows the answer (octopus §2.9)."""


@dataclass(frozen=True)
class PreparedStatement:
    """One file, and where its account stands in the books."""

    file: StatementFile
    bookyear: int
    journal: str


async def prepare(context: DeliveryContext[OctopusSettings]) -> PreparedStatement:
    """Read the file, find the journal of its account and check that its opening balance is the journal's.

    Raises:
        CannotBook: the file cannot be read, no financial journal has its account, or a statement before it is missing.
    """
    file, octopus = await read_statements(context), Octopus(context.vendor)
    journals = Records(context.vendor.master_data, Journal).all_by_code().values()
    financial = [each for each in journals if each.code.startswith(FINANCIAL)]
    journal = file.journal_among(financial, context.vendor.settings.statement_journals).code
    period = await calendar(octopus, context).insist_on_open(journal, file.closed_on)
    assert period is not None, "the calendar of a vendor whose bookings name their period finds one, or raises"
    held = balance_of(await octopus.journal_balance(period.year, journal))
    file.insist_on_continuity(journal, held, await file.last_sent(context.vendor.memory))
    return PreparedStatement(file, period.year, journal)


async def send(context: DeliveryContext[OctopusSettings], prepared: PreparedStatement) -> Sent:
    """Hand the file in; what ``lookup`` compares is saved first."""
    file, journal = prepared.file, prepared.journal
    balances = [str(file.opening), str(file.closing)]
    await context.save(bookyear=prepared.bookyear, journal=journal, balances=balances)
    await Octopus(context.vendor).send_coda(file)
    await file.remember_sent(context.vendor.memory)
    return Sent(f"{journal}/{file.closing}", journal)


async def lookup(context: DeliveryContext[OctopusSettings]) -> Found | NotFound | CannotTell:
    """Say by the journal's balance whether the file is in: it stands at the file's end, or still at its beginning."""
    if "balances" not in context.progress:
        return NotFound()
    journal = context.progress["journal"]
    opening, closing = map(Decimal, context.progress["balances"])
    held = balance_of(await Octopus(context.vendor).journal_balance(context.progress["bookyear"], journal))
    if opening == closing or held not in (opening, closing):
        # No movement, or others came after it: the balance proves nothing.
        return CannotTell(f"journal {journal} stands at {held}")
    return Found(f"{journal}/{closing}", journal) if held == closing else NotFound()


def balance_of(row: Row) -> Decimal | None:
    """Return the balance that a financial journal stands at; None where the answer has none."""
    return next((found for name in _BALANCES if (found := values.amount(row.get(name))) is not None), None)
