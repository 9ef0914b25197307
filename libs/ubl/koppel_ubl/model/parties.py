"""The parties of an invoice: seller, buyer, payee, tax representative; and the place of delivery."""

from dataclasses import dataclass
from datetime import date

from koppel_ubl.identifiers import is_belgian_vat_number, normalise_enterprise_number


@dataclass(frozen=True)
class Identifier:
    """An identifier and the scheme it belongs to."""

    value: str
    scheme: str | None = None


@dataclass(frozen=True, kw_only=True)
class Address:
    """BG-5 seller, BG-8 buyer, BG-12 tax representative, BG-15 place of delivery."""

    street: str | None = None
    """BT-35, BT-50, BT-64, BT-75; with the house number that e-FFF keeps apart."""
    additional_street: str | None = None
    """BT-36, BT-51, BT-65, BT-76."""
    line: str | None = None
    """BT-162, BT-163, BT-164, BT-165."""
    city: str | None = None
    """BT-37, BT-52, BT-66, BT-77."""
    postal_code: str | None = None
    """BT-38, BT-53, BT-67, BT-78."""
    subdivision: str | None = None
    """BT-39, BT-54, BT-68, BT-79."""
    country: str | None = None
    """BT-40, BT-55, BT-69, BT-80: ISO 3166-1, as written."""


@dataclass(frozen=True, kw_only=True)
class Contact:
    """BG-6, BG-9."""

    name: str | None = None
    """BT-41, BT-56."""
    telephone: str | None = None
    """BT-42, BT-57."""
    email: str | None = None
    """BT-43, BT-58."""


@dataclass(frozen=True, kw_only=True)
class Party:
    """Seller (BG-4), buyer (BG-7), payee (BG-10) or tax representative (BG-11)."""

    name: str | None = None
    """BT-27, BT-44, BT-59, BT-62: the registered name; the trade name where there is no other (e-FFF)."""
    trade_name: str | None = None
    """BT-28, BT-45; a payee and a tax representative have one only where it differs from their name."""
    endpoint: Identifier | None = None
    """BT-34, BT-49: the electronic address."""
    identifiers: tuple[Identifier, ...] = ()
    """BT-29, BT-46, BT-60; one with scheme SEPA is the creditor identifier, BT-90."""
    registration: Identifier | None = None
    """BT-30, BT-47, BT-61."""
    vat_number: str | None = None
    """BT-31, BT-48, BT-63, as written."""
    tax_registration: str | None = None
    """BT-32."""
    tax_registration_scheme: str | None = None
    """The TaxScheme of BT-32: anything but VAT."""
    legal_form: str | None = None
    """BT-33."""
    address: Address | None = None
    """BG-5, BG-8, BG-12."""
    contact: Contact | None = None
    """BG-6, BG-9."""
    customer_number: str | None = None
    """The number the other side knows this party by (SupplierAssignedAccountID and its like)."""

    @property
    def enterprise_number(self) -> str | None:
        """The Belgian enterprise number: from the registration, the VAT number, the endpoint or an identifier."""
        written = (self.registration, self.endpoint, *self.identifiers)
        by_scheme = [one.value for one in written if one is not None and one.scheme in _BELGIAN_SCHEMES]
        unschemed = [
            one.value for one in (self.registration, *self.identifiers) if one is not None and one.scheme is None
        ]
        belgian_vat = [self.vat_number] if self.vat_number and is_belgian_vat_number(self.vat_number) else []
        for text in (*by_scheme, *belgian_vat, *(unschemed if self._is_belgian else ())):
            if (number := normalise_enterprise_number(text)) is not None:
                return number
        return None

    @property
    def _is_belgian(self) -> bool:
        return self.address is not None and self.address.country == "BE"


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """BG-13."""

    actual_date: date | None = None
    """BT-72."""
    location: Identifier | None = None
    """BT-71."""
    address: Address | None = None
    """BG-15."""
    name: str | None = None
    """BT-70."""


NOBODY = Party()
"""The party of a document without one."""

_BELGIAN_SCHEMES = frozenset({"0208", "9925", "9956", "0193", "BE:EN", "BE:VAT", "BE:CBE"})
"""0208 enterprise number, 9925 VAT number; 9956 and 0193 are what older documents write for them."""
