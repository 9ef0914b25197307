"""The table of fields covers each record exactly."""

import pytest

from koppel_coda import layout

ALL = [(version, name) for version in "12" for name in layout.RECORDS]


@pytest.mark.parametrize(("version", "name"), ALL)
def test_fields_cover_each_position_once(version: str, name: str) -> None:
    fields = layout.fields_of(name, version)
    positions = [position for field in fields for position in range(field.start, field.end + 1)]
    assert positions == list(range(1, layout.LINE_LENGTH + 1))
    assert len({field.name for field in fields}) == len(fields)


def test_names_are_found_by_the_line() -> None:
    assert [layout.record_name(line) for line in ("0000", "21", "33", "4", "9")] == ["0", "2.1", "3.3", "4", "9"]
    assert [layout.record_name(line) for line in ("", "5", "24", "3")] == [None] * 4


def test_fields_are_cut_in_the_given_order() -> None:
    line = "21" + "0007" + "0002" + "REFERENCE".ljust(21) + "0" * 97
    assert layout.cutter("2.1", "detail", "sequence", "bank_reference")(line) == ("0002", "0007", "REFERENCE".ljust(21))
