"""What a text says of a line under the category of intra-Community supplies, which some packages write over services, too."""

import time
from dataclasses import replace
from decimal import Decimal

import pytest

from koppel_bookkeeping import BookingLine, vat_evidence
from koppel_bookkeeping.vat_evidence import Supply, exemption_of, supply_of


def under_k(reason: str) -> BookingLine:
    return BookingLine("1", Decimal(100), "K", Decimal(0), "", exemption_reason=reason)


@pytest.mark.parametrize(
    "reason",
    [
        "Intracommunautaire dienst",
        "IC dienst - art. 196 Richtlijn 2006/112/EG",
        "Intracommunautaire dienstverlening",
        "Intracommunautaire dienstverrichting",
        "Intracommunautaire dienstprestatie, btw verlegd",
        "Intracommunautaire prestaties",
        "Vervoerdiensten aan een belastingplichtige in een andere lidstaat",
        "Intracommunautaire levering van diensten",
        "Levering van elektronische diensten",
        "Levering diensten binnen de EU",
        "Dienstenlevering, btw te voldoen door de afnemer",
        "Prestation de services intracommunautaire",
        "Prestation intracommunautaire, autoliquidation",
        "Livraison de services",
        "Livraison intracommunautaire de prestations",
        "Livraison d'un service, art. 196 de la directive",
        "Livraison de prestations de services",
        "Livraison intracommunautaire d’un service",
        "Livraison exonérée de services",
        "Levering van onze diensten",
        "Levering der diensten",
        "Fourniture de services",
        "Innergemeinschaftliche Dienstleistung",
        "Lieferung von Dienstleistungen",
        "Lieferung der sonstigen Leistungen",
        "Lieferung Dienstleistungen",
        "Innergemeinschaftliche sonstige Leistung",
        "Steuerfreie innergemeinschaftliche Leistungen",
        "Transportdienstleistungen",
        "Intra-Community supply of services",
        "Intra-Community service",
        "Delivery of services",
    ],
)
def test_a_reason_that_speaks_of_services_is_of_services(reason: str) -> None:
    assert supply_of(under_k(reason)) == Supply.SERVICES


@pytest.mark.parametrize(
    "reason",
    [
        "Vrijgestelde intracommunautaire levering (art. 39bis)",
        "Intracommunautaire levering, nummer bevestigd door de Belastingdienst",
        "Intracommunautaire verrichting, bevestigd door de belastingdienst",
        "Levering van goederen en diensten",
        "Levering en dienst",
        "Levering of diensten",
        "Levering van machines en diensten",
        "Intracommunautaire levering geen dienst",
        "Intracommunautaire levering aan de technische dienst",
        "Intracommunautaire levering voor de dienst onderhoud",
        "Intracommunautaire levering via koerierdienst",
        "Levering, dienst verkoop",
        "Levering wisselstukken dienst na verkoop",
        "Levering met dienstverlening",
        "Levering/diensten",
        "Goederenlevering of dienst",
        "Livraison intracommunautaire exonérée",
        "Livraison de biens ou prestation de services",
        "Livraison de marchandises et de services",
        "Livraison avec service d'installation",
        "Livraison intracommunautaire au service technique",
        "Livraison intracommunautaire, notre service clients",
        "Livraison de matériel et services",
        "Innergemeinschaftliche Lieferung",
        "Lieferungen und sonstige Leistungen",
        "Innergemeinschaftliche Lieferung Kundendienst",
        "Innergemeinschaftliche Lieferung an den Kundendienst",
        "Waren oder Dienstleistungen",
        "Warenlieferung und Dienstleistung",
        "Steuerschuldnerschaft des Leistungsempfängers",
        "Intra-Community supply",
        "Goods and services",
        "dienstig",
    ],
)
def test_a_reason_that_speaks_of_goods_or_of_both_is_of_goods(reason: str) -> None:
    assert supply_of(under_k(reason)) == Supply.GOODS


MEGABYTE = 1_000_000


@pytest.mark.parametrize(
    "flood", ["lieferung", "lieferung ", "levering", "levering van ", "livraison d'", "dienst", "sonstige ", "x", " "]
)
@pytest.mark.parametrize("end", [" von Dienstleistungen", "!"])
def test_a_megabyte_of_reason_is_read_at_once(flood: str, end: str) -> None:
    reason = f"lieferung{flood * (MEGABYTE // len(flood))}{end}"
    started = time.process_time()
    for pattern in (vat_evidence._GOODS, vat_evidence._SERVICES):
        pattern.search(reason)
    for _ in range(500):
        supply_of(under_k(reason))
        exemption_of(replace(under_k(reason), category="E"))
    assert time.process_time() - started < 2
