"""Rules about the lines of a statement together: their order and numbers, and whether the money adds up."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from koppel_coda.accounts import parse_closing
from koppel_coda.layout import is_head
from koppel_coda.report import Finding
from koppel_coda.scalars import DATES

from . import rules
from .of_lines import account_of
from .records import Record

_AFTER: dict[str | None, frozenset[str]] = {
    None: frozenset({"0"}),
    "0": frozenset({"1"}),
    "1": frozenset({"2.1", "8", "9"}),
    "2.1": frozenset({"2.1", "2.2", "2.3", "3.1", "8", "9"}),
    "2.2": frozenset({"2.1", "2.3", "3.1", "8", "9"}),
    "2.3": frozenset({"2.1", "3.1", "8", "9"}),
    "3.1": frozenset({"2.1", "3.1", "3.2", "3.3", "8", "9"}),
    "3.2": frozenset({"2.1", "3.1", "3.3", "8", "9"}),
    "3.3": frozenset({"2.1", "3.1", "8", "9"}),
    "8": frozenset({"4", "9"}),
    "4": frozenset({"4", "9"}),
    "9": frozenset(),
}
"""What may come after what; an empty statement may do without its record 8, movements may not (rule 33)."""
_COUNTED = frozenset({"1", "2.1", "2.2", "2.3", "3.1", "3.2", "3.3", "8"})
_ARTICLES = frozenset({"2.2", "2.3", "3.2", "3.3"})
_NUMBERS = 10_000
ZERO = Decimal("0.00")


def findings_of(records: Sequence[Record], statement: int, *, last: bool) -> Iterator[Finding]:
    """Yield what is wrong with the lines of one statement together; ``last`` is whether no other follows in the file."""
    yield from _order(records, statement)
    yield from _numbers(records, statement)
    yield from _links(records, statement)
    yield from _accounts(records, statement)
    yield from _details(records, statement)
    yield from _totals(records, statement)
    yield from _balance(records, statement)
    yield from _period(records, statement)
    if records[-1].name == "9":
        code, expected = records[-1].get("multiple_files"), "2" if last else "1"
        if code != expected:
            yield rules.found_at(rules.MULTIPLE, records[-1].line, 128, statement, found=code, expected=expected)


def _of(records: Sequence[Record], name: str) -> Record | None:
    return next((record for record in records if record.name == name), None)


def _order(records: Sequence[Record], statement: int) -> Iterator[Finding]:
    before: str | None = None
    for record in records:
        if record.name is None:
            continue
        if record.name not in _AFTER[before]:
            if before is None:
                yield rules.found_at(rules.NO_HEADER, record.line, 1, statement)
            else:
                yield rules.found_at(rules.ORDER, record.line, 1, statement, found=record.name, before=before)
        before = record.name
    if before != "9":
        yield rules.found_at(rules.UNCLOSED, records[-1].line, 1, statement)


def _numbers(records: Sequence[Record], statement: int) -> Iterator[Finding]:
    sequence = detail = 0
    movement: Record | None = None
    information: Record | None = None
    for record in records:
        if record.name in {"2.1", "3.1"}:
            if record.name == "2.1":
                movement = record
            else:
                information = record
                yield from _belongs(record, movement, statement, whole=False)
                yield from _bank_reference(record, movement, statement)
            found = record.get("sequence"), record.get("detail")
            if not all(part.isascii() and part.isdigit() for part in found):
                continue
            opens = record.name == "2.1" and is_head(found[1])
            expected = ((sequence + 1) % _NUMBERS, 0) if opens else (sequence, detail + 1)
            sequence, detail = int(found[0]), int(found[1])
            if (sequence, detail) != expected:
                wanted = f"{expected[0]:04d}/{expected[1]:04d}"
                yield rules.found_at(rules.GAP, record.line, 3, statement, found=record.number, expected=wanted)
        elif record.name in _ARTICLES:
            yield from _belongs(record, movement if record.name[0] == "2" else information, statement, whole=True)


def _belongs(record: Record, to: Record | None, statement: int, *, whole: bool) -> Iterator[Finding]:
    if to is None:
        return
    names = ("sequence", "detail") if whole else ("sequence",)
    if any(record.get(name) != to.get(name) for name in names):
        yield rules.found_at(rules.OTHER_MOVEMENT, record.line, 3, statement, found=record.number, expected=to.number)


def _bank_reference(record: Record, movement: Record | None, statement: int) -> Iterator[Finding]:
    found = record.get("bank_reference")
    if movement is not None and found != movement.get("bank_reference"):
        expected = movement.get("bank_reference").strip()
        at = record.column("bank_reference")
        yield rules.found_at(rules.BANK_REFERENCE, record.line, at, statement, found=found.strip(), expected=expected)


def _links(records: Sequence[Record], statement: int) -> Iterator[Finding]:
    for record, following in zip(records, [*records[1:], None], strict=True):
        after = following.name if following else None
        expected: dict[str, bool] = {}
        match record.name:
            case "2.1" | "2.2" | "3.1" | "3.2":
                more = after is not None and after in _ARTICLES and after[0] == record.name[0] and after > record.name
                expected = {"next_code": more, "link_code": not more and after == "3.1"}
            case "2.3" | "3.3":
                expected = {"next_code": False, "link_code": after == "3.1"}
            case "4" | "8":
                expected = {"link_code": after == "4"}
        for name, wanted in expected.items():
            code = "1" if wanted else "0"
            if record.get(name) != code:
                at = record.column(name)
                yield rules.found_at(rules.LINKS, record.line, at, statement, found=record.get(name), expected=code)


def _accounts(records: Sequence[Record], statement: int) -> Iterator[Finding]:
    opening, closing = _of(records, "1"), _of(records, "8")
    if closing is None:
        if _of(records, "2.1") is not None:
            yield rules.found_at(rules.NO_CLOSING, records[-1].line, 1, statement)
        return
    account = account_of(opening) if opening is not None else None
    if opening is None or account is None:
        return
    other = parse_closing(closing.get("account"), account)
    if not account.is_same_as(other):
        yield rules.found_at(
            rules.OTHER_ACCOUNT,
            closing.line,
            closing.column("account"),
            statement,
            expected=f"{account.number} {account.currency}".strip(),
            found=f"{other.number} {other.currency}".strip(),
        )


def _details(records: Sequence[Record], statement: int) -> Iterator[Finding]:
    """Check each movement with details, and each detail with details of its own: those of type 9 after one of type 7."""
    head: _Sum | None = None
    inner: _Sum | None = None
    for record in records:
        if record.name != "2.1":
            continue
        kind = record.get("transaction_code")[:1]
        if is_head(record.get("detail")):
            yield from _added_up(inner, statement)
            yield from _added_up(head, statement)
            head, inner = _Sum(record), None
        elif kind == "9" and inner is not None:
            inner.add(record)
        elif head is not None:
            yield from _added_up(inner, statement)
            head.add(record)
            inner = _Sum(record) if kind == "7" else None
    yield from _added_up(inner, statement)
    yield from _added_up(head, statement)


class _Sum:
    """A movement and what its details add up to; None once one of them cannot be read."""

    def __init__(self, head: Record) -> None:
        self.head = head
        self.total: Decimal | None = ZERO
        self.count = 0

    def add(self, detail: Record) -> None:
        amount = detail.signed("amount")
        self.total = None if amount is None or self.total is None else self.total + amount
        self.count += 1


def _added_up(found: _Sum | None, statement: int) -> Iterator[Finding]:
    if found is None or not found.count or found.total is None:
        return
    head, amount = found.head, found.head.signed("amount")
    if amount is not None and found.total != amount:
        facts = {"statement_line": head.number, "found": found.total, "expected": amount}
        yield rules.found_at(rules.DETAILS, head.line, head.column("amount"), statement, **facts)


def _heads(records: Sequence[Record]) -> list[Decimal] | None:
    """Return the movements that count for the balance; None when one of their amounts cannot be read."""
    found = [record.signed("amount") for record in records if record.name == "2.1" and is_head(record.get("detail"))]
    return None if None in found else [amount for amount in found if amount is not None]


def _totals(records: Sequence[Record], statement: int) -> Iterator[Finding]:
    trailer = _of(records, "9")
    if trailer is None:
        return
    stated = trailer.get("record_count")
    present = sum(record.name in _COUNTED for record in records)
    is_number = stated.isascii() and stated.isdigit()
    if not is_number or int(stated) != present:
        at = trailer.column("record_count")
        shown = int(stated) if is_number else repr(stated)
        yield rules.found_at(rules.COUNT, trailer.line, at, statement, expected=shown, found=present)
    debit, credit, heads = trailer.unsigned("debit"), trailer.unsigned("credit"), _heads(records)
    if debit is None or credit is None or heads is None:
        return
    out, into = sum((-one for one in heads if one < 0), ZERO), sum((one for one in heads if one > 0), ZERO)
    if (out, into) != (debit, credit):
        facts = {"expected": f"{debit} / {credit}", "found": f"{out} / {into}"}
        yield rules.found_at(rules.TOTALS, trailer.line, trailer.column("debit"), statement, **facts)


def _balance(records: Sequence[Record], statement: int) -> Iterator[Finding]:
    """Compare the balances; those of a separate application prove nothing, so that a difference is information."""
    header, opening, closing = _of(records, "0"), _of(records, "1"), _of(records, "8")
    application = header.get("separate_application") if header is not None else ""
    is_partial = header is not None and application.strip(" 0") != ""
    if header is not None and is_partial:
        at = header.column("separate_application")
        yield rules.found_at(rules.PARTIAL, header.line, at, statement, found=application)
    heads = _heads(records)
    if opening is None or closing is None or heads is None:
        return
    old, new = opening.signed("old_balance"), closing.signed("new_balance")
    if old is None or new is None or (is_partial and not old and not new):
        return
    expected = old + sum(heads, ZERO)
    if expected != new:
        facts = {"expected": expected, "found": new, "difference": new - expected}
        found = rules.found_at(rules.BALANCE, closing.line, closing.column("new_balance"), statement, **facts)
        yield replace(found, severity="information") if is_partial else found


def _period(records: Sequence[Record], statement: int) -> Iterator[Finding]:
    opening, closing = _of(records, "1"), _of(records, "8")
    if opening is None or closing is None:
        return
    try:
        first, last = DATES[opening.get("old_balance_on")], DATES[closing.get("new_balance_on")]
    except ValueError:
        return
    if first is None or last is None:
        return
    for record in records:
        if record.name != "2.1":
            continue
        try:
            day = DATES[record.get("entry_on")]
        except ValueError:
            continue
        if day is not None and not first <= day <= last:
            yield rules.found_at(
                rules.PERIOD, record.line, record.column("entry_on"), statement, found=f"{day:%d.%m.%Y}"
            )
