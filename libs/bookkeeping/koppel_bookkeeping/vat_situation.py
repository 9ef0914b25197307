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
from .vat_categories import DUE_BY_BUYER, RATED, is_rated
from .vat_evidence import Exemption as Exemption
from .vat_evidence import Supply as Supply
from .vat_evidence import exemption_of, is_of_one_stop_shop, reason_code, supply_of


class Territory(StrEnum):
    """Where the counterparty is, for VAT."""

    BELGIUM = "BE"
    UNION = "EU"
    OUTSIDE = "XX"


KINDS: Final = frozenset({*Supply, *Exemption})

_UNION: Final = frozenset(
    {"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "EL", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU"}
    | {"LV", "MC", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK", "XI"}
)
"""VAT prefixes and countries; Monaco counts as France (directive 2006/112, 7)."""
NORTHERN_IRELAND: Final = "XI"
"""Of the Union for goods, and not for services."""
OUTSIDE_THE_RETURN: Final = "VATEX-EU-79-C"
"""What was paid in the customer's name and on its account."""
# People write the word for VAT in front of the number.
_COUNTRY: Final = re.compile(r"^(?:BTW|TVA|VAT|MWST|USTIDNR|USTID|UST)?+([A-Z]{2})(?=.*\d)")


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
    one_stop_shop: bool = False
    """Whether the seller declares the VAT in the one-stop shop: it is that of the buyer's country, whatever its rate."""

    @property
    def is_rated(self) -> bool:
        """Whether the seller charges VAT on the line."""
        return is_rated(self.category, self.rate)

    @property
    def charges_foreign_vat(self) -> bool:
        """Whether a seller who is not in Belgium charged VAT: it is that of another country, and cannot be deducted here."""
        return self.side == "purchase" and self.is_rated and self.territory != Territory.BELGIUM

    @property
    def only_settings_tell(self) -> bool:
        """Whether a person has to say which code it is: what a vendor's codes tell of themselves cannot mean it."""
        return (
            self.charges_foreign_vat
            or self.one_stop_shop
            or self.exemption in {Exemption.ABROAD, Exemption.UNREGISTERED}
            or self.is_unexplained_abroad
            or (self.category == "K" and self.territory != Territory.UNION)
            or (self.category in RATED and not self.is_rated)
        )

    @property
    def is_unexplained_abroad(self) -> bool:
        """Whether it is zero-rated or exempt with a counterparty abroad, and nothing says why.

        A sale may be an export or an intra-Community supply, a purchase an import or one whose VAT we owe.
        """
        if self.territory == Territory.BELGIUM or self.exemption is not None or self.reason_code == OUTSIDE_THE_RETURN:
            return False
        return (
            self.category in {"Z", "E", "O"}
            if self.side == "purchase"
            else (self.category in {"Z", "E"} and not self.reason_code)
        )

    @property
    def is_due_by_buyer(self) -> bool:
        """Whether the buyer owes the VAT to the state and not to the seller, and the buyer is ours."""
        return self.side == "purchase" and self.category in DUE_BY_BUYER

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
        alone = kind if kind is not None and (self._is_kind_alone or self.category in {"K", "E"}) else None
        rate = self.rate if self.is_rated or self.category in RATED else None
        detail = f":{alone or ('' if rate is None else plain_rate(rate))}".rstrip(":")
        return f"{self.category}{detail}" + (f"@{self.territory}" if self._needs_territory else "")

    @property
    def _needs_territory(self) -> bool:
        """Whether a key without a territory would mean something else."""
        if self.exemption == Exemption.ABROAD:
            return False
        home = Territory.UNION if self.category == "K" else Territory.BELGIUM
        is_elsewhere = self.category in DUE_BY_BUYER and self.territory != home
        return self.charges_foreign_vat or self.one_stop_shop or self.is_unexplained_abroad or is_elsewhere

    @property
    def _is_kind_alone(self) -> bool:
        """Whether a key without the kind would mean something else."""
        if self.exemption in {Exemption.ABROAD, Exemption.UNREGISTERED}:
            return True
        match self.category:
            case "K":
                return self.supply in {Supply.SERVICES, Supply.TRIANGULAR}
            case "AE":
                return self.of_goods and self.territory == Territory.UNION
            case _:
                return self.exemption == Exemption.IMPORT

    def _details(self) -> Iterator[str]:
        if self.exemption is not None:
            yield f":{self.exemption}"
        if self.exemption in {Exemption.ABROAD, Exemption.UNREGISTERED}:
            return
        if self.supply is not None:
            yield f":{self.supply}"
        if self._is_kind_alone and self.exemption != Exemption.IMPORT:
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
    country = _country_of(party)
    if not country or country == "BE":
        return Territory.BELGIUM
    return Territory.UNION if country in _UNION else Territory.OUTSIDE


def _country_of(party: Party) -> str:
    found = _COUNTRY.match(bare_number(party.vat_number))
    return found[1] if found else party.country.strip().upper()


def situation_of(booking: Booking, line: BookingLine) -> VatSituation:
    """Return the situation of one line of a booking."""
    supply, territory = supply_of(line), territory_of(booking.party)
    if _country_of(booking.party) == NORTHERN_IRELAND and line.category == "AE" and supply != Supply.GOODS:
        territory = Territory.OUTSIDE
    return VatSituation(
        booking.side,
        line.category,
        line.rate,
        territory,
        supply,
        _exemption(booking, line, territory),
        reason_code(line),
        is_of_one_stop_shop(line),
    )


def _exemption(booking: Booking, line: BookingLine, territory: Territory) -> Exemption | None:
    told = exemption_of(line)
    if told is not None:
        return told
    if booking.side == "purchase" and line.category == "G" and territory == Territory.OUTSIDE:
        return Exemption.IMPORT
    return Exemption.UNREGISTERED if _is_unregistered(booking, line, territory) else None


def _is_unregistered(booking: Booking, line: BookingLine, territory: Territory) -> bool:
    """Whether the VAT should be due by the buyer, and who is in Belgium, or buys in the Union, has no number at all."""
    of_concern = {Territory.BELGIUM, Territory.UNION} if booking.side == "sale" else {Territory.BELGIUM}
    return line.category in DUE_BY_BUYER and territory in of_concern and not booking.party.numbers
