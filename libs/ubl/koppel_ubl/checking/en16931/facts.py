"""Facts about a document that many rules of EN 16931 use, each worked out at its first use."""

from koppel_ubl.checking.engine import Facts, Group, cached_by_document

from .terms import is_vat


@cached_by_document
def seller_has_tax_number(facts: Facts) -> bool:
    """Return whether the seller has a VAT number or another tax registration."""
    return any(scheme.has("cbc:CompanyID") for scheme in _schemes(facts, "cac:AccountingSupplierParty"))


@cached_by_document
def seller_has_vat_number(facts: Facts) -> bool:
    """Return whether the seller has a VAT number."""
    return _has_vat_number(_schemes(facts, "cac:AccountingSupplierParty"))


@cached_by_document
def buyer_has_vat_number(facts: Facts) -> bool:
    """Return whether the buyer has a VAT number."""
    return _has_vat_number(_schemes(facts, "cac:AccountingCustomerParty"))


@cached_by_document
def representative_has_vat_number(facts: Facts) -> bool:
    """Return whether the seller's tax representative has a VAT number."""
    representatives = facts.tree.all("cac:TaxRepresentativeParty")
    return _has_vat_number([scheme for party in representatives for scheme in party.groups("cac:PartyTaxScheme")])


@cached_by_document
def buyer_is_registered(facts: Facts) -> bool:
    """Return whether the buyer has a registration number."""
    return any(
        entity.has("cbc:CompanyID")
        for party in facts.tree.all("cac:AccountingCustomerParty")
        for entity in party.all("cac:Party", "cac:PartyLegalEntity")
    )


def _schemes(facts: Facts, party: str) -> list[Group]:
    return [scheme for one in facts.tree.all(party) for scheme in one.all("cac:Party", "cac:PartyTaxScheme")]


def _has_vat_number(schemes: list[Group]) -> bool:
    return any(scheme.has("cbc:CompanyID") and is_vat(scheme) for scheme in schemes)
