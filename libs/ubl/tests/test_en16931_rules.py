"""One broken document for every family of the rules of EN 16931, made from samples of our own.

All rules are compared with the official ones by ``make oracle``; here each family shows that it looks at all.
"""

import time
from pathlib import Path

import pytest

import koppel_ubl

VALID = Path(__file__).parent / "samples" / "valid"
INVOICE = "01-invoice-ogm-pdf"
CREDIT_NOTE = "02-creditnote-ref"
EXEMPT = "06-E-small-business"
OUTSIDE = "08-O-outside-scope"
WITHIN_EU = "04-K-intracommunity-goods"
MIXED = "10-mixed-rates-allowance-charge"
DOLLARS = "11-USD-with-EUR-vat"


def sample(name: str) -> str:
    return (VALID / f"own__be-{name}.xml").read_text(encoding="utf-8")


def broken(name: str, old: str, new: str) -> frozenset[str]:
    text = sample(name)
    assert old in text, f"{old} is not in {name}"
    return koppel_ubl.check(text.replace(old, new).encode(), profile="en16931").rules("en16931")


@pytest.mark.parametrize("path", sorted(VALID.glob("*.xml")), ids=lambda path: path.stem)
def test_good_documents_break_no_rule(path: Path) -> None:
    assert koppel_ubl.check(path.read_bytes(), profile="en16931").rules("en16931") == frozenset()


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        (INVOICE, "<cbc:ID>2026-0001<", "<cbc:ID> <", {"BR-02"}),
        (INVOICE, ">582.77<", ">582.78<", {"BR-CO-15"}),
        (INVOICE, ">79.07<", ">81.07<", {"BR-CO-14", "BR-CO-17", "BR-S-09"}),
        (INVOICE, ">120.00<", ">120.000<", {"BR-DEC-23", "UBL-DT-01"}),
        (INVOICE, 'unitCode="C62"', 'unitCode="STUK"', {"BR-CL-23"}),
        (INVOICE, ">EUR<", ">BEF<", {"BR-CL-04", "BR-CO-15"}),
        (INVOICE, "<cbc:CompanyID>BE", "<cbc:CompanyID>QQ", {"BR-CO-09"}),
        (INVOICE, "<cbc:ID>S<", "<cbc:ID>Z<", {"BR-Z-01", "BR-Z-05", "BR-Z-08", "BR-Z-09"}),
        (INVOICE, "<cbc:ID>S<", "<cbc:ID>AE<", {"BR-AE-05", "BR-AE-10"}),
        (EXEMPT, "TaxExemptionReason>", "TierRange>", {"BR-E-10", "UBL-CR-507"}),
        (OUTSIDE, "<cbc:ID>O<", "<cbc:ID>S<", {"BR-S-05", "BR-S-10"}),
        (WITHIN_EU, "<cac:Delivery>", "<cac:Delivery/><cac:Delivery>", {"UBL-SR-24"}),
        (MIXED, "Indicator>true<", "Indicator>false<", {"BR-CO-11", "BR-CO-12"}),
        (DOLLARS, "<cbc:TaxCurrencyCode>EUR", "<cbc:TaxCurrencyCode>GBP", {"BR-53"}),
        (CREDIT_NOTE, ">381<", ">380<", {"BR-CL-01"}),
        (
            CREDIT_NOTE,
            "<cac:InvoiceDocumentReference>",
            "<cac:InvoiceDocumentReference><cbc:UUID>1</cbc:UUID>",
            {"UBL-CR-024"},
        ),
    ],
)
def test_each_family_sees_its_faults(name: str, old: str, new: str, expected: set[str]) -> None:
    assert expected <= broken(name, old, new)


def test_a_value_that_is_no_number_stops_the_layer_and_says_so() -> None:
    assert broken(INVOICE, ">582.77<", ">582,77<") == {"KOPPEL-VALUE"}


def test_ten_thousand_broken_lines_are_reported_a_hundred_times_and_soon() -> None:
    text = sample(INVOICE)
    line = text[text.index("<cac:InvoiceLine>") : text.index("</cac:InvoiceLine>") + len("</cac:InvoiceLine>")]
    many = text.replace(line, line.replace("<cbc:ID>1<", "<cbc:ID> <", 1) * 10_000)
    started_at = time.process_time()
    report = koppel_ubl.check(many.encode(), profile="en16931")
    assert len(report.by_rule()["BR-21"]) == 100
    assert time.process_time() - started_at < 20
