"""Foreign samples of the shared folder: read as their README says, broken ones included (``make oracle``)."""

import os
from decimal import Decimal
from pathlib import Path

import pytest

import koppel_coda

pytestmark = pytest.mark.oracle
SHARED = Path(os.environ.get("KOPPEL_SHARED", Path(__file__).parents[5] / "shared"))
CODA = SHARED / "samples" / "coda"
FILES = sorted(CODA.glob("*.cod"))
DO_NOT_TIE_OUT = {
    "cs-coda.cod",
    "jw-sample2-latin1.cod",
    "oca-2012.cod",
    "wv-sample2.cod",
    "wv-sample3.cod",
    "wv-sample5.cod",
    "wv-sample9.cod",
}
READABLE = [path for path in FILES if path.name != "ac-faulty-version.cod"]


def test_the_samples_are_there() -> None:
    assert len(FILES) >= 17, f"no samples in {CODA}: set KOPPEL_SHARED"


@pytest.mark.parametrize("path", READABLE, ids=lambda path: path.name)
def test_each_movement_is_returned_and_balances_tie_out_where_documented(path: Path) -> None:
    data = path.read_bytes()
    statements = koppel_coda.read(data)
    lines = data.splitlines()
    assert sum(len(list(one.walk())) for one in statements) == sum(line.startswith(b"21") for line in lines)
    assert sum(len(one.information) for each in statements for one in each.walk()) == sum(
        line.startswith(b"31") for line in lines
    )
    tie_out = all(one.old_balance.amount + one.total == one.closing for one in statements)
    assert tie_out is (path.name not in DO_NOT_TIE_OUT)


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(koppel_coda.ReadError) as refused:
        koppel_coda.read((CODA / "ac-faulty-version.cod").read_bytes())
    assert (refused.value.code, refused.value.line, refused.value.column) == ("version", 1, 128)


def test_the_shifted_information_record_stays_text() -> None:
    [statement] = koppel_coda.read((CODA / "fc-rich-anonymised.cod").read_bytes())
    [shifted] = [one for movement in statement.walk() for one in movement.information if one.line == 29]
    assert isinstance(shifted.communication, str)
    assert all(head.details_agree for head in statement.movements)


def test_latin_1_and_oca_amounts() -> None:
    [statement] = koppel_coda.read((CODA / "oca-2012.cod").read_bytes())
    assert statement.old_balance.amount + statement.total - statement.closing in (Decimal("118.24"), Decimal("-118.24"))
    [latin] = koppel_coda.read((CODA / "jw-sample2-latin1.cod").read_bytes())
    assert [(note.code, note.text) for note in latin.notes if note.line == 1] == [("encoding", "cp1252")]
