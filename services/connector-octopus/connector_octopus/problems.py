"""Every problem this connector can report: a sentence for the person who can fix it, in the portal's three languages.

Data, not code. ``blocks`` says that the delivery waits for that person and burns no attempt; the others end it as failed, to be
retried by hand. Menu paths follow the vendor's and integrators' help pages (octopus §4; R101–R105).
"""

from typing import Final

from koppel_connector.contract import ProblemCatalogue, ProblemKind, Role
from koppel_connector.mail.problems import BOUNCES

ACCOUNTANT: Final[Role] = "accountant"
ENTREPRENEUR: Final[Role] = "entrepreneur"
OPERATOR: Final[Role] = "operator"
KOPPEL: Final[Role] = "koppel"

# Problems of the connection, not of one document.
_WHOLE_CONNECTION: Final = frozenset(
    {"missing_right", "wrong_password", "software_house_unknown", "dossier_disabled", "dossier_not_listed"}
)


def _problem(code: str, who_can_fix: Role, blocks: bool, nl: str, fr: str, en: str) -> ProblemKind:
    return ProblemKind(code, who_can_fix, nl=nl, fr=fr, en=en, blocks=blocks, degrades=code in _WHOLE_CONNECTION)


# ruff: noqa: E501 - a sentence stays on one line, beside its translations
# fmt: off
PROBLEMS: Final = ProblemCatalogue((
    *BOUNCES.values(),
    # ── being let in (octopus §1, §4) ──
    _problem("wrong_password", ACCOUNTANT, True,
         "Octopus aanvaardt de gebruiker of het wachtwoord niet. Koppel probeert niet opnieuw, want Octopus blokkeert de gebruiker na enkele pogingen. Vul gebruiker en wachtwoord opnieuw in bij de instellingen van de koppeling.",
         "Octopus refuse l’utilisateur ou le mot de passe. Koppel ne réessaie pas, car Octopus bloque l’utilisateur après quelques tentatives. Saisissez à nouveau l’utilisateur et le mot de passe dans les paramètres de la liaison.",
         "Octopus refuses the user or the password. Koppel does not try again, because Octopus blocks the user after some attempts. Enter user and password again in the settings of the connection."),
    _problem("software_house_unknown", OPERATOR, True,
         "Octopus kent de identificatie van Koppel als softwarehuis niet, of heeft ze uitgeschakeld. De beheerder van Koppel kijkt KOPPEL_OCTOPUS_SOFTWARE_HOUSE_UUID na, vraagt ze zo nodig aan bij Octopus, en probeert opnieuw.",
         "Octopus ne connaît pas l’identification de Koppel comme éditeur de logiciels, ou l’a désactivée. Le gestionnaire de Koppel vérifie KOPPEL_OCTOPUS_SOFTWARE_HOUSE_UUID, la demande si nécessaire à Octopus, et réessaye.",
         "Octopus does not know Koppel’s identification as a software house, or has disabled it. Koppel’s operator checks KOPPEL_OCTOPUS_SOFTWARE_HOUSE_UUID, asks Octopus for it if need be, and has it try again."),
    _problem("missing_right", ACCOUNTANT, True,
         "Octopus weigert de toegang via webservices. Laat het kantoor de module Webservice bestellen (Dossier → Bestellen → Webservice), en vink dan bij de gebruiker van de koppeling “Toegang tot webservice” aan: Beheer → Gebruikers → Rechten. Probeer daarna opnieuw.",
         "Octopus refuse l’accès par webservices. Faites commander le module Webservice par le bureau (Dossier → Commander → Webservice), puis cochez « Accès au webservice » pour l’utilisateur de la liaison : Gestion → Utilisateurs → Droits. Réessayez ensuite.",
         "Octopus refuses access by web services. Have the office order the Webservice module (Dossier → Order → Webservice), then tick “Access to webservice” for the user of the connection: Manage → Users → Rights. Then retry."),
    _problem("dossier_not_listed", ACCOUNTANT, True,
         "De gebruiker van de koppeling ziet dit dossier niet in Octopus. Geef de gebruiker toegang: Beheer → Gebruikers → Rechten, en vink “Toegang tot webservice” aan; of kies een ander dossier.",
         "L’utilisateur de la liaison ne voit pas ce dossier dans Octopus. Donnez-lui l’accès : Gestion → Utilisateurs → Droits, et cochez « Accès au webservice » ; ou choisissez un autre dossier.",
         "The user of the connection does not see this dossier in Octopus. Grant access: Manage → Users → Rights, and tick “Access to webservice”; or choose another dossier."),
    _problem("dossier_disabled", ACCOUNTANT, True,
         "Dit dossier is uitgeschakeld in Octopus. Activeer het bij Beheer → Dossiers, of neem contact op met Octopus, en probeer opnieuw.",
         "Ce dossier est désactivé dans Octopus. Activez-le sous Gestion → Dossiers, ou contactez Octopus, et réessayez.",
         "This dossier is disabled in Octopus. Enable it at Manage → Dossiers, or contact Octopus, and retry."),
    # ── bookyear, period, journal (octopus §3, §4) ──
    _problem("financial_year_missing", ACCOUNTANT, True,
         "Octopus heeft geen boekjaar voor de datum van dit document. Maak het aan bij Beheer → Boekjaren en probeer opnieuw.",
         "Octopus n’a pas d’exercice pour la date de ce document. Créez-le sous Gestion → Exercices et réessayez.",
         "Octopus has no bookyear for the date of this document. Create it at Manage → Bookyears and retry."),
    _problem("bookyear_not_imported", ACCOUNTANT, True,
         "Dit boekjaar is nieuw, of was afgesloten toen Koppel de rekeningen inlas. Koppel leest ze opnieuw in en gaat dan vanzelf verder; lukt dat niet, open dan het boekjaar in Octopus (Beheer → Boekjaren) en start de import.",
         "Cet exercice est nouveau, ou était clôturé lorsque Koppel a importé les comptes. Koppel les importe à nouveau et reprend ensuite de lui-même ; sinon, ouvrez l’exercice dans Octopus (Gestion → Exercices) et lancez l’importation.",
         "This bookyear is new, or was closed when Koppel imported the accounts. Koppel imports them again and then goes on by itself; if it does not, open the bookyear in Octopus (Manage → Bookyears) and start the import."),
    _problem("period_closed", ACCOUNTANT, True,
         "De periode van dit document is in Octopus afgesloten of beveiligd in dit dagboek. Open ze bij Beheer → Dagboeken, “afgesloten/beveiligd tot periode”, en probeer opnieuw.",
         "La période de ce document est clôturée ou protégée dans ce journal d’Octopus. Rouvrez-la sous Gestion → Journaux, « clôturé/protégé jusqu’à la période », et réessayez.",
         "The period of this document is closed or protected in this journal of Octopus. Reopen it at Manage → Journals, “closed/secured until period”, and retry."),
    _problem("journal_unknown", ACCOUNTANT, True,
         "Dit dagboek bestaat niet in het boekjaar. Kies een ander; is het pas gemaakt, synchroniseer dan eerst in Octopus (Bestand → Synchroniseren) en importeer opnieuw.",
         "Ce journal n’existe pas dans l’exercice. Choisissez-en un autre ; s’il vient d’être créé, synchronisez d’abord dans Octopus (Fichier → Synchroniser) et relancez l’importation.",
         "This journal does not exist in the bookyear. Choose another; if it was made just now, first synchronise in Octopus (File → Synchronise) and import again."),
    _problem("journal_blocked", ACCOUNTANT, True,
         "Dit dagboek is afgesloten in Octopus. Open het opnieuw via Beheer → Dagboeken en probeer opnieuw, of kies een ander dagboek in de instellingen van de koppeling.",
         "Ce journal est clôturé dans Octopus. Rouvrez-le via Gestion → Journaux et réessayez, ou choisissez un autre journal dans les paramètres de la liaison.",
         "This journal is closed in Octopus. Reopen it at Manage → Journals and retry, or choose another journal in the settings of the connection."),
    _problem("journal_wrong_type", ACCOUNTANT, True,
         "Dit dagboek is van een andere soort dan dit document: verkopen gaan naar een dagboek V, aankopen naar een dagboek A. Bekijk ze via Beheer → Dagboeken en kies het juiste in de instellingen van de koppeling.",
         "Ce journal est d’une autre sorte que ce document : les ventes vont vers un journal V, les achats vers un journal A. Consultez-les sous Gestion → Journaux et choisissez le bon dans les paramètres de la liaison.",
         "This journal is of another kind than this document: sales go to a journal V, purchases to a journal A. See them at Manage → Journals and choose the right one in the settings of the connection."),
    _problem("masters_missing", ACCOUNTANT, True,
         "Dagboeken, rekeningen of btw-codes van Octopus zijn nog niet ingelezen, of de gebruiker mag ze niet lezen. Kijk zijn rechten na (Beheer → Gebruikers → Rechten), synchroniseer Octopus (Bestand → Synchroniseren) en start de import.",
         "Les journaux, comptes ou codes TVA d’Octopus ne sont pas encore importés, ou l’utilisateur ne peut pas les lire. Vérifiez ses droits (Gestion → Utilisateurs → Droits), synchronisez Octopus (Fichier → Synchroniser) et lancez l’importation.",
         "Journals, accounts or VAT codes of Octopus were not imported yet, or the user may not read them. Check the user’s rights (Manage → Users → Rights), synchronise Octopus (File → Synchronise) and start the import."),
    _problem("journal_held", ACCOUNTANT, False,
         "Een collega werkt in dit dagboek, of een sessie is vastgelopen. Koppel probeert vanzelf opnieuw; is er niemand aan het werk, geef het dagboek dan vrij bij Beheer → Dagboeken, “dagboek vrijgeven”, en probeer opnieuw.",
         "Un collègue travaille dans ce journal, ou une session est bloquée. Koppel recommence de lui-même ; si personne n’y travaille, libérez le journal sous Gestion → Journaux, « libérer le journal », et réessayez.",
         "A colleague works in this journal, or a session has hung. Koppel tries again by itself; if nobody is at work, release the journal at Manage → Journals, “release journal”, and retry."),
    _problem("journal_for_invoices", ACCOUNTANT, True,
         "Dit dagboek staat in Octopus op facturen in plaats van op boekingen. Zet “wijze van ingave” op boekingen bij Beheer → Dagboeken, of kies een ander dagboek.",
         "Ce journal d’Octopus est réglé sur des factures et non sur des écritures. Réglez le « mode de saisie » sur écritures sous Gestion → Journaux, ou choisissez un autre journal.",
         "This journal of Octopus is set to invoices instead of bookings. Set “entry type” to bookings at Manage → Journals, or choose another journal."),
    # ── currency, relation, amounts ──
    _problem("currency_needs_permission", ACCOUNTANT, True,
         "Dit document is in een vreemde munt. Octopus documenteert niet in welke richting het een wisselkoers leest; boek het zelf, of sta vreemde munten toe in de instellingen van de koppeling (allow_foreign_currency) na een proefboeking.",
         "Ce document est en devise étrangère. Octopus ne documente pas dans quel sens il lit un cours de change ; comptabilisez-le vous-même, ou autorisez les devises dans les paramètres de la liaison (allow_foreign_currency) après une écriture d’essai.",
         "This document is in a foreign currency. Octopus does not document which way round it reads an exchange rate; book it yourself, or allow foreign currency in the settings of the connection (allow_foreign_currency) after a trial booking."),
    _problem("currency_unknown", ACCOUNTANT, True,
         "Deze munt is niet bekend in het dossier. Voeg ze toe in Octopus bij Beheer → Munten en probeer opnieuw.",
         "Cette devise est inconnue dans le dossier. Ajoutez-la dans Octopus sous Gestion → Devises et réessayez.",
         "This currency is not known in the dossier. Add it in Octopus at Manage → Currencies and retry."),
    _problem("exchange_rate_refused", ACCOUNTANT, True,
         "Octopus aanvaardt deze wisselkoers niet. Kijk exchange_rates na in de instellingen van de koppeling.",
         "Octopus refuse ce cours de change. Vérifiez exchange_rates dans les paramètres de la liaison.",
         "Octopus refuses this exchange rate. Check exchange_rates in the settings of the connection."),
    _problem("relation_refused", ACCOUNTANT, True,
         "Octopus weigert de relatie van dit document aan te maken of te wijzigen, meestal om haar land, btw-nummer of btw-type. Kijk ze na in Octopus (Relaties) en vink klant of leverancier aan, of maak ze er zelf aan (Relaties → Nieuw) met dit btw-nummer, en probeer opnieuw.",
         "Octopus refuse de créer ou de modifier la relation de ce document, le plus souvent à cause de son pays, de son numéro ou de son type TVA. Vérifiez-la dans Octopus (Relations) et cochez client ou fournisseur, ou créez-la vous-même (Relations → Nouveau) avec ce numéro de TVA, et réessayez.",
         "Octopus refuses to make or change the relation of this document, mostly for its country, VAT number or VAT type. Check it in Octopus (Relations) and tick customer or supplier, or make it yourself (Relations → New) with this VAT number, and retry."),
    _problem("relation_not_shown", OPERATOR, False,
         "Octopus heeft de relatie aangemaakt maar toont ze nog niet. Koppel probeert vanzelf opnieuw; als dat niet helpt, probeer later opnieuw.",
         "Octopus a créé la relation mais ne la montre pas encore. Koppel recommence de lui-même ; si cela n’aide pas, réessayez plus tard.",
         "Octopus has made the relation but does not show it yet. Koppel tries again by itself; if that does not help, retry later."),
    _problem("vat_sign_differs", KOPPEL, False,
         "Octopus vindt dat de basis en de btw van een lijn een verschillend teken hebben. Meld dit document aan Koppel; probeer opnieuw wanneer Koppel verbeterd is.",
         "Octopus estime que la base et la TVA d’une ligne sont de signe différent. Signalez ce document à Koppel ; réessayez lorsque Koppel est corrigé.",
         "Octopus finds that base and VAT of a line have opposite signs. Report this document to Koppel; retry when Koppel is mended."),
    _problem("totals_differ", ACCOUNTANT, True,
         "De boeking in Octopus verschilt van het document. Vergelijk beide en verbeter de boeking.",
         "L’écriture dans Octopus diffère du document. Comparez-les et corrigez l’écriture.",
         "The booking in Octopus differs from the document. Compare both and correct the booking."),
    _problem("attachment_too_large", ENTREPRENEUR, False,
         "De bestanden van dit document zijn groter dan Octopus in één keer aanvaardt. Lever een kleiner bestand aan.",
         "Les fichiers de ce document dépassent ce qu’Octopus accepte en une fois. Fournissez un fichier plus petit.",
         "The files of this document are larger than Octopus accepts in one go. Provide a smaller file."),
    # ── the Document Import Viewer and statements (octopus §2.8, §2.9) ──
    _problem("import_viewer_refused", ACCOUNTANT, True,
         "Octopus weigert het document in de Document Import Viewer. Daarvoor moet het documentbeheer (DMS) van dit dossier actief zijn: laat het kantoor het bestellen en probeer opnieuw, vul bij import_mailbox het mailadres van het dossier in (Beheer → Dossiers), of kies voor nieuwe documenten boekingen als bestemming in de instellingen van de koppeling.",
         "Octopus refuse le document dans le Document Import Viewer. Il faut que la gestion documentaire (DMS) de ce dossier soit active : faites-la commander par le bureau et réessayez, indiquez dans import_mailbox l’adresse de la boîte du dossier (Gestion → Dossiers), ou choisissez pour les nouveaux documents les écritures comme destination dans les paramètres de la liaison.",
         "Octopus refuses the document in the Document Import Viewer. The document management (DMS) of this dossier must be active for it: have the office order it and retry, enter the address of the dossier’s mailbox at import_mailbox (Manage → Dossiers), or choose bookings as the destination of new documents in the settings of the connection."),
    _problem("import_mailbox_refused", ACCOUNTANT, True,
         "De mailserver aanvaardt geen mail naar de mailbox van dit dossier. Kijk in Octopus het adres na (Beheer → Dossiers), vul het in bij import_mailbox in de instellingen van de koppeling, en probeer opnieuw.",
         "Le serveur de messagerie refuse l’envoi à la boîte de ce dossier. Vérifiez l’adresse dans Octopus (Gestion → Dossiers), indiquez-la dans import_mailbox des paramètres de la liaison, et réessayez.",
         "The mail server takes no mail to this dossier’s mailbox. Check its address in Octopus (Manage → Dossiers), enter it at import_mailbox in the settings of the connection, and retry."),
    _problem("statement_account_unknown", ACCOUNTANT, True,
         "Geen financieel dagboek van Octopus heeft deze rekening. Vul IBAN en BIC in bij Beheer → Dagboeken (F), of noem het dagboek in de instellingen van de koppeling.",
         "Aucun journal financier d’Octopus ne porte ce compte. Complétez l’IBAN et le BIC sous Gestion → Journaux (F), ou indiquez le journal dans les paramètres de la liaison.",
         "No financial journal of Octopus has this account. Fill in IBAN and BIC at Manage → Journals (F), or name the journal in the settings of the connection."),
    _problem("statement_gap", ACCOUNTANT, True,
         "Het beginsaldo van dit uittreksel is niet het saldo van het dagboek in Octopus. Lees eerst de ontbrekende uittreksels in (Bank → CODA-bestanden importeren) of lever ze aan, en probeer opnieuw.",
         "Le solde initial de cet extrait n’est pas le solde du journal dans Octopus. Importez d’abord les extraits manquants (Banque → Importer des fichiers CODA) ou fournissez-les, puis réessayez.",
         "The opening balance of this statement is not the balance of the journal in Octopus. First import the missing statements (Bank → Import CODA files) or provide them, and retry."),
    _problem("statement_refused", ACCOUNTANT, True,
         "Octopus weigert dit CODA-bestand. Kijk na of de bankmodule actief is en of de bank de uittreksels niet zelf al aanlevert (Bank → CODA-bestanden importeren).",
         "Octopus refuse ce fichier CODA. Vérifiez que le module bancaire est actif et que la banque ne fournit pas déjà les extraits (Banque → Importer des fichiers CODA).",
         "Octopus refuses this CODA file. Check that the bank module is active and that the bank does not deliver the statements already (Bank → Import CODA files)."),
))
# fmt: on
