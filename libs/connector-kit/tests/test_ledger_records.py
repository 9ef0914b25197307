"""Master data as typed values: what was read comes back from the store as it was, found by code and by id."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from structlog.testing import capture_logs

from koppel_bookkeeping import CannotBook
from koppel_connector import MasterRecord
from koppel_connector.contract.json_values import decode, encode
from koppel_connector.ledger.records import Records, TypedRecord, insist_on_import, readable, records_of
from koppel_connector.testing import MasterDataInProcess
from koppel_connector.values import text

from .ledger_vendor import Journal, VatCode


@dataclass(frozen=True)
class Daybook(TypedRecord):
    """A journal as a vendor's row has it."""

    kind = "journal"
    columns: ClassVar = {"id": ("ID", text), "code": ("Code", text), "name": ("Name", text)}


SALES = Journal("j1", "V1", "Sales", "sale")
STANDARD = VatCode("v1", "21", "Standard", Decimal("21.5"))


def store(*values: Any) -> MasterDataInProcess:
    return MasterDataInProcess(records_of(values))


def test_a_value_comes_back_as_it_was() -> None:
    record = STANDARD.record()
    assert (record.kind, record.code, record.remote_id, record.name) == ("vat_code", "21", "v1", "Standard")
    stored = decode(encode(record.data, "data"))
    assert VatCode.of(MasterRecord(record.kind, record.code, record.remote_id, record.name, stored)) == STANDARD


def test_a_record_of_another_version_is_read_all_the_same() -> None:
    """An older version did not write every field, a newer one writes more."""
    old = MasterRecord("vat_code", "6", "v2", "Reduced", {"id": "v2", "code": "6", "name": "Reduced", "box": "01"})
    assert VatCode.of(old) == VatCode("v2", "6", "Reduced")


def test_it_is_found_by_code_and_by_id() -> None:
    journals = Records(store(SALES, STANDARD), Journal)
    assert journals.by_code(" V1 ") == SALES
    assert journals.by_id("j1") == SALES
    assert journals.by_code("21") is None, "that is a VAT code"
    assert journals.by_id("v1") is None
    assert journals.all_by_code() == {"V1": SALES}


def test_a_bookyear_has_records_of_its_own() -> None:
    named = (("of 2025", 2025), ("of 2026", 2026))
    rows = [Journal("j1", "V1", name, "sale").record(year) for name, year in named]
    kept = MasterDataInProcess(rows)
    names = {year: Records(kept, Journal, year).all_by_code()["V1"].name for year in (2025, 2026)}
    assert names == {2025: "of 2025", 2026: "of 2026"}
    newest = Records(kept, Journal).by_code("V1")
    assert newest is not None
    assert newest.name == "of 2026"


@pytest.mark.parametrize("missing", ["ledger_account", "journal", "vat_code"])
def test_nothing_is_chosen_before_the_import(missing: str) -> None:
    kinds = {"ledger_account", "journal", "vat_code"}
    insist_on_import(MasterDataInProcess([MasterRecord(kind, "1", "1") for kind in kinds]))
    with pytest.raises(CannotBook) as refused:
        insist_on_import(MasterDataInProcess([MasterRecord(kind, "1", "1") for kind in kinds - {missing}]))
    assert refused.value.code == "masters_missing"


@pytest.mark.parametrize("row", [{"Code": "V1"}, {"ID": None, "Code": "V1"}, {"ID": "", "Code": "V1"}])
def test_a_row_without_an_id_is_not_read(row: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="a row of Daybook without ID"):
        Daybook.from_row(row)
    assert Daybook.from_row({"ID": "j1", "Code": "V1"}) == Daybook("j1", "V1", "")


def test_a_row_that_cannot_be_read_takes_no_other_with_it() -> None:
    rows: list[Any] = [{"Code": "V1"}, {"ID": "j2", "Code": "V2"}, {"ID": None}, None, "V3"]
    with capture_logs() as logs:
        read = readable(rows, Daybook.from_row)
    assert [each.code for each in read] == ["V2"]
    assert [each["count"] for each in logs] == [4]


def test_a_list_of_which_nothing_can_be_read_is_not_taken_for_an_empty_one() -> None:
    rows: list[dict[str, Any]] = [{"Code": "V1"}, {"Code": "V2"}]
    assert readable(rows[:0], Daybook.from_row) == []
    with pytest.raises(ValueError, match="a row of Daybook without ID"):
        readable(rows, Daybook.from_row)
