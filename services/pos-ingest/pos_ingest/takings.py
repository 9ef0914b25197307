"""A day's takings as they are handed over, and as they stand in an entry."""

import hashlib
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from koppel_mesh.http.dates import Day
from koppel_mesh.ids import new_id
from koppel_receipts import canonical, written

from .fields import Amount, Method, Percent, Reference, Text, Whole

LINES_MAX = 1000
PAYMENTS_MAX = 50


class Kind(StrEnum):
    """What a line is in the book."""

    NORMAL = "normal"
    SINGLE = "single"
    CORRECTION = "correction"
    CLOSED = "closed"


class Item(StrEnum):
    """What was sold or given back, where VAT treats it in a way of its own."""

    SALE = "sale"
    REFUND = "refund"
    TIP = "tip"
    GIFT_CARD = "gift_card"
    MULTI_PURPOSE_VOUCHER = "multi_purpose_voucher"
    SINGLE_PURPOSE_VOUCHER = "single_purpose_voucher"
    DOWN_PAYMENT = "down_payment"
    RETURNABLE_PACKAGING = "returnable_packaging"
    CASH_ROUNDING = "cash_rounding"


class TakingsLine(BaseModel):
    """Takings of a day at one VAT rate, or one thing that stands by itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: Kind = Kind.NORMAL
    item: Item = Field(Item.SALE, description="Not given, a negative amount of a normal or single line is a refund")
    vat_category: str = Field("S", pattern="^(S|Z|E|AE|K|G|O)$", description="As EN 16931 codes it")
    vat_rate: Percent = Field(Decimal(0), description="In percent")
    amount: Amount = Field(description="Including VAT")
    description: Text | None = Field(None, description="What was sold, or why it is corrected")
    exemption: str | None = Field(
        None, pattern="^VATEX-[A-Z0-9-]{2,30}$", description="Why there is no VAT (CEF VATEX code)"
    )
    corrects_date: Day | None = None
    invoice_number: Text | None = Field(None, description="Of the invoice that was made of it later")
    sales: Whole | None = Field(None, ge=1, le=1_000_000, description="How many sales it is the total of")
    largest_sale: Amount | None = Field(None, description="The largest single sale within it")

    @model_validator(mode="after")
    def _given_back(self) -> Self:
        # Where more of a rate was given back than sold, not every till has a word for it: Scrada's lines have no item.
        if "item" not in self.model_fields_set and self.amount < 0 and self.kind in (Kind.NORMAL, Kind.SINGLE):
            object.__setattr__(self, "item", Item.REFUND)
        return self

    def content(self) -> dict[str, Any]:
        """Return the line as it stands in an entry."""
        said = self.model_dump(mode="json", exclude_none=True, exclude={"amount", "vat_rate", "largest_sale"})
        amounts = {"amount": written(self.amount), "vat_rate": f"{self.vat_rate.normalize():f}"}
        if self.largest_sale is not None:
            amounts["largest_sale"] = written(self.largest_sale)
        return said | amounts


class Payment(BaseModel):
    """What was paid by one method."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    method: Method = Field(
        description="cash, gift_card, or as the entrepreneur calls it", examples=["cash", "Bancontact"]
    )
    amount: Amount


class DayTakings(BaseModel):
    """What is entered for a day, once for each reference."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    external_reference: Reference
    lines: list[TakingsLine] = Field(min_length=1, max_length=LINES_MAX)
    payments: list[Payment] | None = Field(
        None, max_length=PAYMENTS_MAX, description="Needed where there is a cash book"
    )

    def content(self, by: str) -> dict[str, Any]:
        """Return what stands in the entry; each line gets an id."""
        paid = None
        if self.payments is not None:
            paid = [{"method": each.method, "amount": written(each.amount)} for each in self.payments]
        lines = [{"id": str(new_id()), **line.content()} for line in self.lines]
        return {"external_reference": self.external_reference, "entered_by": by, "lines": lines, "payments": paid}

    def sent_hash(self, on: date) -> str:
        """Return by which the same takings of the same day are known again."""
        sent = self.content("") | {"date": on.isoformat(), "lines": [line.content() for line in self.lines]}
        return hashlib.sha256(canonical(sent)).hexdigest()


def closed_day(reason: str) -> dict[str, Any]:
    """Return what stands in the entry of a day on which nothing was entered."""
    line = TakingsLine(kind=Kind.CLOSED, vat_category="O", amount=Decimal(0), description=reason)
    content = {"id": str(new_id()), **line.content()}
    return {"external_reference": None, "entered_by": "pos-ingest", "lines": [content], "payments": None}
