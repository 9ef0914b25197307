"""Transaction codes in words."""

from koppel_coda import TransactionCode
from koppel_coda.explanations import categories, families, operations


def test_explained_in_three_languages() -> None:
    code = TransactionCode.of("00150000")
    assert code.explain("nl").operation == "overschrijving in uw voordeel"
    assert code.explain("fr").family == "virements"
    assert (code.explain().type, code.explain().category) == ("single amount without detail", "net amount")


def test_what_every_family_knows_and_what_is_the_banks_own() -> None:
    assert TransactionCode.of("00537000").explain().operation == "costs"
    assert TransactionCode.of("08037000").explain().operation == "data access charges"
    assert TransactionCode.of("00141750").explain().operation == "the bank's own code"
    assert TransactionCode.of("00141750").explain().category == "the bank's own code"
    assert TransactionCode.of("11311205").explain().category == "documentary credit: charges"


def test_unknown_codes_never_stop_anyone() -> None:
    explained = TransactionCode.of("4XX YY??").explain("fr")
    assert {explained.type, explained.family, explained.operation, explained.category} == {"inconnu"}


def test_tables_say_everything_in_three_languages_once() -> None:
    for table in (families.TYPES, families.FAMILIES, operations.OPERATIONS, categories.CATEGORIES, categories.RANGES):
        rows = [line.split("|") for line in table.strip().splitlines()]
        assert all(len(row) == 4 and all(row) for row in rows)
        assert len({row[0] for row in rows}) == len(rows)
