"""Small values that several bodies share: text without control characters, money, enterprise numbers."""

from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from koppel_bookkeeping import document
from koppel_bookkeeping.document import Currency
from koppel_bookkeeping.fileable import amount_problem
from koppel_ubl.identifiers import normalise_enterprise_number


def _printable(text: str) -> str:
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise ValueError("control characters are not allowed")
    return text


def _enterprise_number(text: str) -> str:
    number = normalise_enterprise_number(text)
    if number is None:
        raise ValueError("not a Belgian enterprise number: ten digits, the last two are 97 minus the rest modulo 97")
    return number


def _storable(amount: Decimal) -> Decimal:
    if (reason := amount_problem(amount)) is not None:
        raise ValueError(reason)
    return amount


Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(_printable)
]
Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60), AfterValidator(_printable)]
LineId = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1), AfterValidator(_printable)]
"""As long as the document makes it: UBL sets no limit."""
EnterpriseNumber = Annotated[str, StringConstraints(max_length=30), AfterValidator(_enterprise_number)]
Amount = Annotated[document.Amount, AfterValidator(_storable)]
"""An amount as the document of the contract has it, no longer than any invoice's."""


class Request(BaseModel):
    """A body that callers write: a name we do not know is a mistake they want to hear of."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Money(BaseModel):
    """An amount in a currency."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    amount: Amount
    currency: Currency = "EUR"
