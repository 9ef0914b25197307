"""Entries that the accountant typed in himself, found by the number of a document before it is sent."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from koppel_bookkeeping import Document
from koppel_bookkeeping.entries_in_books import SoughtDocument, resemblance, sought
from koppel_connector.contract import ActionRequired, Rejected
from koppel_connector.testing import party
from koppel_connector.testing import sample as filed
from koppel_mesh.messages import DocumentKind

from .direct_vendor import CONNECTOR, DirectVendor, context_of, sample
from .harness import Sandbox
from .response_variants import VariedAnswer, refuse
from .test_response_variants import vendor_in

PURCHASE = DocumentKind.PURCHASE_INVOICE


def looked_for(document: Mapping[str, Any]) -> SoughtDocument:
    found = sought(Document.model_validate(document))
    assert found is not None
    return found


def documents(count: int, kind: DocumentKind = PURCHASE) -> list[SoughtDocument]:
    return [looked_for(filed(number, kind, party(number % 3)).document) for number in range(count)]


async def test_thirty_documents_are_one_call_a_side(vendor: DirectVendor) -> None:
    await CONNECTOR.search_books(vendor, [*documents(15), *documents(15, DocumentKind.SALES_INVOICE)])
    assert [call.operation for call in vendor.calls] == [
        "salesentry/SalesEntries",
        "users/UserHasRights",
        "purchaseentry/PurchaseEntries",
        "users/UserHasRights",
    ]
    vendor.calls.clear()
    await CONNECTOR.search_books(vendor, documents(30))
    assert len(vendor.calls) == 1, "the right to read is asked for once a day"


async def test_what_is_typed_in_is_found_in_another_spelling_and_with_its_sign(
    vendor: DirectVendor, sandbox: Sandbox
) -> None:
    document = filed(7, DocumentKind.PURCHASE_CREDIT_NOTE, party(3)).document
    number = sandbox.type_in(document)
    wanted = looked_for(document)
    entries = await CONNECTOR.search_books(vendor, [wanted, *documents(20)])
    (entry,) = resemblance(wanted, entries).same
    assert entry.entry_number == number
    assert entry.total == -Decimal(document["total"]["amount"])
    assert entry.entry_url is not None
    assert entry.document_number != document["number"]


async def test_a_long_list_of_numbers_is_split_where_a_url_ends(vendor: DirectVendor) -> None:
    long = [
        SoughtDocument("purchase", f"FACTUUR/2026/ATELIER/{number:08}", each.counterparty, None, None, None)
        for number, each in enumerate(documents(50))
    ]
    await CONNECTOR.search_books(vendor, long)
    asked = [call for call in vendor.calls if call.operation == "purchaseentry/PurchaseEntries"]
    assert all(call.status == 200 for call in asked)
    assert 1 < len(asked) < 5


async def test_without_the_right_to_read_nobody_says_that_nothing_is_there(
    vendor: DirectVendor, sandbox: Sandbox
) -> None:
    sandbox.deny("purchaseentry/PurchaseEntries", "GET")
    with pytest.raises(ActionRequired) as caught:
        await CONNECTOR.search_books(vendor, documents(2))
    assert caught.value.problem is not None
    assert caught.value.problem.code == "missing_right"


async def test_where_terms_cannot_be_joined_one_document_is_searched_spelling_by_spelling(sandbox: Sandbox) -> None:
    def no_or(answer: VariedAnswer) -> None:
        if " or " in answer.query.get("$filter", ""):
            refuse(answer, 400, "This $filter parameter is not supported for this resource")

    typed = filed(9, PURCHASE, party(1)).document
    sandbox.type_in(typed)
    wanted = looked_for(typed)
    async with vendor_in(sandbox, no_or) as vendor:
        with pytest.raises(Rejected):
            await CONNECTOR.search_books(vendor, [wanted, *documents(3)])
        entries = await CONNECTOR.search_books(vendor, [wanted])
    assert resemblance(wanted, entries).same


async def test_what_we_sent_is_found_as_what_it_is(vendor: DirectVendor) -> None:
    context = context_of(vendor, sample("01-invoice-ogm-pdf"))
    sent = await CONNECTOR.send(context, await CONNECTOR.prepare(context))
    wanted = looked_for(context.document.model_dump())
    (entry,) = resemblance(wanted, await CONNECTOR.search_books(vendor, [wanted])).same
    assert entry.remote_id == sent.remote_id.casefold()
