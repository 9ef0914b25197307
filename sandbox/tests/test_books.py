"""Points 30 to 41 and 48: journals, periods, VAT, numbers, credit notes, documents and bank."""

import base64
from typing import Any

import pytest

from koppel_sandbox.exact.seed import BAKERY, STUDIO, guid

from .conftest import Login, message, sale

ACCOUNT = guid(f"{BAKERY} account 700000")


def line(amount: float = 100.0, **changes: Any) -> dict[str, Any]:
    return {"GLAccount": ACCOUNT, "AmountFC": amount, "VATCode": "21"} | changes


def book(exact: Login, **changes: Any) -> dict[str, Any]:
    answer = exact.post("salesentry/SalesEntries", sale(**changes))
    assert answer.status_code == 201, answer.text
    stored: dict[str, Any] = answer.json()["d"]
    return stored


def test_an_entry_that_nothing_says_is_due_is_refused(exact: Login) -> None:
    name = {"Name": "Zonder Conditie", "Status": "C"}
    relation = exact.post("crm/Accounts", name).json()["d"]["ID"]
    refused = exact.post("salesentry/SalesEntries", sale(Customer=relation))
    assert refused.status_code == 500
    assert message(refused) == "Verplicht: Betalingsconditie"
    assert book(exact, Customer=relation, YourRef="a", DueDate="2026-02-14")["EntryNumber"]
    assert book(exact, Customer=relation, YourRef="b", PaymentCondition="60")["EntryNumber"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"Journal": guid(f"{BAKERY} journal 700")}, "Invalid reference: Journals"),
        ({"Journal": "600"}, "Invalid: Journal (type)"),
        ({"EntryDate": "2024-03-01"}, "Period is closed: 2024 - 3"),
        ({"EntryDate": "2031-03-01"}, "Unknown: Financial year (Period-date table)"),
        ({"Customer": guid(f"{BAKERY} relation 2")}, "Invalid: Customer (Type)"),
        ({"Customer": guid(f"{BAKERY} relation 3")}, "Blocked: Account: 3 - Geblokkeerde Klant BV"),
        ({"Customer": guid(f"{STUDIO} relation 1")}, "Invalid reference: Account"),
        ({"PaymentCondition": "99"}, "Invalid reference: Payment condition"),
        ({"Document": guid("nothing")}, "Invalid reference: Document"),
        ({"SalesEntryLines": []}, "Mandatory: Lines"),
        ({"SalesEntryLines": [line(VATCode="X")]}, "Invalid reference: VAT code"),
        ({"SalesEntryLines": [line(VATCode="P21")]}, "Not allowed: VAT code"),
        ({"SalesEntryLines": [line(GLAccount=guid(f"{BAKERY} account 400000"))]}, "Invalid: G/L account type"),
        (
            {"SalesEntryLines": [line(GLAccount=guid(f"{BAKERY} account 604900"))]},
            "Blocked: G/L account: 604900 - Aankopen geblokkeerd",
        ),
        ({"SalesEntryLines": [line(VATCode="VRY", VATAmountFC=1.0)]}, "Not allowed: VAT amount"),
    ],
)
def test_points_30_to_33_what_is_refused(exact: Login, changes: dict[str, Any], sentence: str) -> None:
    exact.server.control("user", user="an.peeters", language="en")
    answer = exact.post("salesentry/SalesEntries", sale(**changes))
    assert (answer.status_code, message(answer)) == (500, sentence)


def test_lines_are_a_resource_of_their_own(exact: Login) -> None:
    first, _ = book(exact, YourRef="a", SalesEntryLines=[line(10.0), line(20.0)]), book(exact, YourRef="b")
    query = f"EntryID eq guid'{first['EntryID']}'"
    rows = exact.rows("salesentry/SalesEntryLines", filter=query)
    assert [(row["EntryID"], row["AmountFC"]) for row in rows] == [(first["EntryID"], 10.0), (first["EntryID"], 20.0)]
    alone = exact.call("GET", f"salesentry/SalesEntryLines(guid'{rows[1]['ID']}')").json()["d"]
    assert alone["AmountFC"] == 20.0
    assert exact.rows("purchaseentry/PurchaseEntryLines") == []


def test_point_31_the_status_list_mirrors_what_is_closed(exact: Login) -> None:
    exact.server.control("period", division=BAKERY, journal="700", year=2026, period=5)
    rows = exact.rows("read/financial/JournalStatusList", filter="Journal eq '700' and Year eq 2026 and Period eq 5")
    assert [row["Status"] for row in rows] == [1]


def test_point_33_a_foreign_guid_may_be_stored_as_nothing(exact: Login) -> None:
    exact.server.control("switches", foreign_guid_stored_as_null=True)
    assert book(exact, Document=guid("elsewhere"))["Document"] is None


def test_point_34_totals_and_the_cent_that_drifts(exact: Login) -> None:
    lines = [line(0.05) for _ in range(3)]
    assert book(exact, YourRef="a", SalesEntryLines=lines)["VATAmountFC"] == pytest.approx(0.03)
    told = [line(0.05, VATAmountFC=0.01), line(0.05, VATAmountFC=0.01), line(0.05, VATAmountFC=0.0)]
    assert book(exact, YourRef="b", SalesEntryLines=told)["AmountFC"] == pytest.approx(0.17)
    inclusive = book(exact, YourRef="c", SalesEntryLines=[line(121.0, VATCode="I21")])
    assert (inclusive["AmountFC"], inclusive["VATAmountFC"]) == (pytest.approx(121.0), pytest.approx(21.0))


def test_point_35_without_a_code_the_accounts_own(exact: Login) -> None:
    exact.server.control("record", division=BAKERY, table="GLAccounts", where={"Code": "700000"}, set={"VATCode": "6"})
    bare = {"GLAccount": ACCOUNT, "AmountFC": 100.0}
    assert book(exact, SalesEntryLines=[bare])["VATAmountFC"] == pytest.approx(6.0)


def test_point_36_numbers(exact: Login) -> None:
    exact.server.control("user", user="an.peeters", language="en")
    assert book(exact, YourRef="1")["EntryNumber"] == 26700001
    assert book(exact, YourRef="2", EntryNumber=26700010)["EntryNumber"] == 26700010
    taken = exact.post("salesentry/SalesEntries", sale("3", EntryNumber=26700010))
    assert (taken.status_code, message(taken)) == (500, "In use: Entry number")
    assert book(exact, YourRef="4", EntryNumber=26700005)["EntryNumber"] == 26700011
    exact.server.control("switches", renumber_lower_hints=False)
    assert book(exact, YourRef="5", EntryNumber=26700006)["EntryNumber"] == 26700006
    assert book(exact, YourRef="6", EntryDate="2027-01-05")["EntryNumber"] == 27700001


@pytest.mark.parametrize("by_sign", [True, False])
def test_point_37_credit_notes(exact: Login, by_sign: bool) -> None:
    exact.server.control("switches", type_by_sign=by_sign)
    credit = book(exact, YourRef="c", Journal="700", SalesEntryLines=[line(-100.0)], Type=20)
    assert credit["Type"] == (21 if by_sign else 20)


def test_point_38_the_accountant_processes(exact: Login) -> None:
    entry = book(exact)
    assert entry["Status"] == 20
    exact.server.control("process", division=BAKERY)
    path = f"salesentry/SalesEntries(guid'{entry['EntryID']}')"
    assert exact.call("GET", path).json()["d"]["Status"] == 50
    assert exact.call("DELETE", path).status_code == 500


@pytest.mark.parametrize("ignores", [True, False])
def test_point_39_lines_are_changed_by_themselves(exact: Login, ignores: bool) -> None:
    exact.server.control("switches", ignore_lines_in_put=ignores)
    entry = book(exact)
    path = f"salesentry/SalesEntries(guid'{entry['EntryID']}')"
    changed = exact.call("PUT", path, json={"Description": "x", "SalesEntryLines": []})
    assert changed.status_code == (204 if ignores else 400)
    lines = exact.call("GET", f"{path}/SalesEntryLines").json()["d"]["results"]
    assert exact.call("DELETE", f"salesentry/SalesEntryLines(guid'{lines[0]['ID']}')").status_code == 204
    assert exact.call("GET", path).status_code == 404, "with its last line an entry goes"


def test_point_40_attachments(exact: Login) -> None:
    document = exact.post("documents/Documents", {"Subject": "x", "Type": 10}).json()["d"]["ID"]
    body = {"Document": document, "FileName": "a.pdf", "Attachment": base64.b64encode(b"%PDF").decode()}
    made = exact.post("documents/DocumentAttachments", body)
    assert made.status_code == 201
    assert "Attachment" not in made.json()["d"]
    assert exact.http.get(made.json()["d"]["Url"]).content == b"%PDF"
    large = {**body, "Attachment": base64.b64encode(bytes(10_000_001)).decode()}
    for status in (400, 413):
        exact.server.control("switches", too_large_status=status)
        assert exact.post("documents/DocumentAttachments", large).status_code == status


def test_point_41_bank_entries_must_balance(exact: Login) -> None:
    lines = [{"GLAccount": guid(f"{BAKERY} account 499000"), "AmountFC": 50.0}]
    body = {"JournalCode": "550", "OpeningBalanceFC": 100.0, "ClosingBalanceFC": 150.0, "BankEntryLines": lines}
    made = exact.post("financialtransaction/BankEntries", body)
    assert made.status_code == 201, made.text
    assert exact.post("financialtransaction/BankEntries", body | {"ClosingBalanceFC": 151.0}).status_code == 500
    path = f"financialtransaction/BankEntries(guid'{made.json()['d']['EntryID']}')"
    assert exact.call("PUT", path, json={}).status_code == 405
    assert exact.call("DELETE", path).status_code == 204


def test_point_48_the_code_never_goes_along(exact: Login) -> None:
    account = exact.rows("crm/Accounts", filter="trim(Code) eq '1'")[0]
    answer = exact.call("PUT", f"crm/Accounts(guid'{account['ID']}')", json={"Code": account["Code"]})
    assert answer.status_code == 500
