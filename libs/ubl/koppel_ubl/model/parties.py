"""Who sells, who buys, who is paid, where it was delivered."""

from dataclasses import dataclass
from datetime import date

from koppel_ubl.identifiers import normalise_enterprise_number, normalise_vat_number
from koppel_ubl.model.basics import Identifier

_ENTERPRISE_SCHEMES = frozenset({"0208", "9925", "9956"})
# What Belgian files from before Peppol wrote where a scheme id belongs (e-FFF, UBL.BE).
_ENTERPRISE_SCHEME_NAMES = frozenset({"KBO", "BCE", "KBO-BCE", "BE:EN", "BE:CBE", "BE:VAT", "ON", "0193"})


@dataclass(frozen=True, slots=True)
class Address:
    """BG-5, BG-8, BG-12, BG-15. `building_number` and `postbox` occur in e-FFF only."""

    street: str | None = None
    """BT-35, BT-50, BT-64, BT-75"""
    additional_street: str | None = None
    """BT-36, BT-51, BT-65, BT-76"""
    line: str | None = None
    """BT-162, BT-163, BT-164, BT-165"""
    building_number: str | None = None
    postbox: str | None = None
    city: str | None = None
    """BT-37, BT-52, BT-66, BT-77"""
    postal_code: str | None = None
    """BT-38, BT-53, BT-67, BT-78"""
    subdivision: str | None = None
    """BT-39, BT-54, BT-68, BT-79"""
    country: str | None = None
    """BT-40, BT-55, BT-69, BT-80: ISO 3166-1, as written"""


@dataclass(frozen=True, slots=True)
class Contact:
    """BG-6, BG-9."""

    name: str | None = None
    """BT-41, BT-56"""
    telephone: str | None = None
    """BT-42, BT-57"""
    email: str | None = None
    """BT-43, BT-58"""


@dataclass(frozen=True, slots=True)
class Party:
    """Seller (BG-4), buyer (BG-7), payee (BG-10) or the seller's tax representative (BG-11).

    Fields are as written; `name`, `enterprise_number` and `vat_number` are what a program should compare.
    """

    legal_name: str | None = None
    """BT-27, BT-44"""
    trade_name: str | None = None
    """BT-28, BT-45; the name of payee (BT-59) and representative (BT-62)"""
    endpoint: Identifier | None = None
    """BT-34, BT-49: the Peppol address"""
    identifiers: tuple[Identifier, ...] = ()
    """BT-29, BT-46, BT-60; scheme SEPA is the creditor identifier BT-90"""
    registration: Identifier | None = None
    """BT-30, BT-47, BT-61"""
    legal_form: str | None = None
    """BT-33"""
    vat_id: str | None = None
    """BT-31, BT-48, BT-63, as written"""
    tax_registration: str | None = None
    """BT-32: registration with another tax authority"""
    tax_registration_scheme: str | None = None
    address: Address | None = None
    contact: Contact | None = None
    account_at_supplier: str | None = None
    """The customer's account number in the supplier's books (cbc:SupplierAssignedAccountID); no business term of EN 16931"""
    account_at_customer: str | None = None
    """The supplier's account number in the customer's books (cbc:CustomerAssignedAccountID)"""

    @property
    def name(self) -> str:
        """The legal name, else the trade name, else empty."""
        return self.legal_name or self.trade_name or ""

    @property
    def country(self) -> str | None:
        """ISO 3166-1 country of the address, else of the VAT number (Greece writes EL there)."""
        if self.address is not None and self.address.country:
            return self.address.country.upper()
        prefix = (self.vat_number or "")[:2]
        return {"EL": "GR", "XI": "GB"}.get(prefix, prefix) or None

    @property
    def vat_number(self) -> str | None:
        """`BE0793904121`: capitals, no separators; None when absent or impossible. A Belgian number may lack its BE."""
        if self.vat_id is None:
            return None
        number = normalise_vat_number(self.vat_id)
        if number is None and self.address is not None and (self.address.country or "").upper() == "BE":
            bare = normalise_enterprise_number(self.vat_id)
            number = f"BE{bare}" if bare else None
        return number

    @property
    def enterprise_number(self) -> str | None:
        """Ten digits that pass their check, from the first place that has them; None for foreigners and private persons.

        The registration goes before the VAT number, for a VAT unit's number is not the enterprise's; the endpoint comes
        last, for it may belong to a parent company.
        """
        for candidate in self._enterprise_candidates():
            number = normalise_enterprise_number(candidate)
            if number is not None:
                return number
        return None

    def _enterprise_candidates(self) -> list[str]:
        candidates = []
        if self.registration is not None and self._is_belgian(self.registration):
            candidates.append(self.registration.value)
        candidates += [identifier.value for identifier in self.identifiers if _names_enterprise(identifier)]
        if self.vat_number is not None and self.vat_number.startswith("BE"):
            candidates.append(self.vat_number)
        if self.endpoint is not None and _names_enterprise(self.endpoint):
            candidates.append(self.endpoint.value)
        return candidates

    def _is_belgian(self, registration: Identifier) -> bool:
        if registration.scheme is None and registration.scheme_name is None:
            return self.country == "BE"
        return _names_enterprise(registration)


def _names_enterprise(identifier: Identifier) -> bool:
    if identifier.scheme in _ENTERPRISE_SCHEMES:
        return True
    names = {(identifier.scheme or "").upper(), (identifier.scheme_name or "").upper()}
    return not names.isdisjoint(_ENTERPRISE_SCHEME_NAMES)


@dataclass(frozen=True, slots=True)
class Delivery:
    """BG-13: where and when goods or services were delivered."""

    party_name: str | None = None
    """BT-70"""
    location: Identifier | None = None
    """BT-71"""
    delivered_on: date | None = None
    """BT-72"""
    address: Address | None = None
    """BG-15"""
