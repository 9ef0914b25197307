"""The check: which layers apply under which profile, and in which order they report."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final, Literal

from koppel_ubl import safe_xml
from koppel_ubl.reading.document import document_of
from koppel_ubl.report import Report, Rule

from .en16931 import LAYER as EN16931
from .engine import Layer, Tree, evaluate
from .house_rules import LAYER as HOUSE_RULES
from .peppol import LAYER as PEPPOL
from .structure import LAYER as STRUCTURE

Profile = Literal["peppol-bis-3", "en16931"]

LAYERS: Final[tuple[Layer, ...]] = (STRUCTURE, EN16931, PEPPOL, HOUSE_RULES)
"""In the order of their findings. A new layer is one more entry here."""

PROFILES: Final[Mapping[Profile, frozenset[str]]] = MappingProxyType(
    {
        "peppol-bis-3": frozenset({"structure", "en16931", "peppol", "house_rules"}),
        "en16931": frozenset({"structure", "en16931", "house_rules"}),
    }
)


def check(data: bytes, profile: Profile = "peppol-bis-3") -> Report:
    """Check a UBL invoice or credit note against the rules of a profile.

    Every layer reports all its findings: a document with a wrong structure can have other faults too. Only where a value
    cannot be read at all, the rules of EN 16931 cannot be evaluated, and the layer reports just that.

    Args:
        data: the bytes as received, as they are, in a Peppol envelope (SBDH) or inside an AttachedDocument.
        profile: ``peppol-bis-3`` (with self-billing), or ``en16931`` without the rules of Peppol.

    Raises:
        ReadError: the bytes are no UBL invoice or credit note, or are hostile.
        ValueError: there is no such profile.
    """
    layers = _layers(profile)
    tree = Tree(document_of(safe_xml.parse(data, limit_depth=False)))
    try:
        return Report(evaluate(tree, layers, profile), profile)
    finally:
        tree.release()


@cache
def _layers(profile: str) -> tuple[Layer, ...]:
    for name, layers in PROFILES.items():
        if name == profile:
            return tuple(layer for layer in LAYERS if layer.name in layers)
    raise ValueError(f"There is no profile {profile!r}: use one of {', '.join(PROFILES)}.")


def rule(rule_id: str) -> Rule:
    """Return a rule of any layer by its id.

    Raises:
        KeyError: there is none.
    """
    for layer in LAYERS:
        if rule_id in layer.rules:
            return layer.rules[rule_id]
    raise KeyError(rule_id)
