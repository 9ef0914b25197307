"""``koppel readable`` as a person types it: no mesh runs."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from koppel_local.cli import app

UBL = Path(__file__).parents[3] / "libs/ubl/tests/samples/valid/own__be-01-invoice-ogm-pdf.xml"


def made(file: Path, output: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["readable", str(file), "-o", str(output), *arguments])


@pytest.mark.parametrize(("name", "said"), [("absent.xml", "No such file"), ("bad.xml", "bad.xml: ")])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "bad.xml").write_text("<a/>")
    result = made(tmp_path / name, tmp_path / "out.pdf")
    assert result.exit_code == 1
    assert said in result.stderr
    assert not (tmp_path / "out.pdf").exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    result = made(UBL, tmp_path / "absent" / "out.pdf")
    assert result.exit_code == 1
    assert "out.pdf: No such file" in result.stderr


def test_the_pdf_is_written_in_the_language(tmp_path: Path) -> None:
    output = tmp_path / "out.pdf"
    for language in ("nl", "fr"):
        assert made(UBL, output, "--language", language).exit_code == 0
        assert output.read_bytes().startswith(b"%PDF-1.7")
        assert f"/Lang({language})".encode() in output.read_bytes()
