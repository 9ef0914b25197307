"""Situations from the field through the whole mesh into the vendor's books, as a careful bookkeeper would book them.

The documents pass the official rules, or nearly. They are our own samples, changed until they show the situation.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from koppel_sandbox import Sandbox

from .firm_client import SAMPLES, SELLER, invoice
from .office import Office, open_office

OGM, OTHER_OGM = "+++202/6000/00192+++", "+++090/9337/55493+++"
RF = "RF18539007547034"
STATEMENT = Path(__file__).parent.parent / "services" / "dossier-api" / "tests" / "samples" / "bank.cod"


def sample(name: str) -> str:
    return next(SAMPLES.glob(f"own__be-{name}*.xml")).read_text("utf-8")


def edited(text: str, *swaps: tuple[str, str]) -> bytes:
    for old, new in swaps:
        assert old in text, old
        text = text.replace(old, new)
    return text.encode()


def sale(number: str, *swaps: tuple[str, str]) -> bytes:
    return edited(invoice(number).decode(), *swaps)


def note(text: str) -> tuple[str, str]:
    kind = "</cbc:InvoiceTypeCode>"
    return kind, f"{kind}<cbc:Note>{text}</cbc:Note>"


def one_rate(number: str, *swaps: tuple[str, str]) -> bytes:
    """Return a sale of 376.50 at 21 % alone, with a charge of 10.00 for the whole document that states no VAT."""
    text = invoice(number).decode()
    lines = re.findall(r"<cac:InvoiceLine>.*?</cac:InvoiceLine>", text, re.DOTALL)
    subtotals = re.findall(r"<cac:TaxSubtotal>.*?</cac:TaxSubtotal>", text, re.DOTALL)
    charge = (
        "<cac:AllowanceCharge><cbc:ChargeIndicator>true</cbc:ChargeIndicator>"
        "<cbc:AllowanceChargeReason>Verzending</cbc:AllowanceChargeReason>"
        '<cbc:Amount currencyID="EUR">10.00</cbc:Amount></cac:AllowanceCharge><cac:TaxTotal>'
    )
    changed = edited(
        text,
        (lines[1], ""),
        (subtotals[1], ""),
        (">376.50</cbc:TaxableAmount>", ">386.50</cbc:TaxableAmount>"),
        (">79.07<", ">81.17<"),
        (">86.27<", ">81.17<"),
        (">496.50</cbc:LineExtensionAmount>", ">376.50</cbc:LineExtensionAmount>"),
        (">496.50</cbc:TaxExclusiveAmount>", ">386.50</cbc:TaxExclusiveAmount>"),
        (">582.77<", ">467.67<"),
        ("<cac:TaxTotal>", charge),
    )
    return edited(changed.decode(), *swaps)


AGAIN = '<cac:TaxTotal><cbc:TaxAmount currencyID="EUR">81.17</cbc:TaxAmount></cac:TaxTotal>'
BOOKED: dict[str, tuple[bytes, str, str]] = {
    "reference in BT-83 and another in a note": (sale("S-REF-1", note(f"Vervangt {OTHER_OGM}.")), "582.77", OGM),
    "creditor reference in BT-83, another's in a note": (
        sale("S-REF-2", (OGM, RF), note(f"Vervangt de factuur met mededeling {OTHER_OGM}.")),
        "582.77",
        RF,
    ),
    "the only reference stands in a note": (
        sale("S-REF-3", (f"<cbc:PaymentID>{OGM}</cbc:PaymentID>", ""), note(f"Betaal met {OTHER_OGM}")),
        "582.77",
        OTHER_OGM,
    ),
    "the only reference is that of another invoice": (
        sale("S-REF-4", (f"<cbc:PaymentID>{OGM}</cbc:PaymentID>", ""), note(f"Vervangt onze factuur {OTHER_OGM}")),
        "582.77",
        "",
    ),
    "two references in notes": (
        sale("S-REF-5", (f"<cbc:PaymentID>{OGM}</cbc:PaymentID>", ""), note(f"{OTHER_OGM} of {RF}")),
        "582.77",
        "",
    ),
    "a charge of the document without a VAT category": (one_rate("S-CHARGE-1"), "467.67", OGM),
    "the same VAT total twice": (one_rate("S-VAT-1", ("</cac:TaxTotal>", f"</cac:TaxTotal>{AGAIN}")), "467.67", OGM),
    "an invoice root with the code of a credit note": (
        sale("S-TYPE-1", (">380</cbc:InvoiceTypeCode>", ">381</cbc:InvoiceTypeCode>")),
        "-582.77",
        OGM,
    ),
    "a credit note root with the code of an invoice": (
        edited(sample("02-creditnote"), (">C-2026-0001<", ">S-TYPE-2<"), (">381<", ">380<")),
        "151.86",
        "+++202/6000/00293+++",
    ),
    "a negative invoice": (
        re.sub(
            rb'(<cbc:\w*Amount currencyID="EUR">|<cbc:InvoicedQuantity[^>]*>)(?=\d)', rb"\1-", sale("S-NEG-1")
        ).replace(b'<cbc:PriceAmount currencyID="EUR">-', b'<cbc:PriceAmount currencyID="EUR">'),
        "-582.77",
        OGM,
    ),
}
NEGATIVE = re.sub(
    r"(<cbc:(?:Tax|Taxable|LineExtension|TaxExclusive|TaxInclusive|Payable)Amount[^>]*>)(?=\d)",
    r"\1-",
    sample("02-creditnote"),
)


@pytest.fixture(scope="module")
def office(mesh: Any, sandbox: Sandbox) -> Iterator[Office]:
    with open_office(mesh, sandbox) as opened:
        yield opened


@pytest.fixture(scope="module")
def documents(office: Office) -> dict[str, Any]:
    """What was handed in for ``BOOKED``, all at once."""
    return {name: office.take_in(content) for name, (content, _, _) in BOOKED.items()}


@pytest.mark.parametrize("name", list(BOOKED))
def test_it_is_booked_as_a_careful_bookkeeper_would(office: Office, documents: dict[str, Any], name: str) -> None:
    _, total, reference = BOOKED[name]
    entry = office.booked(documents[name])
    assert entry.total == Decimal(total)
    assert entry.payment_reference == "".join(filter(str.isalnum, reference))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: text.replace(b"</Invoice>", b"<!-- by mail --></Invoice>"),
        lambda text: text.replace(b">S-COPY-", b">s copy "),
        lambda text: text[text.index(b"<Invoice") :].decode().encode("utf-16"),
    ],
    ids=["other line ends", "a comment", "number written otherwise", "another encoding"],
)
def test_the_second_copy_is_held_and_goes_only_when_a_person_says_so(
    office: Office, change: Any, request: pytest.FixtureRequest
) -> None:
    firm, number = office.firm, f"S-COPY-{len(request.node.name)}-{id(change) % 10_000}"
    first = firm.take_in(office.dossier_id, invoice(number))
    second = firm.take_in(office.dossier_id, change(invoice(number)))
    firm.until_booked(first)
    held = firm.document(second)
    [question] = held["questions"]
    assert (held["state"], question["other_document_id"]) == ("held", first)
    by_hand = firm.partner.post(
        f"/export-scheduler/v1/dossiers/{office.dossier_id}/exports", json={"document_ids": [second]}
    )
    assert (by_hand.status_code, by_hand.json()["count"]) == (202, 0)
    answer = {"question": "probable_duplicate", "answer": "drop", "reason": "kwam per mail"}
    dropped = firm.partner.post(f"/dossier-api/v1/documents/{second}/answers", json=answer)
    assert dropped.json()["state"] == "dropped"
    assert firm.document(second)["deliveries"] == []


@pytest.mark.parametrize(("given", "total"), [("credit", "-151.86"), ("debit", "151.86")])
def test_a_negative_credit_note_is_booked_as_a_person_says_and_the_next_one_too(
    office: Office, given: str, total: str
) -> None:
    firm = office.firm
    dossier_id = firm.add_dossier(f"Proefwinkel {given}", SELLER)
    firm.connect(dossier_id, firm.vendor.companies[1])
    number = f"S-SIGN-{given}"
    first = firm.take_in(dossier_id, edited(NEGATIVE, (">C-2026-0001<", f">{number}<")))
    assert firm.document(first)["state"] == "held"
    answer = {"question": "negative_credit_note", "answer": given}
    answered = firm.partner.post(f"/dossier-api/v1/documents/{first}/answers", json=answer)
    assert answered.status_code == 200, answered.text
    second = firm.take_in(dossier_id, edited(NEGATIVE, (">C-2026-0001<", f">{number}-2<")))
    firm.until_booked(first, second)
    entries = {each.document_number: each.total for each in firm.vendor.entries(firm.vendor.companies[1])}
    assert (entries[number], entries[f"{number}-2"]) == (Decimal(total), Decimal(total))


def test_a_statement_whose_iban_has_blanks_is_of_one_account(office: Office) -> None:
    content = STATEMENT.read_bytes()
    account = content.splitlines()[1][5:21]
    blanks = b" ".join(account[at : at + 4] for at in range(0, 16, 4))
    path = f"/dossier-api/v1/dossiers/{office.dossier_id}/documents"
    once = content[::-1].replace((account + b"   ")[::-1], blanks[::-1], 1)[::-1]
    assert once != content
    taken = office.firm.partner.post(path, content=once, headers={"content-type": "text/plain"}).json()
    assert [one["account"] for one in taken["statements"]] == [account.decode()]
    assert {one["rule"] for one in taken["findings"]} <= {"other_account_holder"}
