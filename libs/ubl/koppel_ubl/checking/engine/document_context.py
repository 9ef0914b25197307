"""The context of a document: its currency, its process and the countries of its parties, which rules about parts depend on."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from .caching import cached_by_shape
from .tree import Group
from .values import normalised

SELF_BILLING = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:selfbilling:3.0"
BILLING = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
_BILLING_PROFILES = {
    "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0": "01",
    "urn:peppol:france:billing:regulated": "01",
    "urn:peppol:france:billing:non-regulated": "01",
    "urn:peppol:bis:billing_with_response": "02",
}
_SELF_BILLING_PROFILES = {**_BILLING_PROFILES, "urn:fdc:peppol.eu:2017:poacc:selfbilling:01:1.0": "01"}
del _SELF_BILLING_PROFILES["urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"]
_SUPPLIER = ("cac:AccountingSupplierParty", "cac:Party")
_CUSTOMER = ("cac:AccountingCustomerParty", "cac:Party")
_REPRESENTATIVE = ("cac:TaxRepresentativeParty",)
_COUNTRY = ("cac:PostalAddress", "cac:Country", "cbc:IdentificationCode")


@dataclass(frozen=True, slots=True, eq=False)
class DocumentContext:
    """What a rule about a part may know of the document around it.

    Attributes:
        is_self_billed: whether it follows the self-billing specification, which has rules of its own.
        profile: the number of the process; None when the specification has no such process.
        currency: BT-5 exactly as written; None without one.
        supplier_address_country: BT-40 exactly as written; ``customer_address_country``: likewise BT-55.
        supplier_country: two letters, from the VAT number of the seller or its representative, else from its address.
        supplier_own_country: as ``supplier_country``, but without the representative.
        customer_country: two letters, from the VAT number of the buyer, else from its address.
    """

    is_self_billed: bool
    profile: str | None
    currency: str | None
    supplier_address_country: str
    customer_address_country: str
    supplier_country: str
    supplier_own_country: str
    customer_country: str

    def is_between(self, country: str) -> bool:
        """Return whether the addresses of seller and buyer are both in the country."""
        return (
            normalised(self.supplier_address_country).upper() == country
            and normalised(self.customer_address_country).upper() == country
        )


@cached_by_shape
def context_of(root: Group) -> DocumentContext:
    """Return the context of a document; equal contexts are one object."""
    is_self_billed = normalised(root.text("cbc:CustomizationID")).startswith(SELF_BILLING)
    known = _SELF_BILLING_PROFILES if is_self_billed else _BILLING_PROFILES
    currency = root.value("cbc:DocumentCurrencyCode")
    supplier, customer = _address_country(root, _SUPPLIER), _address_country(root, _CUSTOMER)
    made = DocumentContext(
        is_self_billed,
        known.get(normalised(root.text("cbc:ProfileID"))),
        None if currency is None else currency.whole,
        supplier,
        customer,
        _country(root, (_SUPPLIER, _REPRESENTATIVE), supplier),
        _country(root, (_SUPPLIER,), supplier),
        _country(root, (_CUSTOMER,), customer),
    )
    return root.place.memory.intern(tuple(getattr(made, each.name) for each in fields(made)), made)


def _address_country(root: Group, path: tuple[str, ...]) -> str:
    party = next(iter(root.all(*path)), None)
    country = None if party is None else next(iter(party.elements(*_COUNTRY)), None)
    return "" if country is None else country.whole


def _country(root: Group, parties: Sequence[tuple[str, ...]], address: str) -> str:
    for path in parties:
        starts = [
            "" if (number := scheme.value("cbc:CompanyID")) is None else number.token.start
            for party in root.all(*path)
            for scheme in party.groups("cac:PartyTaxScheme")
            if any(each.whole == "VAT" for each in scheme.elements("cac:TaxScheme", "cbc:ID"))
        ]
        # For a party with two VAT numbers the official rules find no country at all: they do not go on to its address.
        if len(starts) > 1:
            return ""
        if starts and starts[0]:
            return normalised(starts[0]).upper()
    return normalised(address).upper()
