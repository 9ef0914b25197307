"""The samples of the conformance suite say what dossier-api would say of the same files."""

from typing import Any

import pytest

from dossier_api import kinds
from dossier_api.reading.ubl import read_ubl
from koppel_bookkeeping import Document
from koppel_connector.testing import SAMPLE_KINDS, sample
from koppel_connector.testing.document_factory import DOSSIER_NUMBER
from koppel_mesh.messages import DocumentKind


@pytest.mark.parametrize("kind", SAMPLE_KINDS)
def test_a_sample_reads_as_dossier_api_reads_its_file(kind: DocumentKind) -> None:
    document, files = sample(7, kind)
    facts = read_ubl(files["ubl"])
    assert kinds.decide(facts.parties, DOSSIER_NUMBER, None, None) is kind
    assert facts.pdf is not None
    assert facts.pdf.data == files["pdf"]
    assert facts.findings == []
    shown: dict[str, Any] = Document.model_validate(
        {
            **document,
            "number": facts.number,
            "issue_date": facts.issue_date,
            "due_date": facts.due_date,
            "currency": facts.currency,
            "total": {"amount": facts.total, "currency": facts.currency},
            "counterparty": facts.buyer if kind.value.startswith("sales") else facts.seller,
            "lines": facts.lines,
            "vat": facts.vat,
            "accounting_cost": facts.accounting_cost,
            "self_billed": facts.self_billed,
        }
    ).model_dump(mode="json")
    assert shown == document
