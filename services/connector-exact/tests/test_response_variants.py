"""The same Exact in other words: whatever the sources leave open, an invoice is booked once and to the cent."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from connector_exact.api import Exact
from connector_exact.settings import ExactSettings
from koppel_connector.contract import Booked, Differs, Found, Rejected

from .direct_vendor import CONNECTOR, DirectVendor, book, context_of, prepare, sample
from .harness import SETTINGS, Sandbox
from .response_variants import Variant, VariantServer, VariedAnswer, refuse, shouted


@asynccontextmanager
async def vendor_in(sandbox: Sandbox, variant: Variant, **settings: Any) -> AsyncIterator[DirectVendor]:
    """Open a connection through the variant, master data imported in it."""
    at_home = await sandbox.vendor()
    await at_home.close()
    async with VariantServer(sandbox.base_url, variant) as server:
        vendor = DirectVendor(server.url, at_home.token, ExactSettings.model_validate({**SETTINGS, **settings}))
        try:
            await vendor.import_all()
            yield vendor
        finally:
            await vendor.close()


def numbers_as_strings(answer: VariedAnswer) -> None:
    for row in answer.rows:
        row.update({k: str(v) for k, v in row.items() if isinstance(v, int | float) and not isinstance(v, bool)})


def codes_as_numbers(answer: VariedAnswer) -> None:
    for row in answer.rows:
        row.update({k: int(row[k]) for k in ("Code", "Journal", "VATCode") if str(row.get(k) or "").strip().isdigit()})


def codes_padded(answer: VariedAnswer) -> None:
    for row in answer.rows:
        row.update({k: f"{row[k]:<6}" for k in ("Code", "Journal", "VATCode") if isinstance(row.get(k), str)})


def capital_ids(answer: VariedAnswer) -> None:
    # Relations name their accounts in small letters, accounts have capital ones: each resource as it likes.
    if answer.resource != "sync/CRM/Accounts":
        answer.body = shouted(answer.body)


def lists_without_results(answer: VariedAnswer) -> None:
    inner = answer.body.get("d") if isinstance(answer.body, dict) else None
    if isinstance(inner, dict) and "results" in inner and "__next" not in inner:
        answer.body["d"] = inner["results"]


def _lines(row: dict[str, Any]) -> str | None:
    return next((name for name in ("SalesEntryLines", "PurchaseEntryLines") if name in row), None)


def lines_as_a_bare_list(answer: VariedAnswer) -> None:
    for row in answer.rows:
        if (name := _lines(row)) and "results" in row[name]:
            row[name] = row[name]["results"]


def lists_expand_nothing(answer: VariedAnswer) -> None:
    if "$filter" in answer.query:
        lines_never_expanded(answer)


def lines_never_expanded(answer: VariedAnswer) -> None:
    for row in answer.rows:
        if name := _lines(row):
            row[name] = {"__deferred": {"uri": f"{row[name]}"}}


def plain_names_selected(answer: VariedAnswer) -> None:
    names = answer.query.get("$select", "").split(",")
    for row in answer.rows:
        if "$select" in answer.query and (name := _lines(row)) and name not in names:
            del row[name]


def expanding_lists_refused(answer: VariedAnswer) -> None:
    if "$filter" in answer.query and "$expand" in answer.query:
        refuse(answer, 400, "This $expand parameter is not supported for this resource")


def lists_expand_nothing_and_select_is_demanded(answer: VariedAnswer) -> None:
    if answer.method == "GET" and "Entries" in answer.resource and "$select" not in answer.query:
        refuse(answer, 400, "Please add a $select or a $top=1 statement to the query string.")
    else:
        lists_expand_nothing(answer)


def nothing_expanded_and_select_is_demanded(answer: VariedAnswer) -> None:
    lists_expand_nothing_and_select_is_demanded(answer)
    lines_never_expanded(answer)


def keys_cannot_be_asked(answer: VariedAnswer) -> None:
    """Lines are given by the entry's own link only."""
    lists_expand_nothing(answer)
    if answer.method == "GET" and "$expand" in answer.query and "$filter" not in answer.query:
        refuse(answer, 400, "This $expand parameter is not supported for this resource")


def lines_left_out(answer: VariedAnswer) -> None:
    for row in answer.rows:
        if name := _lines(row):
            del row[name]


def lines_without_vat_amount(answer: VariedAnswer) -> None:
    for row in answer.rows:
        for line in row.get(_lines(row) or "", {}).get("results", []):
            line["VATAmountFC"] = None


def only_the_key_comes_back(answer: VariedAnswer) -> None:
    if answer.method == "POST" and answer.status == 201:
        for row in answer.rows:
            row.update({k: None for k in row if k not in ("ID", "EntryID", "__metadata")})


def one_term_a_filter(answer: VariedAnswer) -> None:
    if answer.method == "GET" and "Entries" in answer.resource and " or " in answer.query.get("$filter", ""):
        refuse(answer, 400, "This $filter parameter is not supported for this resource")


def creations_say_nothing(answer: VariedAnswer) -> None:
    if answer.method == "POST" and answer.status == 201:
        answer.body = ""


def creations_name_no_id(answer: VariedAnswer) -> None:
    if answer.method == "POST" and answer.status == 201:
        for row in answer.rows:
            row.pop("ID", None)
            row.pop("EntryID", None)


def links_name_another_host(answer: VariedAnswer) -> None:
    if isinstance(answer.body, dict) and isinstance(answer.body.get("d"), dict) and "__next" in answer.body["d"]:
        answer.body["d"]["__next"] = re.sub(r"http://[^/]+", "https://start.exactonline.be", answer.body["d"]["__next"])


def no_sync_resources(answer: VariedAnswer) -> None:
    if answer.resource.startswith("sync/"):
        refuse(answer, 404, "Not found")


def one_row_without_key(answer: VariedAnswer) -> None:
    if answer.method == "GET" and answer.resource in LISTS:
        odd = {"ID": None, "Code": None, "Description": "a row that cannot be read"}
        answer.body["d"]["results"].append(odd)


def payment_conditions_without_id(answer: VariedAnswer) -> None:
    if answer.resource == "cashflow/PaymentConditions":
        if "ID" in answer.query["$select"].split(","):
            refuse(answer, 400, "Could not find a property named 'ID'")
        for row in answer.rows:
            row.pop("ID", None)


LISTS = {
    "sync/CRM/Accounts",
    "sync/Financial/GLAccounts",
    "financial/Journals",
    "vat/VATCodes",
    "cashflow/PaymentConditions",
}
VARIANTS: list[Callable[[VariedAnswer], None]] = [
    numbers_as_strings,
    codes_as_numbers,
    codes_padded,
    capital_ids,
    lists_without_results,
    lines_as_a_bare_list,
    lists_expand_nothing,
    lines_never_expanded,
    lines_left_out,
    expanding_lists_refused,
    lists_expand_nothing_and_select_is_demanded,
    nothing_expanded_and_select_is_demanded,
    keys_cannot_be_asked,
    lines_without_vat_amount,
    only_the_key_comes_back,
    creations_say_nothing,
    creations_name_no_id,
    links_name_another_host,
    no_sync_resources,
    one_row_without_key,
    payment_conditions_without_id,
]


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.__name__)
@pytest.mark.parametrize("kind", ["sales_invoice", "purchase_credit_note"])
async def test_an_invoice_is_booked_in_every_variant(sandbox: Sandbox, variant: Variant, kind: str) -> None:
    name = "01-invoice-ogm-pdf" if kind == "sales_invoice" else "02-creditnote-ref"
    async with vendor_in(sandbox, variant) as vendor:
        _, result = await book(vendor, context_of(vendor, sample(name, kind)))
    assert isinstance(result, Booked), result
    assert result.entry_number == str(sandbox.entries()[0]["EntryNumber"])
    assert len(sandbox.entries()) == 1


async def test_an_account_of_the_relation_is_known_in_any_spelling(sandbox: Sandbox) -> None:
    account = next(
        row for row in sandbox.division.tables["GLAccounts"].values() if str(row["Code"]).strip() == "701000"
    )
    sandbox.add_relation("Exemple Conseil SRL", VATNumber="BE0000000295", Status="C", GLAccountSales=account["ID"])
    async with vendor_in(sandbox, capital_ids) as vendor:
        await book(vendor, context_of(vendor, sample("01-invoice-ogm-pdf")))
    lines = sandbox.entries()[0]["SalesEntryLines"]
    assert {line["GLAccount"] for line in lines} == {account["ID"]}


async def test_lines_asked_for_apart_are_compared_as_well(sandbox: Sandbox) -> None:
    async with vendor_in(sandbox, lines_never_expanded) as vendor:
        context = context_of(vendor, sample("01-invoice-ogm-pdf"))
        _, result = await book(vendor, context)
        assert isinstance(result, Booked)
        context.progress["expected"]["lines"][0][1] = "1.00"
        result = (await CONNECTOR.read_back(vendor, [context]))[context.delivery.id]
    assert isinstance(result, Differs)


async def test_lines_are_asked_for_by_a_name_everybody_knows(sandbox: Sandbox) -> None:
    async with vendor_in(sandbox, plain_names_selected) as vendor:
        context = context_of(vendor, sample("01-invoice-ogm-pdf"))
        await CONNECTOR.send(context, await prepare(context))
        vendor.calls.clear()
        result = (await CONNECTOR.read_back(vendor, [context]))[context.delivery.id]
    assert isinstance(result, Booked)
    assert len(vendor.calls) == 1


async def test_what_was_booked_is_found_where_a_filter_takes_one_term(sandbox: Sandbox) -> None:
    async with vendor_in(sandbox, one_term_a_filter) as vendor:
        context = context_of(vendor, sample("01-invoice-ogm-pdf"))
        sent, _ = await book(vendor, context)
        found = await CONNECTOR.lookup(context)
    assert isinstance(found, Found)
    assert (found.remote_id, found.count, found.problem) == (sent.remote_id, 1, None)


async def test_a_batch_is_read_back_one_by_one_where_a_filter_takes_one_term(sandbox: Sandbox) -> None:
    async with vendor_in(sandbox, one_term_a_filter) as vendor:
        contexts = [context_of(vendor, sample("01-invoice-ogm-pdf")) for _ in range(2)]
        for context in contexts:
            await CONNECTOR.send(context, await prepare(context))
        result = await CONNECTOR.read_back(vendor, contexts)
    assert [type(result[context.delivery.id]) for context in contexts] == [Booked, Booked]


async def test_one_entry_that_cannot_be_read_back_hides_no_other(sandbox: Sandbox) -> None:
    odd: list[str] = []

    def lines_of_one_are_refused(answer: VariedAnswer) -> None:
        lists_expand_nothing(answer)
        if answer.method == "GET" and "$filter" not in answer.query and any(each in str(answer.body) for each in odd):
            refuse(answer, 500, "Something nobody has heard of")

    async with vendor_in(sandbox, lines_of_one_are_refused) as vendor:
        contexts = [context_of(vendor, sample("01-invoice-ogm-pdf")) for _ in range(3)]
        sent = [await CONNECTOR.send(context, await prepare(context)) for context in contexts]
        odd.append(str(sent[0].remote_id))
        result = await CONNECTOR.read_back(vendor, contexts)
        assert [type(result.get(context.delivery.id)) for context in contexts] == [type(None), Booked, Booked]
        odd += [str(each.remote_id) for each in sent]
        with pytest.raises(Rejected, match="heard of"):
            await CONNECTOR.read_back(vendor, contexts)


@pytest.mark.parametrize("side", ["sale", "purchase"])
async def test_a_side_that_may_not_be_read_hides_not_the_other(sandbox: Sandbox, side: str) -> None:
    path = "salesentry/SalesEntries" if side == "sale" else "purchaseentry/PurchaseEntries"

    def one_side_refused(answer: VariedAnswer) -> None:
        if answer.method == "GET" and answer.resource == path and "$expand" in answer.query:
            refuse(answer, 403, "Forbidden")

    async with vendor_in(sandbox, one_side_refused) as vendor:
        names = {"sale": "01-invoice-ogm-pdf", "purchase": "02-creditnote-ref"}
        kinds = {"sale": "sales_invoice", "purchase": "purchase_credit_note"}
        contexts = {each: context_of(vendor, sample(names[each], kinds[each])) for each in names}
        for context in contexts.values():
            await CONNECTOR.send(context, await prepare(context))
        result = await CONNECTOR.read_back(vendor, list(contexts.values()))
    seen = {each for each, context in contexts.items() if isinstance(result.get(context.delivery.id), Booked)}
    assert seen == set(names) - {side}


@pytest.mark.parametrize("variant", [only_the_key_comes_back, creations_say_nothing])
async def test_a_relation_made_without_an_answer_is_kept_as_it_was_sent(sandbox: Sandbox, variant: Variant) -> None:
    document = sample("01-invoice-ogm-pdf", replace={"BE0000000295": "BE0403170701", ">0000000295<": ">0403170701<"})
    async with vendor_in(sandbox, variant) as vendor:
        await book(vendor, context_of(vendor, document))
        vendor.calls.clear()
        await book(vendor, context_of(vendor, document))
    assert "crm/Accounts" not in {call.operation for call in vendor.calls}
    assert "crm/Accounts PUT" not in {call.operation for call in vendor.calls}


async def test_every_page_is_read_though_its_link_names_another_host(sandbox: Sandbox) -> None:
    born = sandbox.relations()[0]["Modified"]
    for number in range(70):
        sandbox.add_relation(f"Klant {number}", VATNumber=f"BE{number:010}", Modified=born)

    def both(answer: VariedAnswer) -> None:
        no_sync_resources(answer)
        links_name_another_host(answer)

    async with vendor_in(sandbox, both) as vendor:
        assert len(vendor.master_data.all("relation")) == len(sandbox.relations())


async def test_a_relation_is_found_though_a_field_of_the_question_cannot_be_filtered(sandbox: Sandbox) -> None:
    def choosy(answer: VariedAnswer) -> None:
        if "ChamberOfCommerce" in answer.query.get("$filter", ""):
            refuse(answer, 400, "Filtering on these fields is not supported: ChamberOfCommerce")

    async with vendor_in(sandbox, choosy) as vendor:
        row = sandbox.add_relation("Een andere naam", VATNumber="BE 0000.000.295", Status="C")
        sent, _ = await book(vendor, context_of(vendor, sample("01-invoice-ogm-pdf")))
    assert sandbox.entry(sent.remote_id)["Customer"] == row["ID"]


async def test_what_is_refused_is_not_asked_again_with_every_document(sandbox: Sandbox) -> None:
    # Ten errors an hour stop an endpoint (§4.3), and those of searching and reading back count among those of booking.
    def narrow(answer: VariedAnswer) -> None:
        one_term_a_filter(answer)
        query = answer.query.get("$filter", "")
        if answer.resource == "crm/Accounts" and (" or " in query or "ChamberOfCommerce" in query):
            refuse(answer, 400, "Filtering on these fields is not supported: ChamberOfCommerce")

    sandbox.state.switches.minute_limit = 1_000
    async with vendor_in(sandbox, narrow) as vendor:
        for errors_max, number in ((6, "0403170701"), (1, "0404616494"), (0, "0202239951")):
            swaps = {"BE0000000295": f"BE{number}", ">0000000295<": f">{number}<"}
            contexts = [context_of(vendor, sample("01-invoice-ogm-pdf", replace=swaps)) for _ in range(2 + errors_max)]
            vendor.calls.clear()
            for context in contexts:
                await CONNECTOR.send(context, await prepare(context))
            result = await CONNECTOR.read_back(vendor, contexts)
            found = await CONNECTOR.lookup(contexts[0])
            assert isinstance(found, Found)
            assert {type(one) for one in result.values()} == {Booked}
            assert sum(call.status == 400 for call in vendor.calls) <= errors_max
    assert len({entry["Customer"] for entry in sandbox.entries()}) == 3


async def test_where_no_relation_can_be_searched_it_is_asked_for_once_a_day(sandbox: Sandbox) -> None:
    def mute(answer: VariedAnswer) -> None:
        if answer.method == "GET" and answer.resource == "crm/Accounts":
            refuse(answer, 400, "Filtering on these fields is not supported")

    def terms(number: str) -> list[str]:
        return [f"VATNumber eq '{number}'", f"Name eq 'Klant {number}'"]

    code = "trim(Code) eq '7'"
    async with vendor_in(sandbox, mute) as vendor:
        exact = Exact(vendor)
        for wanted, asked in (([code], 1), ([code], 0), ([code, *terms("1")], 3), ([code, *terms("2")], 0)):
            vendor.calls.clear()
            with pytest.raises(Rejected) as refused:
                await exact.find_relations(wanted)
            assert len(vendor.calls) == asked, wanted
            assert "not supported" in str(refused.value.problem)


async def test_one_refused_spelling_hides_no_field_that_answers(sandbox: Sandbox) -> None:
    def moody(answer: VariedAnswer) -> None:
        query = answer.query.get("$filter", "")
        if answer.resource == "crm/Accounts" and (" or " in query or query == "VATNumber eq 'BE0000000295'"):
            refuse(answer, 400, "This $filter parameter is not supported for this resource")

    async with vendor_in(sandbox, moody) as vendor:
        row = sandbox.add_relation("Een andere naam", VATNumber="BE 0000.000.295", Status="C")
        sent, _ = await book(vendor, context_of(vendor, sample("01-invoice-ogm-pdf")))
    assert sandbox.entry(sent.remote_id)["Customer"] == row["ID"]


@pytest.mark.parametrize("flag", ["true", "false"])
async def test_yes_and_no_may_be_words(sandbox: Sandbox, flag: str) -> None:
    def words(answer: VariedAnswer) -> None:
        for row in answer.rows:
            row.update({k: str(v).lower() for k, v in row.items() if isinstance(v, bool)})

    row = sandbox.add_relation("Exemple Conseil SRL", VATNumber="BE0000000295", Status="C", Blocked=flag == "true")
    async with vendor_in(sandbox, words) as vendor:
        kept = next(line for line in vendor.master_data.all("relation") if line.remote_id == row["ID"])
    assert kept.data["blocked"] is (flag == "true")
