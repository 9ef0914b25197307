"""Points 1 and 19 to 29: how questions are asked and answers look."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koppel_sandbox.exact.odata.filter import Filter, FilterError
from koppel_sandbox.exact.seed import BAKERY, guid

from .conftest import Login, message, sale


def test_point_01_links_begin_with_our_own_address(exact: Login) -> None:
    row = exact.rows("financial/Journals")[0]
    assert row["__metadata"]["uri"].startswith(exact.server.url)


def test_point_19_atom_unless_json_is_asked_for(exact: Login) -> None:
    answer = exact.call("GET", "financial/Journals", headers={"Accept": "*/*"})
    assert answer.headers["content-type"].startswith("application/atom+xml")
    assert exact.call("GET", "financial/Journals", headers={"Accept": "application/xml"}).status_code == 415


def test_point_20_pages_of_sixty(exact: Login) -> None:
    for number in range(70):
        exact.state.divisions[BAKERY].put(
            "Accounts", f"x{number}", {"ID": f"x{number}", "Name": f"N{number}", "Code": "1"}
        )
    first = exact.call(
        "GET", "crm/Accounts", params={"$filter": "startswith(Name,'N') eq true", "$select": "Name"}
    ).json()["d"]
    assert len(first["results"]) == 60
    second = exact.http.get(first["__next"]).json()["d"]
    assert len(second["results"]) == 10
    assert "__next" not in second
    assert len(exact.rows("sync/CRM/Accounts", filter="Timestamp gt 1L")) > 60


def test_points_21_and_22_what_must_be_asked_along(exact: Login) -> None:
    assert "Please add a $select" in message(exact.call("GET", "bulk/CRM/Accounts"))
    assert exact.call("GET", "bulk/CRM/Accounts", params={"$select": "Name"}).status_code == 200
    assert "mandatory filtering" in message(exact.call("GET", "crm/Accounts"))
    assert "mandatory filtering" in message(exact.call("GET", "financialtransaction/TransactionLines"))


def test_point_23_sync_asks_for_timestamps_only(exact: Login) -> None:
    assert exact.call("GET", "sync/CRM/Accounts", params={"$filter": "Name eq 'x'"}).status_code == 400
    before = max(int(row["Timestamp"]) for row in exact.rows("sync/CRM/Accounts", filter="Timestamp gt 1L"))
    made = exact.post("crm/Accounts", {"Name": "New"}).json()["d"]["ID"]
    assert [row["ID"] for row in exact.rows("sync/CRM/Accounts", filter=f"Timestamp gt {before}L")] == [made]
    exact.call("DELETE", f"crm/Accounts(guid'{made}')")
    assert made in {row["EntityKey"] for row in exact.rows("sync/Deleted", filter=f"Timestamp gt {before}L")}


def test_point_24_codes_are_padded(exact: Login) -> None:
    assert exact.rows("crm/Accounts", filter="Code eq '1'") == []
    assert exact.rows("crm/Accounts", filter="trim(Code) eq '1'")[0]["Code"] == "1".rjust(18)
    assert {len(row["Code"]) for row in exact.rows("vat/VATCodes", select="Code")} == {3}


def test_points_25_and_26_dates_and_representation(exact: Login) -> None:
    bare = exact.post("salesentry/SalesEntries", sale("A"), prefer=False)
    assert bare.status_code == 201
    assert bare.headers["Location"].startswith(exact.server.url)
    assert bare.json()["d"]["EntryNumber"] is None
    full = exact.post("salesentry/SalesEntries", sale("B")).json()["d"]
    assert full["EntryDate"] == "/Date(1768435200000)/"
    assert "__deferred" in full["SalesEntryLines"]


def test_point_27_put_and_delete_answer_nothing(exact: Login) -> None:
    account = f"crm/Accounts(guid'{guid(f'{BAKERY} relation 1')}')"
    changed = exact.call("PUT", account, json={"Email": "a@b.be"})
    assert (changed.status_code, changed.content) == (204, b"")
    assert "X-RateLimit-Remaining" in changed.headers
    assert exact.call("GET", account).json()["d"]["Email"] == "a@b.be"


def test_point_28_refusals_in_the_language_of_the_user(exact: Login) -> None:
    for language, sentence in (
        ("nl-BE", "Verplicht: Dagboek"),
        ("fr-BE", "Obligatoire : Journal"),
        ("en", "Mandatory: Journal"),
    ):
        exact.server.control("user", user="an.peeters", language=language)
        answer = exact.post("salesentry/SalesEntries", {})
        assert answer.status_code == 500
        assert message(answer).split("\r\n")[0] == sentence
        assert len(message(answer).split("\r\n")) == 3


@pytest.mark.parametrize("body", [b"[]", b"", b"{", b'"x"', b"[" * 100_000])
def test_point_29_what_is_no_object(exact: Login, body: bytes) -> None:
    answer = exact.call("POST", "crm/Accounts", content=body)
    assert answer.status_code == 400
    assert "top-level resource object" in message(answer)


def test_point_29_what_is_no_guid_and_no_base64(exact: Login) -> None:
    assert "to type 'Guid'" in message(exact.post("salesentry/SalesEntries", sale(Customer="4")))
    attachment = {"Document": guid("x"), "FileName": "a", "Attachment": "%%%"}
    assert "to type 'Byte[]'" in message(exact.post("documents/DocumentAttachments", attachment))


def test_segments_are_case_sensitive_and_methods_checked(exact: Login) -> None:
    assert exact.call("GET", "financial/journals").status_code == 404
    assert exact.call("PUT", "documents/DocumentAttachments(guid'x')", json={}).status_code == 405
    assert exact.call("GET", "financial/Journals", params={"$select": "Nope"}).status_code == 400
    assert exact.call("GET", "financial/Journals", params={"$filter": "Nope eq 1"}).status_code == 400
    assert exact.call("GET", "financial/Journals/$count").text == "9"


@given(st.text(max_size=60))
def test_a_filter_reads_or_is_refused(source: str) -> None:
    try:
        Filter(source)({"Name": "x", "Code": 3})
    except FilterError:
        return


@given(st.text(max_size=20), st.integers(-(10**6), 10**6), st.booleans())
def test_literals_come_back(text: str, number: int, flag: bool) -> None:
    quoted = text.replace("'", "''")
    record = {"T": text, "N": number, "B": flag}
    source = (
        f"T eq '{quoted}' and (N eq {number}L or N gt {number}) and B eq {str(flag).lower()} and not (N lt {number})"
    )
    assert Filter(source)(record)
