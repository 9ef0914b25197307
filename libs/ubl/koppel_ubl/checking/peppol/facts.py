"""What the rules ask of a document more than once: its kind, profile, currency and the countries of its parties."""

from functools import cached_property

from .nodes import Node, Path, attribute, normalised, string, tag

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

CREDIT_NOTE = tag("creditnote:CreditNote")
_CUSTOMIZATION = Path("cbc:CustomizationID")
_PROFILE = Path("cbc:ProfileID")
_CURRENCY = Path("cbc:DocumentCurrencyCode")
_SUPPLIER = Path("cac:AccountingSupplierParty/cac:Party")
_CUSTOMER = Path("cac:AccountingCustomerParty/cac:Party")
_REPRESENTATIVE = Path("cac:TaxRepresentativeParty")
_COUNTRY = Path("cac:PostalAddress/cac:Country/cbc:IdentificationCode")
_TAX_SCHEME = Path("cac:PartyTaxScheme")
_TAX_SCHEME_ID = Path("cac:TaxScheme/cbc:ID")
_COMPANY = Path("cbc:CompanyID")


class Facts:
    """Facts of one document, each worked out when first asked for."""

    def __init__(self, root: Node) -> None:
        self.root = root
        self.is_credit_note = root.tag == CREDIT_NOTE

    @cached_property
    def is_self_billed(self) -> bool:
        """Whether the document follows the self-billing specification: it has a rule set of its own."""
        return _CUSTOMIZATION.value(self.root).startswith(SELF_BILLING)

    @cached_property
    def profile(self) -> str | None:
        """The number of the process; None when it is not one of this specification."""
        known = _SELF_BILLING_PROFILES if self.is_self_billed else _BILLING_PROFILES
        return known.get(_PROFILE.value(self.root))

    @cached_property
    def currency(self) -> str | None:
        """BT-5 exactly as written."""
        node = _CURRENCY.first(self.root)
        return None if node is None else string(node)

    @cached_property
    def supplier_address_country(self) -> str:
        """BT-40 exactly as written."""
        return self._address_country(_SUPPLIER)

    @cached_property
    def customer_address_country(self) -> str:
        """BT-55 exactly as written."""
        return self._address_country(_CUSTOMER)

    @cached_property
    def supplier_country(self) -> str:
        """Two letters: from the VAT number of the seller or its representative, else from the seller's address."""
        return (
            self._vat_country(_SUPPLIER)
            or self._vat_country(_REPRESENTATIVE)
            or normalised(self.supplier_address_country).upper()
        )

    @cached_property
    def supplier_own_country(self) -> str:
        """As ``supplier_country``, without looking at the representative."""
        return self._vat_country(_SUPPLIER) or normalised(self.supplier_address_country).upper()

    @cached_property
    def customer_country(self) -> str:
        """Two letters: from the VAT number of the buyer, else from its address."""
        return self._vat_country(_CUSTOMER) or normalised(self.customer_address_country).upper()

    def is_between(self, country: str) -> bool:
        """Return whether the addresses of seller and buyer are both in the country."""
        return (
            normalised(self.supplier_address_country).upper() == country
            and normalised(self.customer_address_country).upper() == country
        )

    def _address_country(self, path: Path) -> str:
        party = path.first(self.root)
        return "" if party is None else _COUNTRY.text(party)

    def _vat_country(self, path: Path) -> str:
        party = path.first(self.root)
        if party is None:
            return ""
        for number in vat_numbers(party):
            if number[:2]:
                return normalised(number[:2]).upper()
        return ""


def vat_numbers(party: Node) -> list[str]:
    """Return the party's registrations whose tax scheme is written exactly ``VAT``."""
    return [_COMPANY.text(scheme) for scheme in _TAX_SCHEME.each(party) if "VAT" in _TAX_SCHEME_ID.texts(scheme)]


def registrations(party: Node, scheme_id: str) -> list[str]:
    """Return the numbers the party has under a tax scheme, white space around the scheme's name left out."""
    return [
        string(company)
        for scheme in _TAX_SCHEME.each(party)
        if _TAX_SCHEME_ID.value(scheme) == scheme_id
        for company in _COMPANY.each(scheme)
    ]


def has_attribute_value(nodes: list[Node], name: str, value: str) -> bool:
    """Return whether one of the elements has the attribute with exactly this value."""
    return any(attribute(node, name) == value for node in nodes)
