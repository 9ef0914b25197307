"""Point 42: the digital mailbox and ScanService, which need their licence, and in which messages walk on."""

import base64
from typing import Any

import pytest

from koppel_sandbox.exact.mailbox import ERROR, IN_PROCESS, PROCESSED, REJECTED
from koppel_sandbox.exact.seed import BAKERY, BANK_ACCOUNT

from .conftest import Login, message

UBL = b"""<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
  xmlns:a="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
  xmlns:b="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
  <b:ID>INV-88123</b:ID><b:IssueDate>2026-01-12</b:IssueDate>
  <a:AccountingSupplierParty><a:Party>
    <a:PartyTaxScheme><b:CompanyID>BE0831797467</b:CompanyID></a:PartyTaxScheme>
    <a:PartyLegalEntity><b:RegistrationName>Maalderij De Molen NV</b:RegistrationName></a:PartyLegalEntity>
  </a:Party></a:AccountingSupplierParty>
  <a:LegalMonetaryTotal><b:TaxInclusiveAmount currencyID="EUR">96.80</b:TaxInclusiveAmount></a:LegalMonetaryTotal>
</Invoice>"""


def box(exact: Login, function: str = "PreferredMailbox", operation: int | None = None) -> Any:
    params = {} if operation is None else {"operation": str(operation)}
    answer = exact.call("GET", f"read/mailbox/{function}", params=params)
    assert answer.status_code == 200, answer.text
    return next(iter(answer.json()["d"]), None)


def send(exact: Login, recipient: Any = None, **changes: Any) -> Any:
    own = box(exact)
    body = {"SenderMailboxID": own["ID"], "RecipientMailboxID": (recipient or own)["ID"], "Subject": "x", "Type": 1000}
    return exact.post("mailbox/MailMessagesSent", body | changes)


def attach(exact: Login, sent: Any, kind: int = 130, content: bytes = UBL) -> Any:
    encoded = base64.b64encode(content).decode()
    body = {"MailMessageID": sent["ID"], "AttachmentFileName": "INV-88123.xml", "Type": kind, "Attachment": encoded}
    return exact.post("mailbox/MailMessageAttachments", body)


def status(exact: Login, sent: Any) -> int:
    (row,) = exact.rows("mailbox/MailMessagesSent", filter=f"ID eq guid'{sent['ID']}'", select="ID,RecipientStatus")
    return int(row["RecipientStatus"])


def test_without_its_licence_every_question_is_forbidden(exact: Login) -> None:
    exact.server.control("division", division=BAKERY, licence=["financial", "crm", "documents"])
    for resource in ("mailbox/Mailboxes", "read/mailbox/PreferredMailbox", "read/mailbox/PreferredMailboxForOperation"):
        assert exact.call("GET", resource).status_code == 403


def test_without_the_right_to_read_there_is_no_mailbox_to_see(exact: Login) -> None:
    exact.server.control("user", user="an.peeters", deny=[[BAKERY, "mailbox/Mailboxes", "GET"]])
    assert box(exact) is None


def test_the_mailbox_of_an_operation_is_that_of_scan_service_where_there_is_one(exact: Login) -> None:
    assert box(exact, "PreferredMailboxForOperation", 2)["IsScanServiceMailbox"] is True
    assert box(exact)["IsScanServiceMailbox"] is False
    exact.server.control("record", division=BAKERY, table="Mailboxes", where={"Description": "scan"}, delete=True)
    assert box(exact, "PreferredMailboxForOperation", 2)["IsScanServiceMailbox"] is False


def test_only_the_functions_say_which_mailbox_scans(exact: Login) -> None:
    assert "IsScanServiceMailbox" not in exact.rows("mailbox/Mailboxes")[0]


def test_a_message_to_scan_service_says_what_to_do(exact: Login) -> None:
    scanning = box(exact, "PreferredMailboxForOperation", 2)
    assert "Operation" in message(send(exact, scanning))
    assert send(exact, scanning, Operation=2).json()["d"]["RecipientStatus"] == 43


def test_only_the_recipient_changes_the_status(exact: Login) -> None:
    assert send(exact, RecipientStatus=PROCESSED).json()["d"]["RecipientStatus"] == 20


def test_a_processed_message_gives_a_document_with_the_entry_of_its_file(exact: Login) -> None:
    sent = send(exact).json()["d"]
    assert attach(exact, sent).status_code == 201
    exact.server.control("process", division=BAKERY, mail_status=IN_PROCESS)
    assert (status(exact, sent), exact.rows("documents/Documents")) == (IN_PROCESS, [])
    exact.server.control("process", division=BAKERY)
    assert status(exact, sent) == PROCESSED
    (document,) = exact.rows("documents/Documents", filter="Subject eq 'x'")
    entry_id = document["FinancialTransactionEntryID"]
    head, *_ = exact.rows("financialtransaction/TransactionLines", filter=f"EntryID eq guid'{entry_id}'")
    assert (head["YourRef"], head["AmountFC"], head["Document"]) == ("INV-88123", 96.8, document["ID"])
    exact.server.control("process", division=BAKERY)
    assert len(exact.rows("documents/Documents")) == 1, "what is processed is not processed again"


def test_a_message_without_a_file_to_book_gives_a_document_alone(exact: Login) -> None:
    send(exact)
    exact.server.control("process", division=BAKERY)
    (document,) = exact.rows("documents/Documents")
    assert document["FinancialTransactionEntryID"] is None


def test_a_rejected_message_takes_no_file_and_gives_no_document(exact: Login) -> None:
    sent = send(exact).json()["d"]
    exact.server.control("process", division=BAKERY, mail_status=REJECTED)
    assert attach(exact, sent).status_code == 500
    assert exact.rows("documents/Documents") == []


@pytest.mark.parametrize(("account", "expected"), [(BANK_ACCOUNT, PROCESSED), ("BE71096123456769", ERROR)])
def test_a_bank_file_is_imported_where_the_account_is_linked(exact: Login, account: str, expected: int) -> None:
    sent = send(exact, Type=2000, BankAccount=account).json()["d"]
    assert attach(exact, sent, kind=70, content=b"00000").status_code == 201
    exact.server.control("process", division=BAKERY)
    assert status(exact, sent) == expected
    assert len(exact.rows("cashflow/ImportNotifications")) == (expected == PROCESSED)
