"""What a document says of a line besides its VAT category: in codes, in the reason of an exemption, by what was sold."""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from .booking import BookingLine
from .vat_categories import MARGIN


class Supply(StrEnum):
    """What was supplied. ``TRIANGULAR``: goods that go from the first to the last of three parties (directive 2006/112, 141)."""

    GOODS = "goods"
    SERVICES = "services"
    TRIANGULAR = "triangular"


class Exemption(StrEnum):
    """Why a line shows no VAT, where Belgian books tell it apart from other reasons."""

    ART44 = "art44"
    """Article 44 of the Belgian code, 132 and 135 of the directive: care, schools, insurance, rent."""
    SMALL = "small"
    """The scheme for small enterprises."""
    MARGIN = "margin"
    """VAT is due on the dealer's margin only, and is not shown."""
    IMPORT = "import"
    """Goods that their seller exports to us. Whether the VAT is paid at the customs or deferred to the return, the importer's
    licence decides, which no invoice tells."""
    ABROAD = "abroad"
    """Goods or services that count as supplied in another country, such as an installation there."""
    UNREGISTERED = "unregistered"
    """No number says that the counterparty is registered for VAT, and without it the buyer cannot owe the VAT."""


# UBL.BE puts the VAT code of the Belgian books in the name of the category (ubl §11).
_SUPPLY_NAMES: Final = {
    "44": Supply.SERVICES,
    "46/GO": Supply.GOODS,
    "46/TR": Supply.TRIANGULAR,
    "47/EX": Supply.GOODS,
    "47/EI": Supply.GOODS,
    "47/EE": Supply.GOODS,
    "OSS-G": Supply.GOODS,
    "OSS-S": Supply.SERVICES,
}
_EXEMPTION_NAMES: Final = {
    "00/44": Exemption.ART44,
    "SC": Exemption.SMALL,
    "MA": Exemption.MARGIN,
    **dict.fromkeys(("47/TO", "47/AS", "47/DI", "47/SE"), Exemption.ABROAD),
}
_ONE_STOP_SHOP: Final = "OSS"
_EXEMPTION_CODES: Final = (
    (re.compile(r"VATEX-EU-(132|135)\b"), Exemption.ART44),
    (re.compile(r"VATEX-FR-FRANCHISE$"), Exemption.SMALL),
    (re.compile(r"VATEX-EU-[DFIJ]$"), Exemption.MARGIN),
)
# Belgium has no codes of its own in BT-121; its invoices give the legal text in BT-120 (ubl §11).
_SMALL: Final = re.compile(
    r"kleine ondernem|petites? entreprises?|small (?:business|enterprise)|kleinunternehmer|56\s*bis\b", re.IGNORECASE
)
_MARGIN: Final = re.compile(
    r"\bmarge|\bmargin|winstmarge|gebruikte goederen|biens d.occasion|second.?hand|kunstvoorwerpen|objets d.art"
    r"|antiquiteiten|antiquités|reisbureau|agences? de voyages?|travel agen",
    re.IGNORECASE,
)
_ART44: Final = re.compile(r"\bart(?:\.|icles?|ikel)?\s*44\b", re.IGNORECASE)
_EXEMPTION_IN_TEXT: Final = ((_SMALL, Exemption.SMALL), (_MARGIN, Exemption.MARGIN), (_ART44, Exemption.ART44))
_DIRECTIVE: Final = re.compile(r"richtlijn|directi[ev]|2006/112", re.IGNORECASE)
"""Article 44 of the directive is about where services are supplied, and exempts nothing."""
_TRIANGULAR: Final = re.compile(r"driehoek|triangul|dreiecks", re.IGNORECASE)
# In Dutch, French, German and English. What ends in "dienst" in Dutch may be an authority, too.
_SERVICE_WORDS: Final = (
    r"services?|prestations?|prestaties?"
    r"|\w*(?<!belasting)(?<!overheids)(?<!douane)dienst(?:en?)?|dienst(?:en)?(?:verle|verri|verst|presta|lever)\w+"
    r"|\w*dienstleistung\w*|werkleistung\w*|(?:sonstige|innergemeinschaftliche)\w*\s+leistung(?:en)?"
)
_SERVICES: Final = re.compile(rf"\b(?:{_SERVICE_WORDS})\b", re.IGNORECASE)
# "Levering van diensten" delivers no goods; "levering en diensten" is both, and "levering aan de technische dienst" goes to a
# department. Words that name no department need no genitive.
_OF_SERVICES: Final = (
    r"(?:\s+(?:intra|exon)[\w-]*)?\s+(?:(?:van|de|des|von|der)\s+|d['’]\s*)"
    rf"(?:[\w'’]+\s+)?(?:{_SERVICE_WORDS})\b"
    r"|\s+(?:diensten|prestations?|prestaties?|dienstleistung\w*)\b"
)
# What a word has read is never given back (``++``), or one long word would be read as often as it has letters.
_GOODS: Final = re.compile(
    r"\b(?:goods|merchandise|goederen\w*+|biens|marchandises|waren|güter|gegenst[aä]nd\w*+"
    rf"|(?:levering\w*+|livraisons?+|(?=\w*lieferung)\w++)(?!{_OF_SERVICES}))\b",
    re.IGNORECASE,
)
_REASON_MAX: Final = 1_000
"""Letters of the reason of an exemption that are read, for each line again: what it says of the law stands in its first words."""
_UNITS_OF_SERVICES: Final = frozenset(
    {"HUR", "LH", "MIN", "DAY", "E49", "WEE", "MON", "QAN", "SAN", "ANN", "E48", "E51"}
)
"""Hours to years, service units and jobs (Recommendation 20): nobody sells goods by them."""
_LISTS_OF_GOODS: Final = frozenset({"HS", "SRZ", "TSP", "CV", "IB"})
"""Harmonised system and other customs lists, the Combined Nomenclature, ISBN (UNTDID 7143)."""
_CPV: Final = "STI"
_UNSPSC: Final = "TST"
_CPV_WORKS, _CPV_SOFTWARE, _CPV_SERVICES_FROM = 45, 48, 50
_UNSPSC_GOODS, _UNSPSC_SERVICES, _UNSPSC_SOFTWARE = range(10, 61), range(70, 95), "4323"


def vat_name(line: BookingLine) -> str:
    """Return the VAT code of Belgian books that the line carries (UBL.BE); empty when it has none."""
    return (line.vat_name or "").strip().upper()


def reason_code(line: BookingLine) -> str:
    """Return the exemption reason code (BT-121) in capitals; empty when there is none."""
    return (line.exemption_code or "").strip().upper()


def is_of_one_stop_shop(line: BookingLine) -> bool:
    """Whether the seller declares the VAT of the line in the one-stop shop."""
    return vat_name(line).startswith(_ONE_STOP_SHOP)


def supply_of(line: BookingLine) -> Supply | None:
    """Return what was supplied; None where the document does not tell.

    Under ``K`` a name, a text, a classification and a unit come before the category: the standard has it for goods alone,
    and some packages write it over services (ubl §11).
    """
    if (named := _SUPPLY_NAMES.get(vat_name(line))) is not None:
        return named
    code, told = reason_code(line), _supply_classified(line.classifications)
    if line.category == "AE" and code != "VATEX-EU-IC":
        return told
    if line.category != "K":
        # An intra-Community supply states when and where the goods are delivered (BR-IC-11, BR-IC-12); so does an export.
        return Supply.GOODS if line.category == "G" or code in {"VATEX-EU-IC", "VATEX-EU-G"} else None
    reason = _reason(line)
    if _TRIANGULAR.search(reason):
        return Supply.TRIANGULAR
    in_text = _SERVICES.search(reason) is not None and _GOODS.search(reason) is None
    return told or (Supply.SERVICES if in_text or code == "VATEX-EU-AE" or _is_of_services(line.unit) else Supply.GOODS)


def exemption_of(line: BookingLine) -> Exemption | None:
    """Return why the line shows no VAT, where the document tells."""
    if (named := _EXEMPTION_NAMES.get(vat_name(line))) is not None:
        return named
    if line.category in MARGIN:
        return Exemption.MARGIN
    code = reason_code(line)
    if code:
        return next((exemption for pattern, exemption in _EXEMPTION_CODES if pattern.match(code)), None)
    reason = _reason(line)
    if line.category not in {"E", "O"} or _DIRECTIVE.search(reason):
        return None
    return next((exemption for pattern, exemption in _EXEMPTION_IN_TEXT if pattern.search(reason)), None)


def _reason(line: BookingLine) -> str:
    return (line.exemption_reason or "")[:_REASON_MAX]


def _is_of_services(unit: str | None) -> bool:
    return (unit or "").strip().upper() in _UNITS_OF_SERVICES


def _supply_classified(classifications: Iterable[tuple[str, str]]) -> Supply | None:
    """Return what all classifications agree on (BT-158); None where they do not, or none tells."""
    told = {supply for scheme, code in classifications if (supply := _supply_in_list(scheme, code)) is not None}
    return told.pop() if len(told) == 1 else None


def _supply_in_list(scheme: str, code: str) -> Supply | None:
    if scheme in _LISTS_OF_GOODS:
        return Supply.GOODS
    digits = code.strip()
    if scheme not in {_CPV, _UNSPSC} or not digits[:8].isdecimal() or len(digits) < 8:
        return None
    division = int(digits[:2])
    if scheme == _CPV:
        if division == _CPV_WORKS:
            return None
        return Supply.SERVICES if division == _CPV_SOFTWARE or division >= _CPV_SERVICES_FROM else Supply.GOODS
    if division in _UNSPSC_SERVICES or digits.startswith(_UNSPSC_SOFTWARE):
        return Supply.SERVICES
    return Supply.GOODS if division in _UNSPSC_GOODS else None
