"""Bodies of the routes of cash books."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from koppel_ubl.identifiers import is_iban
from pos_ingest.fields import Amount, BusinessDay, Name, Reference, Whole

from .lines import BY_HAND, CashKind, Movement

ENTRIES_MAX = 1000
Remark = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=r"^[^\x00-\x1f]*$")]
# "/" stands between the parts of a line's message (R133); only the last part, the remark, may hold one.
Part = Annotated[str, StringConstraints(strip_whitespace=True, max_length=70, pattern=r"^[^\x00-\x1f/]*$")]


def _iban(text: str) -> str:
    number = text.replace(" ", "").upper()
    if not is_iban(number):
        raise ValueError("not an IBAN: its check digits are wrong")
    return number


def _by_hand(kind: CashKind) -> CashKind:
    if kind not in BY_HAND:
        raise ValueError(f"{kind} is not entered by hand: it follows from receipts or a count")
    return kind


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CodaSettings(_Body):
    """How often a statement is made, and how it writes a day of receipts."""

    period: Literal["day", "week", "month"] = "month"
    week_starts_on: Whole = Field(1, ge=0, le=6, description="0 is Sunday")
    lines: Literal["one", "two"] = Field(
        "two",
        description="Receipts of a day: what of them is cash in one line, or all of them in and each other method out again",
    )


class TillKinds(_Body):
    """What money is that a till says was put in the drawer or taken from it, and says no more of."""

    cash_in: Literal["BACA", "PRDE"] | None = Field(None, description="None: a person is asked each time")
    cash_out: Literal["CABA", "PRTA"] | None = None


class NewCashBook(_Body):
    """A cash book to make."""

    name: Name
    iban: Annotated[str, StringConstraints(max_length=42), AfterValidator(_iban)] | None = Field(
        None, description="Under which the package knows it; unset: one of its own that no bank has"
    )
    start_date: BusinessDay
    start_balance: Amount = Field(ge=0)
    coda: CodaSettings = CodaSettings()
    till: TillKinds = TillKinds()


class CashBookChanges(_Body):
    """What to change of a cash book; what is not named stays. It is for what comes later."""

    name: Name = ""
    coda: CodaSettings = CodaSettings()
    till: TillKinds = TillKinds()


class CashBook(BaseModel):
    """A cash book."""

    id: UUID
    dossier_id: UUID
    name: str
    iban: str
    start_date: date
    start_balance: Decimal
    balance: Decimal = Field(description="What is in the drawer: the start_balance of the next entries")
    last_entry_date: date | None
    minimum_date: date = Field(description="No line goes before this day")
    closed_through: date | None
    coda: CodaSettings
    till: TillKinds


class NewCashEntry(_Body):
    """A line to enter."""

    kind: Annotated[CashKind, AfterValidator(_by_hand)] = Field(examples=["BACA"])
    amount: Amount = Field(description="Positive for money that comes into the drawer")
    remark: Remark = ""
    party: Part = Field("", description="Of a payment: who paid or was paid")
    invoice_number: Part = Field("", description="Of a payment: which invoice it is for")
    external_reference: Reference | None = None

    def movement(self) -> Movement:
        """Return what it does to the drawer."""
        return Movement(self.kind, self.amount, self.remark, self.party, self.invoice_number)


class NewCashEntries(_Body):
    """Lines of a day; the balances say what their sender knows of the drawer."""

    date: BusinessDay
    start_balance: Amount
    end_balance: Amount
    entries: list[NewCashEntry] = Field(min_length=1, max_length=ENTRIES_MAX)

    @model_validator(mode="after")
    def _each_reference_once(self) -> Self:
        references = [each.external_reference for each in self.entries if each.external_reference]
        if len(set(references)) != len(references):
            raise ValueError("two entries have the same external_reference")
        return self


class CashEntry(BaseModel):
    """A line of a cash book."""

    id: UUID
    seq: int
    date: date
    kind: CashKind
    amount: Decimal
    balance: Decimal = Field(description="Of the drawer after it")
    message: str = Field(description="As the statement has it")
    external_reference: str | None
    entered_by: str
    entered_at: datetime


class EnteredEntries(BaseModel):
    """What was entered, in order, and what is in the drawer now."""

    items: list[CashEntry]
    balance: Decimal


class NewCount(_Body):
    """What a person counted in the drawer."""

    date: BusinessDay
    counted: Amount = Field(ge=0)
    remark: Remark = ""


class Count(BaseModel):
    """A count of the drawer, and how it differs from the book."""

    id: UUID
    date: date
    counted: Decimal
    balance: Decimal = Field(description="What the book said")
    difference: Decimal
    state: Literal["equal", "open", "confirmed"]
    remark: str
    counted_by: str
    confirmed_by: str | None
    confirmed_at: datetime | None
    entry_id: UUID | None = Field(description="The entry of the difference")


class CashStatement(BaseModel):
    """A statement of a cash book."""

    id: UUID
    number: int
    starts_on: date
    ends_on: date
    opening: Decimal
    closing: Decimal
    document_id: UUID | None = Field(
        description="Of the document that it is in the dossier; empty until dossier-api has it"
    )
