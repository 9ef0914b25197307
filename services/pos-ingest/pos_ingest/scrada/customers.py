"""A customer in Scrada's spellings, as tickets and sales invoices name one."""

from collections.abc import Mapping
from typing import Any, Final

BELGIAN_ENTERPRISE_NUMBER: Final = 1
"""``taxNumberType``; the others are of other countries."""


def customer_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the customer as ``InvoiceCustomer`` takes it; what is empty is left out. Pure."""
    address = given.get("address")
    address = address if isinstance(address, Mapping) else {}
    street = " ".join(str(address[name]) for name in ("street", "streetNumber", "streetBox") if address.get(name))
    is_belgian = given.get("taxNumberType") in (None, BELGIAN_ENTERPRISE_NUMBER)
    said = {
        "code": given.get("code"),
        "name": given.get("name"),
        "enterprise_number": given.get("taxNumber") if is_belgian else None,
        "vat_number": given.get("vatNumber"),
        "peppol_id": given.get("peppolID"),
        "email": given.get("email"),
    }
    place = {
        "street": street,
        "postal_code": address.get("zipCode"),
        "city": address.get("city"),
        "country": address.get("countryCode") or "BE",
    }
    return {name: value for name, value in said.items() if value} | {
        "address": {name: value for name, value in place.items() if value}
    }
