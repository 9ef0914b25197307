"""Octopus's error codes (octopus §1.6) with their texts in its three languages."""

from typing import Any, NamedTuple

from starlette.responses import JSONResponse

LANGUAGES = ("nl", "fr", "en")
LOCALES = {"1": "nl", "2": "fr", "3": "en"}
"""``localeId`` of the connect call (octopus §1.3)."""


class ErrorText(NamedTuple):
    """What a code says; ``{0}``, ``{1}`` are filled in."""

    technical: str
    nl: str
    fr: str
    en: str


ERRORS = {
    -1: ErrorText("ERR_INVALID_LOGIN", "Ongeldige login", "Identifiants incorrects", "Invalid login"),
    -2: ErrorText("ERR_NOT_AUTHENTICATED", "Niet aangemeld", "Non authentifié", "Not authenticated"),
    -3: ErrorText(
        "ERR_NO_ACCESS",
        "Geen toegang tot {0}. Controleer de webservice-module en het recht 'Toegang tot webservice' "
        "(Beheer > Gebruikers > Rechten)",
        "Pas d'accès à {0}. Vérifiez le module webservice et le droit « Accès au webservice » "
        "(Gestion > Utilisateurs > Droits)",
        "No access to {0}. Check the webservice module and the right 'Access to webservice' (Manage > Users > Rights)",
    ),
    -4: ErrorText(
        "ERR_OPEN_DOSSIER",
        "Openen van dossier {0} mislukt",
        "Échec de l'ouverture du dossier {0}",
        "Opening dossier {0} failed",
    ),
    -5: ErrorText(
        "ERR_DOSSIER_DISABLED",
        "Dossier {0} is gedeactiveerd",
        "Le dossier {0} est désactivé",
        "Dossier {0} is disabled",
    ),
    -6: ErrorText("ERR_NO_DOSSIER_OPEN", "Geen dossier geopend", "Aucun dossier ouvert", "No dossier open"),
    -7: ErrorText(
        "ERR_RELATION",
        "Toevoegen of wijzigen van de relatie mislukt: {0}",
        "Échec de l'ajout ou de la modification de la relation : {0}",
        "Inserting or updating the relation failed: {0}",
    ),
    -9: ErrorText(
        "ERR_UNKNOWN_BOOKYEAR", "Onbekend boekjaar {0}", "Exercice comptable inconnu {0}", "Unknown bookyear {0}"
    ),
    -10: ErrorText("ERR_UNKNOWN_JOURNAL", "Onbekend dagboek {0}", "Journal inconnu {0}", "Unknown journal {0}"),
    -11: ErrorText("ERR_JOURNAL_CLOSED", "{0} is afgesloten", "{0} est clôturé", "{0} is closed"),
    -12: ErrorText(
        "ERR_JOURNAL_OPEN",
        "Dagboek {0} is in gebruik door {1}",
        "Le journal {0} est utilisé par {1}",
        "Journal {0} is in use by {1}",
    ),
    -13: ErrorText(
        "ERR_DOCUMENT_SEQUENCE_NR",
        "Ongeldig documentnummer {0}",
        "Numéro de document incorrect {0}",
        "Illegal document sequence number {0}",
    ),
    -14: ErrorText(
        "ERR_UNKNOWN_PERIOD", "Onbekende periode {0}", "Période inconnue {0}", "Unknown bookyear period {0}"
    ),
    -15: ErrorText(
        "ERR_PERIOD_PROTECTED",
        "Periode {0} is beveiligd of afgesloten in {1}",
        "La période {0} est protégée ou clôturée dans {1}",
        "Bookyear period {0} is protected in {1}",
    ),
    -16: ErrorText("ERR_UNKNOWN_RELATION", "Onbekende relatie {0}", "Relation inconnue {0}", "Unknown relation {0}"),
    -17: ErrorText(
        "ERR_DOCUMENT_DATE", "De documentdatum ontbreekt", "La date du document manque", "Document date missing"
    ),
    -18: ErrorText("ERR_EXPIRY_DATE", "De vervaldatum ontbreekt", "La date d'échéance manque", "Expiry date missing"),
    -19: ErrorText("ERR_UNKNOWN_CURRENCY", "Onbekende munt {0}", "Devise inconnue {0}", "Unknown currency {0}"),
    -20: ErrorText(
        "ERR_EXCHANGE_RATE", "Ongeldige wisselkoers {0}", "Cours de change incorrect {0}", "Illegal exchange rate {0}"
    ),
    -21: ErrorText("ERR_UNKNOWN_ACCOUNT", "Onbekende rekening {0}", "Compte inconnu {0}", "Unknown account {0}"),
    -22: ErrorText("ERR_UNKNOWN_VAT_CODE", "Onbekende btw-code {0}", "Code TVA inconnu {0}", "Unknown VAT code {0}"),
    -23: ErrorText(
        "ERR_SIGN",
        "Basis {0} en btw {1} hebben een tegengesteld teken",
        "La base {0} et la TVA {1} ont des signes opposés",
        "Base {0} and VAT {1} have opposite signs",
    ),
    -24: ErrorText(
        "ERR_INSERT_BOOKING",
        "Toevoegen van de boeking mislukt: {0}",
        "Échec de l'ajout de l'écriture : {0}",
        "Inserting the booking failed: {0}",
    ),
    -25: ErrorText(
        "ERR_LINE_TYPE",
        "Onbekend type van financiële lijn {0}",
        "Type de ligne financière inconnu {0}",
        "Unknown financial line type {0}",
    ),
    -29: ErrorText(
        "ERR_JOURNAL_MODE",
        "Dagboek {0} staat op facturen, niet op boekingen",
        "Le journal {0} sert aux factures, pas aux écritures",
        "Journal {0} is in the wrong mode: it takes invoices, no bookings",
    ),
    -30: ErrorText(
        "ERR_VAT_RECUP",
        "Ongeldig percentage recupereerbare btw {0}",
        "Pourcentage de TVA récupérable incorrect {0}",
        "Illegal percentage of recoverable VAT {0}",
    ),
    -33: ErrorText("ERR_GET_BOOKINGS", "Geen boekingen gevonden", "Aucune écriture trouvée", "No bookings found"),
    -34: ErrorText("ERR_MISSING_BOOKING", "Onbekende boeking {0}", "Écriture inconnue {0}", "Unknown booking {0}"),
    -36: ErrorText("ERR_GET_JOURNALS", "Geen dagboeken gevonden", "Aucun journal trouvé", "No journals found"),
    -38: ErrorText(
        "ERR_INVALID_JOURNAL",
        "Dagboek {0} dient hier niet voor",
        "Le journal {0} ne sert pas à cela",
        "Invalid journal {0}",
    ),
    -40: ErrorText(
        "ERR_COST_CENTRE", "Onbekende kostenplaats {0}", "Centre de frais inconnu {0}", "Unknown cost centre {0}"
    ),
    -44: ErrorText("ERR_GET_ACCOUNTS", "Geen rekeningen gevonden", "Aucun compte trouvé", "No accounts found"),
    -45: ErrorText("ERR_GET_LIST", "Geen gegevens gevonden", "Aucune donnée trouvée", "Nothing found"),
    -50: ErrorText(
        "ERR_NO_BOOKING_ACCOUNT",
        "Rekening {0} is geen boekingsrekening",
        "Le compte {0} n'est pas un compte d'imputation",
        "Account {0} is not a booking account",
    ),
    -51: ErrorText("ERR_TOO_MANY", "Te veel aanvragen: {0}", "Trop de demandes : {0}", "Too many connections: {0}"),
    -67: ErrorText(
        "ERR_BALANCE",
        "Het beginsaldo {0} van het afschrift is niet het eindsaldo {1} van dagboek {2}",
        "Le solde initial {0} de l'extrait n'est pas le solde final {1} du journal {2}",
        "The opening balance {0} of the statement is not the closing balance {1} of journal {2}",
    ),
    -68: ErrorText(
        "ERR_SOFTWARE_HOUSE",
        "Ongeldige identificatie van het softwarehuis",
        "Identification de l'éditeur incorrecte",
        "Invalid software house identification",
    ),
    -75: ErrorText(
        "ERR_VAT_CODE_TYPE",
        "Btw-code {0} dient niet voor dagboek {1}",
        "Le code TVA {0} ne sert pas au journal {1}",
        "VAT code {0} is of the wrong type for journal {1}",
    ),
    -78: ErrorText(
        "ERR_CODA_VERSION",
        "De versie van de CODA-gegevens ontbreekt",
        "La version des données CODA manque",
        "CODA version info missing",
    ),
    -79: ErrorText("ERR_PARAMETER", "Ongeldige parameter {0}", "Paramètre incorrect {0}", "Invalid parameter {0}"),
}


class Refusal(Exception):
    """An answer with an error body.

    Args:
        status: of the answer.
        code: one of ``ERRORS``.
        parameters: filled into the code's text.
        technical: added to the technical information.
    """

    def __init__(self, status: int, code: int, *parameters: Any, technical: str = "") -> None:
        super().__init__(status, code, *parameters)
        self.status = status
        self.code = code
        self.parameters = parameters
        self.technical = technical

    def body(self, language: str) -> dict[str, Any]:
        """Return the error body (octopus §1.6), its message in ``nl``, ``fr`` or ``en``."""
        text = ERRORS.get(self.code) or ERRORS[-79]
        said = getattr(text, language).format(*[str(one) for one in self.parameters], "", "", "").strip()
        technical = f"{text.technical} {self.technical or ' '.join(map(str, self.parameters))}".strip()
        return {"errorCode": self.code, "errorMessage": said, "technicalInfo": technical}

    def response(self, language: str, *, respelled: bool = False) -> JSONResponse:
        """Return the answer; ``respelled`` as the File Import API spells errors."""
        body = self.body(language)
        if respelled:
            body = {
                "octopusErrorCode": body["errorCode"],
                "description": body["errorMessage"],
                "technicalDescription": body["technicalInfo"],
            }
        return JSONResponse(body, self.status)


def language_of(accept: str | None) -> str | None:
    """Return the first language of an ``Accept-Language`` header that Octopus speaks."""
    for one in (accept or "").split(","):
        if (found := one.strip()[:2].lower()) in LANGUAGES:
            return found
    return None
