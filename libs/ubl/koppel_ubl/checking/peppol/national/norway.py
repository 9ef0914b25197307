"""Norway: the organisation number and the register of enterprises."""

import re

from koppel_ubl.check_digits import is_norwegian_number
from koppel_ubl.checking.engine import Facts, Group, normalised
from koppel_ubl.checking.peppol.facts import registrations
from koppel_ubl.checking.peppol.patterns import NORWAY

_seller = NORWAY.on("cac:AccountingSupplierParty/cac:Party")
_NUMBER = re.compile(r"[0-9]{9}MVA")


@_seller.rule(
    "NO-R-002",
    "warning",
    "BT-32",
    nl="Een Noorse verkoper vermeldt 'Foretaksregisteret' als zijn fiscale inschrijving (TAX).",
    fr="Un vendeur norvégien indique « Foretaksregisteret » comme inscription fiscale (TAX).",
    en="A Norwegian seller states 'Foretaksregisteret' as its tax registration (TAX).",
)
def is_in_the_register(party: Group, facts: Facts) -> bool:
    return [normalised(number) for number in registrations(party, "TAX")][:1] == ["Foretaksregisteret"]


@_seller.rule(
    "NO-R-001",
    "fatal",
    "BT-31",
    nl="Een Noors btw-nummer is NO, negen cijfers met een geldig controlecijfer, en MVA.",
    fr="Un numéro de TVA norvégien s'écrit NO, neuf chiffres dont un chiffre de contrôle valable, et MVA.",
    en="A Norwegian VAT number is NO, nine digits with a valid check digit, and MVA.",
)
def vat_number_is_norwegian(party: Group, facts: Facts) -> bool:
    numbers = registrations(party, "VAT")
    if not any(number[:2] == "NO" for number in numbers):
        return True
    return bool(_NUMBER.fullmatch(numbers[0][2:])) and is_norwegian_number(numbers[0][2:11])
