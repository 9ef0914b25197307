"""Peppol's rules for the document as a whole: profile, references, parties, payment, VAT totals and currency."""

from koppel_ubl.checking.engine import BILLING, SELF_BILLING, Facts, Group, Node, Value, normalised

from .patterns import EVERYTHING, PROJECT
from .xpath import Path, attribute, minute_of, number, string

_CUSTOMIZATION = Path("cbc:CustomizationID")
_PROFILE = Path("cbc:ProfileID")
_NOTE = Path("cbc:Note")
_BUYER_REFERENCE = Path("cbc:BuyerReference")
_ORDER = Path("cac:OrderReference/cbc:ID")
_ADDITIONAL = Path("cac:AdditionalDocumentReference")
_DOCUMENT_TYPE = Path("cbc:DocumentTypeCode")
_TAX_TOTAL = Path("cac:TaxTotal")
_TAX_SUBTOTAL = Path("cac:TaxSubtotal")
_TAX_AMOUNT = Path("cac:TaxTotal/cbc:TaxAmount")
_TAX_CURRENCY = Path("cbc:TaxCurrencyCode")
_CURRENCY = Path("cbc:DocumentCurrencyCode")
_ENDPOINT = Path("cbc:EndpointID")
_MEANS_CODE = Path("cbc:PaymentMeansCode")
_MANDATE = Path("cac:PaymentMandate/cbc:ID")
_PERIOD_START = Path("cac:InvoicePeriod/cbc:StartDate")
_PERIOD_END = Path("cac:InvoicePeriod/cbc:EndDate")
_LINES = frozenset({"cac:InvoiceLine", "cac:CreditNoteLine"})

_project = PROJECT.on("creditnote:CreditNote")
_document = EVERYTHING.on("/")
_tax_currency = EVERYTHING.on("cbc:TaxCurrencyCode")
_buyer = EVERYTHING.on("cac:AccountingCustomerParty/cac:Party")
_seller = EVERYTHING.on("cac:AccountingSupplierParty/cac:Party")


@_project.rule(
    "PEPPOL-EN16931-R080",
    "fatal",
    "BT-11",
    nl="Een creditnota verwijst naar hoogstens één project (document met type 50).",
    fr="Une note de crédit renvoie à un seul projet au plus (document de type 50).",
    en="A credit note refers to one project at most (a document of type 50).",
)
def one_project(root: Group, facts: Facts) -> bool:
    return sum("50" in _DOCUMENT_TYPE.texts(reference) for reference in _ADDITIONAL.each(root)) <= 1


@_document.rule(
    "PEPPOL-EN16931-R001",
    "fatal",
    "BT-23",
    nl="Het bedrijfsproces (ProfileID) ontbreekt.",
    fr="Le processus (ProfileID) manque.",
    en="The business process (ProfileID) is missing.",
)
def process_is_given(root: Group, facts: Facts) -> bool:
    return _PROFILE.exists(root)


@_document.rule(
    "PEPPOL-EN16931-R007",
    "fatal",
    "BT-23",
    nl="Het bedrijfsproces (ProfileID) is niet een van de processen die Peppol voor dit document kent.",
    fr="Le processus (ProfileID) n'est pas de ceux que Peppol connaît pour ce document.",
    en="The business process (ProfileID) is not one Peppol knows for this document.",
)
def process_is_known(root: Group, facts: Facts) -> bool:
    return facts.context.profile is not None


@_document.rule(
    "PEPPOL-EN16931-R002",
    "fatal",
    "BT-22",
    nl="Er staat meer dan één opmerking op documentniveau; dat mag alleen tussen twee Duitse partijen.",
    fr="Le document porte plus d'une note ; ce n'est permis qu'entre deux parties allemandes.",
    en="The document has more than one note; only two German parties may do that.",
)
def one_note(root: Group, facts: Facts) -> bool:
    return _NOTE.count(root) <= 1 or facts.context.is_between("DE")


@_document.rule(
    "PEPPOL-EN16931-R003",
    "fatal",
    "BT-10",
    nl="Geef een referentie van de koper of een nummer van de bestelbon.",
    fr="Indiquez une référence de l'acheteur ou un numéro de bon de commande.",
    en="Give a buyer reference or a purchase order number.",
)
def has_reference(root: Group, facts: Facts) -> bool:
    return _BUYER_REFERENCE.exists(root) or _ORDER.exists(root)


@_document.rule(
    "PEPPOL-EN16931-R004",
    "fatal",
    "BT-24",
    nl="De specificatie (CustomizationID) begint niet met die van Peppol BIS Billing 3, of bevat '::'.",
    fr="La spécification (CustomizationID) ne commence pas par celle de Peppol BIS Billing 3, ou contient « :: ».",
    en="The specification (CustomizationID) does not begin with that of Peppol BIS Billing 3, or contains '::'.",
)
def specification_is_peppol(root: Group, facts: Facts) -> bool:
    value = _CUSTOMIZATION.value(root)
    return value.startswith(SELF_BILLING if facts.context.is_self_billed else BILLING) and "::" not in value


@_document.rule(
    "PEPPOL-EN16931-R053",
    "fatal",
    "BG-23",
    nl="Er moet precies één btw-totaal met een uitsplitsing per tarief zijn.",
    fr="Il faut exactement un total de TVA ventilé par taux.",
    en="There must be exactly one VAT total with a breakdown per rate.",
)
def one_total_with_breakdown(root: Group, facts: Facts) -> bool:
    return sum(_TAX_SUBTOTAL.exists(total) for total in _TAX_TOTAL.each(root)) == 1


@_document.rule(
    "PEPPOL-EN16931-R054",
    "fatal",
    "BT-111",
    nl="Een btw-totaal zonder uitsplitsing hoort er precies één keer bij als er een btw-munt is, en anders niet.",
    fr="Un total de TVA sans ventilation figure une seule fois quand il y a une devise de TVA, et sinon jamais.",
    en="A document with a VAT currency has one VAT total without breakdown; other documents have none.",
)
def one_total_in_tax_currency(root: Group, facts: Facts) -> bool:
    bare = sum(not _TAX_SUBTOTAL.exists(total) for total in _TAX_TOTAL.each(root))
    return bare == (1 if _TAX_CURRENCY.exists(root) else 0)


@_document.rule(
    "PEPPOL-EN16931-R055",
    "fatal",
    "BT-111",
    nl="Het btw-totaal in de munt van de factuur en dat in de btw-munt moeten hetzelfde teken hebben.",
    fr="Le total de TVA en devise de facture et celui en devise de TVA doivent avoir le même signe.",
    en="The VAT total in the invoice currency and the one in the VAT currency must have the same sign.",
)
def totals_have_one_sign(root: Group, facts: Facts) -> bool:
    if not _TAX_CURRENCY.exists(root):
        return True
    amounts = [(attribute(amount, "currencyID"), number(string(amount))) for amount in _TAX_AMOUNT.each(root)]
    amounts = [(currency, value) for currency, value in amounts if not value.is_nan()]
    theirs = [value for currency, value in amounts if currency == _TAX_CURRENCY.value(root)]
    ours = [value for currency, value in amounts if currency == _CURRENCY.value(root)]
    # The official processor takes minus zero for negative.
    return any(not (one.is_signed() or other.is_signed()) or max(one, other) <= 0 for one in theirs for other in ours)


@_tax_currency.rule(
    "PEPPOL-EN16931-R005",
    "fatal",
    "BT-6",
    nl="De btw-munt is dezelfde als de munt van de factuur: laat haar weg.",
    fr="La devise de TVA est celle de la facture : omettez-la.",
    en="The VAT currency is the invoice currency: leave it out.",
)
def tax_currency_differs(node: Node, facts: Facts) -> bool:
    return normalised(string(node)) != normalised(facts.context.currency)


@_buyer.rule(
    "PEPPOL-EN16931-R010",
    "fatal",
    "BT-49",
    nl="Het elektronische adres (EndpointID) van de koper ontbreekt.",
    fr="L'adresse électronique (EndpointID) de l'acheteur manque.",
    en="The electronic address (EndpointID) of the buyer is missing.",
)
def buyer_has_address(party: Group, facts: Facts) -> bool:
    return _ENDPOINT.exists(party)


@_seller.rule(
    "PEPPOL-EN16931-R020",
    "fatal",
    "BT-34",
    nl="Het elektronische adres (EndpointID) van de verkoper ontbreekt.",
    fr="L'adresse électronique (EndpointID) du vendeur manque.",
    en="The electronic address (EndpointID) of the seller is missing.",
)
def seller_has_address(party: Group, facts: Facts) -> bool:
    return _ENDPOINT.exists(party)


def _is_direct_debit(means: Group, facts: Facts) -> bool:
    return _MEANS_CODE.value(means) in {"49", "59"}


_direct_debit = EVERYTHING.on("cac:PaymentMeans", where=_is_direct_debit)


@_direct_debit.rule(
    "PEPPOL-EN16931-R061",
    "fatal",
    "BT-89",
    nl="Bij een domiciliëring hoort het nummer van het mandaat.",
    fr="Une domiciliation demande le numéro du mandat.",
    en="A direct debit needs the number of the mandate.",
)
def mandate_is_given(means: Group, facts: Facts) -> bool:
    return _MANDATE.exists(means)


AMOUNTS = (
    "cbc:Amount",
    "cbc:BaseAmount",
    "cbc:PriceAmount",
    "cbc:TaxableAmount",
    "cbc:LineExtensionAmount",
    "cbc:TaxExclusiveAmount",
    "cbc:TaxInclusiveAmount",
    "cbc:AllowanceTotalAmount",
    "cbc:ChargeTotalAmount",
    "cbc:PrepaidAmount",
    "cbc:PayableRoundingAmount",
    "cbc:PayableAmount",
)


def _is_in_invoice_currency(amount: Value, facts: Facts) -> bool:
    around = amount.group
    return around.place.name == "cac:TaxSubtotal" or (
        around.place.name == "cac:TaxTotal" and around.has("cac:TaxSubtotal")
    )


def _has_invoice_currency(amount: Value, facts: Facts) -> bool:
    return facts.context.currency is not None and amount.get("currencyID") == facts.context.currency


for _context in (EVERYTHING.on(*AMOUNTS), EVERYTHING.on("cbc:TaxAmount", where=_is_in_invoice_currency)):
    _context.rule(
        "PEPPOL-EN16931-R051",
        "fatal",
        "BT-5",
        nl="Dit bedrag staat niet in de munt van de factuur.",
        fr="Ce montant n'est pas dans la devise de la facture.",
        en="This amount is not in the currency of the invoice.",
    )(_has_invoice_currency)


class _InLinePeriod:
    """Take a date of a line's period when the document's period has that date too."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, node: Value, facts: Facts) -> bool:
        line = node.group.place.above
        return line is not None and line.name in _LINES and line.is_of_document and self.path.exists(facts.root)


def _compared(node: Node, facts: Facts, path: Path) -> int:
    """Return the line's date less the document's, in minutes; 0 when one of them is no date (which F001 reports)."""
    ours, theirs = minute_of(string(node)), minute_of(path.text(facts.root))
    return 0 if ours is None or theirs is None else ours - theirs


_line_start = EVERYTHING.on("cbc:StartDate", where=_InLinePeriod(_PERIOD_START))
_line_end = EVERYTHING.on("cbc:EndDate", where=_InLinePeriod(_PERIOD_END))


@_line_start.rule(
    "PEPPOL-EN16931-R110",
    "fatal",
    "BT-134",
    nl="De periode van de lijn begint vóór die van het document.",
    fr="La période de la ligne commence avant celle du document.",
    en="The period of the line begins before that of the document.",
)
def line_starts_within(node: Node, facts: Facts) -> bool:
    return _compared(node, facts, _PERIOD_START) >= 0


@_line_end.rule(
    "PEPPOL-EN16931-R111",
    "fatal",
    "BT-135",
    nl="De periode van de lijn eindigt na die van het document.",
    fr="La période de la ligne se termine après celle du document.",
    en="The period of the line ends after that of the document.",
)
def line_ends_within(node: Node, facts: Facts) -> bool:
    return _compared(node, facts, _PERIOD_END) <= 0
