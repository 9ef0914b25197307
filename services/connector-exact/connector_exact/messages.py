"""From Exact's sentences to our problem codes.

Functional refusals come as sentences in the language of the Exact user (nl, fr or en), several joined by CRLF. They are
built from a small grammar — *verb: thing* — so the table holds verbs and things, not every sentence. Dutch and English
wordings were seen on the live service; French ones are by analogy until a tenant shows them; accents may be missing.
An unknown sentence is reported whole, as ``vendor_refused``.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Meaning:
    """One sentence of Exact, and the code of the problem it reports."""

    code: str
    sentence: str


def meanings(value: str) -> list[Meaning]:
    """Return what each sentence of an error envelope means, in the order Exact gave them."""
    sentences = [part.strip() for part in re.split(r"\r?\n", value[:10_000]) if part.strip()]
    return [Meaning(_meaning(sentence), sentence[:500]) for sentence in sentences[:20]]


UNKNOWN_SENTENCE: Final = "vendor_refused"

_VERBS: Final[dict[str, tuple[str, ...]]] = {
    "mandatory": ("mandatory", "verplicht", "obligatoire"),
    "invalid_reference": (
        "invalid reference",
        "ongeldige referentie",
        "reference invalide",
        "reference non valide",
        "reference incorrecte",
    ),
    "invalid": ("invalid", "ongeldig", "invalide", "non valide", "incorrect"),
    "blocked": ("blocked", "geblokkeerd", "bloque", "bloquee"),
    "not_allowed": ("not allowed", "niet toegestaan", "non autorise", "non autorisee", "pas autorise", "interdit"),
    "in_use": (
        "in use",
        "already exists",
        "in gebruik",
        "bestaat reeds",
        "deja utilise",
        "utilise",
        "en cours d'utilisation",
        "existe deja",
    ),
    "unknown": ("unknown", "onbekend", "inconnu", "inconnue"),
}

_THINGS: Final[dict[str, tuple[str, ...]]] = {
    "journal_type": ("journal (type)", "dagboek (type)", "journal (type de journal)"),
    "journal": ("journal", "journals", "diary", "dagboek", "dagboeken", "journaux"),
    "customer_type": ("customer (type)", "klant (type)", "client (type)"),
    "supplier_type": ("supplier (type)", "leverancier (type)", "fournisseur (type)"),
    "relation": (
        *("relationship", "account", "customer", "supplier", "relatie", "klant", "leverancier"),
        *("relation", "compte", "client", "fournisseur", "tiers"),
    ),
    "vat_percentage": ("vat percentage", "btw-percentage", "percentage btw", "pourcentage tva", "taux de tva"),
    "vat_amount": ("vat amount", "btw-bedrag", "montant tva", "montant de tva"),
    "vat_code": ("vat code", "btw-code", "code tva", "code de tva"),
    "gl_account_type": (
        *("g/l account type", "grootboekrekeningtype", "grootboekrekening (type)"),
        *("type de compte general", "compte general (type)", "g/l account (type)"),
    ),
    "gl_account": ("g/l account", "grootboekrekening", "compte general", "compte grand livre", "compte du grand livre"),
    "cost_centre": ("cost center", "cost centre", "kostenplaats", "centre de cout", "centre de couts"),
    "cost_unit": ("cost unit", "kostendrager", "unite de cout", "porteur de couts", "unite de couts"),
    "payment_condition": ("payment condition", "betalingsconditie", "betalingsvoorwaarde", "condition de paiement"),
    "document": ("document", "documents"),
    "due_date": ("due date", "vervaldatum", "date d'echeance", "echeance"),
    "entry_number": (
        *("entry number", "boekstuknummer", "numero d'ecriture", "numero de piece"),
        *("numero d'ecriture comptable", "numero d'entree"),
    ),
    "exchange_rate": (
        "exchange rate",
        "currency",
        "wisselkoers",
        "valuta",
        "taux de change",
        "cours de change",
        "devise",
    ),
    "financial_year": ("financial year", "boekjaar", "exercice", "exercice comptable", "annee comptable"),
}

_PROBLEMS: Final[dict[tuple[str, str], str]] = {
    ("mandatory", "journal"): "journal_missing",
    ("invalid_reference", "journal"): "journal_unknown",
    ("invalid", "journal"): "journal_wrong_type",
    ("invalid", "journal_type"): "journal_wrong_type",
    ("blocked", "journal"): "journal_blocked",
    ("mandatory", "relation"): "relation_missing",
    ("invalid_reference", "relation"): "relation_unknown",
    ("invalid", "customer_type"): "relation_not_customer",
    ("invalid", "supplier_type"): "relation_not_supplier",
    ("blocked", "relation"): "relation_blocked",
    ("mandatory", "vat_code"): "unknown_vat_code",
    ("invalid_reference", "vat_code"): "unknown_vat_code",
    ("unknown", "vat_code"): "unknown_vat_code",
    ("blocked", "vat_code"): "vat_code_blocked",
    ("not_allowed", "vat_code"): "vat_code_not_allowed",
    ("invalid", "vat_code"): "vat_code_not_allowed",
    ("not_allowed", "vat_amount"): "vat_amount_not_allowed",
    ("invalid", "vat_percentage"): "vat_percentage_differs",
    ("blocked", "gl_account"): "ledger_account_blocked",
    ("mandatory", "gl_account"): "ledger_account_missing",
    ("invalid_reference", "gl_account"): "ledger_account_unknown",
    ("unknown", "gl_account"): "ledger_account_unknown",
    ("invalid", "gl_account_type"): "ledger_account_wrong_type",
    ("invalid", "gl_account"): "ledger_account_wrong_type",
    ("mandatory", "cost_centre"): "cost_centre_needed",
    ("invalid_reference", "cost_centre"): "cost_centre_needed",
    ("mandatory", "cost_unit"): "cost_centre_needed",
    ("invalid_reference", "cost_unit"): "cost_centre_needed",
    ("mandatory", "payment_condition"): "payment_condition_missing",
    ("invalid_reference", "payment_condition"): "payment_condition_missing",
    ("mandatory", "due_date"): "due_date_missing",
    ("invalid_reference", "document"): "files_gone",
    ("in_use", "entry_number"): "entry_number_taken",
    ("not_allowed", "exchange_rate"): "currency_not_allowed",
    ("invalid_reference", "exchange_rate"): "currency_not_allowed",
    ("unknown", "financial_year"): "financial_year_missing",
}

# Sentences outside the grammar, each recognised by a part without figures.
_IS_BLOCKED: Final = r"(is|est) (blocked|geblokkeerd|bloquee?)\b"
_WHOLE: Final[tuple[tuple[str, str], ...]] = (
    (r"period is closed|periode is afgesloten|periode( comptable)?( est)? (cloturee|fermee)", "period_closed"),
    (rf"(g/l account|grootboekrekening|compte (general|du grand livre)) {_IS_BLOCKED}", "ledger_account_blocked"),
    (rf"(journal|dagboek) {_IS_BLOCKED}", "journal_blocked"),
    (
        rf"(customer|supplier|relation(ship)?|account|klant|leverancier|relatie|client|fournisseur) {_IS_BLOCKED}",
        "relation_blocked",
    ),
    (
        r"is not balanced|niet in balans|niet in evenwicht|n'est pas (en )?equilibre|pas equilibree",
        "entry_not_balanced",
    ),
    (
        r"data already exists|gegevens? bestaa[nt] (reeds|al)|donnees? (existen?t? deja|deja existantes?)",
        "already_exists",
    ),
    (
        r"klantenrekening.*dagboek|customer.*(a/r|receivable).*journal|compte client.*journal",
        "relation_account_differs",
    ),
    (
        r"leveranciersrekening.*dagboek|supplier.*(a/p|payable).*journal|compte fournisseur.*journal",
        "relation_account_differs",
    ),
    (
        r"(btw|vat|tva)[ -]?(bedrag|amount)?.*(geen btw|zonder btw|no vat|sans tva)|montant (de )?tva.*sans tva",
        "vat_amount_not_allowed",
    ),
    (r"invalid journal\.|ongeldig dagboek\.|journal non valide\.", "journal_wrong_type"),
    (r"financial year cannot be changed|boekjaar kan niet|exercice ne peut pas", "vendor_request_wrong"),
    (r"error processing request stream", "vendor_request_wrong"),
    (
        r"\$select|mandatory filtering|filtering on these fields|filter parameter is not supported",
        "vendor_request_wrong",
    ),
    (r"application scope violated", "app_scope_missing"),
    (r"division is not within division scope", "no_division_access"),
    (r"license expired|licence expired", "licence_expired"),
    (r"^(forbidden|verboden|interdit)\b", "missing_right"),
)
_WHOLE_PATTERNS: Final = tuple((re.compile(pattern), code) for pattern, code in _WHOLE)


def _meaning(sentence: str) -> str:
    plain = _plain(sentence)
    for pattern, whole in _WHOLE_PATTERNS:
        if pattern.search(plain):
            return whole
    return next((code for part in _parts(plain) if (code := _PROBLEMS.get(part)) is not None), UNKNOWN_SENTENCE)


def _parts(plain: str) -> list[tuple[str, str]]:
    """Return (verb, thing) of ``verb: thing`` and, as XML answers write it, ``verb - thing: value``."""
    verb_text, separator, rest = re.sub(r"\s+-\s+", ": ", plain).partition(":")
    verb = _key(_VERBS, verb_text.strip()) if separator else None
    if verb is None:
        return []
    thing_text = rest.strip()
    candidates = (thing_text, thing_text.partition(":")[0].strip(), re.sub(r"\s*[\[(].*", "", thing_text).strip())
    things = (_key(_THINGS, text) for text in candidates)
    return [(verb, thing) for thing in things if thing is not None]


def _key(table: dict[str, tuple[str, ...]], text: str) -> str | None:
    return next((key for key, words in table.items() if text in words), None)


def _plain(sentence: str) -> str:
    """Return the sentence without accents, case and doubled spaces; Exact varies in each of them."""
    decomposed = unicodedata.normalize("NFKD", sentence.replace("’", "'"))
    without_accents = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return re.sub(r"\s+", " ", without_accents).casefold().strip()
