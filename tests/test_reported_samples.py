"""The reported inputs of a shared folder through the whole mesh: each ends as its table says (``make oracle``)."""

import os
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from koppel_sandbox import Sandbox

from .office import Office, open_office

pytestmark = pytest.mark.oracle
SHARED = Path(os.environ.get("KOPPEL_SHARED", Path(__file__).parents[2] / "shared")) / "samples" / "reported"
DOSSIER_NUMBER = "1987654318"


@pytest.fixture(scope="module")
def office(mesh: Any, sandbox: Sandbox) -> Iterator[Office]:
    with open_office(mesh, sandbox, DOSSIER_NUMBER) as opened:
        yield opened


def reported(name: str) -> Path:
    path = next(SHARED.glob(f"{name}*"), None)
    assert path is not None, f"no {name} in {SHARED}: set KOPPEL_SHARED"
    return path


def test_04_a_credit_note_with_minus_signs_waits_for_a_person(office: Office) -> None:
    document = office.take_in(reported("04"))
    assert (document["state"], document["questions"][0]["code"]) == ("held", "negative_credit_note")


def test_06_the_same_invoice_by_two_channels_goes_once(office: Office) -> None:
    first, second = office.take_in(reported("06a")), office.take_in(reported("06b"))
    assert (first["state"], second["state"]) == ("filed", "held")
    assert second["questions"][0]["other_document_id"] == first["id"]
    office.booked(first)
    assert office.firm.document(second["id"])["deliveries"] == []


def test_07_all_files_go_along_the_picture_first_under_the_number_of_the_invoice(office: Office) -> None:
    document = office.take_in(reported("07a"))
    assert office.booked(document).has_files
    names = office.firm.vendor.files(office.company, document["number"])
    if names is None:
        pytest.skip("the sandbox does not show the names of files")
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", document["number"]).strip("-.")
    assert names[0] == f"{stem}.pdf"
    assert sorted(name.rpartition(".")[2] for name in names) == ["pdf", "pdf", "xlsx", "xml"]
    assert document["number"] not in {name for name in names[1:] if name.endswith(".pdf")}


def test_09_services_to_germany_are_no_domestic_reverse_charge(office: Office) -> None:
    assert office.booked(office.take_in(reported("09a"))).total == Decimal("500.00")


def test_10_the_reference_is_that_of_bt_83(office: Office) -> None:
    assert office.booked(office.take_in(reported("10a"))).payment_reference == "RF572026ABC17"


def test_12_a_category_outside_the_list_has_its_finding_and_is_read_by_its_rate(office: Office) -> None:
    document = office.take_in(reported("12a"))
    assert "BR-CL-17" in {one["rule"] for one in document["findings"]}
    assert office.booked(document).total == Decimal("166.50")


def test_12_a_charge_without_category_has_the_only_rate(office: Office) -> None:
    assert office.booked(office.take_in(reported("12b"))).total == Decimal("133.10")


def test_13_vat_totals_are_known_by_their_currency(office: Office) -> None:
    assert office.booked(office.take_in(reported("13b"))).total == Decimal("1210.00")


def test_15_an_iban_with_blanks_is_one_account_without_a_finding(office: Office) -> None:
    document = office.take_in(reported("15a"))
    assert {one["account"] for one in document["statements"]} == {"FR7630006000011234567890189"}
    assert [one for one in document["findings"] if one["rule"].startswith(("CODA-14", "coda-"))] == []
