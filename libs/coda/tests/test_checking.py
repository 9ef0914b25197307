"""Every strict rule, by a file that keeps all of them but this one; and statements that do not follow one another."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

import koppel_coda
from koppel_coda import Balance
from koppel_coda.accounts import Structure
from koppel_coda.checking import RULES

from .samples import Edit, append, drop, edited, put, sample, swap

FILE = "bakery-two-days.cod"
FIRST_TRAILER, LAST_TRAILER, CLOSING = 19, 29, 17


def only_first(lines: list[str]) -> list[str]:
    return lines[:FIRST_TRAILER]


BROKEN: list[tuple[str, tuple[Edit, ...], tuple[int, int]]] = [
    ("CODA-01", (drop(1), only_first, put(18, 128, "2")), (1, 1)),
    ("CODA-02", (append("X", 4),), (4, 129)),
    ("CODA-02", (lambda lines: [*lines[:3], lines[3][:100], *lines[4:]],), (4, 101)),
    ("CODA-03", (put(4, 70, "\x01"),), (4, 70)),
    ("CODA-04", (put(1, 128, "5"),), (1, 128)),
    ("CODA-04", (put(1, 128, "1"),), (1, 128)),
    ("CODA-05", (put(4, 2, "7"),), (4, 1)),
    ("CODA-05", (put(18, 1, "5"),), (18, 1)),
    ("CODA-06", (swap(4),), (5, 1)),
    ("CODA-06", (swap(17),), (17, 1)),
    ("CODA-07", (drop(LAST_TRAILER),), (28, 1)),
    ("CODA-07", (drop(FIRST_TRAILER),), (18, 1)),
    ("CODA-08", (put(1, 15, "00"),), (1, 15)),
    ("CODA-09", (put(2, 59, "310226"),), (2, 59)),
    ("CODA-09", (put(3, 116, "000000"),), (3, 116)),
    ("CODA-09", (put(CLOSING, 58, "000000"),), (CLOSING, 58)),
    ("CODA-09", (put(3, 48, "0X0326"),), (3, 48)),
    ("CODA-10", (put(2, 2, " "),), (2, 2)),
    ("CODA-10", (put(2, 6, " " * 34), put(CLOSING, 5, " " * 34)), (2, 6)),
    ("CODA-11", (put(5, 11, "BE15"),), (5, 11)),
    ("CODA-11", (put(2, 6, "BE86"), put(CLOSING, 5, "BE86")), (2, 6)),
    ("CODA-12", (put(2, 40, "   "), put(CLOSING, 39, "   ")), (2, 6)),
    ("CODA-13", (put(3, 33, "O"),), (3, 33)),
    ("CODA-13", (put(3, 32, "2"),), (3, 32)),
    ("CODA-14", (put(CLOSING, 5, "BE14001642839183"),), (CLOSING, 5)),
    ("CODA-14", (put(CLOSING, 39, "USD"),), (CLOSING, 5)),
    ("CODA-15", (put(5, 6, "2"),), (5, 3)),
    ("CODA-15", (put(9, 6, "1"), put(10, 6, "1")), (9, 3)),
    ("CODA-16", (put(20 + 5, 6, "3"), put(20 + 6, 6, "3"), put(20 + 7, 6, "3")), (25, 3)),
    ("CODA-17", (put(5, 126, "1"),), (5, 126)),
    ("CODA-17", (put(CLOSING, 128, "0"),), (CLOSING, 128)),
    ("CODA-18", (put(3, 54, "4"),), (3, 54)),
    ("CODA-18", (put(3, 55, "88"),), (3, 54)),
    ("CODA-18", (put(3, 54, "0015000A"),), (3, 54)),
    ("CODA-19", (put(3, 57, "01"),), (3, 54)),
    ("CODA-20", (put(3, 63, "190"),), (3, 63)),
    ("CODA-20", (put(3, 62, "2"),), (3, 62)),
    ("CODA-21", (put(3, 66, "123456789003"),), (3, 66)),
    ("CODA-21", (put(3, 63, "100RF19539007547034         "),), (3, 66)),
    ("CODA-22", (put(9, 11, "X"),), (9, 11)),
    ("CODA-23", (put(13, 33, "000000000200100"),), (11, 33)),
    ("CODA-23", (put(12, 54, "0"), put(13, 54, "0"), put(13, 33, "000000000200100")), (11, 33)),
    ("CODA-23", (put(12, 54, "7"), put(13, 54, "9"), put(12, 33, "000000000612400")), (12, 33)),
    ("CODA-16", (put(3, 3, "000 "), put(4, 3, "000 "), put(5, 3, "000 ")), (3, 3)),
    ("CODA-24", (put(FIRST_TRAILER, 17, "000017"),), (FIRST_TRAILER, 17)),
    ("CODA-24", (put(FIRST_TRAILER, 17, "00 016"),), (FIRST_TRAILER, 17)),
    ("CODA-25", (put(FIRST_TRAILER, 47, "1"),), (FIRST_TRAILER, 23)),
    ("CODA-26", (put(CLOSING, 52, "9"),), (CLOSING, 43)),
    ("CODA-27", (put(FIRST_TRAILER, 128, "2"),), (FIRST_TRAILER, 128)),
    ("CODA-27", (put(LAST_TRAILER, 128, "1"),), (LAST_TRAILER, 128)),
    ("CODA-28", (put(FIRST_TRAILER, 60, "X"),), (FIRST_TRAILER, 53)),
    ("CODA-28", (put(1, 2, "0903"),), (1, 2)),
    ("CODA-31", (put(1, 84, "00001"),), (1, 84)),
    ("CODA-32", (put(3, 116, "010126"),), (3, 116)),
    ("CODA-33", (drop(17, 18), put(17, 17, "000015")), (17, 1)),
]
FOLLOW = {
    "CODA-02": {"CODA-17"},
    "CODA-04": {"CODA-10", "CODA-11", "CODA-12", "CODA-28", "CODA-14"},
    "CODA-05": {"CODA-15", "CODA-17", "CODA-24"},
    "CODA-06": {"CODA-17", "CODA-24"},
    "CODA-10": {"CODA-14"},
    "CODA-11": {"CODA-14"},
    "CODA-15": {"CODA-16"},
    "CODA-26": {"CODA-29"},
    "CODA-33": {"CODA-17"},
}
"""What else is reported when a rule does not hold: a record that does not exist is not counted either, and so on."""


def test_our_samples_keep_every_rule() -> None:
    assert koppel_coda.check(sample(FILE)).findings == ()


@pytest.mark.parametrize(("rule", "edits", "place"), BROKEN, ids=[f"{row[0]}-{row[2]}" for row in BROKEN])
def test_a_broken_rule_is_reported_with_its_line_and_column(
    rule: str, edits: tuple[Edit, ...], place: tuple[int, int]
) -> None:
    report = koppel_coda.check(edited(FILE, *edits))
    assert report.rules() - FOLLOW.get(rule, set()) == {rule}
    first = next(finding for finding in report.findings if finding.rule == rule)
    assert (first.line, first.column) == place
    assert first.severity == RULES[rule].severity
    assert report.valid is not any(finding.severity == "error" for finding in report.findings)


def test_each_rule_is_broken_by_a_test() -> None:
    in_series = {"CODA-29", "CODA-30"}
    assert {row[0] for row in BROKEN} | in_series == set(RULES)
    assert len(RULES) == 33


@pytest.mark.parametrize(("rule", "edits", "place"), BROKEN, ids=[f"{row[0]}-{row[2]}" for row in BROKEN])
def test_sentences_are_whole_in_three_languages(rule: str, edits: tuple[Edit, ...], place: tuple[int, int]) -> None:
    for finding in koppel_coda.check(edited(FILE, *edits)).findings:
        sentences = {finding.message.nl, finding.message.fr, finding.message.en}
        assert len(sentences) == 3
        filled = [sentence.replace("«   »", "a blank") for sentence in sentences]
        assert not any(gap in sentence for sentence in filled for gap in ("{", "None", "  "))


@pytest.mark.parametrize(
    "edit",
    [put(2, 6, "BE85 7350 4815 2606"), put(17, 5, "BE85 7350 4815 2606"), put(17, 5, "be85735048152606")],
)
def test_the_spelling_of_an_iban_breaks_no_rule(edit: Edit) -> None:
    assert koppel_coda.check(edited(FILE, edit)).findings == ()


BELGIAN = "735048152606 EUR" + " " * 21
"""The IBAN of the sample as the Belgian number that it was before, with its currency where that has it."""


@pytest.mark.parametrize(
    "edits",
    [
        (put(CLOSING, 39, "   "),),
        (put(CLOSING, 5, BELGIAN),),
        (put(2, 2, "0"), put(2, 6, BELGIAN)),
        (put(2, 2, "0"), put(2, 6, BELGIAN), put(CLOSING, 5, "BE85 7350 4815 2606")),
        (put(2, 2, "0"), put(2, 6, BELGIAN), put(CLOSING, 5, BELGIAN.replace("EUR", "   "))),
        (put(CLOSING, 5, BELGIAN.replace("EUR", "   ")),),
    ],
)
def test_one_account_may_be_written_in_two_ways(edits: tuple[Edit, ...]) -> None:
    assert koppel_coda.check(edited(FILE, *edits)).findings == ()


@pytest.mark.parametrize(
    ("edits", "sentence"),
    [
        (
            (put(CLOSING, 5, "001642839183 EUR" + " " * 21),),
            "Opening balance is for BE85735048152606 EUR, closing balance for 001642839183 EUR.",
        ),
        (
            (put(2, 2, "0"), put(2, 6, BELGIAN), put(CLOSING, 5, "BE14001642839183")),
            "Opening balance is for 735048152606 EUR, closing balance for BE14001642839183 EUR.",
        ),
        (
            (put(CLOSING, 5, BELGIAN.replace("EUR", "USD")),),
            "Opening balance is for BE85735048152606 EUR, closing balance for 735048152606 USD.",
        ),
    ],
)
def test_another_account_is_named_as_it_is_written(edits: tuple[Edit, ...], sentence: str) -> None:
    [found] = koppel_coda.check(edited(FILE, *edits)).findings
    assert (found.rule, found.message.en) == ("CODA-14", sentence)


@pytest.mark.parametrize("digit", [" ", "0"])
def test_an_account_that_is_read_in_spite_of_its_structure_is_not_called_unreadable(digit: str) -> None:
    [found] = koppel_coda.check(edited(FILE, put(2, 2, digit))).findings
    assert (found.rule, found.line, found.column) == ("CODA-10", 2, 2)
    assert (
        found.message.en == f"Line 2: the account's structure is '{digit}', but its number reads as BE85735048152606."
    )


def test_what_is_no_coda_is_a_finding_and_never_an_exception() -> None:
    for data in (b"", b"\r\n\r\n", b"%PDF-1.7\n", b"\x00" * 500, "€".encode("utf-16"), b"0" * 200, b"1"):
        report = koppel_coda.check(data)
        assert not report.valid, data


def test_the_balance_of_a_part_proves_nothing_and_makes_no_error() -> None:
    part = put(1, 84, "00001")
    [_, found] = koppel_coda.check(edited(FILE, part, put(CLOSING, 52, "9"))).findings
    assert (found.rule, found.severity) == ("CODA-26", "information")
    zeros = (put(2, 43, "0" * 16), put(CLOSING, 42, "0" * 16))
    assert koppel_coda.check(edited(FILE, part, *zeros)).rules() == {"CODA-31"}


def test_zeros_and_blanks_are_no_separate_application() -> None:
    report = koppel_coda.check(edited(FILE, put(1, 84, "0000 "), put(CLOSING, 52, "9")))
    assert {finding.rule for finding in report.errors} == {"CODA-26"}
    assert "CODA-31" not in report.rules()


def test_a_third_article_may_follow_the_first() -> None:
    data = edited(FILE, put(10, 1, "33"), put(10, 101, " " * 15))
    assert koppel_coda.check(data).findings == ()


def test_information_of_the_old_kind_and_an_operation_of_zeros_are_nothing_unknown() -> None:
    old = edited(FILE, put(9, 40, "1003"))
    assert koppel_coda.check(old).findings == ()
    assert koppel_coda.check(edited(FILE, put(3, 57, "00"))).findings == ()


def test_after_9999_movements_numbers_begin_again_at_0000() -> None:
    whole = sample(FILE).splitlines(keepends=True)
    line = whole[2][:125] + b"0 0\r\n"
    lines = [line[:2] + b"%04d" % (number % 10_000) + line[6:] for number in range(1, 10_002)]
    assert (
        not {"CODA-15", "CODA-16", "CODA-17"} & koppel_coda.check(b"".join([*whole[:2], *lines, *whole[16:19]])).rules()
    )


def test_version_1_passes_where_it_is_allowed() -> None:
    assert koppel_coda.check(edited(FILE, put(1, 128, "1"))).rules() >= {"CODA-04"}
    assert "CODA-04" not in koppel_coda.check(edited(FILE, put(1, 128, "1")), version_1=True).rules()


def test_old_data_in_record_2_2_is_not_unexpected_text() -> None:
    assert koppel_coda.check(edited(FILE, put(4, 110, "00843246306A1648"))).findings == ()


def test_a_file_wrong_everywhere_is_reported_often_enough_and_in_bounded_time() -> None:
    line = edited(FILE, put(3, 54, "4")).splitlines(keepends=True)[2]
    whole = sample(FILE).splitlines(keepends=True)
    report = koppel_coda.check(b"".join([*whole[:2], line * 5_000, *whole[16:19]]))
    assert 1000 <= len(report.findings) < 1000 + len(RULES)
    assert not report.valid, "five thousand warnings hide no error"
    assert {"CODA-24", "CODA-25", "CODA-26"} <= report.rules()


class TestSeries:
    def test_statements_that_follow_one_another_are_valid(self) -> None:
        assert koppel_coda.check_series(koppel_coda.read(sample(FILE))).findings == ()

    def test_a_gap_an_overlap_and_a_wrong_order_are_findings(self) -> None:
        first, second = koppel_coda.read(sample(FILE))
        gap = replace(second, old_balance=replace(second.old_balance, amount=Decimal("4000.00")))
        [found] = koppel_coda.check_series([first, gap]).findings
        assert (found.rule, found.statement) == ("CODA-29", 2)
        assert "4463.03" in found.message.en
        assert "4000.00" in found.message.en
        [wrong_order] = koppel_coda.check_series([second, first]).findings
        assert wrong_order.rule == "CODA-29"
        numbered = replace(second, coded_number=71)
        [missing] = koppel_coda.check_series([first, numbered]).findings
        assert "071" in missing.message.en

    def test_an_account_is_one_however_its_number_is_written(self) -> None:
        first, second = koppel_coda.read(sample(FILE))
        bban = replace(second.account, number="735048152606", structure=Structure.BBAN)
        foreign = replace(second.account, number="BE85 7350 4815 2606", structure=Structure.FOREIGN)
        for account in (bban, foreign):
            gap = replace(second, account=account, coded_number=99)
            [found] = koppel_coda.check_series([first, gap]).findings
            assert found.rule == "CODA-29"

    def test_a_file_of_several_statements_is_checked_as_a_series(self) -> None:
        second_twice = edited(FILE, lambda lines: [*lines[:28], lines[28][:127] + "1", *lines[19:]])
        [found] = koppel_coda.check(second_twice).findings
        assert (found.rule, found.line, found.statement) == ("CODA-30", 30, 3)

    def test_a_statement_that_overlaps_the_previous_one_is_a_finding_though_balances_meet(self) -> None:
        first, second = koppel_coda.read(sample(FILE))
        for day in (1, 8):
            early = replace(second, old_balance=replace(second.old_balance, on=date(2026, 3, day)))
            [found] = koppel_coda.check_series([first, early]).findings
            assert found.rule == "CODA-29"

    def test_after_a_day_without_movements_dates_may_stay_those_of_the_last_movement(self) -> None:
        first, second = koppel_coda.read(sample(FILE))
        quiet = replace(
            first,
            movements=(),
            old_balance=replace(first.old_balance, amount=first.closing, on=date(2026, 3, 9)),
            new_balance=Balance(first.closing, date(2026, 3, 10)),
            coded_number=69,
        )
        assert koppel_coda.check_series([first, quiet, replace(second, coded_number=70)]).findings == ()

    def test_the_same_statement_twice_is_a_duplicate_even_when_sent_again_as_one(self) -> None:
        first, second = koppel_coda.read(sample(FILE))
        again = replace(first, header=replace(first.header, duplicate=True, created_on=date(2026, 3, 20)))
        [found] = koppel_coda.check_series([first, again, second]).findings
        assert (found.rule, found.statement) == ("CODA-30", 2)

    @pytest.mark.parametrize(
        "edits",
        [(drop(3, 18),), (put(17, 42, "0000000004810220000000"), drop(3, 16))],
        ids=["without record 8", "without its date"],
    )
    def test_days_without_movements_are_no_copies_of_one_another(self, edits: tuple[Edit, ...]) -> None:
        days = [
            koppel_coda.read(edited(FILE, put(1, 6, f"{day:02d}0326"), put(2, 126, "000"), *edits))[0]
            for day in (9, 10)
        ]
        assert [one.closed_on for one in days] == [date(2026, 3, 9), date(2026, 3, 10)]
        assert koppel_coda.check_series(days).findings == ()
        [found] = koppel_coda.check_series([*days, days[1]]).findings
        assert (found.rule, found.statement) == ("CODA-30", 3)

    def test_numbers_begin_again_in_a_new_year_and_may_be_absent_or_shared(self) -> None:
        first, second = koppel_coda.read(sample(FILE))
        next_year = replace(second.header, created_on=date(2027, 1, 4))
        assert koppel_coda.check_series([first, replace(second, header=next_year, coded_number=1)]).valid
        for number in (0, first.coded_number):
            assert koppel_coda.check_series([first, replace(second, coded_number=number)]).findings == ()

    def test_the_year_ends_by_the_days_closed_too_for_files_made_after_new_year(self) -> None:
        first, second = koppel_coda.read(sample(FILE))
        assert first.new_balance is not None
        made = replace(first.header, created_on=date(2027, 1, 2))
        last = replace(first, header=made, new_balance=replace(first.new_balance, on=date(2026, 12, 31)))
        begins = replace(
            second,
            header=replace(made, created_on=date(2027, 1, 5)),
            old_balance=replace(second.old_balance, on=date(2026, 12, 31)),
            new_balance=Balance(second.closing, date(2027, 1, 4)),
            coded_number=1,
        )
        assert koppel_coda.check_series([last, begins]).findings == ()

    def test_each_account_and_currency_is_its_own_series_and_parts_prove_nothing(self) -> None:
        first, second = koppel_coda.read(sample(FILE))
        dollars = replace(first, account=replace(first.account, currency="USD"))
        part = replace(first, header=replace(first.header, separate_application="00002"))
        assert koppel_coda.check_series([first, dollars, part, second]).findings == ()
