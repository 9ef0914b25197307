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


OPERATIONS = {
    "01": "01 02 03 05 07 13 17 37 39 49 50 51 52 54 60 62 64 66 87 99",
    "02": "01 02 03 05 07 13 17 37 49 50 51 52 54 64 66 87 99",
    "03": "01 05 09 11 15 17 37 38 52 58 60 62 63 66 87",
    "04": "01 02 03 04 05 06 07 08 09 10 37 50 51 52 53 54 55 68 87",
    "05": "01 03 05 37 50 52 54 56 58 87",
    "07": "01 05 06 07 08 09 37 39 50 52 54 56 58 87",
    "09": "01 05 07 09 13 17 19 25 37 50 52 58 60 62 68 70 87",
    "11": "01 02 03 04 05 06 09 11 13 15 17 19 37 50 51 52 58 62 64 66 68 70 87",
    "13": "01 02 05 07 11 13 15 19 21 37 50 54 55 56 60 62 68 70 87",
    "30": "01 03 05 33 37 39 50 52 54 55 83 87 89",
    "35": "01 37 50 87",
    "41": "01 03 05 07 13 17 37 38 50 64 66 87",
    "80": "02 07 09 13 15 27 33 35 37 45 47 99",
}
"""What the standard lists for each family."""


def test_every_operation_of_the_standard_is_explained() -> None:
    for family, listed in OPERATIONS.items():
        for operation in listed.split():
            explained = TransactionCode.of(f"0{family}{operation}000").explain()
            assert explained.operation not in {"unknown", "the bank's own code"}, (family, operation)
            assert explained.family != "unknown"
