"""Nothing is dropped silently: whatever UBL allows at any place becomes a value of the model, or is listed as unmapped.

Starting from a sample, every element and attribute that the schema knows is put in its place, one at a time; groups the model
holds stay, so that what may stand in them is tried as well.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

import koppel_ubl
from koppel_ubl.checking.structure.table import ELEMENTS, Kind
from koppel_ubl.reading.document import document_of
from koppel_ubl.reading.unmapped import path_of

SAMPLES = Path(__file__).parent / "samples" / "valid"
ROOTS = ("own__be-01-invoice-ogm-pdf.xml", "own__be-02-creditnote-ref.xml")
VALUES = {
    "Amount": ("7.77", "8.88"),
    "BinaryObject": ("JVBERi0=", "JVBERi0x"),
    "Date": ("2031-12-01", "2031-12-02"),
    "Indicator": ("true", "false"),
    "Measure": ("3", "4"),
    "Numeric": ("4", "5"),
    "Percent": ("5", "6"),
    "Quantity": ("6", "7"),
    "Rate": ("7", "8"),
    "Time": ("10:00:00", "11:00:00"),
}
ATTRIBUTES = {"currencyID": "EUR", "mimeCode": "application/pdf", "unitCode": "C62"}
DEPTH_MAX = 8


def fresh(tag: str, depth: int = 0) -> etree._Element | None:
    """Return an element with the least it can hold, and a value in it."""
    kind = ELEMENTS[tag]
    element = etree.Element(tag)
    if kind.is_value:
        element.text = VALUES.get(kind.name, ("QA", "QB"))[0]
        for name in kind.required_attributes:
            element.set(name, ATTRIBUTES.get(name, "Q"))
        return element
    if kind.is_open or depth > DEPTH_MAX:
        return None
    needed = [part for part in kind.parts if part in kind.required]
    first_value = [part for part, (_, _, inner) in kind.parts.items() if inner.is_value][:1]
    for part in needed or first_value or list(kind.parts)[:1]:
        child = fresh(part, depth + 1)
        if child is None:
            return None
        element.append(child)
    return element


def insert(parent: etree._Element, kind: Kind, child: etree._Element) -> None:
    place = kind.parts[str(child.tag)][0]
    before = [one for one in parent if kind.parts[str(one.tag)][0] <= place]
    parent.insert(len(before), child)


def read(root: etree._Element) -> koppel_ubl.Invoice | koppel_ubl.CreditNote:
    return koppel_ubl.read(etree.tostring(root))


def is_listed(unmapped: tuple[str, ...], path: str) -> bool:
    return any(path == one or path.startswith((f"{one}/", f"{one}[")) for one in unmapped)


def places(root: etree._Element) -> Iterator[tuple[etree._Element, Kind, str]]:
    """Yield every place for an element there is, growing the document by each group that the model holds."""
    seen, waiting = set(), [root]
    while waiting:
        parent = waiting.pop()
        kind = ELEMENTS[str(parent.tag)]
        for tag in kind.parts:
            key = path_of(parent, root), tag
            if key not in seen:
                seen.add(key)
                yield parent, kind, tag
        waiting += [one for one in parent if not ELEMENTS[str(one.tag)].is_value]


@pytest.mark.parametrize("name", ROOTS)
def test_every_element_of_ubl_is_held_or_listed_wherever_it_stands(name: str) -> None:
    root = koppel_ubl.safe_xml.parse((SAMPLES / name).read_bytes())
    dropped: list[str] = []
    tried = 0
    for parent, kind, tag in places(root):
        child = fresh(tag)
        if child is None:
            continue
        base, is_first = read(root), parent.find(tag) is None
        insert(parent, kind, child)
        path = path_of(child, root)
        found = read(root)
        tried += 1
        if not is_listed(found.unmapped, path):
            dropped += _values_without_effect(child, found, root)
        parent.remove(child)
        is_held = replace(found, unmapped=()) != replace(base, unmapped=())
        if is_first and is_held and not ELEMENTS[tag].is_value and len(path.split("/")) < DEPTH_MAX:
            insert(parent, kind, child)
        written = koppel_ubl.write(found) if _can_be_written(found) else None
        if written is not None:
            assert replace(koppel_ubl.read(written), unmapped=()) == replace(found, unmapped=()), path
    assert dropped == []
    assert tried > 500


def _values_without_effect(group: etree._Element, found: object, root: etree._Element) -> Iterator[str]:
    for leaf in [one for one in group.iter() if len(one) == 0]:
        kept, other = VALUES.get(ELEMENTS[str(leaf.tag)].name, ("QA", "QB"))
        leaf.text = other
        path, changed = path_of(leaf, root), read(root)
        leaf.text = kept
        if changed == found and not is_listed(changed.unmapped, path):
            yield path


def _can_be_written(document: koppel_ubl.Document) -> bool:
    """A second line or total of the least there can be misses what the schema wants of our own writing."""
    return all(line.net is not None for line in document.lines)


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.xml")), ids=lambda path: path.name)
def test_every_attribute_of_ubl_is_held_or_listed(path: Path) -> None:
    root = koppel_ubl.safe_xml.parse(path.read_bytes())
    base, dropped = read(root), []
    for element in list(root.iter()):
        for name in (*sorted(ELEMENTS[str(element.tag)].attributes), "{urn:x}y"):
            before = element.get(name)
            element.set(name, f"{before or ''}Q")
            if read(root) == base:
                dropped.append(f"{path_of(element, root)}/@{name}")
            if before is None:
                del element.attrib[name]
            else:
                element.set(name, before)
    assert dropped == []


@pytest.mark.parametrize("path", sorted(SAMPLES.parent.glob("*/*.xml")), ids=lambda path: path.name)
def test_every_text_of_the_samples_is_held_or_listed(path: Path) -> None:
    root = document_of(koppel_ubl.safe_xml.parse(path.read_bytes()))
    base, dropped = read(root), []
    for leaf in [one for one in root.iter() if len(one) == 0 and (one.text or "").strip()]:
        kind, text = ELEMENTS[str(leaf.tag)].name, leaf.text or ""
        if kind == "BinaryObject":
            continue
        leaf.text = next(one for one in VALUES.get(kind, (f"{text}Q",)) if one != text)
        if read(root) == base and not is_listed(base.unmapped, path_of(leaf, root)):
            dropped.append(path_of(leaf, root))
        leaf.text = text
    assert dropped == []


def test_without_a_currency_of_the_document_those_of_amounts_are_listed() -> None:
    root = koppel_ubl.safe_xml.parse((SAMPLES / ROOTS[0]).read_bytes())
    root.remove(root.find("{*}DocumentCurrencyCode"))  # type: ignore[arg-type]
    assert "Invoice/LegalMonetaryTotal/PayableAmount/@currencyID" in read(root).unmapped
