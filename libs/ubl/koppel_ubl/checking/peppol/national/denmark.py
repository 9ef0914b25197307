"""Denmark: CVR numbers, means of payment of NemKonto and giro, UNSPSC classifications, and charges by number."""

from koppel_ubl.checking.engine import Facts, Group, Node, normalised
from koppel_ubl.checking.peppol.patterns import DENMARK
from koppel_ubl.checking.peppol.xpath import Path, number, string

from .paths import MANDATE, PAYEE_ACCOUNT, PAYEE_BANK, PAYER_ACCOUNT, REGISTRATION, SUPPLIER

MEANS = frozenset({"1", "10", "31", "42", "48", "49", "50", "58", "59", "93", "97"})
CVR = "0184"
_PAYABLE = Path("cac:LegalMonetaryTotal/cbc:PayableAmount")
_CODE = Path("cbc:PaymentMeansCode")
_REFERENCE = Path("cbc:PaymentID")
_ID = Path("cbc:ID")
_CLASSIFICATION = Path("cac:Item/cac:CommodityClassification/cbc:ItemClassificationCode")
_REASON_CODE = Path("cbc:AllowanceChargeReasonCode")
_REASON = Path("cbc:AllowanceChargeReason")
_PARTIES = frozenset({"cac:AccountingSupplierParty", "cac:AccountingCustomerParty"})


def _is_domestic(facts: Facts) -> bool:
    return facts.context.customer_address_country == "DK"


def _is_domestic_identification(node: Node, facts: Facts) -> bool:
    side = None if node.place.above is None else node.place.above.above
    return _is_domestic(facts) and side is not None and side.name in _PARTIES and side.is_of_document


def _is_domestic_part(node: Node, facts: Facts) -> bool:
    return _is_domestic(facts) and node.place.is_of_document


def _is_domestic_payment(means: Group, facts: Facts) -> bool:
    return _is_domestic_part(means, facts) and not facts.is_credit_note


_document = DENMARK.on("/")
_identification = DENMARK.on("cac:PartyIdentification", where=_is_domestic_identification)
_means = DENMARK.on("cac:PaymentMeans", where=_is_domestic_payment)
_line = DENMARK.on("cac:InvoiceLine", "cac:CreditNoteLine", where=_is_domestic_part)
_allowance_charge = DENMARK.on("cac:AllowanceCharge", where=lambda node, facts: _is_domestic(facts))


def _registrations(root: Group) -> list[Node]:
    party = SUPPLIER.first(root)
    return [] if party is None else list(REGISTRATION.each(party))


@_document.rule(
    "DK-R-002",
    "fatal",
    "BT-30",
    nl="Een Deense verkoper vermeldt zijn CVR-nummer.",
    fr="Un vendeur danois indique son numéro CVR.",
    en="A Danish seller states its CVR number.",
)
def seller_is_registered(root: Group, facts: Facts) -> bool:
    return any(normalised(string(found)) for found in _registrations(root))


@_document.rule(
    "DK-R-014",
    "fatal",
    "BT-30",
    nl="Het registratienummer van een Deense verkoper draagt schema 0184 (CVR).",
    fr="Le numéro d'enregistrement d'un vendeur danois porte le schéma 0184 (CVR).",
    en="The registration number of a Danish seller bears scheme 0184 (CVR).",
)
def registration_is_cvr(root: Group, facts: Facts) -> bool:
    return all(normalised(found.get("schemeID", "")) == CVR for found in _registrations(root))


@_document.rule(
    "DK-R-016",
    "fatal",
    "BT-115",
    nl="Een Deense creditnota heeft geen negatief te betalen bedrag.",
    fr="Une note de crédit danoise n'a pas de montant à payer négatif.",
    en="A Danish credit note has no negative amount to pay.",
)
def credit_note_is_not_negative(root: Group, facts: Facts) -> bool:
    payable = number(_PAYABLE.text(root))
    return not facts.is_credit_note or not _is_domestic(facts) or payable.is_nan() or payable >= 0


@_identification.rule(
    "DK-R-013",
    "fatal",
    "BT-29, BT-46",
    nl="Een nummer van een Deense partij draagt een schema (schemeID).",
    fr="Un identifiant d'une partie danoise porte un schéma (schemeID).",
    en="An identifier of a Danish party bears a scheme (schemeID).",
)
def identifier_has_scheme(identification: Group, facts: Facts) -> bool:
    found = _ID.first(identification)
    return found is None or bool(normalised(found.get("schemeID", "")))


@_means.rule(
    "DK-R-005",
    "fatal",
    "BT-81",
    nl="In Denemarken is de betaalwijze 1, 10, 31, 42, 48, 49, 50, 58, 59, 93 of 97.",
    fr="Au Danemark, le moyen de paiement est 1, 10, 31, 42, 48, 49, 50, 58, 59, 93 ou 97.",
    en="In Denmark the means of payment is 1, 10, 31, 42, 48, 49, 50, 58, 59, 93 or 97.",
)
def means_is_danish(means: Group, facts: Facts) -> bool:
    return _CODE.text(means) in MEANS


def _is_filled(path: Path, means: Group) -> bool:
    return bool(path.value(means))


@_means.rule(
    "DK-R-006",
    "fatal",
    "BT-84",
    nl="Bij een Deense overschrijving (31, 42) horen een rekening en een bankregistratie.",
    fr="Un virement danois (31, 42) demande un compte et un enregistrement bancaire.",
    en="A Danish transfer (31, 42) needs an account and a bank registration.",
)
def transfer_has_account_and_bank(means: Group, facts: Facts) -> bool:
    return _CODE.text(means) not in {"31", "42"} or (_is_filled(PAYEE_ACCOUNT, means) and _is_filled(PAYEE_BANK, means))


@_means.rule(
    "DK-R-007",
    "fatal",
    "BT-89, BT-91",
    nl="Bij een Deense domiciliëring (49) horen een mandaat en een rekening.",
    fr="Une domiciliation danoise (49) demande un mandat et un compte.",
    en="A Danish direct debit (49) needs a mandate and an account.",
)
def direct_debit_is_complete(means: Group, facts: Facts) -> bool:
    return _CODE.text(means) != "49" or (_is_filled(MANDATE, means) and _is_filled(PAYER_ACCOUNT, means))


@_means.rule(
    "DK-R-008",
    "fatal",
    "BT-83, BT-84",
    nl="Bij giro (50) begint de referentie met 01#, 04# of 15# en telt het rekeningnummer zeven tekens.",
    fr="Pour le giro (50), la référence commence par 01#, 04# ou 15# et le compte a sept signes.",
    en="With giro (50) the reference begins with 01#, 04# or 15# and the account has seven characters.",
)
def giro_is_complete(means: Group, facts: Facts) -> bool:
    if _CODE.text(means) != "50":
        return True
    return _REFERENCE.text(means)[:3] in {"01#", "04#", "15#"} and len(PAYEE_ACCOUNT.text(means)) == 7


@_means.rule(
    "DK-R-009",
    "fatal",
    "BT-83",
    nl="Een giroreferentie 04# of 15# telt negentien tekens.",
    fr="Une référence giro 04# ou 15# compte dix-neuf signes.",
    en="A giro reference 04# or 15# has nineteen characters.",
)
def giro_reference_has_its_length(means: Group, facts: Facts) -> bool:
    reference = _REFERENCE.text(means)
    return _CODE.text(means) != "50" or reference[:3] not in {"04#", "15#"} or len(reference) == 19


@_means.rule(
    "DK-R-010",
    "fatal",
    "BT-83, BT-84",
    nl="Bij FIK (93) begint de referentie met 71#, 73# of 75# en telt het rekeningnummer acht tekens.",
    fr="Pour FIK (93), la référence commence par 71#, 73# ou 75# et le compte a huit signes.",
    en="With FIK (93) the reference begins with 71#, 73# or 75# and the account has eight characters.",
)
def card_is_complete(means: Group, facts: Facts) -> bool:
    if _CODE.text(means) != "93":
        return True
    return _REFERENCE.text(means)[:3] in {"71#", "73#", "75#"} and len(PAYEE_ACCOUNT.text(means)) == 8


@_means.rule(
    "DK-R-011",
    "fatal",
    "BT-83",
    nl="Een FIK-referentie 71# of 75# telt achttien of negentien tekens.",
    fr="Une référence FIK 71# ou 75# compte dix-huit ou dix-neuf signes.",
    en="A FIK reference 71# or 75# has eighteen or nineteen characters.",
)
def card_reference_has_its_length(means: Group, facts: Facts) -> bool:
    reference = _REFERENCE.text(means)
    return _CODE.text(means) != "93" or reference[:3] not in {"71#", "75#"} or len(reference) in {18, 19}


@_line.rule(
    "DK-R-003",
    "fatal",
    "BT-158",
    nl="Een Deense UNSPSC-classificatie (TST) is van versie 19.05.01.",
    fr="Une classification UNSPSC danoise (TST) est de la version 19.05.01.",
    en="A Danish UNSPSC classification (TST) is of version 19.05.01.",
)
def classification_has_its_version(line: Group, facts: Facts) -> bool:
    codes = list(_CLASSIFICATION.each(line))
    if not any(code.get("listID") == "TST" for code in codes):
        return True
    return any(code.get("listVersionID") in {"19.05.01", "19.0501"} for code in codes)


@_allowance_charge.rule(
    "DK-R-004",
    "fatal",
    "BT-97, BT-104",
    nl="Bij reden ZZZ hoort in Denemarken een heffingsnummer van vier cijfers.",
    fr="Au Danemark, le motif ZZZ demande un numéro de taxe de quatre chiffres.",
    en="In Denmark the reason ZZZ needs a number of a levy of four digits.",
)
def levy_has_a_number(node: Group, facts: Facts) -> bool:
    if "ZZZ" not in _REASON_CODE.texts(node):
        return True
    levy = number(_REASON.text(node))
    return len(_REASON.value(node)) == 4 and not levy.is_nan() and 0 <= levy <= 9999
