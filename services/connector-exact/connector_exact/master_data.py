"""Exact's GLAccounts, Journals, VATCodes, PaymentConditions and Accounts (relations), as typed values read from its rows.

Codes are what a person sees (trimmed); ids and raw codes are what the vendor wants back.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Final

from koppel_bookkeeping import Side
from koppel_bookkeeping.vat_situation import Supply, Territory, VatSituation
from koppel_connector import odata, values
from koppel_connector.ledger.records import Columns, TypedRecord
from koppel_connector.ledger.relations import RelationRecord

SALES_JOURNAL_TYPES: Final = frozenset({20, 21})
PURCHASE_JOURNAL_TYPES: Final = frozenset({22, 23})
FINANCIAL_JOURNAL_TYPES: Final = frozenset({10, 12})
# Cash, bank, receivable, payable, VAT.
FORBIDDEN_ACCOUNT_TYPES: Final = frozenset({10, 12, 20, 22, 24})


def _raw(code: Any) -> str:
    """Return a code as Exact wants it back, padding included."""
    return code if isinstance(code, str) else values.text(code)


def _percent(fraction: Any) -> Decimal:
    return ((values.decimal(fraction) or Decimal(0)) * 100).quantize(Decimal("0.0001")).normalize()


def _text_or(absent: str) -> Callable[[Any], str]:
    return lambda value: values.text(value) or absent


_IDENTITY: Final[Columns] = {
    "id": ("ID", odata.same_guid),
    "code": ("Code", values.text),
    "name": ("Description", values.text),
}
_LEDGER_ACCOUNT: Final[Columns] = {
    **_IDENTITY,
    "type": ("Type", values.whole),
    "blocked": ("IsBlocked", values.flag),
}
_JOURNAL: Final[Columns] = {
    **_IDENTITY,
    "type": ("Type", values.whole),
    "blocked": ("IsBlocked", values.flag),
    "currency": ("Currency", values.text),
    "foreign_currency": ("AllowVariableCurrency", values.flag),
    "own_rate": ("AllowVariableExchangeRate", values.flag),
    "iban": ("BankAccountIBAN", values.compact),
}
_VAT_CODE: Final[Columns] = {
    **_IDENTITY,
    "raw_code": ("Code", _raw),
    "percentage": ("Percentage", _percent),
    "type": ("Type", values.text),
    "transaction_type": ("VATTransactionType", _text_or("B")),
    "charged": ("Charged", values.flag),
    "eu_listing": ("EUSalesListing", _text_or("N")),
    "intrastat": ("IntraStat", values.flag),
    "blocked": ("IsBlocked", values.flag),
}
# Entries name it by its code, and of an ID no source speaks (§3.5).
_PAYMENT_CONDITION: Final[Columns] = {**_IDENTITY, "id": ("Code", values.text)}
_RELATION: Final[Columns] = {
    **_IDENTITY,
    "name": ("Name", values.text),
    "vat_number": ("VATNumber", values.text),
    "enterprise_number": ("ChamberOfCommerce", values.text),
    "country": ("Country", values.text),
    "status": ("Status", values.text),
    "is_supplier": ("IsSupplier", values.flag),
    "blocked": ("Blocked", values.flag),
    "sales_account_id": ("GLAccountSales", odata.same_guid),
    "purchase_account_id": ("GLAccountPurchase", odata.same_guid),
    "email": ("Email", values.text),
    "sales_condition": ("PaymentConditionSales", values.text),
    "purchase_condition": ("PaymentConditionPurchase", values.text),
}


@dataclass(frozen=True)
class LedgerAccount(TypedRecord):
    """One account of the chart (``financial/GLAccounts``)."""

    kind: ClassVar[str] = "ledger_account"
    columns: ClassVar[Columns] = _LEDGER_ACCOUNT

    type: int
    blocked: bool

    @property
    def takes_lines(self) -> bool:
        """Whether a line of an entry may use it ("Invalid: G/L account type", §5.1)."""
        return self.type not in FORBIDDEN_ACCOUNT_TYPES


@dataclass(frozen=True)
class Journal(TypedRecord):
    """One journal (``financial/Journals``); entries name it by code, never by GUID."""

    kind: ClassVar[str] = "journal"
    columns: ClassVar[Columns] = _JOURNAL

    type: int
    blocked: bool
    currency: str
    foreign_currency: bool
    own_rate: bool
    iban: str = ""

    @property
    def is_financial(self) -> bool:
        """Whether bank or cash movements belong in it, by its Type (§3.5)."""
        return self.type in FINANCIAL_JOURNAL_TYPES

    def serves(self, side: Side) -> bool:
        """Whether entries of this side belong in it, by its Type (§3.5)."""
        return self.type in (SALES_JOURNAL_TYPES if side == "sale" else PURCHASE_JOURNAL_TYPES)


@dataclass(frozen=True)
class VatCode(TypedRecord):
    """One VAT code (``vat/VATCodes``). ``percentage`` is a percentage here; Exact stores the fraction."""

    kind: ClassVar[str] = "vat_code"
    columns: ClassVar[Columns] = _VAT_CODE

    raw_code: str
    percentage: Decimal
    type: str
    transaction_type: str
    charged: bool
    eu_listing: str
    intrastat: bool
    blocked: bool

    @property
    def computes_vat(self) -> bool:
        """Whether an amount of VAT is booked per line and added to what the relation owes."""
        return self.type == "E" and self.percentage > 0 and not self.charged

    @property
    def unusable(self) -> str | None:
        """With an inclusive code Exact reads the line's amount as including VAT (§5.3b)."""
        return "vat_code_inclusive" if self.type == "I" else None

    def serves(self, side: Side) -> bool:
        """Whether Exact allows the code on this side of the books (``VATTransactionType``)."""
        return self.transaction_type in {"B", "S" if side == "sale" else "P"}

    @property
    def is_of_union(self) -> bool:
        """Whether it is for trade with other countries of the Union."""
        return self.eu_listing != "N" or self.intrastat

    def can_mean(self, situation: VatSituation) -> bool:
        """Whether the properties of the code say what the situation is (§3.5)."""
        if situation.is_rated:
            return self.computes_vat and not self.is_of_union and self.percentage == situation.rate
        match situation.category:
            case "AE" if situation.territory == Territory.UNION:
                # Goods to the Union are K; under AE only what names them as goods is.
                return self._trades(situation.side, situation.supply or Supply.SERVICES)
            case "AE" if situation.side == "sale" and situation.territory == Territory.OUTSIDE:
                return self.type in "EB" and self._is_plain
            case "AE":
                # The invoice says 0 %; a purchase code carries the rate that is owed and claimed at once.
                return self.type in "EB" and self.charged and not self.is_of_union
            case "K" if situation.territory != Territory.OUTSIDE:
                return self._trades(situation.side, situation.supply or Supply.GOODS)
            case "O":
                return self.type in "EBN" and self._is_plain
            case "G" if situation.side == "purchase":
                # VAT paid at the customs, or deferred to the return: no property of a code shows which the importer does.
                return False
            case "Z" | "E" | "G":
                return self.type in "EB" and self._is_plain
            case _:
                return False

    @property
    def _is_plain(self) -> bool:
        return self.percentage == 0 and not self.charged and not self.is_of_union

    def _trades(self, side: Side, supply: Supply) -> bool:
        """Whether it is for this supply to or from another country of the Union, by the letter of the listing."""
        no_vat_on_invoice = self.charged if side == "purchase" else self.percentage == 0
        return self.type in "EB" and no_vat_on_invoice and supply == self._supply

    @property
    def _supply(self) -> Supply | None:
        match self.eu_listing:
            case "S":
                return None if self.intrastat else Supply.SERVICES
            case "T":
                return Supply.TRIANGULAR
            case "L":
                return Supply.GOODS
            case _:
                return Supply.GOODS if self.intrastat else None


@dataclass(frozen=True)
class PaymentCondition(TypedRecord):
    """One payment condition (``cashflow/PaymentConditions``)."""

    kind: ClassVar[str] = "payment_condition"
    columns: ClassVar[Columns] = _PAYMENT_CONDITION


@dataclass(frozen=True)
class Relation(RelationRecord):
    """One customer and/or supplier (``crm/Accounts``: one table for both)."""

    columns: ClassVar[Columns] = _RELATION

    country: str
    status: str
    is_supplier: bool
    sales_account_id: str | None
    purchase_account_id: str | None
    email: str = ""
    sales_condition: str | None = None
    """Code of its own payment condition, empty when it has none; None when it was imported before this field was read."""
    purchase_condition: str | None = None

    @property
    def is_customer(self) -> bool:
        """Only an account of Status C can be the Customer of a SalesEntry ("Invalid: Customer (Type)", §3.4)."""
        return self.status == "C"

    def has_role(self, side: Side) -> bool:
        """Whether it can be the Customer or Supplier of an entry of this side (§3.4)."""
        return self.is_customer if side == "sale" else self.is_supplier

    def payment_condition(self, side: Side) -> str | None:
        """Return its own PaymentCondition, which Exact applies by itself; empty and None as in the fields."""
        return self.sales_condition if side == "sale" else self.purchase_condition

    def account_id(self, side: Side) -> str | None:
        """Return the id of the GLAccount that Exact proposes for this relation."""
        return self.sales_account_id if side == "sale" else self.purchase_account_id
