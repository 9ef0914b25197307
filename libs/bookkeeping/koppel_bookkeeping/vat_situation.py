"""What a line means for VAT, as far as its document tells: more than its category and rate.

It is the side, where the counterparty is, whether goods or services were supplied, and why the line is exempt. Reverse charge
to a builder in Belgium and to a company in Germany are both ``AE`` at 0 %, and belong in different boxes of the return and in
different listings (ubl §11).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from .booking import Booking, BookingLine
from .parties import Party, bare_number
from .sides import Side
from .vat_categories import DUE_BY_BUYER, MARGIN, is_rated


class Territory(StrEnum):
    """Where the counterparty is, for VAT."""

    BELGIUM = "BE"
    UNION = "EU"
    OUTSIDE = "XX"


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


KINDS: Final = frozenset({*Supply, *Exemption})

# ── what the document says in codes ──

_UNION: Final = frozenset(
    {"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "EL", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU"}
    | {"LV", "MC", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK", "XI"}
)
"""VAT prefixes and countries; Monaco counts as France (directive 2006/112, 7), ``XI`` is Northern Ireland."""
# People write the word for VAT in front of the number.
_COUNTRY: Final = re.compile(r"^(?:BTW|TVA|VAT|MWST|USTIDNR|USTID|UST)?+([A-Z]{2})(?=.*\d)")
# UBL.BE puts the VAT code of the Belgian books in the name of the category (ubl §11).
_SUPPLY_NAMES: Final = {
    "44": Supply.SERVICES,
    "46/GO": Supply.GOODS,
    "46/TR": Supply.TRIANGULAR,
    "47/EX": Supply.GOODS,
    "47/EI": Supply.GOODS,
    "47/EE": Supply.GOODS,
    "47/SE": Supply.SERVICES,
    "OSS-G": Supply.GOODS,
    "OSS-S": Supply.SERVICES,
}
_EXEMPTION_NAMES: Final = {"00/44": Exemption.ART44, "SC": Exemption.SMALL, "MA": Exemption.MARGIN}
_EXEMPTION_CODES: Final = (
    (re.compile(r"VATEX-EU-(132|135)\b"), Exemption.ART44),
    (re.compile(r"VATEX-FR-FRANCHISE$"), Exemption.SMALL),
    (re.compile(r"VATEX-EU-[DFIJ]$"), Exemption.MARGIN),
)


@dataclass(frozen=True)
class VatSituation:
    """What decides the VAT code of a line, and the boxes that it lands in."""

    side: Side
    category: str
    """One of ``vat_categories.CATEGORIES``."""
    rate: Decimal | None = None
    """In percent."""
    territory: Territory = Territory.BELGIUM
    supply: Supply | None = None
    """None where the document does not tell."""
    exemption: Exemption | None = None
    reason_code: str = ""
    """The exemption reason code of the document (BT-121), in capitals."""

    @property
    def is_rated(self) -> bool:
        """Whether the seller charges VAT on the line."""
        return is_rated(self.category, self.rate)

    @property
    def charges_foreign_vat(self) -> bool:
        """Whether a seller who is not in Belgium charged VAT: it is that of another country, and cannot be deducted here."""
        return self.side == "purchase" and self.is_rated and self.territory != Territory.BELGIUM

    @property
    def is_due_by_buyer(self) -> bool:
        """Whether the buyer owes the VAT to the state."""
        return self.category in DUE_BY_BUYER

    @property
    def of_goods(self) -> bool:
        """Whether it is a supply of goods; a triangular one is."""
        return self.supply in {Supply.GOODS, Supply.TRIANGULAR}

    def setting_keys(self) -> Iterator[str]:
        """Yield the keys of the settings that fit, the most specific first: what it is before where the counterparty is.

        A key without a territory is never yielded for what it does not mean: a plain ``AE`` is the domestic co-contractor,
        and a rate that a foreign seller charges is not Belgian VAT. A plain ``K`` means goods, as in the standard.
        """
        for detail in self._details():
            for territory in (f"@{self.territory}", ""):
                if territory or not self._needs_territory:
                    yield f"{self.category}{detail}{territory}"

    @property
    def setting_key(self) -> str:
        """Return the key to name when a person is asked for the setting: as short as it can be without meaning more."""
        kind = self.exemption or self.supply
        tells_kind = kind is not None and (self.category in {"K", "E"} or kind == Exemption.IMPORT)
        detail = f":{kind}" if tells_kind else f":{plain_rate(self.rate)}" if self.is_rated and self.rate else ""
        return f"{self.category}{detail}" + (f"@{self.territory}" if self._needs_territory else "")

    @property
    def _needs_territory(self) -> bool:
        return self.charges_foreign_vat or (self.category == "AE" and self.territory != Territory.BELGIUM)

    def _details(self) -> Iterator[str]:
        if self.exemption is not None:
            yield f":{self.exemption}"
        if self.supply is not None:
            yield f":{self.supply}"
        if self.category == "K" and self.supply in {Supply.SERVICES, Supply.TRIANGULAR}:
            return
        if self.rate is not None:
            yield f":{plain_rate(self.rate)}"
        yield ""

    def __str__(self) -> str:
        """Return it as a person reads it in a problem: ``sale AE at 0 %, counterparty outside the Union``."""
        rate = "" if self.rate is None else f" at {plain_rate(self.rate)} %"
        kind = "".join(f", {each}" for each in (self.exemption, self.supply) if each is not None)
        return f"{self.side} {self.category}{rate}{kind}{_PLACES[self.territory]}"


_PLACES: Final = {
    Territory.BELGIUM: "",
    Territory.UNION: ", counterparty in another country of the Union",
    Territory.OUTSIDE: ", counterparty outside the Union",
}


def plain_rate(rate: Decimal) -> str:
    """Return a rate written one way only: 21, 6, 5.5."""
    return format(rate.normalize(), "f")


def territory_of(party: Party) -> Territory:
    """Return where a party is: by the country of its VAT number, else of its address; Belgium where it tells neither.

    A foreign seller who is registered here writes its Belgian number, and charges Belgian VAT. A name alone comes from daily
    receipts and from quick entry, which asks whoever is abroad for a number.
    """
    found = _COUNTRY.match(bare_number(party.vat_number))
    country = found[1] if found else party.country.strip().upper()
    if not country or country == "BE":
        return Territory.BELGIUM
    return Territory.UNION if country in _UNION else Territory.OUTSIDE


def situation_of(booking: Booking, line: BookingLine) -> VatSituation:
    """Return the situation of one line of a booking."""
    name, code = (line.vat_name or "").strip().upper(), (line.exemption_code or "").strip().upper()
    territory = territory_of(booking.party)
    return VatSituation(
        booking.side,
        line.category,
        line.rate,
        territory,
        _supply(line.category, name, code),
        _exemption(booking.side, line.category, name, code, territory),
        code,
    )


def _supply(category: str, name: str, code: str) -> Supply | None:
    if name in _SUPPLY_NAMES:
        return _SUPPLY_NAMES[name]
    # An intra-Community supply states when and where the goods are delivered (BR-IC-11, BR-IC-12); so does an export.
    return Supply.GOODS if category in {"K", "G"} or code in {"VATEX-EU-IC", "VATEX-EU-G"} else None


def _exemption(side: Side, category: str, name: str, code: str, territory: Territory) -> Exemption | None:
    if name in _EXEMPTION_NAMES:
        return _EXEMPTION_NAMES[name]
    if category in MARGIN:
        return Exemption.MARGIN
    if side == "purchase" and category == "G" and territory == Territory.OUTSIDE:
        return Exemption.IMPORT
    return next((exemption for pattern, exemption in _EXEMPTION_CODES if pattern.match(code)), None)
