"""Money that tills put in the drawer or take from it: lines of the cash book, each once, in any order; or a clear answer."""

import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import koppel_coda
import koppel_ubl
from pos_ingest.tickets import finishing, invoices

from .conftest import OTHER_FIRM, Till
from .test_cash_books import balance, made
from .test_days_of_tickets import CUSTOMER, finish
from .test_ticket_invoices import invoice_book
from .test_tickets import send, wrong
from .ticket_samples import line, payment, ticket

KINDS = {"cash_in": "BACA", "cash_out": "CABA"}


def linked(till: Till, /, **changes: Any) -> tuple[str, str]:
    """Make a receipt book of register K1 whose drawer holds 150.00; return the paths of both."""
    drawer = made(till, **changes)
    book = till.book(cash_book_id=drawer.rpartition("/")[2])
    items = [{"name": name, "receipt_book_id": book.rpartition("/")[2]} for name in ("K1", "K2")]
    assert till.call("PUT", "/registers", json={"items": items}).status_code == 200
    return book, drawer


def moved(amount: str, reference: str | None = None, at: str = "2026-03-19T18:30:00+01:00", **more: Any) -> Any:
    """Return a ticket by which money is put in the drawer, or taken from it."""
    by_hand = payment(amount, 2, type=2, reference=reference)
    return ticket(line("0.00"), at=at, payments=[by_hand], **more)


def messages(till: Till, drawer: str) -> list[tuple[str, str, str]]:
    """Return date, amount and message of the lines of a drawer, the first first."""
    items = till.call("GET", f"{drawer}/entries?limit=200").json()["items"]
    return [(each["date"], each["amount"], each["message"]) for each in reversed(items)]


def problems(till: Till) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = till.call("GET", "/ticket-problems").json()["items"]
    assert all(each["message"][language] for each in found for language in ("nl", "fr", "en"))
    return found


def test_what_a_till_says_stands_around_the_takings_of_its_day(till: Till) -> None:
    book, drawer = linked(till, till=KINDS, start_balance="0.00")
    send(
        till,
        moved("-300.00", "CB/SUPP/Bloem BV/F-7/meel"),
        moved("-5.00", "CB/PRTA/koffie"),
        moved("100.00", "wisselgeld"),
        ticket(line("302.50", itemName="Taart")),
    )
    finish(till, book)
    assert messages(till, drawer) == [
        ("2026-03-19", "100.00", "CB/BACA/wisselgeld"),
        ("2026-03-19", "302.50", "DR/DRIN/19.03.2026/cash=302.5"),
        ("2026-03-19", "-300.00", "CB/SUPP/Bloem BV/F-7/meel"),
        ("2026-03-19", "-5.00", "CB/PRTA/koffie"),
    ]
    listed = till.call("GET", "/cash-movements").json()["items"]
    assert {(each["state"], each["refusal"]) for each in listed} == {("entered", None)}
    assert len({each["cash_entry_id"] for each in listed}) == 3
    finish(till, book)
    assert balance(till, drawer) == "97.50"


def documents(till: Till) -> list[Any]:
    """Return what a closed period is in the dossier: VAT and total of the invoice, lines and balances of the statement."""
    found: list[Any] = []
    for one in till.hand_in():
        if one.media_type == "text/plain":
            (statement,) = koppel_coda.read(one.content)
            lines = [(each.amount, each.communication) for each in statement.movements]
            found.append((statement.old_balance.amount, lines, statement.closing))
        else:
            invoice = koppel_ubl.read(one.parts["ubl"])
            found.append(
                (invoice.totals.with_vat, [(each.rate, each.taxable, each.tax) for each in invoice.vat_breakdown])
            )
    return sorted(found, key=len)


MOVES = st.integers(-2_000, 4_000).filter(bool).map(lambda cents: f"{Decimal(cents) / 100:.2f}")
DAYS = st.sampled_from(["2026-03-17", "2026-03-18", "2026-03-19"])


@given(moves=st.lists(st.tuples(MOVES, DAYS), min_size=1, max_size=8), seed=st.integers(0, 2**32))
@settings(
    max_examples=5,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_order_repetition_and_split_gives_the_same_drawer_and_invoice(
    till: Till, moves: list[Any], seed: int
) -> None:
    draw = random.Random(seed)
    tickets = [
        moved(amount, at=f"{day}T10:00:00+01:00", receiptID=f"M{n}", registerID=f"K{n % 2 + 1}")
        for n, (amount, day) in enumerate(moves)
    ]
    sales = [ticket(at=f"{day}T12:00:00+01:00", receiptID=f"S{day}") for _, day in moves]
    drawers = []
    for is_mixed in (False, True):
        till.dossier()
        book, drawer = linked(till, till=KINDS)
        sent = tickets + sales
        if is_mixed:
            sent = sent + draw.choices(sent, k=len(sent))
            draw.shuffle(sent)
        while sent:
            cut = draw.randint(1, len(sent)) if is_mixed else len(sent)
            send(till, *sent[:cut])
            sent = sent[cut:]
        finish(till, book)
        till.close(book, "2026-03-19")
        drawers.append((messages(till, drawer), documents(till)))
        expected = 150 + sum(Decimal(amount) for amount, _ in moves) + Decimal("12.10") * len({day for _, day in moves})
        assert Decimal(balance(till, drawer)) == expected
    assert drawers[0] == drawers[1]


def test_what_comes_late_stands_on_the_open_day_and_says_of_which_it_is(till: Till) -> None:
    book, drawer = linked(till, till=KINDS)
    send(till, ticket())
    finish(till, book)
    late = moved("-20.00", "naar bank", at="2026-03-17T10:00:00+01:00")
    send(till, late, late)
    finish(till, book, "2026-03-20")
    finish(till, book, "2026-03-20")
    assert messages(till, drawer)[1:] == [("2026-03-19", "-20.00", "CB/CABA/naar bank (17.03.2026)")]
    before = moved("5.00", at="2026-02-27T10:00:00+01:00")
    send(till, before)
    finish(till, book, "2026-03-20")
    assert balance(till, drawer) == "142.10"  # what was before the book began is in its opening balance
    assert problems(till) == []


def test_a_drawer_never_gives_more_than_it_holds(till: Till) -> None:
    book, drawer = linked(till, till=KINDS)
    send(till, moved("-151.00"), ticket(payments=[payment("12.10", 5)]), moved("-50.00"))
    finish(till, book)
    (problem,) = problems(till)
    assert (problem["code"], balance(till, drawer)) == ("cash_movement_below_zero", "100.00")
    assert "151.00" in problem["message"]["nl"] and "100.00" in problem["message"]["nl"]
    send(till, ticket(line("60.50"), receiptID="forgotten"))
    finish(till, book, "2026-03-20")
    assert (problems(till), balance(till, drawer)) == ([], "9.50")


def test_what_nobody_said_is_asked_and_entered_once_it_is_said(till: Till) -> None:
    book, drawer = linked(till)
    send(till, moved("-20.00", "taxi"), moved("30.00"), ticket())
    finish(till, book)
    found = problems(till)
    assert [each["code"] for each in found] == ["cash_movement_unclear"] * 2
    assert balance(till, drawer) == "162.10"
    ids = {each["amount"]: each["id"] for each in till.call("GET", "/cash-movements").json()["items"]}
    explain = f"/cash-movements/{ids['-20.00']}/explain"
    assert till.call("POST", explain, json={"kind": "BACA"}).json()["code"] == "wrong_sign"
    assert till.call("POST", explain, json={"kind": "DRCA"}).status_code == 422
    assert till.call("POST", explain, json={"kind": "SUPP"}, firm=OTHER_FIRM).status_code == 404
    assert till.call("POST", explain, json={"kind": "SUPP", "party": "Taxi Gent"}).status_code == 200
    changed = till.call("PATCH", drawer, json={"till": {"cash_in": "PRDE"}})
    assert changed.json()["till"] == {"cash_in": "PRDE", "cash_out": None}
    till.at("2026-03-20T22:00:00")
    till.sql("UPDATE cash_movement SET due_at = clock_timestamp()")
    while till.run(finishing.finish_due_day(till.context)):
        pass
    assert messages(till, drawer)[1:] == [
        ("2026-03-19", "30.00", "CB/PRDE/"),
        ("2026-03-19", "-20.00", "CB/SUPP/Taxi Gent//taxi"),
    ]
    assert problems(till) == []
    assert till.call("POST", explain, json={"kind": "PRTA"}).json()["code"] == "already_entered"


def test_a_register_without_a_cash_book_is_told_so_and_nothing_is_lost(till: Till) -> None:
    book, drawer = linked(till, till=KINDS)
    assert till.call("PATCH", book, json={"cash_book_id": None}).status_code == 200
    given = moved("-20.00")
    assert wrong(till, given) == ("no_cash_book", "payments")
    assert till.call("PATCH", book, json={"cash_book_id": drawer.rpartition("/")[2]}).status_code == 200
    assert send(till, given)[0]["status"] == "accepted"
    assert till.call("PATCH", book, json={"cash_book_id": None}).status_code == 200
    finish(till, book)
    assert [each["code"] for each in problems(till)] == ["cash_movement_without_book"]
    assert till.call("PATCH", book, json={"cash_book_id": drawer.rpartition("/")[2]}).status_code == 200
    finish(till, book)
    assert (problems(till), balance(till, drawer)) == ([], "130.00")


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        (lambda: moved("-5.00", "CB/BACA/x"), "wrong_sign", "payments.0.amount"),
        (lambda: moved("5.00", "CB/DRCA/x"), "not_by_till", "payments.0.reference"),
        (lambda: moved("5.00", "DR/DRIN/x"), "not_by_till", "payments.0.reference"),
        (
            lambda: ticket(line("0.00"), payments=[payment("5.00", 5, type=2)]),
            "cash_expected",
            "payments.0.paymentMethodType",
        ),
    ],
)
def test_what_no_drawer_does_is_refused_with_its_field(
    till: Till, given: Callable[[], Any], code: str, field: str
) -> None:
    linked(till)
    assert wrong(till, given()) == (code, field)


def test_cash_for_an_invoice_is_in_the_drawer_as_a_customers_payment(till: Till) -> None:
    book, drawer = linked(till)
    invoice_book(till)
    sold = ticket(line("12.10"), totalTip=1, payments=[payment("13.10")], receiptID="R-1")
    card = ticket(line("24.20"), payments=[payment("24.20", 5)], convertToInvoice=True, customer=CUSTOMER)
    send(till, sold, card)
    finish(till, book)
    send(till, sold | {"convertToInvoice": True, "customer": CUSTOMER})
    while till.run(invoices.make_due_invoice(till.context)):
        pass
    finish(till, book, "2026-03-20")
    assert messages(till, drawer) == [
        ("2026-03-19", "13.10", "DR/DRIN/19.03.2026/cash=13.1"),
        ("2026-03-19", "12.10", "CB/CLIE/Bakker NV/F-0002/R-1"),
        ("2026-03-20", "-12.10", "DR/DRIN/20.03.2026/cash=-12.1"),
    ]
    assert balance(till, drawer) == "163.10"
