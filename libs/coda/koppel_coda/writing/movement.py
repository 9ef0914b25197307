"""Movements as lines: articles as far as they are needed, numbers and codes worked out."""

from collections.abc import Iterator
from itertools import count

from koppel_coda import accounts
from koppel_coda.communications import IN_INFORMATION, IN_MOVEMENTS
from koppel_coda.errors import WriteError
from koppel_coda.model import Counterparty, Information, Movement

from .communication import text_of
from .record import Value, checked_text, line

MOVEMENT_ROOM = (53, 53, 43)
INFORMATION_ROOM = (73, 105, 90)
"""How much text the articles hold: 2.1, 2.2, 2.3 and 3.1, 3.2, 3.3."""
DETAILS_MAX = 9_999


def lines_of(movement: Movement, sequence: int, where: str) -> list[str]:
    """Return the lines of a movement and its details.

    Raises:
        WriteError: it has something that CODA cannot hold.
    """
    numbers = count()
    lines = list(_article(movement, sequence, numbers, where))
    for one, path in _details(movement, where):
        lines += _article(one, sequence, numbers, path)
    return lines


def _details(movement: Movement, where: str) -> Iterator[tuple[Movement, str]]:
    """Yield the details in the order of the file: those of type 9 behind the detail of type 7 they belong to."""
    total_before = False
    for number, one in enumerate(movement.details, 1):
        path = f"{where}, detail {number}"
        if one.code.type == "9" and total_before:
            raise WriteError("nesting", "a detail of type 9 belongs to the detail of type 7 before it", path)
        total_before = one.code.type == "7"
        yield one, path
        for inner, detail in enumerate(one.details, 1):
            if not total_before or detail.code.type != "9" or detail.details:
                raise WriteError(
                    "nesting", "only details of type 9 stand under one of type 7, and none under those", path
                )
            yield detail, f"{path}.{inner}"


def _article(movement: Movement, sequence: int, numbers: "count[int]", where: str) -> Iterator[str]:
    """Yield the lines of one movement, its information behind it; 2.2 and 2.3 only where they have a value."""
    at = {"sequence": sequence, "detail": _next(numbers, where)}
    flag, text = text_of(movement.communication, IN_MOVEMENTS, sum(MOVEMENT_ROOM), f"{where}: communication")
    zones = _zones(text, MOVEMENT_ROOM)
    other = _counterparty(movement, where)
    articles: list[tuple[str, dict[str, Value]]] = [("2.1", _first(movement, flag, zones[0], where))]
    purposes = (movement.r_transaction, movement.reason, movement.category_purpose, movement.purpose)
    # Long text takes a 2.2 even when that part of it is blank: readers join what is there.
    if len(text) > MOVEMENT_ROOM[0] or any(
        (movement.customer_reference, other.bic, movement.trade_reference, *purposes)
    ):
        articles.append(("2.2", _second(movement, other, zones[1])))
    if zones[2] or other.name or other.account:
        zone = _account(other.account, f"{where}: counterparty")
        articles.append(("2.3", {"account": zone, "name": other.name, "communication": zones[2]}))
    lines = _chained(articles, at, bool(movement.information), where)
    if movement.trade_reference:
        lines[1] = _with_trade_reference(lines[1], movement.trade_reference, any(purposes), where)
    yield from lines
    for number, one in enumerate(movement.information, 1):
        path = f"{where}, information {number}"
        at = {"sequence": sequence, "detail": _next(numbers, where)}
        yield from _chained(_information(one, path), at, number < len(movement.information), path)


def _next(numbers: "count[int]", where: str) -> int:
    number = next(numbers)
    if number > DETAILS_MAX:
        raise WriteError(
            "too_many_details", f"a movement has room for {DETAILS_MAX:,} details and information records", where
        )
    return number


def _chained(articles: list[tuple[str, dict[str, Value]]], at: dict[str, int], linked: bool, where: str) -> list[str]:
    """Return the lines of the articles: each but the last announces the next one, the last one what is linked to it."""
    last = len(articles) - 1
    return [
        line(
            record,
            where,
            **at,
            **values,
            next_code=str(int(index < last)),
            link_code=str(int(linked and index == last)),
        )
        for index, (record, values) in enumerate(articles)
    ]


def _first(movement: Movement, flag: str, text: str, where: str) -> dict[str, Value]:
    if not movement.amount.is_finite():
        raise WriteError("amount", f"{movement.amount} is no amount", where)
    return {
        "bank_reference": movement.bank_reference,
        "sign": str(int(movement.amount < 0)),
        "amount": movement.amount.copy_abs(),
        "value_on": movement.value_on,
        "transaction_code": _code(movement.code.text, where),
        "structured": flag,
        "communication": text,
        "entry_on": movement.entry_on,
        "paper_number": movement.paper_number,
        "globalisation": str(movement.globalisation),
    }


def _second(movement: Movement, other: Counterparty, text: str) -> dict[str, Value]:
    return {
        "communication": text,
        "customer_reference": movement.customer_reference,
        "bic": other.bic,
        "r_transaction": movement.r_transaction or " ",
        "reason": movement.reason,
        "category_purpose": movement.category_purpose,
        "purpose": movement.purpose,
    }


def _information(information: Information, where: str) -> list[tuple[str, dict[str, Value]]]:
    room = sum(INFORMATION_ROOM)
    flag, text = text_of(information.communication, IN_INFORMATION, room, f"{where}: communication")
    zones = _zones(text, INFORMATION_ROOM)
    first: dict[str, Value] = {
        "bank_reference": information.bank_reference,
        "transaction_code": _code(information.code.text, where),
        "structured": flag,
        "communication": zones[0],
    }
    articles: list[tuple[str, dict[str, Value]]] = [("3.1", first)]
    if len(text) > INFORMATION_ROOM[0]:
        articles.append(("3.2", {"communication": zones[1]}))
    if zones[2]:
        articles.append(("3.3", {"communication": zones[2]}))
    return articles


def _zones(text: str, room: tuple[int, int, int]) -> tuple[str, str, str]:
    """Cut the text where the articles end; the blanks at the end of a zone are its padding."""
    one, two, _ = room
    return text[:one].rstrip(" "), text[one : one + two].rstrip(" "), text[one + two :]


def _counterparty(movement: Movement, where: str) -> Counterparty:
    other = movement.counterparty or Counterparty()
    if movement.counterparty == Counterparty():
        raise WriteError("counterparty", "it says nothing; leave it out", where)
    if other.address:
        raise WriteError("counterparty", "only version 1 holds an address", where)
    return other


def _account(account: accounts.Account | None, where: str) -> str:
    if account is None:
        return ""
    zone = accounts.written(account)
    if len(zone) != accounts.WIDTH or accounts.parse_counterparty(zone) != account:
        raise WriteError("account", f"{account} cannot be written as the account of a counterparty", where)
    return zone.rstrip()


def _code(text: str, where: str) -> str:
    if len(text) != 8 or not (text.isascii() and text.isdigit()):
        raise WriteError("transaction_code", f"{text!r} is not eight digits", where)
    return text


def _with_trade_reference(text: str, reference: str, beside: bool, where: str) -> str:
    """Write the data of files from before version 2.3 into 110-125, where the purpose is today."""
    path = f"{where}: trade_reference"
    checked_text(reference, 16, path)
    if beside or not reference[:3].strip():
        raise WriteError(
            "trade_reference", "it begins with three blanks, or stands beside purposes in the same place", path
        )
    return f"{text[:109]}{reference:16}{text[125:]}"
