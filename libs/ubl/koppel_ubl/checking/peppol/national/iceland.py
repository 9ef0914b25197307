"""Iceland: kennitala, addresses, bank accounts and the last day of payment (eindagi)."""

from koppel_ubl.checking.engine import Facts, Group, normalised
from koppel_ubl.checking.peppol.patterns import ICELAND
from koppel_ubl.checking.peppol.xpath import Path, is_date, string

from .paths import (
    DESCRIPTION,
    MEANS_CODE,
    PAYEE_ACCOUNT,
    POSTCODE,
    REGISTRATION,
    STREET,
    SUPPLIER,
    SUPPORTING,
)

KENNITALA = "0196"
ACCOUNT_DIGITS = 12
_KIND = (Path("cbc:InvoiceTypeCode"), Path("cbc:CreditNoteTypeCode"))
_PARTY = Path("cac:Party")
_PAYMENT = Path("cac:PaymentMeans")
_ID = Path("cbc:ID")
_DUE = Path("cbc:DueDate")


def _is_icelandic(buyer: Group, facts: Facts) -> bool:
    return buyer.place.is_of_document and facts.context.customer_address_country == "IS"


_document = ICELAND.on("/")
_buyer = ICELAND.on("cac:AccountingCustomerParty", where=_is_icelandic)


@_document.rule(
    "IS-R-001",
    "warning",
    "BT-3",
    nl="Een IJslandse verkoper gebruikt type 380 of 381.",
    fr="Un vendeur islandais utilise le type 380 ou 381.",
    en="An Icelandic seller uses type 380 or 381.",
)
def kind_is_plain(root: Group, facts: Facts) -> bool:
    return any(path.value(root) in {"380", "381"} for path in _KIND)


def _has_kennitala(party: Group | None) -> bool:
    return party is not None and any(number.get("schemeID") == KENNITALA for number in REGISTRATION.each(party))


def _has_address(party: Group | None) -> bool:
    return party is not None and STREET.exists(party) and POSTCODE.exists(party)


@_document.rule(
    "IS-R-002",
    "fatal",
    "BT-30",
    nl="Een IJslandse verkoper vermeldt zijn kennitala (schema 0196).",
    fr="Un vendeur islandais indique son kennitala (schéma 0196).",
    en="An Icelandic seller states its kennitala (scheme 0196).",
)
def seller_has_kennitala(root: Group, facts: Facts) -> bool:
    return _has_kennitala(SUPPLIER.first(root))


@_document.rule(
    "IS-R-003",
    "fatal",
    "BG-5",
    nl="Een IJslandse verkoper vermeldt zijn straat en postcode.",
    fr="Un vendeur islandais indique sa rue et son code postal.",
    en="An Icelandic seller states its street and post code.",
)
def seller_has_address(root: Group, facts: Facts) -> bool:
    return _has_address(SUPPLIER.first(root))


@_buyer.rule(
    "IS-R-004",
    "fatal",
    "BT-47",
    nl="Een IJslandse koper heeft een kennitala (schema 0196).",
    fr="Un acheteur islandais a un kennitala (schéma 0196).",
    en="An Icelandic buyer has a kennitala (scheme 0196).",
)
def buyer_has_kennitala(buyer: Group, facts: Facts) -> bool:
    return _has_kennitala(_PARTY.first(buyer))


@_buyer.rule(
    "IS-R-005",
    "fatal",
    "BG-8",
    nl="Een IJslandse koper heeft een straat en een postcode.",
    fr="Un acheteur islandais a une rue et un code postal.",
    en="An Icelandic buyer has a street and a post code.",
)
def buyer_has_address(buyer: Group, facts: Facts) -> bool:
    return _has_address(_PARTY.first(buyer))


def _account(rule_id: str, code: str) -> None:
    def holds(root: Group, facts: Facts) -> bool:
        means = [each for each in _PAYMENT.each(root) if code in MEANS_CODE.texts(each)]
        accounts = [account for each in means for account in PAYEE_ACCOUNT.each(each)]
        return not means or (bool(accounts) and len(normalised(string(accounts[0]))) == ACCOUNT_DIGITS)

    _document.rule(
        rule_id,
        "fatal",
        "BT-84",
        nl=f"Bij betaalwijze {code} hoort een IJslands rekeningnummer van twaalf cijfers.",
        fr=f"Le moyen de paiement {code} demande un numéro de compte islandais de douze chiffres.",
        en=f"Means of payment {code} needs an Icelandic account number of twelve digits.",
    )(holds)


_account("IS-R-006", "9")
_account("IS-R-007", "42")


def _last_days(root: Group) -> list[str]:
    """Return the last days of payment: supporting documents described as EINDAGI carry them as their number."""
    found = [each for each in SUPPORTING.each(root) if "EINDAGI" in DESCRIPTION.texts(each)]
    return [_ID.text(each) for each in found]


@_document.rule(
    "IS-R-008",
    "fatal",
    "BT-122",
    nl="Een eindagi is een datum JJJJ-MM-DD.",
    fr="Un eindagi est une date AAAA-MM-JJ.",
    en="An eindagi is a date YYYY-MM-DD.",
)
def last_day_is_a_date(root: Group, facts: Facts) -> bool:
    return all(is_date(day) for day in _last_days(root)[:1])


@_document.rule(
    "IS-R-009",
    "fatal",
    "BT-9",
    nl="Wie een eindagi vermeldt, vermeldt ook de vervaldag.",
    fr="Qui indique un eindagi indique aussi l'échéance.",
    en="A document with an eindagi also states the due date.",
)
def due_date_is_given(root: Group, facts: Facts) -> bool:
    return not _last_days(root) or _DUE.exists(root)


@_document.rule(
    "IS-R-010",
    "fatal",
    "BT-9",
    nl="De eindagi valt niet voor de vervaldag.",
    fr="L'eindagi ne tombe pas avant l'échéance.",
    en="The eindagi is not before the due date.",
)
def last_day_is_not_before_due(root: Group, facts: Facts) -> bool:
    days = _last_days(root)
    return not days or any(due <= day for due in _DUE.texts(root) for day in days)
