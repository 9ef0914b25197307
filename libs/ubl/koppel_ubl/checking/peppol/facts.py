"""What several rules ask of a party."""

from koppel_ubl.checking.engine import Group

from .xpath import Path, string

_TAX_SCHEME_ID = Path("cac:TaxScheme/cbc:ID")
_COMPANY = Path("cbc:CompanyID")


def vat_numbers(party: Group) -> list[str]:
    """Return the party's registrations whose tax scheme is written exactly ``VAT``."""
    return [
        _COMPANY.text(scheme) for scheme in party.groups("cac:PartyTaxScheme") if "VAT" in _TAX_SCHEME_ID.texts(scheme)
    ]


def registrations(party: Group, scheme_id: str) -> list[str]:
    """Return the numbers the party has under a tax scheme, white space around the scheme's name left out."""
    return [
        string(company)
        for scheme in party.groups("cac:PartyTaxScheme")
        if _TAX_SCHEME_ID.value(scheme) == scheme_id
        for company in _COMPANY.each(scheme)
    ]
