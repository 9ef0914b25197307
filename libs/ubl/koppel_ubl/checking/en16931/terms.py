"""Terms that many rules read: the scheme of a tax, the code of a VAT category, whether a group is an allowance or a charge."""

from koppel_ubl.checking.engine import Group, cached_by_shape, is_true, normalised


@cached_by_shape
def is_vat(group: Group) -> bool:
    """Return whether a tax scheme below the group is VAT; the rules compare it in capitals, blanks aside."""
    for scheme in group.groups("cac:TaxScheme"):
        text = scheme.text("cbc:ID")
        if text == "VAT" or normalised(text).upper() == "VAT":
            return True
    return False


@cached_by_shape
def category_code(category: Group) -> str:
    """Return the code of a VAT category; empty when there is none."""
    return normalised(category.text("cbc:ID"))


@cached_by_shape
def is_charge(allowance_charge: Group) -> bool | None:
    """Return whether the group is a charge; None for neither charge nor allowance.

    Raises:
        NotCastableError: the indicator is neither yes nor no.
    """
    indicator = allowance_charge.value("cbc:ChargeIndicator")
    return None if indicator is None else is_true(indicator)
