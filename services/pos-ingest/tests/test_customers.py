"""The customer of a book's invoices: by code, else by number or name, else made (R128, R129)."""

import json
from typing import Any

import pytest

from koppel_bookkeeping import Party
from koppel_mesh.ids import new_id
from pos_ingest.customers import AmbiguousCustomer, customer_of

from .conftest import Till


def relation(code: str, name: str, source: str = "exact", **more: Any) -> dict[str, Any]:
    empty = {"vat_number": None, "enterprise_number": None, "is_customer": True}
    return {**empty, "code": code, "name": name, "source": source, **more}


def find(till: Till, *known: dict[str, Any], **wanted: str) -> Party:
    till.dossier_api.relations.setdefault(str(till.dossier_id), []).extend(known)
    found: Party = till.run(customer_of(till.context, till.dossier_id, Party(**wanted)))
    return found


def made(till: Till) -> list[tuple[str, str]]:
    kept = till.dossier_api.relations.get(str(till.dossier_id), [])
    return [(one["code"], one["name"]) for one in kept if one["source"] == "pos-ingest"]


def test_a_code_decides_alone_and_the_dossier_s_name_holds(till: Till) -> None:
    found = find(till, relation("DR1", "Dagontvangsten"), relation("2", "Winkel Gent"), code="DR1", name="Winkel Gent")
    assert (found.code, found.name, made(till)) == ("DR1", "Dagontvangsten", [])


def test_an_unknown_code_is_made_with_that_code_though_the_name_is_known(till: Till) -> None:
    found = find(till, relation("2", "Winkel Gent"), code="DR1", name="Winkel Gent")
    assert (found.code, made(till)) == ("DR1", [("DR1", "Winkel Gent")])


def test_a_name_is_recognised_however_it_is_written(till: Till) -> None:
    found = find(till, relation("7", "WINKEL GENT b.v."), name="Winkel Gent BV")
    assert (found.code, made(till)) == ("7", [])


def test_an_unknown_name_is_made_once(till: Till) -> None:
    first, again = find(till, name="Winkel Gent"), find(till, name="winkel gent")
    assert first.code == again.code == "WINKEL GENT" and made(till) == [("WINKEL GENT", "Winkel Gent")]


def test_of_long_texts_counts_what_a_relation_can_have(till: Till) -> None:
    found = find(till, name="Winkel\t" + "x" * 300, code="9" * 61, vat_number="BE" + "1" * 50)
    assert (len(found.name), found.code) == (200, ("WINKEL " + "X" * 53))
    assert find(till, name="Winkel " + "x" * 250).code == found.code and len(made(till)) == 1


def test_what_nothing_names_is_nobody_to_make(till: Till) -> None:
    assert find(till, name="\n").code == "" and made(till) == []
    assert find(till, name="???").code == "???" and made(till) == [("???", "???")]


def test_a_number_comes_before_a_name(till: Till) -> None:
    known = relation("1", "Old name", vat_number="BE0404616494"), relation("2", "Klant", enterprise_number="0000000196")
    assert find(till, *known, name="Klant", vat_number="BE 0404.616.494").code == "1"
    assert find(till, name="Klant", enterprise_number="0836836222").code == "0836836222"
    assert made(till) == [("0836836222", "Klant")]


@pytest.mark.parametrize("wanted", [{"name": "Klant"}, {"name": "Ander", "code": "1"}])
def test_several_that_could_be_meant_are_asked(till: Till, wanted: dict[str, str]) -> None:
    known = relation("1", "Klant"), relation("2", "Klant"), relation("1", "Iemand", source="octopus")
    with pytest.raises(AmbiguousCustomer, match="2 customers"):
        find(till, *known, **wanted)
    assert made(till) == []


def test_one_customer_in_two_packages_is_one(till: Till) -> None:
    assert find(till, relation("1", "Klant"), relation("9", "Klant", source="octopus"), name="Klant").code == "1"


def test_a_closed_period_waits_until_its_customer_is_clear(till: Till) -> None:
    known = till.dossier_api.relations.setdefault(str(till.dossier_id), [])
    known += [relation("1", "Winkel Gent"), relation("2", "Winkel Gent")]
    book = till.book(customer_name="Winkel Gent")
    till.entered(book, "2026-03-19")
    till.close(book, "2026-03-19")
    till.hand_in()
    [period] = till.periods(book)
    assert (period["document_id"], period["problem"]["code"]) == (None, "customer_ambiguous")
    assert "2 customers of the dossier are Winkel Gent" in period["problem"]["message"]["en"]
    till.call("PATCH", book, json={"customer_code": "2"})
    assert till.call("POST", f"/v1/deliveries/{period['id']}/retry").status_code == 202
    till.hand_in()
    [period] = till.periods(book)
    assert period["document_id"] is not None and period["problem"] is None


def test_the_number_of_an_external_invoice_is_passed_over_by_a_book_with_another_format_of_before(till: Till) -> None:
    book = till.book(number_prefix="", number_format="G-{InvoiceNumber:3}")
    customer = {"name": "Klant", "code": "K1"}
    invoice = {"number": "H-1", "issue_date": "2026-03-19", "customer": customer}
    line = {"name": "Brood", "price": "1.00", "vat_rate": "6"}
    assert till.call("POST", "/sales-invoices", json=invoice | {"lines": [line]}).status_code == 201
    till.call("PATCH", book, json={"number_format": "H-{InvoiceNumber:1}"})
    till.entered(book, "2026-03-19")
    till.close(book, "2026-03-19")
    assert till.periods(book)[0]["number"] == "H-2"


def test_the_journals_of_a_book_go_with_its_document_and_a_changed_one_is_for_later(till: Till) -> None:
    """R141, R146."""
    here, there = str(new_id()), str(new_id())
    book = till.book(journal="720", journals={here: "V3"})
    till.entered(book, "2026-03-18")
    till.close(book, "2026-03-18")
    [first] = till.hand_in()
    assert till.call("PATCH", book, json={"journals": {there: "721"}}).json()["journals"] == {there: "721"}
    till.entered(book, "2026-03-19")
    till.close(book, "2026-03-19")
    second = till.hand_in()[-1]
    said = [json.loads(filed.parts["metadata"]) for filed in (first, second)]
    assert [(one["journal"], one["journals"]) for one in said] == [("720", {here: "V3"}), ("720", {there: "721"})]
    assert till.call("PATCH", book, json={"journals": {"octopus": "V3"}}).status_code == 422
