"""An export is right, or the first broken entry is named."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from koppel_receipts import Entry, Report, add_totals, exporting, new_key, verify

from .books import BOOK, KEY_ID, Book, line, three_days

SAMPLE = Path(__file__).parent / "samples" / "bakery-three-days.ndjson"


def changed(number: int, change: Callable[[dict[str, Any]], Any]) -> Report:
    """Verify an export in which one line, from 1, was changed."""
    lines = three_days().export()
    found = json.loads(lines[number - 1])
    change(found)
    lines[number - 1] = json.dumps(found).encode()
    return verify(lines)


def rehashed(found: dict[str, Any], **of_line: str) -> None:
    """Change the first line of an entry, and give the entry the hash of what it says now."""
    found["content"]["lines"][0].update(of_line)
    fields = {name: value for name, value in found.items() if name not in ("hash", "seal")}
    found["hash"] = Entry(book_id=BOOK, **fields).hash()


def test_a_number_that_no_reader_has_is_no_line_of_a_file() -> None:
    lines = three_days().export()
    lines[3] = lines[3].replace(b'"seq":3', b'"seq":1e99999999999999999999')
    broken = verify(lines).broken
    assert broken is not None and broken.rule == "unreadable"


def test_a_file_of_an_earlier_release_is_still_right() -> None:
    report = verify(SAMPLE.read_bytes().splitlines())
    assert report.valid, report.broken
    assert (report.entries, report.first_seq, str(report.first_on), str(report.last_on)) == (
        4,
        1,
        "2026-03-07",
        "2026-03-09",
    )
    assert (report.sealed_through, report.key_ids) == (2, {KEY_ID})
    assert report.running_totals == {"S:21": "242.00", "S:6": "53.00"}
    assert not report.head_sealed, "it had no seal over its first line"


def test_an_empty_book_is_right() -> None:
    assert verify(Book().export()).valid


@pytest.mark.parametrize(
    ("number", "change", "broken"),
    [
        (2, lambda each: each["content"]["lines"][0].update(amount="105.00"), (1, "hash")),
        (3, lambda each: each.update(date="2026-03-07"), (2, "hash")),
        (3, lambda each: each.update(previous_hash="0" * 64), (2, "previous_hash")),
        (3, lambda each: each.update(seq=3), (3, "sequence")),
        (3, lambda each: each.update(hash="f" * 64), (2, "hash")),
        (3, lambda each: each.update(seal=None), (2, "seal_missing")),
        (3, lambda each: each["seal"].update(key_id="another"), (2, "seal_key")),
        (3, lambda each: each["seal"].update(signature="AAAA"), (2, "seal")),
        (3, lambda each: each.update(seal="yes"), (2, "seal")),
        (4, lambda each: each["running_totals"].update({"S:6": "160.00"}), (3, "hash")),
        (4, lambda each: each.pop("content"), (None, "unreadable")),
        (4, lambda each: each.update(seq="3"), (None, "unreadable")),
        (4, lambda each: each.update(content=[]), (3, "hash")),
        (4, lambda each: each["content"]["lines"][0].update(amount=53.5), (3, "unreadable")),
        (6, lambda each: each["end"].update(entries=3), (None, "cut_off")),
        (4, lambda each: rehashed(each, vat_rate="1e999999999"), (3, "unreadable")),
        (4, lambda each: rehashed(each, vat_rate="1e-999999999"), (3, "unreadable")),
        (4, lambda each: rehashed(each, amount="1e999999999"), (3, "unreadable")),
        (4, lambda each: rehashed(each, amount="1e99999999999999999999"), (3, "unreadable")),
        (1, lambda each: each.update(format="another"), (None, "unreadable")),
        (1, lambda each: each["book"].update(name="Bakkerij Peeters, Brussel"), (None, "head")),
        (1, lambda each: each["book"].update(place_of_business="Markt 1"), (None, "head")),
        (1, lambda each: each["keys"].append({"kid": "another", "x": "AAAA"}), (None, "head")),
        (1, lambda each: each["book"].update(vat_rate=0.21), (None, "unreadable")),
        (6, lambda each: each["end"].pop("head"), (None, "head")),
        (6, lambda each: each["end"].pop("seal"), (None, "seal")),
        (6, lambda each: each["end"]["seal"].update(key_id="another"), (None, "seal_key")),
        (6, lambda each: each["end"]["seal"].update(signature="AAAA"), (None, "seal")),
    ],
)
def test_the_first_broken_entry_is_named(
    number: int, change: Callable[[dict[str, Any]], Any], broken: tuple[int | None, str]
) -> None:
    found = changed(number, change).broken
    assert found is not None
    assert (found.seq, found.rule) == broken, found


@pytest.mark.parametrize(
    ("on", "lines", "payments", "rule"),
    [
        ("2026-03-11", [line("1.00")], None, "day_missing"),
        ("2026-03-08", [line("1.00")], None, "date"),
        ("2026-03-10", [line("1.00")], [{"method": "cash", "amount": "2.00"}], "payments"),
    ],
)
def test_what_was_never_right_is_found_though_its_hashes_are(
    on: str, lines: list[dict[str, str]], payments: Any, rule: str
) -> None:
    book = three_days()
    book.add(on, *lines, payments=payments)
    found = verify(book.export()).broken
    assert found is not None
    assert (found.seq, found.rule) == (5, rule)


def test_whoever_seals_anew_with_a_key_of_his_own_is_found_by_the_published_keys() -> None:
    honest, forged = three_days(), three_days()
    assert verify(forged.export()).valid
    report = verify(forged.export(), {KEY_ID: honest.key.public})
    assert report.broken is not None and (report.broken.seq, report.broken.rule) == (1, "seal")
    assert verify(honest.export(), {KEY_ID: honest.key.public}).valid


def test_who_changes_the_first_line_cannot_seal_it() -> None:
    lines = three_days().export()
    head, end = json.loads(lines[0]), json.loads(lines[-1])
    head["book"]["name"] = "Bakkerij Peeters, Brussel"
    end["end"]["head"] = exporting.head_hash(head)
    broken = verify([json.dumps(head).encode(), *lines[1:-1], json.dumps(end).encode()]).broken
    assert broken is not None and broken.rule == "seal"
    del end["end"]["head"], end["end"]["seal"]
    report = verify([json.dumps(head).encode(), *lines[1:-1], json.dumps(end).encode()])
    assert report.valid and not report.head_sealed, "as an export of before"
    assert verify(lines).head_sealed


LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@pytest.mark.parametrize("number", [3, 6])
def test_a_signature_is_written_in_one_way(number: int) -> None:
    def written_otherwise(found: dict[str, Any]) -> None:
        seal = found["end"]["seal"] if number == 6 else found["seal"]
        last = LETTERS.index(seal["signature"][-1])  # 64 bytes leave its last four bits unused
        seal["signature"] = seal["signature"][:-1] + LETTERS[last ^ 1]

    broken = changed(number, written_otherwise).broken
    assert broken is not None and broken.rule == "seal"


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_one_bit_changed_in_the_first_line_or_the_last_is_found(data: st.DataObject) -> None:
    lines = three_days(new_key()).export()
    number = data.draw(st.sampled_from([0, len(lines) - 1]))
    place = data.draw(st.integers(0, len(lines[number]) - 2))
    flipped = bytearray(lines[number])
    flipped[place] ^= 1 << data.draw(st.integers(0, 7))
    lines[number] = bytes(flipped)
    assert not verify(lines).valid


def test_a_file_that_was_cut_off_or_lengthened_is_found() -> None:
    lines = three_days().export()
    for cut in range(len(lines)):
        assert not verify(lines[:cut]).valid
    assert not verify([*lines, lines[-1]]).valid
    for left_out in range(2, 5):
        assert not verify([*lines[:left_out], *lines[left_out + 1 :]]).valid


def test_a_book_whose_first_years_are_gone_is_right_from_where_it_begins() -> None:
    lines = three_days().export()
    end = json.loads(lines[-1]) | {"end": {"entries": 3, "hash": json.loads(lines[-2])["hash"]}}
    report = verify([lines[0], *lines[2:-1], json.dumps(end).encode()])
    assert report.valid, report.broken
    assert (report.first_seq, report.entries) == (2, 3)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_one_bit_changed_anywhere_in_an_entry_is_found(data: st.DataObject) -> None:
    lines = three_days(new_key()).export()
    number = data.draw(st.integers(1, len(lines) - 2))
    place = data.draw(st.integers(0, len(lines[number]) - 2))
    bit = data.draw(st.integers(0, 7))
    flipped = bytearray(lines[number])
    flipped[place] ^= 1 << bit
    lines[number] = bytes(flipped)
    report = verify(lines)
    assert report.broken is not None
    assert report.broken.line in (number + 1, number + 2), "the change is at this entry, or at the seal of its day"


@given(st.binary(max_size=200))
def test_no_bytes_make_it_fail_otherwise(data: bytes) -> None:
    lines = three_days().export()
    assert not verify([data]).valid
    assert not verify([*lines[:2], data, *lines[2:]]).valid


AMOUNTS = st.lists(st.tuples(st.integers(-100_000, 100_000), st.sampled_from(["6", "12", "21"])), max_size=12)


@given(AMOUNTS, st.randoms(use_true_random=False), st.integers(1, 5))
def test_any_order_and_split_gives_the_same_running_totals(
    amounts: list[tuple[int, str]], random: Any, size: int
) -> None:
    lines = [line(f"{cents / 100:.2f}", rate) for cents, rate in amounts]
    at_once = add_totals({}, {"lines": lines})
    random.shuffle(lines)
    split: dict[str, str] = {}
    for start in range(0, len(lines), size):
        split = add_totals(split, {"lines": lines[start : start + size]})
    assert split == at_once
