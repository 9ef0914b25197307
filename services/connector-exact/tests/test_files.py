"""The files of a document at Exact: all of them, each once, and what stays behind is said."""

from typing import Any

import pytest

from connector_exact import attaching
from connector_exact.api import DOCUMENT, Exact
from koppel_connector.contract import DeliveryContext
from koppel_connector.contract.results import Booked
from koppel_connector.testing.small_files import CSV, JPEG, ODS, PDF, PNG, XLSX, EmbeddedFile, with_files

from .direct_vendor import CONNECTOR, DirectVendor, SampleDocument, book, context_of, prepare, sample
from .harness import Sandbox
from .test_idempotency import LAG_S, deliver, held, lose

OF_EVERY_TYPE: tuple[EmbeddedFile, ...] = (
    ("werkbon.pdf", "application/pdf", PDF + b"work order", "Werkbon"),
    ("foto.png", "image/png", PNG, None),
    ("foto.jpg", "image/jpeg", JPEG, None),
    ("uren.csv", "text/csv", CSV, None),
    ("uren.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", XLSX, None),
    ("uren.ods", "application/vnd.oasis.opendocument.spreadsheet", ODS, None),
)


def carrying(*files: EmbeddedFile) -> SampleDocument:
    plain = sample("01-invoice-ogm-pdf", pdf=None)
    return SampleDocument(plain.kind, {"ubl": with_files(plain.files["ubl"], files)}, plain.changes)


def attached(sandbox: Sandbox) -> dict[str, bytes]:
    (document,) = sandbox.documents()
    return sandbox.files(document["ID"])


def warnings_of(context: DeliveryContext[Any]) -> list[str]:
    return [each["code"] for each in context.progress.get("warnings", [])]


async def test_every_file_goes_with_the_entry_and_the_picture_has_the_invoices_name(
    vendor: DirectVendor, sandbox: Sandbox
) -> None:
    context = context_of(vendor, carrying(*OF_EVERY_TYPE))
    _, result = await book(vendor, context)
    assert isinstance(result, Booked)
    files = attached(sandbox)
    assert list(files) == ["2026-0001.pdf", "2026-0001.xml", *(name for name, *_ in OF_EVERY_TYPE)]
    assert list(files.values())[2:] == [content for _, _, content, _ in OF_EVERY_TYPE]
    assert warnings_of(context) == []


async def test_an_invoice_with_a_pdf_of_eight_megabytes_is_booked(vendor: DirectVendor, sandbox: Sandbox) -> None:
    plan = PDF + bytes(range(256)) * 31_250
    context = context_of(vendor, carrying(("plan.pdf", "application/pdf", plan, "Plan")))
    _, result = await book(vendor, context)
    assert isinstance(result, Booked)
    files = attached(sandbox)
    assert files["plan.pdf"] == plan
    assert len(files["2026-0001.xml"]) < 20_000
    assert warnings_of(context) == ["ubl_without_files"]


async def test_what_is_too_large_for_exact_stays_behind(vendor: DirectVendor, sandbox: Sandbox) -> None:
    too_large = PDF + bytes(attaching.FILE_LIMITS.size_bytes_max)
    context = context_of(vendor, carrying(("plan.pdf", "application/pdf", too_large, "Plan"), *OF_EVERY_TYPE[:1]))
    _, result = await book(vendor, context)
    assert isinstance(result, Booked)
    assert list(attached(sandbox)) == ["2026-0001.pdf", "2026-0001.xml", "werkbon.pdf"]
    assert warnings_of(context) == ["ubl_without_files", "file_left_behind"]


@pytest.mark.parametrize("skip", range(len(OF_EVERY_TYPE) + 2))
@pytest.mark.parametrize("own_ids_kept", ["all", "entries"])
async def test_a_lost_answer_attaches_no_file_twice_and_forgets_none(
    vendor: DirectVendor, sandbox: Sandbox, skip: int, own_ids_kept: str
) -> None:
    sandbox.state.switches.own_ids_kept = own_ids_kept  # type: ignore[assignment]
    sandbox.state.switches.minute_limit = 1_000
    sandbox.state.switches.search_lag_s = LAG_S
    if own_ids_kept == "entries":
        await book(vendor, context_of(vendor, sample("02-creditnote-ref", "sales_credit_note")))
        sandbox.remove_documents()
    lose(sandbox, "documents/DocumentAttachments", skip)
    await deliver(vendor, sandbox, context_of(vendor, carrying(*OF_EVERY_TYPE)))
    assert held(sandbox)["attachments"] == [len(OF_EVERY_TYPE) + 2]
    assert len(attached(sandbox)) == len(OF_EVERY_TYPE) + 2


async def test_what_an_earlier_version_attached_is_not_attached_again(vendor: DirectVendor, sandbox: Sandbox) -> None:
    context = context_of(vendor, carrying(*OF_EVERY_TYPE[:1]))
    prepared = await prepare(context)
    first_two = prepared.files[:2]
    body = prepared.entry.document(attaching.subject_of(context, prepared.entry.title))
    await attaching.attach(Exact(vendor), context, DOCUMENT, body, first_two)
    await CONNECTOR.send(context, prepared)
    assert list(attached(sandbox)) == ["2026-0001.pdf", "2026-0001.xml", "werkbon.pdf"]
