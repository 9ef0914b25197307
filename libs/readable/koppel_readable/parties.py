"""How seller, buyer and the others stand on a page: a name, and lines of address, numbers and contact."""

from collections.abc import Iterable
from typing import Any

from koppel_ubl import Address, Contact, Delivery, Document, Party

from .formats import format_enterprise_number, format_vat_number
from .labels import Language, label

Block = dict[str, Any]
"""A party as a template draws it: ``role``, ``name`` and ``lines``."""


def party(one: Party, role: str, language: Language) -> Block:
    """Return a party with its address, its numbers and its contact."""
    trade_name = one.trade_name if one.trade_name != one.name else None
    lines = [trade_name, *_address(one.address), *_numbers(one, language), one.legal_form, *_contact(one.contact)]
    return {"role": label(role, language), "name": one.name or one.trade_name or "", "lines": _present(lines)}


def others(document: Document, language: Language) -> list[Block]:
    """Return who else the document names: payee, tax representative and place of delivery."""
    found = [
        party(one, role, language)
        for one, role in ((document.payee, "payee"), (document.tax_representative, "tax_representative"))
        if one is not None and (one.name or one.trade_name)
    ]
    delivered = _delivery(document.delivery, language)
    return [*found, delivered] if delivered else found


def _delivery(delivery: Delivery | None, language: Language) -> Block | None:
    if delivery is None:
        return None
    lines = _present([*_address(delivery.address), delivery.location.value if delivery.location else None])
    if not lines and not delivery.name:
        return None
    return {"role": label("delivered_to", language), "name": delivery.name or "", "lines": lines}


def _address(address: Address | None) -> list[str | None]:
    if address is None:
        return []
    place = " ".join(_present([address.postal_code, address.city]))
    country = ", ".join(_present([place, address.subdivision, address.country]))
    return [address.street, address.additional_street, address.line, country]


def _numbers(one: Party, language: Language) -> list[str]:
    numbers = []
    if one.vat_number:
        numbers.append(f"{label('vat_number', language)} {format_vat_number(one.vat_number)}")
    elif one.enterprise_number:
        numbers.append(f"{label('enterprise_number', language)} {format_enterprise_number(one.enterprise_number)}")
    elif one.registration:
        numbers.append(f"{label('registration', language)} {one.registration.value}")
    if one.customer_number:
        numbers.append(f"{label('customer_number', language)} {one.customer_number}")
    return numbers


def _contact(contact: Contact | None) -> list[str | None]:
    return [] if contact is None else [contact.name, contact.telephone, contact.email]


def _present(texts: Iterable[str | None]) -> list[str]:
    return [text for text in texts if text and text.strip()]
