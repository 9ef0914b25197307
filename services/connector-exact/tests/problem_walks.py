"""Walks over the problems of Exact Online (``koppel_sandbox.walks``): its own, and those of the kit that need its sandbox.

``tests/test_solvable_problems_of_exact.py`` does them through the whole mesh. What a record of the sandbox can show is shown
there; the rest is Exact's own sentence.
"""

from typing import Final

from koppel_sandbox.exact.driver import SALES_ENTRIES
from koppel_sandbox.walks import (
    NotHere,
    Walk,
    among_warnings_of_connection,
    among_warnings_of_delivery,
    as_pause,
    booked_with_warning,
    connects,
    hands_in,
    imports,
    over,
    resolves,
    retries,
    sets,
    sets_as_needed,
)

from .problem_steps import (
    ANY,
    adds_relation,
    allows,
    answers_nonsense,
    changes,
    checks,
    comes_to_rest,
    consent_is_withdrawn,
    day_is_nearly_used_up,
    day_is_used_up,
    day_passes,
    denies,
    division,
    exports_unseen,
    forbids,
    grant_is_damaged,
    hour_passes,
    imports_and_waits,
    is_exported,
    limit_is_lifted,
    loses_answers,
    messages_end,
    opens_unimported,
    period,
    refuses_many,
    registration_is_right_again,
    registration_is_withdrawn,
    removes,
    repairs,
    says,
    settings_after,
    somebody_else_books_it,
    spoils,
    total,
    types_it_in,
)

HERE: Final = "services/connector-exact/tests"
PURCHASE_ENTRIES: Final = "purchaseentry/PurchaseEntries"
JOURNAL: Final = {"Code": "700"}
ACCOUNT: Final = {"Code": "700000"}
RATED: Final = {"Code": "21"}

WALKS: Final[dict[str, Walk | NotHere]] = {
    # ── the catalogue of Exact ──
    "missing_right": Walk(trouble=(denies(SALES_ENTRIES, "POST"),), solve=(allows(SALES_ENTRIES, "POST"), retries)),
    "no_division_access": Walk(
        trouble=(forbids("NoDivisionAccess", "Forbidden - User division is not within division scope"),),
        solve=(repairs, retries),
    ),
    "app_scope_missing": Walk(
        trouble=(forbids("", "Forbidden - Application Scope Violated. Cannot write"),), solve=(repairs, connects)
    ),
    "licence_expired": Walk(
        trouble=(division(licence_expired=True),), solve=(division(licence_expired=False), retries)
    ),
    "user_blocked": Walk(trouble=(forbids("BlockedUser"),), solve=(repairs, connects)),
    "customer_blocked": Walk(trouble=(forbids("BlockedCustomer"),), solve=(repairs, retries)),
    "division_blocked": Walk(trouble=(division(blocked=True),), solve=(division(blocked=False), retries)),
    "relation_account_differs": Walk(
        trouble=(says("De klantenrekening verschilt van de rekening van het dagboek"),), solve=(repairs, retries)
    ),
    "vat_code_inclusive": Walk(
        trouble=(sets({"vat_codes": {"sale": {"S:21": "I21"}}}),),
        solve=(sets({"vat_codes": {"sale": {"S:21": "21"}}}),),
        detail="I21",
    ),
    "entry_number_not_numeric": Walk(
        trouble=(sets({"entry_numbers": "document"}),), solve=(sets({"entry_numbers": "vendor"}),)
    ),
    "totals_differ": Walk(
        trouble=(exports_unseen, total("582.78"), repairs),
        document=None,
        solve=(total("582.77"), resolves("booked")),
        detail="582.78",
    ),
    "entry_not_balanced": Walk(trouble=(says("The entry is not balanced"),), solve=(repairs, retries)),
    "attachment_too_large": Walk(
        trouble=(spoils("status", "documents", method="POST", status=413, body="{}"),),
        solve=(repairs, hands_in(number="{}-smaller")),
    ),
    "type_left_open": Walk(document="negative", seen=among_warnings_of_delivery, ends=booked_with_warning),
    "mailbox_missing": Walk(
        trouble=(
            division(licence=["financial", "crm", "documents", "bank"]),
            sets({"destination": {"sale": "mailbox"}}),
        ),
        solve=(sets({"destination": {"sale": "journal"}}),),
    ),
    "scan_service_missing": Walk(
        trouble=(removes("Mailboxes", {"Description": "scan"}), sets({"destination": {"sale": "scan_service"}})),
        solve=(sets({"destination": {"sale": "mailbox"}}),),
        ends=is_exported,
    ),
    "message_refused": Walk(
        trouble=(sets({"destination": {"sale": "mailbox"}}), messages_end(as_status=5)),
        document=None,
        solve=(retries,),
        ends=is_exported,
    ),
    "statement_account_unknown": NotHere(f"{HERE}/test_bank_entries.py::test_a_person_names_the_journal_of_an_account"),
    "statement_gap": NotHere(f"{HERE}/test_bank_entries.py::test_a_gap_names_both_balances_and_what_is_missing"),
    "bank_not_linked": NotHere(f"{HERE}/test_statements.py::test_an_account_that_no_journal_has_is_warned_of"),
    "coda_switched_off": NotHere(f"{HERE}/test_settings.py::test_where_a_kind_goes_the_settings_say"),
    "files_gone": Walk(trouble=(says("Invalid reference: Document"),), solve=(repairs, retries)),
    # ── the connection ──
    "internal": Walk(trouble=(answers_nonsense,), solve=(repairs, retries)),
    "reauthorise": Walk(trouble=(consent_is_withdrawn,), solve=(connects,), alone=True),
    "vendor_unavailable": Walk(trouble=(spoils("html_503", ANY),), seen=as_pause, solve=(repairs,)),
    "retries_exhausted": Walk(trouble=(spoils("status", method="POST", status=502),), solve=(repairs, retries)),
    "grant_damaged": Walk(trouble=(grant_is_damaged,), solve=(connects,)),
    "misconfigured": Walk(
        trouble=(registration_is_withdrawn,), solve=(registration_is_right_again, retries), alone=True
    ),
    "rate_limited_long": Walk(trouble=(day_is_used_up,), seen=as_pause, solve=(day_passes,)),
    "window_nearly_used": Walk(
        trouble=(day_is_nearly_used_up, checks),
        seen=among_warnings_of_connection,
        solve=(limit_is_lifted, checks),
        document=None,
        ends=over,
        alone=True,
    ),
    "too_many_errors": Walk(trouble=(refuses_many,), document=None, solve=(repairs, hour_passes)),
    "exported_not_booked": Walk(trouble=(exports_unseen,), document=None, solve=(repairs, retries)),
    "unknown_outcome_review": Walk(trouble=(loses_answers,), solve=(repairs, resolves("booked"))),
    # ── master data ──
    "journal_blocked": Walk(
        trouble=settings_after(changes("Journals", JOURNAL, IsBlocked=True)),
        solve=(comes_to_rest, changes("Journals", JOURNAL, IsBlocked=False), retries),
        detail="700",
    ),
    "currency_not_allowed": Walk(
        trouble=settings_after(changes("Journals", JOURNAL, AllowVariableCurrency=False)),
        document="dollars",
        solve=(comes_to_rest, changes("Journals", JOURNAL, AllowVariableCurrency=True), retries),
        detail="USD",
    ),
    "ledger_account_blocked": Walk(
        trouble=settings_after(changes("GLAccounts", ACCOUNT, IsBlocked=True)),
        solve=(comes_to_rest, changes("GLAccounts", ACCOUNT, IsBlocked=False), retries),
        detail="700000",
    ),
    "ledger_account_wrong_type": Walk(
        trouble=(sets({"default_ledger_account": {"sale": "400000"}}),),
        solve=(sets_as_needed("default_ledger_account"),),
        detail="400000",
    ),
    "cost_centre_needed": Walk(
        trouble=(changes("GLAccounts", ACCOUNT, UseCostcenter=1),),
        solve=(changes("GLAccounts", ACCOUNT, UseCostcenter=0), retries),
    ),
    "vat_code_blocked": Walk(
        trouble=(
            changes("VATCodes", RATED, IsBlocked=True),
            sets({"vat_codes": {"sale": {"S:21": "21"}}}),
            imports_and_waits,
        ),
        solve=(comes_to_rest, changes("VATCodes", RATED, IsBlocked=False), retries),
        detail="21",
    ),
    "vat_code_not_allowed": Walk(
        trouble=(changes("Journals", JOURNAL, AllowVAT=False),),
        solve=(changes("Journals", JOURNAL, AllowVAT=True), retries),
    ),
    "vat_percentage_differs": Walk(
        trouble=(sets({"vat_codes": {"sale": {"S:21": "12"}}}),),
        solve=(sets({"vat_codes": {"sale": {"S:21": "21"}}}),),
        detail="12",
    ),
    "vat_amount_not_allowed": Walk(
        trouble=(says("Not allowed: VAT amount"),), solve=(repairs, sets({"vat_codes": {"sale": {"S:21": "21"}}}))
    ),
    "masters_missing": Walk(
        trouble=(denies("financial/Journals", "GET"), opens_unimported),
        opened=False,
        solve=(allows("financial/Journals", "GET"), imports),
    ),
    # ── relations ──
    "relation_unknown": Walk(trouble=(says("Invalid reference: Account"),), solve=(repairs, imports, retries)),
    "relation_not_customer": Walk(trouble=(says("Invalid: Customer (Type)"),), solve=(repairs, retries)),
    "relation_not_supplier": Walk(
        trouble=(says("Invalid: Supplier (Type)", path="purchaseentry/PurchaseEntries"),),
        document="purchase",
        solve=(repairs, retries),
    ),
    "relation_blocked": Walk(
        trouble=settings_after(adds_relation(Blocked=True)), solve=(adds_relation(Blocked=False), retries)
    ),
    # ── the entry ──
    "period_closed": Walk(trouble=(period(closed=True),), solve=(period(closed=False), retries), detail="700"),
    "financial_year_missing": Walk(
        trouble=(division(years=[2025]),), solve=(division(years=[2025, 2026]), retries), detail="2026"
    ),
    "payment_condition_missing": Walk(
        document="without due date",
        solve=(sets({"default_payment_condition": {"sale": "30"}}),),
        detail="default_payment_condition.sale",
    ),
    "due_date_missing": Walk(trouble=(says("Mandatory: Due date"),), solve=(repairs, retries)),
    "entry_number_taken": Walk(
        trouble=(says("In use: Entry number"),), solve=(repairs, sets({"entry_numbers": "vendor"}))
    ),
    "entry_in_books": Walk(trouble=(types_it_in(),), solve=(resolves("booked"),)),
    "entry_alike_in_books": Walk(
        trouble=(types_it_in(cents=100),),
        seen=among_warnings_of_delivery,
        ends=lambda case, seen: seen is not None and case.document["state"] == "booked",
    ),
    "books_not_searched": Walk(
        trouble=(denies(SALES_ENTRIES, "GET"),),
        seen=among_warnings_of_delivery,
        solve=(allows(SALES_ENTRIES, "GET"),),
        ends=booked_with_warning,
    ),
    "rights_missing": Walk(
        trouble=(denies(PURCHASE_ENTRIES, "POST"), imports_and_waits),
        document=None,
        seen=among_warnings_of_connection,
        solve=(allows(PURCHASE_ENTRIES, "POST"), imports),
        ends=over,
    ),
    "changed_after_booking": NotHere(
        "libs/connector-kit/tests/test_notices.py::"
        "test_an_entry_that_was_changed_after_it_was_booked_is_a_problem_until_a_person_agrees"
    ),
    "entry_already_exists": Walk(trouble=(somebody_else_books_it,), solve=(resolves("booked"),)),
    "vendor_refused": Walk(
        trouble=(says("Something that no table knows"),),
        solve=(repairs, retries),
        detail="Something that no table knows",
    ),
    "vendor_request_wrong": Walk(trouble=(says("Error processing request stream"),), solve=(repairs, retries)),
    # ── files ──
    "file_left_behind": Walk(
        document="letter inside", seen=among_warnings_of_delivery, ends=booked_with_warning, detail="plan.doc"
    ),
    "ubl_without_files": Walk(document="big file", seen=among_warnings_of_delivery, ends=booked_with_warning),
}
