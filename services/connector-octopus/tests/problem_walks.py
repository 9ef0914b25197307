"""Walks over the problems of Octopus (``koppel_sandbox.walks``): its own, and those of the kit that it says in its own words."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from koppel_sandbox.octopus import seed
from koppel_sandbox.octopus.driver import OctopusDriver
from koppel_sandbox.walks import Case, NotHere, Step, Walk, over, retries, sets, sets_as_needed

HERE: Final = "services/connector-octopus/tests"
BOOKINGS: Final = "buysellbookings$"
OTHER_USER: Final = "U054321"
ISSUED_ON: Final = date(2026, 1, 15)


def vendor_of(case: Case) -> OctopusDriver:
    assert isinstance(case.office.vendor, OctopusDriver)
    return case.office.vendor


def controls(action: str, **body: Any) -> Step:
    """Do something in the dossier, as an accountant or Octopus does."""
    return lambda case: vendor_of(case).control(action, dossier=int(case.company.remote_id), **body)


def says(code: int, path: str = BOOKINGS, method: str = "POST") -> Step:
    """Have Octopus refuse with a code of its own."""
    body = json.dumps({"errorCode": code, "errorMessage": "Tekst van Octopus", "technicalInfo": ""})
    return answers(path, method, status=500, body=body)


def answers(path: str, method: str, **rule: Any) -> Step:
    return lambda case: vendor_of(case).spoil(case.company, "status", path, method=method, **rule)


def repairs(case: Case) -> None:
    vendor_of(case).repair(case.company)


def period(*, closed: bool) -> Step:
    def step(case: Case) -> None:
        act = vendor_of(case).close_period if closed else vendor_of(case).open_period
        act(case.company, ISSUED_ON)

    return step


def right(**change: bool) -> Step:
    """``deny`` or ``allow`` the user to book."""

    def step(case: Case) -> None:
        act = vendor_of(case).deny_booking if change.get("deny") else vendor_of(case).allow_booking
        act(case.company)

    return step


def other_user_reaches_it(case: Case) -> None:
    """Let another user in, so that what happens to that one meets nobody else."""
    vendor_of(case).control("user", user=OTHER_USER, module=True, dossiers=[int(case.company.remote_id)])


def is_disabled(disabled: bool) -> Step:
    def step(case: Case) -> None:
        controls("dossier", disabled=disabled)(case)
        controls("tokens")(case)

    return step


def software_house(*, enabled: bool) -> Step:
    def step(case: Case) -> None:
        vendor_of(case).control("software_house", uuid=seed.SOFTWARE_HOUSE, enabled=enabled)
        vendor_of(case).control("tokens", logins=True)

    return step


def clerk_reaches_nothing(case: Case) -> None:
    vendor_of(case).control("user", user=seed.CLERK, dossiers=[])


def clerk_reaches_it(case: Case) -> None:
    vendor_of(case).control("user", user=seed.CLERK, dossiers=[int(case.company.remote_id)])


def in_check(case: Case, code: str) -> Any:
    """Return the problem of a step of the health check."""
    steps = case.request("POST", f"{case.connections}/{case.connection_id}/check")["steps"]
    return next((step["problem"] for step in steps if step["problem"] and step["problem"]["code"] == code), None)


def in_the_viewer(case: Case, seen: Any) -> bool:
    """The files are in the viewer, and nothing is open."""
    return seen is None and bool(case.delivery["state"] == "exported")


WALKS: Final[Mapping[str, Walk | NotHere]] = {
    # ── being let in ──
    "wrong_password": Walk(
        trouble=(other_user_reaches_it, sets({"user": OTHER_USER, "password": "wrong"})),
        solve=(sets({"password": seed.PASSWORD}),),
        detail="(-1)",
    ),
    "software_house_unknown": Walk(
        trouble=(software_house(enabled=False),), solve=(software_house(enabled=True), retries), alone=True
    ),
    "missing_right": Walk(trouble=(right(deny=True),), solve=(right(deny=False), retries), detail="(-3)"),
    "dossier_not_listed": Walk(
        trouble=(clerk_reaches_nothing, sets({"user": seed.CLERK, "password": seed.PASSWORD})),
        document=None,
        seen=in_check,
        solve=(clerk_reaches_it,),
        ends=over,
    ),
    "dossier_disabled": Walk(trouble=(is_disabled(True),), solve=(is_disabled(False), retries)),
    # ── bookyear, period, journal ──
    "financial_year_missing": Walk(
        trouble=(controls("bookyear", bookyear=3, delete=True),),
        solve=(controls("bookyear", bookyear=3, year=2026), retries),
        detail="2026",
    ),
    "bookyear_not_imported": NotHere(
        f"{HERE}/test_octopus.py::test_a_bookyear_opened_since_the_import_is_imported_again_first"
    ),
    "period_closed": Walk(trouble=(period(closed=True),), solve=(period(closed=False), retries), detail="202601"),
    "journal_held": Walk(
        trouble=(controls("journal", journal="V1", held_by="An Peeters"),),
        solve=(controls("journal", journal="V1", held_by=""), retries),
    ),
    "journal_for_invoices": Walk(
        trouble=(sets({"journals": {"sale": "V9"}}),), solve=(sets_as_needed("journals"),), detail="V9"
    ),
    # ── currency, relation, amounts ──
    "currency_needs_permission": Walk(
        document="dollars", solve=(sets({"allow_foreign_currency": True}),), detail="USD"
    ),
    "currency_unknown": Walk(trouble=(says(-19),), solve=(repairs, retries)),
    "exchange_rate_refused": Walk(trouble=(says(-20),), solve=(repairs, sets({"exchange_rates": {"USD": "0.9"}}))),
    "relation_refused": Walk(trouble=(says(-7, "relations$", "PUT"),), solve=(repairs, retries)),
    "relation_not_shown": Walk(
        trouble=(answers("relations$", "PUT", status=200, body="{}"),), solve=(repairs, retries)
    ),
    "vat_sign_differs": Walk(trouble=(says(-23),), solve=(repairs, retries)),
    # ── the other ways ──
    "import_viewer_refused": Walk(
        trouble=(controls("dossier", dms=False), sets({"destination": {"sale": "import_viewer"}})),
        solve=(controls("dossier", dms=True), retries),
        ends=in_the_viewer,
    ),
    "import_mailbox_refused": NotHere(
        f"{HERE}/test_import_mailbox.py::test_a_mailbox_that_is_refused_is_the_accountants_to_correct"
    ),
    **dict.fromkeys(
        ("mail_bounced", "mailbox_bounces"),
        NotHere(
            f"{HERE}/test_import_mailbox.py::test_what_bounces_fails_its_delivery_and_twice_degrades_the_connection"
        ),
    ),
    "mail_bounced_unnamed": NotHere(
        "services/billmail/tests/test_bounces.py::test_a_bounce_that_names_no_document_is_a_problem_of_the_connection"
    ),
    "coda_switched_off": NotHere(f"{HERE}/test_settings.py::test_where_a_kind_goes_the_settings_say"),
    "statement_account_unknown": NotHere(
        f"{HERE}/test_statements.py::test_an_account_without_a_journal_is_named_and_may_be_given_one"
    ),
    "statement_gap": NotHere(f"{HERE}/test_statements.py::test_a_gap_names_both_balances_and_the_missing_statements"),
    "statement_refused": NotHere(f"{HERE}/test_statements.py::test_the_bank_module_must_be_active"),
}
