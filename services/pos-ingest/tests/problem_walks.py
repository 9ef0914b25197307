"""Walks over what keeps receipts from their book, or a closed period from its dossier (``koppel_sandbox.walks``).

They need no vendor: a walk ends when the dossier has the document, or when nothing is asked any more.
"""

from typing import Any, Final

from koppel_mesh.clock import brussels_date, utc_now
from koppel_sandbox.walks import SELLER, Case, NotHere, Seen, Step, Walk, retries

SOLD_AT: Final = utc_now()
DAY: Final = brussels_date(SOLD_AT).isoformat()
"""Of a period that is open: what has ended is closed within half a minute, in the middle of a walk."""
BUYER: Final = "0000000295"


def below(case: Case, path: str) -> str:
    return f"/pos-ingest/v1/dossiers/{case.dossier_id}{path}"


# ── what goes wrong ──


def opens_a_book(case: Case) -> None:
    """Make a dossier with a receipt book that registers K1 and K2 write to, and a drawer with 10.00 in it."""
    case.dossier_id = case.add_dossier(SELLER)
    drawer = {"name": "Kas", "start_date": DAY, "start_balance": "10.00"}
    case.kept["drawer"] = case.request("POST", below(case, "/cash-books"), drawer, expect=201)["id"]
    book = {"name": "Winkel", "number_format": "W-{InvoiceNumber:5}", "cash_book_id": case.kept["drawer"]}
    case.kept["book"] = case.request("POST", below(case, "/receipt-books"), book, expect=201)["id"]
    items = [{"name": name, "receipt_book_id": case.kept["book"]} for name in ("K1", "K2")]
    case.request("PUT", below(case, "/registers"), {"items": items})


def has_two_customers_of_that_name(case: Case) -> None:
    items = [{"code": code, "name": "Winkel", "is_customer": True} for code in ("C1", "C2")]
    path = f"/dossier-api/v1/dossiers/{case.dossier_id}/relations"
    case.request("PUT", path, {"source": "test", "items": items})


def damages(kind: str) -> Step:
    """Let what is handed in of a kind be unreadable, as a broken disk would."""

    def step(case: Case) -> None:
        name = case.kept["damage"] = f"damage_{case.number.replace('-', '_').lower()}"
        case.office.operate(f"""
            CREATE FUNCTION pos_ingest.{name}() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN NEW.content := convert_to('damaged', 'UTF8'); RETURN NEW; END $$;
            CREATE TRIGGER {name} BEFORE UPDATE OF content ON pos_ingest.hand_in FOR EACH ROW
                WHEN (NEW.content IS NOT NULL AND NEW.kind = '{kind}' AND NEW.dossier_id = '{case.dossier_id}')
                EXECUTE FUNCTION pos_ingest.{name}();
        """)

    return step


def closes_a_day(case: Case) -> None:
    """Enter 106.00 at 6 %, paid in cash, and close the book."""
    takings: dict[str, Any] = {"external_reference": "Z", "lines": [{"vat_rate": "6", "amount": "106.00"}]}
    takings["payments"] = [{"method": "cash", "amount": "106.00"}]
    book = below(case, f"/receipt-books/{case.kept['book']}")
    case.request("PUT", f"{book}/days/{DAY}", takings, expect=201)
    case.request("POST", f"{book}/close", {"through": DAY})


def makes_an_invoice(case: Case) -> None:
    line = {"name": "Brood", "price": "1.00", "vat_rate": "6"}
    invoice = {"number": "F-1", "issue_date": DAY, "customer": {"name": "Klant"}, "lines": [line]}
    case.request("POST", below(case, "/sales-invoices"), invoice, expect=201)


def sends(receipt: str, *payments: dict[str, Any], **more: Any) -> Step:
    """Hand a ticket of register K1 in: a bread of 10.60, or only what moved in the drawer."""
    line = {
        "quantity": 1,
        "itemInclVat": 10.6,
        "vatType": 1,
        "vatPercentage": 6,
        "totalInclVat": 10.6,
        "itemName": "Brood",
    }
    sold = {"totalInclVat": 10.6, "lines": [line], "payments": [{"amount": 10.6, "paymentMethodType": 2}]}
    said = {"totalInclVat": 0, "payments": list(payments)} if payments else sold
    ticket = {"receiptID": receipt, "registerID": "K1", "receiptCreatedOn": SOLD_AT.isoformat(), **said, **more}

    def step(case: Case) -> None:
        (result,) = case.request("POST", below(case, "/tickets"), [ticket], expect=207)
        assert result["status"] in ("accepted", "converted"), result

    return step


def finishes_the_day(case: Case) -> None:
    case.request("POST", below(case, f"/receipt-books/{case.kept['book']}/days/{DAY}/finish"))


def reports(tickets: int, amount: str) -> Step:
    """Hand in the till's own totals of the day."""
    report = {"tickets": tickets, "vat_totals": [{"vat_rate": "6", "amount": amount}]}
    return lambda case: case.request("PUT", below(case, f"/registers/K1/days/{DAY}/z-totals"), report)


def takes_the_drawer_away(case: Case) -> None:
    case.request("PATCH", below(case, f"/receipt-books/{case.kept['book']}"), {"cash_book_id": None})


# ── what a person does ──


def repairs(case: Case) -> None:
    case.office.operate(f"DROP FUNCTION pos_ingest.{case.kept['damage']}() CASCADE")


def names_the_customer(case: Case) -> None:
    case.request("PATCH", below(case, f"/receipt-books/{case.kept['book']}"), {"customer_code": "C2"})


def says_what_it_was(case: Case) -> None:
    movement = case.kept["problem"]["cash_movement_id"]
    case.request("POST", below(case, f"/cash-movements/{movement}/explain"), {"kind": "PRDE"})


def counts_the_drawer(case: Case) -> None:
    """Find that there is more in it than the book says."""
    counts = below(case, f"/cash-books/{case.kept['drawer']}/counts")
    count = case.request("POST", counts, {"date": DAY, "counted": "50.00"}, expect=201)
    case.request("POST", f"{counts}/{count['id']}/confirm")


def links_the_drawer_again(case: Case) -> None:
    case.request("PATCH", below(case, f"/receipt-books/{case.kept['book']}"), {"cash_book_id": case.kept["drawer"]})


def leaves_no_number_free(case: Case) -> None:
    """Make receipt books that may give every number of an invoice book that would be made by itself."""
    for letters in ("K", "T", "KF", "TF", "KASSA"):
        book = {"name": f"Winkel {letters}", "number_format": f"{letters}{{InvoiceNumber:1}}", "number_prefix": ""}
        case.request("POST", below(case, "/receipt-books"), book, expect=201)


def makes_an_invoice_book(case: Case) -> None:
    book = {"name": "Kassa", "number_format": "F-{InvoiceNumber:4}"}
    case.request("POST", below(case, "/invoice-books"), book, expect=201)


# ── where a person sees it, and how it ends ──


def of_dossier(case: Case, code: str) -> Any:
    """Among the open problems of the dossier."""
    found = case.get("/dossier-api/v1/problems", dossier_id=case.dossier_id)["items"]
    return next((one for one in found if one["code"] == code), None)


def of_tickets(case: Case, code: str) -> Any:
    """Among what of the tickets waits for a person."""
    found = case.get(below(case, "/ticket-problems"))["items"]
    return next((one for one in found if one["code"] == code), None)


def has_kind(kind: str) -> Any:
    """The dossier has one document of this kind, and nothing stands open."""

    def ended(case: Case, seen: Any) -> bool:
        found = case.get("/dossier-api/v1/documents", dossier_id=case.dossier_id)["items"]
        return seen is None and [one["kind"] for one in found].count(kind) == 1

    return ended


def entered(case: Case, seen: Any) -> bool:
    """Everything that moved in the drawer is a line of the cash book."""
    found = case.get(below(case, "/cash-movements"))["items"]
    return seen is None and {one["state"] for one in found} == {"entered"}


def solved(case: Case, seen: Any) -> bool:
    """Nothing of the tickets waits for a person any more."""
    return seen is None


def walk(*trouble: Step, solve: tuple[Step, ...], ends: Any, seen: Seen = of_tickets) -> Walk:
    return Walk((opens_a_book, *trouble), solve, document=None, opened=False, seen=seen, ends=ends)


IN: Final = {"type": 2, "amount": 5, "paymentMethodType": 2}
OUT: Final = {"type": 2, "amount": -40, "paymentMethodType": 2, "reference": "CB/CABA/naar bank"}
CUSTOMER: Final = {"name": "Bakker NV", "taxNumber": BUYER}
_TESTS: Final = "services/pos-ingest/tests"
WALKS: Final[dict[str, Walk | NotHere]] = {
    "receipts_refused": walk(
        damages("receipts"), closes_a_day, solve=(repairs, retries), ends=has_kind("daily_receipts"), seen=of_dossier
    ),
    "cash_statement_refused": walk(
        damages("cash_statement"),
        closes_a_day,
        solve=(repairs, retries),
        ends=has_kind("cash_statement"),
        seen=of_dossier,
    ),
    "sales_invoice_refused": walk(
        damages("sales_invoice"),
        makes_an_invoice,
        solve=(repairs, retries),
        ends=has_kind("sales_invoice"),
        seen=of_dossier,
    ),
    "customer_ambiguous": walk(
        has_two_customers_of_that_name,
        closes_a_day,
        solve=(names_the_customer, retries),
        ends=has_kind("daily_receipts"),
        seen=of_dossier,
    ),
    "z_totals_differ": walk(sends("R1"), reports(2, "21.20"), solve=(sends("R2"),), ends=solved),
    # The day is tried once in half a minute, which is longer than all other walks together take.
    "tickets_not_entered": NotHere(
        f"{_TESTS}/test_days_of_tickets.py::test_what_the_book_refuses_is_a_problem_until_it_is_changed"
    ),
    "ticket_invoice_refused": walk(
        leaves_no_number_free,
        sends("R1", convertToInvoice=True, customer=CUSTOMER),
        solve=(makes_an_invoice_book, sends("R1", convertToInvoice=True, customer=CUSTOMER, note="Factuur")),
        ends=solved,
    ),
    "cash_movement_unclear": walk(
        sends("R1", IN), finishes_the_day, solve=(says_what_it_was, finishes_the_day), ends=entered
    ),
    "cash_movement_below_zero": walk(
        sends("R1", OUT), finishes_the_day, solve=(counts_the_drawer, finishes_the_day), ends=entered
    ),
    "cash_movement_without_book": walk(
        sends("R1", OUT | {"amount": -5}),
        takes_the_drawer_away,
        finishes_the_day,
        solve=(links_the_drawer_again, finishes_the_day),
        ends=entered,
    ),
}
