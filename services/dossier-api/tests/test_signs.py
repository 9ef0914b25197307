"""A credit note of less than nothing means two things: it waits for a person, whose answer is remembered."""

import re
from typing import Any

import pytest

from .conftest import DossierClient
from .document_samples import OURS, THEIRS, credit_note, invoice
from .test_duplicates import answer


def negative(number: str = "CN-1", supplier: str = THEIRS, root: str = "CreditNote") -> bytes:
    """Return a credit note whose amounts all carry a minus sign; as an Invoice it has the type code of a credit note."""
    if root == "CreditNote":
        text = credit_note(number, seller=supplier, buyer=OURS)
    else:
        text = invoice(number, seller=supplier, buyer=OURS).replace(b">380</cbc:Invoice", b">381</cbc:Invoice")
    amount = re.compile(rb"(<cbc:(?:Tax|Taxable|LineExtension|TaxExclusive|TaxInclusive|Payable)Amount[^>]*>)(?=\d)")
    return amount.sub(rb"\1-", text)


async def asked(client: DossierClient, dossier_id: str, data: bytes) -> dict[str, Any]:
    document = await client.filed(dossier_id, data)
    assert document["state"] == "held"
    [question] = document["questions"]
    assert (question["code"], question["answer"]) == ("negative_credit_note", None)
    assert [option["answer"] for option in question["options"]] == ["credit", "debit"]
    return document


@pytest.mark.parametrize("root", ["CreditNote", "Invoice"])
@pytest.mark.parametrize(("given", "kind"), [("credit", "purchase_credit_note"), ("debit", "purchase_invoice")])
async def test_the_answer_says_what_it_is_and_turns_its_signs(
    client: DossierClient, root: str, given: str, kind: str
) -> None:
    dossier = await client.dossier(enterprise_number=OURS)
    document = await asked(client, dossier["id"], negative(root=root))
    assert document["total"]["amount"] == "-121.00"
    said = (await answer(client, document, given, "negative_credit_note")).json()
    assert (said["state"], said["kind"], said["signs_reversed"]) == ("filed", kind, True)
    assert said["total"]["amount"] == "121.00"
    assert {line["net"] for line in said["lines"]} == {line["net"].lstrip("-") for line in document["lines"]}
    assert [(each["base"], each["tax"]) for each in said["vat"]] == [("100.00", "21.00")]


async def test_the_answer_holds_for_the_next_of_that_counterparty_alone(client: DossierClient) -> None:
    dossier = await client.dossier(enterprise_number=OURS)
    first = await asked(client, dossier["id"], negative("CN-1"))
    await answer(client, first, "credit", "negative_credit_note")
    second = await client.filed(dossier["id"], negative("CN-2"))
    assert (second["state"], second["kind"], second["total"]["amount"]) == ("filed", "purchase_credit_note", "121.00")
    [finding] = [one for one in second["findings"] if one["rule"] == "negative_credit_note"]
    assert "credit" in finding["message"]["en"]
    await asked(client, dossier["id"], negative("CN-1", supplier="0403170701"))
    other = await client.dossier(enterprise_number=OURS)
    await asked(client, other["id"], negative("CN-1"))


async def test_two_questions_are_answered_one_by_one(client: DossierClient) -> None:
    dossier = await client.dossier(enterprise_number=OURS)
    first = await asked(client, dossier["id"], negative("CN-1"))
    copy = await client.filed(dossier["id"], negative("CN-1") + b"\n")
    assert {one["code"] for one in copy["questions"]} == {"negative_credit_note", "probable_duplicate"}
    assert (await answer(client, copy, "release")).json()["state"] == "held"
    assert (await answer(client, copy, "credit", "negative_credit_note")).json()["state"] == "filed"
    assert (await answer(client, first, "debit", "negative_credit_note")).json()["kind"] == "purchase_invoice"


async def test_a_copy_of_one_that_was_answered_is_still_a_copy(client: DossierClient) -> None:
    dossier = await client.dossier(enterprise_number=OURS)
    first = await asked(client, dossier["id"], negative("CN-1"))
    await answer(client, first, "debit", "negative_credit_note")
    copy = await client.filed(dossier["id"], negative("CN-1") + b"\n")
    assert (copy["state"], copy["questions"][0]["other_document_id"]) == ("held", first["id"])


async def test_a_negative_invoice_goes_as_it_stands(client: DossierClient) -> None:
    dossier = await client.dossier(enterprise_number=OURS)
    text = negative(root="Invoice").replace(b">381</cbc:Invoice", b">380</cbc:Invoice")
    document = await client.filed(dossier["id"], text)
    assert (document["state"], document["kind"]) == ("filed", "purchase_invoice")
    assert (document["total"]["amount"], document["signs_reversed"]) == ("-121.00", False)
