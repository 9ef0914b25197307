"""The same Exact in other words: whatever the vendor sheet leaves open, an invoice is booked once and to the cent."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from connector_exact.api import Exact
from connector_exact.settings import ExactSettings
from koppel_connector.contract.errors import Rejected
from koppel_connector.contract.results import Booked, Differs, Found

from .desk import CONNECTOR, Desk, book, prepare, sample, work_of
from .harness import SETTINGS, Sandbox
from .response_variants import Said, Variant, VariantServer, refuse, shouted


@asynccontextmanager
async def desk_in(sandbox: Sandbox, variant: Variant, **settings: Any) -> AsyncIterator[Desk]:
    """Open a connection through the variant, master data imported in it."""
    at_home = await sandbox.desk()
    await at_home.close()
    async with VariantServer(sandbox.base_url, variant) as server:
        desk = Desk(server.url, at_home.token, ExactSettings.model_validate({**SETTINGS, **settings}))
        try:
            await desk.import_all()
            yield desk
        finally:
            await desk.close()


def numbers_as_strings(said: Said) -> None:
    for row in said.rows:
        row.update({k: str(v) for k, v in row.items() if isinstance(v, int | float) and not isinstance(v, bool)})


def codes_as_numbers(said: Said) -> None:
    for row in said.rows:
        row.update({k: int(row[k]) for k in ("Code", "Journal", "VATCode") if str(row.get(k) or "").strip().isdigit()})


def codes_padded(said: Said) -> None:
    for row in said.rows:
        row.update({k: f"{row[k]:<6}" for k in ("Code", "Journal", "VATCode") if isinstance(row.get(k), str)})


def capital_ids(said: Said) -> None:
    # Relations name their accounts in small letters, accounts have capital ones: each resource as it likes.
    if said.resource != "sync/CRM/Accounts":
        said.body = shouted(said.body)


def lists_without_results(said: Said) -> None:
    inner = said.body.get("d") if isinstance(said.body, dict) else None
    if isinstance(inner, dict) and "results" in inner and "__next" not in inner:
        said.body["d"] = inner["results"]


def _lines(row: dict[str, Any]) -> str | None:
    return next((name for name in ("SalesEntryLines", "PurchaseEntryLines") if name in row), None)


def lines_as_a_bare_list(said: Said) -> None:
    for row in said.rows:
        if (name := _lines(row)) and "results" in row[name]:
            row[name] = row[name]["results"]


def lists_expand_nothing(said: Said) -> None:
    if "$filter" in said.query:
        lines_never_expanded(said)


def lines_never_expanded(said: Said) -> None:
    for row in said.rows:
        if name := _lines(row):
            row[name] = {"__deferred": {"uri": f"{row[name]}"}}


def plain_names_selected(said: Said) -> None:
    names = said.query.get("$select", "").split(",")
    for row in said.rows:
        if "$select" in said.query and (name := _lines(row)) and name not in names:
            del row[name]


def expanding_lists_refused(said: Said) -> None:
    if "$filter" in said.query and "$expand" in said.query:
        refuse(said, 400, "This $expand parameter is not supported for this resource")


def lines_left_out(said: Said) -> None:
    for row in said.rows:
        if name := _lines(row):
            del row[name]


def lines_tell_no_vat_amount(said: Said) -> None:
    for row in said.rows:
        for line in row.get(_lines(row) or "", {}).get("results", []):
            line["VATAmountFC"] = None


def only_the_key_comes_back(said: Said) -> None:
    if said.method == "POST" and said.status == 201:
        for row in said.rows:
            row.update({k: None for k in row if k not in ("ID", "EntryID", "__metadata")})


def one_term_a_filter(said: Said) -> None:
    if said.method == "GET" and "Entries" in said.resource and " or " in said.query.get("$filter", ""):
        refuse(said, 400, "This $filter parameter is not supported for this resource")


def creations_say_nothing(said: Said) -> None:
    if said.method == "POST" and said.status == 201:
        said.body = ""


def creations_name_no_id(said: Said) -> None:
    if said.method == "POST" and said.status == 201:
        for row in said.rows:
            row.pop("ID", None)
            row.pop("EntryID", None)


def links_name_another_host(said: Said) -> None:
    if isinstance(said.body, dict) and isinstance(said.body.get("d"), dict) and "__next" in said.body["d"]:
        said.body["d"]["__next"] = re.sub(r"http://[^/]+", "https://start.exactonline.be", said.body["d"]["__next"])


def no_sync_resources(said: Said) -> None:
    if said.resource.startswith("sync/"):
        refuse(said, 404, "Not found")


VARIANTS: list[Callable[[Said], None]] = [
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
    lines_tell_no_vat_amount,
    only_the_key_comes_back,
    creations_say_nothing,
    creations_name_no_id,
    links_name_another_host,
    no_sync_resources,
]


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.__name__)
@pytest.mark.parametrize("kind", ["sales_invoice", "purchase_credit_note"])
async def test_an_invoice_is_booked_in_every_variant(sandbox: Sandbox, variant: Variant, kind: str) -> None:
    name = "01-invoice-ogm-pdf" if kind == "sales_invoice" else "02-creditnote-ref"
    async with desk_in(sandbox, variant) as desk:
        _, told = await book(desk, work_of(desk, sample(name, kind)))
    assert isinstance(told, Booked), told
    assert told.entry_number == str(sandbox.entries()[0]["EntryNumber"])
    assert len(sandbox.entries()) == 1


async def test_an_account_of_the_relation_is_known_in_any_spelling(sandbox: Sandbox) -> None:
    account = next(
        row for row in sandbox.division.tables["GLAccounts"].values() if str(row["Code"]).strip() == "701000"
    )
    sandbox.add_relation("Exemple Conseil SRL", VATNumber="BE0000000295", Status="C", GLAccountSales=account["ID"])
    async with desk_in(sandbox, capital_ids) as desk:
        await book(desk, work_of(desk, sample("01-invoice-ogm-pdf")))
    lines = sandbox.entries()[0]["SalesEntryLines"]
    assert {line["GLAccount"] for line in lines} == {account["ID"]}


async def test_lines_asked_for_apart_are_compared_as_well(sandbox: Sandbox) -> None:
    async with desk_in(sandbox, lines_never_expanded) as desk:
        context = work_of(desk, sample("01-invoice-ogm-pdf"))
        _, told = await book(desk, context)
        assert isinstance(told, Booked)
        context.progress["expected"]["lines"][0][1] = "1.00"
        told = (await CONNECTOR.read_back(desk, [context]))[context.delivery.id]
    assert isinstance(told, Differs)


async def test_lines_are_asked_for_by_a_name_everybody_knows(sandbox: Sandbox) -> None:
    async with desk_in(sandbox, plain_names_selected) as desk:
        context = work_of(desk, sample("01-invoice-ogm-pdf"))
        await CONNECTOR.send(context, await prepare(context))
        desk.calls.clear()
        told = (await CONNECTOR.read_back(desk, [context]))[context.delivery.id]
    assert isinstance(told, Booked)
    assert len(desk.calls) == 1


async def test_what_was_booked_is_found_where_a_filter_takes_one_term(sandbox: Sandbox) -> None:
    async with desk_in(sandbox, one_term_a_filter) as desk:
        context = work_of(desk, sample("01-invoice-ogm-pdf"))
        sent, _ = await book(desk, context)
        found = await CONNECTOR.lookup(context)
    assert isinstance(found, Found)
    assert (found.remote_id, found.count, found.problem) == (sent.remote_id, 1, None)


async def test_a_batch_is_read_back_one_by_one_where_a_filter_takes_one_term(sandbox: Sandbox) -> None:
    async with desk_in(sandbox, one_term_a_filter) as desk:
        contexts = [work_of(desk, sample("01-invoice-ogm-pdf")) for _ in range(2)]
        for context in contexts:
            await CONNECTOR.send(context, await prepare(context))
        told = await CONNECTOR.read_back(desk, contexts)
    assert [type(told[context.delivery.id]) for context in contexts] == [Booked, Booked]


@pytest.mark.parametrize("variant", [only_the_key_comes_back, creations_say_nothing])
async def test_a_relation_made_without_an_answer_is_kept_as_it_was_sent(sandbox: Sandbox, variant: Variant) -> None:
    paper = sample("01-invoice-ogm-pdf", replace={"BE0000000295": "BE0403170701", ">0000000295<": ">0403170701<"})
    async with desk_in(sandbox, variant) as desk:
        await book(desk, work_of(desk, paper))
        desk.calls.clear()
        await book(desk, work_of(desk, paper))
    assert "crm/Accounts" not in {call.operation for call in desk.calls}
    assert "crm/Accounts PUT" not in {call.operation for call in desk.calls}


async def test_every_page_is_read_though_its_link_names_another_host(sandbox: Sandbox) -> None:
    born = sandbox.relations()[0]["Modified"]
    for number in range(70):
        sandbox.add_relation(f"Klant {number}", VATNumber=f"BE{number:010}", Modified=born)

    def both(said: Said) -> None:
        no_sync_resources(said)
        links_name_another_host(said)

    async with desk_in(sandbox, both) as desk:
        assert len(desk.master_data.all("relation")) == len(sandbox.relations())


async def test_a_relation_is_found_though_a_field_of_the_question_cannot_be_filtered(sandbox: Sandbox) -> None:
    def choosy(said: Said) -> None:
        if "ChamberOfCommerce" in said.query.get("$filter", ""):
            refuse(said, 400, "Filtering on these fields is not supported: ChamberOfCommerce")

    async with desk_in(sandbox, choosy) as desk:
        row = sandbox.add_relation("Een andere naam", VATNumber="BE 0000.000.295", Status="C")
        sent, _ = await book(desk, work_of(desk, sample("01-invoice-ogm-pdf")))
    assert sandbox.entry(sent.remote_id)["Customer"] == row["ID"]


async def test_what_is_refused_is_not_asked_again_with_every_document(sandbox: Sandbox) -> None:
    # Ten errors an hour stop an endpoint (§4.3), and those of searching and reading back count among those of booking.
    def narrow(said: Said) -> None:
        one_term_a_filter(said)
        query = said.query.get("$filter", "")
        if said.resource == "crm/Accounts" and (" or " in query or "ChamberOfCommerce" in query):
            refuse(said, 400, "Filtering on these fields is not supported: ChamberOfCommerce")

    sandbox.state.switches.minute_limit = 1_000
    async with desk_in(sandbox, narrow) as desk:
        for errors_max, number in ((6, "0403170701"), (1, "0404616494"), (0, "0202239951")):
            swaps = {"BE0000000295": f"BE{number}", ">0000000295<": f">{number}<"}
            contexts = [work_of(desk, sample("01-invoice-ogm-pdf", replace=swaps)) for _ in range(2 + errors_max)]
            desk.calls.clear()
            for context in contexts:
                await CONNECTOR.send(context, await prepare(context))
            told = await CONNECTOR.read_back(desk, contexts)
            found = await CONNECTOR.lookup(contexts[0])
            assert isinstance(found, Found)
            assert {type(one) for one in told.values()} == {Booked}
            assert sum(call.status == 400 for call in desk.calls) <= errors_max
    assert len({entry["Customer"] for entry in sandbox.entries()}) == 3


async def test_where_no_relation_can_be_searched_it_is_asked_for_once_a_day(sandbox: Sandbox) -> None:
    def mute(said: Said) -> None:
        if said.method == "GET" and said.resource == "crm/Accounts":
            refuse(said, 400, "Filtering on these fields is not supported")

    def terms(number: str) -> list[str]:
        return [f"VATNumber eq '{number}'", f"Name eq 'Klant {number}'"]

    code = "trim(Code) eq '7'"
    async with desk_in(sandbox, mute) as desk:
        exact = Exact(desk)
        for wanted, asked in (([code], 1), ([code], 0), ([code, *terms("1")], 3), ([code, *terms("2")], 0)):
            desk.calls.clear()
            with pytest.raises(Rejected) as refused:
                await exact.find_relations(wanted)
            assert len(desk.calls) == asked, wanted
            assert "not supported" in str(refused.value.problem)


async def test_one_refused_spelling_hides_no_field_that_answers(sandbox: Sandbox) -> None:
    def moody(said: Said) -> None:
        query = said.query.get("$filter", "")
        if said.resource == "crm/Accounts" and (" or " in query or query == "VATNumber eq 'BE0000000295'"):
            refuse(said, 400, "This $filter parameter is not supported for this resource")

    async with desk_in(sandbox, moody) as desk:
        row = sandbox.add_relation("Een andere naam", VATNumber="BE 0000.000.295", Status="C")
        sent, _ = await book(desk, work_of(desk, sample("01-invoice-ogm-pdf")))
    assert sandbox.entry(sent.remote_id)["Customer"] == row["ID"]


@pytest.mark.parametrize("flag", ["true", "false"])
async def test_yes_and_no_may_be_words(sandbox: Sandbox, flag: str) -> None:
    def words(said: Said) -> None:
        for row in said.rows:
            row.update({k: str(v).lower() for k, v in row.items() if isinstance(v, bool)})

    row = sandbox.add_relation("Exemple Conseil SRL", VATNumber="BE0000000295", Status="C", Blocked=flag == "true")
    async with desk_in(sandbox, words) as desk:
        kept = next(line for line in desk.master_data.all("relation") if line.remote_id == row["ID"])
    assert kept.data["blocked"] is (flag == "true")
