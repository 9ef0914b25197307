"""What keeps receipts from their book, or a closed period from its dossier: walked in the tests named here."""

from typing import Final

from koppel_sandbox.walks import NotHere, Walk

_TESTS: Final = "services/pos-ingest/tests/test_closing.py"
WALKS: Final[dict[str, Walk | NotHere]] = {
    "receipts_refused": NotHere(f"{_TESTS}::test_a_refusal_is_a_problem_until_it_is_handed_in_after_all"),
    "cash_statement_refused": NotHere(f"{_TESTS}::test_a_statement_that_is_refused_is_a_problem_of_its_own"),
    "customer_ambiguous": NotHere(
        "services/pos-ingest/tests/test_customers.py::test_a_closed_period_waits_until_its_customer_is_clear"
    ),
    "sales_invoice_refused": NotHere(
        "services/pos-ingest/tests/test_external_invoices.py::test_what_the_dossier_refuses_is_a_problem_and_can_be_tried_again"
    ),
    "z_totals_differ": NotHere(
        "services/pos-ingest/tests/test_z_totals.py::test_a_difference_has_both_figures_and_ends_with_the_missing_tickets"
    ),
    "tickets_not_entered": NotHere(
        "services/pos-ingest/tests/test_days_of_tickets.py::test_what_the_book_refuses_is_a_problem_until_it_is_changed"
    ),
    "ticket_invoice_refused": NotHere(
        "services/pos-ingest/tests/test_ticket_invoices.py::test_a_refused_invoice_is_made_of_the_corrected_ticket"
    ),
}
