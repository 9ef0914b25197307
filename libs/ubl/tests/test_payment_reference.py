"""Which reference a payer is to quote, by the fields and texts that may hold one."""

import pytest

from koppel_ubl import BillingReference, CreditNote, Invoice, PaymentMeans

OGM, OTHER_OGM, RF = "+++090/9337/55493+++", "+++190/9337/55430+++", "RF18 5390 0754 7034"
DIGITS, COMPACT = "090933755493", "RF18539007547034"


def invoice(*references: str, terms: str | None = None, notes: tuple[str, ...] = ()) -> Invoice:
    means = PaymentMeans(references=references)
    return Invoice(number="F-7", payment_means=(means,), payment_terms=terms, notes=notes)


def older(means: PaymentMeans, *notes: str) -> Invoice:
    return Invoice(number="F-7", payment_means=(means,), notes=notes)


CASES: dict[str, tuple[Invoice, str | None]] = {
    "BT-83 is a structured reference": (invoice(OGM), DIGITS),
    "BT-83 is one without its signs": (invoice("090933755493"), DIGITS),
    "BT-83 is a creditor reference": (invoice(RF), COMPACT),
    "BT-83 is a text": (invoice("Factuur F-7"), "Factuur F-7"),
    "BT-83 is a text with a reference": (invoice(f"Factuur F-7, {OGM}"), DIGITS),
    "BT-83 is blank": (invoice(" ", notes=(f"Mededeling {OGM}",)), DIGITS),
    "the second BT-83 is structured": (invoice("F-7", OGM), DIGITS),
    "BT-83 wins over a note": (invoice(RF, notes=(f"Mededeling {OGM}",)), COMPACT),
    "a text in BT-83 wins over a note": (invoice("F-7", notes=(f"Mededeling {OGM}",)), "F-7"),
    "BT-83 wins over the payment terms": (invoice(OGM, terms=f"Betaal met {OTHER_OGM}"), DIGITS),
    "InstructionID of e-FFF": (older(PaymentMeans(instruction=OGM)), DIGITS),
    "InstructionNote of older documents": (older(PaymentMeans(instruction_note=f"Mededeling: {OGM}")), DIGITS),
    "an InstructionID that is no reference": (older(PaymentMeans(instruction="TX-1"), OGM), DIGITS),
    "the payment terms": (invoice(terms=f"30 dagen, mededeling {OGM}"), DIGITS),
    "a creditor reference in a note": (invoice(notes=(f"Communication: {RF}, merci",)), COMPACT),
    "the same one in two notes": (invoice(notes=(f"Betaal met {OGM}", f"Référence {OGM}")), DIGITS),
    "two in the notes": (invoice(notes=(f"Betaal met {OGM}", f"of {OTHER_OGM}")), None),
    "a structured and a creditor reference": (invoice(notes=(f"{OGM} of {RF}",)), None),
    "that of the invoice it replaces": (invoice(notes=(f"Vervangt onze factuur met mededeling {OGM}.",)), None),
    "that of a previous invoice": (invoice(notes=(f"Concerne la facture précédente {OGM}",)), None),
    "that of a reminder": (invoice(notes=(f"Reminder of {OGM}",)), None),
    "its own beside another's": (invoice(notes=(f"Mededeling {OGM}", f"Vorige factuur: {OTHER_OGM}")), DIGITS),
    "that of an invoice named by its number": (invoice(notes=(f"Factuur 2026-77 te betalen met {OGM}",)), None),
    "that of another named with a word": (invoice(notes=(f"Facture n° 2026/77 : {OGM}",)), None),
    "that of an advance invoice": (invoice(notes=(f"Voorschotfactuur, mededeling {OGM}",)), None),
    "that of what was paid": (invoice(notes=(f"Reeds betaald met {OGM}",)), None),
    "its own number beside it": (invoice(notes=(f"Factuur nr. F-7, mededeling {OGM}",)), DIGITS),
    "a day beside it": (invoice(notes=(f"Factuur 10/11/2026 te betalen met {OGM}",)), DIGITS),
    "days beside it": (invoice(notes=(f"Invoice 30 days net {OGM}",)), DIGITS),
    "BT-83 with dots": (invoice("090.9337.55493"), DIGITS),
    "BT-83 with hyphens": (invoice("+++090-9337-55493+++"), DIGITS),
    "wrong check digits": (invoice(notes=("+++090/9337/55494+++",)), None),
    "none at all": (Invoice(number="F-7"), None),
}


@pytest.mark.parametrize("name", list(CASES))
def test_the_reference_is_read_from_the_first_place_that_has_it(name: str) -> None:
    document, expected = CASES[name]
    assert document.payment_reference == expected
    is_structured = expected is not None and expected.isdigit()
    assert document.structured_reference == (expected if is_structured else None)


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        (f"Creditnota voor onze factuur met mededeling {OGM}", None),
        (f"Note de crédit sur la facture {OGM}", None),
        (f"Mededeling {OGM}", DIGITS),
    ],
)
def test_what_a_credit_note_says_of_an_invoice_is_about_that_one(note: str, expected: str | None) -> None:
    assert CreditNote(number="C-7", notes=(note,)).payment_reference == expected


def test_a_text_that_names_a_preceding_invoice_is_about_that_one() -> None:
    document = Invoice(
        number="F-7", billing_references=(BillingReference(number="F-6"),), notes=(f"Op factuur F-6 met {OGM}",)
    )
    assert document.payment_reference is None
