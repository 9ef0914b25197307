"""What there is to book of a delivery's document, and the files that go with it."""

from dataclasses import replace
from hashlib import sha256

import pytest

from koppel_bookkeeping import CannotBook, Document
from koppel_connector.ledger.documents import File, ReadDocument, read_document
from koppel_connector.testing import MasterDataInProcess, document_factory
from koppel_mesh.messages import DocumentKind

from .ledger_vendor import delivery_to

KIND = DocumentKind.SALES_INVOICE


def document(*roles: str, pdf: bytes = b"%PDF-1.4") -> tuple[Document, dict[str, bytes]]:
    sample = document_factory.sample(1, KIND)
    files = {"ubl": sample.files["ubl"], "pdf": pdf}
    content = [
        {"role": role, "media_type": "application/xml", "sha256": sha256(files[role]).hexdigest(), "size_bytes": 1}
        for role in roles
    ]
    return Document.model_validate({**sample.document, "content": content}), files


async def read(*roles: str) -> tuple[ReadDocument, list[str]]:
    asked: list[str] = []
    filed, files = document(*roles)
    return await read_document(delivery_to(MasterDataInProcess(), document=filed, files=files, asked=asked)), asked


async def test_a_ubl_is_read_and_only_what_is_listed_is_asked_for() -> None:
    found, asked = await read("ubl")
    assert asked == ["ubl"]
    assert found.pdf is None
    assert found.booking.kind is KIND
    both, asked = await read("ubl", "pdf")
    assert asked == ["ubl", "pdf"]
    assert both.booking == found.booking


async def test_without_a_ubl_what_a_person_entered_is_booked() -> None:
    found, asked = await read("pdf")
    assert asked == ["pdf"]
    by_ubl, _ = await read("ubl")
    assert (found.ubl, found.booking.total) == (None, by_ubl.booking.total)


async def test_the_files_have_the_documents_number_and_the_readable_one_comes_first() -> None:
    found, _ = await read("ubl", "pdf")
    stem = found.booking.number
    assert found.ubl is not None
    assert found.files(10**6) == (File(f"{stem}.pdf", b"%PDF-1.4"), File(f"{stem}.xml", found.ubl))


async def test_a_number_that_is_no_file_name_is_made_one() -> None:
    found, _ = await read("ubl")
    for number, name in (("../2026/12 a", "2026-12-a.xml"), ("//", "document.xml"), ("9" * 90, "9" * 80 + ".xml")):
        renamed = replace(found, booking=replace(found.booking, number=number))
        assert [file.name for file in renamed.files(10**6)] == [name]


async def test_a_file_that_is_too_large_is_named() -> None:
    found, _ = await read("pdf")
    with pytest.raises(CannotBook) as refused:
        found.files(7)
    assert refused.value.code == "attachment_too_large"
    assert refused.value.detail == f"{found.booking.number}.pdf: 8 bytes"
    assert found.files(8)
