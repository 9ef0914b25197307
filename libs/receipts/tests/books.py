"""Makes books for the tests: what pos-ingest keeps in tables, in a list."""

from collections.abc import Sequence
from typing import Any

from koppel_receipts import GENESIS, Entry, KeyPair, Sealed, Totals, add_totals, exporting, new_key

BOOK = "0199a000-0000-7000-8000-00000000b00c"
KEY_ID = "0199a000-0000-7000-8000-0000000000ce"
Day = tuple[str, Sequence[dict[str, str]]]


def line(amount: str, rate: str = "21", **more: str) -> dict[str, str]:
    return {"kind": "normal", "vat_category": "S", "vat_rate": rate, "amount": amount, **more}


class Book:
    """A chain in memory."""

    def __init__(self, key: KeyPair | None = None) -> None:
        self.key = key or new_key()
        self.items: list[dict[str, Any]] = []

    def add(self, on: str, *lines: dict[str, str], payments: list[dict[str, str]] | None = None) -> None:
        last = self.items[-1] if self.items else None
        if last and last["date"] < on:
            self.seal()
        content = {"external_reference": f"Z-{len(self.items)}", "lines": list(lines), "payments": payments}
        totals: Totals = add_totals(last["running_totals"] if last else {}, content)
        entry = Entry(
            book_id=BOOK,
            seq=len(self.items) + 1,
            at=f"{on}T20:00:{len(self.items) % 60:02}.000000Z",
            date=on,
            content=content,
            running_totals=totals,
            previous_hash=last["hash"] if last else GENESIS,
        )
        fields = ("seq", "at", "date", "content", "running_totals", "previous_hash")
        self.items.append({name: getattr(entry, name) for name in fields} | {"hash": entry.hash(), "seal": None})

    def seal(self) -> None:
        last = self.items[-1]
        says = Sealed(BOOK, last["seq"], last["date"], last["hash"], KEY_ID)
        last["seal"] = {"key_id": KEY_ID, "signature": says.sign(self.key.private)}

    def export(self) -> list[bytes]:
        jwk = {"kty": "OKP", "crv": "Ed25519", "kid": KEY_ID, "x": self.key.public}
        head = exporting.head({"id": BOOK, "name": "Bakkerij Peeters, Gent"}, [jwk])
        last_hash = self.items[-1]["hash"] if self.items else None
        return [
            head,
            *map(exporting.entry_line, self.items),
            exporting.end(head, len(self.items), last_hash, KEY_ID, self.key.private),
        ]


def three_days(key: KeyPair | None = None) -> Book:
    book = Book(key)
    book.add("2026-03-07", line("106.00", "6"), line("242.00"), payments=[{"method": "cash", "amount": "348.00"}])
    book.add("2026-03-08", {"kind": "closed", "vat_category": "O", "vat_rate": "0", "amount": "0.00"})
    book.add("2026-03-09", line("53.00", "6"))
    book.add(
        "2026-03-09", line("-106.00", "6", kind="correction", corrects_date="2026-03-07", description="invoiced later")
    )
    return book
