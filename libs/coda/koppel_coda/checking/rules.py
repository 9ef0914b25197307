"""The strict rules: the severity of each, and its sentence.

29 and 30 are about a series of statements, see ``series.py``; all others about one file.
"""

from typing import Final

from koppel_coda.report import Finding, Rule, Sentence, Severity

RULES: Final[dict[str, Rule]] = {}


def _rule(number: int, severity: Severity, nl: str, fr: str, en: str) -> Rule:
    rule = Rule(f"CODA-{number:02d}", severity, Sentence(nl, fr, en))
    RULES[rule.id] = rule
    return rule


def _other_sentence(rule: Rule, nl: str, fr: str, en: str) -> Rule:
    """Return the rule as it is worded where it is broken in another way."""
    return Rule(rule.id, rule.severity, Sentence(nl, fr, en))


# ruff: noqa: E501 - a sentence stays on one line, beside its translations
# fmt: off
NO_HEADER = _rule(1, "error", "Dit is geen CODA-bestand: de eerste lijn begint niet met een kop (0).", "Ceci n'est pas un fichier CODA : la première ligne ne commence pas par un en-tête (0).", "This is not a CODA file: the first line does not start with a header (0).")
LENGTH = _rule(2, "error", "Lijn {line} telt {found} tekens, een CODA-lijn telt er 128. Is het bestand in een ander programma geopend en bewaard?", "La ligne {line} compte {found} caractères, une ligne CODA en compte 128. Le fichier a-t-il été ouvert et enregistré dans un autre programme ?", "Line {line} has {found} characters, a CODA line has 128. Was the file opened and saved in another program?")
CHARACTERS = _rule(3, "error", "Lijn {line}, positie {column}: onleesbaar teken ({found}).", "Ligne {line}, position {column} : caractère illisible ({found}).", "Line {line}, position {column}: unreadable character ({found}).")
VERSION = _rule(4, "error", "Versie {found} van CODA wordt niet aanvaard; vraag de bank om versie 2.", "La version {found} de CODA n'est pas acceptée ; demandez la version 2 à votre banque.", "Version {found} of CODA is not supported; ask your bank for version 2.")
RECORD = _rule(5, "error", "Lijn {line}: record {found} bestaat niet in CODA.", "Ligne {line} : l'enregistrement {found} n'existe pas en CODA.", "Line {line}: record {found} does not exist in CODA.")
ORDER = _rule(6, "error", "Lijn {line}: een lijn {found} kan niet na een lijn {before} komen.", "Ligne {line} : une ligne {found} ne peut suivre une ligne {before}.", "Line {line}: a {found} line cannot come after a {before} line.")
UNCLOSED = _rule(7, "error", "Statement {statement} stopt op lijn {line} zonder slotlijn: het bestand is onvolledig.", "L'extrait {statement} s'arrête à la ligne {line} sans ligne de clôture : le fichier est incomplet.", "Statement {statement} stops at line {line} without its closing line: the file is incomplete.")
APPLICATION = _rule(8, "warning", "Kop: applicatiecode {found} in plaats van 05.", "En-tête : code d'application {found} au lieu de 05.", "Header: application code {found} instead of 05.")
DATE = _rule(9, "error", "Lijn {line}: '{found}' is geen datum (DDMMJJ).", "Ligne {line} : « {found} » n'est pas une date (JJMMAA).", "Line {line}: '{found}' is not a date (DDMMYY).")
ACCOUNT = _rule(10, "error", "Lijn {line}: er is geen rekeningnummer te lezen (structuur '{found}').", "Ligne {line} : aucun numéro de compte n'est lisible (structure « {found} »).", "Line {line}: no account number can be read (structure '{found}').")
STRUCTURE = _other_sentence(ACCOUNT, "Lijn {line}: de structuur van de rekening is '{found}', maar het nummer wordt gelezen als {expected}.", "Ligne {line} : la structure du compte est « {found} », mais le numéro se lit {expected}.", "Line {line}: the account's structure is '{found}', but its number reads as {expected}.")
CHECK_DIGITS = _rule(11, "warning", "De controlecijfers van rekening {found} kloppen niet.", "Les chiffres de contrôle du compte {found} sont faux.", "Account {found} fails its check digits.")
CURRENCY = _rule(12, "error", "Lijn {line}: de munt van rekening {found} ontbreekt.", "Ligne {line} : la devise du compte {found} manque.", "Line {line}: the currency of account {found} is missing.")
AMOUNT = _rule(13, "error", "Lijn {line}: het bedrag of teken '{found}' is niet te lezen.", "Ligne {line} : le montant ou signe « {found} » est illisible.", "Line {line}: amount or sign '{found}' is not readable.")
OTHER_ACCOUNT = _rule(14, "error", "Het beginsaldo is van {expected}, het eindsaldo van {found}.", "Le solde initial est celui de {expected}, le solde final celui de {found}.", "Opening balance is for {expected}, closing balance for {found}.")
OTHER_MOVEMENT = _rule(15, "error", "Lijn {line} hoort bij beweging {found} maar volgt op beweging {expected}.", "La ligne {line} appartient au mouvement {found} mais suit le mouvement {expected}.", "Line {line} belongs to movement {found}, but follows movement {expected}.")
GAP = _rule(16, "warning", "Lijn {line}: nummer {found} waar {expected} verwacht werd; er ontbreekt een beweging of de nummering is fout.", "Ligne {line} : numéro {found} au lieu de {expected} ; un mouvement manque ou la numérotation est fausse.", "Line {line}: number {found} where {expected} was expected; a movement is missing or the numbering is wrong.")
LINKS = _rule(17, "warning", "Lijn {line}: de vervolgcode zegt '{found}', maar wat volgt vraagt '{expected}'.", "Ligne {line} : le code de suite dit « {found} », mais ce qui suit demande « {expected} ».", "Line {line}: the continuation code says '{found}', but what follows asks for '{expected}'.")
CODE = _rule(18, "warning", "Lijn {line}: onbekende verrichtingscode {found}; de lijn blijft behouden.", "Ligne {line} : code d'opération inconnu {found} ; la ligne est conservée.", "Line {line}: unknown transaction code {found}; the line is kept.")
SIDE = _rule(19, "information", "Lijn {line}: code {found} is gewoonlijk een {expected}.", "Ligne {line} : le code {found} est d'ordinaire un {expected}.", "Line {line}: code {found} is normally a {expected}.")
KIND = _rule(20, "warning", "Lijn {line}: onbekende soort mededeling {found}; bewaard als tekst.", "Ligne {line} : type de communication inconnu {found} ; conservé comme texte.", "Line {line}: unknown kind of communication {found}; kept as text.")
REFERENCE = _rule(21, "warning", "De gestructureerde mededeling {found} is ongeldig; ze zal met geen factuur overeenkomen.", "La communication structurée {found} n'est pas valable ; elle ne correspondra à aucune facture.", "Structured reference {found} is not valid; it will not match an invoice.")
BANK_REFERENCE = _rule(22, "warning", "Lijn {line}: de informatie verwijst naar {found}, de beweging is {expected}.", "Ligne {line} : l'information renvoie à {found}, le mouvement est {expected}.", "Line {line}: information refers to {found}, the movement is {expected}.")
DETAILS = _rule(23, "warning", "De details van beweging {statement_line} samen zijn {found}, de beweging is {expected}.", "Les détails du mouvement {statement_line} font {found}, le mouvement est de {expected}.", "The details of movement {statement_line} add up to {found}, the movement is {expected}.")
COUNT = _rule(24, "error", "Het bestand kondigt {expected} lijnen aan, er zijn er {found}: lijnen gingen verloren of kwamen erbij.", "Le fichier annonce {expected} lignes, il y en a {found} : des lignes manquent ou s'ajoutent.", "The file announces {expected} lines, {found} are present: lines were lost or added.")
TOTALS = _rule(25, "error", "Het bestand kondigt {expected} aan (uit / in); de lijnen geven {found}.", "Le fichier annonce {expected} (sorties / entrées) ; les lignes donnent {found}.", "The file announces {expected} (out / in); the lines add up to {found}.")
BALANCE = _rule(26, "error", "Beginsaldo plus bewegingen geeft {expected}, maar het eindsaldo is {found} (verschil {difference}).", "Le solde initial plus les mouvements donne {expected}, mais le solde final est {found} (différence {difference}).", "Opening balance plus movements gives {expected}, but the closing balance is {found} (difference {difference}).")
MULTIPLE = _rule(27, "information", "De code voor meer bestanden is '{found}' waar '{expected}' hoort.", "Le code de fichiers multiples est « {found} » au lieu de « {expected} ».", "The multiple-file code is '{found}' where '{expected}' belongs.")
RESERVED = _rule(28, "warning", "Lijn {line}, vanaf positie {column}: onverwachte tekst '{found}'.", "Ligne {line}, à partir de la position {column} : texte inattendu « {found} ».", "Line {line}, from position {column}: unexpected text '{found}'.")
CONTINUITY = _rule(29, "warning", "Statement {found} sluit niet aan op het vorige ({expected}): {difference}.", "L'extrait {found} ne suit pas le précédent ({expected}) : {difference}.", "Statement {found} does not follow the previous one ({expected}): {difference}.")
DUPLICATE = _rule(30, "warning", "Statement {found} staat er twee keer.", "L'extrait {found} figure deux fois.", "Statement {found} is there twice.")
PARTIAL = _rule(31, "warning", "Dit bestand bevat slechts een deel van de bewegingen (toepassing {found}) en bewijst geen saldo.", "Ce fichier ne contient qu'une partie des mouvements (application {found}) et ne prouve aucun solde.", "This file holds only part of the account's movements (application {found}) and proves no balance.")
PERIOD = _rule(32, "warning", "Lijn {line}: boekingsdatum {found} valt buiten de periode van het statement.", "Ligne {line} : la date comptable {found} est hors de la période de l'extrait.", "Line {line}: booking date {found} is outside the statement's period.")
NO_CLOSING = _rule(33, "warning", "Het eindsaldo ontbreekt.", "Le solde final manque.", "The closing balance is missing.")
# fmt: on


def found_at(rule: Rule, line: int | None, column: int, statement: int, **facts: object) -> Finding:
    """Return the finding that a rule does not hold at a place; ``facts`` fill the places in its sentence."""
    named: dict[str, object] = {"line": line or 0, "column": column, "statement": statement, **facts}
    message = Sentence(*(_filled(rule.sentence, named, language) for language in ("nl", "fr", "en")))
    found = facts.get("found")
    return Finding(
        rule.id, rule.severity, message, line, column, None, None if found is None else str(found), statement
    )


def _filled(sentence: Sentence, facts: dict[str, object], language: str) -> str:
    shown = {
        name: getattr(value, language) if isinstance(value, Sentence) else _shown(value)
        for name, value in facts.items()
    }
    return str(getattr(sentence, language).format(**shown))


def _shown(value: object) -> str:
    return str(value).replace("{", "(").replace("}", ")")
