"""Parties, their addresses and numbers, and the delivery (BG-4 to BG-15)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lxml import etree

from koppel_ubl.model import Address, Contact, Delivery, Party

from .aggregate import (
    CAC,
    Aggregate,
    Notes,
    Values,
    aggregate,
    aggregate_of,
    built,
    day,
    identifier,
    into,
    many,
    one,
    sole,
    text,
)

VAT = "VAT"


def _address(values: Values, _element: etree._Element, _notes: Notes) -> Address:
    """Append a separate house number (e-FFF) to its street."""
    house = values.pop("house", None)
    if house:
        values["street"] = f"{values['street']} {house}" if values.get("street") else house
    return built(Address, values)


ADDRESS = aggregate_of(
    Address,
    text("cbc:StreetName", "street"),
    text("cbc:AdditionalStreetName", "additional_street"),
    text("cbc:BuildingNumber", "house", read_only=True),
    text("cbc:CityName", "city"),
    text("cbc:PostalZone", "postal_code"),
    text("cbc:CountrySubentity", "subdivision"),
    sole("cac:AddressLine", "cbc:Line", "line"),
    sole("cac:Country", "cbc:IdentificationCode", "country"),
    make=_address,
)
CONTACT = aggregate_of(
    Contact, text("cbc:Name", "name"), text("cbc:Telephone", "telephone"), text("cbc:ElectronicMail", "email")
)
_TAX_NUMBER = aggregate(text("cbc:CompanyID", "number"), sole("cac:TaxScheme", "cbc:ID", "scheme"))


def _tax_numbers(values: Values, element: etree._Element, notes: Notes) -> None:
    """Separate the VAT number (BT-31) from another registration (BT-32)."""
    elements: list[etree._Element] = []
    for position, found in enumerate(values.pop("tax_numbers", ())):
        number, scheme = found.get("number"), found.get("scheme")
        # e-FFF leaves the scheme out or empty; a number there is the VAT number.
        if number is not None and (scheme or VAT).upper() == VAT and "vat_number" not in values:
            values["vat_number"] = number
        elif number is not None and "tax_registration" not in values:
            values["tax_registration"], values["tax_registration_scheme"] = number, scheme
        else:
            elements = elements or element.findall(CAC + "PartyTaxScheme")  # once: there may be very many
            notes.skip(elements[position])


def _trader(values: Values, element: etree._Element, notes: Notes) -> Party:
    """Seller and buyer: the trade name is the name where no name is registered."""
    _tax_numbers(values, element, notes)
    values["name"] = values.pop("registered", None) or values.get("trade_name")
    return _party(values)


def _other(values: Values, element: etree._Element, notes: Notes) -> Party:
    """Payee and tax representative, whose name is where the others have their trade name (BT-59, BT-62)."""
    _tax_numbers(values, element, notes)
    registered, name = values.pop("registered", None), values.pop("trade_name", None)
    values["name"] = registered or name
    if registered and name and registered != name:
        values["trade_name"] = name
    return _party(values)


def _party(values: Values) -> Party:
    found = values.pop("identifications", None)
    if found:
        values["identifiers"] = tuple(each["id"] for each in found if "id" in each)
    return built(Party, values)


def _of_trader(party: Party) -> Mapping[str, Any]:
    return {**_of_party(party), "registered": party.name}


def _of_other(party: Party) -> Mapping[str, Any]:
    apart = party.trade_name is not None
    names = {"trade_name": party.trade_name if apart else party.name, "registered": party.name if apart else None}
    return {**_of_party(party), **names}


def _of_party(party: Party) -> Values:
    numbers: list[Values] = [{"number": party.vat_number, "scheme": VAT}] if party.vat_number else []
    if party.tax_registration:
        numbers.append({"number": party.tax_registration, "scheme": party.tax_registration_scheme})
    return {
        "endpoint": party.endpoint,
        "identifications": [{"id": each} for each in party.identifiers],
        "trade_name": party.trade_name,
        "address": party.address,
        "tax_numbers": numbers,
        "registration": party.registration,
        "legal_form": party.legal_form,
        "contact": party.contact,
    }


_PARTY = (
    identifier("cbc:EndpointID", "endpoint"),
    many("cac:PartyIdentification", "identifications", aggregate(identifier("cbc:ID", "id"))),
    sole("cac:PartyName", "cbc:Name", "trade_name"),
    one("cac:PostalAddress", "address", ADDRESS),
    many("cac:PartyTaxScheme", "tax_numbers", _TAX_NUMBER),
    into(
        "cac:PartyLegalEntity",
        aggregate(
            text("cbc:RegistrationName", "registered"),
            identifier("cbc:CompanyID", "registration"),
            text("cbc:CompanyLegalForm", "legal_form"),
        ),
    ),
    one("cac:Contact", "contact", CONTACT),
)
TRADER = Aggregate(_PARTY, _trader, _of_trader)
OTHER = Aggregate(_PARTY, _other, _of_other)


def _delivery(values: Values, _element: etree._Element, _notes: Notes) -> Delivery:
    receiver = values.pop("receiver", None)
    if receiver is not None:
        values["name"] = receiver.name
    return built(Delivery, values)


def _of_delivery(delivery: Delivery) -> Mapping[str, Any]:
    return {
        "actual_date": delivery.actual_date,
        "location": delivery.location,
        "address": delivery.address,
        "name": delivery.name,
    }


DELIVERY = Aggregate(
    (
        day("cbc:ActualDeliveryDate", "actual_date"),
        into(
            "cac:DeliveryLocation",
            aggregate(identifier("cbc:ID", "location"), one("cac:Address", "address", ADDRESS)),
        ),
        into("cac:DeliveryParty", aggregate(sole("cac:PartyName", "cbc:Name", "name"))),
    ),
    _delivery,
    _of_delivery,
)


def accounting(customer_number: str, *older: str) -> Aggregate:
    """Return the aggregate of ``AccountingSupplierParty`` or ``AccountingCustomerParty``.

    Args:
        customer_number: the element that holds the number the other side knows this party by.
        older: elements it is taken from where that one is absent.
    """
    numbers = [text(customer_number, "customer_number"), *(text(name, "older", read_only=True) for name in older)]
    numbers.sort(key=lambda entry: entry.name)  # Customer… before Supplier…, as the schema has it

    def make(values: Values, element: etree._Element, notes: Notes) -> Values:
        if "older" in values and "customer_number" in values:
            notes.skip_below(element, *(entry.tag for entry in numbers if entry.field == "older"))
        return values

    return aggregate(*numbers, one("cac:Party", "party", TRADER), make=make)


SELLER = accounting("cbc:CustomerAssignedAccountID", "cbc:SupplierAssignedAccountID")
BUYER = accounting("cbc:SupplierAssignedAccountID", "cbc:CustomerAssignedAccountID")


def party_of(values: Values | None) -> Party:
    """Return the party of such a aggregate, with its number; an absent one is an empty party."""
    if values is None:
        return Party()
    party: Party = values.get("party") or Party()
    number = values.get("customer_number") or values.get("older")
    if number is None:
        return party
    return replace(party, customer_number=number)


def accounting_values(party: Party) -> Values:
    """Return the inverse of ``party_of``."""
    return {"customer_number": party.customer_number, "party": party}
