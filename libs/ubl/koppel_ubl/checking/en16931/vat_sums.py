"""Where each VAT category is used in a document, and for which amounts: looked up once for all category rules."""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from functools import cached_property

from koppel_ubl.checking.tree import Group, Tree
from koppel_ubl.checking.values import ZERO, decimal

from .terms import category_code, is_charge, is_vat

LINES = ("cac:InvoiceLine", "cac:CreditNoteLine")
Rate = Decimal | None
"""None stands for all rates of a category together."""


class VatSums:
    """Uses of VAT categories by code; ``…_vat`` counts only those whose tax scheme is VAT."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.lines: Counter[str] = Counter()
        self.lines_vat: Counter[str] = Counter()
        self.allowances_vat: Counter[str] = Counter()
        self.charges_vat: Counter[str] = Counter()
        self.either: Counter[str] = Counter()
        self.either_vat: Counter[str] = Counter()
        self.document_allowances_vat: Counter[str] = Counter()
        self.document_charges_vat: Counter[str] = Counter()
        self.charges_as_written_vat: Counter[str] = Counter()
        self.breakdown: Counter[str] = Counter()
        self.breakdown_vat: Counter[str] = Counter()
        self.breakdown_as_written: Counter[str] = Counter()
        self.breakdown_as_written_vat: Counter[str] = Counter()
        self.tax_categories_vat = {
            category_code(category)
            for category in tree.all("cac:TaxCategory")
            if "cbc:ID" in category.values and is_vat(category)
        }
        for category in tree.all("cac:ClassifiedTaxCategory"):
            _count(category, self.lines, self.lines_vat)
        for allowance_charge in tree.all("cac:AllowanceCharge"):
            self._count_allowance_charge(allowance_charge)
        for category in tree.root.all("cac:TaxTotal", "cac:TaxSubtotal", "cac:TaxCategory"):
            _count(category, self.breakdown, self.breakdown_vat)
            written = category.text("cbc:ID")
            self.breakdown_as_written[written] += 1
            self.breakdown_as_written_vat[written] += is_vat(category)

    @property
    def codes(self) -> set[str]:
        """Every code that is used anywhere."""
        return {*self.lines, *self.either, *self.breakdown, *self.tax_categories_vat}

    def is_used(self, code: str) -> bool:
        """Return whether a category of the scheme VAT is used anywhere, breakdowns included."""
        return self.lines_vat[code] > 0 or code in self.tax_categories_vat

    def has_at_rate(self, lines: str, code: str, rate: Decimal) -> bool:
        """Return whether a line of this name, or any allowance or charge, has the category at the rate."""
        return (lines, code, rate) in self._sums or (code, rate) in self._rates_of_allowances

    def sum(self, lines: str, code: str, rate: Rate = None) -> Decimal:
        """Return lines plus charges less allowances of the document, of one category and rate."""
        sums = self._sums
        return (
            sums.get((lines, code, rate), ZERO)
            + sums.get(("charge", code, rate), ZERO)
            - sums.get(("allowance", code, rate), ZERO)
        )

    def _count_allowance_charge(self, group: Group) -> None:
        categories = group.groups.get("cac:TaxCategory")
        if not categories:
            return
        charge = is_charge(group)
        of_document = group.parent is self._tree.root
        for category in categories:
            _count(category, self.either, self.either_vat)
            if charge is None or not is_vat(category):
                continue
            code = category_code(category)
            if charge:
                self.charges_vat[code] += 1
                self.charges_as_written_vat[category.text("cbc:ID")] += 1
                self.document_charges_vat[code] += of_document
            else:
                self.allowances_vat[code] += 1
                self.document_allowances_vat[code] += of_document

    @cached_property
    def _sums(self) -> dict[tuple[str, str, Rate], Decimal]:
        sums: dict[tuple[str, str, Rate], Decimal] = {}
        for name in LINES:
            for line in self._tree.root.groups.get(name, ()):
                _add(sums, name, line.all("cac:Item", "cac:ClassifiedTaxCategory"), line, "cbc:LineExtensionAmount")
        for group in self._tree.root.groups.get("cac:AllowanceCharge", ()):
            charge = is_charge(group)
            if charge is not None:
                categories = group.groups.get("cac:TaxCategory", [])
                _add(sums, "charge" if charge else "allowance", categories, group, "cbc:Amount")
        return sums

    @cached_property
    def _rates_of_allowances(self) -> set[tuple[str, Rate]]:
        return {
            (code, rate)
            for group in self._tree.all("cac:AllowanceCharge")
            for categories in (group.groups.get("cac:TaxCategory", []),)
            for code in map(category_code, categories)
            for rate in _rates(categories)
        }


def _count(category: Group, counts: Counter[str], counts_vat: Counter[str]) -> None:
    code = category_code(category)
    counts[code] += 1
    if is_vat(category):
        counts_vat[code] += 1


def _add(
    sums: dict[tuple[str, str, Rate], Decimal], kind: str, categories: list[Group], group: Group, amount_name: str
) -> None:
    amounts = group.values.get(amount_name)
    amount = decimal(amounts[0]) if amounts else ZERO
    rates: set[Rate] = {None, *_rates(categories)}
    for code in set(map(category_code, categories)):
        for rate in rates:
            key = (kind, code, rate)
            sums[key] = sums.get(key, ZERO) + amount


def _rates(categories: Iterable[Group]) -> Iterable[Decimal]:
    for category in categories:
        percents = category.values.get("cbc:Percent")
        if percents:
            yield decimal(percents[0])
