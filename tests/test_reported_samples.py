"""The reported inputs of a shared folder through the whole mesh: each ends as its table says (``make oracle``)."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from koppel_mesh.ids import new_id
from koppel_sandbox import Company, Entry, Sandbox

from .firm_client import FirmClient

pytestmark = pytest.mark.oracle
SHARED = Path(os.environ.get("KOPPEL_SHARED", Path(__file__).parents[2] / "shared")) / "samples" / "reported"
DOSSIER_NUMBER = "1987654318"


@dataclass
class Office:
    """A dossier of the company that the inputs are addressed to."""

    firm: FirmClient
    dossier_id: str
    company: Company

    def take_in(self, name: str) -> Any:
        path = next(SHARED.glob(f"{name}*"), None)
        assert path is not None, f"no {name} in {SHARED}: set KOPPEL_SHARED"
        media_type = "text/plain" if path.suffix == ".cod" else "application/xml"
        answer = self.firm.hand_in(self.dossier_id, path.read_bytes(), **{"content-type": media_type})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def booked(self, document: Any) -> Entry:
        self.firm.until_booked(document["id"])
        entries = self.firm.vendor.entries(self.company)
        return next(each for each in entries if each.document_number == document["number"])


@pytest.fixture(scope="module")
def office(run_mesh: Any, sandbox: Sandbox) -> Iterator[Office]:
    with (
        run_mesh(settle_s=0.2, retry_schedule_s=(0.2, 0.5, 1.0), export_patience_s=0.2) as mesh,
        mesh.driver(sandbox) as vendor,
    ):
        vendor.lift_limits()
        firm = FirmClient(mesh.client(new_id()), vendor)
        dossier_id = firm.add_dossier("Proefwinkel Linde BV", DOSSIER_NUMBER)
        firm.connect(dossier_id, vendor.companies[0])
        yield Office(firm, dossier_id, vendor.companies[0])


def test_04_a_credit_note_with_minus_signs_waits_for_a_person(office: Office) -> None:
    document = office.take_in("04")
    assert (document["state"], document["questions"][0]["code"]) == ("held", "negative_credit_note")


def test_06_the_same_invoice_by_two_channels_goes_once(office: Office) -> None:
    first, second = office.take_in("06a"), office.take_in("06b")
    assert (first["state"], second["state"]) == ("filed", "held")
    assert second["questions"][0]["other_document_id"] == first["id"]
    office.booked(first)
    assert office.firm.document(second["id"])["deliveries"] == []


def test_09_services_to_germany_are_no_domestic_reverse_charge(office: Office) -> None:
    assert office.booked(office.take_in("09a")).total == Decimal("500.00")


def test_10_the_reference_is_that_of_bt_83(office: Office) -> None:
    assert office.booked(office.take_in("10a")).payment_reference == "RF572026ABC17"


def test_12_a_category_outside_the_list_has_its_finding_and_is_read_by_its_rate(office: Office) -> None:
    document = office.take_in("12a")
    assert "BR-CL-17" in {one["rule"] for one in document["findings"]}
    assert office.booked(document).total == Decimal("166.50")


def test_12_a_charge_without_category_has_the_only_rate(office: Office) -> None:
    assert office.booked(office.take_in("12b")).total == Decimal("133.10")


def test_13_vat_totals_are_known_by_their_currency(office: Office) -> None:
    assert office.booked(office.take_in("13b")).total == Decimal("1210.00")


def test_15_an_iban_with_blanks_is_one_account_without_a_finding(office: Office) -> None:
    document = office.take_in("15a")
    assert {one["account"] for one in document["statements"]} == {"FR7630006000011234567890189"}
    assert [one for one in document["findings"] if one["rule"].startswith(("CODA-14", "coda-"))] == []
