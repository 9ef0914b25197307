"""What a line means for VAT: where the counterparty is, what was supplied, why it is exempt; and the settings that answer it."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import product

import pytest
from pydantic import TypeAdapter, ValidationError

from koppel_bookkeeping import Booking, BookingLine, CannotBook, Party, Side
from koppel_bookkeeping.settings import VatCodes, VatKey
from koppel_bookkeeping.vat import choose_vat_code
from koppel_bookkeeping.vat_categories import CATEGORIES, category_of
from koppel_bookkeeping.vat_situation import Exemption, Supply, Territory, VatSituation, situation_of, territory_of
from koppel_mesh.messages import DocumentKind

from .books import VatCode, sample

ZERO, RATE = Decimal(0), Decimal(21)
IN_BELGIUM, IN_GERMANY, IN_AMERICA = Party("A", "BE0404616494"), Party("B", "DE811907980"), Party("C", country="US")


def line(category: str, rate: Decimal | None = ZERO, name: str = "", code: str = "") -> BookingLine:
    return BookingLine("1", ZERO, category, rate, "", exemption_code=code, vat_name=name)


def situation(kind: str, one: BookingLine, party: Party = IN_BELGIUM) -> VatSituation:
    made = Booking(DocumentKind(kind), "1", date(2026, 11, 10), None, "EUR", ZERO, party, (one,))
    return situation_of(made, one)


@pytest.mark.parametrize(
    ("party", "territory"),
    [
        (Party("name alone"), "BE"),
        (Party("address alone", country="be"), "BE"),
        (Party("registered here", "BE 0404.616.494", country="US"), "BE"),
        (Party("number without country", "0404616494", country="BE"), "BE"),
        (Party("number with a word", "BTW BE 0404.616.494", country="BE"), "BE"),
        (Party("number with a word alone", "TVA 0404.616.494", country="BE"), "BE"),
        (Party("German", "DE811907980", country="BE"), "EU"),
        (Party("German with a word", "USt-IdNr. DE811907980"), "EU"),
        (Party("Greek", "EL123456789"), "EU"),
        (Party("Dutch", "NL 8001.23.456.B01"), "EU"),
        (Party("Northern Irish", "XI123456789", country="GB"), "EU"),
        (Party("Monegasque", country="MC"), "EU"),
        (Party("French address", country="FR"), "EU"),
        (Party("no number", "VAT EXEMPT", country="US"), "XX"),
        (Party("British", "GB123456789"), "XX"),
        (Party("Swiss", "CHE-123.456.789 MWST", country="CH"), "XX"),
        (Party("one stop shop of others", "EU372000041", country="US"), "XX"),
    ],
)
def test_the_territory_is_that_of_the_vat_number_else_of_the_address(party: Party, territory: str) -> None:
    assert territory_of(party) == territory


@pytest.mark.parametrize(
    ("kind", "one", "party", "supply", "exemption"),
    [
        ("sales_invoice", line("K"), IN_GERMANY, Supply.GOODS, None),
        ("sales_invoice", line("K", name="44"), IN_GERMANY, Supply.SERVICES, None),
        ("sales_invoice", line("K", name="46/go"), IN_GERMANY, Supply.GOODS, None),
        ("sales_invoice", line("K", name="46/TR"), IN_GERMANY, Supply.TRIANGULAR, None),
        ("sales_invoice", line("AE"), IN_GERMANY, None, None),
        ("sales_invoice", line("AE", code="VATEX-EU-IC"), IN_GERMANY, Supply.GOODS, None),
        ("sales_invoice", line("G", name="47/EX"), IN_AMERICA, Supply.GOODS, None),
        ("sales_invoice", line("E"), IN_BELGIUM, None, None),
        ("sales_invoice", line("E", code="VATEX-EU-132"), IN_BELGIUM, None, Exemption.ART44),
        ("sales_invoice", line("E", code="vatex-eu-132-1b"), IN_BELGIUM, None, Exemption.ART44),
        ("sales_invoice", line("E", code="VATEX-EU-135-1"), IN_BELGIUM, None, Exemption.ART44),
        ("sales_invoice", line("E", code="VATEX-EU-1321"), IN_BELGIUM, None, None),
        ("sales_invoice", line("K", name="47/DI"), IN_GERMANY, Supply.GOODS, Exemption.ABROAD),
        ("sales_invoice", line("K", code="VATEX-EU-AE"), IN_GERMANY, Supply.SERVICES, None),
        ("sales_invoice", line("AE"), Party("no number", country="BE"), None, Exemption.UNREGISTERED),
        ("sales_invoice", line("AE"), Party("no number", country="DE"), None, Exemption.UNREGISTERED),
        ("sales_invoice", line("AE"), Party("no number", country="US"), None, None),
        ("sales_invoice", line("S", RATE), Party("no number", country="DE"), None, None),
        ("purchase_invoice", line("AE"), Party("no number"), None, Exemption.UNREGISTERED),
        ("purchase_invoice", line("AE"), Party("no number", country="DE"), None, None),
        ("sales_invoice", line("E", name="00/44"), IN_BELGIUM, None, Exemption.ART44),
        ("purchase_invoice", line("E", name="SC"), IN_BELGIUM, None, Exemption.SMALL),
        ("purchase_invoice", line("E", code="VATEX-FR-FRANCHISE"), IN_BELGIUM, None, Exemption.SMALL),
        ("purchase_invoice", line("E", name="MA"), IN_BELGIUM, None, Exemption.MARGIN),
        ("purchase_invoice", line("E", code="VATEX-EU-D"), IN_BELGIUM, None, Exemption.MARGIN),
        ("purchase_invoice", line("E", code="VATEX-EU-F"), IN_BELGIUM, None, Exemption.MARGIN),
        ("purchase_invoice", line("E", code="VATEX-EU-I"), IN_BELGIUM, None, Exemption.MARGIN),
        ("purchase_invoice", line("J"), IN_BELGIUM, None, Exemption.MARGIN),
        ("purchase_invoice", line("G"), IN_AMERICA, Supply.GOODS, Exemption.IMPORT),
        ("sales_invoice", line("G"), IN_AMERICA, Supply.GOODS, None),
        ("purchase_invoice", line("S", RATE), IN_BELGIUM, None, None),
    ],
)
def test_codes_of_the_document_tell_supply_and_exemption(
    kind: str, one: BookingLine, party: Party, supply: Supply | None, exemption: Exemption | None
) -> None:
    found = situation(kind, one, party)
    assert (found.supply, found.exemption) == (supply, exemption)


def classified(category: str, scheme: str, code: str) -> BookingLine:
    return replace(line(category), classifications=((scheme, code),))


@pytest.mark.parametrize(
    ("one", "supply"),
    [
        (replace(line("K"), unit="HUR"), Supply.SERVICES),
        (replace(line("K"), unit="C62"), Supply.GOODS),
        (replace(line("K", code="VATEX-EU-IC"), unit="MON"), Supply.SERVICES),
        (replace(line("K", name="46/GO"), unit="HUR"), Supply.GOODS),
        (classified("K", "TST", "80101500"), Supply.SERVICES),
        (classified("K", "TST", "43211503"), Supply.GOODS),
        (classified("K", "TST", "43231513"), Supply.SERVICES),
        (classified("K", "STI", "79411000-8"), Supply.SERVICES),
        (classified("K", "STI", "30213100-6"), Supply.GOODS),
        (classified("K", "STI", "48000000"), Supply.SERVICES),
        (classified("K", "ZZZ", "80101500"), Supply.GOODS),
        (replace(classified("K", "HS", "7208"), unit="DAY"), Supply.GOODS),
        (replace(line("K"), classifications=(("HS", "7208"), ("TST", "80101500"))), Supply.GOODS),
        (classified("AE", "HS", "7208"), Supply.GOODS),
        (classified("AE", "STI", "45000000"), None),
        (replace(line("K"), exemption_reason="Vereenvoudigde driehoeksregeling"), Supply.TRIANGULAR),
        (replace(line("K"), exemption_reason="Intracommunautaire diensten, btw verlegd"), Supply.SERVICES),
        (replace(line("K"), exemption_reason="Intra-Community supply of goods or services"), Supply.GOODS),
    ],
)
def test_what_was_sold_tells_goods_from_services(one: BookingLine, supply: Supply | None) -> None:
    assert situation("sales_invoice", one, IN_GERMANY).supply == supply


@pytest.mark.parametrize(
    ("reason", "exemption"),
    [
        ("Vrijgesteld van btw, art. 44 W.Btw", Exemption.ART44),
        ("Exonéré, article 44 CTVA", Exemption.ART44),
        ("Artikel 44 van richtlijn 2006/112/EG", None),
        ("Bijzondere vrijstellingsregeling kleine ondernemingen", Exemption.SMALL),
        ("Régime particulier de franchise des petites entreprises", Exemption.SMALL),
        ("Kleinunternehmer gemäß § 19 UStG", Exemption.SMALL),
        ("Bijzondere regeling - gebruikte goederen", Exemption.MARGIN),
        ("Régime particulier - agences de voyages", Exemption.MARGIN),
        ("vrij", None),
        ("art. 441", None),
    ],
)
def test_the_legal_text_of_an_exemption_is_read_where_there_is_no_code(
    reason: str, exemption: Exemption | None
) -> None:
    assert situation("sales_invoice", replace(line("E"), exemption_reason=reason)).exemption == exemption
    coded = replace(line("E", code="VATEX-EU-143"), exemption_reason=reason)
    assert situation("sales_invoice", coded).exemption is None
    assert situation("sales_invoice", replace(line("AE"), exemption_reason=reason)).exemption is None


IN_BELFAST = Party("Northern Irish", "XI123456789", country="GB")


@pytest.mark.parametrize(("category", "territory"), [("K", "EU"), ("AE", "XX")])
def test_northern_ireland_is_of_the_union_for_goods_alone(category: str, territory: str) -> None:
    for kind in ("sales_invoice", "purchase_invoice"):
        assert situation(kind, line(category), IN_BELFAST).territory == territory


@pytest.mark.parametrize(
    ("kind", "one", "party", "key"),
    [
        ("sales_invoice", line("K"), IN_BELGIUM, "K:goods@BE"),
        ("sales_invoice", line("K"), IN_AMERICA, "K:goods@XX"),
        ("purchase_invoice", line("K"), IN_BELGIUM, "K:goods@BE"),
        ("sales_invoice", line("K", name="47/AS"), IN_GERMANY, "K:abroad"),
        ("sales_invoice", line("AE"), Party("no number", country="BE"), "AE:unregistered"),
        ("sales_invoice", line("AE"), Party("no number", country="DE"), "AE:unregistered@EU"),
        ("sales_invoice", line("K"), Party("no number", country="DE"), "K:unregistered"),
        ("sales_invoice", line("Z"), IN_GERMANY, "Z@EU"),
        ("sales_invoice", line("E"), IN_AMERICA, "E@XX"),
        ("sales_invoice", line("S", RATE, name="OSS-G"), IN_GERMANY, "S:21@EU"),
        ("sales_invoice", line("S", ZERO), IN_BELGIUM, "S:0"),
        ("purchase_invoice", line("Z"), IN_AMERICA, "Z@XX"),
        ("purchase_invoice", line("E"), IN_GERMANY, "E@EU"),
        ("purchase_invoice", line("E", code="VATEX-EU-146"), IN_AMERICA, "E@XX"),
        ("purchase_invoice", line("O", None), IN_AMERICA, "O@XX"),
    ],
)
def test_what_is_not_clear_is_asked_and_no_code_is_taken_for_it(
    kind: str, one: BookingLine, party: Party, key: str
) -> None:
    unclear = situation(kind, one, party)
    alike = VatCode("?", unclear.rate or ZERO, unclear.side, one.category)
    assert alike.can_mean(unclear)
    plain = VatCodes(**{unclear.side: {one.category: "?", "S:21": "?", "K:goods": "?"}})
    for settings in (VatCodes(), plain if key != "S:0" else VatCodes()):
        with pytest.raises(CannotBook, match=f"“{key}”"):
            choose_vat_code({"?": alike}, settings, unclear)
    answered = replace(alike, percentage=unclear.rate or ZERO)
    assert choose_vat_code({"?": answered}, VatCodes(**{unclear.side: {key: "?"}}), unclear) == answered


@pytest.mark.parametrize(
    ("kind", "one", "party"),
    [
        ("sales_invoice", line("E", code="VATEX-EU-146"), IN_AMERICA),
        ("sales_invoice", line("Z"), IN_BELGIUM),
        ("purchase_invoice", line("E", code="VATEX-EU-135-1"), IN_GERMANY),
        ("purchase_invoice", line("E", code="VATEX-EU-79-C"), IN_GERMANY),
        ("purchase_invoice", line("AE"), Party("no number", country="US")),
    ],
)
def test_what_is_clear_is_not_asked(kind: str, one: BookingLine, party: Party) -> None:
    assert not situation(kind, one, party).only_settings_tell


ALL_KEYS = {
    "AE": "medecontractant",
    "AE@EU": "services to Union",
    "K": "plain K",
    "K:services": "services under K",
    "K:triangular": "triangular",
    "E": "exempt",
    "E:art44": "article 44",
    "E:0@XX": "exempt abroad",
    "S:21": "Belgian VAT",
    "none": "no category",
}


@pytest.mark.parametrize(
    ("kind", "one", "party", "code"),
    [
        ("sales_invoice", line("AE"), IN_BELGIUM, "medecontractant"),
        ("sales_invoice", line("AE"), IN_GERMANY, "services to Union"),
        ("sales_invoice", line("AE"), IN_AMERICA, None),
        ("sales_invoice", line("K"), IN_GERMANY, "plain K"),
        ("sales_invoice", line("K", name="44"), IN_GERMANY, "services under K"),
        ("sales_invoice", line("K", name="46/TR"), IN_GERMANY, "triangular"),
        ("sales_invoice", line("E", name="00/44"), IN_BELGIUM, "article 44"),
        ("sales_invoice", line("E", name="MA"), IN_BELGIUM, "exempt"),
        ("sales_invoice", line("E"), IN_AMERICA, "exempt abroad"),
        ("sales_invoice", line("S", RATE), IN_GERMANY, "Belgian VAT"),
        ("purchase_invoice", line("S", RATE), IN_BELGIUM, "Belgian VAT"),
        ("purchase_invoice", line("S", RATE), IN_GERMANY, None),
        ("sales_invoice", line("none"), IN_BELGIUM, "no category"),
    ],
)
def test_the_most_specific_key_that_fits_wins(kind: str, one: BookingLine, party: Party, code: str | None) -> None:
    assert VatCodes(sale=ALL_KEYS, purchase=ALL_KEYS).find(situation(kind, one, party)) == code


@pytest.mark.parametrize("key", ["AE", "AE:0", "AE:services", "AE:0@BE", "AE@XX"])
def test_a_co_contractor_code_is_never_used_for_another_country(key: str) -> None:
    german = situation("sales_invoice", line("AE", name="44"), IN_GERMANY)
    assert VatCodes(sale={key: "MC"}).find(german) is None


def test_a_question_names_the_setting_and_the_codes_that_there_are() -> None:
    codes = {code.code: code for code in (VatCode("MC", ZERO, "sale", "AE"), VatCode("ICD", ZERO, "sale", "Z"))}
    german = situation("sales_invoice", line("AE"), IN_GERMANY)
    with pytest.raises(CannotBook) as caught:
        choose_vat_code({"ICD": codes["ICD"]}, VatCodes(sale={"AE": "MC"}), german)
    assert caught.value.code == "unknown_vat_code"
    assert caught.value.detail == (
        "sale AE at 0 %, counterparty in another country of the Union: codes that could be meant: none; "
        "set vat_codes.sale “AE@EU” to one of ICD"
    )


SIDES: tuple[Side, ...] = ("sale", "purchase")
SITUATIONS = [
    VatSituation(side, category, rate, territory, supply, exemption)
    for side, category, rate, territory, supply, exemption in product(
        SIDES,
        sorted(CATEGORIES),
        (None, ZERO, Decimal("5.50"), RATE),
        Territory,
        (None, *Supply),
        (None, *Exemption),
    )
]


def test_every_question_can_be_answered_with_the_key_that_it_names() -> None:
    for each in SITUATIONS:
        settings = VatCodes.model_validate({each.side: {each.setting_key: "X"}})
        assert settings.find(each) == "X", each


def test_every_key_of_a_situation_is_accepted_as_it_is_written() -> None:
    accepted = TypeAdapter(VatKey)
    for key in {key for each in SITUATIONS for key in each.setting_keys()}:
        assert accepted.validate_python(key) == key


@pytest.mark.parametrize("key", ["XX", "S:abc", "S:", "AE@DE", "AE@", "K:things", "E:art44:0", "ae", "", "none@"])
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(ValidationError, match="no VAT key"):
        VatCodes.model_validate({"sale": {key: "X"}})


@pytest.mark.parametrize(
    ("written", "rate", "category"),
    [
        ("AA", "6", "S"),
        ("H", "21", "S"),
        ("AA", "0", "AA"),
        ("s", "21", "S"),
        (None, "21", "S"),
        (None, "0", "none"),
        ("", None, "none"),
        ("STANDARD", "21", "none"),
        ("AB", None, "AB"),
    ],
)
def test_a_category_is_read_as_a_careful_person_would(written: str | None, rate: str | None, category: str) -> None:
    assert category_of(written, Decimal(rate) if rate else None) == category


def test_a_sale_of_services_to_germany_is_no_domestic_reverse_charge() -> None:
    made = sample("reverse-charge-sale-to-germany", "sales_invoice")
    found = situation_of(made, made.lines[0])
    assert (found.category, found.territory, found.setting_key) == ("AE", Territory.UNION, "AE@EU")


def test_a_lower_rate_is_standard_at_that_rate() -> None:
    made = sample("lower-rate-category", "purchase_invoice")
    assert [(each.category, each.rate, each.tax) for each in made.lines] == [
        ("S", Decimal(6), Decimal("6.00")),
        ("S", Decimal(21), Decimal("10.50")),
    ]


def test_a_charge_without_category_has_the_only_one_of_the_document() -> None:
    made = sample("charge-without-category", "purchase_invoice")
    assert [(each.category, each.rate, each.net, each.tax) for each in made.lines] == [
        ("S", Decimal(21), Decimal("100.00"), Decimal("21.00")),
        ("S", Decimal(21), Decimal("10.00"), Decimal("2.10")),
    ]


def test_the_reason_of_an_exemption_is_taken_from_the_breakdown() -> None:
    made = sample("exempt-under-article-44", "sales_invoice")
    assert situation_of(made, made.lines[0]).exemption == Exemption.ART44
    assert made.lines[0].exemption_code == "VATEX-EU-132"


def test_a_situation_is_told_as_a_person_reads_it() -> None:
    told = VatSituation("purchase", "G", ZERO, Territory.OUTSIDE, Supply.GOODS, Exemption.IMPORT)
    assert str(told) == "purchase G at 0 %, import, goods, counterparty outside the Union"
    assert str(replace(told, territory=Territory.BELGIUM, supply=None, exemption=None)) == "purchase G at 0 %"
