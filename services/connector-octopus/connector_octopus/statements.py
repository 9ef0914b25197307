"""Bank statements: a CODA file goes to Octopus where its opening balance continues the journal of its account (octopus §2.9).

Statements of an account come one after the other (``DocumentReady.sequence_key``). After a call without an answer the balance
of the journal says whether the file is in.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import koppel_coda
from koppel_bookkeeping import CannotBook
from koppel_connector import CannotTell, DeliveryContext, Found, NotFound, Sent, values
from koppel_connector.ledger.records import Records

from .api import Octopus, Row
from .journals import calendar
from .master_data import FINANCIAL, Journal
from .settings import OctopusSettings

_BALANCES: Final = ("balance", "closingBalance", "endBalance", "amount")
"""What the balance of a financial journal may be called; no source shows the answer (octopus §2.9)."""


@dataclass(frozen=True)
class PreparedStatement:
    """One file, and where its account stands in the books."""

    text: str
    account: str
    bookyear: int
    journal: str
    first: koppel_coda.Statement
    last: koppel_coda.Statement

    @property
    def opening(self) -> Decimal:
        """Return the balance that the file begins with."""
        return self.first.old_balance.amount

    @property
    def closing(self) -> Decimal:
        """Return the balance that it ends with."""
        return self.last.closing


async def prepare(context: DeliveryContext[OctopusSettings]) -> PreparedStatement:
    """Read the file, find the journal of its account and check that its opening balance is the journal's.

    Raises:
        CannotBook: the file cannot be read, no financial journal has its account, or a statement before it is missing.
    """
    content = await context.content("coda")
    try:
        statements = koppel_coda.read(content)
    except koppel_coda.ReadError as error:
        raise CannotBook("document_unreadable", str(error)) from error
    first, last = statements[0], statements[-1]
    accounts = list(dict.fromkeys(each.account.key for each in statements))
    day = (last.new_balance.on if last.new_balance else None) or last.header.created_on
    if len(accounts) > 1 or day is None:
        raise CannotBook("document_unreadable", "no date" if day is None else f"accounts {accounts}")
    account, octopus = first.account.iban or first.account.number, Octopus(context.vendor)
    journal = _journal_of(context, account)
    period = await calendar(octopus, context).insist_on_open(journal, day)
    assert period is not None, "the calendar of a vendor whose bookings name their period finds one, or raises"
    prepared = PreparedStatement(_text(content), account, period.year, journal, first, last)
    await _insist_on_continuity(octopus, prepared)
    return prepared


async def send(context: DeliveryContext[OctopusSettings], prepared: PreparedStatement) -> Sent:
    """Hand the file in; what ``lookup`` compares is saved first."""
    octopus = Octopus(context.vendor)
    await context.save(
        bookyear=prepared.bookyear,
        journal=prepared.journal,
        opening=str(prepared.opening),
        closing=str(prepared.closing),
    )
    await octopus.send_coda(prepared.text)
    sent = {"number": _number(prepared.last), "closing": prepared.closing}
    await octopus.vendor.memory.remember(_last_sent(prepared.account), sent)
    return Sent(f"{prepared.journal}/{prepared.closing}", prepared.journal)


async def lookup(context: DeliveryContext[OctopusSettings]) -> Found | NotFound | CannotTell:
    """Say by the journal's balance whether the file is in: it stands at the file's end, or still at its beginning."""
    progress = context.progress
    if "closing" not in progress:
        return NotFound()
    opening, closing = Decimal(progress["opening"]), Decimal(progress["closing"])
    row = await Octopus(context.vendor).journal_balance(progress["bookyear"], progress["journal"])
    held = balance_of(row)
    if opening == closing or held not in (opening, closing):
        # No movement, or others came after it: the balance proves nothing.
        return CannotTell(f"journal {progress['journal']} stands at {held}")
    return Found(f"{progress['journal']}/{closing}", progress["journal"]) if held == closing else NotFound()


def balance_of(row: Row) -> Decimal | None:
    """Return the balance that a financial journal stands at; None where the answer has none."""
    return next((found for name in _BALANCES if (found := values.amount(row.get(name))) is not None), None)


async def _insist_on_continuity(octopus: Octopus, statement: PreparedStatement) -> None:
    """Raise where the journal does not stand at the opening balance: Octopus would refuse the file, or book over a gap."""
    held = balance_of(await octopus.journal_balance(statement.bookyear, statement.journal))
    if held is None or held == statement.opening:
        return
    kept: Any = await octopus.vendor.memory.recall(_last_sent(statement.account))
    number, last_sent = _number(statement.first), kept.value["number"] if kept else None
    missing = f"statements before {number} of {statement.first.old_balance.on}"
    if last_sent is not None and last_sent + 1 < number:
        missing = f"statements {last_sent + 1} to {number - 1}"
    raise CannotBook(
        "statement_gap",
        f"{statement.journal} stands at {held}, statement {number} opens at {statement.opening}; missing: {missing}",
    )


def _journal_of(context: DeliveryContext[OctopusSettings], account: str) -> str:
    """Return the financial journal of an account: that of the settings, else the one that carries its IBAN."""
    settings, store = context.vendor.settings, context.vendor.master_data
    if (chosen := settings.statement_journals.get(account)) is not None:
        return chosen
    journals = Records(store, Journal).all_by_code().values()
    found = [each.code for each in journals if each.code.startswith(FINANCIAL) and each.iban == account]
    if len(found) != 1:
        raise CannotBook("statement_account_unknown", f"{account}: statement_journals.{account}")
    return found[0]


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _number(statement: koppel_coda.Statement) -> int:
    return statement.coded_number or statement.old_balance.paper_number


def _last_sent(account: str) -> str:
    return f"last statement sent {account}"
