"""Lines that a ledger holds against those that were sent."""

from decimal import Decimal

from koppel_bookkeeping.comparison import LineFigures, line_differences


def line(net: str, tax: str | None = None, account: str = "700000", vat_code: str = "21") -> LineFigures:
    return LineFigures(account, vat_code, Decimal(net), None if tax is None else Decimal(tax))


SENT = [line("100.00", "21.00"), line("50.00", "10.50")]


def test_the_order_does_not_count() -> None:
    assert line_differences(SENT, SENT[::-1]) == []
    assert line_differences([], []) == []


def test_each_line_counts_as_often_as_it_stands() -> None:
    assert line_differences([SENT[0]] * 3, [SENT[0]]) == ["line 100.00 at VAT code 21 (VAT 21.00): 2× missing"]
    assert line_differences([SENT[0]], [SENT[0]] * 2) == ["line 100.00 at VAT code 21 (VAT 21.00): 1× not sent"]


def test_a_cent_a_code_and_an_account_are_differences() -> None:
    for held in (line("100.00", "21.01"), line("100.01", "21.00"), line("100.00", "21.00", vat_code="6")):
        assert line_differences(SENT, [held, SENT[1]]) == [
            "line 100.00 at VAT code 21 (VAT 21.00): 1× missing",
            f"{held}: 1× not sent",
        ]
    assert len(line_differences(SENT, [line("100.00", "21.00", account="701000"), SENT[1]])) == 2


def test_vat_that_was_not_sent_is_the_ledgers_own_affair() -> None:
    reverse_charge = line("100.00", vat_code="PM")
    assert line_differences([reverse_charge], [line("100.00", "21.00", vat_code="PM")]) == []


def test_where_a_ledger_keeps_the_vat_of_a_line_to_itself_its_net_is_compared() -> None:
    assert line_differences(SENT, [line("100.00"), line("50.00", "10.50")]) == []
    assert line_differences(SENT, [line("100.00"), line("50.01")]) == [
        "line 50.00 at VAT code 21 (VAT –): 1× missing",
        "line 50.01 at VAT code 21 (VAT –): 1× not sent",
    ]


def test_an_amount_that_cannot_be_read_is_a_difference() -> None:
    unread = LineFigures("700000", "", None, None)
    assert line_differences([line("100.00", "21.00")], [unread]) == [
        "line 100.00 at VAT code 21 (VAT 21.00): 1× missing",
        "line None at VAT code – (VAT –): 1× not sent",
    ]
