"""Seeded mutations of UBL documents: what goes wrong in invoices of software, and what nobody thought of.

The same seed gives the same documents on every machine, so that a disagreement can be looked at again.
"""

import copy
import random
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation

from lxml import etree

from koppel_ubl.checking.en16931 import restrictions

from .mutation_values import (
    CATEGORIES,
    COUNTRIES,
    CURRENCIES,
    DATES,
    GROUPS,
    KINDS,
    NATIONAL,
    NUMBERS,
    OTHERS,
    PROFILES,
    RATES,
    REASONS,
    SCHEMES,
    WORDS,
)

CAC = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
CBC = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
EXT = "urn:oasis:names:specification:ubl:schema:xsd:CommonExtensionComponents-2"
Mutation = Callable[[random.Random, etree._Element], None]


def mutated(sample: etree._Element, seed: str) -> etree._Element:
    """Return a copy of a document with one to three things changed."""
    draw = random.Random(seed)
    root = copy.deepcopy(sample)
    for _ in range(draw.choice((1, 1, 1, 2, 2, 3))):
        draw.choice(MUTATIONS)(draw, root)
    return root


def _elements(root: etree._Element) -> list[etree._Element]:
    return [element for element in root.iter() if isinstance(element.tag, str)]


def _below(draw: random.Random, root: etree._Element) -> etree._Element | None:
    found = _elements(root)[1:]
    return draw.choice(found) if found else None


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname


def remove(draw: random.Random, root: etree._Element) -> None:
    """Take an element away."""
    element = _below(draw, root)
    if element is not None:
        element.getparent().remove(element)  # type: ignore[union-attr]


def duplicate(draw: random.Random, root: etree._Element) -> None:
    """Repeat an element, behind itself."""
    element = _below(draw, root)
    if element is not None:
        element.addnext(copy.deepcopy(element))


def reorder(draw: random.Random, root: etree._Element) -> None:
    """Move an element elsewhere among its brothers."""
    element = _below(draw, root)
    if element is not None:
        parent = element.getparent()
        assert parent is not None
        parent.insert(draw.randrange(len(parent)), element)


def transplant(draw: random.Random, root: etree._Element) -> None:
    """Copy an element into another one."""
    element, into = _below(draw, root), draw.choice(_elements(root))
    if element is not None and etree.QName(into).namespace != CBC and element not in into.iterancestors():
        into.insert(draw.randrange(len(into) + 1), copy.deepcopy(element))


def rename(draw: random.Random, root: etree._Element) -> None:
    """Give an element the name of another one."""
    element, other = _below(draw, root), _below(draw, root)
    if element is not None and other is not None:
        element.tag = other.tag


def change_amount(draw: random.Random, root: etree._Element) -> None:
    """Change a number: by a cent, by one, its sign, its digits."""
    found = [one for one in _elements(root) if _is_number(one.text) and etree.QName(one).namespace == CBC]
    if not found:
        return
    element = draw.choice(found)
    value = Decimal(element.text.strip())  # type: ignore[union-attr]
    shifts = ("0.01", "-0.01", "0.02", "1", "-1", "0.99", "-0.99", "0.001", "100")
    element.text = draw.choice(
        [*(str(value + Decimal(shift)) for shift in shifts), str(-value), f"{value}0", f"{value}000"]
    )


def _is_number(text: str | None) -> bool:
    try:
        return bool(text) and Decimal((text or "").strip()).is_finite()
    except InvalidOperation:
        return False


def replace_number(draw: random.Random, root: etree._Element) -> None:
    """Put something else in the place of a number."""
    found = [one for one in _elements(root) if _is_number(one.text)]
    if found:
        draw.choice(found).text = draw.choice(NUMBERS)


def replace_text(draw: random.Random, root: etree._Element) -> None:
    """Put another text in an element without children."""
    found = [one for one in _elements(root) if len(one) == 0]
    if found:
        element = draw.choice(found)
        other = draw.choice(found)
        element.text = draw.choice([*OTHERS, other.text or "", f" {element.text} "])


def _set_texts(names: Sequence[str], values: Sequence[str]) -> Mutation:
    def change(draw: random.Random, root: etree._Element) -> None:
        found = [one for one in _elements(root) if _local(one) in names]
        if not found:
            return
        value = draw.choice(values)
        for element in found if draw.random() < 0.4 else [draw.choice(found)]:
            element.text = value

    return change


def change_category(draw: random.Random, root: etree._Element) -> None:
    """Give VAT categories another code, some of them or all, with or without a rate that fits."""
    found = [one for one in _elements(root) if _local(one) in {"ClassifiedTaxCategory", "TaxCategory"}]
    code, rate = draw.choice(CATEGORIES), draw.choice(RATES)
    chosen = found if draw.random() < 0.6 else draw.sample(found, min(len(found), 1))
    with_rate = draw.random() < 0.7
    for category in chosen:
        for child in category:
            if child.tag == f"{{{CBC}}}ID":
                child.text = code
            if child.tag == f"{{{CBC}}}Percent" and with_rate:
                child.text = rate


def change_attribute(draw: random.Random, root: etree._Element) -> None:
    """Change, remove or add an attribute."""
    element = _below(draw, root)
    if element is None:
        return
    name = draw.choice(
        [
            "currencyID",
            "schemeID",
            "unitCode",
            "listID",
            "mimeCode",
            "filename",
            "name",
            *restrictions.UNUSED_ATTRIBUTES.values(),
        ]
    )
    owners = [one for one in _elements(root) if name in one.attrib]
    target = draw.choice(owners) if owners and draw.random() < 0.8 else element
    if name in target.attrib and draw.random() < 0.4:
        del target.attrib[name]
    else:
        target.set(
            name, draw.choice([*SCHEMES, *CURRENCIES, "C62", "XBX", "STUK", "application/pdf", "text/xml", "STI", ""])
        )


def change_currency(draw: random.Random, root: etree._Element) -> None:
    """Give every amount, or one, another currency."""
    owners = [one for one in _elements(root) if "currencyID" in one.attrib]
    currency = draw.choice(CURRENCIES)
    for owner in owners if draw.random() < 0.5 else owners[:1]:
        owner.set("currencyID", currency)


def add_unused(draw: random.Random, root: etree._Element) -> None:
    """Add an element that UBL knows and EN 16931 does not use, at its place."""
    path = [step for step in draw.choice(restrictions.PLACES).partition("@")[0].lstrip("/").split("/") if step]
    if path[0] == "line":
        path[0] = "cac:CreditNoteLine" if _local(root) == "CreditNote" else "cac:InvoiceLine"
    into = root
    for step in path:
        prefix, _, name = step.partition(":")
        if prefix not in {"cac", "cbc"}:
            return
        tag = f"{{{CAC if prefix == 'cac' else CBC}}}{name}"
        found = into.find(tag)
        into = etree.SubElement(into, tag) if found is None else found
    if len(into) == 0 and not into.text:
        into.text = "1"


def add_known(draw: random.Random, root: etree._Element) -> None:
    """Add an element of another kind of document: what a rule asks at most once, or only then."""
    parent = draw.choice(_elements(root))
    if etree.QName(parent).namespace == CBC:
        return
    name = draw.choice(WORDS)
    tag = f"{{{CAC if name in GROUPS else CBC}}}{name}"
    child = etree.SubElement(parent, tag)
    if name not in GROUPS:
        child.text = draw.choice([*OTHERS, *REASONS, *DATES])


def change_identifier(draw: random.Random, root: etree._Element) -> None:
    """Give identifiers another scheme or another value."""
    found = [one for one in _elements(root) if _local(one) in {"EndpointID", "CompanyID"} or "schemeID" in one.attrib]
    if not found:
        return
    element = draw.choice(found)
    if draw.random() < 0.6:
        element.set("schemeID", draw.choice(SCHEMES))
    if draw.random() < 0.6:
        digits = "".join(draw.choice("0123456789") for _ in range(draw.choice((8, 9, 10, 11, 13, 14))))
        element.text = draw.choice(
            [digits, f"{draw.choice(COUNTRIES)}{digits}", (element.text or "")[:-1], f"{element.text} "]
        )


def move_to_a_country(draw: random.Random, root: etree._Element) -> None:
    """Give the seller, or both parties, another country, with identifiers of that kind: national rules wake up."""
    country, both = draw.choice(COUNTRIES), draw.random() < 0.6
    for party in _elements(root):
        if _local(party) == "AccountingSupplierParty" or (both and _local(party) == "AccountingCustomerParty"):
            for code in party.iter(f"{{{CBC}}}IdentificationCode"):
                code.text = country
            for identifier in party.iter(f"{{{CBC}}}CompanyID", f"{{{CBC}}}EndpointID"):
                if draw.random() < 0.5:
                    identifier.text = draw.choice((*NATIONAL, f"{country}123456789"))
                if draw.random() < 0.5:
                    identifier.set("schemeID", draw.choice(SCHEMES))


def add_extension(draw: random.Random, root: etree._Element) -> None:
    """Put an extension at the top, with something in it that the schema looks at, or that it does not know."""
    extension = etree.SubElement(etree.Element(f"{{{EXT}}}UBLExtensions"), f"{{{EXT}}}UBLExtension")
    content = etree.SubElement(extension, f"{{{EXT}}}ExtensionContent")
    for _ in range(draw.choice((0, 1, 1, 1, 2))):
        etree.SubElement(
            content, draw.choice(("{urn:x}y", f"{{{CBC}}}ID", f"{{{CBC}}}IssueDate", f"{{{CAC}}}Party", "z"))
        )
        content[-1].text = draw.choice(("", *DATES))
        if draw.random() < 0.3:
            content[-1].append(copy.deepcopy(draw.choice(_elements(root))))
    root.insert(0, extension.getparent())  # type: ignore[arg-type]


def say_type(draw: random.Random, root: etree._Element) -> None:
    """Add an attribute of XML Schema itself."""
    element, name = draw.choice(_elements(root)), draw.choice(("type", "nil", "schemaLocation"))
    kinds = (f"cbc:{_local(element)}Type", f"cac:{_local(element)}Type", "cbc:IDType", "true", "false", "urn:x x.xsd")
    element.set(f"{{http://www.w3.org/2001/XMLSchema-instance}}{name}", draw.choice(kinds))


MUTATIONS: tuple[Mutation, ...] = (
    remove,
    remove,
    remove,
    duplicate,
    duplicate,
    reorder,
    transplant,
    rename,
    change_amount,
    change_amount,
    replace_number,
    replace_text,
    change_category,
    change_category,
    change_category,
    change_attribute,
    change_currency,
    change_identifier,
    change_identifier,
    add_unused,
    add_unused,
    add_known,
    add_known,
    add_extension,
    say_type,
    move_to_a_country,
    move_to_a_country,
    _set_texts(("InvoiceTypeCode", "CreditNoteTypeCode"), KINDS),
    _set_texts(("IssueDate", "DueDate", "StartDate", "EndDate", "ActualDeliveryDate", "TaxPointDate"), DATES),
    _set_texts(("DocumentCurrencyCode", "TaxCurrencyCode"), CURRENCIES),
    _set_texts(("IdentificationCode",), COUNTRIES),
    _set_texts(("Percent",), RATES),
    _set_texts(("ChargeIndicator",), ("true", "false", "1", "0", "yes", "")),
    _set_texts(("TaxExemptionReasonCode",), REASONS),
    _set_texts(("ProfileID",), PROFILES),
    _set_texts(("PaymentMeansCode",), ("30", "58", "48", "59", "49", "1", "ZZZ", "x", "93", "")),
    _set_texts(("AllowanceChargeReasonCode",), ("95", "FC", "ADR", "104", "ZZZ", "x", "")),
    _set_texts(("DocumentTypeCode",), ("130", "50", "x")),
)
