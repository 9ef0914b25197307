"""OData literals and the oddities of Exact's answers."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from connector_exact.master_data import Relation, VatCode
from koppel_connector import odata


def test_literals() -> None:
    assert odata.text("O'Brien & Zn") == "'O''Brien & Zn'"
    assert odata.guid("C4D10000-0000-0000-0000-000000000001") == "guid'c4d10000-0000-0000-0000-000000000001'"
    assert odata.moment(date(2026, 1, 15)) == "datetime'2026-01-15T00:00:00'"
    assert odata.int64(12345) == "12345L"


def test_a_guid_literal_cannot_be_broken_out_of() -> None:
    with pytest.raises(ValueError, match="hexadecimal"):
        odata.guid("x' or 1 eq 1 or ID eq guid'")


@pytest.mark.parametrize(
    ("wire", "meant"),
    [
        ("/Date(1351209600000)/", date(2012, 10, 26)),
        ("/Date(1351209600000+0100)/", date(2012, 10, 26)),
        ("/Date(1768435200000)/", date(2026, 1, 15)),
        ("/Date(1768431600000+0100)/", date(2026, 1, 15)),
        ("/Date(1784066400000+0200)/", date(2026, 7, 15)),
        ("/Date(1768435200000-0500)/", date(2026, 1, 15)),
        ("/Date(1768453200000-0500)/", date(2026, 1, 15)),
        ("/Date(-2208988800000)/", date(1900, 1, 1)),
        ("2026-01-15T00:00:00Z", date(2026, 1, 15)),
        ("/Date(99999999999999999)/", None),
        ("/Date(999999999999999)/", None),
        ("nonsense", None),
        (None, None),
        (1351209600000, None),
    ],
)
def test_dates_are_wall_clock_written_as_utc(wire: object, meant: date | None) -> None:
    assert odata.day(wire) == meant


def test_lists_come_in_two_shapes_and_pages() -> None:
    assert odata.rows({"d": {"results": [{"ID": "1"}], "__next": "https://x/next"}}) == [{"ID": "1"}]
    assert odata.rows({"d": [{"ID": "1"}]}) == [{"ID": "1"}]
    assert odata.rows({"d": {"ID": "1", "Mailbox": "a@b"}}) == [{"ID": "1", "Mailbox": "a@b"}], "the answer is the row"
    assert odata.next_page({"d": [{"ID": "1"}]}, "https://x") is None
    nothings: tuple[Any, ...] = (None, [], {"d": None}, {"d": 3}, {"d": {"results": "x"}}, {"d": {}})
    for strange in nothings:
        assert odata.rows(strange) == []
    assert odata.entity({"d": {"UserHasRights": True}}) == {"UserHasRights": True}
    assert odata.entity({"d": {"results": [{"UserName": "an"}]}}) == {"UserName": "an"}


@pytest.mark.parametrize(
    ("base_url", "link", "followed"),
    [
        ("https://x", "https://x/api/v1/7/crm?$skiptoken=a", "https://x/api/v1/7/crm?$skiptoken=a"),
        ("https://x/exact/", "https://x/exact/api/v1/7/crm?a=b", "https://x/exact/api/v1/7/crm?a=b"),
        ("http://proxy:8", "https://start.exactonline.be/api/v1/7/crm?$skiptoken=a", "/api/v1/7/crm?$skiptoken=a"),
        ("https://x", "https://x.evil.example/api/v1/7/crm", "/api/v1/7/crm"),
        ("https://x", "/api/v1/7/crm?a=b", "/api/v1/7/crm?a=b"),
    ],
)
def test_the_next_page_is_on_our_host(base_url: str, link: str, followed: str) -> None:
    assert odata.next_page({"d": {"results": [], "__next": link}}, base_url) == followed


def test_padding_is_for_exact_not_for_people() -> None:
    relation = Relation.from_row({"ID": "1", "Code": "                25", "Name": "Bakkerij ", "Country": "BE "})
    assert (relation.code, relation.name, relation.country) == ("25", "Bakkerij", "BE")
    code = VatCode.from_row(
        {"ID": "2", "Code": "2  ", "Percentage": Decimal("0.055"), "Type": "E", "VATTransactionType": "S"}
    )
    assert (code.code, code.raw_code, code.percentage) == ("2", "2  ", Decimal("5.5"))
    assert VatCode.of(code.record()) == code
    assert Relation.of(relation.record()) == relation
