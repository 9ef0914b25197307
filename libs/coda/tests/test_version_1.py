"""Version 1 of the standard: other places in records 1 and 2.3, and no IBAN."""

from datetime import date
from decimal import Decimal

import pytest

import koppel_coda

from .samples import edited, put, sample

FILE = "bakery-version-1.cod"


def test_accounts_and_counterparties_stand_elsewhere() -> None:
    [statement] = koppel_coda.read(sample(FILE))
    assert statement.header.version == "1"
    assert (statement.account.number, statement.account.currency) == ("735048152606", "EUR")
    assert statement.account.iban == "BE85735048152606"
    assert (statement.old_balance.amount, statement.old_balance.on) == (Decimal("4810.22"), date(2026, 3, 6))
    first, second = statement.movements[:2]
    assert first.counterparty is not None
    assert second.counterparty is not None
    assert (first.counterparty.name, first.counterparty.bic) == ("CAFE HET HOEKJE", "GEBABEBB")
    assert first.counterparty.account is not None
    assert first.counterparty.account.number == "001642839183"
    assert second.counterparty.address == "MARKTSTRAAT 4           9800 DEINZE"


def test_record_2_3_holds_no_communication() -> None:
    [statement] = koppel_coda.read(edited(FILE, put(8, 30, "SURPLUS")))
    text = "FACTUUR 2026/0117 MEEL EN BLOEM, LEVERING WEEK 9, MET DANK, GELIEVE DE LEVERBON TE BEWAREN"
    assert statement.movements[1].communication == text
    assert [(note.line, note.column) for note in statement.notes] == [(8, 23)]


def test_it_is_valid_where_version_1_is_taken_and_only_there() -> None:
    assert koppel_coda.check(sample(FILE), version_1=True).findings == ()
    [refused] = koppel_coda.check(sample(FILE)).findings
    assert (refused.rule, refused.severity, refused.line, refused.column) == ("CODA-04", "error", 1, 128)


@pytest.mark.parametrize("kind", ["104", "112", "120"])
def test_its_own_communications_are_kept_as_text(kind: str) -> None:
    data = edited(FILE, put(3, 62, "1" + kind))
    [statement] = koppel_coda.read(data)
    found = statement.movements[0].communication
    assert isinstance(found, koppel_coda.OtherStructured)
    assert (found.kind, found.text) == (kind, "123456789002")
    assert koppel_coda.check(data, version_1=True).findings == ()


def test_check_digits_and_the_closing_account_are_looked_at() -> None:
    assert koppel_coda.check(edited(FILE, put(7 - 2, 22, "4")), version_1=True).rules() == {"CODA-11"}
    assert "CODA-14" in koppel_coda.check(edited(FILE, put(17, 5, "001642839183")), version_1=True).rules()


def test_it_is_not_written() -> None:
    with pytest.raises(koppel_coda.WriteError, match="version 2"):
        koppel_coda.write(koppel_coda.read(sample(FILE)))
