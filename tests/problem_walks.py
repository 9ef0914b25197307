"""Walks over the problems of the kit that need no vendor of their own, and over the questions of dossier-api."""

import shutil
from typing import Any, Final

from koppel_sandbox.walks import (
    Case,
    NotHere,
    Step,
    Walk,
    abandoned,
    among_warnings_of_connection,
    answers,
    as_question,
    booked_with_warning,
    connects,
    dropped,
    exports_again,
    hands_in,
    on_connection,
    on_delivery,
    over,
    resolves,
    sets,
    sets_as_needed,
    waits_for,
    waits_until_booked,
)

KIT_TESTS: Final = "libs/connector-kit/tests"
OTHER_NUMBER: Final = "0000000295"


# ── the connection ──


def opens(settings: dict[str, Any] | None = None, *, consents: bool = True) -> Step:
    """Make a connection with these settings only."""

    def step(case: Case) -> None:
        case.dossier_id = case.add_dossier()
        case.connection_id = case.add_connection(case.dossier_id, consents=consents)
        if settings is not None:
            case.patch(settings)

    return step


def sets_up(case: Case) -> None:
    """Give every setting that the connection needs."""
    case.patch(case.company.settings)


def removes_connection(case: Case) -> None:
    case.request("DELETE", f"{case.connections}/{case.connection_id}", expect=204)


def connects_anew(case: Case) -> None:
    """Make another connection of the dossier to its company."""
    case.connection_id = case.add_connection(case.dossier_id)
    case.configure(case.company.settings)


def with_the_database(statement: str) -> Step:
    """Do in the connector's database what damage or an operator does; ``:id`` is the connection, ``:document`` the document."""

    def step(case: Case) -> None:
        schema = case.office.vendor.connector.replace("-", "_")
        text = f"SET search_path TO {schema}; {statement}".replace(":id", f"'{case.connection_id}'")
        case.office.operate(text.replace(":document", f"'{case.document_id}'"))

    return step


key_goes = with_the_database(
    "UPDATE oauth_token SET key_id = 'gone-' || key_id WHERE connection_id = :id;"
    "UPDATE connection SET key_id = 'gone-' || key_id WHERE id = :id"
)
key_comes_back = with_the_database(
    "UPDATE oauth_token SET key_id = replace(key_id, 'gone-', '') WHERE connection_id = :id;"
    "UPDATE connection SET key_id = replace(key_id, 'gone-', '') WHERE id = :id"
)


# ── the company ──


def opens_for_another_company(case: Case) -> None:
    case.kept["right company"] = case.company
    case.company = case.office.vendor.open_company(OTHER_NUMBER)
    case.open()


def chooses_the_right_company(case: Case) -> None:
    case.company = case.kept["right company"]
    case.patch(case.company.settings)


def opens_for_a_company_without_number(case: Case) -> None:
    case.company = case.office.vendor.open_company("")
    case.open()


def second_dossier_shares_the_books(case: Case) -> None:
    other = Case(case.office, f"{case.number}-2", case.company)
    other.open()
    case.kept["other"] = other


def other_dossier_goes_elsewhere(case: Case) -> None:
    other: Case = case.kept["other"]
    other.patch(case.office.vendor.open_company(OTHER_NUMBER).settings)


# ── the document ──


def revises(case: Case) -> None:
    """Change a document that is booked: it goes as a new revision."""
    changes = {"ledger_account": case.company.ledger_account}
    case.request("PATCH", f"/dossier-api/v1/documents/{case.document_id}", changes)


def files_go_away(case: Case) -> None:
    folder = case.office.blob_folder
    folder.rename(folder.with_name("away"))


def files_come_back(case: Case) -> None:
    folder = case.office.blob_folder
    away = folder.with_name("away")
    shutil.copytree(away, folder, dirs_exist_ok=True)  # what was filed meanwhile stays
    shutil.rmtree(away)


pause_ends = with_the_database("UPDATE delivery SET due_at = now() WHERE connection_id = :id AND due_at > now()")


def document_is_deleted(case: Case) -> None:
    case.office.operate(f"DELETE FROM dossier_api.document WHERE id = '{case.document_id}'")


def hands_in_with(*swaps: tuple[str, str], kind: str = "sale", number: str = "{}") -> Step:
    """Hand in a document with some of its text changed."""

    def step(case: Case) -> None:
        content = case.office.documents(kind, number.format(case.number)).decode()
        for old, new in swaps:
            assert old in content, old
            content = content.replace(old, new)
        case.document_id = case.hand_in_content(content.encode())

    return step


def takes_a_bare_pdf(**entered: Any) -> Step:
    """Hand in a PDF and enter what it says."""

    def step(case: Case) -> None:
        case.document_id = case.hand_in_content(b"%PDF-1.4\n%" + case.number.encode(), "application/pdf")
        case.request("PATCH", f"/dossier-api/v1/documents/{case.document_id}", entered | {"number": case.number})

    return step


ENTERED: Final[dict[str, Any]] = {
    "kind": "sales_invoice",
    "issue_date": "2026-01-15",
    "due_date": "2026-02-14",
    "total": {"amount": "121.00", "currency": "EUR"},
    "counterparty": {"name": "Exemple Conseil SRL", "vat_number": "BE0000000295"},
}
VAT: Final = [{"category": "S", "rate": "21", "base": "100.00", "tax": "21.00"}]


def enters(**changes: Any) -> Step:
    """Enter more of what the document says."""
    return lambda case: case.request("PATCH", f"/dossier-api/v1/documents/{case.document_id}", changes)


def hands_in_a_copy(case: Case) -> None:
    """Hand in a document and, by another channel, the same one; the walk is about the copy."""
    case.hand_in()
    copy = case.office.documents("sale", case.number).replace(b"\n", b"\r\n")
    case.document_id = case.hand_in_content(copy)


GENERIC_WALKS: Final[dict[str, Walk | NotHere]] = {
    "not_connected": Walk(trouble=(opens({}, consents=False), sets_up), opened=False, solve=(connects,)),
    "settings_missing": Walk(trouble=(opens(),), opened=False, solve=(sets_up,)),
    "kind_not_taken": Walk(
        trouble=(takes_a_bare_pdf(kind="miscellaneous"),), document=None, solve=(resolves("abandon"),), ends=abandoned
    ),
    "connection_removed": Walk(
        trouble=(opens({}, consents=False), hands_in(), waits_for("not_connected"), removes_connection),
        document=None,
        opened=False,
        solve=(connects_anew, exports_again),
    ),
    "secret_key_missing": Walk(trouble=(key_goes,), solve=(key_comes_back,)),
    "document_unavailable": Walk(
        trouble=(opens({}, consents=False), sets_up, hands_in(), files_go_away, connects),
        document=None,
        opened=False,
        solve=(files_come_back, pause_ends),
        alone=True,
    ),
    "document_gone": Walk(
        trouble=(opens({}, consents=False), sets_up, hands_in(), document_is_deleted, connects),
        document=None,
        seen=on_delivery,
        opened=False,
        solve=(hands_in(number="{}-again"),),
    ),
    **{
        code: NotHere(f"{KIT_TESTS}/test_solvable_problems.py::test_{code}")
        for code in ("found_twice", "vanished_at_vendor", "rejected_by_vendor", "forbidden_by_vendor")
    },
    "secrets_damaged": NotHere(f"{KIT_TESTS}/test_missing_keys.py::test_damaged_secrets_ask_once_to_be_entered_again"),
    "already_booked_other_revision": Walk(
        trouble=(hands_in(), waits_until_booked, revises), document=None, solve=(resolves("abandon"),), ends=abandoned
    ),
    "already_booked_other_connection": Walk(
        trouble=(hands_in(), waits_until_booked, connects_anew, exports_again),
        document=None,
        solve=(resolves("abandon"),),
        ends=abandoned,
    ),
}

COMPANY_WALKS: Final[dict[str, Walk | NotHere]] = {
    "other_company": Walk(
        trouble=(opens_for_another_company,), opened=False, seen=on_connection, solve=(chooses_the_right_company,)
    ),
    "company_not_compared": Walk(
        trouble=(opens_for_a_company_without_number,),
        opened=False,
        seen=among_warnings_of_connection,
        ends=booked_with_warning,
    ),
    "books_shared": Walk(
        trouble=(second_dossier_shares_the_books,),
        document=None,
        seen=among_warnings_of_connection,
        solve=(other_dossier_goes_elsewhere,),
        ends=over,
    ),
}

BOOKING_WALKS: Final[dict[str, Walk | NotHere]] = {
    "journal_missing": Walk(
        trouble=(sets({"journals": {"sale": None}}),), solve=(sets_as_needed("journals"),), detail="sales_invoice"
    ),
    "journal_unknown": Walk(
        trouble=(sets({"journals": {"sale": "999"}}),), solve=(sets_as_needed("journals"),), detail="999"
    ),
    "journal_wrong_type": Walk(
        trouble=(lambda case: case.patch({"journals": {"sale": case.company.settings["journals"]["purchase"]}}),),
        solve=(sets_as_needed("journals"),),
    ),
    "ledger_account_missing": Walk(
        trouble=(sets({"default_ledger_account": {"sale": None}}),), solve=(sets_as_needed("default_ledger_account"),)
    ),
    "ledger_account_unknown": Walk(
        trouble=(sets({"default_ledger_account": {"sale": "999999"}}),),
        solve=(sets_as_needed("default_ledger_account"),),
        detail="999999",
    ),
    "unknown_vat_code": Walk(
        trouble=(sets({"vat_codes": {"sale": {"S:21": "no"}}}),),
        solve=(sets({"vat_codes": {"sale": {"S:21": None}}}),),
        detail="no",
    ),
    "document_totals_wrong": Walk(
        trouble=(hands_in_with((">86.27<", ">80.00<"), (">79.07<", ">72.80<")),),
        document=None,
        solve=(hands_in(), answers("probable_duplicate", "release")),
    ),
    "document_currency_unclear": Walk(
        trouble=(hands_in_with(('currencyID="EUR"', 'currencyID="USD"')),),
        document=None,
        solve=(hands_in(), answers("probable_duplicate", "release")),
        detail="document EUR, amounts USD",
    ),
    "document_unreadable": Walk(trouble=(takes_a_bare_pdf(**ENTERED),), document=None, solve=(enters(vat=VAT),)),
    "relation_missing": Walk(
        trouble=(hands_in_with(("<cbc:RegistrationName>Exemple Conseil SRL</cbc:RegistrationName>", "")),),
        document=None,
        solve=(hands_in(), answers("probable_duplicate", "release")),
    ),
    "kind_not_supported": NotHere("libs/bookkeeping/tests/test_from_ubl.py::test_a_kind_that_is_no_invoice_is_refused"),
    "exchange_rate_missing": NotHere(
        "libs/bookkeeping/tests/test_exchange_rates.py::"
        "test_without_any_rate_the_vendors_own_holds_or_a_person_is_asked_for_the_setting"
    ),
}

QUESTION_WALKS: Final[dict[str, Walk | NotHere]] = {
    "probable_duplicate": Walk(
        trouble=(hands_in_a_copy,),
        document=None,
        seen=as_question,
        solve=(answers("probable_duplicate", "drop"),),
        ends=dropped,
    ),
    "negative_credit_note": Walk(
        document="negative credit", seen=as_question, solve=(answers("negative_credit_note", "credit"),)
    ),
}

WALKS: Final[dict[str, Walk | NotHere]] = GENERIC_WALKS | COMPANY_WALKS | BOOKING_WALKS | QUESTION_WALKS
