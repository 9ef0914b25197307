"""One broken document for every family of Peppol's rules, made from samples of our own; all are compared in ``make oracle``."""

from pathlib import Path

import pytest

import koppel_ubl

VALID = Path(__file__).parent / "samples" / "valid"
INVOICE, CREDIT_NOTE = "01-invoice-ogm-pdf", "02-creditnote-ref"
MIXED, SELF_BILLED = "10-mixed-rates-allowance-charge", "13-selfbilled-389"
SELLER = b"<cbc:IdentificationCode>BE</cbc:IdentificationCode>"


def sample(name: str) -> bytes:
    return (VALID / f"own__be-{name}.xml").read_bytes()


def broken(content: bytes) -> frozenset[str]:
    return koppel_ubl.check(content).rules("peppol")


@pytest.mark.parametrize("path", sorted(VALID.glob("*.xml")), ids=lambda path: path.stem)
def test_good_documents_break_no_rule(path: Path) -> None:
    assert broken(path.read_bytes()) == frozenset()


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        (INVOICE, b"poacc:billing:01:1.0", b"poacc:billing:09:1.0", "PEPPOL-EN16931-R007"),
        (INVOICE, b"<cbc:ID>1</cbc:ID>", b"<cbc:ID> </cbc:ID>", "PEPPOL-EN16931-R008"),
        (INVOICE, b"cbc:BuyerReference>", b"cbc:AccountingCost>", "PEPPOL-EN16931-R003"),
        (INVOICE, b'currencyID="EUR">376.50', b'currencyID="USD">376.50', "PEPPOL-EN16931-R051"),
        (INVOICE, b">376.50<", b">376.40<", "PEPPOL-EN16931-R120"),
        (INVOICE, b'schemeID="0208">0000000196', b'schemeID="0208">0000000197', "PEPPOL-COMMON-R043"),
        (INVOICE, b'schemeID="0208">0000000295', b'schemeID="0088">5412345000012', "PEPPOL-COMMON-R040"),
        (INVOICE, b">380<", b">384<", "PEPPOL-EN16931-P0112"),
        (INVOICE, b">380<", b">389<", "PEPPOL-EN16931-P0100"),
        (INVOICE, b"2026-02-14<", b"2026-02-14Z<", "PEPPOL-EN16931-F001"),
        (CREDIT_NOTE, b">381<", b">261<", "PEPPOL-EN16931-P0101"),
        (MIXED, b"Indicator>true<", b"Indicator>1<", "PEPPOL-EN16931-R043"),
        (SELF_BILLED, b">389<", b">380<", "PEPPOL-EN16931-P0100"),
        (INVOICE, SELLER, SELLER.replace(b"BE", b"NL"), "NL-R-003"),
        (INVOICE, SELLER, SELLER.replace(b"BE", b"DK"), "DK-R-014"),
        (INVOICE, SELLER, SELLER.replace(b"BE", b"DE"), "DE-R-005"),
        (INVOICE, SELLER, SELLER.replace(b"BE", b"IS"), "IS-R-002"),
        (INVOICE, b">BE0000000196<", b">NO000000018MVA<", "NO-R-001"),
        (INVOICE, b">BE0000000196<", b">EL000000019<", "GR-R-003"),
    ],
)
def test_each_family_sees_its_faults(name: str, old: bytes, new: bytes, expected: str) -> None:
    content = sample(name)
    assert old in content
    changed = content.replace(old, new)
    assert expected in broken(changed)


def test_a_plain_document_of_the_standard_is_not_checked_by_peppol_rules() -> None:
    content = sample(INVOICE).replace(b"#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0", b"")
    assert "PEPPOL-EN16931-R004" in broken(content)
    assert koppel_ubl.check(content, profile="en16931").valid
