"""Corners where the official rules decide otherwise than one would think: each was seen beside them."""

import time
from pathlib import Path

import pytest

from koppel_ubl import check

VALID = Path(__file__).parent / "samples" / "valid"


def sample(name: str, *swaps: tuple[str, str]) -> bytes:
    text = next(VALID.glob(f"own__be-{name}-*.xml")).read_text(encoding="utf-8")
    for old, new in swaps:
        assert old in text
        text = text.replace(old, new)
    return text.encode()


@pytest.mark.parametrize(("written", "fires"), [("-0", False), ("0", False), ("-0.00", True), ("-.0", True)])
def test_minus_zero_has_a_sign_only_as_a_broken_number(written: str, fires: bool) -> None:
    data = sample("11", ('<cbc:TaxAmount currencyID="EUR">146.83<', f'<cbc:TaxAmount currencyID="EUR">{written}<'))
    assert ("PEPPOL-EN16931-R055" in check(data).rules()) is fires


@pytest.mark.parametrize(
    ("code", "scheme", "fires"), [("L", "VAT", False), ("L", "AT", False), ("M", "VAT", False), ("M", "AT", True)]
)
def test_a_breakdown_of_canary_islands_counts_whatever_its_scheme(code: str, scheme: str, fires: bool) -> None:
    data = sample("13", ("<cbc:ID>S</cbc:ID>", f"<cbc:ID>{code}</cbc:ID>")).decode()
    before, subtotal, after = data.partition("<cac:TaxSubtotal>")
    after = after.replace("<cbc:ID>VAT</cbc:ID>", f"<cbc:ID>{scheme}</cbc:ID>", 1)
    rule = {"L": "BR-IG-01", "M": "BR-IP-01"}[code]
    assert (rule in check((before + subtotal + after).encode()).rules()) is fires


@pytest.mark.parametrize("address", ["BE", "NO"])
def test_a_seller_with_two_vat_numbers_is_of_no_country(address: str) -> None:
    country = "<cbc:IdentificationCode>{}</cbc:IdentificationCode>"
    text = sample("01").decode().replace(country.format("BE"), country.format(address), 1)
    start = text.index("<cac:PartyTaxScheme>", text.index("<cac:AccountingSupplierParty>"))
    end = text.index("</cac:PartyTaxScheme>", start) + len("</cac:PartyTaxScheme>")
    own = text[start:end]
    number = own[own.index("<cbc:CompanyID>") + len("<cbc:CompanyID>") : own.index("</cbc:CompanyID>")]
    norwegian = own.replace(number, "NO991825827MVA")
    assert any(rule.startswith("NO-") for rule in check((text[:start] + norwegian + text[end:]).encode()).rules())
    both = check((text[:start] + norwegian + text[start:]).encode()).rules()
    assert not any(rule.startswith("NO-") for rule in both)


def test_there_is_no_year_nought() -> None:
    data = sample("01", ("<cbc:IssueDate>2026-01-15<", "<cbc:IssueDate>0000-01-01<"))
    assert "KOPPEL-FORMAT" in check(data).rules("structure")


@pytest.mark.parametrize("ending", ["", "=", "!", "===="])
def test_a_large_attachment_is_judged_in_one_go(ending: str) -> None:
    end = b"</cbc:EmbeddedDocumentBinaryObject>"
    data = sample("01")
    begin = data.index(b">", data.index(b"<cbc:EmbeddedDocumentBinaryObject")) + 1
    stop = data.index(end, begin)
    large = data[:begin] + b"QUJD\n" * 800_000 + ending.encode() + data[stop:]
    began = time.process_time()
    reported = "KOPPEL-FORMAT" in check(large).rules("structure")
    assert reported is bool(ending)
    assert time.process_time() - began < 5
