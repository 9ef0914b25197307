"""A statement as lines: header, balances, movements, free communications, trailer."""

import re
from decimal import Decimal

from koppel_coda import accounts
from koppel_coda.errors import WriteError
from koppel_coda.model import Header, Movement, Statement

from . import movement
from .record import Value, checked_text, line

MOVEMENTS_MAX = 9_999
_FREE_WIDTH = 80
_CURRENCY = re.compile(r"[A-Z]{3}\Z")
_COMPANY = re.compile(r"[0-9]{10}\Z")
_NOT_COUNTED = frozenset("049")


def lines_of(statement: Statement, where: str, *, last: bool) -> list[str]:
    """Return the lines of a statement; ``last`` means that no other follows.

    Raises:
        WriteError: it has something that CODA cannot hold, or its balances do not follow from each other.
    """
    _check(statement, where)
    zone = _account(statement.account, f"{where}: account")
    lines = [_header(statement.header, f"{where}: header"), _opening(statement, zone, where)]
    for number, one in enumerate(statement.movements, 1):
        lines += movement.lines_of(one, number, f"{where}, movement {number}")
    free = _free_communications(statement.free_communications, where)
    if statement.new_balance:
        lines.append(
            line(
                "8",
                f"{where}: new balance",
                paper_number=statement.new_balance.paper_number,
                account=zone,
                **_signed("new_balance", statement.new_balance.amount, where),
                new_balance_on=statement.new_balance.on,
                link_code=str(int(bool(free))),
            )
        )
    lines += free
    lines.append(_trailer(statement.movements, sum(one[0] not in _NOT_COUNTED for one in lines), where, last=last))
    return lines


def _check(statement: Statement, where: str) -> None:
    if len(statement.movements) > MOVEMENTS_MAX:
        raise WriteError("too_many_movements", f"a statement has room for {MOVEMENTS_MAX:,} movements", where)
    if statement.new_balance is None:
        if statement.movements:
            raise WriteError("balance", "a statement with movements needs a closing balance", where)
        if statement.free_communications:
            raise WriteError("balance", "free communications stand behind a closing balance, and there is none", where)
        return
    expected = statement.old_balance.amount + statement.total
    if not statement.is_partial and expected != statement.new_balance.amount:
        sentence = f"old balance and movements give {expected}, the closing balance is {statement.new_balance.amount}"
        raise WriteError("balance", sentence, where)


def _header(header: Header, where: str) -> str:
    if header.version != "2":
        raise WriteError("version", f"only version 2 is written, not {header.version!r}", where)
    if header.company_number and (not _COMPANY.match(header.company_number) or not header.company_number.strip("0")):
        raise WriteError("company_number", f"{header.company_number!r} is not ten digits", where)
    for name, value, length in (("bank", header.bank_number, 3), ("separate", header.separate_application, 5)):
        if len(value) != length:
            raise WriteError("digits", f"{value!r} is not {length} digits", f"{where}: {name}")
    return line(
        "0",
        where,
        created_on=header.created_on,
        bank_number=header.bank_number,
        application=header.application,
        duplicate="D" if header.duplicate else " ",
        file_reference=header.file_reference,
        addressee=header.addressee,
        bic=header.bic,
        company_number=header.company_number,
        separate_application=header.separate_application,
        transaction_reference=header.transaction_reference,
        related_reference=header.related_reference,
    )


def _opening(statement: Statement, zone: str, where: str) -> str:
    return line(
        "1",
        f"{where}: old balance",
        structure=statement.account.structure.value,
        paper_number=statement.old_balance.paper_number,
        account=zone,
        **_signed("old_balance", statement.old_balance.amount, where),
        old_balance_on=statement.old_balance.on,
        holder_name=statement.holder_name,
        description=statement.description,
        coded_number=statement.coded_number,
    )


def _account(account: accounts.Account, where: str) -> str:
    zone = accounts.written(account)
    if not account.number or not _CURRENCY.match(account.currency):
        raise WriteError("account", f"{account} has no number, or no currency of three letters", where)
    if len(zone) != accounts.WIDTH or accounts.parse(zone, account.structure) != account:
        raise WriteError("account", f"{account} does not fit its structure", where)
    return zone.rstrip()


def _signed(name: str, amount: Decimal, where: str) -> dict[str, Value]:
    if not amount.is_finite():
        raise WriteError("amount", f"{amount} is no amount", f"{where}: {name}")
    return {"sign": str(int(amount < 0)), name: amount.copy_abs()}


def _free_communications(texts: tuple[str, ...], where: str) -> list[str]:
    rows: list[tuple[int, int, str]] = []
    for number, text in enumerate(texts, 1):
        path = f"{where}: free communication {number}"
        if not text:
            raise WriteError("blanks", "a free communication says nothing", path)
        checked_text(text, movement.DETAILS_MAX * _FREE_WIDTH, path)
        rows += [
            (number, detail, text[start : start + _FREE_WIDTH].rstrip())
            for detail, start in enumerate(range(0, len(text), _FREE_WIDTH))
        ]
    return [
        line(
            "4",
            f"{where}: free communication {number}",
            sequence=number,
            detail=detail,
            text=text,
            link_code=str(int(index < len(rows))),
        )
        for index, (number, detail, text) in enumerate(rows, 1)
    ]


def _trailer(movements: tuple[Movement, ...], record_count: int, where: str, *, last: bool) -> str:
    return line(
        "9",
        f"{where}: totals",
        record_count=record_count,
        debit=sum((-one.amount for one in movements if one.amount < 0), Decimal(0)),
        credit=sum((one.amount for one in movements if one.amount > 0), Decimal(0)),
        multiple_files="2" if last else "1",
    )
