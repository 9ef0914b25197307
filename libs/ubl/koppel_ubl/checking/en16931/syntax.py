"""How often terms may occur (UBL-SR-…), how amounts and attachments are written (UBL-DT-…)."""

from importlib.resources import files

from koppel_ubl.checking.engine import Context, Facts, Group, Test, Value, decimals
from koppel_ubl.report import Sentence

from .allowances import is_a_charge, is_an_allowance
from .conditions import DECIMALS_MAX, at_most_one, at_most_one_group
from .rules import RULES

_SUPPLIER = ("cac:AccountingSupplierParty", "cac:Party")
_CUSTOMER = ("cac:AccountingCustomerParty", "cac:Party")

DOCUMENT = RULES.on("/")
LINE = RULES.on("cac:InvoiceLine", "cac:CreditNoteLine")
SELLER = RULES.on("cac:AccountingSupplierParty/cac:Party")
SUPPORTING = RULES.on("cac:AdditionalDocumentReference")
PAYEE = RULES.on("cac:PayeeParty")
PRECEDING = RULES.on("cac:BillingReference")
TAX_NUMBER = RULES.on("cac:PartyTaxScheme")
CONTEXTS = {
    "/": DOCUMENT,
    "line": LINE,
    "address": RULES.on("cac:PostalAddress", "cac:Address"),
    "allowance": RULES.on("cac:AllowanceCharge", where=is_an_allowance),
    "charge": RULES.on("cac:AllowanceCharge", where=is_a_charge),
    "cac:AdditionalDocumentReference": SUPPORTING,
    "cac:BillingReference": PRECEDING,
    "cac:Delivery": RULES.on("cac:Delivery"),
    "cac:PaymentMeans": RULES.on("cac:PaymentMeans"),
    "cac:TaxRepresentativeParty": RULES.on("cac:TaxRepresentativeParty"),
    "cac:TaxSubtotal": RULES.on("cac:TaxSubtotal"),
}


def _once(context: Context, rule_id: str, term: str, what: Sentence, test: Test) -> None:
    sentence = Sentence(
        f"Hoogstens één keer: {what.nl}.", f"Une fois au plus : {what.fr}.", f"Once at most: {what.en}."
    )
    context.rule(rule_id, "fatal", term, nl=sentence.nl, fr=sentence.fr, en=sentence.en)(test)


# A line of the table: rule, terms, context, what may occur there once, and its name in three languages.
for _line in files(__package__).joinpath("once.txt").read_text(encoding="utf-8").splitlines():
    _rule, _term, _where, _path, *_what = _line.split(" | ")
    _steps = _path.split("/")
    _test = at_most_one(*_steps) if _steps[-1].startswith("cbc:") else at_most_one_group(*_steps)
    _once(CONTEXTS[_where], _rule, _term, Sentence(*_what), _test)


def _object_references(document: Group, facts: Facts) -> bool:
    supporting = document.groups("cac:AdditionalDocumentReference")
    return sum(len(one.values("cbc:ID")) for one in supporting if _is_object(one)) <= 1


def _is_object(reference: Group) -> bool:
    return any(code.text == "130" for code in reference.values("cbc:DocumentTypeCode"))


def _schemes(party: tuple[str, ...], *, vat: bool) -> Test:
    """Allow one number of a party's tax schemes that are VAT, or that are not, as they are written."""

    def holds(document: Group, facts: Facts) -> bool:
        found = 0
        for scheme in document.all(*party, "cac:PartyTaxScheme"):
            names = [(one.text("cbc:ID").upper() == "VAT") is vat for one in scheme.groups("cac:TaxScheme")]
            found += len(scheme.values("cbc:CompanyID")) * any(names)
        return found <= 1

    return holds


def _one_creditor(document: Group, facts: Facts) -> bool:
    numbers = (number for group in facts.tree.all("cac:PartyIdentification") for number in group.values("cbc:ID"))
    return sum((number.get("schemeID") or "").upper() == "SEPA" for number in numbers) <= 1


def _one_text(name: str) -> Test:
    def holds(document: Group, facts: Facts) -> bool:
        means = facts.tree.all("cac:PaymentMeans")
        return len({element.text for group in means for element in group.values(name)}) <= 1

    return holds


def _one_name_of_means(document: Group, facts: Facts) -> bool:
    return (
        sum(code.get("name") is not None for code in document.elements("cac:PaymentMeans", "cbc:PaymentMeansCode")) <= 1
    )


_once(
    DOCUMENT,
    "UBL-SR-04",
    "BT-18",
    Sentence("gefactureerd object", "objet facturé", "invoiced object"),
    _object_references,
)
_once(
    DOCUMENT,
    "UBL-SR-12",
    "BT-31",
    Sentence("btw-nummer van de verkoper", "numéro de TVA du vendeur", "VAT number of the seller"),
    _schemes(_SUPPLIER, vat=True),
)
_once(
    DOCUMENT,
    "UBL-SR-13",
    "BT-32",
    Sentence(
        "ander fiscaal nummer van de verkoper", "autre numéro fiscal du vendeur", "other tax number of the seller"
    ),
    _schemes(_SUPPLIER, vat=False),
)
_once(
    DOCUMENT,
    "UBL-SR-18",
    "BT-48",
    Sentence("btw-nummer van de koper", "numéro de TVA de l'acheteur", "VAT number of the buyer"),
    _schemes(_CUSTOMER, vat=True),
)
_once(
    DOCUMENT,
    "UBL-SR-29",
    "BT-90",
    Sentence(
        "identificatie van de schuldeiser (SEPA)", "identifiant de créancier (SEPA)", "creditor identifier (SEPA)"
    ),
    _one_creditor,
)
_once(
    DOCUMENT,
    "UBL-SR-44",
    "BT-83",
    Sentence("betalingsreferentie", "référence de paiement", "payment reference"),
    _one_text("cbc:PaymentID"),
)
_once(
    DOCUMENT,
    "UBL-SR-46",
    "BT-82",
    Sentence("naam van de betaalwijze", "libellé du moyen de paiement", "name of the means of payment"),
    _one_name_of_means,
)
_once(
    DOCUMENT,
    "UBL-SR-47",
    "BT-81",
    Sentence("soort betaalwijze", "sorte de moyen de paiement", "kind of means of payment"),
    _one_text("cbc:PaymentMeansCode"),
)


@SELLER.rule(
    "UBL-SR-42",
    "fatal",
    "BT-31, BT-32",
    nl="De verkoper heeft hoogstens twee fiscale nummers: btw en één ander.",
    fr="Le vendeur a deux numéros fiscaux au plus : la TVA et un autre.",
    en="The seller has two tax numbers at most: VAT and one other.",
)
def two_tax_numbers(seller: Group, facts: Facts) -> bool:
    return len(seller.groups("cac:PartyTaxScheme")) <= 2


@TAX_NUMBER.rule(
    "UBL-SR-53",
    "fatal",
    "BT-31, BT-32, BT-48, BT-63",
    nl="Bij een fiscale inschrijving horen een nummer en de belasting waarvoor het geldt.",
    fr="Une inscription fiscale comporte un numéro et l'impôt auquel il se rapporte.",
    en="A tax registration has a number and the tax that it is for.",
)
def tax_number_is_complete(scheme: Group, facts: Facts) -> bool:
    return scheme.has("cbc:CompanyID") and scheme.has("cac:TaxScheme", "cbc:ID")


@SUPPORTING.rule(
    "UBL-SR-43",
    "fatal",
    "BT-18, BT-122",
    nl="Alleen een gefactureerd object (type 130) heeft een schema, en alleen een creditnota een project (type 50).",
    fr="Seul un objet facturé (type 130) porte un schéma, et seule une note de crédit un projet (type 50).",
    en="Only an invoiced object (type 130) has a scheme, and only a credit note a project (type 50).",
)
def supporting_document_is_plain(reference: Group, facts: Facts) -> bool:
    codes = [code.text for code in reference.values("cbc:DocumentTypeCode")]
    if "130" in codes or (facts.is_credit_note and "50" in codes):
        return True
    return not codes and all(number.get("schemeID") is None for number in reference.values("cbc:ID"))


@PRECEDING.rule(
    "UBL-SR-07",
    "fatal",
    "BT-25",
    nl="Een verwijzing naar een vorige factuur vermeldt haar nummer.",
    fr="Une référence à une facture antérieure indique son numéro.",
    en="A reference to a preceding invoice gives its number.",
)
def preceding_invoice_has_number(reference: Group, facts: Facts) -> bool:
    return reference.has("cac:InvoiceDocumentReference", "cbc:ID")


@LINE.rule(
    "UBL-SR-48",
    "fatal",
    "BG-30",
    nl="Elke lijn heeft precies één btw-categorie.",
    fr="Chaque ligne a exactement une catégorie de TVA.",
    en="Every line has exactly one VAT category.",
)
def one_vat_category(line: Group, facts: Facts) -> bool:
    return len(line.all("cac:Item", "cac:ClassifiedTaxCategory")) == 1


def _differs_from_seller(payee: Group) -> bool:
    names = {name.text for name in payee.elements("cac:PartyName", "cbc:Name")}
    around = payee.parent
    sellers = around.elements(*_SUPPLIER, "cac:PartyLegalEntity", "cbc:RegistrationName") if around else []
    return any(name != seller.text for name in names for seller in sellers)


def _payee_name(payee: Group, facts: Facts) -> bool:
    return len(payee.elements("cac:PartyName", "cbc:Name")) <= 1 and _differs_from_seller(payee)


def _payee_identifier(payee: Group, facts: Facts) -> bool:
    numbers = payee.elements("cac:PartyIdentification", "cbc:ID")
    plain = sum((number.get("schemeID") or "").upper() != "SEPA" for number in numbers)
    return plain <= 1 and _differs_from_seller(payee)


def _payee_registration(payee: Group, facts: Facts) -> bool:
    return len(payee.elements("cac:PartyLegalEntity", "cbc:CompanyID")) <= 1 and _differs_from_seller(payee)


for _rule, _term, _words, _test in (
    ("UBL-SR-19", "BT-59", Sentence("naam", "nom", "name"), _payee_name),
    ("UBL-SR-20", "BT-60", Sentence("nummer", "identifiant", "identifier"), _payee_identifier),
    (
        "UBL-SR-21",
        "BT-61",
        Sentence("registratienummer", "numéro d'enregistrement", "registration number"),
        _payee_registration,
    ),
):
    _payee = Sentence(
        f"{_words.nl} van de begunstigde, die een ander is dan de verkoper",
        f"{_words.fr} du bénéficiaire, qui n'est pas le vendeur",
        f"{_words.en} of the payee, who is someone else than the seller",
    )
    _once(PAYEE, _rule, _term, _payee, _test)


# ── how values are written ──


def _is_amount(element: Value, facts: Facts) -> bool:
    return decimals(element) <= DECIMALS_MAX


AMOUNT = RULES.on("cbc:*Amount", unless=("cbc:*PriceAmount", "cac:Price/cac:AllowanceCharge/*Amount"))
AMOUNT.rule(
    "UBL-DT-01",
    "fatal",
    "",
    nl="Een bedrag heeft hoogstens twee decimalen.",
    fr="Un montant a deux décimales au plus.",
    en="An amount has no more than two decimals.",
)(_is_amount)

ATTACHED = RULES.on("cbc:*BinaryObject")
ATTACHED.rule(
    "UBL-DT-06",
    "fatal",
    "BT-125",
    nl="Vermeld bij een bijlage wat ze is (mimeCode).",
    fr="Indiquez le type de chaque annexe (mimeCode).",
    en="State the type of every attachment (mimeCode).",
)(lambda content, facts: content.get("mimeCode") is not None)
ATTACHED.rule(
    "UBL-DT-07",
    "fatal",
    "BT-125",
    nl="Geef een bijlage een bestandsnaam (filename).",
    fr="Donnez un nom de fichier à chaque annexe (filename).",
    en="Give an attachment a file name (filename).",
)(lambda content, facts: "filename" in content.attributes)
