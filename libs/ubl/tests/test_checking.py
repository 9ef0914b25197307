"""What a check promises whatever the rules: the report, the profiles, the findings, and what is refused."""

from pathlib import Path

import pytest

import koppel_ubl
from koppel_ubl import checking

SAMPLES = Path(__file__).parent / "samples"
INVOICE = (SAMPLES / "valid/own__be-01-invoice-ogm-pdf.xml").read_bytes()
CUSTOMIZATION = b"urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"


def test_a_broken_rule_is_a_finding_with_its_place_and_sentences() -> None:
    report = koppel_ubl.check(INVOICE.replace(CUSTOMIZATION, b" "), profile="en16931")
    (found,) = (finding for finding in report.findings if finding.rule == "BR-01")
    assert (found.severity, found.layer, found.term, found.path) == ("fatal", "en16931", "BT-24", "/Invoice")
    assert found.line is not None
    assert found.line > 0
    assert found.message == koppel_ubl.rule("BR-01").sentence
    assert str(found.message) == found.message.en
    assert not report.valid


def test_a_good_document_is_valid() -> None:
    report = koppel_ubl.check(INVOICE)
    assert report.valid
    assert report.errors == ()


def test_what_is_no_ubl_is_refused() -> None:
    with pytest.raises(koppel_ubl.ReadError) as refused:
        koppel_ubl.check(b"<Invoice/>")
    assert refused.value.code == "wrong_root"


def test_an_unknown_rule_or_profile_is_refused() -> None:
    with pytest.raises(KeyError):
        koppel_ubl.rule("BR-00")
    with pytest.raises(ValueError, match="peppol-bis-3"):
        koppel_ubl.check(INVOICE, profile="bis-2")  # type: ignore[arg-type]


def test_a_document_in_an_envelope_is_checked() -> None:
    envelope = (SAMPLES / "legacy/own__sbdh-envelope.xml").read_bytes()
    report = koppel_ubl.check(envelope.replace(CUSTOMIZATION, b" "), profile="en16931")
    assert [finding.path for finding in report.findings if finding.rule == "BR-01"] == ["/Invoice"]


def test_every_rule_speaks_three_languages() -> None:
    for layer in checking.LAYERS:
        for rule in layer.rules.values():
            sentences = (rule.sentence.nl, rule.sentence.fr, rule.sentence.en)
            assert all(sentence.endswith(".") for sentence in sentences), rule.id
            assert len(set(sentences)) == 3, rule.id
