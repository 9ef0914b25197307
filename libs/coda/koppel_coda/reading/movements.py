"""Movements (records 2 and 3): cut line by line, put together per sequence number.

This is where a large file spends its time: lines are cut at C speed, dates and codes are cached, values are built once.
"""

from datetime import date
from functools import lru_cache

from koppel_coda import accounts
from koppel_coda.codes import TransactionCode
from koppel_coda.communications import IN_INFORMATION, IN_MOVEMENTS, OtherStructured, Structured, read_structured
from koppel_coda.errors import Note, ReadError
from koppel_coda.layout import column, cutter, is_head
from koppel_coda.model import Counterparty, Information, Movement
from koppel_coda.scalars import DATES, amount

_NAMES_21 = (
    "sequence",
    "detail",
    "bank_reference",
    "sign",
    "amount",
    "value_on",
    "transaction_code",
    "structured",
    "communication",
    "entry_on",
    "paper_number",
    "globalisation",
)
_CUT_21 = cutter("2.1", *_NAMES_21)
_CUT_22 = cutter(
    "2.2",
    "sequence",
    "communication",
    "customer_reference",
    "bic",
    "blank_110",
    "r_transaction",
    "reason",
    "category_purpose",
    "purpose",
)
_CUT_23 = cutter("2.3", "sequence", "communication", "account", "name")
_CUT_23_OF_VERSION_1 = cutter("2.3", "sequence", "rest", "account", "name", "address", version="1")
_CUT_31 = cutter(
    "3.1", "sequence", "detail", "bank_reference", "transaction_code", "structured", "communication", "blank_114"
)
_CUT_32 = cutter("3.2", "sequence", "communication", "blank_116")
_CUT_33 = cutter("3.3", "sequence", "communication", "blank_101")
_LINES_PER_GROUP = 10_000
"""Detail numbers have four digits."""
_NUMBERS = {f"{number:04d}": number for number in range(10_000)}
_PAPER_NUMBERS = {f"{number:03d}": number for number in range(1_000)}
_LEVELS = {str(number): number for number in range(10)}
_NO_TRADE = "   "
_code_of = TransactionCode.of
_account_of = lru_cache(4096)(accounts.parse_counterparty)
_Cut = tuple[str, ...]


class _Article:
    """The lines of one movement, cut but not yet understood."""

    __slots__ = ("first", "information", "line", "second", "third")

    def __init__(self, line: int, first: _Cut) -> None:
        self.line = line
        self.first = first
        self.second: _Cut | None = None
        self.third: _Cut | None = None
        self.information: list[_InformationArticle] | None = None


class _InformationArticle:
    __slots__ = ("article", "first", "line", "text")

    def __init__(self, line: int, first: _Cut) -> None:
        self.line = line
        self.first = first
        self.text = first[5]
        self.article = "1"


class Movements:
    """Collects the movements of one statement: ``add`` each line, then ``finish``."""

    def __init__(self, notes: list[Note]) -> None:
        self.version = "2"
        self._notes = notes
        self._heads: list[Movement | None] = []
        self._undated: list[tuple[int, list[_Article]]] = []
        self._group: list[_Article] = []
        self._sequence = ""
        self._lines_in_group = 0
        self._add = {"21": self._21, "22": self._22, "23": self._23, "31": self._31, "32": self._32, "33": self._33}

    def __bool__(self) -> bool:
        return bool(self._heads or self._group)

    def add(self, text: str, line: int) -> None:
        """Take the next line, of 128 characters, that begins with a 2 or a 3."""
        add = self._add.get(text[:2])
        if add is None:
            raise ReadError("record", f"there is no record {text[0]}.{text[1]}", line, 2)
        add(text, line)
        if text[126] != " ":
            self._note("reserved", line, 127, text[126])

    def finish(self, day: date | None) -> tuple[Movement, ...]:
        """Return the movements; one without any date gets ``day``."""
        self._close_group()
        for index, group in self._undated:
            if day is None:
                raise ReadError(
                    "date", "no date can be found for this movement", group[0].line, column("2.1", "entry_on")
                )
            self._heads[index] = self._built(group, day)
        return tuple(one for one in self._heads if one is not None)

    def _21(self, text: str, line: int) -> None:
        first = _CUT_21(text)
        if first[1] == "0000" or not self._group or is_head(first[1]):
            if self._group:
                self._close_group()
            if first[1] != "0000":
                self._note("detail", line, 7, first[1])
            self._group = [_Article(line, first)]
            self._sequence = first[0]
            self._lines_in_group = 1
        else:
            if first[0] != self._sequence:
                # Only records with detail 0000 count for the balance: this one would, as a movement of its own.
                self._note("sequence", line, 3, first[0])
            self._group.append(_Article(line, first))
            self._count(line)

    def _22(self, text: str, line: int) -> None:
        article = self._open("2.2", line)
        if article.second is not None or article.third is not None or article.information is not None:
            self._misplaced("2.2", line)
        article.second = second = _CUT_22(text)
        if second[0] != article.first[0]:
            self._note("sequence", line, 3, second[0])

    def _23(self, text: str, line: int) -> None:
        article = self._open("2.3", line)
        if article.third is not None or article.information is not None:
            self._misplaced("2.3", line)
        if self.version == "2":
            article.third = third = _CUT_23(text)
        else:
            article.third = third = _CUT_23_OF_VERSION_1(text)
            if third[1].strip():
                self._note("reserved", line, 23, third[1].strip())
        if third[0] != article.first[0]:
            self._note("sequence", line, 3, third[0])

    def _31(self, text: str, line: int) -> None:
        article = self._open("3.1", line)
        first = _CUT_31(text)
        if article.information is None:
            article.information = []
        article.information.append(_InformationArticle(line, first))
        self._count(line)
        if first[0] != article.first[0]:
            self._note("sequence", line, 3, first[0])
        elif first[2] != article.first[2]:
            self._note("bank_reference", line, 11, first[2].rstrip())
        if first[6].strip():
            self._note("reserved", line, 114, first[6].strip())

    def _32(self, text: str, line: int) -> None:
        self._continue_information("2", _CUT_32(text), line)

    def _33(self, text: str, line: int) -> None:
        self._continue_information("3", _CUT_33(text), line)

    def _continue_information(self, article: str, cut: _Cut, line: int) -> None:
        group = self._open(f"3.{article}", line)
        if not group.information or group.information[-1].article >= article:
            self._misplaced(f"3.{article}", line)
            return
        information = group.information[-1]
        information.article = article
        information.text += cut[1]
        if cut[0] != information.first[0]:
            self._note("sequence", line, 3, cut[0])
        if cut[2].strip():
            self._note("reserved", line, 116 if article == "2" else 101, cut[2].strip())

    def _open(self, record: str, line: int) -> _Article:
        if not self._group:
            raise ReadError("order", f"record {record} stands before any movement", line)
        return self._group[-1]

    def _misplaced(self, record: str, line: int) -> None:
        raise ReadError("order", f"record {record} does not continue the record before it", line)

    def _count(self, line: int) -> None:
        self._lines_in_group += 1
        if self._lines_in_group > _LINES_PER_GROUP:
            raise ReadError("too_many_details", "a movement has more than 9,999 details", line, 7)

    def _close_group(self) -> None:
        if not self._group:
            return
        group, self._group = self._group, []
        if any(not (one.first[5].strip(" 0") or one.first[9].strip(" 0")) for one in group):
            self._undated.append((len(self._heads), group))
            self._heads.append(None)
        else:
            self._heads.append(self._built(group, None))

    def _built(self, group: list[_Article], day: date | None) -> Movement:
        """Build the movement of a group: its details by type and place, independent of the globalisation codes."""
        if len(group) == 1:
            return self._movement(group[0], (), day)
        details: list[Movement] = []
        total: _Article | None = None
        of_total: list[Movement] = []
        for article in group[1:]:
            kind = article.first[6][:1]
            if kind == "9" and total is not None:
                of_total.append(self._movement(article, (), day))
                continue
            if total is not None:
                details.append(self._movement(total, tuple(of_total), day))
                total, of_total = None, []
            if kind == "7":
                total = article
            else:
                details.append(self._movement(article, (), day))
        if total is not None:
            details.append(self._movement(total, tuple(of_total), day))
        return self._movement(group[0], tuple(details), day)

    def _movement(self, article: _Article, details: tuple[Movement, ...], day: date | None) -> Movement:
        (sequence, detail, reference, sign, digits, value, code, structured, text, entry, paper, level) = article.first
        line = article.line
        try:
            signed = amount(digits)
            value_on = DATES[value]
            entry_on = DATES[entry]
        except ValueError:
            raise self._unreadable(article) from None
        if sign == "1":
            signed = signed.copy_negate() if signed else signed
        elif sign != "0":
            raise ReadError("sign", f"the sign {sign!r} is neither 0 nor 1", line, column("2.1", "sign"))
        if value_on is None or entry_on is None:
            value_on, entry_on = self._dated(line, value_on, entry_on, day)
        if paper not in _PAPER_NUMBERS or level not in _LEVELS or not (code.isdigit() and code.isascii()):
            self._odd(line, code, paper, level)
        customer_reference = bic = reason = return_kind = category = purpose = trade = address = name = ""
        account = None
        if article.second is not None:
            _, more, customer_reference, bic, gap, return_kind, reason, category, purpose = article.second
            text += more
            if gap != _NO_TRADE:
                trade = f"{gap}{return_kind}{reason}{category}{purpose}".rstrip()
                return_kind = reason = category = purpose = ""
        if article.third is not None:
            more, zone, name = article.third[1:4]
            if self.version == "2":
                text += more
                account = _account_of(zone)
            else:
                address = article.third[4].rstrip()
                account = _account_of(zone.ljust(accounts.WIDTH))
            name = name.rstrip()
        bic = bic.rstrip()
        return Movement(
            signed,
            _code_of(code),
            entry_on,
            value_on,
            text.rstrip() if structured == "0" else self._communication(structured, text, line, "2.1"),
            Counterparty(name, account, bic, address) if name or account or bic or address else None,
            reference.rstrip(),
            customer_reference.rstrip(),
            return_kind.rstrip(),
            reason.rstrip(),
            category.rstrip(),
            purpose.rstrip(),
            trade,
            _PAPER_NUMBERS.get(paper, 0),
            _LEVELS.get(level, 0),
            tuple(map(self._information, article.information)) if article.information else (),
            details,
            sequence=_NUMBERS.get(sequence, 0),
            detail=_NUMBERS.get(detail, 0),
            line=line,
        )

    def _information(self, article: _InformationArticle) -> Information:
        sequence, detail, reference, code, structured = article.first[:5]
        text, line = article.text, article.line
        if not (code.isdigit() and code.isascii()):
            self._note("transaction_code", line, column("3.1", "transaction_code"), code)
        return Information(
            text.rstrip() if structured == "0" else self._communication(structured, text, line, "3.1"),
            _code_of(code),
            reference.rstrip(),
            sequence=_NUMBERS.get(sequence, 0),
            detail=_NUMBERS.get(detail, 0),
            line=line,
        )

    def _communication(self, structured: str, text: str, line: int, record: str) -> str | Structured:
        if structured != "1":
            self._note("structured", line, column(record, "structured"), structured)
            return text.rstrip()
        value = read_structured(text, IN_MOVEMENTS if record == "2.1" else IN_INFORMATION)
        if type(value) is OtherStructured:
            self._note("communication", line, column(record, "communication"), value.kind)
        return value

    def _odd(self, line: int, code: str, paper: str, level: str) -> None:
        if not (code.isdigit() and code.isascii()):
            self._note("transaction_code", line, column("2.1", "transaction_code"), code)
        if paper not in _PAPER_NUMBERS:
            self._note("paper_number", line, column("2.1", "paper_number"), paper)
        if level not in _LEVELS:
            self._note("globalisation", line, column("2.1", "globalisation"), level)

    def _dated(self, line: int, value_on: date | None, entry_on: date | None, day: date | None) -> tuple[date, date]:
        """Return value date and entry date: each replaces the other where it is missing, and the day of the statement both."""
        if value_on is None:
            self._note("value_on_missing", line, column("2.1", "value_on"), "")
        if entry_on is None:
            self._note("entry_on_missing", line, column("2.1", "entry_on"), "")
        found = value_on or entry_on or day
        assert found is not None
        return value_on or found, entry_on or found

    def _unreadable(self, article: _Article) -> ReadError:
        for name, parse in (("amount", amount), ("value_on", DATES.__getitem__), ("entry_on", DATES.__getitem__)):
            text = article.first[_NAMES_21.index(name)]
            try:
                parse(text)
            except ValueError:
                what = "amount" if name == "amount" else "date"
                sentence = (
                    f"the amount {text!r} is not readable" if name == "amount" else f"{text!r} is not a date (DDMMYY)"
                )
                return ReadError(what, sentence, article.line, column("2.1", name))
        raise AssertionError("everything was readable after all")

    def _note(self, code: str, line: int, at: int, text: str) -> None:
        self._notes.append(Note(code, line, at, text))
