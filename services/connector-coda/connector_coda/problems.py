"""Why a statement does not go on, in three languages (P6)."""

from koppel_connector.contract import Problem, ProblemCatalogue, ProblemKind
from koppel_mesh.messages import ProblemData

CATALOGUE = ProblemCatalogue(
    (
        ProblemKind(
            "statement_gap",
            "accountant",
            nl="Voor uittreksel {statement} van rekening {account} ontbreekt er iets: {missing_nl}. Het vorige, {before},"
            " sloot op"
            " {closing}; dit opent op {opening}. Bezorg wat ontbreekt, of aanvaard het hiaat met een reden.",
            fr="Il manque quelque chose avant l'extrait {statement} du compte {account} : {missing_fr}. Le précédent,"
            " {before}, clôture à"
            " {closing} ; celui-ci s'ouvre à {opening}. Fournissez ce qui manque, ou acceptez la lacune avec une raison.",
            en="Something is missing before statement {statement} of account {account}: {missing_en}. The one before,"
            " {before}, closed at"
            " {closing}; this one opens at {opening}. Hand in what is missing, or accept the gap with a reason.",
            blocks=True,
        ),
        ProblemKind(
            "statement_overlap",
            "accountant",
            nl="Uittreksel {statement} van rekening {account} overlapt met uittreksel {other}. Bezorg een bestand met alleen"
            " wat nog"
            " niet ontvangen is, of laat dit bestand toch gaan met een reden.",
            fr="L'extrait {statement} du compte {account} chevauche l'extrait {other}. Fournissez un fichier avec seulement ce"
            " qui"
            " n'a pas encore été reçu, ou laissez partir celui-ci avec une raison.",
            en="Statement {statement} of account {account} overlaps with statement {other}. Hand in a file with only what was not"
            " received yet, or let this one go all the same with a reason.",
            blocks=True,
        ),
        ProblemKind(
            "statement_duplicate",
            "accountant",
            nl="Uittreksel {statement} van rekening {account} is al ontvangen in een ander bestand. Er moet niets meer"
            " gebeuren; staat"
            " er nog meer in dit bestand, bezorg dat dan apart, of laat dit bestand toch gaan met een reden.",
            fr="L'extrait {statement} du compte {account} a déjà été reçu dans un autre fichier. Rien de plus n'est nécessaire"
            " ; si ce"
            " fichier en contient d'autres, fournissez-les séparément, ou laissez partir celui-ci avec une raison.",
            en="Statement {statement} of account {account} was already received in another file. Nothing more is needed; if"
            " there are"
            " others in this file, hand them in by themselves, or let this file go all the same with a reason.",
            blocks=True,
        ),
        ProblemKind(
            "statement_late",
            "accountant",
            nl="Uittreksel {statement} van rekening {account} kwam nadat latere uittreksels al doorgegeven waren. Boek het met"
            " de hand,"
            " of laat het alsnog gaan met een reden.",
            fr="L'extrait {statement} du compte {account} est arrivé après la transmission d'extraits ultérieurs."
            " Comptabilisez-le à la"
            " main, ou laissez-le partir avec une raison.",
            en="Statement {statement} of account {account} came after later statements had been passed on. Book it by hand, or"
            " let it"
            " go after all with a reason.",
            blocks=True,
        ),
        ProblemKind(
            "statement_incorrect",
            "accountant",
            nl="Uittreksel {statement} van rekening {account} klopt niet: {fault_nl} Vraag het opnieuw aan de bank, of laat"
            " het toch gaan"
            " met een reden.",
            fr="L'extrait {statement} du compte {account} n'est pas correct : {fault_fr} Redemandez-le à la banque, ou"
            " laissez-le partir"
            " avec une raison.",
            en="Statement {statement} of account {account} is not right: {fault_en} Ask the bank for it again, or let it go"
            " all the same"
            " with a reason.",
            blocks=True,
        ),
        ProblemKind(
            "statement_partial",
            "accountant",
            nl="Dit bestand bevat maar een deel van de bewegingen van rekening {account} en bewijst geen saldo. Het wordt niet"
            " doorgegeven, tenzij u het met een reden laat gaan.",
            fr="Ce fichier ne contient qu'une partie des mouvements du compte {account} et ne prouve aucun solde. Il n'est pas"
            " transmis, sauf si vous le laissez partir avec une raison.",
            en="This file holds only part of the movements of account {account} and proves no balance. It is not passed on"
            " unless you"
            " let it go with a reason.",
            blocks=True,
        ),
        ProblemKind(
            "statement_not_exported",
            "accountant",
            nl="Uittreksel {statement} van rekening {account} gaat na uittreksel {other}, en dat is nog niet geëxporteerd of"
            " goedgekeurd. Exporteer of keur ook dat goed.",
            fr="L'extrait {statement} du compte {account} part après l'extrait {other}, qui n'est pas encore exporté ou approuvé."
            " Exportez ou approuvez-le aussi.",
            en="Statement {statement} of account {account} goes after statement {other}, which is not exported or approved yet."
            " Export or approve that one too.",
            blocks=True,
        ),
        ProblemKind(
            "statement_unreadable",
            "koppel",
            nl="Dit bestand kan niet als CODA gelezen worden. Vraag het opnieuw aan de bank en bezorg dat.",
            fr="Ce fichier ne peut pas être lu comme CODA. Redemandez-le à la banque et fournissez-le.",
            en="This file cannot be read as CODA. Ask the bank for it again and hand that in.",
            blocks=True,
        ),
        ProblemKind(
            "statements_crossed",
            "accountant",
            nl="Dit bestand en een ander wachten op elkaar: elk bevat een uittreksel dat voor een van het andere komt. Laat er"
            " een gaan"
            " met een reden.",
            fr="Ce fichier et un autre s'attendent : chacun contient un extrait qui précède un extrait de l'autre. Laissez-en"
            " partir un"
            " avec une raison.",
            en="This file and another one wait for each other: each holds a statement that comes before one of the other. Let"
            " one go"
            " with a reason.",
            blocks=True,
        ),
        ProblemKind(
            "account_unknown",
            "accountant",
            nl="Rekening {account} van {holder} hoort nog bij geen dossier. Bevestig dat ze bij {dossier} hoort.",
            fr="Le compte {account} de {holder} n'appartient encore à aucun dossier. Confirmez qu'il appartient à {dossier}.",
            en="Account {account} of {holder} belongs to no dossier yet. Confirm that it belongs to {dossier}.",
            blocks=True,
        ),
        ProblemKind(
            "account_withdrawn",
            "accountant",
            nl="Rekening {account} is uit dossier {dossier} weggenomen. Bezorg het uittreksel in het juiste dossier, of"
            " bevestig de"
            " rekening hier opnieuw.",
            fr="Le compte {account} a été retiré du dossier {dossier}. Fournissez l'extrait dans le bon dossier, ou confirmez de"
            " nouveau le compte ici.",
            en="Account {account} was taken away from dossier {dossier}. Hand the statement in at the right dossier, or"
            " confirm the"
            " account here again.",
            blocks=True,
        ),
        ProblemKind(
            "account_of_other_holder",
            "accountant",
            nl="Rekening {account} is van {holder}, dit dossier is van {dossier}. Bezorg het uittreksel in het juiste dossier,"
            " of bevestig"
            " dat de rekening hier hoort.",
            fr="Le compte {account} est de {holder}, ce dossier est de {dossier}. Fournissez l'extrait dans le bon dossier, ou"
            " confirmez"
            " que le compte appartient à celui-ci.",
            en="Account {account} is held by {holder}, this dossier is of {dossier}. Hand the statement in at the right"
            " dossier, or"
            " confirm that the account belongs here.",
            blocks=True,
        ),
        ProblemKind(
            "account_of_other_dossier",
            "accountant",
            nl="Rekening {account} hoort bij dossier {dossier}. Bezorg het uittreksel daar.",
            fr="Le compte {account} appartient au dossier {dossier}. Fournissez-y l'extrait.",
            en="Account {account} belongs to dossier {dossier}. Hand the statement in there.",
            blocks=True,
        ),
        ProblemKind(
            "account_of_other_firm",
            "accountant",
            nl="Rekening {account} hoort bij een dossier van een ander kantoor. Alleen een uittreksel met het"
            " ondernemingsnummer van dit"
            " dossier kan ze hier brengen.",
            fr="Le compte {account} appartient à un dossier d'un autre bureau. Seul un extrait portant le numéro d'entreprise"
            " de ce"
            " dossier peut l'amener ici.",
            en="Account {account} belongs to a dossier of another firm. Only a statement with the enterprise number of this"
            " dossier can"
            " bring it here.",
            blocks=True,
        ),
    )
)


def render(problem: Problem) -> ProblemData:
    """Return a problem in three languages."""
    return CATALOGUE.render(problem)
