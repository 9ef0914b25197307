"""Closing a receipt book: one numbered, paid invoice for a period with its detail, made once and handed in once (R127–R130)."""

import asyncio
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

import koppel_coda
import koppel_ubl
from koppel_bookkeeping.from_ubl import booking
from koppel_mesh.ids import new_id
from koppel_mesh.messages import DeliveryChanged, DocumentKind, EventData, ReceiptsPeriodClosed, open_envelope
from pos_ingest.closing.receipt_periods import open_day

from .conftest import OTHER_FIRM, Filed, Till

ZERO = Decimal(0)
CASH = [{"method": "cash", "amount": "106.00"}]


def invoice(filed: Filed) -> koppel_ubl.Document:
    found: koppel_ubl.Document = koppel_ubl.read(filed.parts["ubl"])
    return found


def metadata(filed: Filed) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(filed.parts["metadata"])
    return found


def told(till: Till) -> list[EventData]:
    rows = till.sql("DELETE FROM outbox RETURNING seq, body")
    return [open_envelope(row["body"]).data for row in sorted(rows, key=lambda row: row["seq"])]


def numbered(till: Till, **changes: Any) -> str:
    return till.book(**{"name": "Winkel Gent", "number_format": "G-{InvoiceNumber:5}", **changes})


def test_a_period_becomes_a_paid_invoice_with_its_detail(till: Till) -> None:
    book = numbered(till, journal="720", customer_code="DAGONTV", customer_name="Dagontvangsten Gent")
    till.entered(book, "2026-03-02", {"vat_rate": "21", "amount": "500.00"}, {"vat_rate": "6", "amount": "106.00"})
    till.entered(
        book,
        "2026-03-10",
        {"vat_rate": "21", "amount": "242.00", "kind": "normal"},
        {"vat_category": "O", "item": "gift_card", "amount": "25.00"},
        payments=[{"method": "cash", "amount": "67.00"}, {"method": "Bancontact", "amount": "200.00"}],
    )
    told(till)
    (period,) = till.close(book, "2026-03-15")["periods"]
    assert (period["starts_on"], period["ends_on"], period["number"]) == ("2026-03-01", "2026-03-15", "DR-G-00001")
    assert (period["total"], period["takings"]) == ("873.00", {"S:21": "742.00", "S:6": "106.00", "O": "25.00"})
    (event,) = told(till)
    assert isinstance(event, ReceiptsPeriodClosed)
    assert (event.number, event.total, event.dossier_id) == ("DR-G-00001", Decimal("873.00"), till.dossier_id)
    (filed,) = till.hand_in()
    made = invoice(filed)
    assert koppel_ubl.check(filed.parts["ubl"]).valid
    assert (made.number, made.issue_date, made.totals.with_vat) == ("DR-G-00001", date(2026, 3, 15), Decimal("873.00"))
    assert (made.totals.prepaid, made.totals.payable) == (Decimal("873.00"), ZERO)
    assert (made.buyer.name, made.buyer.customer_number) == ("Dagontvangsten Gent", "DAGONTV")
    assert metadata(filed) == {
        "direction": "sale",
        "kind": "daily_receipts",
        "journal": "720",
        "reference": "Winkel Gent",
    }
    assert [one.media_type for one in made.attachments] == ["application/pdf", "text/csv"]
    pdf, table = (one.content or b"" for one in made.attachments)
    assert pdf.startswith(b"%PDF-")
    assert "2026-03-10;9;Gewoon;;21;242,00;" in table.decode("utf-8-sig").replace("\r", "").split("\n")
    booked = booking(filed.parts["ubl"], DocumentKind.DAILY_RECEIPTS)
    assert (booked.total, booked.payable) == (Decimal("873.00"), ZERO)
    assert till.periods(book)[0]["document_id"] == str(filed.document_id)


def test_a_period_that_gave_back_more_than_it_took_becomes_a_credit_note(till: Till) -> None:
    book = numbered(till)
    till.entered(
        book,
        "2026-03-02",
        {"item": "refund", "vat_rate": "21", "amount": "-121.00"},
        {"vat_rate": "6", "amount": "53.00"},
    )
    till.close(book, "2026-03-02")
    (filed,) = till.hand_in()
    made = invoice(filed)
    assert isinstance(made, koppel_ubl.CreditNote)
    assert (made.totals.with_vat, made.totals.payable) == (Decimal("68.00"), ZERO)
    assert "kind" not in metadata(filed)
    booked = booking(filed.parts["ubl"], DocumentKind.SALES_CREDIT_NOTE)
    assert booked.sign * booked.total == Decimal("-68.00")


def test_what_moves_between_rates_is_invoiced_although_it_comes_to_nothing(till: Till) -> None:
    book = numbered(till)
    till.entered(book, "2026-03-02", {"vat_rate": "21", "amount": "100.00"})
    till.close(book, "2026-03-02")
    moved = {"kind": "correction", "corrects_date": "2026-03-02", "description": "verkeerd tarief"}
    till.entered(
        book,
        "2026-03-03",
        {**moved, "vat_rate": "21", "amount": "-100.00"},
        {**moved, "vat_rate": "6", "amount": "100.00"},
    )
    (period,) = till.close(book, "2026-03-03")["periods"]
    assert (period["number"], period["total"]) == ("DR-G-00002", "0.00")
    assert [invoice(one).totals.with_vat for one in till.hand_in()] == [Decimal("100.00"), ZERO]


def test_a_period_without_takings_has_no_invoice_and_is_closed_all_the_same(till: Till) -> None:
    book = numbered(till, period="week", week_starts_on=1)
    till.entered(book, "2026-03-03")
    till.at("2026-03-20T12:00:00")
    closed = till.close(book, "2026-03-17")["periods"]
    assert [(each["ends_on"], each["number"]) for each in closed] == [
        ("2026-03-08", "DR-G-00001"),
        ("2026-03-15", None),
        ("2026-03-17", None),
    ]
    assert len(till.hand_in()) == 1
    answer = till.enter(book, "2026-03-17")
    assert (answer.status_code, answer.json()["errors"][0]["rule"]) == (422, "period_closed")
    till.entered(book, "2026-03-18")


def test_closing_again_closes_nothing_and_a_book_without_entries_has_nothing_to_close(till: Till) -> None:
    book, empty = numbered(till), till.book()
    till.entered(book, "2026-03-03")
    assert len(till.close(book, "2026-03-10")["periods"]) == 1
    assert till.close(book, "2026-03-10") == till.close(empty, "2026-03-10") == {"periods": [], "cash_statements": []}
    assert [each["number"] for each in till.periods(book)] == ["DR-G-00001"]


def test_closing_with_the_same_key_is_answered_as_the_first_time(till: Till) -> None:
    book = numbered(till)
    till.entered(book, "2026-03-03")
    asked = {"json": {"through": "2026-03-10"}, "headers": {"Idempotency-Key": "close-1"}}
    first, again = (till.call("POST", f"{book}/close", **asked) for _ in range(2))
    assert len(first.json()["periods"]) == 1 and again.status_code == 200 and again.json() == first.json()
    other = till.call("POST", f"{book}/close", **(asked | {"json": {"through": "2026-03-11"}}))
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    assert [str(each["ends_on"]) for each in till.periods(book)] == ["2026-03-10"]


def test_what_is_still_to_come_is_not_closed(till: Till) -> None:
    book = numbered(till)
    till.entered(book, "2026-03-03")
    answer = till.call("POST", f"{book}/close", json={"through": "2026-03-21"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "through")
    assert till.call("POST", f"{book}/close", json={"through": "soon"}).status_code == 422
    assert till.periods(book) == []


def test_of_many_who_close_at_once_one_does(till: Till) -> None:
    book = numbered(till, period="week")
    till.entered(book, "2026-03-03")

    async def all_at_once() -> list[int]:
        sent = [till.acall("POST", f"{book}/close", json={"through": "2026-03-15"}) for _ in range(6)]
        return [len(answer.json()["periods"]) for answer in await asyncio.gather(*sent)]

    assert sorted(till.run(all_at_once())) == [0, 0, 0, 0, 0, 2]
    assert [each["number"] for each in till.periods(book)] == [None, "DR-G-00001"]
    assert len(till.hand_in()) == 1


@pytest.mark.parametrize(
    ("moment", "open_on"),
    [
        (
            "2026-04-01T03:59:00",
            "2026-03-31",
        ),  # a minute before six in Brussels, in summer: tills of the night still send
        ("2026-04-01T04:00:00", "2026-04-01"),
        ("2026-11-01T04:59:00", "2026-10-31"),  # in winter six o'clock is an hour later in UTC
        ("2026-11-01T05:00:00", "2026-11-01"),
    ],
)
def test_the_night_leaves_the_day_before_open_until_six_whatever_the_clocks_do(moment: str, open_on: str) -> None:
    assert open_day(datetime.fromisoformat(moment).replace(tzinfo=UTC)).isoformat() == open_on


def test_the_nightly_run_closes_what_ended(till: Till) -> None:
    book = numbered(till)
    till.entered(book, "2026-03-03")
    till.at("2026-04-01T03:59:00")
    till.loop("close receipts")
    assert till.periods(book) == []
    till.at("2026-04-01T04:00:00")
    till.loop("close receipts")
    till.loop("close receipts")
    assert [(each["ends_on"], each["closed_by"]) for each in till.periods(book)] == [("2026-03-31", "pos-ingest")]


def test_a_book_that_ended_is_closed_until_then(till: Till) -> None:
    book = numbered(till, ends_on="2026-03-10")
    till.entered(book, "2026-03-03")
    till.at("2026-04-02T12:00:00")
    till.loop("close receipts")
    till.loop("close receipts")
    assert [each["ends_on"] for each in till.periods(book)] == ["2026-03-10"]


def test_what_does_not_go_to_the_bookkeeping_by_itself_says_so(till: Till) -> None:
    """R122."""
    book = numbered(till, forward=False)
    till.entered(book, "2026-03-03")
    till.close(book, "2026-03-03")
    assert metadata(till.hand_in()[0])["forward"] is False


# ── handed in once, whatever happens in between ──


def due(till: Till) -> None:
    """Let every lease and every pause end."""
    till.sql("UPDATE hand_in SET due_at = now() WHERE due_at IS NOT NULL")


def closed(till: Till) -> str:
    book = numbered(till)
    till.entered(book, "2026-03-03")
    till.close(book, "2026-03-03")
    return book


def test_an_answer_that_is_lost_makes_no_second_document(till: Till) -> None:
    book = closed(till)
    till.dossier_api.loses_answers = 2
    for _ in range(3):
        till.hand_in()
        due(till)
    (filed,) = till.hand_in()
    assert till.periods(book)[0]["document_id"] == str(filed.document_id)


def test_a_change_after_the_first_try_does_not_make_another_document(till: Till) -> None:
    """The customer's name is another one, but what may have arrived is what goes again."""
    book = closed(till)
    till.dossier_api.loses_answers = 1
    till.hand_in()
    till.call("PATCH", book, json={"customer_name": "Iemand anders"})
    due(till)
    (filed,) = till.hand_in()
    assert invoice(filed).buyer.name == "Winkel Gent"
    assert till.periods(book)[0]["document_id"] == str(filed.document_id)


def test_while_dossier_api_is_away_it_waits_longer_each_time(till: Till) -> None:
    book = closed(till)
    till.dossier_api.refuses = (None, "no_answer")
    pauses = []
    for _ in range(3):
        assert till.hand_in() == []
        (row,) = till.sql(
            "SELECT extract(epoch FROM due_at - now()) AS pause FROM hand_in WHERE dossier_id = :id", id=till.dossier_id
        )
        pauses.append(row["pause"])
        due(till)
    assert pauses == sorted(pauses)
    assert pauses[-1] > pauses[0] + 4
    till.dossier_api.refuses = None
    assert len(till.hand_in()) == 1
    assert till.periods(book)[0]["problem"] is None


def test_a_refusal_is_a_problem_until_it_is_handed_in_after_all(till: Till) -> None:
    book = closed(till)
    told(till)
    till.dossier_api.refuses = (422, "not_this_dossier")
    assert till.hand_in() == []
    (period,) = till.periods(book)
    assert (period["document_id"], period["problem"]["code"]) == (None, "receipts_refused")
    (event,) = told(till)
    assert isinstance(event, DeliveryChanged)
    assert (event.state, event.dossier_id, event.connector) == ("blocked", till.dossier_id, "pos-ingest")
    assert event.problem is not None
    assert "not_this_dossier" in event.problem.message.fr
    due(till)
    assert till.hand_in() == []  # it waits for a person
    till.dossier_api.refuses = None
    till.call("PATCH", book, json={"customer_name": "Dagontvangsten"})
    retry = f"/v1/deliveries/{event.delivery_id}/retry"
    assert till.call("POST", retry, firm=OTHER_FIRM).status_code == 404
    assert till.call("POST", retry).status_code == 202
    (filed,) = till.hand_in()
    assert invoice(filed).buyer.name == "Dagontvangsten"
    (over,) = told(till)
    assert isinstance(over, DeliveryChanged)
    assert (over.state, over.problem, over.version > event.version) == ("superseded", None, True)
    assert till.call("POST", retry).status_code == 202
    assert len(till.hand_in()) == 1


def test_several_who_hand_in_at_once_make_one_document(till: Till) -> None:
    book = closed(till)
    (found,) = [loop for loop in till.context.service.loops if loop.name == "hand in"]

    async def all_at_once() -> None:
        await asyncio.gather(*(found.run_once(till.context) for _ in range(4)))

    till.run(all_at_once())
    (filed,) = till.hand_in()
    assert till.periods(book)[0]["document_id"] == str(filed.document_id)


def test_another_firm_cannot_close_or_see(till: Till) -> None:
    book = closed(till)
    assert till.call("GET", f"{book}/periods", firm=OTHER_FIRM).status_code == 404
    answer = till.call("POST", f"{book}/close", firm=OTHER_FIRM, json={"through": "2026-03-10"})
    assert answer.status_code == 404
    assert len(till.periods(book)) == 1


# ── the statement of the drawer ──


def drawer(till: Till, **coda: Any) -> str:
    given = {"name": f"Kas {new_id()}", "start_date": "2026-03-01", "start_balance": "150.00", "coda": coda}
    found: str = till.call("POST", "/cash-books", json=given).json()["id"]
    return found


def statements(filed: list[Filed]) -> list[koppel_coda.Statement]:
    return [one for each in filed if each.media_type == "text/plain" for one in koppel_coda.read(each.content)]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("two", [("106.00", "DR/DRIN/03.03.2026/cash=6/Bancontact=100"), ("-100.00", "DR/DRPM/03.03.2026/Bancontact")]),
        ("one", [("6.00", "DR/DRIN/03.03.2026/cash=6/Bancontact=100")]),
    ],
)
def test_closing_makes_the_statement_of_the_drawer_too(till: Till, lines: str, expected: list[tuple[str, str]]) -> None:
    cash_book = drawer(till, lines=lines)
    book = numbered(till, cash_book_id=cash_book)
    paid = [{"method": "cash", "amount": "6.00"}, {"method": "Bancontact", "amount": "100.00"}]
    till.entered(book, "2026-03-03", payments=paid)
    (made,) = till.close(book, "2026-03-10")["cash_statements"]
    assert (made["number"], made["opening"], made["closing"]) == (1, "150.00", "156.00")
    filed = till.hand_in()
    (statement,) = statements(filed)
    (coda,) = [one.content for one in filed if one.media_type == "text/plain"]
    assert koppel_coda.check(coda).findings == ()
    assert [(str(one.amount), one.communication) for one in statement.movements] == expected
    assert (statement.old_balance.amount, statement.closing) == (Decimal("150.00"), Decimal("156.00"))
    assert (statement.header.company_number, statement.holder_name) == ("0000000196", "Bakkerij Peeters")
    (shown,) = till.call("GET", f"/cash-books/{cash_book}/statements").json()["items"]
    assert shown["document_id"] is not None


def test_statements_follow_one_another_over_idle_days_and_a_new_year(till: Till) -> None:
    cash_book = drawer(till, period="week")
    for day, start, end in (
        ("2026-03-03", "150.00", "160.00"),
        ("2026-12-30", "160.00", "170.00"),
        ("2027-01-05", "170.00", "165.00"),
    ):
        till.at(f"{day}T12:00:00")
        amount = str(Decimal(end) - Decimal(start))
        entry = {"kind": "CLIE", "amount": amount}
        body = {"date": day, "start_balance": start, "end_balance": end, "entries": [entry]}
        assert till.call("PUT", f"/cash-books/{cash_book}/entries", json=body).status_code == 201
    till.at("2027-02-01T12:00:00")
    till.loop("close cash books")
    till.loop("close cash books")
    made = statements(till.hand_in())
    assert [(one.coded_number, one.old_balance.amount, one.closing) for one in made] == [
        (1, Decimal(150), Decimal(160)),
        (1, Decimal(160), Decimal(170)),  # its last day is 3 January
        (2, Decimal(170), Decimal(165)),
    ]
    assert koppel_coda.check_series(made).findings == ()
    late = {
        "date": "2027-01-31",
        "start_balance": "165.00",
        "end_balance": "166.00",
        "entries": [{"kind": "BACA", "amount": "1.00"}],
    }
    answer = till.call("PUT", f"/cash-books/{cash_book}/entries", json=late)
    assert answer.json()["errors"][0]["rule"] == "before_last_entry"


def test_a_statement_that_is_refused_is_a_problem_of_its_own(till: Till) -> None:
    cash_book = drawer(till)
    book = numbered(till, cash_book_id=cash_book)
    till.entered(book, "2026-03-03", payments=CASH)
    till.close(book, "2026-03-03")
    told(till)
    till.dossier_api.refuses = (422, "unreadable_document")
    till.hand_in()
    codes = {event.problem.code for event in told(till) if isinstance(event, DeliveryChanged) and event.problem}
    assert codes == {"receipts_refused", "cash_statement_refused"}
