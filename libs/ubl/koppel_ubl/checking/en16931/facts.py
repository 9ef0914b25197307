"""What many rules of EN 16931 ask about one document, found once and only when asked."""

from functools import cached_property

from koppel_ubl.checking.tree import Group, Tree

from .terms import is_vat
from .vat_sums import VatSums


class Facts:
    """The document, and what follows from it."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.root = tree.root

    @cached_property
    def vat(self) -> VatSums:
        """Where which VAT category is used, and for how much."""
        return VatSums(self.tree)

    @cached_property
    def seller_has_tax_number(self) -> bool:
        """Whether the seller has a VAT number or another tax registration."""
        return any("cbc:CompanyID" in scheme.values for scheme in self._schemes("cac:AccountingSupplierParty"))

    @cached_property
    def seller_has_vat_number(self) -> bool:
        """Whether the seller has a VAT number."""
        return _has_vat_number(self._schemes("cac:AccountingSupplierParty"))

    @cached_property
    def buyer_has_vat_number(self) -> bool:
        """Whether the buyer has a VAT number."""
        return _has_vat_number(self._schemes("cac:AccountingCustomerParty"))

    @cached_property
    def representative_has_vat_number(self) -> bool:
        """Whether the seller's tax representative has a VAT number."""
        representatives = self.tree.all("cac:TaxRepresentativeParty")
        return _has_vat_number([scheme for party in representatives for scheme in party.all("cac:PartyTaxScheme")])

    @cached_property
    def buyer_is_registered(self) -> bool:
        """Whether the buyer has a registration number."""
        return any(
            "cbc:CompanyID" in entity.values
            for party in self.tree.all("cac:AccountingCustomerParty")
            for entity in party.all("cac:Party", "cac:PartyLegalEntity")
        )

    def _schemes(self, party: str) -> list[Group]:
        return [scheme for one in self.tree.all(party) for scheme in one.all("cac:Party", "cac:PartyTaxScheme")]


def _has_vat_number(schemes: list[Group]) -> bool:
    return any("cbc:CompanyID" in scheme.values and is_vat(scheme) for scheme in schemes)
