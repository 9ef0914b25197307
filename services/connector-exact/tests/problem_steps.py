"""What goes wrong at the sandbox Exact Online in the walks over problems, and how it is put right again."""

import json
import time
from datetime import date
from decimal import Decimal
from typing import Any, Final

import koppel_ubl
from connector_exact.profile import PROFILE
from koppel_bookkeeping import from_ubl
from koppel_sandbox.exact.driver import SALES_ENTRIES, ExactDriver
from koppel_sandbox.exact.seed import CLIENT_SECRET
from koppel_sandbox.walks import (
    Case,
    Step,
    hands_in,
    imports,
    waits_for,
    waits_until_booked,
)

ISSUED_ON: Final = date(2026, 1, 15)
CUSTOMER: Final = "BE0000000295"
ANY: Final = ".*"
assert PROFILE.error_budget is not None
ERRORS_WITHIN_AN_HOUR: Final = PROFILE.error_budget.capacity


def vendor_of(case: Case) -> ExactDriver:
    assert isinstance(case.office.vendor, ExactDriver)
    return case.office.vendor


# ── what happens at Exact ──


def changes(table: str, where: dict[str, Any], **to: Any) -> Step:
    """Change a record, as an accountant does at Exact."""
    return lambda case: vendor_of(case).change(case.company, table, where, set=to)


def removes(table: str, where: dict[str, Any]) -> Step:
    return lambda case: vendor_of(case).change(case.company, table, where, delete=True)


def messages_end(as_status: int) -> Step:
    """Hand a document in, and have the message that it becomes end like this in Exact's mailbox."""

    def step(case: Case) -> None:
        hands_in()(case)
        case.until(lambda: case.document["state"] == "exported", "it is in the mailbox")
        vendor_of(case).control("process", division=int(case.company.remote_id), mail_status=as_status)

    return step


def is_exported(case: Case, seen: Any) -> bool:
    return seen is None and case.document["state"] == "exported"


def division(**to: Any) -> Step:
    return lambda case: vendor_of(case).control("division", division=int(case.company.remote_id), **to)


def spoils(kind: str, path: str = SALES_ENTRIES, **rule: Any) -> Step:
    return lambda case: vendor_of(case).spoil(case.company, kind, path, **rule)


def says(sentence: str, method: str = "POST", path: str = SALES_ENTRIES) -> Step:
    """Have Exact refuse with a sentence of its own."""
    body = json.dumps({"error": {"code": "", "message": {"lang": "", "value": sentence}}})
    return spoils("status", path, method=method, status=500, body=body)


def forbids(reason: str = "", sentence: str = "Forbidden") -> Step:
    """Have Exact refuse every call for want of a right."""
    body = json.dumps({"error": {"code": "", "message": {"lang": "", "value": sentence}}})
    return spoils("status", ANY, status=403, body=body, headers={"Reason": reason} if reason else {})


def repairs(case: Case) -> None:
    """End what is wrong at Exact, as whoever the text names does."""
    vendor_of(case).repair(case.company)


def denies(resource: str, method: str) -> Step:
    return lambda case: vendor_of(case).control(
        "user", user="an.peeters", deny=[[int(case.company.remote_id), resource, method]]
    )


def allows(resource: str, method: str) -> Step:
    return lambda case: vendor_of(case).control(
        "user", user="an.peeters", allow=[[int(case.company.remote_id), resource, method]]
    )


def adds_relation(**fields: Any) -> Step:
    """Have the customer of the sample documents stand in Exact."""

    def step(case: Case) -> None:
        division = int(case.company.remote_id)
        where = {"Name": "Brasserie Het Anker BV"}
        vendor_of(case).control(
            "record",
            division=division,
            table="Accounts",
            where=where,
            set={"VATNumber": CUSTOMER, "ChamberOfCommerce": "", **fields},
        )

    return step


def opens_unimported(case: Case) -> None:
    case.dossier_id = case.add_dossier()
    case.connection_id = case.add_connection(case.dossier_id)
    case.patch(case.company.settings)


def settings_after(step: Step) -> tuple[Step, ...]:
    """Change something at Exact and bring it in by an import."""
    return (step, imports_and_waits)


def imports_and_waits(case: Case) -> None:
    before = case.connection["health"]["imported_at"]
    imports(case)
    case.until(lambda: case.connection["health"]["imported_at"] != before, "another import")


def comes_to_rest(case: Case) -> None:
    """Wait until the import that the problem causes has had the document tried once more."""
    case.until(lambda: case.delivery["attempts"] > 1 and case.delivery["state"] == "blocked", "rest")


def exports_unseen(case: Case) -> None:
    """Send a document whose entry cannot be read back."""
    vendor_of(case).spoil(case.company, "html_503", SALES_ENTRIES, method="GET")
    hands_in()(case)
    waits_for("exported_not_booked")(case)


def loses_answers(case: Case) -> None:
    vendor_of(case).spoil(case.company, "reset_after_commit", SALES_ENTRIES, method="POST", times=1)
    vendor_of(case).spoil(case.company, "html_503", SALES_ENTRIES, method="GET")


def total(to: str) -> Step:
    return lambda case: vendor_of(case).change(case.company, "Entries", {"YourRef": case.number}, set={"AmountFC": to})


def period(*, closed: bool) -> Step:
    def step(case: Case) -> None:
        act = vendor_of(case).close_period if closed else vendor_of(case).open_period
        act(case.company, ISSUED_ON)

    return step


def somebody_else_books_it(case: Case) -> None:
    """Have another dossier book the same document in the same company, and lose the answer to ours."""
    other = Case(case.office, case.number, case.company)
    other.open()
    other.document_id = other.hand_in()
    waits_until_booked(other)
    spoils("reset_before", method="POST", times=1)(case)


def types_it_in(cents: int = 0) -> Step:
    """Have the accountant book the document by hand before it is handed in, its total so many cents higher."""

    def step(case: Case) -> None:
        invoice = koppel_ubl.read(case.office.documents("sale", case.number))
        total = from_ubl.total_of(invoice)
        assert total is not None and invoice.buyer is not None
        vendor_of(case).control(
            "type_in",
            division=int(case.company.remote_id),
            sells=True,
            number=case.number,
            issued_on=str(invoice.issue_date),
            total=str(total + Decimal(cents) / 100),
            name=str(invoice.buyer.name),
            vat_number=CUSTOMER,
        )

    return step


def refuses_many(case: Case) -> None:
    """Have Exact refuse more bookings within an hour than it is wise to try."""
    says("Something that no table knows")(case)
    refused = [case.hand_in("sale", f"{case.number}-{count}") for count in range(ERRORS_WITHIN_AN_HOUR)]
    for each in refused:
        case.document_id = each
        waits_for("vendor_refused")(case)
    # Of documents handed in at once, nothing says which goes last.
    hands_in(number="{}-last")(case)


def hour_passes(case: Case) -> None:
    case.office.operate(f"""
        SET search_path TO connector_exact;
        UPDATE error_budget SET open_until = now(), window_ends_at = now() WHERE scope = '{case.company.remote_id}';
        UPDATE delivery SET due_at = now() WHERE connection_id = '{case.connection_id}' AND due_at > now()
    """)


def day_is_used_up(case: Case) -> None:
    reset = str(int((time.time() + 900) * 1000))
    headers = {"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    spoils("throttle", times=1, headers=headers)(case)


def day_passes(case: Case) -> None:
    case.office.operate(f"""
        SET search_path TO connector_exact;
        UPDATE rate_window SET used = 0, ends_at = now() WHERE scope LIKE '%{case.company.remote_id}%';
        UPDATE connection SET not_before = now() WHERE id = '{case.connection_id}';
        UPDATE delivery SET due_at = now() WHERE connection_id = '{case.connection_id}' AND due_at > now()
    """)


def day_is_nearly_used_up(case: Case) -> None:
    before = calls_of(case)
    checks(case)
    now = calls_of(case)
    vendor_of(case).control("switches", day_limit=now + (now - before) + 1)


def calls_of(case: Case) -> int:
    return len(vendor_of(case).http.get("_control/requests", params={"division": case.company.remote_id}).json())


def limit_is_lifted(case: Case) -> None:
    vendor_of(case).lift_limits()


def checks(case: Case) -> None:
    case.request("POST", f"{case.connections}/{case.connection_id}/check")


def answers_nonsense(case: Case) -> None:
    """Have Exact answer relations without an id."""
    body = '{"d": {"results": [{"Code": "1"}]}}'
    spoils("status", "crm/Accounts", method="GET", status=200, body=body)(case)


def grant_ages(case: Case) -> None:
    """Have the grant be due for a refresh."""
    case.office.operate(f"""
        UPDATE connector_exact.oauth_token SET obtained_at = obtained_at - interval '590 seconds'
        WHERE connection_id = '{case.connection_id}'
    """)


def grant_is_damaged(case: Case) -> None:
    case.office.operate(f"""
        UPDATE connector_exact.oauth_token SET ciphertext = 'x' WHERE connection_id = '{case.connection_id}'
    """)
    spoils("status", ANY, times=1, status=401, body="{}")(case)


def consent_is_withdrawn(case: Case) -> None:
    grant_ages(case)
    vendor_of(case).control("grants", withdraw=True)


def registration_is_withdrawn(case: Case) -> None:
    """Have Exact refuse our client secret."""
    grant_ages(case)
    vendor_of(case).control("app", client_secret="another")
    spoils("status", times=1, status=401, body="{}")(case)


def registration_is_right_again(case: Case) -> None:
    vendor_of(case).control("app", client_secret=CLIENT_SECRET)
    vendor_of(case).control("clock", advance_s=600)
