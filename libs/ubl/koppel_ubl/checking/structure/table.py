"""The structure of UBL 2.1 as a table: which elements a type has, in which order and how often, and which values they hold.

``ubl-2.1.txt`` holds the facts (``tests/oracle/derive_structure.py`` derives them); kinds of values and their attributes
are below.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.resources import files

from lxml import etree

from .values import IS_WRITTEN_WELL

NAMESPACES = {
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
    "ext": "urn:oasis:names:specification:ubl:schema:xsd:CommonExtensionComponents-2",
    "inv": "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2",
    "cn": "urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2",
}
_SCHEME = (
    "schemeID schemeName schemeAgencyID schemeAgencyName schemeVersionID schemeDataURI schemeURI"  # of an identifier
)
_LIST = "listID listAgencyID listAgencyName listName listVersionID name languageID listURI listSchemeURI"
_FILE = "mimeCode! format encodingCode characterSetCode uri filename"
ATTRIBUTES = {
    "Amount": "currencyID! currencyCodeListVersionID",
    "BinaryObject": _FILE,
    "Code": _LIST,
    "Date": "",
    "Identifier": _SCHEME,
    "Indicator": "",
    "Measure": "unitCode! unitCodeListVersionID",
    "Name": "languageID languageLocaleID",
    "Numeric": "format",
    "Percent": "format",
    "Quantity": "unitCode unitCodeListID unitCodeListAgencyID unitCodeListAgencyName",
    "Rate": "format",
    "Text": "languageID languageLocaleID",
    "Time": "",
}
"""Attributes of each kind of value; ``!`` must be there."""

UNBOUNDED = 1 << 30


@dataclass(eq=False, slots=True)
class Kind:
    """What an element holds: elements, when ``parts`` says which, or a value.

    Attributes:
        parts: by Clark name the place in the order, how often it may occur, and what it holds itself.
        required: names that must be there, in their order.
        is_written_well: whether a text is a value of this kind; None where any text is.
        is_open: whether it holds one element of another namespace, whatever that is (``ExtensionContent``).
    """

    name: str
    parts: dict[str, tuple[int, int, "Kind"]] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    attributes: frozenset[str] = frozenset()
    required_attributes: list[str] = field(default_factory=list)
    is_value: bool = False
    is_written_well: Callable[[str], bool] | None = None
    is_open: bool = False


def clark(name: str) -> str:
    """Return the name lxml uses for ``cbc:ID``."""
    prefix, _, local = name.partition(":")
    return f"{{{NAMESPACES[prefix]}}}{local}"


def short(tag: str) -> str:
    """Return the name people read: ``cbc:ID``; ``Invoice`` for the document."""
    name = etree.QName(tag)
    prefix = next((prefix for prefix, namespace in NAMESPACES.items() if namespace == name.namespace), None)
    return name.localname if prefix in {"inv", "cn"} else f"{prefix or '?'}:{name.localname}"


def _value(name: str) -> Kind:
    attributes = ATTRIBUTES[name].split()
    return Kind(
        name,
        attributes=frozenset(each.rstrip("!") for each in attributes),
        required_attributes=[each[:-1] for each in attributes if each.endswith("!")],
        is_value=True,
        is_written_well=IS_WRITTEN_WELL.get(name),
    )


def _elements() -> dict[str, Kind]:
    """Return what each element holds, by its Clark name: in UBL a name has one kind everywhere."""
    kinds = {name: _value(name) for name in ATTRIBUTES}
    kinds["ExtensionContentType"] = Kind("ExtensionContentType", is_open=True)
    of_element: dict[str, str] = {}
    sequences: dict[str, list[str]] = {}
    for line in files(__package__).joinpath("ubl-2.1.txt").read_text(encoding="ascii").splitlines():
        name, *rest = line.split()
        if rest[0] == "=":
            sequences[name] = rest[1:]
            kinds[name] = Kind(name)
        else:
            of_element[name] = rest[0]
    for name, sequence in sequences.items():
        required = []
        for place, particle in enumerate(sequence):
            element = particle.rstrip("?*+")
            many = UNBOUNDED if particle[-1] in "*+" else 1
            kinds[name].parts[clark(element)] = (place, many, kinds[of_element[element]])
            if particle[-1] not in "?*":
                required.append(clark(element))
        kinds[name].required = tuple(required)
    of_element |= {"inv:Invoice": "InvoiceType", "cn:CreditNote": "CreditNoteType"}
    return {clark(element): kinds[name] for element, name in of_element.items()}


ELEMENTS = _elements()
