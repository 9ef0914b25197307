"""The counterparty in ``crm/Accounts``: the filters that find it, and the body that creates it."""

from typing import Any, Final

from koppel_bookkeeping import Party, Side
from koppel_bookkeeping.parties import bare_number, vat_number_spellings
from koppel_connector import odata

NAME_LENGTH_MAX: Final = 50


def search_terms(party: Party) -> list[str]:
    """Return the filter terms that together find every relation that could be recognised as this party, the surest first."""
    terms = [f"VATNumber eq {odata.text(spelling)}" for spelling in vat_number_spellings(party.vat_number)]
    terms.append(f"Name eq {odata.text(party.name[:NAME_LENGTH_MAX])}")
    if enterprise_number := bare_number(party.enterprise_number):
        terms.append(f"ChamberOfCommerce eq {odata.text(enterprise_number)}")
    if party.code:
        terms.append(f"trim(Code) eq {odata.text(party.code)}")
    return terms


def creation(party: Party, side: Side) -> dict[str, Any]:
    """Return the body that creates the relation, with the role that the entry needs."""
    body = {
        "Name": party.name[:NAME_LENGTH_MAX],
        "VATNumber": bare_number(party.vat_number),
        "ChamberOfCommerce": bare_number(party.enterprise_number),
        "AddressLine1": party.street[:100],
        "Postcode": party.postcode[:20],
        "City": party.city[:100],
        "Country": party.country,
        "Email": party.email[:250],
        "Phone": party.phone[:50],
    }
    return {name: value for name, value in body.items() if value} | role(side)


def role(side: Side) -> dict[str, Any]:
    """Return the field that gives a relation its role; a PUT that also carries Code fails (§3.4)."""
    return {"Status": "C"} if side == "sale" else {"IsSupplier": True}
