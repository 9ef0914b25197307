"""What banks and people do to files: the reader puts up with it, loses nothing, and says so where it had to choose."""

import os
import random
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal

import pytest

import koppel_coda
from koppel_coda import Account, Counterparty, OtherStructured, ReadError, Statement, WriteError

from .samples import append, drop, edited, put, sample, swap

FILE = "bakery-two-days.cod"
GIVEN = sample(FILE)
STATEMENTS = koppel_coda.read(GIVEN)
TEXT = GIVEN.decode("ascii")
ACCENTED = TEXT.replace("CAFE HET HOEKJE ", "CAFÉ HET HOEKJE ")


def with_line(line: int, text: str) -> bytes:
    lines = GIVEN.splitlines(keepends=True)
    return b"".join([*lines[: line - 1], text.encode(), *lines[line - 1 :]])


PRINTED = "BE85 7350 4815 2606            "
"""The IBAN of the sample in groups of four, as on paper."""

SAME: dict[str, bytes] = {
    "1 LF": GIVEN.replace(b"\r\n", b"\n"),
    "1 CR": GIVEN.replace(b"\r\n", b"\r"),
    "1 mixed ends": GIVEN.replace(b"\r\n", b"\n", 5),
    "1 BOM": b"\xef\xbb\xbf" + GIVEN,
    "1 blank lines": with_line(4, "\r\n   \r\n"),
    "1 no last end": GIVEN.rstrip(),
    "1 Ctrl-Z": GIVEN + b"\x1a",
    "2 short by blanks": b"\r\n".join(line.rstrip() for line in GIVEN.splitlines()),
    "2 surplus blanks": edited(FILE, append("    ", 5)),
    "3 UTF-16": TEXT.encode("utf-16"),
    "3 UTF-32": TEXT.encode("utf-32"),
    "3 EBCDIC": TEXT.encode("cp1140"),
    "10 multiple-file code": edited(FILE, put(19, 128, "2"), put(29, 128, "1")),
    "11 next and link codes": edited(FILE, put(3, 126, "0"), put(5, 126, "1"), put(8, 128, "0"), put(17, 128, "0")),
    "12 gaps in numbering": edited(FILE, *(put(line, 6, "7") for line in (25, 26, 27))),
    "16 record 4 before 8": edited(FILE, swap(17)),
    "20 blanks for zeros": edited(FILE, put(1, 84, "     ")),
    "IBAN with blanks where the statement opens": edited(FILE, put(2, 6, PRINTED)),
    "IBAN with blanks where it closes": edited(FILE, put(17, 5, PRINTED)),
    "IBAN in small letters": edited(FILE, put(2, 6, PRINTED.lower()), put(17, 5, "be85735048152606")),
    "IBAN with blanks in both": edited(FILE, put(2, 6, PRINTED), put(17, 5, PRINTED)),
}


@pytest.mark.parametrize("name", list(SAME))
def test_the_same_statements_come_out(name: str) -> None:
    assert koppel_coda.read(SAME[name]) == STATEMENTS


def first_counterparty(statement: Statement) -> Counterparty:
    found = statement.movements[0].counterparty
    assert found is not None
    return found


def first_account(statement: Statement) -> Account:
    found = first_counterparty(statement).account
    assert found is not None
    return found


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "cp850", "iso8859-15", "utf-16", "cp1140"])
def test_accents_are_read_in_every_encoding_banks_use(encoding: str) -> None:
    [first, _] = koppel_coda.read(ACCENTED.encode(encoding))
    counterparty = first_counterparty(first)
    assert counterparty.name == "CAFÉ HET HOEKJE"
    assert counterparty.account == first_counterparty(STATEMENTS[0]).account


def account_and_notes(statement: Statement) -> tuple[str | None, str, list[str]]:
    return statement.account.iban, statement.account.currency, [note.code for note in statement.notes]


def closing(statements: list[Statement]) -> list[Decimal]:
    return [one.closing for one in statements]


CHANGED: dict[str, tuple[bytes, Callable[[Statement], object], object]] = {
    "5 empty, without record 8": (
        edited(FILE, drop(3, 18)),
        lambda one: (one.movements, one.new_balance, one.closing),
        ((), None, Decimal("4810.22")),
    ),
    "6 no value date": (
        edited(FILE, put(3, 48, "000000")),
        lambda one: one.movements[0].value_on == one.movements[0].entry_on,
        True,
    ),
    "6 no entry date": (
        edited(FILE, put(3, 116, "      ")),
        lambda one: one.movements[0].entry_on == one.movements[0].value_on,
        True,
    ),
    "6 no date of the new balance": (
        edited(FILE, put(17, 58, "000000")),
        lambda one: one.closing,
        Decimal("4463.03"),
    ),
    "7 blank structure": (edited(FILE, put(2, 2, " ")), lambda one: one.account.iban, "BE85735048152606"),
    "8 duplicate": (edited(FILE, put(1, 17, "D")), lambda one: one.header.duplicate, True),
    "9 application": (edited(FILE, put(1, 15, "00")), lambda one: one.header.application, "00"),
    "13 unknown code": (edited(FILE, put(3, 54, "49988777")), lambda one: one.movements[0].code.text, "49988777"),
    "13 unknown communication": (
        edited(FILE, put(3, 63, "190")),
        lambda one: isinstance(one.movements[0].communication, OtherStructured),
        True,
    ),
    "14 foreign bank reference": (
        edited(FILE, put(9, 11, "SOMETHING ELSE       ")),
        lambda one: one.movements[1].information[0].bank_reference,
        "SOMETHING ELSE",
    ),
    "15 old data in 2.2": (
        edited(FILE, put(4, 110, "00843246306A1648")),
        lambda one: (one.movements[0].trade_reference, one.movements[0].purpose),
        ("00843246306A1648", ""),
    ),
    "17 globalisation that does not close": (
        edited(FILE, put(11, 125, "1")),
        lambda one: len(one.movements),
        4,
    ),
    "18 lower case": (
        edited(FILE, put(5, 48, "Café & Co; <hoek>")),
        lambda one: first_counterparty(one).name[:17],
        "Café & Co; <hoek>",
    ),
    "19 counterparty as BBAN": (
        edited(FILE, put(5, 11, "001642839183 EUR                     ")),
        lambda one: first_account(one).iban,
        "BE14001642839183",
    ),
    "19 counterparty as IBAN with blanks": (
        edited(FILE, put(5, 11, "BE14 0016 4283 9183               EUR")),
        lambda one: first_account(one).key,
        ("BE14001642839183", "EUR"),
    ),
    "19 counterparty as foreign IBAN with blanks": (
        edited(FILE, put(5, 11, "FR76 3000 6000 0112 3456 7890 189 EUR")),
        lambda one: first_account(one).key,
        ("FR7630006000011234567890189", "EUR"),
    ),
    "7 an IBAN announced as a foreign number": (
        edited(FILE, put(2, 2, "1")),
        lambda one: one.account.key,
        ("BE85735048152606", "EUR"),
    ),
    "19 counterparty of zeros": (
        edited(FILE, put(5, 11, "0" * 34 + "   ")),
        lambda one: first_counterparty(one).account,
        None,
    ),
    "21 shifted information": (
        edited(FILE, lambda lines: [*lines[:8], lines[8][:31] + lines[8][32:] + " ", *lines[9:]]),
        lambda one: isinstance(one.movements[1].information[0].communication, str),
        True,
    ),
    "7 an IBAN announced as a Belgian number": (
        edited(FILE, put(2, 2, "0")),
        lambda one: (one.account.iban, one.account.currency, [note.code for note in one.notes]),
        ("BE85735048152606", "EUR", ["structure"]),
    ),
    "7 a Belgian number announced as an IBAN": (
        edited(
            FILE,
            put(2, 6, "735048152606                      EUR"),
            put(17, 5, "735048152606                      EUR"),
        ),
        lambda one: (one.account.iban, one.account.currency, [note.code for note in one.notes]),
        ("BE85735048152606", "EUR", ["structure"]),
    ),
    "12 a detail of another number": (
        edited(FILE, put(12, 6, "9")),
        lambda one: (
            len(one.movements),
            one.old_balance.amount + one.total == one.closing,
            len(one.movements[2].details),
        ),
        (4, True, 2),
    ),
    "14 a closing account without its currency": (
        edited(FILE, put(17, 39, "   ")),
        account_and_notes,
        ("BE85735048152606", "EUR", ["currency"]),
    ),
    "14 a Belgian number closes what an IBAN opened": (
        edited(FILE, put(17, 5, "735048152606 EUR" + " " * 21)),
        account_and_notes,
        ("BE85735048152606", "EUR", ["structure"]),
    ),
    "14 an IBAN closes what a Belgian number opened": (
        edited(FILE, put(2, 2, "0"), put(2, 6, "735048152606 EUR" + " " * 21)),
        account_and_notes,
        ("BE85735048152606", "EUR", ["structure"]),
    ),
    "14 an IBAN with blanks closes what a Belgian number opened": (
        edited(FILE, put(2, 2, "0"), put(2, 6, "735048152606 EUR" + " " * 21), put(17, 5, PRINTED)),
        account_and_notes,
        ("BE85735048152606", "EUR", ["structure"]),
    ),
    "14 a Belgian number without currency closes what an IBAN opened": (
        edited(FILE, put(17, 5, "735048152606    " + " " * 21)),
        account_and_notes,
        ("BE85735048152606", "EUR", ["currency", "structure"]),
    ),
    "14 a Belgian number closes an IBAN announced as a foreign number": (
        edited(FILE, put(2, 2, "1"), put(17, 5, "735048152606 EUR" + " " * 21)),
        account_and_notes,
        ("BE85735048152606", "EUR", ["structure"]),
    ),
    "14 an IBAN closes an IBAN announced as a foreign number": (
        edited(FILE, put(2, 2, "1"), put(17, 5, PRINTED)),
        account_and_notes,
        ("BE85735048152606", "EUR", []),
    ),
    "14 the currency only where it closes": (
        edited(FILE, put(2, 40, "   "), put(17, 39, "USD")),
        account_and_notes,
        ("BE85735048152606", "USD", ["currency"]),
    ),
    "14 a currency in small letters": (
        edited(FILE, put(17, 39, "eur")),
        account_and_notes,
        ("BE85735048152606", "EUR", []),
    ),
    "7 an IBAN with blanks announced as a Belgian number": (
        edited(FILE, put(2, 2, "0"), put(2, 6, PRINTED)),
        account_and_notes,
        ("BE85735048152606", "EUR", ["structure"]),
    ),
    "14 another Belgian number closes": (
        edited(FILE, put(17, 5, "001642839183 EUR" + " " * 21)),
        lambda one: [(note.code, note.text) for note in one.notes],
        [("other_account", "001642839183")],
    ),
    "14 another account closes": (
        edited(FILE, put(17, 5, "BE14001642839183")),
        lambda one: [(note.code, note.line, note.column, note.text) for note in one.notes],
        [("other_account", 17, 5, "BE14001642839183")],
    ),
    "19 counterparty of zeros with a currency": (
        edited(FILE, put(5, 11, "000000000000 EUR" + " " * 21)),
        lambda one: first_counterparty(one).account,
        None,
    ),
    "20 a blank for the zero of the company number": (
        edited(FILE, put(1, 72, " ")),
        lambda one: one.header.company_number,
        "0734567848",
    ),
    "20 blanks for the zeros of a detail number": (
        edited(FILE, put(3, 7, "    ")),
        lambda one: len(one.movements),
        4,
    ),
    "22 third decimal": (
        edited(FILE, put(3, 47, "5")),
        lambda one: one.movements[0].amount,
        Decimal("302.505"),
    ),
}


@pytest.mark.parametrize("name", list(CHANGED))
def test_the_rest_is_read_as_it_was_meant(name: str) -> None:
    data, look, expected = CHANGED[name]
    statements = koppel_coda.read(data)
    assert len(statements) == 2
    assert look(statements[0]) == expected


def test_nested_details_stand_under_the_detail_they_belong_to() -> None:
    nested = edited(FILE, put(11, 54, "2"), put(12, 54, "7"), put(13, 54, "9"), put(13, 33, "000000000412400"))
    [head] = [one for one in koppel_coda.read(nested)[0].movements if one.details and one.code.type == "2"]
    assert [len(one.details) for one in head.details] == [1]


def test_an_account_of_other_digits_has_no_iban() -> None:
    data = edited(FILE, put(2, 2, "0"), put(2, 6, "73504815260² EUR" + " " * 21))
    assert koppel_coda.read(data)[0].account.iban is None


NEVER = {
    "amount": edited(FILE, put(3, 33, "O")),
    "sign": edited(FILE, put(3, 32, "2")),
    "balance": edited(FILE, put(17, 43, "X")),
    "account": edited(FILE, put(2, 6, " " * 37)),
    "half a line": GIVEN[:700],
    "half a file": b"".join(GIVEN.splitlines(keepends=True)[:15]),
    "half of the second statement": b"".join(GIVEN.splitlines(keepends=True)[:25]),
    "a line too long": edited(FILE, append("X", 4)),
    "a movement cut in its text": edited(FILE, lambda lines: [*lines[:2], lines[2][:100], *lines[3:]]),
    "information cut in its code": edited(FILE, lambda lines: [*lines[:8], lines[8][:35], *lines[9:]]),
}


@pytest.mark.parametrize("name", list(NEVER))
def test_what_must_never_be_guessed_is_refused_with_its_place(name: str) -> None:
    with pytest.raises(ReadError) as refused:
        koppel_coda.read(NEVER[name])
    assert refused.value.line is not None and refused.value.line >= 1
    assert refused.value.column is not None and refused.value.column >= 1
    assert refused.value.message


@pytest.mark.parametrize("line", [1, 5, 25_000])
def test_what_is_no_utf_16_is_refused_with_its_place(line: int) -> None:
    lines = (TEXT * -(-line // 29)).splitlines()
    lines[line - 1] = lines[line - 1][:40] + "\ud800" + lines[line - 1][41:]
    with pytest.raises(ReadError) as refused:
        koppel_coda.read("\r\n".join(["\ufeff" + lines[0], *lines[1:]]).encode("utf-16-le", "surrogatepass"))
    assert (refused.value.code, refused.value.line, refused.value.column) == ("encoding", line, 41)


@pytest.mark.fuzz
def test_whatever_the_bytes_reader_and_check_answer_in_their_own_words() -> None:
    chance = random.Random(20260309)
    for _ in range(1_500 * int(os.environ.get("KOPPEL_FUZZ", "1"))):
        data = bytearray(GIVEN)
        for _ in range(chance.randint(1, 8)):
            at = chance.randrange(len(data))
            match chance.randrange(4):
                case 0:
                    data[at] = chance.randrange(256)
                case 1:
                    del data[at : at + chance.randint(1, 300)]
                case 2:
                    data[at:at] = data[at : at + chance.randint(1, 300)]
                case _:
                    data[at:at] = bytes([chance.randrange(256)]) * chance.randint(1, 40)
        with suppress(ReadError, WriteError):
            koppel_coda.write(koppel_coda.read(bytes(data)))
        koppel_coda.check(bytes(data))
