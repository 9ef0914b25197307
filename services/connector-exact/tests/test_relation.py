"""The counterparty: recognised by VAT number, enterprise number, name, code; never taken for somebody else."""

import pytest

from connector_exact.mapping.relation import NAME_LENGTH_MAX, creation, role, search_terms
from connector_exact.master_data import Relation
from koppel_bookkeeping import Party, Side
from koppel_bookkeeping.parties import recognise
from koppel_connector.ledger.relations import candidates
from koppel_connector.testing import MasterDataInProcess

from .books import book, relation


def found(party: Party, *relations: Relation, side: Side = "sale") -> str | None:
    possible = relations or candidates(party, book(), Relation, NAME_LENGTH_MAX)
    one = recognise(party, possible, side, name_length_max=NAME_LENGTH_MAX)
    return one.code if one else None


def test_numbers_are_compared_bare() -> None:
    assert found(Party("Iemand anders", vat_number="BE 0404.616.494")) == "1"
    assert found(Party("Iemand anders", enterprise_number="0404616494")) == "1"
    assert found(Party("Iemand anders", vat_number="BE0403170701")) == "2"


def test_a_name_is_recognised_without_case_dots_or_legal_form() -> None:
    assert found(Party("BAKKERIJ DEMO N.V.")) == "1"
    assert found(Party("papier & zn")) == "2"


def test_a_name_that_had_to_be_cut_is_recognised() -> None:
    party = Party("Internationale Vereniging voor de Bevordering van het Ambacht vzw")
    kept = relation("7", str(creation(party, "sale")["Name"]).strip())
    assert found(party, kept) == "7"
    assert [one.code for one in candidates(party, MasterDataInProcess([kept.record()]), Relation, NAME_LENGTH_MAX)] == [
        "7"
    ]
    assert found(Party("Internationale Vereniging voor Bakkers"), kept) is None


def test_another_vat_number_is_somebody_else_even_with_the_same_name() -> None:
    assert (
        found(
            Party("Bakkerij Demo", vat_number="BE0403170701"), relation("1", "Bakkerij Demo", vat_number="BE0404616494")
        )
        is None
    )
    assert (
        found(Party("Demo", enterprise_number="0403170701"), relation("1", "Demo", enterprise_number="0404616494"))
        is None
    )


def test_the_code_counts_last() -> None:
    assert found(Party("Kassa", code="3")) == "3"
    assert found(Party("Bakkerij Demo", code="3")) == "1"


def test_of_several_the_one_with_the_role_is_taken() -> None:
    customer = relation("8", "Dubbel", vat_number="BE0404616494")
    supplier = relation("7", "Dubbel", vat_number="BE0404616494", status="A", is_supplier=True)
    party = Party("Dubbel", vat_number="BE0404616494")
    assert found(party, supplier, customer) == "8"
    assert found(party, supplier, customer, side="purchase") == "7"


def test_of_several_one_that_is_not_blocked_is_taken() -> None:
    old = relation("1", "Dubbel", vat_number="BE0404616494", blocked=True)
    new = relation("2", "Dubbel", vat_number="BE0404616494", status="A", is_supplier=True)
    assert found(Party("Dubbel", vat_number="BE0404616494"), old, new) == "2"
    assert found(Party("Dubbel", vat_number="BE0404616494"), old) == "1"


def test_the_terms_find_every_way_of_writing_it() -> None:
    terms = search_terms(Party("L'Artisan", vat_number="BE0404616494", enterprise_number="0404.616.494", code="25"))
    for term in (
        "VATNumber eq 'BE0404616494'",
        "VATNumber eq 'BE 0404.616.494'",
        "ChamberOfCommerce eq '0404616494'",
        "Name eq 'L''Artisan'",
        "trim(Code) eq '25'",
    ):
        assert term in terms


@pytest.mark.parametrize(("side", "change"), [("sale", {"Status": "C"}), ("purchase", {"IsSupplier": True})])
def test_a_new_relation_has_the_role_it_needs_and_no_code(side: str, change: dict[str, object]) -> None:
    party = Party("N" * 80, vat_number="BE 0404.616.494", city="Gent", country="BE", code="25")
    body = creation(party, side)  # type: ignore[arg-type]
    assert body["Name"] == "N" * 50
    assert body["VATNumber"] == "BE0404616494"
    assert "Code" not in body
    assert "Email" not in body
    assert role(side) == change  # type: ignore[arg-type]
    assert body | change == body


def test_a_vat_number_without_digits_is_not_written_and_not_searched() -> None:
    party = Party("Jan Peeters", vat_number="NA", enterprise_number="n.v.t.", country="BE")
    body = creation(party, "purchase")
    assert "VATNumber" not in body
    assert "ChamberOfCommerce" not in body
    assert search_terms(party) == ["Name eq 'Jan Peeters'"]
