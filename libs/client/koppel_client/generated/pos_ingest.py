# Generated from the joined OpenAPI document by `make client`.
from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

if TYPE_CHECKING:
    from koppel_client.caller import Caller

    from . import models


class PosIngest:
    """The calls of pos-ingest."""

    def __init__(self, koppel: Caller) -> None:
        self._koppel, self._base = koppel, "/pos-ingest"

    def add_receipt_book(
        self, dossier_id: str, body: models.NewReceiptBook, *, idempotency_key: str | None = None
    ) -> models.ReceiptBook:
        """Make a receipt book. No number that its format can produce may be one of another book of the dossier."""
        answer: models.ReceiptBook = self._koppel.call(
            "POST",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/receipt-books",
            body=body,
            idempotency_key=idempotency_key,
        )
        return answer

    def list_receipt_books(
        self, dossier_id: str, *, limit: int | None = None, after: str | None = None
    ) -> models.PageReceiptBook:
        """List the receipt books of a dossier, the oldest first."""
        answer: models.PageReceiptBook = self._koppel.call(
            "GET",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/receipt-books",
            query={"limit": limit, "after": after},
        )
        return answer

    def iterate_receipt_books(self, dossier_id: str) -> Iterator[models.ReceiptBook]:
        """Go through all pages of ``list_receipt_books``."""
        return self._koppel.items(f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/receipt-books", {})

    def read_receipt_book(self, dossier_id: str, book_id: str) -> models.ReceiptBook:
        """Return a receipt book."""
        answer: models.ReceiptBook = self._koppel.call(
            "GET", f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/receipt-books/{quote(book_id, safe='')}"
        )
        return answer

    def change_receipt_book(self, dossier_id: str, book_id: str, body: models.ReceiptBookChanges) -> models.ReceiptBook:
        """Change settings of a receipt book, for what comes later. A setting that is null is taken away."""
        answer: models.ReceiptBook = self._koppel.call(
            "PATCH",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/receipt-books/{quote(book_id, safe='')}",
            body=body,
        )
        return answer

    def enter_day(self, dossier_id: str, book_id: str, date: str, body: models.DayTakings) -> models.Entered:
        """Enter takings of a day; days between the last entry and this one are entered as closed before them.

        The same reference with the same takings is answered with 200 and the entry of the takings, without closed days.
        """
        answer: models.Entered = self._koppel.call(
            "PUT",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/receipt-books/{quote(book_id, safe='')}/days/{quote(date, safe='')}",
            body=body,
        )
        return answer

    def read_chain(
        self, dossier_id: str, book_id: str, *, limit: int | None = None, after: str | None = None
    ) -> models.PageEntryItem:
        """List the entries of a book in their order, each with its hash, the last of a day with its seal."""
        answer: models.PageEntryItem = self._koppel.call(
            "GET",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/receipt-books/{quote(book_id, safe='')}/chain",
            query={"limit": limit, "after": after},
        )
        return answer

    def iterate_chain(self, dossier_id: str, book_id: str) -> Iterator[models.EntryItem]:
        """Go through all pages of ``read_chain``."""
        return self._koppel.items(
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/receipt-books/{quote(book_id, safe='')}/chain", {}
        )

    def export_book(self, dossier_id: str, book_id: str) -> bytes:
        """Return the whole book as a file that `koppel verify-receipts` checks without any service."""
        answer: bytes = self._koppel.call(
            "GET",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/receipt-books/{quote(book_id, safe='')}/export",
        )
        return answer

    def list_seal_keys(self) -> dict[str, Any]:
        """Return the public halves of all keys that sealed or seal, as a JSON Web Key Set (RFC 7517, RFC 8037)."""
        answer: dict[str, Any] = self._koppel.call("GET", f"{self._base}/v1/seal-keys")
        return answer

    def read_centralisation(
        self, dossier_id: str, *, from_: str, to: str, return_period: Literal["month", "quarter"] | None = None
    ) -> models.PagePeriodTotals:
        """Return takings, taxable base and VAT by rate in each return period: of every book, and of all together."""
        answer: models.PagePeriodTotals = self._koppel.call(
            "GET",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/centralisation",
            query={"from": from_, "to": to, "return_period": return_period},
        )
        return answer

    def add_cash_book(
        self, dossier_id: str, body: models.NewCashBook, *, idempotency_key: str | None = None
    ) -> models.CashBook:
        """Make a cash book, with what is in the drawer when it begins."""
        answer: models.CashBook = self._koppel.call(
            "POST",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/cash-books",
            body=body,
            idempotency_key=idempotency_key,
        )
        return answer

    def list_cash_books(
        self, dossier_id: str, *, limit: int | None = None, after: str | None = None
    ) -> models.PageCashBook:
        """List the cash books of a dossier, the oldest first."""
        answer: models.PageCashBook = self._koppel.call(
            "GET",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/cash-books",
            query={"limit": limit, "after": after},
        )
        return answer

    def iterate_cash_books(self, dossier_id: str) -> Iterator[models.CashBook]:
        """Go through all pages of ``list_cash_books``."""
        return self._koppel.items(f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/cash-books", {})

    def read_cash_book(self, dossier_id: str, cash_book_id: str) -> models.CashBook:
        """Return a cash book with its balance."""
        answer: models.CashBook = self._koppel.call(
            "GET", f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/cash-books/{quote(cash_book_id, safe='')}"
        )
        return answer

    def change_cash_book(self, dossier_id: str, cash_book_id: str, body: models.CashBookChanges) -> models.CashBook:
        """Change settings of a cash book, for what comes later."""
        answer: models.CashBook = self._koppel.call(
            "PATCH",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/cash-books/{quote(cash_book_id, safe='')}",
            body=body,
        )
        return answer

    def enter_cash_entries(
        self, dossier_id: str, cash_book_id: str, body: models.NewCashEntries
    ) -> models.EnteredEntries:
        """Enter lines of a day. Where the drawer has another balance than ``start_balance`` it is 409, with the one it has."""
        answer: models.EnteredEntries = self._koppel.call(
            "PUT",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/cash-books/{quote(cash_book_id, safe='')}/entries",
            body=body,
        )
        return answer

    def list_cash_entries(
        self, dossier_id: str, cash_book_id: str, *, limit: int | None = None, after: str | None = None
    ) -> models.PageCashEntry:
        """List the lines of a cash book, the latest first."""
        answer: models.PageCashEntry = self._koppel.call(
            "GET",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/cash-books/{quote(cash_book_id, safe='')}/entries",
            query={"limit": limit, "after": after},
        )
        return answer

    def iterate_cash_entries(self, dossier_id: str, cash_book_id: str) -> Iterator[models.CashEntry]:
        """Go through all pages of ``list_cash_entries``."""
        return self._koppel.items(
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/cash-books/{quote(cash_book_id, safe='')}/entries",
            {},
        )

    def list_cash_statements(
        self, dossier_id: str, cash_book_id: str, *, limit: int | None = None, after: str | None = None
    ) -> models.PageCashStatement:
        """List the statements of a cash book, the latest first."""
        answer: models.PageCashStatement = self._koppel.call(
            "GET",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/cash-books/{quote(cash_book_id, safe='')}/statements",
            query={"limit": limit, "after": after},
        )
        return answer

    def iterate_cash_statements(self, dossier_id: str, cash_book_id: str) -> Iterator[models.CashStatement]:
        """Go through all pages of ``list_cash_statements``."""
        return self._koppel.items(
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/cash-books/{quote(cash_book_id, safe='')}/statements",
            {},
        )

    def count_drawer(
        self, dossier_id: str, cash_book_id: str, body: models.NewCount, *, idempotency_key: str | None = None
    ) -> models.Count:
        """Say what was counted in the drawer; a difference changes nothing until a person confirms it."""
        answer: models.Count = self._koppel.call(
            "POST",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/cash-books/{quote(cash_book_id, safe='')}/counts",
            body=body,
            idempotency_key=idempotency_key,
        )
        return answer

    def list_counts(
        self, dossier_id: str, cash_book_id: str, *, limit: int | None = None, after: str | None = None
    ) -> models.PageCount:
        """List the counts of a drawer, the latest first."""
        answer: models.PageCount = self._koppel.call(
            "GET",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/cash-books/{quote(cash_book_id, safe='')}/counts",
            query={"limit": limit, "after": after},
        )
        return answer

    def iterate_counts(self, dossier_id: str, cash_book_id: str) -> Iterator[models.Count]:
        """Go through all pages of ``list_counts``."""
        return self._koppel.items(
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/cash-books/{quote(cash_book_id, safe='')}/counts",
            {},
        )

    def confirm_count(self, dossier_id: str, cash_book_id: str, count_id: str) -> models.Count:
        """Enter the difference of a count as a line of its own."""
        answer: models.Count = self._koppel.call(
            "POST",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/cash-books/{quote(cash_book_id, safe='')}/counts/{quote(count_id, safe='')}/confirm",
        )
        return answer

    def close_receipt_book(
        self, dossier_id: str, book_id: str, body: models.CloseThrough, *, idempotency_key: str | None = None
    ) -> models.Closed:
        """Enter the tickets of a receipt book and close it, and the cash book it is linked to, through a day.

        What was closed before stays as it is.
        """
        answer: models.Closed = self._koppel.call(
            "POST",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/receipt-books/{quote(book_id, safe='')}/close",
            body=body,
            idempotency_key=idempotency_key,
        )
        return answer

    def list_periods(
        self, dossier_id: str, book_id: str, *, limit: int | None = None, after: str | None = None
    ) -> models.PagePeriodItem:
        """List the closed periods of a receipt book, the latest first."""
        answer: models.PagePeriodItem = self._koppel.call(
            "GET",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/receipt-books/{quote(book_id, safe='')}/periods",
            query={"limit": limit, "after": after},
        )
        return answer

    def iterate_periods(self, dossier_id: str, book_id: str) -> Iterator[models.PeriodItem]:
        """Go through all pages of ``list_periods``."""
        return self._koppel.items(
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/receipt-books/{quote(book_id, safe='')}/periods", {}
        )

    def retry_hand_in(self, delivery_id: str) -> models.HandIn:
        """Hand in again what dossier-api refused, made anew; ``POST /dossier-api/v1/problems/{id}/retry`` asks this."""
        answer: models.HandIn = self._koppel.call(
            "POST", f"{self._base}/v1/deliveries/{quote(delivery_id, safe='')}/retry"
        )
        return answer

    def take_sales_invoice(
        self,
        dossier_id: str,
        body: dict[str, Any] | bytes,
        *,
        book_id: str | None = None,
        media_type: str = "application/json",
        idempotency_key: str | None = None,
    ) -> models.SalesInvoice:
        """Take an invoice or credit note as JSON, or as the UBL that it is (then ``book_id`` may name its book).

        It becomes a document of the dossier. A number is used once in a dossier, and is none that a book gives itself.
        """
        answer: models.SalesInvoice = self._koppel.call(
            "POST",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/sales-invoices",
            query={"book_id": book_id},
            body=body,
            media_type=media_type,
            idempotency_key=idempotency_key,
        )
        return answer

    def list_sales_invoices(
        self, dossier_id: str, *, limit: int | None = None, after: str | None = None
    ) -> models.PageSalesInvoice:
        """List the external invoices of a dossier, the newest first."""
        answer: models.PageSalesInvoice = self._koppel.call(
            "GET",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/sales-invoices",
            query={"limit": limit, "after": after},
        )
        return answer

    def iterate_sales_invoices(self, dossier_id: str) -> Iterator[models.SalesInvoice]:
        """Go through all pages of ``list_sales_invoices``."""
        return self._koppel.items(f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/sales-invoices", {})

    def read_sales_invoice(self, dossier_id: str, sales_invoice_id: str) -> models.SalesInvoice:
        """Return an external invoice and the document that it became."""
        answer: models.SalesInvoice = self._koppel.call(
            "GET",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/sales-invoices/{quote(sales_invoice_id, safe='')}",
        )
        return answer

    def add_invoice_book(
        self, dossier_id: str, body: models.NewInvoiceBook, *, idempotency_key: str | None = None
    ) -> models.InvoiceBook:
        """Make a book of external invoices. No number that its format can give may be one of another book of the dossier."""
        answer: models.InvoiceBook = self._koppel.call(
            "POST",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/invoice-books",
            body=body,
            idempotency_key=idempotency_key,
        )
        return answer

    def list_invoice_books(
        self, dossier_id: str, *, limit: int | None = None, after: str | None = None
    ) -> models.PageInvoiceBook:
        """List the books of external invoices, the oldest first."""
        answer: models.PageInvoiceBook = self._koppel.call(
            "GET",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/invoice-books",
            query={"limit": limit, "after": after},
        )
        return answer

    def iterate_invoice_books(self, dossier_id: str) -> Iterator[models.InvoiceBook]:
        """Go through all pages of ``list_invoice_books``."""
        return self._koppel.items(f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/invoice-books", {})

    def read_invoice_book(self, dossier_id: str, invoice_book_id: str) -> models.InvoiceBook:
        """Return a book of external invoices."""
        answer: models.InvoiceBook = self._koppel.call(
            "GET",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/invoice-books/{quote(invoice_book_id, safe='')}",
        )
        return answer

    def change_invoice_book(
        self, dossier_id: str, invoice_book_id: str, body: models.InvoiceBookChanges
    ) -> models.InvoiceBook:
        """Change settings of a book, for invoices that come later. A setting that is null is taken away."""
        answer: models.InvoiceBook = self._koppel.call(
            "PATCH",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/invoice-books/{quote(invoice_book_id, safe='')}",
            body=body,
        )
        return answer

    def set_registers(self, dossier_id: str, body: models.Registers) -> models.Registers:
        """Say which receipt book each register, or each location, writes to. The list takes the place of the one before."""
        answer: models.Registers = self._koppel.call(
            "PUT", f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/registers", body=body
        )
        return answer

    def list_registers(self, dossier_id: str) -> models.Registers:
        """List the registers of a dossier and the books that they write to."""
        answer: models.Registers = self._koppel.call(
            "GET", f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/registers"
        )
        return answer

    def add_tickets(self, dossier_id: str, body: list[Any]) -> list[models.TicketResult]:
        """Take up to 5,000 tickets, each once by its register and receipt; the answers stand in the order of the tickets.

        Sent again, with an ``Idempotency-Key`` or without, each ticket that was taken is answered as a ``duplicate``.
        """
        answer: list[models.TicketResult] = self._koppel.call(
            "POST", f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/tickets", body=body
        )
        return answer

    def finish_day(self, dossier_id: str, book_id: str, date: str) -> models.FinishedDay:
        """Enter the tickets up to and with a day. It happens by itself after midnight; what comes later is a correction."""
        answer: models.FinishedDay = self._koppel.call(
            "POST",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/receipt-books/{quote(book_id, safe='')}/days/{quote(date, safe='')}/finish",
        )
        return answer

    def set_z_totals(self, dossier_id: str, register: str, date: str, body: models.ZReportInput) -> models.ZTotals:
        """Compare the till's own totals of a day with its tickets. A difference stays open until tickets or a person solve it."""
        answer: models.ZTotals = self._koppel.call(
            "PUT",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/registers/{quote(register, safe='')}/days/{quote(date, safe='')}/z-totals",
            body=body,
        )
        return answer

    def read_z_totals(self, dossier_id: str, register: str, date: str) -> models.ZTotals:
        """Return the till's own totals of a day beside those of its tickets."""
        answer: models.ZTotals = self._koppel.call(
            "GET",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/registers/{quote(register, safe='')}/days/{quote(date, safe='')}/z-totals",
        )
        return answer

    def accept_tickets(self, dossier_id: str, register: str, date: str, body: models.Acceptance) -> models.ZTotals:
        """Take the figures of the tickets for right, with a reason."""
        answer: models.ZTotals = self._koppel.call(
            "POST",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/registers/{quote(register, safe='')}/days/{quote(date, safe='')}/z-totals/accept",
            body=body,
        )
        return answer

    def list_ticket_problems(self, dossier_id: str) -> models.TicketProblems:
        """List what of the tickets waits for a person."""
        answer: models.TicketProblems = self._koppel.call(
            "GET", f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/ticket-problems"
        )
        return answer

    def list_cash_movements(
        self, dossier_id: str, *, limit: int | None = None, after: str | None = None
    ) -> models.PageCashMovement:
        """List what tickets put in the drawer or took from it, the latest first."""
        answer: models.PageCashMovement = self._koppel.call(
            "GET",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/cash-movements",
            query={"limit": limit, "after": after},
        )
        return answer

    def iterate_cash_movements(self, dossier_id: str) -> Iterator[models.CashMovement]:
        """Go through all pages of ``list_cash_movements``."""
        return self._koppel.items(f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/cash-movements", {})

    def explain_cash_movement(
        self, dossier_id: str, cash_movement_id: str, body: models.CashMovementKind
    ) -> models.CashMovement:
        """Say what money was that a till put in the drawer or took from it."""
        answer: models.CashMovement = self._koppel.call(
            "POST",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/cash-movements/{quote(cash_movement_id, safe='')}/explain",
            body=body,
        )
        return answer

    def add_key(self, dossier_id: str, body: models.NewKey, *, idempotency_key: str | None = None) -> models.MadeKey:
        """Make a key for a till that speaks Scrada's API. Its password is shown this once."""
        answer: models.MadeKey = self._koppel.call(
            "POST",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/scrada-keys",
            body=body,
            idempotency_key=idempotency_key,
        )
        return answer

    def list_keys(self, dossier_id: str) -> models.Keys:
        """List the keys of a dossier, without their passwords."""
        answer: models.Keys = self._koppel.call(
            "GET", f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/scrada-keys"
        )
        return answer

    def revoke_key(self, dossier_id: str, key_id: str) -> None:
        """Revoke a key; its till is refused from now on."""
        self._koppel.call(
            "DELETE", f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/scrada-keys/{quote(key_id, safe='')}"
        )

    def export_firm_data(self, firm_id: str) -> bytes:
        """Stream everything that this service holds of a firm: a line for each row, ``{"table": …, "row": {…}}``, without secrets.

        The last line is ``{"end": true, "rows": …}``; without it the stream broke off.
        """
        answer: bytes = self._koppel.call("GET", f"{self._base}/v1/firms/{quote(firm_id, safe='')}/data")
        return answer

    def delete_firm_data(self, firm_id: str, *, confirm: str | None = None) -> models.DeletedData:
        """Delete what this service holds of a firm that leaves, but for what a duty keeps.

        It works for some seconds; the service goes on by itself until ``complete``, and this call may be repeated meanwhile.
        """
        answer: models.DeletedData = self._koppel.call(
            "DELETE", f"{self._base}/v1/firms/{quote(firm_id, safe='')}/data", query={"confirm": confirm}
        )
        return answer

    def show_firm_holdings(self, firm_id: str) -> models.FirmHoldings:
        """Say what this service holds of a firm: how many rows of each table, and how many stay until when, and why."""
        answer: models.FirmHoldings = self._koppel.call(
            "GET", f"{self._base}/v1/firms/{quote(firm_id, safe='')}/holdings"
        )
        return answer
