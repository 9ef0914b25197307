"""The connector at the sandbox: each kind booked to the cent, each refusal a problem that names who can fix it."""

import re
from decimal import Decimal
from typing import Any

import pytest

from connector_exact.master_data import Relation
from connector_exact.problems import PROBLEMS
from connector_exact.settings import ExactSettings
from koppel_connector.contract import BOOKING_PROBLEMS, ActionRequired, Booked, ConnectorError, Differs

from .direct_vendor import CONNECTOR, DirectVendor, SampleDocument, asked_again, book, context_of, prepare, sample
from .harness import SETTINGS, Sandbox

KINDS = [
    ("01-invoice-ogm-pdf", "sales_invoice"),
    ("01-invoice-ogm-pdf", "purchase_invoice"),
    ("02-creditnote-ref", "sales_credit_note"),
    ("02-creditnote-ref", "purchase_credit_note"),
    ("03-AE-cocontractor", "purchase_invoice"),
    ("04-K-intracommunity-goods", "sales_invoice"),
    ("05-G-export", "sales_invoice"),
    ("06-E-small-business", "purchase_invoice"),
    ("08-O-outside-scope", "sales_invoice"),
    ("10-mixed-rates-allowance-charge", "sales_invoice"),
    ("11-USD-with-EUR-vat", "sales_invoice"),
    ("12-daily-receipts-endpoint-self", "daily_receipts"),
    ("15-cash-discount", "sales_invoice"),
]

ENTRY_CALLS = {"documents/Documents", "documents/DocumentAttachments", "salesentry/SalesEntries"}


async def refused(vendor: DirectVendor, document: Any, **of: Any) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        await book(vendor, context_of(vendor, document, **of))
    assert caught.value.problem is not None
    assert caught.value.problem.code in PROBLEMS.over(BOOKING_PROBLEMS)
    return caught.value


def code_of(failure: ConnectorError) -> str:
    assert failure.problem is not None
    return failure.problem.code


@pytest.mark.parametrize(("name", "kind"), KINDS)
async def test_each_kind_is_booked_and_read_back_to_the_cent(
    vendor: DirectVendor, sandbox: Sandbox, name: str, kind: str
) -> None:
    sent, result = await book(vendor, context_of(vendor, sample(name, kind)))
    assert isinstance(result, Booked), result
    assert result.entry_number == sent.entry_number
    entry = sandbox.entry(sent.remote_id)
    assert entry["Type"] == {"sales_credit_note": 21, "purchase_credit_note": 31}.get(
        kind, 30 if "purchase" in kind else 20
    )
    journal = SETTINGS["journals"][
        {
            "sales_invoice": "sale",
            "sales_credit_note": "sale_credit",
            "purchase_invoice": "purchase",
            "purchase_credit_note": "purchase_credit",
            "daily_receipts": "receipts",
        }[kind]
    ]
    assert str(entry["Journal"]).strip() == journal


async def test_four_calls_book_and_one_reads_many_back(vendor: DirectVendor) -> None:
    await book(vendor, context_of(vendor, sample("01-invoice-ogm-pdf")))
    vendor.calls.clear()
    contexts = []
    for number in range(7):
        context = context_of(vendor, sample("01-invoice-ogm-pdf", replace={"2026-0001": f"2026-1{number:03}"}))
        await CONNECTOR.send(context, await prepare(context))
        contexts.append(context)
    assert [call.operation for call in vendor.calls] == [
        "documents/Documents",
        "documents/DocumentAttachments",
        "documents/DocumentAttachments",
        "salesentry/SalesEntries",
    ] * 7
    vendor.calls.clear()
    result = await CONNECTOR.read_back(vendor, contexts)
    assert len(vendor.calls) == 1
    assert all(isinstance(one, Booked) for one in result.values())
    assert len({one.entry_number for one in result.values() if isinstance(one, Booked)}) == 7


async def test_pdf_and_ubl_hang_on_the_entrys_document(vendor: DirectVendor, sandbox: Sandbox) -> None:
    context = context_of(vendor, sample("01-invoice-ogm-pdf"))
    sent, _ = await book(vendor, context)
    document = sandbox.document(sandbox.entry(sent.remote_id)["Document"])
    assert document["Subject"].endswith(context.remote_ref)
    assert document["Type"] == 10
    assert [name.rsplit(".", 1)[1] for name in sandbox.attachments(document["ID"])] == ["pdf", "xml"]


async def test_a_new_relation_is_made_once_with_its_role(vendor: DirectVendor, sandbox: Sandbox) -> None:
    document = sample("01-invoice-ogm-pdf", "purchase_invoice", replace={"BE0000000196": "BE0403170701"})
    first, _ = await book(vendor, context_of(vendor, document))
    second, _ = await book(vendor, context_of(vendor, document))
    entries = [sandbox.entry(sent.remote_id) for sent in (first, second)]
    assert entries[0]["Supplier"] == entries[1]["Supplier"]
    made = [row for row in sandbox.relations() if row.get("VATNumber") == "BE0403170701"]
    assert len(made) == 1
    assert made[0]["IsSupplier"] is True


async def test_a_relation_lacking_the_role_gets_it_and_nothing_else(vendor: DirectVendor, sandbox: Sandbox) -> None:
    row = sandbox.add_relation(
        "Exemple Conseil SRL", VATNumber="BE0000000295", Status="A", IsSupplier=True, Email="x@y.be"
    )
    await vendor.import_all()
    _, result = await book(vendor, context_of(vendor, sample("01-invoice-ogm-pdf")))
    assert isinstance(result, Booked)
    changed = next(one for one in sandbox.relations() if one["ID"] == row["ID"])
    assert (changed["Status"], changed["Email"], changed["Code"]) == ("C", "x@y.be", row["Code"])


async def test_a_blocked_relation_waits_for_the_accountant_until_it_is_free(
    vendor: DirectVendor, sandbox: Sandbox
) -> None:
    row = sandbox.add_relation("Exemple Conseil SRL", VATNumber="BE0000000295", Status="C", Blocked=True)
    await vendor.import_all()
    failure = await refused(vendor, sample("01-invoice-ogm-pdf"))
    assert isinstance(failure, ActionRequired)
    assert code_of(failure) == "relation_blocked"
    assert BOOKING_PROBLEMS["relation_blocked"].who_can_fix == "accountant"
    sandbox.change_relation(row["ID"], Blocked=False)
    _, result = await book(vendor, context_of(vendor, sample("01-invoice-ogm-pdf")))
    assert isinstance(result, Booked)


async def test_a_relation_blocked_since_the_import_is_exacts_own_no(vendor: DirectVendor, sandbox: Sandbox) -> None:
    row = sandbox.add_relation("Exemple Conseil SRL", VATNumber="BE0000000295", Status="C")
    await vendor.import_all()
    sandbox.change_relation(row["ID"], Blocked=True)
    assert code_of(await refused(vendor, sample("01-invoice-ogm-pdf"))) == "relation_blocked"


@pytest.mark.parametrize("language", ["nl-BE", "fr-BE", "en-GB"])
async def test_a_period_closed_since_it_was_asked_is_reported_in_any_language(
    vendor: DirectVendor, sandbox: Sandbox, language: str
) -> None:
    await book(vendor, context_of(vendor, sample("01-invoice-ogm-pdf")))
    sandbox.speak(language)
    sandbox.close_period("700", 2026, 1)
    failure = await refused(vendor, sample("01-invoice-ogm-pdf"))
    assert isinstance(failure, ActionRequired)
    assert code_of(failure) == "period_closed"


async def test_a_retry_after_a_refusal_makes_no_second_document(vendor: DirectVendor, sandbox: Sandbox) -> None:
    await book(vendor, context_of(vendor, sample("01-invoice-ogm-pdf")))
    sandbox.close_period("700", 2026, 1)
    context = context_of(vendor, sample("01-invoice-ogm-pdf"))
    with pytest.raises(ActionRequired):
        await book(vendor, context)
    sandbox.open_periods()
    vendor.calls.clear()
    _, result = await book(vendor, asked_again(context))
    assert isinstance(result, Booked)
    assert [call.operation for call in vendor.calls if call.operation in ENTRY_CALLS] == ["salesentry/SalesEntries"] * 2


@pytest.mark.parametrize("language", ["nl-BE", "fr-BE", "en-GB"])
async def test_a_document_removed_while_the_entry_waited_is_made_again(
    vendor: DirectVendor, sandbox: Sandbox, language: str
) -> None:
    sandbox.speak(language)
    context = context_of(vendor, sample("01-invoice-ogm-pdf"))
    sandbox.deny("salesentry/SalesEntries", "POST")
    with pytest.raises(ActionRequired):
        await book(vendor, context)
    sandbox.allow_everything()
    sandbox.remove_documents()
    with pytest.raises(ActionRequired) as caught:
        await book(vendor, context)
    assert code_of(caught.value) == "files_gone"
    sent, result = await book(vendor, context)
    assert isinstance(result, Booked)
    document = sandbox.document(sandbox.entry(sent.remote_id)["Document"])
    assert len(sandbox.attachments(document["ID"])) == 2


@pytest.mark.parametrize(
    ("settings", "document", "code"),
    [
        ({"journals": {"sale": "999"}}, {}, "journal_unknown"),
        ({"journals": {"sale": "600"}}, {}, "journal_wrong_type"),
        ({"journals": {"purchase": "600"}}, {}, "journal_missing"),
        ({"default_ledger_account": {}}, {}, "ledger_account_missing"),
        ({}, {"ledger_account": "999999"}, "ledger_account_unknown"),
        ({}, {"ledger_account": "400000"}, "ledger_account_wrong_type"),
        ({"vat_codes": {"sale": {"S:21": "ZZ"}}}, {}, "unknown_vat_code"),
        ({"entry_numbers": "document"}, {}, "entry_number_not_numeric"),
    ],
)
async def test_what_the_settings_get_wrong_is_reported_before_anything_acts(
    vendor: DirectVendor, settings: dict[str, Any], document: dict[str, Any], code: str
) -> None:
    vendor.settings = ExactSettings.model_validate({**SETTINGS, **settings})
    failure = await refused(vendor, sample("01-invoice-ogm-pdf", **document))
    assert isinstance(failure, ActionRequired)
    assert code_of(failure) == code
    assert not [call for call in vendor.calls if call.method != "GET"]


async def test_an_unknown_vat_rate_names_category_and_rate(vendor: DirectVendor) -> None:
    document = sample("06-E-small-business", "sales_invoice")
    vendor.settings = ExactSettings.model_validate({**SETTINGS, "vat_codes": {"sale": {"E": "ZZ"}}})
    failure = await refused(vendor, document)
    assert failure.problem is not None
    assert code_of(failure) == "unknown_vat_code"
    assert "E at 0 %" in str(failure.problem.detail)


async def test_a_vat_code_gone_since_the_import_is_exacts_own_no(vendor: DirectVendor, sandbox: Sandbox) -> None:
    sandbox.forget_vat_codes()
    assert code_of(await refused(vendor, sample("01-invoice-ogm-pdf"))) == "unknown_vat_code"


async def test_an_account_blocked_since_the_import_is_exacts_own_no(vendor: DirectVendor, sandbox: Sandbox) -> None:
    sandbox.block_account(SETTINGS["default_ledger_account"]["sale"])
    assert code_of(await refused(vendor, sample("01-invoice-ogm-pdf"))) == "ledger_account_blocked"


async def test_a_missing_right_names_itself(vendor: DirectVendor, sandbox: Sandbox) -> None:
    sandbox.deny("salesentry/SalesEntries", "POST")
    failure = await refused(vendor, sample("01-invoice-ogm-pdf"))
    assert isinstance(failure, ActionRequired)
    assert code_of(failure) == "missing_right"
    assert PROBLEMS["missing_right"].degrades
    steps = {step.name: step async for step in CONNECTOR.check(vendor)}
    assert not steps["rights"].ok
    assert steps["rights"].problem is not None
    assert "salesentry/SalesEntries" in str(steps["rights"].problem.detail)
    dossier = next(one for one in await CONNECTOR.remote_dossiers(vendor) if one.id == str(SETTINGS["division"]))
    assert not dossier.reachable
    assert "salesentry/SalesEntries" in str(dossier.missing_right)


@pytest.mark.parametrize("resource", ["financial/Journals", "crm/Accounts"])
async def test_an_import_without_rights_is_no_empty_import(
    vendor: DirectVendor, sandbox: Sandbox, resource: str
) -> None:
    for each in (resource, "sync/CRM/Accounts") if resource == "crm/Accounts" else (resource,):
        sandbox.deny(each, "GET")
    with pytest.raises(ActionRequired) as caught:
        await CONNECTOR.import_master_data(vendor)
    assert code_of(caught.value) == "missing_right"
    assert caught.value.problem is not None
    assert resource in str(caught.value.problem.detail)


async def test_a_company_without_relations_is_imported(vendor: DirectVendor, sandbox: Sandbox) -> None:
    sandbox.forget_relations()
    assert (await CONNECTOR.import_master_data(vendor)).relations == ()


async def test_an_expired_licence(vendor: DirectVendor, sandbox: Sandbox) -> None:
    sandbox.division.licence_expired = True
    assert code_of(await refused(vendor, sample("01-invoice-ogm-pdf"))) == "licence_expired"


async def test_the_health_check_is_well(vendor: DirectVendor) -> None:
    steps = [step async for step in CONNECTOR.check(vendor)]
    assert [step.name for step in steps] == ["login", "rights", "year", "journals", "vat_codes"]
    assert all(step.ok for step in steps), steps


# ── numbers of our own ──


def numbered(number: str) -> Any:
    return sample(
        "01-invoice-ogm-pdf",
        replace={"<cbc:ID>2026-0001</cbc:ID>\n<cbc:IssueDate>": f"<cbc:ID>{number}</cbc:ID>\n<cbc:IssueDate>"},
    )


async def test_a_taken_number_is_never_overwritten(vendor: DirectVendor, sandbox: Sandbox) -> None:
    vendor.settings = ExactSettings.model_validate({**SETTINGS, "entry_numbers": "document"})
    sandbox.state.switches.overwrite_taken_numbers = True
    first, result = await book(vendor, context_of(vendor, numbered("26799001")))
    assert isinstance(result, Booked)
    assert first.entry_number == "26799001"
    failure = await refused(vendor, numbered("26799001"))
    assert isinstance(failure, ActionRequired)
    assert code_of(failure) == "entry_number_taken"
    assert sandbox.entry(first.remote_id)["EntryNumber"] == 26799001
    assert len(sandbox.entries()) == 1


async def test_a_number_exact_replaces_is_not_booked_silently(vendor: DirectVendor) -> None:
    vendor.settings = ExactSettings.model_validate({**SETTINGS, "entry_numbers": "document"})
    await book(vendor, context_of(vendor, numbered("26799002")))
    _, result = await book(vendor, context_of(vendor, numbered("26700001")))
    assert isinstance(result, Differs)
    assert "entry number" in str(result.problem.detail)


async def test_relations_are_read_as_they_stand(vendor: DirectVendor) -> None:
    relations = [Relation.of(line) for line in vendor.master_data.all(Relation.kind)]
    assert relations
    assert all(relation.code == relation.code.strip() for relation in relations)


async def test_the_rate_of_a_foreign_invoice_is_the_senders_and_its_euros_are_compared(
    vendor: DirectVendor, sandbox: Sandbox
) -> None:
    context = context_of(vendor, sample("11-USD-with-EUR-vat"))
    sent, result = await book(vendor, context)
    assert isinstance(result, Booked)
    entry = sandbox.entry(sent.remote_id)
    assert (entry["Rate"], entry["AmountDC"], entry["VATAmountDC"]) == (
        Decimal("0.92"),
        Decimal("846.03"),
        Decimal("146.83"),
    )
    for name in ("AmountDC", "VATAmountDC"):
        held = entry[name]
        entry[name] = held + Decimal("0.05")
        differs = (await CONNECTOR.read_back(vendor, [context]))[context.delivery.id]
        assert isinstance(differs, Differs)
        assert name in (differs.problem.detail or "")
        entry[name] = held


async def test_a_rate_that_the_document_leaves_open_is_the_operators_else_exacts_own(
    sandbox: Sandbox,
) -> None:
    small = {">760.00<": ">76.00<", ">159.60<": ">15.96<", ">146.83<": ">14.68<", ">919.60<": ">91.96<"}
    document = sample("11-USD-with-EUR-vat", replace=small)
    for rates, rate in (({}, Decimal(1)), ({"USD": "0.9203"}, Decimal("0.9203"))):
        vendor = await sandbox.vendor({**SETTINGS, "exchange_rates": rates})
        await vendor.import_all()
        context = context_of(vendor, document)
        sent = await CONNECTOR.send(context, await prepare(context))
        assert sandbox.entry(sent.remote_id)["Rate"] == rate
        await vendor.close()


async def test_an_entry_that_stands_as_the_other_type_is_a_mismatch(vendor: DirectVendor, sandbox: Sandbox) -> None:
    for name, kind, other in (
        ("01-invoice-ogm-pdf", "sales_invoice", 21),
        ("01-invoice-ogm-pdf", "purchase_invoice", 31),
        ("02-creditnote-ref", "sales_credit_note", 20),
        ("02-creditnote-ref", "purchase_credit_note", 30),
    ):
        context = context_of(vendor, sample(name, kind))
        sent, result = await book(vendor, context)
        assert isinstance(result, Booked), kind
        assert context.progress.get("warnings", []) == []
        sandbox.entry(sent.remote_id)["Type"] = other
        differs = (await CONNECTOR.read_back(vendor, [context]))[context.delivery.id]
        assert isinstance(differs, Differs), kind
        assert differs.problem.detail is not None
        assert f"type {other}" in differs.problem.detail


async def test_a_credit_note_that_its_journal_makes_an_invoice_is_a_mismatch(sandbox: Sandbox) -> None:
    sandbox.state.switches.type_by_sign = False
    vendor = await sandbox.vendor({**SETTINGS, "journals": {"sale": "700"}})
    await vendor.import_all()
    _, result = await book(vendor, context_of(vendor, sample("02-creditnote-ref", "sales_credit_note")))
    assert isinstance(result, Differs)
    assert "type 20, expected 21" in (result.problem.detail or "")
    await vendor.close()


@pytest.mark.parametrize("by_sign", [True, False])
async def test_a_negative_invoice_is_booked_and_a_person_is_asked_to_look_at_its_type(
    vendor: DirectVendor, sandbox: Sandbox, by_sign: bool
) -> None:
    sandbox.state.switches.type_by_sign = by_sign
    plain = sample("01-invoice-ogm-pdf")
    negative = re.sub(
        rb'(<cbc:\w*Amount currencyID="EUR">|<cbc:InvoicedQuantity[^>]*>)(?=\d)', rb"\1-", plain.files["ubl"]
    ).replace(b'<cbc:PriceAmount currencyID="EUR">-', b'<cbc:PriceAmount currencyID="EUR">')
    context = context_of(vendor, SampleDocument(plain.kind, {"ubl": negative}))
    _, result = await book(vendor, context)
    assert isinstance(result, Booked)
    assert context.progress["warnings"] == [{"code": "type_left_open", "detail": "sales_invoice: -582.77"}]
