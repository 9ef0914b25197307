"""Documents that are built: what follows is worked out, what breaks a rule is refused, customers pay the sum of the prices."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import koppel_ubl
from koppel_ubl import (
    AllowanceCharge,
    BillingReference,
    BuildError,
    CreditNote,
    Identifier,
    Invoice,
    Line,
    Price,
    Totals,
    VatCategory,
    WriteError,
)

from .drafts import BUYER, DAY, DELIVERED, FRENCH, S6, S12, S21, SELLER, draft, line

E = VatCategory(category="E", rate=Decimal(0), exemption_reason="Bijzondere vrijstellingsregeling kleine ondernemingen")
ZERO_RATED = VatCategory(category="Z", rate=Decimal(0))
AE, K, G = (VatCategory(category=code, rate=Decimal(0)) for code in ("AE", "K", "G"))
OUTSIDE = VatCategory(category="O")
EUROPEAN = replace(FRENCH, endpoint=Identifier("FR40303265045", "9957"))


def unregistered(one: koppel_ubl.Party) -> koppel_ubl.Party:
    return replace(one, vat_number=None)


def test_totals_and_breakdown_follow_from_the_lines() -> None:
    built = koppel_ubl.build(draft(line("10.005", quantity="3"), line("4.50", S6), line("0.333", S6, "10")))
    assert [one.net for one in built.lines] == [Decimal("30.02"), Decimal("4.50"), Decimal("3.33")]
    assert [(one.rate, one.taxable, one.tax) for one in built.vat_breakdown] == [
        (Decimal(21), Decimal("30.02"), Decimal("6.30")),
        (Decimal(6), Decimal("7.83"), Decimal("0.47")),
    ]
    assert built.totals == Totals(
        lines=Decimal("37.85"), without_vat=Decimal("37.85"), with_vat=Decimal("44.62"), payable=Decimal("44.62")
    )
    assert built.structured_reference == "123456789002"


def test_vat_is_rounded_once_per_rate_and_never_per_line() -> None:
    built = koppel_ubl.build(draft(*(line("0.12") for _ in range(10))))
    assert built.vat_total == Decimal("0.25")


def test_allowances_and_charges_of_line_and_document_count_in_their_rate() -> None:
    discount = AllowanceCharge(is_charge=False, amount=Decimal("5.00"), reason="Korting", vat=S21)
    transport = AllowanceCharge(is_charge=True, amount=Decimal("2.50"), reason="Transport", vat=S6)
    of_line = AllowanceCharge(
        is_charge=False, amount=Decimal("1.00"), base=Decimal("10.00"), percent=Decimal(10), reason="Trouw"
    )
    built = koppel_ubl.build(
        draft(line("10.00", allowances_charges=(of_line,)), allowances_charges=(discount, transport))
    )
    assert [one.taxable for one in built.vat_breakdown] == [Decimal("4.00"), Decimal("2.50")]
    assert (built.totals.allowances, built.totals.charges) == (Decimal("5.00"), Decimal("2.50"))
    assert built.totals.payable == Decimal("7.49")


CATEGORIES = {
    "small enterprise": draft(line("100.00", E)),
    "zero rate": draft(line("100.00", ZERO_RATED)),
    "reverse charge beside 21 %": draft(line("100.00", AE), line("10.00")),
    "to another member state": draft(line("100.00", K), buyer=EUROPEAN, delivery=DELIVERED),
    "export": draft(line("100.00", G)),
    "outside scope": draft(
        line("100.00", OUTSIDE),
        seller=unregistered(SELLER),
        buyer=unregistered(BUYER),
    ),
    "Canary Islands": draft(line("100.00", VatCategory(category="L", rate=Decimal(7)))),
    "Ceuta": draft(line("100.00", VatCategory(category="M", rate=Decimal(10)))),
}


@pytest.mark.parametrize("name", list(CATEGORIES))
def test_every_vat_category_can_be_built(name: str) -> None:
    built = koppel_ubl.build(CATEGORIES[name])
    report = koppel_ubl.check(koppel_ubl.write(built))
    assert not report.errors
    assert all(one.vat.exemption_code is None and one.vat.exemption_reason is None for one in built.lines)


REFUSED = {
    "BR-E-10": draft(line("1.00", replace(E, exemption_reason=None))),
    "BR-IC-11": draft(line("1.00", K), buyer=EUROPEAN),
    "BR-S-05": draft(line("1.00", VatCategory(category="S", rate=Decimal(0)))),
    "BR-O-11": draft(
        line("1.00", OUTSIDE), line("1.00", ZERO_RATED), seller=unregistered(SELLER), buyer=unregistered(BUYER)
    ),
    "PEPPOL-EN16931-R003": draft(line("1.00"), buyer_reference=None),
    "PEPPOL-EN16931-R120": draft(replace(line("1.00"), net=Decimal("2.00"))),
    "BR-CO-16": draft(line("1.00"), totals=Totals(payable=Decimal("9.00"))),
    "BR-CO-14": draft(line("1.00"), vat_total=Decimal("9.00")),
    "BR-27": draft(line("-1.00")),
}


@pytest.mark.parametrize("rule", list(REFUSED))
def test_what_would_break_a_rule_is_refused_and_the_rule_named(rule: str) -> None:
    with pytest.raises(BuildError) as refused:
        koppel_ubl.build(REFUSED[rule])
    assert rule in {one.rule for one in refused.value.findings}
    assert rule in str(refused.value)


def test_a_credit_note_refers_to_what_it_credits() -> None:
    given = draft(line("12.00", S12))
    note = CreditNote(
        number="CN-1",
        issue_date=DAY,
        buyer_reference="TAFEL 4",
        billing_references=(BillingReference(number=given.number, issue_date=DAY),),
        seller=given.seller,
        buyer=given.buyer,
        lines=given.lines,
        payment_terms="Wordt verrekend",
    )
    built = koppel_ubl.build(note)
    assert isinstance(built, CreditNote)
    assert (built.type_code, built.totals.payable) == ("381", Decimal("13.44"))


def test_the_due_date_of_a_credit_note_goes_where_ubl_has_it() -> None:
    values = {name: getattr(draft(line("10.00")), name) for name in CreditNote.__dataclass_fields__}
    note = koppel_ubl.build(CreditNote(**values))
    assert note.due_date == note.payment_means[0].due_date == date(2026, 4, 8)
    assert koppel_ubl.read(koppel_ubl.write(note)) == note


def test_several_reasons_of_one_category_are_refused_as_all_but_one_would_be_lost() -> None:
    care, margin = (
        VatCategory(category="E", rate=Decimal(0), exemption_code=code) for code in ("VATEX-EU-132", "VATEX-EU-F")
    )
    with pytest.raises(WriteError, match="one reason"):
        koppel_ubl.build(draft(line("10.00", care), line("5.00", margin)))
    same = koppel_ubl.build(draft(line("10.00", care), line("5.00", care)))
    assert [one.exemption_code for one in same.vat_breakdown] == ["VATEX-EU-132"]


def test_self_billing_names_its_own_specification() -> None:
    built = koppel_ubl.build(draft(line("5.00"), type_code="389"))
    assert "selfbilling" in (built.customization_id or "")
    assert "selfbilling" in (built.profile_id or "")


class TestForeignCurrency:
    def test_vat_is_stated_in_euros_too(self) -> None:
        built = koppel_ubl.build(draft(line("100.00"), currency="USD"), exchange_rate=Decimal("0.9176"))
        assert (built.tax_currency, built.vat_total, built.vat_total_in_tax_currency) == (
            "EUR",
            Decimal("21.00"),
            Decimal("19.27"),
        )

    def test_a_belgian_seller_must_know_the_rate(self) -> None:
        with pytest.raises(WriteError, match="exchange rate"):
            koppel_ubl.build(draft(line("100.00"), currency="USD"))


class TestIncludingVat:
    def test_the_total_is_the_sum_of_the_prices(self) -> None:
        built = koppel_ubl.build(draft(line("0.03"), line("2.99", S6, "3")), including_vat_prices=True)
        assert (built.totals.payable, built.totals.rounding) == (Decimal("9.00"), None)

    @pytest.mark.parametrize(
        ("price", "vat", "base", "tax"),
        [
            ("100.00", S21, "82.64", "17.36"),
            ("500.00", S21, "413.22", "86.78"),
            ("242.00", S21, "200.00", "42.00"),
            ("106.00", S6, "100.00", "6.00"),
            ("112.00", S12, "100.00", "12.00"),
        ],
    )
    def test_vat_is_what_the_base_leaves_of_the_price(self, price: str, vat: VatCategory, base: str, tax: str) -> None:
        built = koppel_ubl.build(draft(line(price, vat)), including_vat_prices=True)
        [group] = built.vat_breakdown
        assert (group.taxable, group.tax) == (Decimal(base), Decimal(tax))
        assert (built.totals.with_vat, built.totals.rounding) == (Decimal(price), None)

    def test_what_says_not_whether_vat_is_in_it_is_refused(self) -> None:
        discount = AllowanceCharge(is_charge=False, amount=Decimal("5.00"), reason="Korting", vat=S21)
        for wrong in (
            draft(line("9.00"), allowances_charges=(discount,)),
            draft(line("9.00", allowances_charges=(discount,))),
            draft(replace(line("9.00"), net=Decimal("9.00"))),
            draft(Line(vat=S21)),
        ):
            with pytest.raises(WriteError) as refused:
                koppel_ubl.build(wrong, including_vat_prices=True)
            assert refused.value.code == "including_vat"

    def test_a_day_of_receipts_is_an_invoice_without_a_particular_customer(self) -> None:
        receipts = koppel_ubl.daily_receipts(
            "DR-2026-068",
            date(2026, 3, 9),
            SELLER,
            [(S6, Decimal("812.35")), (S12, Decimal("240.10")), (S21, Decimal("-12.05"))],
            buyer_name="Dagontvangsten",
        )
        built = koppel_ubl.build(receipts, including_vat_prices=True, profile="en16931")
        assert built.totals.payable == Decimal("1040.40")
        assert [one.rate for one in built.vat_breakdown] == [6, 12, 21]


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: koppel_ubl.party("X", "0734567836", koppel_ubl.Address(country="BE")), "enterprise_number"),
        (lambda: koppel_ubl.credit_transfer("BE85735048152606", "123456789003"), "structured_reference"),
    ],
)
def test_numbers_that_fail_their_check_digits_are_refused(make: object, code: str) -> None:
    with pytest.raises(WriteError) as refused:
        make()  # type: ignore[operator]
    assert refused.value.code == code


@pytest.mark.parametrize("price", ["Infinity", "1E+40", "NaN"])
def test_a_price_that_is_no_number_is_refused(price: str) -> None:
    with pytest.raises(WriteError) as refused:
        koppel_ubl.build(draft(line(price)))
    assert refused.value.code == "invalid_number"


prices = st.decimals(Decimal("0.0001"), Decimal(99999), places=4)
quantities = st.decimals(Decimal("0.001"), Decimal(5000), places=3)
vats = st.sampled_from([S21, S12, S6, ZERO_RATED, AE])


@st.composite
def drafts(draw: st.DrawFn) -> Invoice:
    lines = draw(st.lists(st.tuples(prices, quantities, vats), min_size=1, max_size=8))
    return draft(*(line(str(price), vat, str(quantity)) for price, quantity, vat in lines))


@settings(max_examples=150, deadline=None)
@given(drafts())
def test_whatever_is_sold_the_document_keeps_every_rule_and_reads_back(given_draft: Invoice) -> None:
    built = koppel_ubl.build(given_draft)
    data = koppel_ubl.write(built)
    report = koppel_ubl.check(data)
    assert not report.errors
    assert not [one for one in report.warnings if one.rule.startswith("KOPPEL-VAT")]
    assert koppel_ubl.read(data) == built
    assert built.totals.with_vat == sum((one.taxable + one.tax for one in built.vat_breakdown), Decimal(0))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.decimals(Decimal("0.01"), Decimal(5000), places=2), vats), min_size=1, max_size=8))
def test_prices_including_vat_add_up_to_what_the_customer_paid(sold: list[tuple[Decimal, VatCategory]]) -> None:
    built = koppel_ubl.build(draft(*(line(str(price), vat) for price, vat in sold)), including_vat_prices=True)
    assert built.totals.payable == built.totals.with_vat == sum(price for price, _ in sold)
    report = koppel_ubl.check(koppel_ubl.write(built))
    assert not [one for one in report.warnings if one.rule.startswith("KOPPEL-VAT")]
    assert all(isinstance(one.price, Price) and one.net == one.price.net for one in built.lines)
