"""What people told Koppel about a document: journal and accounts of any, and all the data of a bare PDF (quick entry)."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from koppel_mesh.messages import DocumentKind

from .accounts import Wishes
from .amounts import rounded
from .booking import Booking, Item, Party, VatTotal, signed, with_vat
from .refusal import CannotBook

Json = Mapping[str, Any]


def wishes(document: Json) -> Wishes:
    """Return the choices made on the document and on the relation it was recognised as at intake (R142, R146)."""
    relation: Json = document.get("relation") or {}
    accounts = {str(line.get("id")): line.get("ledger_account") for line in document.get("lines") or []}
    return Wishes(
        journal=document.get("journal"),
        ledger_account=document.get("ledger_account"),
        by_line={line_id: account for line_id, account in accounts.items() if account},
        counterparty_journal=relation.get("journal"),
        counterparty_ledger_account=relation.get("ledger_account"),
    )


def entered(document: Json, kind: DocumentKind) -> Booking:
    """Return what a person entered beside a bare PDF; raise when it is not enough to book."""
    party: Json = document.get("counterparty") or {}
    money: Json = document.get("total") or {}
    vat = document.get("vat") or []
    if not (document.get("issue_date") and money.get("amount") and vat):
        raise CannotBook("document_unreadable", "no UBL, and no date, total and VAT entered by hand")
    total = _amount(money["amount"])
    totals = [
        VatTotal(str(each["category"]), _rate(each.get("rate")), _amount(each["base"]), _amount(each["tax"]))
        for each in vat
    ]
    issued_on = date.fromisoformat(str(document["issue_date"]))
    return signed(
        Booking(
            kind=kind,
            number=str(document.get("number") or issued_on.isoformat()),
            issued_on=issued_on,
            due_on=date.fromisoformat(str(document["due_date"])) if document.get("due_date") else None,
            currency=str(document.get("currency") or money.get("currency") or "EUR"),
            total=total,
            party=Party(
                str(party.get("name") or ""),
                vat_number=str(party.get("vat_number") or ""),
                enterprise_number=str(party.get("enterprise_number") or ""),
                country="BE" if party.get("enterprise_number") else "",
            ),
            items=with_vat(_items(document.get("lines") or [], totals), totals, total),
        )
    )


def _items(lines: list[Json], totals: list[VatTotal]) -> list[Item]:
    """Return the entered lines; where they have no amounts, one item per rate."""
    if lines and all(line.get("net") is not None and line.get("vat_category") for line in lines):
        return [
            Item(
                str(line["id"]),
                _amount(line["net"]),
                str(line["vat_category"]),
                _rate(line.get("vat_rate")),
                str(line.get("description") or ""),
            )
            for line in lines
        ]
    return [Item(None, group.net, group.category, group.rate, "") for group in totals]


def _amount(value: Any) -> Decimal:
    try:
        return rounded(Decimal(str(value)))
    except InvalidOperation as error:
        raise CannotBook("document_unreadable", f"amount {value!r}") from error


def _rate(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))
