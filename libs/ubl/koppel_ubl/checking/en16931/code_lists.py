"""The rules that a code is in its list (BR-CL-…). The lists are in ``codes/``, with their release."""

from koppel_ubl.checking.codes import codes
from koppel_ubl.checking.engine import Facts, Test, Value, normalised
from koppel_ubl.report import Sentence

from .rules import RULES
from .terms import is_charge

MIME_TYPES = frozenset(
    {
        "application/pdf",
        "image/png",
        "image/jpeg",
        "text/csv",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.oasis.opendocument.spreadsheet",
    }
)
VAT_POINTS = frozenset({"3", "35", "432"})
VAT_CATEGORIES = frozenset({"AE", "L", "M", "E", "S", "Z", "G", "O", "K", "B"})
AMOUNTS = (
    *(
        "cbc:Amount",
        "cbc:BaseAmount",
        "cbc:PriceAmount",
        "cbc:TaxAmount",
        "cbc:TaxableAmount",
        "cbc:LineExtensionAmount",
    ),
    *("cbc:TaxExclusiveAmount", "cbc:TaxInclusiveAmount", "cbc:AllowanceTotalAmount", "cbc:ChargeTotalAmount"),
    *("cbc:PrepaidAmount", "cbc:PayableRoundingAmount", "cbc:PayableAmount"),
)


def _text_in(known: frozenset[str]) -> Test:
    return lambda value, facts: normalised(value.text) in known


def _attribute_in(name: str, known: frozenset[str], *, required: bool = False) -> Test:
    def holds(value: Value, facts: Facts) -> bool:
        given = value.get(name)
        return not required if given is None else given in known or normalised(given) in known

    return holds


def _listed(rule_id: str, term: str, what: Sentence, test: Test, *paths: str) -> None:
    RULES.on(*paths).rule(
        rule_id,
        "fatal",
        term,
        nl=f"Deze code staat niet in de lijst: {what.nl}.",
        fr=f"Ce code ne figure pas dans la liste : {what.fr}.",
        en=f"This code is not in the list: {what.en}.",
    )(test)


_KINDS = Sentence("soorten facturen", "types de factures", "kinds of invoices")
_CURRENCIES = Sentence("munten (ISO 4217)", "devises (ISO 4217)", "currencies (ISO 4217)")
_COUNTRIES = Sentence("landen (ISO 3166-1)", "pays (ISO 3166-1)", "countries (ISO 3166-1)")
_SCHEMES = Sentence(
    "identificatieschema's (ISO 6523)", "schémas d'identifiants (ISO 6523)", "schemes of identifiers (ISO 6523)"
)
_CATEGORIES = Sentence("btw-categorieën (UNCL 5305)", "catégories de TVA (UNCL 5305)", "VAT categories (UNCL 5305)")

_listed("BR-CL-01", "BT-3", _KINDS, _text_in(codes("invoice_types")), "cbc:InvoiceTypeCode")
_listed("BR-CL-01", "BT-3", _KINDS, _text_in(codes("credit_note_types")), "cbc:CreditNoteTypeCode")
_listed("BR-CL-03", "BT-5", _CURRENCIES, _attribute_in("currencyID", codes("currencies"), required=True), *AMOUNTS)
_listed("BR-CL-04", "BT-5", _CURRENCIES, _text_in(codes("currencies")), "cbc:DocumentCurrencyCode")
_listed("BR-CL-05", "BT-6", _CURRENCIES, _text_in(codes("currencies")), "cbc:TaxCurrencyCode")
_listed(
    "BR-CL-06",
    "BT-8",
    Sentence("btw-tijdstippen (UNCL 2005)", "exigibilité de la TVA (UNCL 2005)", "VAT points (UNCL 2005)"),
    _text_in(VAT_POINTS),
    "cac:InvoicePeriod/cbc:DescriptionCode",
)


def _object_has_scheme(number: Value, facts: Facts) -> bool:
    if not any(code.text == "130" for code in number.group.values("cbc:DocumentTypeCode")):
        return True
    return _IN_OBJECT_SCHEMES(number, facts)


_IN_OBJECT_SCHEMES = _attribute_in("schemeID", codes("object_schemes"))
_listed(
    "BR-CL-07",
    "BT-18, BT-128",
    Sentence("soorten verwijzingen (UNCL 1153)", "types de références (UNCL 1153)", "kinds of references (UNCL 1153)"),
    _object_has_scheme,
    "cac:AdditionalDocumentReference/cbc:ID",
    "cac:DocumentReference/cbc:ID",
)

_IN_SCHEMES = _attribute_in("schemeID", codes("organisation_schemes"))


def _party_has_scheme(number: Value, facts: Facts) -> bool:
    if _IN_SCHEMES(number, facts):
        return True
    names = {place.name for place in number.group.ancestors()}
    seller = not names.isdisjoint({"cac:AccountingSupplierParty", "cac:PayeeParty"})
    return seller and normalised(number.get("schemeID")) == "SEPA"


_listed("BR-CL-10", "BT-29, BT-46, BT-60, BT-90", _SCHEMES, _party_has_scheme, "cac:PartyIdentification/cbc:ID")
_listed("BR-CL-11", "BT-30, BT-47, BT-61", _SCHEMES, _IN_SCHEMES, "cac:PartyLegalEntity/cbc:CompanyID")
_listed(
    "BR-CL-13",
    "BT-158",
    Sentence(
        "artikelclassificaties (UNCL 7143)",
        "classifications d'articles (UNCL 7143)",
        "item classifications (UNCL 7143)",
    ),
    _attribute_in("listID", codes("item_classifications")),
    "cac:CommodityClassification/cbc:ItemClassificationCode",
)
_listed(
    "BR-CL-14",
    "BT-40, BT-55, BT-69, BT-80",
    _COUNTRIES,
    _text_in(codes("countries")),
    "cac:Country/cbc:IdentificationCode",
)
_listed("BR-CL-15", "BT-159", _COUNTRIES, _text_in(codes("countries")), "cac:OriginCountry/cbc:IdentificationCode")
_listed(
    "BR-CL-16",
    "BT-81",
    Sentence("betaalwijzen (UNCL 4461)", "moyens de paiement (UNCL 4461)", "means of payment (UNCL 4461)"),
    _text_in(codes("payment_means")),
    "cac:PaymentMeans/cbc:PaymentMeansCode",
)
_listed("BR-CL-17", "BT-95, BT-102, BT-118", _CATEGORIES, _text_in(VAT_CATEGORIES), "cac:TaxCategory/cbc:ID")
_listed("BR-CL-18", "BT-151", _CATEGORIES, _text_in(VAT_CATEGORIES), "cac:ClassifiedTaxCategory/cbc:ID")


def _reason_in(known: frozenset[str], *, charges: bool) -> Test:
    def holds(code: Value, facts: Facts) -> bool:
        return is_charge(code.group) is not charges or normalised(code.text) in known

    return holds


_listed(
    "BR-CL-19",
    "BT-98, BT-140",
    Sentence("redenen van korting (UNCL 5189)", "motifs de remise (UNCL 5189)", "reasons of allowances (UNCL 5189)"),
    _reason_in(codes("allowance_reasons"), charges=False),
    "cac:AllowanceCharge/cbc:AllowanceChargeReasonCode",
)
_listed(
    "BR-CL-20",
    "BT-105, BT-145",
    Sentence("redenen van toeslag (UNCL 7161)", "motifs de supplément (UNCL 7161)", "reasons of charges (UNCL 7161)"),
    _reason_in(codes("charge_reasons"), charges=True),
    "cac:AllowanceCharge/cbc:AllowanceChargeReasonCode",
)
_listed("BR-CL-21", "BT-157", _SCHEMES, _IN_SCHEMES, "cac:StandardItemIdentification/cbc:ID")
_listed(
    "BR-CL-22",
    "BT-121",
    Sentence("redenen van vrijstelling (VATEX)", "motifs d'exonération (VATEX)", "reasons of exemption (VATEX)"),
    lambda code, facts: normalised(code.text.upper()) in codes("exemption_reasons"),
    "cbc:TaxExemptionReasonCode",
)
_listed(
    "BR-CL-23",
    "BT-130, BT-150",
    Sentence("eenheden (UN/ECE 20 en 21)", "unités (UN/ECE 20 et 21)", "units (UN/ECE 20 and 21)"),
    _attribute_in("unitCode", codes("units")),
    "cbc:InvoicedQuantity",
    "cbc:BaseQuantity",
    "cbc:CreditedQuantity",
)
_listed(
    "BR-CL-24",
    "BT-125",
    Sentence("soorten bijlagen (MIME)", "types d'annexes (MIME)", "kinds of attachments (MIME)"),
    lambda content, facts: content.get("mimeCode") is None or content.get("mimeCode") in MIME_TYPES,
    "cbc:EmbeddedDocumentBinaryObject",
)
_listed(
    "BR-CL-25",
    "BT-34, BT-49",
    Sentence("elektronische adressen (EAS)", "adresses électroniques (EAS)", "electronic addresses (EAS)"),
    _attribute_in("schemeID", codes("endpoint_schemes")),
    "cbc:EndpointID",
)
_listed("BR-CL-26", "BT-71", _SCHEMES, _IN_SCHEMES, "cac:DeliveryLocation/cbc:ID")
