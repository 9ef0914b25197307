"""The counterparty in ``crm/Accounts``: the filters that find it, and the body that creates it."""

from collections.abc import Mapping
from typing import Any, Final

from koppel_bookkeeping import Party, Side
from koppel_bookkeeping.parties import bare_number, vat_number_spellings
from koppel_connector import odata

NAME_LENGTH_MAX: Final = 50
_FIELDS: Final[Mapping[str, tuple[str, int | None]]] = {
    "Name": ("name", NAME_LENGTH_MAX),
    "AddressLine1": ("street", 100),
    "Postcode": ("postcode", 20),
    "City": ("city", 100),
    "Country": ("country", None),
    "Email": ("email", 250),
    "Phone": ("phone", 50),
}


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
    numbers = {"VATNumber": party.vat_number, "ChamberOfCommerce": party.enterprise_number}
    bare = {name: plain for name, number in numbers.items() if (plain := bare_number(number))}
    return {**party.written(_FIELDS), **bare, **role(side)}


def role(side: Side) -> dict[str, Any]:
    """Return the field that gives a relation its role; a PUT that also carries Code fails (§3.4)."""
    return {"Status": "C"} if side == "sale" else {"IsSupplier": True}
