"""Rules about how is paid."""

from koppel_ubl.checking.engine import Facts, Group, Value, normalised

from .conditions import filled, given
from .rules import RULES

CREDIT_TRANSFERS = frozenset({"30", "58"})
CARD_DIGITS_MAX = 10


def _by_credit_transfer(account: Group, facts: Facts) -> bool:
    means = account.parent
    return means is not None and any(code.text in CREDIT_TRANSFERS for code in means.elements("cbc:PaymentMeansCode"))


MEANS = RULES.on("cac:PaymentMeans")
ACCOUNT = RULES.on("cac:PaymentMeans/cac:PayeeFinancialAccount", where=_by_credit_transfer)
CARD = RULES.on("cac:PaymentMeans/cac:CardAccount/cbc:PrimaryAccountNumberID")

MEANS.rule(
    "BR-49",
    "fatal",
    "BT-81",
    nl="Vermeld de code van de betaalwijze.",
    fr="Indiquez le code du moyen de paiement.",
    en="State the code of the means of payment.",
)(given("cbc:PaymentMeansCode"))

ACCOUNT.rule(
    "BR-50",
    "fatal",
    "BT-84",
    nl="Vermeld het rekeningnummer waarop betaald wordt.",
    fr="Indiquez le numéro du compte à créditer.",
    en="State the number of the account that is paid to.",
)(filled("cbc:ID"))


@CARD.rule(
    "BR-51",
    "warning",
    "BT-87",
    nl="Van een betaalkaart worden hoogstens tien cijfers vermeld (de eerste zes en de laatste vier).",
    fr="D'une carte de paiement, dix chiffres au plus sont indiqués (les six premiers et les quatre derniers).",
    en="Give ten digits of a payment card at most (the first six and the last four).",
)
def card_number_is_shortened(number: Value, facts: Facts) -> bool:
    return len(normalised(number.text)) <= CARD_DIGITS_MAX


@MEANS.rule(
    "BR-61",
    "fatal",
    "BT-84",
    nl="Bij betaling per overschrijving (code 30 of 58) hoort een rekeningnummer.",
    fr="Un paiement par virement (code 30 ou 58) demande un numéro de compte.",
    en="Payment by credit transfer (code 30 or 58) needs an account number.",
)
def credit_transfer_has_account(means: Group, facts: Facts) -> bool:
    return normalised(means.text("cbc:PaymentMeansCode")) not in CREDIT_TRANSFERS or means.has(
        "cac:PayeeFinancialAccount", "cbc:ID"
    )
