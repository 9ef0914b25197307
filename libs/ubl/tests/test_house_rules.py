"""What official rules do not see: each check has a document that it warns about and good ones that it leaves alone."""

from pathlib import Path

import pytest

import koppel_ubl

VALID = Path(__file__).parent / "samples" / "valid"
INVOICE = (VALID / "own__be-01-invoice-ogm-pdf.xml").read_bytes()


def own(content: bytes) -> frozenset[str]:
    report = koppel_ubl.check(content)
    assert all(one.severity == "warning" for one in report.findings if one.layer == "house_rules")
    return report.rules("house_rules")


@pytest.mark.parametrize("path", sorted(VALID.glob("*.xml")), ids=lambda path: path.stem)
def test_good_documents_get_no_warning(path: Path) -> None:
    assert own(path.read_bytes()) <= {"KOPPEL-SAME-ENDPOINT"}
    assert ("KOPPEL-SAME-ENDPOINT" in own(path.read_bytes())) == ("endpoint-self" in path.name)


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        (b"+++202/6000/00192+++", b"+++202/6000/00193+++", "KOPPEL-REFERENCE"),
        (b"+++202/6000/00192+++", b"RF18539007547035", "KOPPEL-REFERENCE"),
        (b'CompanyID schemeID="0208">0000000196<', b'CompanyID schemeID="0208">0000000295<', "KOPPEL-ENTERPRISE-NUMBER"),
        (b"<cbc:ID>2</cbc:ID>", b"<cbc:ID>1</cbc:ID>", "KOPPEL-LINE-ID"),
        (b">79.07<", b">79.50<", "KOPPEL-VAT-CENT"),
        (b">JVBER", b">AAAAA", "KOPPEL-PDF"),
        (b">JVBER", ">J\u00e9BER".encode(), "KOPPEL-PDF"),
        (b">376.50<", b">376.50000000000000000000<", "KOPPEL-DIGITS"),
    ],
)  # fmt: skip
def test_each_fault_is_warned_about(old: bytes, new: bytes, rule: str) -> None:
    assert old in INVOICE
    assert rule in own(INVOICE.replace(old, new))


def test_an_account_and_a_date_to_pay_are_looked_at() -> None:
    start = INVOICE.index(b"<cac:PayeeFinancialAccount>")
    account = INVOICE[INVOICE.index(b"<cbc:ID>", start) + 8 : INVOICE.index(b"</cbc:ID>", start)]
    assert "KOPPEL-IBAN" in own(INVOICE.replace(account, account[:2] + b"00" + account[4:]))
    without = INVOICE.replace(b"<cbc:DueDate>2026-02-14</cbc:DueDate>", b"")
    terms = without.index(b"<cac:PaymentTerms>") if b"<cac:PaymentTerms>" in without else None
    if terms is not None:
        without = without[:terms] + without[without.index(b"</cac:PaymentTerms>") + len(b"</cac:PaymentTerms>") :]
    assert "KOPPEL-DUE-DATE" in own(without)
