"""Checking an export with nothing but the file: hashes, totals, days, seals. The first entry that is broken is named."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, DecimalException
from typing import Any
from zoneinfo import ZoneInfo

from .amounts import totals_key, written
from .chain import GENESIS, Entry, add_totals
from .exporting import FORMAT, head_hash
from .seal import Sealed, SealedExport

BRUSSELS = ZoneInfo("Europe/Brussels")
_FIELDS = ("seq", "at", "date", "content", "running_totals", "previous_hash", "hash", "seal")


@dataclass(frozen=True, slots=True)
class BrokenEntry:
    """Where a book is not what it was, or never was right."""

    line: int
    """Of the file, from 1."""
    seq: int | None
    """Of the entry; None where the line is none."""
    rule: str
    """``unreadable``, ``sequence``, ``previous_hash``, ``hash``, ``running_totals``, ``payments``, ``date``, ``day_missing``,
    ``time``, ``seal``, ``seal_key``, ``seal_missing``, ``head``, ``cut_off``."""
    message: str


@dataclass(slots=True)
class Report:
    """What a check found."""

    book: Mapping[str, Any] = field(default_factory=dict)
    entries: int = 0
    first_seq: int | None = None
    """Above 1 where the retention of earlier entries has ended; nothing is said of those."""
    first_on: date | None = None
    last_on: date | None = None
    sealed_through: int | None = None
    """The last entry that a seal covers; what follows is of the running day."""
    head_sealed: bool = False
    """Whether a seal covers the first line too: what the book and its place are called. Exports of before have none there."""
    key_ids: set[str] = field(default_factory=set)
    """The keys whose seals were checked."""
    running_totals: Mapping[str, str] = field(default_factory=dict)
    broken: BrokenEntry | None = None

    @property
    def valid(self) -> bool:
        """Return whether nothing is broken."""
        return self.broken is None


class _Broken(Exception):
    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


def verify(lines: Iterable[bytes], trusted: Mapping[str, str] | None = None) -> Report:
    """Check an export; it stops at the first entry that is broken.

    Args:
        lines: of the file.
        trusted: public keys (base64url) by id, from a source other than the file. Without it the file's own keys are believed:
            who changed the book could have sealed it anew with a key of his own.
    """
    report = Report()
    check = _Check(report, trusted)
    number = 0
    try:
        for number, line in enumerate(lines, 1):
            check.line(_read(line), is_first=number == 1)
        number += 1
        check.end_of_file()
    except _Broken as error:
        report.broken = BrokenEntry(number, check.seq, error.rule, str(error))
    return report


class _Check:
    """What is known of the book before the next line."""

    def __init__(self, report: Report, trusted: Mapping[str, str] | None) -> None:
        self._report = report
        self._keys = dict(trusted or {})
        self._believes_file = trusted is None
        self._last: Entry | None = None
        self._last_hash: str | None = None
        self._is_ended = False
        self._first_line: Mapping[str, Any] = {}
        self.seq: int | None = None

    def line(self, found: Mapping[str, Any], *, is_first: bool) -> None:
        self.seq = None
        if self._is_ended:
            raise _Broken("unreadable", "Something follows the end.")
        if is_first:
            self._head(found)
        elif "end" in found:
            self._end(found["end"])
        else:
            self._entry(found)

    def end_of_file(self) -> None:
        self.seq = None
        if not self._is_ended:
            raise _Broken("cut_off", "The file has no end: it was cut off.")

    def _head(self, found: Mapping[str, Any]) -> None:
        book = found.get("book")
        if found.get("format") != FORMAT or not isinstance(book, dict) or not isinstance(book.get("id"), str):
            raise _Broken("unreadable", f"This is no export of a receipt book ({FORMAT}).")
        self._report.book = book
        self._first_line = found
        if self._believes_file:
            keys = found.get("keys")
            for key in keys if isinstance(keys, list) else []:
                if isinstance(key, dict) and isinstance(key.get("kid"), str) and isinstance(key.get("x"), str):
                    self._keys[key["kid"]] = key["x"]

    def _end(self, found: Any) -> None:
        said = (found.get("entries"), found.get("hash")) if isinstance(found, dict) else None
        if said != (self._report.entries, self._last_hash):
            raise _Broken(
                "cut_off", "The end names other entries than the file holds: some are missing, or were added."
            )
        if "head" in found or "seal" in found:
            self._end_sealed(found)
        self._is_ended = True

    def _end_sealed(self, found: Mapping[str, Any]) -> None:
        try:
            head = head_hash(self._first_line)
        except ValueError as error:
            raise _Broken("unreadable", f"The first line {error}.") from None
        if found.get("head") != head:
            raise _Broken("head", "The first line is not that of this export: what it says of the book was changed.")
        key_id, signature = self._seal_of(found.get("seal"))
        says = SealedExport(head, self._report.entries, self._last_hash, key_id)
        if not says.is_signed(signature, self._keys[key_id]):
            raise _Broken("seal", f"The seal of the export was not made of it with the key {key_id}.")
        self._report.key_ids.add(key_id)
        self._report.head_sealed = True

    def _entry(self, found: Mapping[str, Any]) -> None:
        entry, stated_hash = self._as_entry(found)
        self.seq = entry.seq
        report, last = self._report, self._last
        expected = last.seq + 1 if last else max(1, entry.seq)
        if entry.seq != expected:
            raise _Broken("sequence", f"Entry {expected} is missing.")
        if entry.previous_hash != (self._last_hash or (GENESIS if entry.seq == 1 else entry.previous_hash)):
            raise _Broken("previous_hash", "It does not follow the entry before it, whose hash is another.")
        _checked(entry, stated_hash)
        self._in_time(entry)
        before = last.running_totals if last else _before(entry)
        if dict(entry.running_totals) != add_totals(before, entry.content):
            raise _Broken("running_totals", "Its running totals are not those before it and its lines together.")
        self._sealed(entry, stated_hash, found["seal"])
        report.entries += 1
        report.first_seq = report.first_seq or entry.seq
        report.first_on = report.first_on or date.fromisoformat(entry.date)
        report.last_on = date.fromisoformat(entry.date)
        report.running_totals = entry.running_totals
        self._last, self._last_hash = entry, stated_hash

    def _as_entry(self, found: Mapping[str, Any]) -> tuple[Entry, str]:
        missing = [name for name in _FIELDS if name not in found]
        if missing or type(found["seq"]) is not int or found["seq"] < 1:
            raise _Broken("unreadable", f"This is no entry: it needs {', '.join(missing) or 'a place'}.")
        texts = [found[name] for name in ("at", "date", "previous_hash", "hash")]
        if not all(isinstance(text, str) for text in texts) or not isinstance(found["running_totals"], dict):
            raise _Broken("unreadable", "This is no entry: a field is of the wrong type.")
        values = {name: found[name] for name in _FIELDS if name not in ("hash", "seal")}
        return Entry(book_id=self._report.book["id"], **values), found["hash"]

    def _in_time(self, entry: Entry) -> None:
        try:
            on = date.fromisoformat(entry.date)
            at = datetime.fromisoformat(entry.at)
        except ValueError:
            raise _Broken("date", "Its day or its moment is none.") from None
        if at.tzinfo is None or at.utcoffset() != timedelta(0):
            raise _Broken("time", "Its moment is not in UTC.")
        if on > at.astimezone(BRUSSELS).date():
            raise _Broken("date", f"It was entered on {at.astimezone(UTC):%Y-%m-%d}, before its day.")
        if self._last is None:
            return
        days = (on - date.fromisoformat(self._last.date)).days
        if days < 0:
            raise _Broken("date", f"Its day is before that of the last entry, {self._last.date}.")
        if days > 1:
            raise _Broken("day_missing", f"There is no entry of the day after {self._last.date}.")
        if at < datetime.fromisoformat(self._last.at):
            raise _Broken("time", "It was entered before the entry before it.")
        if days and self._report.sealed_through != self._last.seq:
            self.seq = self._last.seq
            raise _Broken("seal_missing", f"The day {self._last.date} is over and not sealed.")

    def _sealed(self, entry: Entry, stated_hash: str, seal: Any) -> None:
        if seal is None:
            return
        key_id, signature = self._seal_of(seal)
        says = Sealed(entry.book_id, entry.seq, entry.date, stated_hash, key_id)
        if not says.is_signed(signature, self._keys[key_id]):
            raise _Broken("seal", f"Its seal was not made of it with the key {key_id}.")
        self._report.key_ids.add(key_id)
        self._report.sealed_through = entry.seq

    def _seal_of(self, seal: Any) -> tuple[str, str]:
        """Return the id of the key of a seal, which is known, and its signature."""
        key_id = seal.get("key_id") if isinstance(seal, dict) else None
        signature = seal.get("signature") if isinstance(seal, dict) else None
        if not isinstance(key_id, str) or not isinstance(signature, str):
            raise _Broken("seal", "Its seal is none.")
        if key_id not in self._keys:
            raise _Broken("seal_key", f"The key {key_id} of its seal is not among those given.")
        return key_id, signature


def _checked(entry: Entry, stated_hash: str) -> None:
    """Check an entry by itself."""
    try:
        computed = entry.hash()
    except ValueError as error:
        raise _Broken("unreadable", str(error)) from None
    if computed != stated_hash:
        raise _Broken("hash", "Its hash is not that of what it says: something of it was changed.")
    try:
        received = sum((Decimal(line["amount"]) for line in entry.content["lines"]), Decimal(0))
        paid = sum((Decimal(each["amount"]) for each in entry.content["payments"] or ()), Decimal(0))
        add_totals(entry.running_totals, entry.content)
        differs = entry.content["payments"] is not None and paid != received
        sums = f"Its payments are {written(paid)} together, its lines {written(received)}." if differs else ""
    except (KeyError, TypeError, ValueError, AttributeError, DecimalException):
        raise _Broken("unreadable", "Its lines or payments are none.") from None
    if differs:
        raise _Broken("payments", sums)


def _before(entry: Entry) -> Mapping[str, str]:
    """Return the totals before the first entry that is there, whose earlier ones are no longer kept."""
    if entry.seq == 1:
        return {}
    totals = {key: Decimal(amount) for key, amount in entry.running_totals.items()}
    for line in entry.content["lines"]:
        key = totals_key(line["vat_category"], Decimal(line["vat_rate"]))
        totals[key] = totals.get(key, Decimal(0)) - Decimal(line["amount"])
    return {key: written(amount) for key, amount in totals.items()}


def _read(line: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(line, parse_float=Decimal, object_pairs_hook=_once)
    except (ValueError, DecimalException, RecursionError):
        raise _Broken("unreadable", "The line is not JSON.") from None
    if not isinstance(found, dict):
        raise _Broken("unreadable", "The line is no object.")
    return found


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError("a name stands twice")  # readers would differ about which one counts
        found[name] = value
    return found
