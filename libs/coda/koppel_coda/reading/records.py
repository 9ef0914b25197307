"""Records 0, 1, 8 and 9: one line each, from text to values."""

from datetime import date
from decimal import Decimal
from typing import NamedTuple

from koppel_coda import accounts, scalars
from koppel_coda.errors import Note, ReadError
from koppel_coda.layout import column, cutter
from koppel_coda.model import Balance, Header, Trailer

_HEADER = cutter(
    "0",
    "created_on",
    "bank_number",
    "addressee",
    "bic",
    "company_number",
    "file_reference",
    "duplicate",
    "separate_application",
    "transaction_reference",
    "related_reference",
    "application",
    "version",
)
_OLD = cutter(
    "1",
    "structure",
    "paper_number",
    "account",
    "sign",
    "old_balance",
    "old_balance_on",
    "holder_name",
    "description",
    "coded_number",
)
_NEW = cutter("8", "paper_number", "account", "sign", "new_balance", "new_balance_on")
_TRAILER = cutter("9", "record_count", "debit", "credit", "multiple_files")
_RESERVED = {"0": slice(17, 24), "8": slice(63, 127), "9": slice(52, 127)}


class Opening(NamedTuple):
    """The values of record 1."""

    account: accounts.Account
    balance: Balance
    holder_name: str
    description: str
    coded_number: int


class Records:
    """Reads single records; ``line`` is their line, ``notes`` collects what is tolerated."""

    def __init__(self, notes: list[Note]) -> None:
        self.notes = notes
        self.line = 0

    def header(self, text: str) -> Header:
        """Return the values of record 0."""
        if text[0] != "0":
            raise ReadError("not_coda", "a CODA file begins with a header (record 0)", self.line)
        (
            created,
            bank,
            addressee,
            bic,
            company,
            reference,
            duplicate,
            separate,
            transaction,
            related,
            application,
            version,
        ) = _HEADER(text)
        if version not in ("1", "2"):
            raise ReadError(
                "version", f"version {version!r} of CODA is not known; ask the bank for version 2", self.line, 128
            )
        if application != "05":
            self.note("application", column("0", "application"), application)
        self._reserved("0", text)
        if duplicate not in (" ", "D"):
            self.note("duplicate", column("0", "duplicate"), duplicate)
        if (separate != "00000" and not separate.strip()) or not separate.isdigit():
            self.note("separate_application", column("0", "separate_application"), separate)
        return Header(
            self._date(created, "0", "created_on"),
            bank.strip() or "000",
            addressee.rstrip(),
            bic.rstrip(),
            _company(company),
            reference.rstrip(),
            duplicate == "D",
            separate if separate.strip(" 0") else "00000",
            transaction.rstrip(),
            related.rstrip(),
            application.rstrip(),
            version,
        )

    def old_balance(self, text: str, version: str) -> Opening:
        """Return the values of record 1."""
        structure, paper, zone, sign, amount, on, holder, description, coded = _OLD(text)
        if version == "1":
            structure = accounts.Structure.BBAN.value
        account = self._account(accounts.parse(zone, self._structure(structure, zone)), zone, "1")
        balance = Balance(
            self._signed(sign, amount, "1", "old_balance"),
            self._date(on, "1", "old_balance_on"),
            self._number(paper, "1", "paper_number"),
        )
        return Opening(
            account, balance, holder.rstrip(), description.rstrip(), self._number(coded, "1", "coded_number")
        )

    def _structure(self, digit: str, zone: str) -> accounts.Structure:
        structure = accounts.structure_of(digit, zone)
        if structure is None:
            raise ReadError("account", f"CODA has no account of structure {digit!r}, only 0 to 3", self.line, 2)
        if structure.value != digit:
            self.note("structure", 2, digit)
        return structure

    def new_balance(self, text: str, opened: accounts.Account) -> tuple[accounts.Account, Balance]:
        """Return account and balance of record 8. Some banks write the account in another way there than in record 1."""
        paper, zone, sign, amount, on = _NEW(text)
        self._reserved("8", text)
        balance = Balance(
            self._signed(sign, amount, "8", "new_balance"),
            self._date(on, "8", "new_balance_on"),
            self._number(paper, "8", "paper_number"),
        )
        account = self._account(accounts.parse_closing(zone, opened), zone, "8")
        if not account.is_same_as(opened):
            self.note("other_account", column("8", "account"), account.number)
        elif (account.structure is accounts.Structure.BBAN) is not (opened.structure is accounts.Structure.BBAN):
            self.note("structure", column("8", "account"), zone.rstrip())
        return account, balance

    def trailer(self, text: str) -> Trailer:
        """Return the values of record 9."""
        count, debit, credit, multiple = _TRAILER(text)
        self._reserved("9", text)
        return Trailer(
            self._number(count, "9", "record_count"),
            self._amount(debit, "9", "debit"),
            self._amount(credit, "9", "credit"),
            multiple == "1",
        )

    def _account(self, account: accounts.Account, zone: str, record: str) -> accounts.Account:
        if not account.number.strip():
            raise ReadError("account", "the account number is blank", self.line, column(record, "account"))
        if not account.currency:
            self.note("currency", column(record, "account"), zone.rstrip())
        return account

    def _signed(self, sign: str, amount: str, record: str, name: str) -> Decimal:
        value = self._amount(amount, record, name)
        if sign not in ("0", "1"):
            raise ReadError("sign", f"the sign {sign!r} is neither 0 nor 1", self.line, column(record, "sign"))
        return value.copy_negate() if sign == "1" and value else value

    def _amount(self, text: str, record: str, name: str) -> Decimal:
        try:
            return scalars.amount(text)
        except ValueError:
            raise ReadError("amount", f"the amount {text!r} is not readable", self.line, column(record, name)) from None

    def _date(self, text: str, record: str, name: str) -> date | None:
        try:
            value = scalars.DATES[text]
        except ValueError:
            raise ReadError("date", f"{text!r} is not a date (DDMMYY)", self.line, column(record, name)) from None
        if value is None:
            self.note(f"{name}_missing", column(record, name), text)
        return value

    def _number(self, text: str, record: str, name: str) -> int:
        if text.isascii() and text.isdigit():
            return int(text)
        self.note(name, column(record, name), text)
        return 0

    def _reserved(self, record: str, text: str) -> None:
        found = text[_RESERVED[record]].strip()
        if found:
            self.note("reserved", _RESERVED[record].start + 1, found)

    def note(self, code: str, at: int, text: str) -> None:
        """Note something tolerated on this line."""
        self.notes.append(Note(code, self.line, at, text))


def _company(text: str) -> str:
    """Return ten digits without the leading zero; any other text unchanged."""
    stripped = text.strip()
    if not stripped.strip("0"):
        return ""
    return stripped[1:] if len(stripped) == 11 and stripped[0] == "0" and stripped.isdigit() else stripped
