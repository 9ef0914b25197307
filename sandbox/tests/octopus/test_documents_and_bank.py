"""Behaviours 39 and 40: CODA with its continuity, the File Import API; and financial bookings."""

import base64
import json
from typing import Any

import pytest

from koppel_sandbox.octopus.seed import BAKERY, BAKERY_IBAN, PASSWORD, SOFTWARE_HOUSE, USER

from .conftest import LONG_AGO, YEAR, Login, refused

IMPORTS = "/octopus-file-import-api/v1"


def statement(opening: int, closing: int, iban: str = BAKERY_IBAN, *, with_closing: bool = True) -> str:
    """Return a CODA statement with balances in cents; negative ones are debit."""
    account = f"{iban:<34}EUR"

    def balance(cents: int) -> str:
        return f"{int(cents < 0)}{abs(cents) * 10:015d}"

    records = [
        f"{'0000010126':<14}05",
        f"12001{account}{balance(opening)}010126",
        *([f"8001{account}{balance(closing)}020126"] if with_closing else []),
        "9",
    ]
    return "\n".join(f"{record:<128}" for record in records)


def send(octopus: Login, text: str, *, raw: bool = False) -> Any:
    content = text.encode("latin-1") if raw else json.dumps(text).encode()
    headers = {"Content-Type": "application/json"}
    return octopus.call("POST", "/coda", params={"publishPdfInDms": "false"}, content=content, headers=headers)


def balance_of(octopus: Login) -> float:
    return float(octopus.rows(f"/bookyears/{YEAR}/journals/F1")["balance"])


def test_39_statements_continue_each_other(octopus: Login) -> None:
    assert send(octopus, statement(100_000, 125_050)).status_code == 200
    assert balance_of(octopus) == 1250.5
    assert octopus.journal("F1")["lastBookedDocumentNr"] == 1
    assert send(octopus, statement(125_050, -1_000)).status_code == 200
    assert balance_of(octopus) == -10.0
    octopus.server.control("switches", coda_status=201)
    assert send(octopus, statement(-1_000, 0)).status_code == 201
    assert [float(row["closing"]) for row in octopus.ledger()["statements"]] == [1250.5, -10.0, 0.0]


def test_39_a_mismatch_names_both_balances(octopus: Login) -> None:
    answer = send(octopus, statement(99_999, 125_050))
    assert refused(answer) == (400, -67)
    assert "999.99" in answer.json()["errorMessage"]
    assert "1000.00" in answer.json()["errorMessage"]
    octopus.server.control("switches", coda_refused_status=500)
    assert refused(send(octopus, statement(99_999, 125_050))) == (500, -67)


def test_39_the_same_file_twice_is_a_mismatch(octopus: Login) -> None:
    assert send(octopus, statement(100_000, 125_050)).status_code == 200
    assert refused(send(octopus, statement(100_000, 125_050))) == (400, -67)
    assert balance_of(octopus) == 1250.5


def test_39_a_file_is_taken_whole_or_not_at_all(octopus: Login) -> None:
    torn = statement(100_000, 125_050) + "\n" + statement(1, 2)
    assert refused(send(octopus, torn)) == (400, -67)
    assert balance_of(octopus) == 1000.0
    whole = statement(100_000, 125_050) + "\n" + statement(125_050, 125_050, with_closing=False)
    assert send(octopus, whole).status_code == 200
    assert len(octopus.ledger()["statements"]) == 2


def test_39_the_account_needs_a_journal_with_iban_and_bic(octopus: Login) -> None:
    answer = send(octopus, statement(0, 0, "BE71096123456769"))
    assert refused(answer) == (400, -10)
    assert "BE71096123456769" in answer.json()["errorMessage"]
    octopus.server.control("bank_account", dossier=BAKERY, journal="F1", bic="")
    assert refused(send(octopus, statement(100_000, 0))) == (400, -10)


def test_39_the_form_of_the_body_is_a_switch(octopus: Login) -> None:
    assert refused(send(octopus, statement(100_000, 100_000), raw=True)) == (400, -79)
    octopus.server.control("switches", coda_body="raw")
    assert refused(send(octopus, statement(100_000, 100_000))) == (400, -79)
    assert send(octopus, statement(100_000, 100_000), raw=True).status_code == 200
    octopus.server.control("switches", coda_body="both")
    assert send(octopus, statement(100_000, 100_000)).status_code == 200
    assert send(octopus, statement(100_000, 100_000), raw=True).status_code == 200


def test_39_without_the_bank_module(octopus: Login) -> None:
    octopus.server.control("dossier", dossier=BAKERY, bank_module=False)
    assert refused(send(octopus, statement(100_000, 100_000))) == (403, -3)


@pytest.mark.parametrize("text", ["", "no CODA", statement(100_000, 1)[:-1], "9".ljust(128)])
def test_39_what_is_no_coda(octopus: Login, text: str) -> None:
    assert refused(send(octopus, text)) == (400, -79)


def upload(octopus: Login, **arguments: Any) -> Any:
    body = {"fileName": "F2026-0311.xml", "fileData": base64.b64encode(b"<Invoice/>").decode()}
    params = {"subfolder": "Aankopen"}
    return octopus.call("POST", "/files/imports/withtoken", api=IMPORTS, params=params, json=body, **arguments)


def own_token(octopus: Login) -> str:
    headers = {"softwareHouseUuid": SOFTWARE_HOUSE}
    body = {"username": USER, "password": PASSWORD}
    login = octopus.http.post(f"{IMPORTS}/authentication", json=body, headers=headers).json()
    headers = {"authenticationToken": login["authenticationToken"], "dossierId": str(BAKERY)}
    return str(octopus.http.post(f"{IMPORTS}/authentication/connect", headers=headers).json()["dossierToken"])


def test_40_a_document_for_the_import_viewer(octopus: Login) -> None:
    assert upload(octopus).status_code == 200
    assert upload(octopus, token=own_token(octopus)).status_code == 200
    shown = octopus.ledger()["importViewer"]
    assert [(row["fileName"], row["subfolder"], row["size_bytes"]) for row in shown] == [
        ("F2026-0311.xml", "Aankopen", 10),
        ("F2026-0311.xml", "Aankopen", 10),
    ]


def test_40_whether_the_token_of_the_rest_api_works_is_a_switch(octopus: Login) -> None:
    octopus.server.control("switches", import_takes_rest_token=False)
    assert upload(octopus).status_code == 401
    assert upload(octopus, token=own_token(octopus)).status_code == 200


def test_40_without_dms(octopus: Login) -> None:
    octopus.server.control("dossier", dossier=BAKERY, dms=False)
    answer = upload(octopus)
    assert answer.status_code == 403
    assert answer.json().keys() == {"octopusErrorCode", "description", "technicalDescription"}
    octopus.server.control("switches", dms_off_status=400, import_errors_respelled=False)
    assert refused(upload(octopus)) == (400, -3)


def movement(**changes: Any) -> dict[str, Any]:
    lines = [
        {"type": "C", "relationIdentificationServiceData": {"relationKey": {"id": 1}}, "amount": 121.0},
        {"type": "A", "accountKey": 657000, "amount": -1.5},
    ]
    booking = {
        "bookyearKey": {"id": YEAR},
        "journalKey": "F1",
        "documentSequenceNr": 1,
        "bookyearPeriodeNr": 202602,
        "documentDate": "2026-05-04",
        "bookingLines": lines,
    }
    return booking | changes


def financial(octopus: Login, **changes: Any) -> Any:
    body = {"financialDiversBookingServiceData": movement(**changes)}
    return octopus.call("POST", "/financialdiversbookings", json=body)


def test_a_financial_booking_moves_the_balance(octopus: Login) -> None:
    assert financial(octopus).status_code == 201
    assert balance_of(octopus) == 1119.5
    (booking,) = octopus.rows("/financialdiversbookings/modified", modifiedTimeStamp=LONG_AGO)
    assert [row["amount"] for row in booking["bookingLines"]] == [121.0, -1.5]
    assert octopus.feed().status_code == 404


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ({"type": "X", "amount": 1}, -25),
        ({"type": "A", "accountKey": 1, "amount": 1}, -21),
        ({"type": "S", "relationIdentificationServiceData": {"relationKey": {"id": 99}}, "amount": 1}, -16),
        ({"type": "A", "accountKey": 657000, "amount": 1, "codaInfo": {"codaMoveLineData": ["21"]}}, -78),
    ],
)
def test_a_financial_line_is_checked(octopus: Login, line: dict[str, Any], code: int) -> None:
    assert refused(financial(octopus, bookingLines=[line])) == (500, code)


def test_raw_coda_records_ride_along(octopus: Login) -> None:
    info = {"codaVersion": {"codaVersion": 2}, "codaMoveLineData": ["21"]}
    line = {"type": "A", "accountKey": 657000, "amount": 1, "codaInfo": info}
    assert financial(octopus, bookingLines=[line]).status_code == 201


def test_a_miscellaneous_booking_adds_up_to_nothing(octopus: Login) -> None:
    assert refused(financial(octopus, journalKey="D1")) == (500, -24)
    lines = [{"type": "A", "accountKey": 657000, "amount": amount} for amount in (5, -5)]
    assert financial(octopus, journalKey="D1", bookingLines=lines).status_code == 201
    assert refused(financial(octopus, journalKey="A1", bookingLines=lines)) == (500, -38)
