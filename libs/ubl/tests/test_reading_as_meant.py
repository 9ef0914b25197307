"""Documents that break a rule and can still mean only one thing are read as they are meant."""

from decimal import Context, Decimal
from pathlib import Path

import pytest

import koppel_ubl
from koppel_ubl import AllowanceCharge, CreditNote, Invoice
from koppel_ubl.checking.codes import codes
from koppel_ubl.mapping.document import CREDIT_NOTE_TYPES, INVOICE_TYPES

VALID = Path(__file__).parent / "samples" / "valid"
INVOICE = (VALID / "own__be-01-invoice-ogm-pdf.xml").read_text("utf-8")
CREDIT_NOTE = next(VALID.glob("own__be-*credit*.xml")).read_text("utf-8")


def edited(text: str, *swaps: tuple[str, str]) -> bytes:
    for old, new in swaps:
        assert old in text
        text = text.replace(old, new)
    return text.encode()


# ── type codes (BT-3) ──


def test_the_codes_that_credit_are_those_of_the_standard() -> None:
    assert codes("credit_note_types") == CREDIT_NOTE_TYPES
    assert codes("invoice_types") - {"81"} == INVOICE_TYPES
    assert not CREDIT_NOTE_TYPES & INVOICE_TYPES


@pytest.mark.parametrize("code", sorted(CREDIT_NOTE_TYPES))
def test_an_invoice_with_a_credit_code_is_a_credit_note(code: str) -> None:
    data = edited(INVOICE, (">380</cbc:InvoiceTypeCode>", f">{code}</cbc:InvoiceTypeCode>"))
    assert isinstance(koppel_ubl.read(data), CreditNote)
    assert "KOPPEL-TYPE-CODE" in koppel_ubl.check(data).rules()


@pytest.mark.parametrize("code", ["380", "383", "384", "386", "389", "751", "80", "393"])
def test_a_credit_note_with_a_debit_code_is_an_invoice(code: str) -> None:
    data = edited(CREDIT_NOTE, (">381</cbc:CreditNoteTypeCode>", f">{code}</cbc:CreditNoteTypeCode>"))
    assert isinstance(koppel_ubl.read(data), Invoice)
    assert "KOPPEL-TYPE-CODE" in koppel_ubl.check(data).rules()


@pytest.mark.parametrize(("text", "kind"), [(INVOICE, Invoice), (CREDIT_NOTE, CreditNote)])
def test_without_a_code_the_root_decides(text: str, kind: type) -> None:
    for name in ("InvoiceTypeCode", "CreditNoteTypeCode"):
        start, end = text.find(f"<cbc:{name}>"), text.find(f"</cbc:{name}>") + len(f"</cbc:{name}>")
        if start > 0:
            text = text[:start] + text[end:]
    assert isinstance(koppel_ubl.read(text.encode()), kind)
    assert "KOPPEL-TYPE-CODE" not in koppel_ubl.check(text.encode()).rules()


@pytest.mark.parametrize("code", ["999", "351", "ABC", " "])
def test_with_a_code_of_neither_list_the_root_decides(code: str) -> None:
    invoice = edited(INVOICE, (">380</cbc:InvoiceTypeCode>", f">{code}</cbc:InvoiceTypeCode>"))
    credit_note = edited(CREDIT_NOTE, (">381</cbc:CreditNoteTypeCode>", f">{code}</cbc:CreditNoteTypeCode>"))
    assert isinstance(koppel_ubl.read(invoice), Invoice)
    assert isinstance(koppel_ubl.read(credit_note), CreditNote)


# ── VAT totals (BT-110, BT-111) ──

_FROM, _TO = INVOICE.index("<cac:TaxTotal>"), INVOICE.index("</cac:TaxTotal>") + len("</cac:TaxTotal>")
OWN = INVOICE[_FROM:_TO]
IN_DOLLARS = edited(
    INVOICE,
    ('currencyID="EUR"', 'currencyID="USD"'),
    (
        ">EUR</cbc:DocumentCurrencyCode>",
        ">USD</cbc:DocumentCurrencyCode><cbc:TaxCurrencyCode>EUR</cbc:TaxCurrencyCode>",
    ),
).decode()
DOLLARS = OWN.replace('currencyID="EUR"', 'currencyID="USD"')
EUROS = '<cac:TaxTotal><cbc:TaxAmount currencyID="EUR">79.37</cbc:TaxAmount></cac:TaxTotal>'
EUROS_WITH_BREAKDOWN = OWN.replace(">86.27<", ">79.37<", 1)


@pytest.mark.parametrize(
    "totals",
    [DOLLARS + EUROS, EUROS + DOLLARS, DOLLARS + EUROS_WITH_BREAKDOWN, EUROS_WITH_BREAKDOWN + DOLLARS],
    ids=["usual", "euros first", "breakdown in both", "euros first, breakdown in both"],
)
def test_vat_totals_are_known_by_their_currency_and_not_by_their_place(totals: str) -> None:
    document = koppel_ubl.read(edited(IN_DOLLARS, (DOLLARS, totals)))
    assert (document.vat_total, document.vat_total_in_tax_currency) == (Decimal("86.27"), Decimal("79.37"))
    assert [(one.rate, one.taxable, one.tax) for one in document.vat_breakdown] == [
        (Decimal(21), Decimal("376.50"), Decimal("79.07")),
        (Decimal(6), Decimal("120.00"), Decimal("7.20")),
    ]
    assert any("TaxSubtotal" in path for path in document.unmapped) is ("Subtotal" in totals.replace(DOLLARS, ""))


@pytest.mark.parametrize(
    "tax_currency", ["", "<cbc:TaxCurrencyCode>eur</cbc:TaxCurrencyCode>"], ids=["not named", "in small letters"]
)
@pytest.mark.parametrize("totals", [DOLLARS + EUROS, EUROS + DOLLARS])
def test_a_second_vat_total_is_in_its_currency_however_the_document_names_it(totals: str, tax_currency: str) -> None:
    named = ("<cbc:TaxCurrencyCode>EUR</cbc:TaxCurrencyCode>", tax_currency)
    document = koppel_ubl.read(edited(IN_DOLLARS, (DOLLARS, totals), named))
    assert (document.vat_total, document.vat_total_in_tax_currency) == (Decimal("86.27"), Decimal("79.37"))
    assert (document.tax_currency or "").upper() == "EUR"
    assert len(document.vat_breakdown) == 2


def test_a_vat_total_in_a_third_currency_is_left_out() -> None:
    pounds = EUROS.replace("EUR", "GBP")
    document = koppel_ubl.read(edited(IN_DOLLARS, (DOLLARS, DOLLARS + EUROS + pounds)))
    assert (document.vat_total, document.vat_total_in_tax_currency) == (Decimal("86.27"), Decimal("79.37"))


@pytest.mark.parametrize("text", [INVOICE, CREDIT_NOTE], ids=["invoice", "credit note"])
@pytest.mark.parametrize("swaps", [[(">EUR</cbc:D", ">USD</cbc:D")], [('currencyID="EUR"', 'currencyID="USD"')]])
def test_amounts_in_another_currency_than_the_document_says_are_told(text: str, swaps: list[tuple[str, str]]) -> None:
    document = koppel_ubl.read(edited(text, *swaps))
    assert {document.currency, *document.other_currencies} == {"EUR", "USD"}
    assert document.unmapped


ALLOWANCE = (
    "<cac:AllowanceCharge><cbc:ChargeIndicator>false</cbc:ChargeIndicator>"
    '<cbc:Amount currencyID="EUR">1.00</cbc:Amount></cac:AllowanceCharge>'
)


@pytest.mark.parametrize("amount", ["79.07", "376.50", "120.00", "496.50", "582.77", "1.00", "125.50", "86.27"])
def test_one_amount_of_the_total_in_another_currency_is_told(amount: str) -> None:
    text = INVOICE.replace("<cac:TaxTotal>", f"{ALLOWANCE}<cac:TaxTotal>")
    document = koppel_ubl.read(edited(text, (f'currencyID="EUR">{amount}<', f'currencyID="usd">{amount}<')))
    is_price_or_sum_of_vat = amount in {"125.50", "86.27"}
    assert document.other_currencies == (() if is_price_or_sum_of_vat else ("USD",))


@pytest.mark.parametrize(
    "name", ["PrepaidAmount", "PayableRoundingAmount", "AllowanceTotalAmount", "ChargeTotalAmount"]
)
@pytest.mark.parametrize(("amount", "told"), [("0", ()), ("0.00", ()), ("-0.0", ()), ("", ()), ("0.01", ("USD",))])
def test_nothing_in_another_currency_is_nothing(name: str, amount: str, told: tuple[str, ...]) -> None:
    stated = f'<cbc:{name} currencyID="USD">{amount}</cbc:{name}><cbc:PayableAmount'
    assert koppel_ubl.read(edited(INVOICE, ("<cbc:PayableAmount", stated))).other_currencies == told


def test_what_an_allowance_is_a_percentage_of_may_be_in_another_currency() -> None:
    base = '<cbc:BaseAmount currencyID="USD">10.00</cbc:BaseAmount></cac:AllowanceCharge>'
    allowance = ALLOWANCE.replace("</cac:AllowanceCharge>", base)
    document = koppel_ubl.read(edited(INVOICE, ("<cac:TaxTotal>", f"{allowance}<cac:TaxTotal>")))
    assert document.other_currencies == ()


@pytest.mark.parametrize("written", ["eur", " EUR ", "EUR"])
def test_a_currency_spelled_otherwise_is_the_same_one(written: str) -> None:
    assert koppel_ubl.read(edited(INVOICE, ('currencyID="EUR"', f'currencyID="{written}"'))).other_currencies == ()


@pytest.mark.parametrize(
    "totals", [DOLLARS, DOLLARS + EUROS, DOLLARS + EUROS_WITH_BREAKDOWN, EUROS_WITH_BREAKDOWN + DOLLARS]
)
def test_vat_in_the_currency_of_the_vat_accounting_is_no_other_currency(totals: str) -> None:
    assert koppel_ubl.read(edited(IN_DOLLARS, (DOLLARS, totals))).other_currencies == ()


def test_a_breakdown_in_another_currency_is_told_where_it_is_the_only_one() -> None:
    unnamed = ("<cbc:TaxCurrencyCode>EUR</cbc:TaxCurrencyCode>", "")
    assert koppel_ubl.read(edited(IN_DOLLARS, (DOLLARS, OWN), unnamed)).other_currencies == ("EUR",)


_FIRST = OWN.index("<cac:TaxSubtotal>")
_SECOND = OWN.index("<cac:TaxSubtotal>", _FIRST + 1)


def vat_total(tax: str, subtotals: str = "") -> str:
    return f'<cac:TaxTotal><cbc:TaxAmount currencyID="EUR">{tax}</cbc:TaxAmount>{subtotals}</cac:TaxTotal>'


AT_21, AT_6 = OWN[_FIRST:_SECOND], OWN[_SECOND : OWN.index("</cac:TaxTotal>")]


@pytest.mark.parametrize(
    "totals",
    [
        vat_total("79.07", AT_21) + vat_total("7.20", AT_6),
        OWN + OWN,
        OWN + vat_total("86.27"),
        vat_total("86.27") + OWN,
    ],
    ids=["one for each rate", "the same twice", "repeated without breakdown", "first without breakdown"],
)
def test_two_vat_totals_in_one_currency_make_the_vat_of_the_document(totals: str) -> None:
    document = koppel_ubl.read(edited(INVOICE, (OWN, totals)))
    assert document.vat_total == Decimal("86.27")
    assert [one.tax for one in document.vat_breakdown] == [Decimal("79.07"), Decimal("7.20")]


# ── numbers of many digits ──

THIRD = "33.333333333333333333333333333"
"""A third of a hundred, as ``decimal`` of .NET writes it."""
FINE = f"0.{'3' * 39}7"


@pytest.mark.parametrize(
    "written", [THIRD, f"-{THIRD}", f"{THIRD}0000000", FINE, FINE[1:], f"12345678901234567890{FINE[1:]}"]
)
@pytest.mark.parametrize(
    ("element", "now"),
    [("PriceAmount", "125.50"), ("InvoicedQuantity", "3"), ("Percent", "21"), ("PayableAmount", "582.77")],
)
def test_a_number_that_was_divided_keeps_every_digit(element: str, now: str, written: str) -> None:
    data = edited(INVOICE, (f">{now}</cbc:{element}>", f">{written}</cbc:{element}>"))
    document = koppel_ubl.read(data)
    line = document.lines[0]
    assert line.price is not None
    found = [line.price.net, line.quantity, line.vat.rate, document.totals.payable]
    assert str(Decimal(written)) in map(str, found)
    assert koppel_ubl.read(koppel_ubl.write(document)) == document
    assert koppel_ubl.check(data).rules("structure") == set()


def test_the_sign_of_an_allowance_costs_no_digit() -> None:
    allowance = AllowanceCharge(is_charge=False, amount=Decimal(FINE))
    assert allowance.signed_amount + allowance.amount == 0
    assert str(AllowanceCharge(is_charge=False, amount=Decimal("0.00")).signed_amount) == "0.00"


@pytest.mark.parametrize("base", [FINE, f"0.{'0' * 39}1"])
def test_a_rate_is_worked_out_from_whatever_amounts_there_are(base: str) -> None:
    """A rate of more digits than Python keeps of itself raised an error of Python's."""
    huge = vat_total("99999999999999999999", AT_21)
    swaps = [("376.50", base), ("79.07", "99999999999999999999"), ("<cbc:Percent>21</cbc:Percent>", "")]
    for old, new in swaps:
        huge = huge.replace(old, new)
    [group] = koppel_ubl.read(edited(INVOICE, (OWN, huge))).vat_breakdown
    assert group.rate == (group.tax * 100 / group.taxable).quantize(Decimal(1), context=Context(prec=100))


# ── categories that are not there ──


def test_a_charge_of_the_document_has_the_only_vat_there_is() -> None:
    charge = (
        "<cac:AllowanceCharge><cbc:ChargeIndicator>true</cbc:ChargeIndicator>"
        '<cbc:Amount currencyID="EUR">10.00</cbc:Amount></cac:AllowanceCharge><cac:TaxTotal>'
    )
    [without] = koppel_ubl.read(edited(INVOICE, ("<cac:TaxTotal>", charge))).allowances_charges
    assert without.vat is None or without.vat.category is None
    only = edited(INVOICE, (OWN, vat_total("81.17", AT_21)), ("<cac:TaxTotal>", charge))
    [charged] = koppel_ubl.read(only).allowances_charges
    assert charged.vat is not None
    assert (charged.vat.category, charged.vat.rate) == ("S", Decimal(21))
