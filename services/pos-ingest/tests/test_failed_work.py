"""What the work of one book raises puts that book off, and stops no other of any firm."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from .conftest import Till
from .test_ticket_invoices import CUSTOMER
from .test_tickets import registered, send
from .ticket_samples import ticket


@contextmanager
def damaged(till: Till, table: str, book: str) -> Iterator[None]:
    """Let no row of a book go into a table."""
    till.sql("""CREATE OR REPLACE FUNCTION damaged() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the page is damaged'; END $$""")
    book_id = book.rpartition("/")[2]
    till.sql(f"""CREATE TRIGGER damaged BEFORE INSERT ON {table} FOR EACH ROW WHEN (NEW.book_id = '{book_id}')
        EXECUTE FUNCTION damaged()""")
    try:
        yield
    finally:
        till.sql(f"DROP TRIGGER damaged ON {table}")


def count(till: Till, table: str, book: str) -> int:
    rows = till.sql(f"SELECT count(*) AS n FROM {table} WHERE book_id = CAST(:id AS uuid)", id=book.rpartition("/")[2])
    return int(rows[0]["n"])


def metrics(till: Till) -> str:
    return str(till.run(till.http.get("/metrics")).text)


def drawer(till: Till) -> str:
    given = {"name": "Kas", "start_date": "2026-02-01", "start_balance": "150.00"}
    book: str = till.call("POST", "/cash-books", json=given).json()["id"]
    entries = [{"kind": "BACA", "amount": "1.00"}]
    body = {"date": "2026-02-02", "start_balance": "150.00", "end_balance": "151.00", "entries": entries}
    assert till.call("PUT", f"/cash-books/{book}/entries", json=body).status_code == 201
    return book


def receipts(till: Till) -> str:
    book = till.book(period="month")
    till.entered(book, "2026-02-03")
    return book


@pytest.mark.parametrize(
    ("loop", "table", "make"),
    [
        ("close days", "entry", receipts),
        ("close receipts", "receipt_period", receipts),
        ("close cash books", "cash_statement", drawer),
    ],
)
def test_a_book_that_cannot_be_closed_is_put_off_and_the_next_one_is_closed(
    till: Till, loop: str, table: str, make: Any
) -> None:
    broken = make(till)
    till.dossier()
    well = make(till)
    before = count(till, table, broken), count(till, table, well)
    till.at("2026-03-22T12:00:00")
    with damaged(till, table, broken):
        till.loop(loop)
        assert (count(till, table, broken), count(till, table, well) > before[1]) == (before[0], True)
        till.sql("UPDATE failed_work SET first_seen_at = first_seen_at - interval '1 day'")
        till.loop("backlog gauge")
        assert 'koppel_book_oldest_failure_seconds{service="pos-ingest"} 864' in metrics(till)
        (kept,) = till.sql("SELECT * FROM failed_work WHERE work = :work", work=loop)
        assert (str(kept["book_id"]), kept["rule"]) == (broken.rpartition("/")[2], "internal")
        assert "the page is damaged" in kept["message"]
    till.sql("UPDATE failed_work SET due_at = clock_timestamp()")
    till.loop(loop)
    assert count(till, table, broken) > before[0]
    assert till.sql("SELECT * FROM failed_work") == []


def test_a_day_of_tickets_that_cannot_be_entered_is_a_problem_and_the_next_book_is_finished(till: Till) -> None:
    broken = registered(till)
    send(till, ticket())
    of_broken = till.dossier_id
    till.dossier()
    well = registered(till)
    send(till, ticket())
    with damaged(till, "entry", broken):
        till.loop("finish days")
        assert (count(till, "entry", broken), count(till, "entry", well)) == (0, 1)
    till.dossier_id = of_broken
    (problem,) = till.call("GET", "/ticket-problems").json()["items"]
    assert (problem["code"], problem["receipt_book_id"]) == ("tickets_not_entered", broken.rpartition("/")[2])
    till.sql("UPDATE unfinished_day SET due_at = clock_timestamp()")
    till.loop("finish days")
    assert (count(till, "entry", broken), till.call("GET", "/ticket-problems").json()["items"]) == (1, [])


def test_a_ticket_whose_invoice_cannot_be_made_is_a_problem_and_the_next_invoice_is_made(till: Till) -> None:
    books = []
    for _ in range(2):
        till.dossier()
        registered(till)
        answer = till.call("POST", "/invoice-books", json={"name": "Kassa", "number_format": "F-{InvoiceNumber:4}"})
        books.append((till.dossier_id, answer.json()["id"]))
        send(till, ticket(convertToInvoice=True, customer=CUSTOMER))
    with damaged(till, "external_invoice", books[0][1]):
        till.loop("ticket invoices")
    assert [count(till, "external_invoice", book) for _, book in books] == [0, 1]
    till.dossier_id = books[0][0]
    (problem,) = till.call("GET", "/ticket-problems").json()["items"]
    assert problem["code"] == "ticket_invoice_refused"
