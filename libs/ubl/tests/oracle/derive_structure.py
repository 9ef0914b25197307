"""Derives ``checking/structure/ubl-2.1.txt`` from the schema of UBL 2.1: run by hand, with the folder of the schema as argument.

The text holds facts only, for what an invoice or credit note can reach: for each type its elements in their order with how
often they may stand (``?`` once or never, ``*`` any number, ``+`` once or more), for each element its type or kind of value.
"""

import sys
from pathlib import Path

from lxml import etree

XSD = "{http://www.w3.org/2001/XMLSchema}"
PREFIXES = {
    "UBL-CommonAggregateComponents-2.1.xsd": "cac",
    "UBL-CommonBasicComponents-2.1.xsd": "cbc",
    "UBL-CommonExtensionComponents-2.1.xsd": "ext",
    "UBL-Invoice-2.1.xsd": "inv",
    "UBL-CreditNote-2.1.xsd": "cn",
}
TIMES = {("1", "1"): "", ("0", "1"): "?", ("0", "unbounded"): "*", ("1", "unbounded"): "+"}
TARGET = Path(__file__).parents[2] / "koppel_ubl" / "checking" / "structure" / "ubl-2.1.txt"


def derived(folder: Path) -> str:
    """Return the text for the schema in this folder."""
    types_of: dict[str, str] = {}
    particles: dict[str, list[str]] = {}
    values: dict[str, str] = {}
    for path in sorted(folder.rglob("*.xsd")):
        if (prefix := PREFIXES.get(path.name)) is None:
            continue
        root = etree.parse(path).getroot()
        for element in root.iterchildren(f"{XSD}element"):
            types_of[f"{prefix}:{element.get('name')}"] = f"{prefix}:{element.get('type')}"
        for one in root.iterchildren(f"{XSD}complexType"):
            type_name = f"{prefix}:{one.get('name')}"
            if (base := one.find(f".//{XSD}extension")) is not None:
                values[type_name] = str(base.get("base")).removeprefix("udt:").removesuffix("Type")
            else:
                particles[type_name] = [particle(each, prefix) for each in one.iter(f"{XSD}element")]
    lines, todo, done = [], ["inv:Invoice", "cn:CreditNote"], set[str]()
    while todo:
        name = todo.pop(0)
        if name in done:
            continue
        done.add(name)
        kind = types_of[name]
        lines.append(f"{name} {values.get(kind) or kind.partition(':')[2]}")
        todo += [each.rstrip("?*+") for each in particles.get(kind, ())]
    kinds = {types_of[name] for name in done} & particles.keys()
    lines += [f"{kind.partition(':')[2]} = {' '.join(particles[kind])}" for kind in kinds]
    return "\n".join(sorted(lines)) + "\n"


def particle(element: etree._Element, prefix: str) -> str:
    """Return an element of a sequence with how often it may stand."""
    reference = str(element.get("ref"))
    name = reference if ":" in reference else f"{prefix}:{reference}"
    return name + TIMES[element.get("minOccurs", "1"), element.get("maxOccurs", "1")]


if __name__ == "__main__":
    TARGET.write_text(derived(Path(sys.argv[1])), encoding="ascii")
