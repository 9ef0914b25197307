"""The books of an invented vendor, small enough to read, for the tests of the choices."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from koppel_bookkeeping import Booking, from_ubl
from koppel_bookkeeping.sides import Side
from koppel_bookkeeping.vat_situation import VatSituation
from koppel_mesh.messages import DocumentKind

SAMPLES = Path(__file__).parent / "samples"


@dataclass(frozen=True)
class Journal:
    code: str
    side: Side
    blocked: bool = False

    @property
    def name(self) -> str:
        return f"Journal {self.code}"

    def serves(self, side: Side) -> bool:
        return self.side == side


@dataclass(frozen=True)
class CurrencyJournal:
    code: str
    currency: str
    foreign_currency: bool = False


@dataclass(frozen=True)
class Account:
    code: str
    blocked: bool = False
    takes_lines: bool = True

    @property
    def name(self) -> str:
        return f"Account {self.code}"


@dataclass(frozen=True)
class VatCode:
    code: str
    percentage: Decimal
    side: Side
    category: str = "S"
    blocked: bool = False
    unusable: str | None = None

    @property
    def computes_vat(self) -> bool:
        return self.category == "S" and self.percentage > 0

    def serves(self, side: Side) -> bool:
        return self.side == side

    def can_mean(self, situation: VatSituation) -> bool:
        return situation.category == self.category and (self.category != "S" or situation.rate == self.percentage)


@dataclass(frozen=True)
class Relation:
    code: str
    name: str
    vat_number: str = ""
    enterprise_number: str = ""
    blocked: bool = False
    sides: tuple[Side, ...] = ("sale",)

    def has_role(self, side: Side) -> bool:
        return side in self.sides

    def is_numbered(self, code: str) -> bool:
        return code == self.code


def sample(name: str, kind: DocumentKind | str) -> Booking:
    return from_ubl.booking((SAMPLES / f"{name}.xml").read_bytes(), DocumentKind(kind))
