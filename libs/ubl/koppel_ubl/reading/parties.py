"""Tables for parties, addresses, contacts and delivery."""

from koppel_ubl.model.parties import Address, Contact, Delivery, Party
from koppel_ubl.reading.rules import (
    CAC,
    CBC,
    Context,
    Element,
    Table,
    Values,
    day,
    identifier,
    into,
    one,
    path_of,
    read_into,
    text,
    tuples,
)

_ADDRESS: Table = {
    f"{CBC}StreetName": text("street"),
    f"{CBC}AdditionalStreetName": text("additional_street"),
    f"{CBC}BuildingNumber": text("building_number"),
    f"{CBC}Postbox": text("postbox"),
    f"{CBC}CityName": text("city"),
    f"{CBC}PostalZone": text("postal_code"),
    f"{CBC}CountrySubentity": text("subdivision"),
    f"{CAC}AddressLine": into({f"{CBC}Line": text("line")}),
    f"{CAC}Country": into({f"{CBC}IdentificationCode": text("country")}),
}
_CONTACT: Table = {
    f"{CBC}Name": text("name"),
    f"{CBC}Telephone": text("telephone"),
    f"{CBC}ElectronicMail": text("email"),
}
_TAX_SCHEME: Table = {
    f"{CBC}CompanyID": text("number"),
    f"{CAC}TaxScheme": into({f"{CBC}ID": text("scheme")}),
}


def read_address(element: Element, context: Context) -> Address:
    """BG-5 and its like."""
    return Address(**read_into(element, _ADDRESS, {}, context))


def _read_contact(element: Element, context: Context) -> Contact:
    return Contact(**read_into(element, _CONTACT, {}, context))


def _tax_scheme(element: Element, values: Values, context: Context) -> None:
    """BT-31 (scheme VAT, or none: e-FFF) or BT-32 (any other scheme)."""
    found = read_into(element, _TAX_SCHEME, {}, context)
    scheme = found.get("scheme")
    is_vat = scheme is None or scheme.upper() == "VAT"
    field = "vat_id" if is_vat else "tax_registration"
    if field in values:
        context.skip(element)
    elif "number" in found:
        values[field] = found["number"]
        if not is_vat:
            values["tax_registration_scheme"] = scheme
    elif scheme is not None and not is_vat:
        context.note(path_of(element))


_PARTY: Table = {
    f"{CBC}EndpointID": identifier("endpoint"),
    f"{CAC}PartyIdentification": into({f"{CBC}ID": identifier("identifiers", many=True)}),
    f"{CAC}PartyName": into({f"{CBC}Name": text("trade_name")}),
    f"{CAC}PostalAddress": one("address", read_address),
    f"{CAC}PartyTaxScheme": _tax_scheme,
    f"{CAC}PartyLegalEntity": into(
        {
            f"{CBC}RegistrationName": text("legal_name"),
            f"{CBC}CompanyID": identifier("registration"),
            f"{CBC}CompanyLegalForm": text("legal_form"),
        }
    ),
    f"{CAC}Contact": one("contact", _read_contact),
}
_ACCOUNTING_PARTY: Table = {
    f"{CBC}SupplierAssignedAccountID": text("account_at_supplier"),
    f"{CBC}CustomerAssignedAccountID": text("account_at_customer"),
    f"{CAC}Party": into(_PARTY),
}


def read_accounting_party(element: Element, context: Context) -> Party:
    """BG-4 and BG-7: a party inside AccountingSupplierParty or AccountingCustomerParty."""
    return Party(**tuples(read_into(element, _ACCOUNTING_PARTY, {}, context), "identifiers"))


def read_party(element: Element, context: Context) -> Party:
    """BG-10 and BG-11: a party that is not wrapped."""
    return Party(**tuples(read_into(element, _PARTY, {}, context), "identifiers"))


_DELIVERY: Table = {
    f"{CBC}ActualDeliveryDate": day("delivered_on"),
    f"{CAC}DeliveryLocation": into({f"{CBC}ID": identifier("location"), f"{CAC}Address": one("address", read_address)}),
    f"{CAC}DeliveryParty": into({f"{CAC}PartyName": into({f"{CBC}Name": text("party_name")})}),
}


def read_delivery(element: Element, context: Context) -> Delivery:
    """BG-13."""
    return Delivery(**read_into(element, _DELIVERY, {}, context))
