"""What a few groups say about themselves: the scheme of a tax, the kind and code of an allowance or charge."""

from koppel_ubl.checking.tree import Group
from koppel_ubl.checking.values import is_true, normalised


def is_vat(group: Group) -> bool:
    """Return whether a tax scheme below the group is VAT; the rules compare it in capitals, blanks aside."""
    for scheme in group.groups.get("cac:TaxScheme", ()):
        text = scheme.text("cbc:ID")
        if text == "VAT" or normalised(text).upper() == "VAT":
            return True
    return False


def category_code(category: Group) -> str:
    """Return the code of a VAT category; empty when there is none."""
    return normalised(category.text("cbc:ID"))


def is_charge(allowance_charge: Group) -> bool | None:
    """Return whether the group is a charge; None for neither charge nor allowance.

    Raises:
        NotCastableError: the indicator is neither yes nor no.
    """
    indicators = allowance_charge.values.get("cbc:ChargeIndicator")
    return is_true(indicators[0]) if indicators else None
