"""The rules of EN 16931 as bound to UBL: written from their meaning, in the order of the official pattern.

Release 1.3.16 (April 2026) of the validation artefacts is followed.
"""

from koppel_ubl.checking.engine import Layer

from . import (  # noqa: F401 - each declares its rules
    allowances,
    breakdown,
    code_lists,
    document,
    lines,
    parties,
    payment,
    restrictions,
    syntax,
    totals,
    vat_categories,
)
from .rules import RULES

__all__ = ["LAYER"]

RELEASE = "1.3.16"
_NOT_CASTABLE = RULES.declare(
    "KOPPEL-VALUE",
    "fatal",
    "",
    nl="Deze waarde is geen getal, datum of ja/nee; daardoor kunnen de regels van EN 16931 niet worden gecontroleerd.",
    fr="Cette valeur n'est ni un nombre, ni une date, ni un oui/non ; les règles EN 16931 ne peuvent être vérifiées.",
    en="This value is not a number, date or true/false, so the rules of EN 16931 cannot be evaluated.",
)

LAYER = Layer("en16931", RULES.by_id, RULES.assertions, not_castable=_NOT_CASTABLE)
