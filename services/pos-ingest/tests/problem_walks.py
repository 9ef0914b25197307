"""What keeps a closed period from its dossier: walked where dossier-api can be made to refuse it."""

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
}
