"""Situations from the field, each in a file (``situations/``), through the whole mesh: what the books hold in the end.

Every kind has its folder: duplicates, signs, VAT, references, files, currency, what is inherited, small ones. The right company's
books are a matter of connections, and have no files.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from koppel_sandbox import Sandbox

from .firm_client import SELLER, invoice
from .office import Office, open_office

FILES = Path(__file__).parent / "situations"
OGM, OTHER_OGM, RF = "202600000192", "090933755493", "RF18539007547034"
RATES = {"CHF:2026-02-10": "1.0512"}
OTHER_COMPANY = "0000000493"


@dataclass(frozen=True)
class Ends:
    """What the books hold; what is not given is not asked."""

    total: str
    reference: str = ""
    boxes: str = ""
    """As a person writes them: ``03 100, 54 21``."""
    files: tuple[str, ...] = ()
    euros: str = ""
    finding: str = ""
    warning: str = ""


BOOKED = {
    "1-duplicates/near-miss-other-total": Ends("307.10", finding="same_number"),
    "1-duplicates/near-miss-other-date": Ends("295.00", finding="same_number"),
    "2-signs/factored-credit-note-as-invoice": Ends("-242.00", boxes="49 200, 64 42"),
    "2-signs/credit-note-of-goods-as-invoice": Ends("-108.90", boxes="49 90, 64 18.9"),
    "2-signs/debit-note-as-credit-note": Ends("96.80", boxes="03 80, 54 16.8"),
    "2-signs/returned-goods-outweigh": Ends("-242.00"),
    "2-signs/credit-note-with-a-fee": Ends("-151.25", boxes="49 125, 64 26.25"),
    "3-vat/services-to-a-french-company": Ends("480.00", boxes="44 480"),
    "3-vat/services-to-a-german-company-under-K": Ends("300.00", boxes="44 300"),
    "3-vat/triangular-supply": Ends("700.00", boxes="46 700"),
    "3-vat/export": Ends("1000.00", boxes="47 1000"),
    "3-vat/course-exempt-and-book": Ends("566.50", boxes="00 400, 01 100, 03 50, 54 16.5"),
    "3-vat/credit-note-to-a-french-company": Ends("-80.00", boxes="48 80"),
    "3-vat/co-contractor-in-belgium": Ends("900.00", boxes="45 900"),
    "3-vat/services-from-a-dutch-company": Ends("200.00", boxes="55 42, 59 42, 81 200, 88 200"),
    "3-vat/goods-from-a-german-company": Ends("1000.00", boxes="55 210, 59 210, 81 1000, 86 1000"),
    "3-vat/purchase-from-a-co-contractor": Ends("500.00", boxes="56 105, 59 105, 81 500, 87 500"),
    "4-references/creditor-reference-with-blanks": Ends("12.10", reference=RF),
    "4-references/reference-without-signs": Ends("24.20", reference=OGM),
    "4-references/only-in-the-terms": Ends("36.30", reference=OTHER_OGM),
    "4-references/two-in-notes": Ends("48.40"),
    "4-references/of-the-invoice-credited": Ends("-60.50"),
    "4-references/wrong-check-digits-in-a-note": Ends("72.60"),
    "5-files/time-sheet-before-the-picture": Ends("12.10", files=("V-2026-0501.pdf", "V-2026-0501.xml", "uren.pdf")),
    "5-files/picture-by-its-file-name": Ends(
        "24.20", files=("V-2026-0502.pdf", "V-2026-0502.xml", "algemene-voorwaarden.pdf")
    ),
    "5-files/photograph-and-list": Ends(
        "36.30", files=("V-2026-0503.pdf", "V-2026-0503.xml", "schade.png", "lijst.csv")
    ),
    "5-files/two-files-of-one-name": Ends(
        "48.40", files=("V-2026-0504.pdf", "V-2026-0504.xml", "plan.pdf", "plan-2.pdf")
    ),
    "5-files/letter-that-no-ledger-takes": Ends(
        "60.50", files=("V-2026-0505.pdf", "V-2026-0505.xml"), warning="file_left_behind"
    ),
    "6-currency/dollars-at-a-published-rate": Ends("919.60", euros="846.03"),
    "6-currency/pounds-credit-note": Ends("-3025.00", euros="-3539.25"),
    "6-currency/francs-with-a-little-vat": Ends("5001.21", euros="5257.27"),
    "6-currency/dollars-without-vat-in-euros": Ends("121.00"),
    "6-currency/euros-stated-first": Ends("4840.00", euros="4452.80"),
    "7-inherited/line-without-category": Ends("169.40", boxes="03 140, 54 29.4"),
    "7-inherited/allowance-without-category": Ends("108.90", boxes="03 90, 54 18.9"),
    "7-inherited/lower-rate-category": Ends("159.00", boxes="01 150, 54 9", finding="BR-CL-17"),
    "7-inherited/vat-total-twice": Ends("145.20", boxes="03 120, 54 25.2"),
    "7-inherited/charge-without-category-at-six": Ends("111.30", boxes="01 105, 54 6.3"),
    "8-small/vat-number-without-digits": Ends("12.10"),
    "8-small/vat-over-lines-of-mixed-sign": Ends("0.27", boxes="03 0.22, 54 0.05"),
    "8-small/in-an-attached-document": Ends("84.70"),
    "8-small/utf-16": Ends("96.80"),
    "8-small/latin-1": Ends("108.90"),
}
WAITS_AT = {
    "connector-octopus": {
        "3-vat/services-to-a-german-company-under-K": "unknown_vat_code",
        "3-vat/triangular-supply": "unknown_vat_code",
        "3-vat/services-from-a-dutch-company": "unknown_vat_code",
        "6-currency/dollars-without-vat-in-euros": "exchange_rate_missing",
    }
}
"""What a vendor, or the settings of the sandbox's companies, leave open: the document waits for a person, as it should."""
COPIES = (
    "in-an-envelope",
    "other-prefixes",
    "numbers-written-otherwise",
    "in-an-attached-document",
    "customer-by-name-alone",
)


@pytest.fixture(scope="module")
def office(mesh: Any, sandbox: Sandbox) -> Iterator[Office]:
    with open_office(mesh, sandbox) as opened:
        opened.configure({"exchange_rates": RATES})
        yield opened


@pytest.fixture(scope="module")
def original(office: Office) -> Any:
    return office.take_in(FILES / "1-duplicates" / "original.xml")


@pytest.fixture(scope="module")
def documents(office: Office, original: Any) -> dict[str, Any]:
    """Every file of ``BOOKED``, handed in at once: they are booked while the first tests wait."""
    return {name: office.take_in(FILES / f"{name}.xml") for name in BOOKED}


def test_every_file_is_in_a_test() -> None:
    alone = {
        "1-duplicates/original",
        *(f"1-duplicates/{name}" for name in COPIES),
        "2-signs/purchase-credit-note-with-minus-signs",
        "3-vat/import-from-a-british-company",
    }
    assert {str(path.relative_to(FILES).with_suffix("")) for path in FILES.rglob("*.xml")} == {*BOOKED, *alone}


@pytest.mark.parametrize("name", list(BOOKED))
def test_it_is_booked_as_a_careful_bookkeeper_would(office: Office, documents: dict[str, Any], name: str) -> None:
    wanted, document = BOOKED[name], documents[name]
    if (code := WAITS_AT.get(office.firm.vendor.connector, {}).get(name)) is not None:
        assert office.firm.until_problem(document["id"], code)["who_can_fix"] == "accountant"
        return
    entry = office.booked(document)
    assert entry.total == Decimal(wanted.total)
    if name.startswith("4-"):
        assert entry.payment_reference == wanted.reference
    if wanted.finding:
        assert wanted.finding in {one["rule"] for one in document["findings"]}
    if wanted.euros and entry.total_in_euros is not None:
        assert entry.total_in_euros == Decimal(wanted.euros)
    vendor, number = office.firm.vendor, document["number"]
    if wanted.boxes and (held := vendor.vat_boxes(office.company, number)) is not None:
        assert shown(held) == wanted.boxes
    if wanted.files and (names := vendor.files(office.company, number)) is not None:
        assert tuple(names) == wanted.files
    (delivery,) = office.firm.document(document["id"])["deliveries"]
    if wanted.warning:
        assert wanted.warning in {one["code"] for one in delivery["warnings"]}


def shown(boxes: dict[str, Decimal]) -> str:
    return ", ".join(f"{box} {amount.normalize():f}" for box, amount in boxes.items())


# ── 1: the same invoice twice ──


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_is_held_and_names_the_first(office: Office, original: Any, name: str) -> None:
    copy = office.take_in(FILES / "1-duplicates" / f"{name}.xml")
    [question] = copy["questions"]
    assert (copy["state"], question["code"]) == ("held", "probable_duplicate")
    assert question["other_document_id"] == original["id"]
    assert office.answer(copy, "probable_duplicate", "drop")["state"] == "dropped"


# ── 2: signs ──


def test_a_purchase_credit_note_with_minus_signs_waits_for_a_person(office: Office) -> None:
    document = office.take_in(FILES / "2-signs" / "purchase-credit-note-with-minus-signs.xml")
    assert (document["state"], document["questions"][0]["code"]) == ("held", "negative_credit_note")
    office.answer(document, "negative_credit_note", "credit")
    assert office.booked(document).total == Decimal("-121.00")


# ── 3: VAT ──


def test_an_import_is_asked_and_the_setting_that_is_named_books_it(office: Office) -> None:
    document = office.take_in(FILES / "3-vat" / "import-from-a-british-company.xml")
    problem = office.firm.until_problem(document["id"], "unknown_vat_code")
    found = re.search(r"set vat_codes\.purchase “([^”]+)” to one of ([^;]+)", problem["detail"])
    deferred = {"connector-exact": "PIN", "connector-octopus": "INV21"}[office.firm.vendor.connector]
    assert found is not None and deferred in found[2].split(", ")
    office.configure({"vat_codes": {"purchase": {found[1]: deferred}}})
    assert office.booked(document).total == Decimal("600.00")
    assert shown(office.firm.vendor.vat_boxes(office.company, document["number"]) or {}) == (
        "57 126, 59 126, 81 600, 87 600"
    )


# ── 9: the right company's books ──


def connected(office: Office, number: str) -> Office:
    """Connect a dossier of its own to a company of its own that has this number at the vendor."""
    firm = office.firm
    company = firm.vendor.open_company(number)
    if company in firm.vendor.companies:
        pytest.skip("this sandbox opens no companies")
    dossier_id = firm.add_dossier(f"Dossier van {company.remote_id}")
    made = Office(firm, dossier_id, company, firm.add_connection(dossier_id))
    made.configure(company.settings)
    firm.until(lambda: made.connection["health"]["imported_at"], "the import")
    return made


def test_another_company_takes_nothing_until_a_person_confirms_it(office: Office) -> None:
    other = connected(office, OTHER_COMPANY)
    document = other.take_in(invoice("V-0901"))
    problem = office.firm.until_problem(document["id"], "other_company")
    assert OTHER_COMPANY in problem["message"]["en"] and SELLER in problem["message"]["en"]
    assert office.firm.vendor.entries(other.company) == []
    path = f"{office.firm.connections}/{other.connection_id}/confirm-company"
    assert office.firm.partner.post(path, json={"reason": "overname op 1 januari"}).status_code == 200
    assert other.booked(document).total == Decimal("582.77")
    assert [each["reason"] for each in other.connection["company"]["confirmations"]] == ["overname op 1 januari"]


def test_the_dossiers_own_number_is_asked_nothing(office: Office) -> None:
    own = connected(office, SELLER)
    assert own.connection["company"]["is_the_dossiers"]
    assert own.booked(own.take_in(invoice("V-0902"))).total == Decimal("582.77")


def test_a_company_without_number_is_warned_of_and_not_held(office: Office) -> None:
    nameless = connected(office, "")
    assert "company_not_compared" in {one["code"] for one in nameless.connection["health"]["warnings"]}
    assert nameless.booked(nameless.take_in(invoice("V-0903"))).total == Decimal("582.77")


def test_two_dossiers_on_one_company_are_said_at_both(office: Office) -> None:
    first = connected(office, SELLER)
    name = office.firm.get(f"/dossier-api/v1/dossiers/{office.dossier_id}")["name"]
    office.firm.partner.patch(
        f"{office.firm.connections}/{first.connection_id}", json={"settings": office.company.settings}
    )
    (warning,) = [one for one in first.connection["health"]["warnings"] if one["code"] == "books_shared"]
    assert name in warning["message"]["nl"]
    assert "books_shared" in {one["code"] for one in office.connection["health"]["warnings"]}


def test_a_company_that_becomes_another_takes_nothing_more(office: Office) -> None:
    moved = connected(office, SELLER)
    moved.booked(moved.take_in(invoice("V-0904")))
    moved.firm.vendor.renumber(moved.company, OTHER_COMPANY)
    path = f"{office.firm.connections}/{moved.connection_id}"
    assert office.firm.partner.post(f"{path}/import").status_code == 202
    office.firm.until(lambda: moved.connection["company"]["is_the_dossiers"] is False, "the comparison")
    document = moved.take_in(invoice("V-0905"))
    office.firm.until_problem(document["id"], "other_company")
    assert [each.document_number for each in office.firm.vendor.entries(moved.company)] == ["V-0904"]
