"""Germany: what XRechnung requires where seller and buyer are both in Germany."""

import re

from koppel_ubl.checking.engine import Context, Facts, Group, Node, Test, Value, is_blank, normalised
from koppel_ubl.checking.peppol.patterns import GERMANY
from koppel_ubl.checking.peppol.xpath import Path, string

from .paths import PAYEE_ACCOUNT, PAYER_ACCOUNT, REPRESENTATIVE, SUPPORTING

CATEGORIES = frozenset({"S", "Z", "E", "AE", "K", "G", "L", "M"})
KINDS = frozenset({"326", "380", "384", "389", "381", "875", "876", "877"})
TRANSFER, CARD, DIRECT_DEBIT = frozenset({"30", "58"}), frozenset({"48", "54", "55"}), frozenset({"59"})
_DISCOUNT = re.compile(r"#SKONTO#TAGE=[0-9]+#PROZENT=[0-9]+\.[0-9]{2}(?:#BASISBETRAG=-?[0-9]+\.[0-9]{2})?#")
_AFTER_DISCOUNT = re.compile(r"#.+#")
_NEW_LINE = re.compile(r"[ \t\r\n]*\n")
_PHONE = re.compile(r"(?:[^0-9]*[0-9]){3}")
_MAIL_WORD = r"[a-zA-Z0-9!#$%&\"*+/=?^_`{|}~-]+"
_MAIL_NAME = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_MAIL = re.compile(rf"{_MAIL_WORD}(?:\.{_MAIL_WORD})*@(?:{_MAIL_NAME}\.)+{_MAIL_NAME}")
_ABSOLUTE = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+:")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[a-zA-Z0-9]{0,30}")

_KINDS = (Path("cbc:InvoiceTypeCode"), Path("cbc:CreditNoteTypeCode"))
_MEANS = Path("cac:PaymentMeans")
_MEANS_MANDATE = Path("cac:PaymentMeans/cac:PaymentMandate")
_MEANS_PAYER = Path("cac:PaymentMeans/cac:PaymentMandate/cac:PayerFinancialAccount/cbc:ID")
_CODE = Path("cbc:PaymentMeansCode")
_ACCOUNT, _CARD = Path("cac:PayeeFinancialAccount"), Path("cac:CardAccount")
_PAYMENT_MANDATE = Path("cac:PaymentMandate")
_BUYER_REFERENCE = Path("cbc:BuyerReference")
_PRECEDING = Path("cac:BillingReference/cac:InvoiceDocumentReference")
_CONTACT = Path("cac:Contact")
_NAME, _TELEPHONE, _MAIL_ADDRESS = Path("cbc:Name"), Path("cbc:Telephone"), Path("cbc:ElectronicMail")
_CITY, _POSTCODE = Path("cbc:CityName"), Path("cbc:PostalZone")
_PERCENT = Path("cac:TaxCategory/cbc:Percent")
_ALLOWANCE_CATEGORIES = Path("cac:AllowanceCharge/cac:TaxCategory/cbc:ID")
_LINE_CATEGORIES = (
    Path("cac:InvoiceLine/cac:Item/cac:ClassifiedTaxCategory/cbc:ID"),
    Path("cac:CreditNoteLine/cac:Item/cac:ClassifiedTaxCategory/cbc:ID"),
)
_TAX_NUMBERS = Path("cac:AccountingSupplierParty/cac:Party/cac:PartyTaxScheme/cbc:CompanyID")
_CREDITORS = (
    Path("cac:AccountingSupplierParty/cac:Party/cac:PartyIdentification/cbc:ID"),
    Path("cac:PayeeParty/cac:PartyIdentification/cbc:ID"),
)
_FILE = Path("cac:Attachment/cbc:EmbeddedDocumentBinaryObject")
_LINK = Path("cac:Attachment/cac:ExternalReference/cbc:URI")


def _of_root(node: Node, facts: Facts) -> bool:
    return node.place.is_of_document


def _paid_by(codes: frozenset[str]) -> Test:
    return lambda means, facts: _of_root(means, facts) and not codes.isdisjoint(_CODE.texts(means))


def _filled(path: Path) -> Test:
    return lambda node, facts: any(not is_blank(text) for text in path.texts(node))


def _given(path: Path) -> Test:
    return lambda node, facts: path.exists(node)


def _none_of(*paths: Path) -> Test:
    return lambda node, facts: not any(path.exists(node) for path in paths)


def _has_tax_number(root: Group, facts: Facts) -> bool:
    categories = set(_ALLOWANCE_CATEGORIES.texts(root)).union(*(path.texts(root) for path in _LINE_CATEGORIES))
    if categories.isdisjoint(CATEGORIES):
        return True
    return REPRESENTATIVE.exists(root) or any(not is_blank(text) for text in _TAX_NUMBERS.texts(root))


def _has_usual_kind(root: Group, facts: Facts) -> bool:
    kinds = KINDS | {"261"} if facts.context.is_self_billed else KINDS
    return any(text in kinds for path in _KINDS for text in path.texts(root))


def _corrects(root: Group, facts: Facts) -> bool:
    return "384" not in _KINDS[0].texts(root) or _PRECEDING.exists(root)


def _has_creditor(root: Group, facts: Facts) -> bool:
    numbers = (number for path in _CREDITORS for number in path.each(root))
    return not _MEANS_MANDATE.exists(root) or any(number.get("schemeID") == "SEPA" for number in numbers)


def _has_debited_account(root: Group, facts: Facts) -> bool:
    return not _MEANS_MANDATE.exists(root) or _MEANS_PAYER.exists(root)


def _discounts_are_structured(note: Value, facts: Facts) -> bool:
    text = string(note)
    lines = [line for line in text.split("\n") if normalised(line).startswith("#")]
    if not lines:
        return True
    rest = _AFTER_DISCOUNT.split(text)[-1]
    return all(_DISCOUNT.fullmatch(normalised(line)) for line in lines) and bool(_NEW_LINE.match(rest))


def _is_iban(path: Path) -> Test:
    def holds(means: Group, facts: Facts) -> bool:
        text = "".join(path.text(means).split())
        if not _IBAN.fullmatch(text):
            return False
        return int("".join(str(int(sign, 36)) for sign in text[4:] + text[:4])) % 97 == 1

    return holds


def _only_if_sepa(test: Test, code: str) -> Test:
    return lambda means, facts: code not in _CODE.texts(means) or test(means, facts)


def _file_name_is_new(reference: Group, facts: Facts) -> bool:
    names = [file.get("filename") for file in _FILE.each(reference)]
    for other in SUPPORTING.each(facts.root):
        if other is reference:
            return True
        if any(file.get("filename") in names for file in _FILE.each(other)):
            return False
    return True


def _link_is_absolute(reference: Group, facts: Facts) -> bool:
    return all(_ABSOLUTE.match(text) for text in _LINK.texts(reference))


_document = GERMANY.on("/")
_seller = GERMANY.on("cac:AccountingSupplierParty/cac:Party")
_contact = GERMANY.on("cac:AccountingSupplierParty/cac:Party/cac:Contact")
_seller_address = GERMANY.on("cac:AccountingSupplierParty/cac:Party/cac:PostalAddress")
_buyer_address = GERMANY.on("cac:AccountingCustomerParty/cac:Party/cac:PostalAddress")
_delivery_address = GERMANY.on("cac:Delivery/cac:DeliveryLocation/cac:Address")
_terms = GERMANY.on("cac:PaymentTerms/cbc:Note")
_transfer = GERMANY.on("cac:PaymentMeans", where=_paid_by(TRANSFER))
_by_card = GERMANY.on("cac:PaymentMeans", where=_paid_by(CARD))
_direct_debit = GERMANY.on("cac:PaymentMeans", where=_paid_by(DIRECT_DEBIT))
_breakdown = GERMANY.on("cac:TaxTotal/cac:TaxSubtotal")
_supporting = GERMANY.on("cac:AdditionalDocumentReference", where=_of_root)

_RULES: tuple[tuple[Context, str, str, str, str, str, Test], ...] = (
    (_document, "001", "BG-16", "staat hoe betaald wordt", "le mode de paiement est indiqué", "the means of payment is given", _given(_MEANS)),
    (_document, "015", "BT-10", "staat de referentie van de koper", "la référence de l'acheteur est indiquée", "the buyer reference is given", _filled(_BUYER_REFERENCE)),
    (_document, "016", "BT-31", "heeft de verkoper een fiscaal nummer", "le vendeur a un numéro fiscal", "the seller has a tax number", _has_tax_number),
    (_document, "030", "BT-90", "hoort bij een mandaat de schuldeiser (SEPA)", "un mandat indique le créancier (SEPA)", "a mandate names the creditor (SEPA)", _has_creditor),
    (_document, "031", "BT-91", "hoort bij een mandaat de rekening", "un mandat indique le compte débité", "a mandate names the debited account", _has_debited_account),
    (_seller, "002", "BG-6", "heeft de verkoper een contact", "le vendeur a un contact", "the seller has a contact", _given(_CONTACT)),
    (_seller_address, "003", "BT-37", "staat de plaats van de verkoper", "la localité du vendeur est indiquée", "the city of the seller is given", _filled(_CITY)),
    (_seller_address, "004", "BT-38", "staat de postcode van de verkoper", "le code postal du vendeur est indiqué", "the post code of the seller is given", _filled(_POSTCODE)),
    (_contact, "005", "BT-41", "staat de naam van het contact", "le nom du contact est indiqué", "the name of the contact is given", _filled(_NAME)),
    (_contact, "006", "BT-42", "staat de telefoon van het contact", "le téléphone du contact est indiqué", "the telephone of the contact is given", _filled(_TELEPHONE)),
    (_contact, "007", "BT-43", "staat de e-mail van het contact", "le courriel du contact est indiqué", "the e-mail of the contact is given", _filled(_MAIL_ADDRESS)),
    (_buyer_address, "008", "BT-52", "staat de plaats van de koper", "la localité de l'acheteur est indiquée", "the city of the buyer is given", _filled(_CITY)),
    (_buyer_address, "009", "BT-53", "staat de postcode van de koper", "le code postal de l'acheteur est indiqué", "the post code of the buyer is given", _filled(_POSTCODE)),
    (_delivery_address, "010", "BT-77", "staat de plaats van levering", "la localité de livraison est indiquée", "the city of delivery is given", _filled(_CITY)),
    (_delivery_address, "011", "BT-78", "staat de postcode van levering", "le code postal de livraison est indiqué", "the post code of delivery is given", _filled(_POSTCODE)),
    (_breakdown, "014", "BT-119", "heeft elke btw-uitsplitsing een tarief", "chaque ventilation de TVA a un taux", "every VAT breakdown has a rate", _filled(_PERCENT)),
    (_terms, "018", "BT-20", "staat korting voor contant als #SKONTO#TAGE=…#PROZENT=…# op een eigen regel", "l'escompte s'écrit #SKONTO#TAGE=…#PROZENT=…# sur sa propre ligne", "cash discount reads #SKONTO#TAGE=…#PROZENT=…# on a line of its own", _discounts_are_structured),
    (_supporting, "022", "BT-125", "heeft elke bijlage een eigen bestandsnaam", "chaque annexe a son propre nom de fichier", "every attachment has a file name of its own", _file_name_is_new),
    (_transfer, "023-1", "BG-17", "hoort bij een overschrijving een rekening", "un virement indique un compte", "a credit transfer names an account", _given(_ACCOUNT)),
    (_transfer, "023-2", "BG-18, BG-19", "hoort bij een overschrijving geen kaart of mandaat", "un virement n'a ni carte ni mandat", "a credit transfer has no card or mandate", _none_of(_CARD, _PAYMENT_MANDATE)),
    (_by_card, "024-1", "BG-18", "hoort bij een kaartbetaling een kaart", "un paiement par carte indique la carte", "payment by card names a card", _given(_CARD)),
    (_by_card, "024-2", "BG-17, BG-19", "hoort bij een kaartbetaling geen rekening of mandaat", "un paiement par carte n'a ni compte ni mandat", "payment by card has no account or mandate", _none_of(_ACCOUNT, _PAYMENT_MANDATE)),
    (_direct_debit, "025-1", "BG-19", "hoort bij een domiciliëring een mandaat", "une domiciliation indique un mandat", "a direct debit has a mandate", _given(_PAYMENT_MANDATE)),
    (_direct_debit, "025-2", "BG-17, BG-18", "hoort bij een domiciliëring geen rekening of kaart", "une domiciliation n'a ni compte ni carte", "a direct debit has no account or card", _none_of(_ACCOUNT, _CARD)),
)  # fmt: skip
_WARNINGS: tuple[tuple[Context, str, str, str, str, str, Test], ...] = (
    (_document, "017", "BT-3", "is het type 326, 380, 381, 384, 389, 875, 876 of 877", "le type est 326, 380, 381, 384, 389, 875, 876 ou 877", "the type is 326, 380, 381, 384, 389, 875, 876 or 877", _has_usual_kind),
    (_document, "026", "BG-3", "verwijst een verbeterde factuur naar de vorige", "une facture rectificative renvoie à la précédente", "a corrected invoice refers to the preceding one", _corrects),
    (_transfer, "019", "BT-84", "is de rekening van een SEPA-overschrijving een geldige IBAN", "le compte d'un virement SEPA est un IBAN valable", "the account of a SEPA transfer is a valid IBAN", _only_if_sepa(_is_iban(PAYEE_ACCOUNT), "58")),
    (_direct_debit, "020", "BT-91", "is de rekening van een domiciliëring een geldige IBAN", "le compte d'une domiciliation est un IBAN valable", "the account of a direct debit is a valid IBAN", _is_iban(PAYER_ACCOUNT)),
    (_contact, "027", "BT-42", "heeft een telefoonnummer minstens drie cijfers", "un numéro de téléphone a au moins trois chiffres", "a telephone number has three digits at least", lambda contact, facts: bool(_PHONE.search(_TELEPHONE.value(contact)))),
    (_contact, "028", "BT-43", "is het e-mailadres geldig", "l'adresse de courriel est valable", "the e-mail address is valid", lambda contact, facts: bool(_MAIL.fullmatch(_MAIL_ADDRESS.value(contact)))),
    (_supporting, "T02", "BT-124", "is het adres van een bijlage volledig (https://…)", "l'adresse d'une annexe est complète (https://…)", "the web address of an attachment is complete (https://…)", _link_is_absolute),
)  # fmt: skip

for _severity, _table in (("fatal", _RULES), ("warning", _WARNINGS)):
    for _context, _number, _term, _nl, _fr, _en, _test in _table:
        _context.rule(
            f"DE-R-{_number}",
            "warning" if _severity == "warning" else "fatal",
            _term,
            nl=f"Tussen Duitse partijen {_nl}.",
            fr=f"Entre parties allemandes, {_fr}.",
            en=f"Between German parties {_en}.",
        )(_test)
