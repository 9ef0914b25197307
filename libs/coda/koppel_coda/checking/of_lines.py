"""Rules about one line: its length, its fields, its codes."""

from collections.abc import Iterator
from datetime import date

from koppel_coda import accounts, checkdigits
from koppel_coda.communications import IN_INFORMATION, IN_MOVEMENTS, OLD_INFORMATION, ONLY_VERSION_1
from koppel_coda.explanations.families import FAMILIES
from koppel_coda.layout import LINE_LENGTH, Field, Kind
from koppel_coda.report import Finding, Rule
from koppel_coda.scalars import DATES

from . import rules
from .records import Record

_FAMILIES = frozenset(line.partition("|")[0] for line in FAMILIES.strip().splitlines())
_UNUSED = frozenset("0 ")
_TYPES = frozenset("012356789")
_FIRST_CREDIT = 50
_COSTS = "80"
_NO_OPERATION = "00"
_RULE_OF_CODE: dict[str, Rule] = {
    "version": rules.VERSION,
    "application": rules.APPLICATION,
    "sign": rules.AMOUNT,
    "structured": rules.KIND,
    "next_code": rules.LINKS,
    "link_code": rules.LINKS,
}
_RULE_OF_DIGITS: dict[str, Rule] = {
    "sequence": rules.GAP,
    "detail": rules.GAP,
    "transaction_code": rules.CODE,
}
_BEFORE_2_3 = frozenset({"blank_110", "r_transaction"})
"""Where files from before version 2.3 carry other data: bytes that are not reserved but old."""
_COUNT = "record_count"
"""The rules about statements compare it with the number of records."""
_ANY_NUMBER = "0000-9999"
_MAY_BE_BLANK = frozenset({"company_number"})
_REFERENCES = frozenset({"101", "102"})
_CREDITOR_REFERENCE = "100"
_REFERENCE_DIGITS = 12


def findings_of(record: Record, statement: int, *, version_1: bool) -> Iterator[Finding]:
    """Yield what is wrong with one line by itself."""
    if record.length != LINE_LENGTH:
        yield rules.found_at(
            rules.LENGTH, record.line, min(record.length, LINE_LENGTH) + 1, statement, found=record.length
        )
    if record.name is None:
        kind = record.text[:2] if record.text[0] in "23" else record.text[0]
        yield rules.found_at(rules.RECORD, record.line, 1, statement, found=kind)
        return
    old_layout = record.name == "2.2" and not _UNUSED.issuperset(record.get("blank_110"))
    for field in record.fields():
        if not (old_layout and field.name in _BEFORE_2_3):
            yield from _of_field(record, field, statement, version_1=version_1)
    if record.name == "1":
        yield from _of_own_account(record, statement)
    elif record.name == "2.3":
        yield from _of_counterparty(record, statement)
    elif record.name in {"2.1", "3.1"}:
        yield from _of_code(record, statement)
        yield from _of_communication(record, statement)


def _of_field(record: Record, field: Field, statement: int, *, version_1: bool) -> Iterator[Finding]:
    text = record.text[field.columns]
    rule: Rule | None = None
    match field.kind:
        case Kind.CONSTANT | Kind.BLANK:
            fits = text == field.values[0] if field.kind is Kind.CONSTANT else _UNUSED.issuperset(text)
            rule = None if fits or field.name == "record" else rules.RESERVED
        case Kind.DIGITS:
            absent = field.name == _COUNT or (field.name in _MAY_BE_BLANK and not text.strip())
            rule = None if absent or _is_digits(text) else _RULE_OF_DIGITS.get(field.name, rules.RESERVED)
        case Kind.AMOUNT:
            rule = None if _is_digits(text) else rules.AMOUNT
        case Kind.DATE | Kind.DATE_OR_ZEROS:
            rule = None if _is_date(text, may_be_absent=field.kind is Kind.DATE_OR_ZEROS) else rules.DATE
        case Kind.CODE:
            known = text in field.values or (field.name == "version" and text == "1" and version_1)
            left_to_others = field.name in {"structure", "multiple_files", "next_code", "link_code"}
            rule = None if known or left_to_others else _RULE_OF_CODE.get(field.name, rules.RESERVED)
    if rule is not None:
        facts = {"expected": field.values[0] if field.values else _ANY_NUMBER}
        yield rules.found_at(rule, record.line, field.start, statement, found=text.strip() or text, **facts)


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _is_date(text: str, *, may_be_absent: bool) -> bool:
    try:
        found: date | None = DATES[text]
    except ValueError:
        return False
    return found is not None or (may_be_absent and text == "000000")


def _of_own_account(record: Record, statement: int) -> Iterator[Finding]:
    account = account_of(record)
    at, digit = record.column("account"), record.get("structure")
    if account is None or not account.number:
        place = record.column("structure") if account is None else at
        yield rules.found_at(rules.ACCOUNT, record.line, place, statement, found=digit)
        return
    if record.version != "1" and digit != account.structure.value:
        place = record.column("structure")
        yield rules.found_at(rules.STRUCTURE, record.line, place, statement, found=digit, expected=account.number)
    if not (len(account.currency) == 3 and account.currency.isalpha()):
        yield rules.found_at(rules.CURRENCY, record.line, at, statement, found=account.number)
    if not account.is_valid:
        yield rules.found_at(rules.CHECK_DIGITS, record.line, at, statement, found=account.number)


def account_of(record: Record) -> accounts.Account | None:
    """Return the account of record 1 as the reader takes it; None when its structure is unknown."""
    if record.version == "1":
        return accounts.Account(record.get("account").strip(), record.get("currency").strip(), accounts.Structure.BBAN)
    zone = record.get("account")
    structure = accounts.structure_of(record.get("structure"), zone)
    return accounts.parse(zone, structure) if structure is not None else None


def _of_counterparty(record: Record, statement: int) -> Iterator[Finding]:
    account = accounts.parse_counterparty(record.get("account").ljust(accounts.WIDTH))
    if account is not None and not account.is_valid:
        yield rules.found_at(rules.CHECK_DIGITS, record.line, record.column("account"), statement, found=account.number)


def _of_code(record: Record, statement: int) -> Iterator[Finding]:
    code = record.get("transaction_code")
    at = record.column("transaction_code")
    if not _is_digits(code):
        return
    family, operation = code[1:3], code[3:5]
    if code[0] not in _TYPES or family not in _FAMILIES:
        yield rules.found_at(rules.CODE, record.line, at, statement, found=code)
    elif record.name == "2.1" and code[0] != "8" and family != _COSTS and operation != _NO_OPERATION:
        is_credit = int(operation) >= _FIRST_CREDIT
        if record.get("sign") in {"0", "1"} and is_credit is not (record.get("sign") == "0"):
            side = "credit" if is_credit else "debit"
            yield rules.found_at(rules.SIDE, record.line, at, statement, found=f"{family}/{operation}", expected=side)


def _of_communication(record: Record, statement: int) -> Iterator[Finding]:
    if record.get("structured") != "1":
        return
    text, at = record.get("communication"), record.column("communication")
    kind, data = text[:3], text[3:]
    if record.name == "2.1":
        known = kind in IN_MOVEMENTS or (record.version == "1" and kind in ONLY_VERSION_1)
    else:
        known = kind in IN_INFORMATION or kind in OLD_INFORMATION
    if not known:
        yield rules.found_at(rules.KIND, record.line, at, statement, found=kind)
    reference = data[:_REFERENCE_DIGITS]
    if kind in _REFERENCES and not checkdigits.is_structured_reference(reference):
        yield rules.found_at(rules.REFERENCE, record.line, at + 3, statement, found=reference.strip())
    if kind == _CREDITOR_REFERENCE and not checkdigits.is_creditor_reference(data[:25].strip()):
        yield rules.found_at(rules.REFERENCE, record.line, at + 3, statement, found=data[:25].strip())
