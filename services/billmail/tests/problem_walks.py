"""Walks over the problems of mail targets (``koppel_sandbox.walks``), done by ``tests/test_solvable_problems.py``.

Nobody can look into a mailbox: a walk ends when the mail was handed over.
"""

from typing import Any, Final

import httpx2

from koppel_sandbox.driver import Company
from koppel_sandbox.walks import (
    Case,
    NotHere,
    Step,
    Walk,
    among_warnings_of_delivery,
    answers,
    hands_in,
    on_connection,
    over,
    retries,
    sets,
    sets_as_needed,
)

TESTS: Final = "services/billmail/tests"


class Mailboxes:
    """The sandbox ``mail``, with an address for each walk."""

    connector = "billmail"
    sandbox = "mail"
    login: Final[dict[str, Any]] = {}

    def __init__(self, url: str) -> None:
        self.http = httpx2.Client(base_url=url, timeout=30, trust_env=False)
        self._count = 0

    def open_company(self, enterprise_number: str) -> Company:
        """Give an address that nobody else has."""
        self._count += 1
        address = f"walk{self._count}.{enterprise_number}@office.example"
        settings = {"profile": "generic", "addresses": {"sale": address, "purchase": address}}
        return Company(address, settings, "", "")

    def control(self, action: str, **body: Any) -> None:
        """Do one action of the sandbox."""
        answer = self.http.post(f"_control/{action}", json=body)
        assert answer.status_code == 200, answer.text

    def lift_limits(self) -> None:
        """A mailbox has none."""

    def close(self) -> None:
        """Close the connections to the sandbox."""
        self.http.close()


VENDOR = Mailboxes


def answered_with(kind: str, reply: str, times: int = -1) -> Step:
    """Have the mail server answer so to what goes to the address of this walk."""

    def step(case: Case) -> None:
        mailboxes: Any = case.office.vendor
        mailboxes.control("rules", kind=kind, recipient=case.company.remote_id, reply=reply, times=times)

    return step


def takes_it_again(case: Case) -> None:
    """Have the receiver let us in: an address of one walk meets one rule only."""
    mailboxes: Any = case.office.vendor
    mailboxes.control("rules", clear=True)


def takes_a_protected_pdf(content: bytes) -> Step:
    """Hand in a PDF and enter what it says."""

    def step(case: Case) -> None:
        entered = {
            "kind": "sales_invoice",
            "number": case.number,
            "issue_date": "2026-01-15",
            "total": {"amount": "121.00", "currency": "EUR"},
            "counterparty": {"name": "Exemple Conseil SRL", "vat_number": "BE0000000295"},
            "vat": [{"category": "S", "rate": "21", "base": "100.00", "tax": "21.00"}],
        }
        case.document_id = case.hand_in_content(content + case.number.encode(), "application/pdf")
        case.request("PATCH", f"/dossier-api/v1/documents/{case.document_id}", entered)

    return step


def sent(case: Case, seen: Any) -> bool:
    """The mail was handed over, and nothing stands open."""
    return case.delivery is not None and case.delivery["state"] == "exported" and case.problem is None


def sent_with_warning(case: Case, seen: Any) -> bool:
    return seen is not None and sent(case, seen)


def waits_until_sent(case: Case) -> None:
    """Wait until the mail was handed over."""
    case.until(lambda: case.delivery and case.delivery["state"] == "exported", "the mail is handed over")


def bounces(case: Case) -> None:
    """Have the last mail to the address of this walk come back, and the mail server post it as a notice, in place of IMAP."""
    mailboxes: Any = case.office.vendor
    mails = mailboxes.http.get("_control/mails").json()
    uid = [mail["uid"] for mail in mails if case.company.remote_id in mail["recipients"]][-1]
    returned = mailboxes.http.post("_control/give-back", json={"uid": uid, "seen": True}).json()["result"]
    content = mailboxes.http.get(f"mails/{returned}/raw").content
    answer = case.office.partner.post(f"/billmail/v1/notices/{case.connection_id}", content=content)
    assert answer.status_code == 202, answer.text


CLEARFACTS: Final[dict[str, Any]] = {
    "profile": "clearfacts",
    "addresses": {"sale": "0000000196@kantoor.clearfacts.be", "purchase": None},
    "attachments": "pdf",
}

WALKS: Final[dict[str, Walk | NotHere]] = {
    "address_missing": Walk(
        trouble=(sets({"addresses": {"sale": None}}),), solve=(sets_as_needed("addresses"),), ends=sent
    ),
    "sender_not_allowed": Walk(trouble=(sets({"from": "ceo@bank.example"}),), solve=(sets({"from": None}),), ends=sent),
    "pdf_missing": NotHere(f"{TESTS}/test_mails.py::test_a_document_without_any_file_says_so"),
    "pdf_protected": Walk(
        trouble=(sets(CLEARFACTS), takes_a_protected_pdf(b"%PDF-1.4\ntrailer<</Encrypt 5 0 R>>")),
        document=None,
        solve=(takes_a_protected_pdf(b"%PDF-1.4\n"), answers("probable_duplicate", "release")),
        ends=sent,
    ),
    "file_type_not_taken": NotHere(f"{TESTS}/test_file_types.py::test_another_format_is_taken"),
    "coda_unreadable": NotHere(f"{TESTS}/test_mails.py::test_a_statement_that_cannot_be_read_has_no_pdf"),
    "ubl_unreadable": NotHere(f"{TESTS}/test_mails.py::test_what_cannot_be_mailed_says_why_and_who_can_help"),
    "mail_too_large": Walk(document="big file", solve=(hands_in(number="{}-smaller"),), ends=sent),
    "signs_in_file_reversed": Walk(
        trouble=(hands_in("negative credit"), answers("negative_credit_note", "credit")),
        document=None,
        seen=among_warnings_of_delivery,
        ends=sent_with_warning,
    ),
    "address_refused": Walk(
        trouble=(answered_with("refuse", "550 5.1.1 no such mailbox"),),
        solve=(sets({"addresses": {"sale": "other@office.example"}}),),
        ends=sent,
    ),
    "mail_refused": Walk(
        trouble=(answered_with("refuse_content", "554 5.7.1 not from here"),),
        solve=(takes_it_again, retries),
        ends=sent,
        alone=True,
    ),
    "mail_deferred": Walk(trouble=(answered_with("refuse", "450 4.2.0 greylisted", times=1),), ends=sent),
    "mailbox_full": Walk(trouble=(answered_with("refuse", "552 5.2.2 mailbox full", times=1),), ends=sent),
    "mail_bounced": Walk(trouble=(hands_in(), waits_until_sent, bounces), document=None, solve=(retries,), ends=sent),
    "mailbox_bounces": Walk(
        trouble=(hands_in(), waits_until_sent, bounces, hands_in(number="{}-b"), waits_until_sent, bounces),
        document=None,
        seen=on_connection,
        solve=(sets({"addresses": {"sale": "right@office.example"}}),),
        ends=over,
    ),
    "mail_bounced_unnamed": NotHere(
        f"{TESTS}/test_bounces.py::test_a_bounce_that_names_no_document_is_a_problem_of_the_connection"
    ),
    "period_mail_without": NotHere(
        f"{TESTS}/test_period_mails.py::test_a_period_is_split_under_the_cap_and_what_no_mail_holds_is_named"
    ),
    "mail_login_refused": NotHere(
        f"{TESTS}/test_mails.py::test_a_wrong_login_is_the_operators_and_everything_goes_on_once_it_is_right"
    ),
}
