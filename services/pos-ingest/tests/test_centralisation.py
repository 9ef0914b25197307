"""The centralisation book: base and VAT of all books by rate, in each return period."""

from typing import Any

from .conftest import OTHER_FIRM, Till


def line(amount: str, rate: str, **more: Any) -> dict[str, Any]:
    return {"vat_rate": rate, "amount": amount, **more}


def test_bases_of_all_books_by_rate_and_period(till: Till) -> None:
    gent, brussel = till.book(name="Gent", place_of_business="Veldstraat 1, Gent"), till.book(name="Brussel")
    till.entered(gent, "2025-12-31", line("500.00", "21"))
    till.entered(gent, "2026-01-01", line("106.00", "6"), {"vat_category": "O", "item": "gift_card", "amount": "25.00"})
    till.entered(gent, "2026-01-02", line("0.01", "21"))
    till.entered(brussel, "2026-01-31", line("242.00", "21"), line("112.00", "12"))
    corrected = {"kind": "correction", "corrects_date": "2026-01-31", "description": "counted twice"}
    till.entered(brussel, "2026-02-01", line("-121.00", "21", **corrected))
    found = till.call("GET", "/centralisation?from=2025-12-01&to=2026-02-10").json()
    assert found["next"] is None
    before, quarter = found["items"]
    assert (before["begins_on"], before["ends_on"]) == ("2025-10-01", "2025-12-31")
    assert before["totals"] == [
        {"vat_category": "S", "vat_rate": "21", "takings": "500.00", "base": "413.22", "vat": "86.78"}
    ]
    assert (quarter["begins_on"], quarter["ends_on"], quarter["outside_scope"]) == ("2026-01-01", "2026-03-31", "25.00")
    assert [(each["vat_rate"], each["takings"], each["base"], each["vat"]) for each in quarter["totals"]] == [
        ("12", "112.00", "100.00", "12.00"),
        ("21", "121.01", "100.01", "21.00"),
        ("6", "106.00", "100.00", "6.00"),
    ]
    assert [(book["name"], book["place_of_business"]) for book in quarter["books"]] == [
        ("Gent", "Veldstraat 1, Gent"),
        ("Brussel", None),
    ]
    assert quarter["books"][0]["totals"][1]["takings"] == "0.01"


def test_months_where_the_return_is_of_a_month(till: Till) -> None:
    book = till.book()
    till.entered(book, "2026-01-31", line("121.00", "21"))
    till.entered(book, "2026-02-28", line("242.00", "21"))
    asked = "/centralisation?from=2026-01-15&to=2026-02-01&return_period=month"
    months = till.call("GET", asked).json()["items"]
    assert [(month["ends_on"], month["totals"][0]["base"]) for month in months] == [
        ("2026-01-31", "100.00"),
        ("2026-02-28", "200.00"),
    ]


def test_what_cannot_be_is_refused_and_another_firm_sees_nothing(till: Till) -> None:
    for asked in (
        "from=2026-02-01&to=2026-01-01",
        "from=1026-01-01&to=2026-01-01",
        "from=2026-01-01&to=9999-12-31",
        "from=2026-01-01",
        "from=2026-01-01&to=2026-01-01&return_period=week",
    ):
        assert till.call("GET", f"/centralisation?{asked}").status_code == 422, asked
    assert till.call("GET", "/centralisation?from=2026-01-01&to=2026-01-01", firm=OTHER_FIRM).status_code == 404
