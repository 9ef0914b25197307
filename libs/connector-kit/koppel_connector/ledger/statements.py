"""A delivery's bank or cash statements as a ledger gets them: one file of one account, and whether it continues the books.

A ledger wants no gap between statements: the opening balance of the file is the balance that its journal stands at.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol, TypeVar

import koppel_coda
from koppel_bookkeeping import CannotBook
from koppel_bookkeeping.texts import structured_payment_reference
from koppel_connector.contract.delivery import DeliveryContext
from koppel_connector.contract.memory import Memory


class FinancialJournal(Protocol):
    """What a vendor's journal of a bank or cash account must tell to be chosen."""

    @property
    def code(self) -> str: ...  # noqa: D102

    @property
    def iban(self) -> str:
        """The account whose movements stand in it; empty where the vendor does not tell."""


J = TypeVar("J", bound=FinancialJournal)


@dataclass(frozen=True)
class StatementFile:
    """A CODA file with the statements of one account."""

    text: str
    """What they say."""
    account: str
    """Its IBAN, or the number of an account that has none."""
    statements: tuple[koppel_coda.Statement, ...]
    """In the order of the file; at least one."""
    closed_on: date
    """The day of its closing balance."""
    content: bytes
    """The bytes that were handed in: records of 128 in a code page of the bank's (coda)."""

    @property
    def first(self) -> koppel_coda.Statement:
        """Return the statement that the file begins with."""
        return self.statements[0]

    @property
    def last(self) -> koppel_coda.Statement:
        """Return the statement that it ends with."""
        return self.statements[-1]

    @property
    def opening(self) -> Decimal:
        """Return the balance that the file begins with."""
        return self.first.old_balance.amount

    @property
    def closing(self) -> Decimal:
        """Return the balance that it ends with."""
        return self.last.closing

    def insist_on_continuity(self, journal: str, held: Decimal | None, last_sent: int | None) -> None:
        """Return where the journal stands at the opening balance, or the vendor does not say.

        Args:
            journal: of the account, as people know it.
            held: the balance that it stands at.
            last_sent: number of the last statement that went there (``remember_sent``); None where that is not known.

        Raises:
            CannotBook: ``statement_gap``, which names both balances and the statements that are missing.
        """
        if held is None or held == self.opening:
            return
        number = number_of(self.first)
        missing = f"the statements before {number}, up to {self.first.old_balance.on}"
        if last_sent is not None and last_sent + 1 < number:
            missing = f"statements {last_sent + 1} to {number - 1}"
        raise CannotBook(
            "statement_gap",
            f"{journal} stands at {held}, statement {number} opens at {self.opening}; missing: {missing}",
        )

    def journal_among(self, journals: Iterable[J], chosen: Mapping[str, str]) -> J:
        """Return the journal of the account: the one that is ``chosen`` for it, else the only one with its IBAN.

        Args:
            journals: the vendor's financial ones.
            chosen: their codes by account (``LedgerSettings.statement_journals``).

        Raises:
            CannotBook: ``statement_account_unknown``, which names the setting.
        """
        code = chosen.get(self.account)
        found = [each for each in journals if (each.iban == self.account if code is None else each.code == code)]
        if len(found) != 1:
            raise CannotBook("statement_account_unknown", f"{self.account}: statement_journals.{self.account}")
        return found[0]

    async def remember_sent(self, memory: Memory) -> None:
        """Remember that the vendor has this file."""
        await memory.remember(_key(self.account), number_of(self.last))

    async def last_sent(self, memory: Memory) -> int | None:
        """Return the number of the account's last statement that the vendor has."""
        kept = await memory.recall(_key(self.account), outlives_restore=True)
        return None if kept is None else int(kept.value)


async def read_statements(context: DeliveryContext) -> StatementFile:
    """Read the CODA file of a delivery.

    Raises:
        CannotBook: it is unreadable, names no day, or holds several accounts, which could be booked in part only.
    """
    content = await context.content("coda")
    try:
        statements = koppel_coda.read(content)
    except koppel_coda.ReadError as error:
        raise CannotBook("document_unreadable", str(error)) from error
    last = statements[-1]
    if len(accounts := {each.account.key for each in statements}) > 1:
        raise CannotBook("document_unreadable", f"several accounts: {', '.join(sorted(key[0] for key in accounts))}")
    closed_on = last.closed_on
    if closed_on is None:
        raise CannotBook("document_unreadable", "no day")
    return StatementFile(
        _text(content), last.account.iban or last.account.number, tuple(statements), closed_on, content
    )


def text_of(movement: koppel_coda.Movement) -> str:
    """Return what a line of a ledger says of a movement: the counterparty and the communication, else its code."""
    said = movement.communication
    text = said if isinstance(said, str) else said.format()
    name = movement.counterparty.name if movement.counterparty else ""
    return " ".join(filter(None, (name, structured_payment_reference(text) or text))) or str(movement.code)


def number_of(statement: koppel_coda.Statement) -> int:
    """Return the number of a statement: its own, else that of the paper one, which may be 0."""
    return statement.coded_number or statement.old_balance.paper_number


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _key(account: str) -> str:
    return f"last statement sent {account}"
