"""A customer in Scrada's spellings, as tickets and sales invoices name one."""

import re
from collections.abc import Mapping
from typing import Any, Final

from koppel_ubl.identifiers import is_belgian_vat_number, normalise_enterprise_number

BELGIAN_ENTERPRISE_NUMBER: Final = 1
"""``taxNumberType``; the others are of other countries."""
BELGIUM: Final = "BE"
_SIGNS: Final = re.compile(r"[\s.\-/]+")


def customer_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the customer as ``InvoiceCustomer`` takes it; what is empty is left out, what is wrong stays as it is. Pure."""
    address = given.get("address")
    address = address if isinstance(address, Mapping) else {}
    street = " ".join(str(address[name]) for name in ("street", "streetNumber", "streetBox") if address.get(name))
    country = _country(address.get("countryCode"))
    is_belgian = given.get("taxNumberType") in (None, BELGIAN_ENTERPRISE_NUMBER)
    said = {
        "code": given.get("code"),
        "name": given.get("name"),
        "enterprise_number": given.get("taxNumber") if is_belgian else None,
        "vat_number": _vat_number(given.get("vatNumber"), country),
        "peppol_id": given.get("peppolID"),
        "email": given.get("email"),
    }
    place = {
        "street": street,
        "postal_code": address.get("zipCode"),
        "city": address.get("city"),
        "country": country,
    }
    return {name: value for name, value in said.items() if value} | {
        "address": {name: value for name, value in place.items() if value}
    }


def _vat_number(given: Any, country: Any) -> Any:
    """Return a VAT number as invoices write it, however people do: ``0440.966.354`` of a Belgian is BE0440966354."""
    if not isinstance(given, str):
        return given
    plain = _SIGNS.sub("", given).upper()
    is_belgian = is_belgian_vat_number(given) or (country == BELGIUM and not plain[:2].isalpha())
    number = normalise_enterprise_number(given) if is_belgian else None
    if number is not None:
        return f"{BELGIUM}{number}"
    return plain if any(map(str.isdigit, plain)) else given.strip()


def _country(given: Any) -> Any:
    return (given.strip().upper() if isinstance(given, str) else given) or BELGIUM
