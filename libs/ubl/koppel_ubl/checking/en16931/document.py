"""Rules about the document as a whole: what it is called, when, in which money."""

from koppel_ubl.checking.tree import Group
from koppel_ubl.checking.values import is_blank

from .facts import Facts
from .registry import Groups

DOCUMENT = Groups("/")


@DOCUMENT.rule(
    "BR-01",
    "BT-24",
    nl="Vermeld welke specificatie de factuur volgt (CustomizationID).",
    fr="Indiquez la spécification que suit la facture (CustomizationID).",
    en="State which specification the invoice follows (CustomizationID).",
)
def specification_is_given(document: Group, facts: Facts) -> bool:
    return not is_blank(document.text("cbc:CustomizationID"))
