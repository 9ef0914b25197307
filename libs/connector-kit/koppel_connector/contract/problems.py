"""Problems as data (P6): a code, one sentence in each language, who can fix it, and whether it blocks.

A connector brings a catalogue of its own; the kit's generic one stands behind it. Sentences may name parameters
(``{code}``); a parameter that was not given is shown as an ellipsis, never as an error.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from koppel_mesh.messages import LocalisedText, ProblemData, WhoCanFix

from .storable import storable

Role = Literal["accountant", "entrepreneur", "operator", "partner", "koppel"]


@dataclass(frozen=True)
class ProblemKind:
    """One line of a catalogue."""

    code: str
    who_can_fix: Role
    nl: str
    fr: str
    en: str
    blocks: bool = False
    """The delivery waits for a person and spends no attempt; otherwise the problem ends it as failed."""
    degrades: bool = False
    """The whole connection has this problem, not one document: it shows as ``degraded`` until a document is accepted, an
    import or a check succeeds, or settings change."""
    outlasts_acceptance: bool = False
    """A document that is accepted does not end what ``degrades``: where nothing is read back, it may come back all the same."""


class Problem:
    """A reference into the catalogue, with the particulars of this case.

    ``detail`` is the vendor's own words, shown beside our sentence.
    """

    def __init__(self, code: str, detail: str | None = None, **params: object) -> None:
        self.code = code
        self.detail = detail
        self.params = params

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Problem) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((self.code, self.detail))

    def __repr__(self) -> str:
        return f"Problem({self.code!r}, detail={self.detail!r}, {self.params})"

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}" if self.detail else self.code


def internal(error: Exception) -> Problem:
    """Return the problem of a bug: its kind and no more, for what it says may hold anything; the log has it whole."""
    return Problem("internal", type(error).__name__)


class ProblemCatalogue(Mapping[str, ProblemKind]):
    """Code → line. Codes are unique; a connector's line wins over the kit's of the same code."""

    def __init__(self, kinds: Iterable[ProblemKind] = ()) -> None:
        self._kinds: dict[str, ProblemKind] = {}
        for kind in kinds:
            if kind.code in self._kinds:
                raise ValueError(f"problem {kind.code!r} is defined twice")
            self._kinds[kind.code] = kind

    def __getitem__(self, code: str) -> ProblemKind:
        return self._kinds[code]

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)

    def over(self, generic: "ProblemCatalogue") -> "ProblemCatalogue":
        """Return both catalogues as one."""
        return ProblemCatalogue({**generic._kinds, **self._kinds}.values())

    def kind_of(self, problem: Problem) -> ProblemKind:
        """Return the line of ``problem``; an unknown code is a bug of ours and is shown as such, never as a crash."""
        return self._kinds.get(problem.code) or self._kinds.get("internal") or _INTERNAL

    def render(self, problem: Problem) -> ProblemData:
        """Return ``problem`` as it travels in messages and answers."""
        kind = self.kind_of(problem)
        params = _Forgiving(problem.params)
        nl, fr, en = (storable(sentence.format_map(params)) for sentence in (kind.nl, kind.fr, kind.en))
        return ProblemData(
            code=problem.code,
            message=LocalisedText(nl=nl, fr=fr, en=en),
            who_can_fix=WhoCanFix(kind.who_can_fix),
            detail=storable(problem.detail),
        )


class _Forgiving(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "…"


_INTERNAL = ProblemKind(
    "internal",
    "koppel",
    nl="Er liep iets mis bij Koppel; wij zijn verwittigd en proberen opnieuw.",
    fr="Une erreur est survenue chez Koppel ; nous sommes prévenus et nous réessayons.",
    en="Something went wrong at Koppel. We have been notified and will try again.",
    outlasts_acceptance=True,
)

# ruff: noqa: E501 - a sentence stays on one line, beside its translations
GENERIC = ProblemCatalogue(
    (
        _INTERNAL,
        ProblemKind(
            "reauthorise",
            "accountant",
            nl="De koppeling met {vendor} is verlopen of ingetrokken. Maak opnieuw verbinding.",
            fr="La liaison avec {vendor} a expiré ou a été révoquée. Reconnectez-vous.",
            en="The connection with {vendor} has expired or was withdrawn. Connect again.",
            blocks=True,
            degrades=True,
        ),
        ProblemKind(
            "not_connected",
            "accountant",
            nl="De verbinding met {vendor} is nog niet afgerond. Log in bij {vendor} om ze te voltooien.",
            fr="La connexion avec {vendor} n'est pas terminée. Connectez-vous à {vendor} pour l'achever.",
            en="The connection with {vendor} is not finished. Log in at {vendor} to complete it.",
            blocks=True,
        ),
        ProblemKind(
            "misconfigured",
            "operator",
            nl="{vendor} aanvaardt de registratie van Koppel niet. De beheerder moet de instellingen nakijken; probeer daarna opnieuw.",
            fr="{vendor} n'accepte pas l'enregistrement de Koppel. L'administrateur doit vérifier la configuration ; réessayez ensuite.",
            en="{vendor} does not accept Koppel's registration. The operator must check the settings; then try again.",
            blocks=True,
            degrades=True,
        ),
        ProblemKind(
            "secret_key_missing",
            "operator",
            nl="De koppeling is versleuteld met sleutel {wanted}; Koppel heeft enkel {given}. Geef die sleutel terug.",
            fr="Les données de la liaison sont chiffrées avec la clé {wanted} ; Koppel n'a que {given}. Rendez-lui cette clé.",
            en="The secrets of the connection are encrypted with key {wanted}; Koppel holds only {given}. Give that key back.",
            blocks=True,
        ),
        ProblemKind(
            "secrets_damaged",
            "accountant",
            nl="De geheime instellingen van de koppeling (zoals het wachtwoord) zijn beschadigd. Vul ze opnieuw in.",
            fr="Les paramètres secrets de la liaison (comme le mot de passe) sont endommagés. Saisissez-les de nouveau.",
            en="The secret settings of the connection (such as the password) are damaged. Enter them again.",
            blocks=True,
            degrades=True,
        ),
        ProblemKind(
            "grant_damaged",
            "accountant",
            nl="De toegang tot {vendor} die Koppel bewaart, is beschadigd. Maak opnieuw verbinding.",
            fr="L'accès à {vendor} que Koppel conserve est endommagé. Reconnectez-vous.",
            en="The access to {vendor} that Koppel keeps is damaged. Connect again.",
            blocks=True,
            degrades=True,
        ),
        ProblemKind(
            "settings_missing",
            "accountant",
            nl="Vul eerst deze instellingen van de koppeling in: {missing}.",
            fr="Complétez d'abord ces paramètres de la liaison : {missing}.",
            en="Fill in these settings of the connection first: {missing}.",
            blocks=True,
        ),
        ProblemKind(
            "kind_not_taken",
            "accountant",
            nl="Deze koppeling met {vendor} neemt dit soort document niet aan. Kies waar het heen moet in de instellingen, maak er een andere koppeling voor, of laat het document hier vervallen.",
            fr="Cette liaison avec {vendor} n'accepte pas ce type de document. Choisissez sa destination dans les paramètres, créez une autre liaison pour lui, ou abandonnez ici ce document.",
            en="This connection with {vendor} takes no documents of this kind. Choose where they go in its settings, make another connection for them, or abandon the document here.",
            blocks=True,
        ),
        ProblemKind(
            "connection_removed",
            "accountant",
            nl="De koppeling is verwijderd; dit document is niet verstuurd. Maak een andere koppeling en exporteer het opnieuw.",
            fr="La liaison a été supprimée ; ce document n'a pas été envoyé. Créez une autre liaison et exportez-le de nouveau.",
            en="The connection was removed; this document was not sent. Make another connection and export it again.",
        ),
        ProblemKind(
            "rate_limited_long",
            "operator",
            nl="{vendor} laat voor dit dossier nu geen oproepen meer toe. We gaan vanzelf verder om {until}.",
            fr="{vendor} n'accepte plus d'appels pour ce dossier pour l'instant. Reprise automatique à {until}.",
            en="{vendor} allows no more calls for this dossier for now. We continue automatically at {until}.",
        ),
        ProblemKind(
            "window_nearly_used",
            "operator",
            nl="{used} van de {capacity} oproepen die {vendor} toelaat, zijn gebruikt. Wat meer is, wacht tot {until}.",
            fr="{used} des {capacity} appels que {vendor} accepte sont utilisés. Le reste attendra {until}.",
            en="{used} of the {capacity} calls that {vendor} allows are used. What comes beyond them waits until {until}.",
        ),
        ProblemKind(
            "vendor_unavailable",
            "operator",
            nl="{vendor} is niet bereikbaar of antwoordt met een storing. We proberen vanzelf opnieuw.",
            fr="{vendor} est injoignable ou répond par une panne. Nous réessayons automatiquement.",
            en="{vendor} cannot be reached or is failing. We try again automatically.",
        ),
        ProblemKind(
            "retries_exhausted",
            "operator",
            nl="{vendor} bleef weigeren, ook na alle herhalingen. Kijk de laatste melding na en probeer opnieuw.",
            fr="{vendor} a continué à refuser après toutes les tentatives. Vérifiez le dernier message et réessayez.",
            en="{vendor} kept refusing after every retry. Look at the last message and try again.",
        ),
        ProblemKind(
            "rejected_by_vendor",
            "accountant",
            nl="{vendor} weigert dit document. Neem de reden weg en probeer opnieuw.",
            fr="{vendor} refuse ce document. Supprimez la raison et réessayez.",
            en="{vendor} refuses this document. Remove the reason and try again.",
        ),
        ProblemKind(
            "forbidden_by_vendor",
            "accountant",
            nl="De gebruiker van de koppeling mist een recht in {vendor}. Geef dat recht en probeer opnieuw.",
            fr="L'utilisateur de la liaison n'a pas le droit nécessaire dans {vendor}. Accordez-le et réessayez.",
            en="The user of the connection lacks a right in {vendor}. Grant it and try again.",
            blocks=True,
            degrades=True,
        ),
        ProblemKind(
            "exported_not_booked",
            "accountant",
            nl="Het document is in {vendor} aangekomen maar nog niet geboekt. Kijk het na in {vendor} en probeer opnieuw.",
            fr="Le document est arrivé dans {vendor} mais n'est pas encore comptabilisé. Vérifiez dans {vendor} et réessayez.",
            en="The document has arrived in {vendor} but is not booked yet. Check it in {vendor} and try again.",
        ),
        ProblemKind(
            "unknown_outcome_review",
            "accountant",
            nl="We weten niet zeker of dit document in {vendor} staat. Kijk het na en zeg of het geboekt is, opnieuw verstuurd moet worden of vervalt.",
            fr="Nous ne savons pas si ce document se trouve dans {vendor}. Vérifiez, et indiquez s'il est comptabilisé, à renvoyer ou abandonné.",
            en="We are not sure whether this document is in {vendor}. Check, and say that it is booked, must be sent again, or is abandoned.",
            blocks=True,
        ),
        ProblemKind(
            "found_twice",
            "accountant",
            nl="Dit document staat meer dan één keer in {vendor}. Verwijder daar de dubbele boeking en zeg daarna dat het document geboekt is.",
            fr="Ce document figure plusieurs fois dans {vendor}. Supprimez-y l'écriture en double, puis indiquez que le document est comptabilisé.",
            en="This document is in {vendor} more than once. Remove the double entry there, and then say that the document is booked.",
            blocks=True,
        ),
        ProblemKind(
            "vanished_at_vendor",
            "accountant",
            nl="De boeking van dit document is in {vendor} niet meer te vinden. Zeg of het document opnieuw verstuurd moet worden of vervalt.",
            fr="L'écriture de ce document est introuvable dans {vendor}. Indiquez s'il faut renvoyer le document ou l'abandonner.",
            en="The entry of this document can no longer be found in {vendor}. Say whether to send the document again or to abandon it.",
            blocks=True,
        ),
        ProblemKind(
            "already_booked_other_revision",
            "accountant",
            nl="Een vorige versie van dit document staat mogelijk al in {vendor}. Zeg of de nieuwe ook verstuurd moet worden of vervalt.",
            fr="Une version précédente de ce document est peut-être déjà dans {vendor}. Indiquez s'il faut aussi envoyer la nouvelle ou l'abandonner.",
            en="An earlier version of this document may be in {vendor} already. Say whether to send the new one too or to abandon it.",
            blocks=True,
        ),
        ProblemKind(
            "already_booked_other_connection",
            "accountant",
            nl="Dit document staat via een andere koppeling al in {vendor}. Zeg of het nog eens verstuurd moet worden of vervalt.",
            fr="Ce document se trouve déjà dans {vendor} par une autre liaison. Indiquez s'il faut l'envoyer à nouveau ou l'abandonner.",
            en="This document is already in {vendor}, sent through another connection. Say whether to send it again or to abandon it.",
            blocks=True,
        ),
        ProblemKind(
            "entry_in_books",
            "accountant",
            nl="Dit document staat wellicht al in de boeken van {vendor}, als boeking {entry}, die Koppel niet maakte."
            " Zeg dat het daar geboekt is, of laat het toch versturen.",
            fr="Ce document figure sans doute déjà dans les livres de {vendor}, comme écriture {entry}, que Koppel n'a pas"
            " créée. Dites qu'il y est comptabilisé, ou faites-le envoyer quand même.",
            en="This document seems to stand in the books of {vendor} already, as entry {entry}, which Koppel did not make."
            " Say that it is booked there, or have it sent all the same.",
            blocks=True,
        ),
        ProblemKind(
            "entry_alike_in_books",
            "accountant",
            nl="In {vendor} staat een boeking van een ander met hetzelfde nummer en dezelfde relatie, maar met een andere datum"
            " of een ander bedrag. Kijk na of het document niet dubbel geboekt is.",
            fr="{vendor} contient une écriture d'un tiers avec le même numéro et la même relation, mais à une autre date ou pour"
            " un autre montant. Vérifiez que le document n'est pas comptabilisé deux fois.",
            en="{vendor} holds an entry of somebody else with the same number and relation, but with another date or amount."
            " Check that the document is not booked twice.",
        ),
        ProblemKind(
            "books_not_searched",
            "accountant",
            nl="Koppel kon niet nagaan of iemand dit document al met de hand in {vendor} boekte. De reden staat hieronder.",
            fr="Koppel n'a pas pu vérifier si quelqu'un a déjà comptabilisé ce document à la main dans {vendor}. La raison"
            " figure ci-dessous.",
            en="Koppel could not check whether somebody booked this document in {vendor} by hand already. The reason is given"
            " below.",
        ),
        ProblemKind(
            "changed_after_booking",
            "accountant",
            nl="De boeking werd in {vendor} gewijzigd nadat ze geboekt was; het verschil staat hieronder. Klopt de wijziging, zeg"
            " dan opnieuw dat het document geboekt is.",
            fr="L'écriture a été modifiée dans {vendor} après sa comptabilisation ; la différence figure ci-dessous. Si la"
            " modification est voulue, dites à nouveau que le document est comptabilisé.",
            en="The entry was changed in {vendor} after it was booked; the difference is given below. If the change is right,"
            " say again that the document is booked.",
        ),
        ProblemKind(
            "rights_missing",
            "accountant",
            nl="De gebruiker van de koppeling, {user}, mist in deze boekhouding van {vendor} rechten: {rights}. Geef ze daar, en"
            " importeer opnieuw.",
            fr="L'utilisateur de la liaison, {user}, n'a pas tous les droits dans ce dossier de {vendor} : {rights}. Accordez-les"
            " là-bas, puis relancez l'importation.",
            en="The user of the connection, {user}, is missing rights in these books of {vendor}: {rights}. Grant them there, and"
            " import again.",
        ),
        ProblemKind(
            "totals_differ",
            "accountant",
            nl="De boeking in {vendor} heeft een ander totaal ({booked}) dan het document ({expected}). Verbeter de boeking en zeg daarna dat het document geboekt is.",
            fr="L'écriture dans {vendor} a un autre total ({booked}) que le document ({expected}). Corrigez l'écriture, puis indiquez que le document est comptabilisé.",
            en="The entry in {vendor} has another total ({booked}) than the document ({expected}). Correct the entry, and then say that the document is booked.",
            blocks=True,
        ),
        ProblemKind(
            "document_unavailable",
            "koppel",
            nl="Het document kon niet worden gelezen. We proberen vanzelf opnieuw.",
            fr="Le document n'a pas pu être lu. Nous réessayons automatiquement.",
            en="The document could not be read. We try again automatically.",
        ),
        ProblemKind(
            "document_gone",
            "entrepreneur",
            nl="Het document bestaat niet meer; er is niets verstuurd. Lever het opnieuw in als het nodig is.",
            fr="Le document n'existe plus ; rien n'a été envoyé. Déposez-le de nouveau si nécessaire.",
            en="The document no longer exists; nothing was sent. Hand it in again if it is needed.",
        ),
        ProblemKind(
            "too_many_errors",
            "operator",
            nl="Te veel fouten na elkaar bij {vendor}; we wachten tot {until} om een blokkering te vermijden.",
            fr="Trop d'erreurs de suite chez {vendor} ; nous attendons {until} pour éviter un blocage.",
            en="Too many errors in a row at {vendor}; we wait until {until} to avoid being blocked.",
        ),
    )
)
