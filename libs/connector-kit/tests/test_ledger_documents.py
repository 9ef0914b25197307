"""What there is to book of a delivery's document, and the files that go with it."""

from dataclasses import replace
from hashlib import sha256
from uuid import UUID

import pytest

from koppel_bookkeeping import CannotBook, Document, from_ubl
from koppel_connector.ledger.documents import ENDINGS, FileLimits, ReadDocument, files_to_attach, read_document
from koppel_connector.testing import MasterDataInProcess, document_factory
from koppel_connector.testing.small_files import CSV, JPEG, ODS, PDF, PNG, XLSX, with_files
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
    chosen = found.files(FileLimits(10**6))
    assert [(file.name, file.content) for file in chosen.files] == [
        (f"{stem}.pdf", b"%PDF-1.4"),
        (f"{stem}.xml", found.ubl),
    ]
    assert chosen.warnings == ()


async def test_a_number_that_is_no_file_name_is_made_one() -> None:
    found, _ = await read("ubl")
    for number, name in (("../2026/12 a", "2026-12-a.xml"), ("//", "document.xml"), ("9" * 90, "9" * 80 + ".xml")):
        renamed = replace(found, booking=replace(found.booking, number=number))
        assert name in [file.name for file in renamed.files(FileLimits(10**6)).files]


async def test_a_file_that_is_too_large_is_named() -> None:
    found, _ = await read("pdf")
    with pytest.raises(CannotBook) as refused:
        found.files(FileLimits(7))
    assert refused.value.code == "attachment_too_large"
    assert refused.value.detail == f"{found.booking.number}.pdf: 8 bytes"
    assert found.files(FileLimits(8)).files


ALL_TYPES = (
    ("werkbon.pdf", "application/pdf", PDF + b"work order", "Werkbon"),
    ("foto.png", "image/png", PNG, None),
    ("foto.jpeg", "image/jpeg", JPEG, None),
    ("uren.csv", "text/csv", CSV, None),
    ("uren.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", XLSX, "Timesheet"),
    ("uren.ods", "application/vnd.oasis.opendocument.spreadsheet", ODS, None),
)


async def carrying(*files: tuple[str, str, bytes, str | None], keep: bool = True, **given: bytes) -> ReadDocument:
    """Return a sample whose UBL carries these files, beside its own picture unless that is not kept."""
    sample = document_factory.sample(1, KIND)
    carried = with_files(sample.files["ubl"], files, keep=keep)
    made = document_factory.read(carried, KIND, UUID(sample.document["id"]))
    held = {**made.files, **given}
    content = [
        {"role": role, "media_type": "x", "sha256": sha256(data).hexdigest(), "size_bytes": len(data)}
        for role, data in held.items()
    ]
    filed = Document.model_validate({**made.document, "content": content})
    return await read_document(delivery_to(MasterDataInProcess(), document=filed, files=held))


async def test_every_type_that_peppol_allows_goes_along_and_the_picture_comes_first() -> None:
    found = await carrying(*ALL_TYPES)
    stem = found.booking.number
    chosen = found.files(FileLimits(10**6))
    assert [file.name for file in chosen.files] == [f"{stem}.pdf", f"{stem}.xml", *(name for name, *_ in ALL_TYPES)]
    assert [file.content for file in chosen.files[2:]] == [content for _, _, content, _ in ALL_TYPES]
    assert b"work order" not in chosen.files[0].content
    assert chosen.warnings == ()


async def test_names_are_unique_have_their_types_ending_and_the_same_bytes_go_once() -> None:
    twice = (
        ("bijlage.pdf", "application/pdf", PDF + b"1", None),
        ("Bijlage.PDF", "application/pdf", PDF + b"2", None),
        ("again.pdf", "application/pdf", PDF + b"1", None),
        ("table.exe", "text/csv", CSV, None),
    )
    found = await carrying(*twice)
    names = [file.name for file in found.files(FileLimits(10**6)).files]
    assert names[2:] == ["bijlage.pdf", "Bijlage-2.PDF", "table.exe.csv"]
    assert names == [file.name for file in (await carrying(*twice)).files(FileLimits(10**6)).files]


async def test_a_pdf_handed_in_beside_the_ubl_takes_the_place_of_the_picture_and_of_nothing_else() -> None:
    separate = PDF + b"handed in"
    named = (await carrying(*ALL_TYPES[:1], pdf=separate)).files(FileLimits(10**6)).files
    assert [file.content for file in named[::2]] == [separate, ALL_TYPES[0][2]]
    unnamed = (await carrying(*ALL_TYPES[:1], keep=False, pdf=separate)).files(FileLimits(10**6)).files
    assert [file.content for file in unnamed[::2]] == [separate, ALL_TYPES[0][2]]


async def test_a_ubl_that_its_files_make_too_large_goes_without_them_and_that_is_said() -> None:
    found = await carrying(("plan.pdf", "application/pdf", PDF + bytes(60_000), None))
    assert found.ubl is not None
    limit = len(found.ubl) - 1
    picture, ubl, plan = found.files(FileLimits(limit)).files
    assert len(ubl.content) < 20_000
    assert (picture.content, plan.content) == (found.booking.embedded[0].content, PDF + bytes(60_000))
    assert replace(from_ubl.booking(ubl.content, KIND), embedded=found.booking.embedded) == found.booking
    (warning,) = found.files(FileLimits(limit)).warnings
    assert (warning.code, warning.detail) == ("ubl_without_files", f"{ubl.name}: {limit + 1} bytes")
    assert found.files(FileLimits(limit + 1)).warnings == ()


async def test_what_a_vendor_does_not_take_stays_behind_and_that_is_said() -> None:
    found = await carrying(*ALL_TYPES, ("a.txt", "text/plain", b"hello", None))
    limits = FileLimits(size_bytes_max=10**6, media_types=frozenset(ENDINGS) - {"text/csv"}, count_max=7)
    chosen = found.files(limits)
    assert [file.name for file in chosen.files][2:] == ["werkbon.pdf", "foto.png", "foto.jpeg", "uren.xlsx", "uren.ods"]
    (warning,) = chosen.warnings
    assert (warning.code, warning.detail) == ("file_left_behind", "uren.csv: text/csv; a.txt: text/plain")
    fewer = found.files(replace(limits, count_max=3))
    assert len(fewer.files) == 3
    assert "foto.png: more than 3 files" in (fewer.warnings[0].detail or "")


async def test_files_that_travel_in_one_call_share_its_size() -> None:
    found = await carrying(*ALL_TYPES)
    everything = found.files(FileLimits(10**6)).files
    size = sum(len(file.content) for file in everything[:2])
    chosen = found.files(FileLimits(10**6, total_bytes_max=size))
    assert chosen.files == everything[:2], "the picture and the UBL come first"
    assert "bytes with the others" in (chosen.warnings[0].detail or "")
    assert found.files(FileLimits(10**6, total_bytes_max=10**7)).warnings == ()


async def test_a_picture_that_is_too_large_stays_behind_where_the_ubl_goes() -> None:
    found = await carrying(("plan.pdf", "application/pdf", PDF + bytes(60_000), "Invoice"), keep=False)
    chosen = found.files(FileLimits(50_000))
    assert [file.name for file in chosen.files] == [f"{found.booking.number}.xml"]
    assert {each.code for each in chosen.warnings} == {"ubl_without_files", "file_left_behind"}


async def test_what_stays_behind_is_kept_with_the_delivery_and_forgotten_once_everything_goes() -> None:
    found = await carrying(*ALL_TYPES)
    delivery = delivery_to(MasterDataInProcess())
    await files_to_attach(delivery, found, FileLimits(10**6, count_max=1))
    (kept,) = delivery.progress["warnings"]
    assert kept["code"] == "file_left_behind"
    assert "uren.ods" in kept["detail"]
    await files_to_attach(delivery, found, FileLimits(10**6))
    assert delivery.progress["warnings"] == []
