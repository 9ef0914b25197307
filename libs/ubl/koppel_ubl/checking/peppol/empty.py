"""Peppol's rule R008: no element is empty."""

from koppel_ubl.checking.engine import EVERY_ELEMENT, Facts, Group, Node

from .patterns import RULES

_element = RULES.on(EVERY_ELEMENT)


@_element.rule(
    "PEPPOL-EN16931-R008",
    "fatal",
    "",
    nl="Dit element is leeg: vul het in of laat het weg.",
    fr="Cet élément est vide : remplissez-le ou supprimez-le.",
    en="This element is empty: fill it in or leave it out.",
)
def is_filled(node: Node, facts: Facts) -> bool:
    if isinstance(node, Group):
        return bool(node.shape.parts) or -1 in node.shape.stray
    return not node.is_blank or node.token.is_odd
