"""``koppel verify-receipts`` says that a book is right, or which entry is broken."""

import json
from pathlib import Path

from typer.testing import CliRunner

from koppel_local.cli import app

SAMPLE = Path(__file__).parents[3] / "libs/receipts/tests/samples/bakery-three-days.ndjson"


def test_a_book_that_is_right() -> None:
    found = CliRunner().invoke(app, ["verify-receipts", str(SAMPLE)])
    assert found.exit_code == 0, found.output
    assert "Bakkerij Peeters, Gent: 4 entries are right, of 2026-03-07 to 2026-03-09." in found.output
    assert "Running total S:6: 53.00" in found.output
    assert "No seal covers what the file calls the book" in found.output, "the sample is of an earlier release"


def test_the_broken_entry_is_named(tmp_path: Path) -> None:
    changed = tmp_path / "changed.ndjson"
    changed.write_text(SAMPLE.read_text().replace('"amount":"106.00"', '"amount":"16.00"'))
    found = CliRunner().invoke(app, ["verify-receipts", str(changed)])
    assert found.exit_code == 1
    assert "BROKEN at line 2, entry 1:" in found.output and "(hash)" in found.output


def test_keys_from_elsewhere_decide(tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    named = json.loads(SAMPLE.read_text().splitlines()[0])["keys"]
    for given, code in (([], 1), (named, 0), ([named[0] | {"x": "A" * 43}], 1)):
        keys.write_text(json.dumps({"keys": given}))
        assert CliRunner().invoke(app, ["verify-receipts", str(SAMPLE), "--keys", str(keys)]).exit_code == code


def test_what_is_no_file_is_a_sentence(tmp_path: Path) -> None:
    for arguments in ([str(tmp_path / "none")], [str(SAMPLE), "--keys", str(SAMPLE)]):
        found = CliRunner().invoke(app, ["verify-receipts", *arguments])
        assert found.exit_code == 1 and "Traceback" not in found.output
    assert CliRunner().invoke(app, ["verify-receipts", str(tmp_path)]).exit_code == 1
