"""What transaction codes mean, in Dutch, French and English; tables are built at their first use.

Each table is text, one row a line: the code, then Dutch, French and English, with ``|`` between them.
"""

from functools import cache
from typing import Literal

from . import categories, families, operations

Language = Literal["nl", "fr", "en"]
_PLACE: dict[Language, int] = {"nl": 0, "fr": 1, "en": 2}
_UNKNOWN = ("onbekend", "inconnu", "unknown")
_BANKS_OWN = ("eigen code van de bank", "code propre à la banque", "the bank's own code")
_COSTS_FAMILY = "80"


@cache
def _rows(table: str) -> dict[str, tuple[str, ...]]:
    split = [line.split("|") for line in table.strip().splitlines()]
    return {code: tuple(texts) for code, *texts in split}


def type_text(code: str, language: Language) -> str:
    """Return the meaning of the type, such as ``single amount without detail``."""
    return _rows(families.TYPES).get(code, _UNKNOWN)[_PLACE[language]]


def family_text(family: str, language: Language) -> str:
    """Return the name of the family."""
    return _rows(families.FAMILIES).get(family, _UNKNOWN)[_PLACE[language]]


def operation_text(family: str, operation: str, language: Language) -> str:
    """Return the operation: the family's own meaning first, then what it means in every family."""
    rows = _rows(operations.OPERATIONS)
    found = rows.get(f"{family}{operation}")
    if found is None and family != _COSTS_FAMILY:
        found = rows.get(f"**{operation}")
    if found is None:
        found = _BANKS_OWN if "40" <= operation <= "48" or "90" <= operation <= "98" else _UNKNOWN
    return found[_PLACE[language]]


def category_text(category: str, language: Language) -> str:
    """Return what kind of amount it is."""
    found = _rows(categories.CATEGORIES).get(category)
    if found is None:
        found = next(
            (texts for span, texts in _rows(categories.RANGES).items() if span[:3] <= category <= span[4:]), None
        )
    if found is None:
        found = _BANKS_OWN if category.isdigit() and category >= "700" else _UNKNOWN
    return found[_PLACE[language]]
