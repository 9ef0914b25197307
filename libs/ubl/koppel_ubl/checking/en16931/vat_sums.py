"""Where each VAT category is used in a document, and for which amounts: worked out once for all category rules."""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal

from koppel_ubl.checking.engine import ZERO, Facts, Group, Tree, amount, cached_by_document, cached_by_shape

from .terms import category_code, is_charge, is_vat

LINES = ("cac:InvoiceLine", "cac:CreditNoteLine")


class VatUses:
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
            if category.has("cbc:ID") and is_vat(category)
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

    def _count_allowance_charge(self, group: Group) -> None:
        categories = group.groups("cac:TaxCategory")
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


class VatSums:
    """The amounts of VAT categories, under the key of a category with its rate (``use_of``), and under its code alone."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._charges: dict[str, Decimal] = {}
        self._allowances: dict[str, Decimal] = {}
        self._lines: dict[str, dict[str, Decimal]] = {name: {} for name in LINES}
        for name, sums in self._lines.items():
            for line in tree.root.groups(name):
                _add(sums, _uses_of_line(line), amount(line, "cbc:LineExtensionAmount"))
        for group in tree.root.groups("cac:AllowanceCharge"):
            charge = is_charge(group)
            if charge is not None:
                _add(self._charges if charge else self._allowances, _uses_of_group(group), amount(group, "cbc:Amount"))

    def has(self, lines: str, use: str) -> bool:
        """Return whether a line of this name, or any allowance or charge, has the category at the rate."""
        if use in self._lines[lines]:
            return True
        return any(use in _uses_of_group(group) for group in self._tree.all("cac:AllowanceCharge"))

    def of(self, lines: str, use: str) -> Decimal:
        """Return lines plus charges less allowances of the document, of one category, with its rate or of any."""
        return self._lines[lines].get(use, ZERO) + self._charges.get(use, ZERO) - self._allowances.get(use, ZERO)


def _add(sums: dict[str, Decimal], uses: Iterable[str], value: Decimal | None) -> None:
    for use in uses:
        sums[use] = sums.get(use, ZERO) + (ZERO if value is None else value)


@cached_by_document
def uses(facts: Facts) -> VatUses:
    """Return where which VAT category is used."""
    return VatUses(facts.tree)


@cached_by_document
def sums(facts: Facts) -> VatSums:
    """Return for how much which VAT category is used."""
    return VatSums(facts.tree)


@cached_by_shape
def rate_of(category: Group) -> Decimal | None:
    """Return the rate of a category."""
    return amount(category, "cbc:Percent")


@cached_by_shape
def use_of(category: Group) -> str | None:
    """Return the key of a category with its rate; None where it has no rate."""
    rate = rate_of(category)
    return None if rate is None else _key(category_code(category), rate)


@cached_by_shape
def _uses_of_line(line: Group) -> tuple[str, ...]:
    return _uses(line.all("cac:Item", "cac:ClassifiedTaxCategory"))


@cached_by_shape
def _uses_of_group(group: Group) -> tuple[str, ...]:
    return _uses(group.groups("cac:TaxCategory"))


def _uses(categories: list[Group]) -> tuple[str, ...]:
    """Return every code alone and with every rate: where there is more than one category, the official rules mix them."""
    rates = {rate for category in categories if (rate := rate_of(category)) is not None}
    codes = set(map(category_code, categories))
    return (*codes, *(_key(code, rate) for code in codes for rate in rates))


def _key(code: str, rate: Decimal) -> str:
    # Rates that are equal have one key, however they are written; no code has a sign in it that XML cannot have.
    return f"{(rate + 0).normalize()}\0{code}"


def _count(category: Group, counts: Counter[str], counts_vat: Counter[str]) -> None:
    code = category_code(category)
    counts[code] += 1
    if is_vat(category):
        counts_vat[code] += 1
