"""Signs, lines and relations as Octopus wants them; pure."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from connector_octopus.mapping import (
    OUR_NUMBERS_COUNT,
    OUR_NUMBERS_FROM,
    Posting,
    creation,
    differences,
    expectation,
    external_number,
    quoted,
    with_role,
)
from connector_octopus.master_data import Journal, LedgerAccount, VatCode
from koppel_bookkeeping import Booking, BookingLine, Party
from koppel_bookkeeping.lines import ChosenLine
from koppel_bookkeeping.periods import Period
from koppel_mesh.messages import DocumentKind

PERIOD = Period(3, 202601, date(2026, 1, 1), date(2026, 3, 31), "202601")
PARTY = Party("Exemple Conseil SRL", "BE0000000295", country="BE")
CODES = {Decimal(rate): VatCode(str(rate), str(rate), "", Decimal(rate), 2) for rate in (21, 6, 0)}


def account(code: str = "700000", recoverable: int = 100) -> LedgerAccount:
    return LedgerAccount(code, code, "", Decimal(recoverable), "", "")


def line(net: str, tax: str, rate: int = 21, **more: Any) -> BookingLine:
    return BookingLine("1", Decimal(net), "S", Decimal(rate), "Brood", tax=Decimal(tax), **more)


def posting(kind: DocumentKind, *lines: BookingLine, on: LedgerAccount | None = None) -> dict[str, Any]:
    total = sum((each.net + each.tax for each in lines), Decimal(0))
    booking = Booking(kind, "F1", date(2026, 1, 15), None, "EUR", total, PARTY, lines)
    chosen = tuple(ChosenLine(each, on or account(), CODES[each.rate or Decimal(0)]) for each in lines)
    journal = Journal("V1", "V1", "", False, "EUR", "")
    return Posting(booking, journal, PERIOD, "88", date(2026, 2, 14), Decimal("1.0"), chosen).body(42, "KPL-1")


def amounts(body: dict[str, Any]) -> tuple[Decimal, list[tuple[Decimal, Decimal]]]:
    return body["amount"], [(each["baseAmount"], each["vatAmount"]) for each in body["bookingLines"]]


INVOICE, CREDIT_NOTE = DocumentKind.SALES_INVOICE, DocumentKind.SALES_CREDIT_NOTE
PURCHASE = DocumentKind.PURCHASE_INVOICE


@pytest.mark.parametrize(
    ("kind", "lines", "amount", "signed"),
    [
        (INVOICE, [line("100", "21")], "121", [("100", "21")]),
        (INVOICE, [line("100", "21"), line("-10", "-0.60", 6)], "110.40", [("100", "21"), ("-10", "-0.60")]),
        (CREDIT_NOTE, [line("100", "21")], "-121", [("100", "21")]),
        (CREDIT_NOTE, [line("100", "21"), line("-10", "-0.60", 6)], "-110.40", [("100", "21"), ("-10", "-0.60")]),
        (INVOICE, [line("-100", "-21")], "-121", [("100", "21")]),
        (CREDIT_NOTE, [line("-100", "-21")], "121", [("100", "21")]),
    ],
    ids=["invoice", "discount", "credit note", "reduced credit note", "negative invoice", "negative credit note"],
)
def test_what_gives_money_back_has_a_negative_total_over_positive_lines(
    kind: DocumentKind, lines: list[BookingLine], amount: str, signed: list[tuple[str, str]]
) -> None:
    expected = Decimal(amount), [(Decimal(base), Decimal(tax)) for base, tax in signed]
    body = posting(kind, *lines)
    assert amounts(body) == expected
    made = sum((base + tax for base, tax in expected[1]), Decimal(0))
    assert body["amount"] == (made if body["amount"] > 0 else -made), "Octopus adds it up (octopus §3)"


def test_lines_of_one_account_and_code_are_one() -> None:
    body = posting(INVOICE, line("100", "21"), line("50", "3.00", 6), line("0.01", "0"), line("7", "1.47"))
    assert amounts(body)[1] == [(Decimal("107.01"), Decimal("22.47")), (Decimal(50), Decimal("3.00"))]


def test_a_line_of_nothing_is_left_out_unless_there_is_no_other() -> None:
    assert len(posting(INVOICE, line("100", "21"), line("0", "0", 6))["bookingLines"]) == 1
    assert len(posting(INVOICE, line("0", "0"))["bookingLines"]) == 1


def test_what_is_claimed_back_is_the_accounts_share_of_the_lines() -> None:
    half = posting(PURCHASE, line("100", "21"), on=account("615000", 50))
    assert half["bookingLines"][0]["vatRecupPercentage"] == 50
    both = posting(PURCHASE, line("100", "21", non_deductible_percent=Decimal(40)), on=account("615000", 50))
    assert both["bookingLines"][0]["vatRecupPercentage"] == 30


@pytest.mark.parametrize("kind", [INVOICE, CREDIT_NOTE])
def test_a_sale_claims_nothing_back_whatever_its_account_says(kind: DocumentKind) -> None:
    body = posting(kind, line("100", "21"), line("50", "10.50"), on=account("700000", 0))
    assert [each["vatRecupPercentage"] for each in body["bookingLines"]] == [100]


def test_a_country_that_octopus_keeps_blank_is_not_sent_back() -> None:
    row = {"name": "A", "country": "", "deliveryCountry": " ", "city": "", "client": False, "supplier": True}
    assert with_role(row, "sale") == {"name": "A", "city": "", "client": True, "supplier": True}
    assert with_role({"country": "FR"}, "sale")["country"] == "FR"


def test_a_booking_as_it_was_sent_differs_in_nothing() -> None:
    body = posting(CREDIT_NOTE, line("100", "21"), line("50", "3.00", 6))
    expected = expectation(body)
    held = {**body, "relationIdentificationServiceData": {"relationKey": {"id": 88}, "externalRelationId": 7}}
    assert differences(expected, held) == []
    assert (
        differences(expected, {**held, "bookingLines": [dict(each) for each in reversed(body["bookingLines"])]}) == []
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"amount": Decimal("121.01")}, "amount"),
        ({"relationIdentificationServiceData": {"relationKey": {"id": 89}}}, "relation"),
        ({"bookyearPeriodeNr": 202602}, "period"),
        ({"currencyCode": "USD"}, "currency"),
        ({"bookingLines": [{"accountKey": 701000, "vatCodeKey": "21", "baseAmount": 100, "vatAmount": 21}]}, "line"),
        ({"bookingLines": [{"accountKey": 700000, "vatCodeKey": "6", "baseAmount": 100, "vatAmount": 21}]}, "line"),
    ],
)
def test_whatever_was_changed_is_said(change: dict[str, Any], said: str) -> None:
    body = posting(INVOICE, line("100", "21"))
    assert any(said in each for each in differences(expectation(body), {**body, **change}))


@pytest.mark.parametrize(
    ("party", "vat_type", "country"),
    [
        (PARTY, 1, "BE"),
        (Party("A", enterprise_number="0000000295"), 1, "BE"),
        (Party("B", country="BE"), 7, "BE"),
        (Party("C", "FR40303265045", country="FR"), 4, "FR"),
        (Party("D", country="fr"), 8, "FR"),
        (Party("E", "GB123456789", country="GB"), 6, "GB"),
        (Party("F", country="US"), 9, "US"),
    ],
)
def test_a_new_relation_has_the_vat_type_of_where_it_is(party: Party, vat_type: int, country: str) -> None:
    body = creation(party, "purchase", 5)
    assert (body["vatType"], body["country"], body["supplier"], body["client"]) == (vat_type, country, True, False)


def test_what_is_not_known_of_a_relation_is_left_out() -> None:
    body = creation(Party("Marie", "ATU12345678"), "sale", 5)
    assert "country" not in body, "an empty one is refused"
    assert "streetAndNr" not in body
    assert creation(Party("A", enterprise_number="0000000295"), "sale", 5)["vatNr"] == "BE0000000295"


def test_the_external_number_of_a_party_is_always_the_same_and_out_of_the_way_of_others() -> None:
    numbers = {external_number(f"BE{each}", attempt) for each in range(200) for attempt in range(3)}
    assert len(numbers) == 600
    assert all(OUR_NUMBERS_FROM <= number < OUR_NUMBERS_FROM + OUR_NUMBERS_COUNT < 2**31 for number in numbers)
    assert external_number("BE1", 0) == external_number("BE1", 0)


def test_a_rate_is_quoted_as_the_dossier_reads_it() -> None:
    assert quoted(None, "euros_per_unit") == Decimal("1.0")
    assert quoted(Decimal("0.8"), "euros_per_unit") == Decimal("0.8")
    assert quoted(Decimal("0.8"), "units_per_euro") == Decimal("1.25")
