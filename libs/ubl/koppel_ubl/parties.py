"""Who stands on an invoice: seller, buyer, payee, tax representative, with their numbers and addresses."""

from dataclasses import dataclass

from .identifiers import normalise_enterprise_number


@dataclass(frozen=True, slots=True)
class Identifier:
    """An identifier and the scheme it belongs to."""

    value: str
    scheme: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """BG-5, BG-8, BG-12, BG-15."""

    street: str | None = None
    additional_street: str | None = None
    line: str | None = None
    city: str | None = None
    postal_code: str | None = None
    subdivision: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """BG-6, BG-9."""

    name: str | None = None
    telephone: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Seller (BG-4), buyer (BG-7), payee (BG-10) or tax representative (BG-11)."""

    name: str | None = None
    """BT-27, BT-44: the registered name; the trade name where there is no other (e-FFF)."""
    trade_name: str | None = None
    """BT-28, BT-45."""
    endpoint: Identifier | None = None
    """BT-34, BT-49: the electronic address."""
    identifiers: tuple[Identifier, ...] = ()
    """BT-29, BT-46, BT-60."""
    registration: Identifier | None = None
    """BT-30, BT-47, BT-61."""
    vat_number: str | None = None
    """BT-31, BT-48, BT-63, as written."""
    tax_registration: str | None = None
    """BT-32."""
    legal_form: str | None = None
    """BT-33."""
    address: Address | None = None
    contact: Contact | None = None
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
        belgian_vat = [self.vat_number] if self.vat_number and self.vat_number.strip().upper().startswith("BE") else []
        for text in (*by_scheme, *belgian_vat, *(unschemed if self._is_belgian else ())):
            if (number := normalise_enterprise_number(text)) is not None:
                return number
        return None

    @property
    def _is_belgian(self) -> bool:
        return self.address is not None and self.address.country == "BE"


NOBODY = Party()
"""What a document says of a party it does not name."""

_BELGIAN_SCHEMES = frozenset({"0208", "9925", "9956", "0193", "BE:EN", "BE:VAT", "BE:CBE"})
"""0208 enterprise number, 9925 VAT number; 9956 and 0193 are what older documents write for them."""
