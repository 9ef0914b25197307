"""Italy: the tax code, and the whole address."""

import re

from koppel_ubl.checking.engine import Facts, Group, normalised
from koppel_ubl.checking.peppol.patterns import ITALY
from koppel_ubl.checking.peppol.xpath import Path

from .paths import CITY, COMPANY, POSTCODE, STREET, TAX_SCHEME

_TAX_CODE = re.compile(r"[A-Z0-9]{11,16}")


def _is_other_tax(scheme: Group, facts: Facts) -> bool:
    return TAX_SCHEME.value(scheme) != "VAT"


_other_tax = ITALY.on("cac:AccountingSupplierParty/cac:Party/cac:PartyTaxScheme", where=_is_other_tax)
_seller = ITALY.on("cac:AccountingSupplierParty/cac:Party")


@_other_tax.rule(
    "IT-R-001",
    "fatal",
    "BT-32",
    nl="Het fiscale nummer van een Italiaanse verkoper telt 11 tot 16 hoofdletters en cijfers.",
    fr="Le code fiscal d'un vendeur italien compte 11 à 16 majuscules et chiffres.",
    en="The tax code of an Italian seller has 11 to 16 capitals and digits.",
)
def tax_code_has_its_form(scheme: Group, facts: Facts) -> bool:
    return bool(_TAX_CODE.fullmatch(normalised(COMPANY.text(scheme))))


def _address(rule_id: str, term: str, path: Path, nl: str, fr: str, en: str) -> None:
    _seller.rule(
        rule_id,
        "fatal",
        term,
        nl=f"Een Italiaanse verkoper vermeldt {nl}.",
        fr=f"Un vendeur italien indique {fr}.",
        en=f"An Italian seller states {en}.",
    )(lambda party, facts: path.exists(party))


_address("IT-R-002", "BT-35", STREET, "zijn straat", "sa rue", "its street")
_address("IT-R-003", "BT-37", CITY, "zijn plaats", "sa localité", "its city")
_address("IT-R-004", "BT-38", POSTCODE, "zijn postcode", "son code postal", "its post code")
