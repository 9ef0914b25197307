"""The small values every other part of the model is made of."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Identifier:
    """An identifier with the scheme it belongs to (`0208` = Belgian enterprise number, ISO 6523).

    `scheme_name` is what older Belgian files write instead (`KBO`, as agency name).
    """

    value: str
    scheme: str | None = None
    scheme_name: str | None = None


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number of units; `unit` is a UN/ECE Recommendation 20 code (`C62` one, `HUR` hour)."""

    value: Decimal
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Period:
    """BG-14, BG-26: from and to, both inclusive, either may be open."""

    start_on: date | None = None
    end_on: date | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """BG-1: free text (BT-22); the subject code (BT-21) stands in front of it as `#AAI#` in UBL."""

    text: str
    subject_code: str | None = None
