"""Rules about the document as a whole: what it is called, when, in which money, and what must be there."""

from collections.abc import Iterator

from koppel_ubl.checking.codes import as_text
from koppel_ubl.checking.engine import ZERO, Facts, Group, Value, amount, cents, decimal, minute

from .conditions import any_given, filled
from .rules import RULES

DOCUMENT = RULES.on("/")
DOCUMENT_PERIOD = RULES.on(
    "cac:InvoicePeriod", unless=("cac:InvoiceLine/cac:InvoicePeriod", "cac:CreditNoteLine/cac:InvoicePeriod")
)
PRECEDING = RULES.on("cac:BillingReference")
SUPPORTING = RULES.on("cac:AdditionalDocumentReference")
NOTE = RULES.on("/cbc:Note")

DOCUMENT.rule(
    "BR-01",
    "fatal",
    "BT-24",
    nl="Vermeld welke specificatie de factuur volgt (CustomizationID).",
    fr="Indiquez la spécification que suit la facture (CustomizationID).",
    en="State which specification the invoice follows (CustomizationID).",
)(filled("cbc:CustomizationID"))

DOCUMENT.rule(
    "BR-02",
    "fatal",
    "BT-1",
    nl="Geef de factuur een nummer.",
    fr="Donnez un numéro à la facture.",
    en="Give the invoice a number.",
)(filled("cbc:ID"))

DOCUMENT.rule(
    "BR-03",
    "fatal",
    "BT-2",
    nl="Vermeld de factuurdatum.",
    fr="Indiquez la date de la facture.",
    en="State the date of the invoice.",
)(filled("cbc:IssueDate"))


@DOCUMENT.rule(
    "BR-04",
    "fatal",
    "BT-3",
    nl="Vermeld de soort factuur (typecode).",
    fr="Indiquez le type de facture (code).",
    en="State the kind of invoice (type code).",
)
def kind_is_given(document: Group, facts: Facts) -> bool:
    kinds = (document.value("cbc:InvoiceTypeCode"), document.value("cbc:CreditNoteTypeCode"))
    return any(kind is not None and not kind.is_blank for kind in kinds)


DOCUMENT.rule(
    "BR-05",
    "fatal",
    "BT-5",
    nl="Vermeld de munt van de factuur.",
    fr="Indiquez la devise de la facture.",
    en="State the currency of the invoice.",
)(filled("cbc:DocumentCurrencyCode"))

DOCUMENT.rule(
    "BR-06",
    "fatal",
    "BT-27",
    nl="Vermeld de naam van de verkoper.",
    fr="Indiquez le nom du vendeur.",
    en="State the name of the seller.",
)(filled("cac:AccountingSupplierParty", "cac:Party", "cac:PartyLegalEntity", "cbc:RegistrationName"))

DOCUMENT.rule(
    "BR-07",
    "fatal",
    "BT-44",
    nl="Vermeld de naam van de koper.",
    fr="Indiquez le nom de l'acheteur.",
    en="State the name of the buyer.",
)(filled("cac:AccountingCustomerParty", "cac:Party", "cac:PartyLegalEntity", "cbc:RegistrationName"))


@DOCUMENT.rule(
    "BR-08",
    "fatal",
    "BG-5",
    nl="Vermeld het adres van de verkoper.",
    fr="Indiquez l'adresse du vendeur.",
    en="State the address of the seller.",
)
def seller_has_address(document: Group, facts: Facts) -> bool:
    return bool(document.all("cac:AccountingSupplierParty", "cac:Party", "cac:PostalAddress"))


@DOCUMENT.rule(
    "BR-10",
    "fatal",
    "BG-8",
    nl="Vermeld het adres van de koper.",
    fr="Indiquez l'adresse de l'acheteur.",
    en="State the address of the buyer.",
)
def buyer_has_address(document: Group, facts: Facts) -> bool:
    return bool(document.all("cac:AccountingCustomerParty", "cac:Party", "cac:PostalAddress"))


@DOCUMENT.rule(
    "BR-16",
    "fatal",
    "BG-25",
    nl="Een factuur heeft minstens één lijn.",
    fr="Une facture compte au moins une ligne.",
    en="An invoice has one line at least.",
)
def has_a_line(document: Group, facts: Facts) -> bool:
    return document.has("cac:InvoiceLine") or document.has("cac:CreditNoteLine")


@DOCUMENT.rule(
    "BR-53",
    "fatal",
    "BT-111",
    nl="Wie de btw ook in een andere munt aangeeft, vermeldt het btw-totaal in die munt.",
    fr="Qui déclare la TVA dans une autre devise indique le total de TVA dans cette devise.",
    en="Where VAT is also accounted for in another currency, the VAT total in that currency is given.",
)
def vat_total_in_tax_currency(document: Group, facts: Facts) -> bool:
    currencies = document.values("cbc:TaxCurrencyCode")
    return all(_has_vat_total_in(facts, currency.text) for currency in currencies)


def _has_vat_total_in(facts: Facts, currency: str) -> bool:
    totals = facts.tree.all("cac:TaxTotal")
    return any(amount.get("currencyID") == currency for total in totals for amount in total.values("cbc:TaxAmount"))


@DOCUMENT.rule(
    "BR-CO-03",
    "fatal",
    "BT-7, BT-8",
    nl="Vermeld een datum of een code voor het btw-tijdstip, niet allebei.",
    fr="Indiquez une date ou un code d'exigibilité de la TVA, pas les deux.",
    en="Give a date or a code for the VAT point, not both.",
)
def one_vat_point(document: Group, facts: Facts) -> bool:
    if not document.has("cbc:TaxPointDate"):
        return True
    return not document.has("cac:InvoicePeriod", "cbc:DescriptionCode")


@DOCUMENT.rule(
    "BR-CO-15",
    "fatal",
    "BT-112",
    nl="Totaal met btw moet totaal zonder btw plus btw zijn, met één btw-totaal in de munt van de factuur.",
    fr="Le total TTC doit égaler le total HTVA plus la TVA, avec un seul total de TVA dans la devise de la facture.",
    en="The total with VAT must be the total without plus the VAT, with one VAT total in the currency of the invoice.",
)
def total_with_vat_adds_up(document: Group, facts: Facts) -> bool:
    return all(_adds_up(document, code.text) for code in document.values("cbc:DocumentCurrencyCode"))


def _adds_up(document: Group, currency: str) -> bool:
    taxes = [tax for tax in document.elements("cac:TaxTotal", "cbc:TaxAmount") if tax.get("currencyID") == currency]
    if len(taxes) != 1:
        return False
    for totals in document.groups("cac:LegalMonetaryTotal"):
        if totals.has("cbc:TaxInclusiveAmount") and totals.has("cbc:TaxExclusiveAmount"):
            inclusive, exclusive = amount(totals, "cbc:TaxInclusiveAmount"), amount(totals, "cbc:TaxExclusiveAmount")
            return inclusive == cents((exclusive or ZERO) + decimal(taxes[0]))
    return False


@DOCUMENT.rule(
    "BR-CO-18",
    "fatal",
    "BG-23",
    nl="Vermeld minstens één btw-uitsplitsing.",
    fr="Indiquez au moins une ventilation de la TVA.",
    en="Give one VAT breakdown at least.",
)
def has_vat_breakdown(document: Group, facts: Facts) -> bool:
    return bool(document.all("cac:TaxTotal", "cac:TaxSubtotal"))


@DOCUMENT_PERIOD.rule(
    "BR-29",
    "fatal",
    "BT-74",
    nl="De factuurperiode eindigt niet voor ze begint.",
    fr="La période de facturation ne finit pas avant de commencer.",
    en="The invoicing period does not end before it begins.",
)
def period_ends_after_it_begins(period: Group, facts: Facts) -> bool:
    return ends_after_it_begins(period)


def ends_after_it_begins(period: Group) -> bool:
    """Return whether a period does not end before it begins."""
    start, end = period.value("cbc:StartDate"), period.value("cbc:EndDate")
    return start is None or end is None or minute(end) >= minute(start)


DOCUMENT_PERIOD.rule(
    "BR-CO-19",
    "fatal",
    "BG-14",
    nl="Een factuurperiode heeft een begin, een einde of een code voor het btw-tijdstip.",
    fr="Une période de facturation a un début, une fin ou un code d'exigibilité de la TVA.",
    en="An invoicing period has a start, an end or a code for the VAT point.",
)(any_given("cbc:StartDate", "cbc:EndDate", "cbc:DescriptionCode"))


@PRECEDING.rule(
    "BR-55",
    "fatal",
    "BT-25",
    nl="Een verwijzing naar een vorige factuur vermeldt het nummer ervan.",
    fr="Un renvoi à une facture précédente en indique le numéro.",
    en="A reference to a preceding invoice states its number.",
)
def preceding_invoice_has_number(reference: Group, facts: Facts) -> bool:
    return reference.has("cac:InvoiceDocumentReference", "cbc:ID")


SUPPORTING.rule(
    "BR-52",
    "fatal",
    "BT-122",
    nl="Geef elk bijgevoegd document een referentie.",
    fr="Donnez une référence à chaque document joint.",
    en="Give every supporting document a reference.",
)(filled("cbc:ID"))


@NOTE.rule(
    "BR-CL-08",
    "fatal",
    "BT-21",
    nl="De onderwerpcode vooraan in de opmerking (#code#) staat niet in de lijst UNTDID 4451.",
    fr="Le code sujet au début de la note (#code#) n'est pas dans la liste UNTDID 4451.",
    en="The subject code in front of the note (#code#) is not in list UNTDID 4451.",
)
def note_subject_is_listed(note: Value, facts: Facts) -> bool:
    _, _, after = note.text.partition("#")
    code, closed, _ = after.partition("#")
    return not closed or len(code) != _SUBJECT_LENGTH or code in as_text("note_subjects")


_SUBJECT_LENGTH = 3


@DOCUMENT.rule(
    "BR-B-01",
    "fatal",
    "BT-151",
    nl="Btw-categorie B (Italiaanse gesplitste betaling) is alleen voor een volledig Italiaanse factuur.",
    fr="La catégorie de TVA B (paiement scindé italien) n'est admise que sur une facture entièrement italienne.",
    en="VAT category B (Italian split payment) is only for an invoice that is Italian throughout.",
)
def split_payment_is_italian(document: Group, facts: Facts) -> bool:
    if not _has_code(facts, "cac:TaxCategory", "B") and not _has_code(facts, "cac:ClassifiedTaxCategory", "B"):
        return True
    countries = _countries(document)
    return all(country == "IT" for country in countries)


def _countries(group: Group) -> Iterator[str]:
    for at in range(len(group)):
        below = group.child(at)
        if isinstance(below, Group):
            yield from _countries(below)
        elif below.place.name.endswith("IdentificationCode"):
            yield below.text


def _has_code(facts: Facts, name: str, code: str) -> bool:
    return any(identifier.text == code for category in facts.tree.all(name) for identifier in category.values("cbc:ID"))


@DOCUMENT.rule(
    "BR-B-02",
    "fatal",
    "BT-151",
    nl="Btw-categorie B mag niet samen met categorie S voorkomen.",
    fr="La catégorie de TVA B ne peut se trouver à côté de la catégorie S.",
    en="VAT category B may not stand beside category S.",
)
def split_payment_excludes_standard_rate(document: Group, facts: Facts) -> bool:
    categories = document.all("cac:AllowanceCharge", "cac:TaxCategory")
    classified = facts.tree.all("cac:ClassifiedTaxCategory")
    breakdown = document.all("cac:TaxTotal", "cac:TaxSubtotal", "cac:TaxCategory")
    with_split = {code.text for group in (*breakdown, *categories, *classified) for code in group.elements("cbc:ID")}
    if "B" not in with_split:
        return True
    # The official rule looks for S in the subtotal itself instead of in its category, where it never is.
    subtotals = document.all("cac:TaxTotal", "cac:TaxSubtotal")
    others = {code.text for group in (*subtotals, *categories, *classified) for code in group.elements("cbc:ID")}
    return "S" not in others
