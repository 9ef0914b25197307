"""Parties, addresses, contacts (BG-4 to BG-13)."""

from koppel_ubl.model import Delivery
from koppel_ubl.parties import Address, Contact, Identifier, Party

from .node import Node


def party(node: Node | None, customer_number: str | None = None) -> Party | None:
    """Read a ``cac:Party`` or what has its shape."""
    if node is None:
        return None
    endpoint = node.identifier("EndpointID")
    identifiers = tuple(
        found for one in node.nodes("PartyIdentification") if (found := one.identifier("ID")) is not None
    )
    trade_name = next(iter([one.text("Name") for one in node.nodes("PartyName")]), None)
    vat_number, tax_registration = _tax_numbers(node)
    legal = node.node("PartyLegalEntity")
    registered = registration = legal_form = None
    if legal is not None:
        registered = legal.text("RegistrationName")
        registration = legal.identifier("CompanyID")
        legal_form = legal.text("CompanyLegalForm")
        legal.done()
    read = Party(
        name=registered or trade_name,
        trade_name=trade_name,
        endpoint=endpoint,
        identifiers=identifiers,
        registration=registration,
        vat_number=vat_number,
        tax_registration=tax_registration,
        legal_form=legal_form,
        address=address(node.node("PostalAddress")),
        contact=_contact(node.node("Contact")),
        customer_number=customer_number,
    )
    node.done()
    return read


def accounting_party(node: Node | None) -> Party:
    """Read ``cac:AccountingSupplierParty`` or ``cac:AccountingCustomerParty``; an absent one is an empty party."""
    if node is None:
        return Party()
    number = node.text("SupplierAssignedAccountID") or node.text("CustomerAssignedAccountID")
    read = party(node.node("Party"), number) or Party(customer_number=number)
    node.done()
    return read


def address(node: Node | None) -> Address | None:
    """Read an address. A house number apart from its street (e-FFF) is put behind it."""
    if node is None:
        return None
    street, house = node.text("StreetName"), node.text("BuildingNumber")
    line = next(iter([one.text("Line") for one in node.nodes("AddressLine")]), None)
    country = node.node("Country")
    code = None
    if country is not None:
        code = country.text("IdentificationCode")
        country.text("Name")
        country.done()
    read = Address(
        street=f"{street} {house}" if street and house else street or house,
        additional_street=node.text("AdditionalStreetName"),
        line=line,
        city=node.text("CityName"),
        postal_code=node.text("PostalZone"),
        subdivision=node.text("CountrySubentity"),
        country=code,
    )
    node.done()
    return read


def delivery(node: Node | None) -> Delivery | None:
    """Read the (first) delivery."""
    if node is None:
        return None
    day = node.day("ActualDeliveryDate")
    place = node.node("DeliveryLocation")
    location: Identifier | None = None
    where: Address | None = None
    if place is not None:
        location = place.identifier("ID")
        where = address(place.node("Address"))
        place.done()
    receiver = party(node.node("DeliveryParty"))
    node.done()
    return Delivery(actual_date=day, location=location, address=where, name=receiver.name if receiver else None)


def _tax_numbers(node: Node) -> tuple[str | None, str | None]:
    vat_number = tax_registration = None
    for one in node.nodes("PartyTaxScheme"):
        number = one.text("CompanyID")
        scheme = one.node("TaxScheme")
        kind = ""
        if scheme is not None:
            kind = (scheme.text("ID") or "").upper()
            scheme.text("Name")
            scheme.text("TaxTypeCode")
            scheme.done()
        # e-FFF leaves the scheme out or empty; a number there is the VAT number.
        if kind in {"VAT", ""} and vat_number is None:
            vat_number = number
        elif tax_registration is None:
            tax_registration = number
    return vat_number, tax_registration


def _contact(node: Node | None) -> Contact | None:
    if node is None:
        return None
    read = Contact(name=node.text("Name"), telephone=node.text("Telephone"), email=node.text("ElectronicMail"))
    node.done()
    return read
