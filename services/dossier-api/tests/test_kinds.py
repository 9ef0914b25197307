"""Sale or purchase, and what is neither."""

import pytest

from dossier_api.kinds import Direction, KindContradicted, NotThisDossier, Parties, decide
from koppel_mesh.messages import DocumentKind

from .document_samples import OURS, THEIRS

K = DocumentKind


def parties(
    seller: str | None = None,
    buyer: str | None = None,
    *,
    credit: bool = False,
    code: str | None = "380",
    same_endpoint: bool = False,
    reference: str | None = None,
) -> Parties:
    return Parties(
        is_credit_note=credit,
        type_code=code,
        seller_numbers=frozenset({seller} if seller else ()),
        buyer_numbers=frozenset({buyer} if buyer else ()),
        same_endpoint=same_endpoint,
        buyer_reference=reference,
    )


def test_a_document_between_others_is_refused() -> None:
    with pytest.raises(NotThisDossier):
        decide(parties(THEIRS, "0831797467"), OURS, None, None)
    with pytest.raises(NotThisDossier):
        decide(parties(), OURS, None, None)


@pytest.mark.parametrize("wanted", [K.PURCHASE_INVOICE, K.SALES_CREDIT_NOTE, K.BANK_STATEMENT, K.MISCELLANEOUS])
def test_a_kind_the_document_contradicts_is_refused(wanted: K) -> None:
    with pytest.raises(KindContradicted):
        decide(parties(OURS, THEIRS), OURS, None, wanted)


def test_a_purchase_is_never_a_tills_day() -> None:
    with pytest.raises(KindContradicted):
        decide(parties(THEIRS, OURS), OURS, None, K.DAILY_RECEIPTS)


@pytest.mark.parametrize(
    ("given", "direction", "expected"),
    [
        (parties(OURS, THEIRS), None, K.SALES_INVOICE),
        (parties(OURS, THEIRS, credit=True), None, K.SALES_CREDIT_NOTE),
        (parties(THEIRS, OURS), None, K.PURCHASE_INVOICE),
        (parties(THEIRS, OURS, credit=True), None, K.PURCHASE_CREDIT_NOTE),
        (parties(OURS), None, K.SALES_INVOICE),
        (parties(None, OURS), None, K.PURCHASE_INVOICE),
        # the document decides; what the caller gives does not count
        (parties(OURS, THEIRS), "purchase", K.SALES_INVOICE),
        (parties(THEIRS, OURS), "sale", K.PURCHASE_INVOICE),
        # it does not decide
        (parties(THEIRS, "0831797467"), "sale", K.SALES_INVOICE),
        (parties(credit=True), "purchase", K.PURCHASE_CREDIT_NOTE),
        (parties(OURS, OURS), "sale", K.SALES_INVOICE),
        (parties(OURS, OURS), "purchase", K.PURCHASE_INVOICE),
        # self-billing: roles stay
        (parties(OURS, THEIRS, code="389"), None, K.SALES_INVOICE),
        (parties(THEIRS, OURS, code="261", credit=True), None, K.PURCHASE_CREDIT_NOTE),
        # a till's day
        (parties(OURS, OURS), None, K.DAILY_RECEIPTS),
        (parties(OURS, same_endpoint=True), None, K.DAILY_RECEIPTS),
        (parties(OURS, reference="DAGONTVANGSTEN"), None, K.DAILY_RECEIPTS),
        (parties(OURS, OURS, reference="Dagontvangsten"), "sale", K.DAILY_RECEIPTS),
        (parties(OURS, THEIRS, reference="DAGONTVANGSTEN"), None, K.SALES_INVOICE),
        (parties(THEIRS, OURS, reference="DAGONTVANGSTEN"), None, K.PURCHASE_INVOICE),
        # a proforma asks for nothing
        (parties(OURS, THEIRS, code="325"), None, K.MISCELLANEOUS),
    ],
)
def test_the_side_with_our_number_decides(given: Parties, direction: Direction | None, expected: K) -> None:
    assert decide(given, OURS, direction, None) is expected


def test_a_credit_note_is_never_a_tills_day_as_it_would_be_booked_as_income() -> None:
    given = parties(OURS, OURS, credit=True, reference="DAGONTVANGSTEN")
    assert decide(given, OURS, "sale", None) is K.SALES_CREDIT_NOTE
    with pytest.raises(KindContradicted):
        decide(given, OURS, "sale", K.DAILY_RECEIPTS)


def test_the_caller_may_say_that_a_sale_is_a_tills_day() -> None:
    assert decide(parties(OURS), OURS, None, K.DAILY_RECEIPTS) is K.DAILY_RECEIPTS
