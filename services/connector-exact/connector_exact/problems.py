"""Every problem this connector can report: a sentence for the person who can fix it, in the portal's three languages.

Data, not code. ``blocks`` says that the delivery waits for that person and burns no attempt; the others end it as failed,
to be retried by hand. Texts and menu paths follow the vendor's help pages (exact §5.1, §5.2, §4).
"""

from typing import Final

from koppel_connector.contract import ProblemCatalogue, ProblemKind, Role

ACCOUNTANT: Final[Role] = "accountant"
ENTREPRENEUR: Final[Role] = "entrepreneur"
OPERATOR: Final[Role] = "operator"
KOPPEL: Final[Role] = "koppel"


def _problem(code: str, who_can_fix: Role, blocks: bool, nl: str, fr: str, en: str) -> ProblemKind:
    return ProblemKind(code, who_can_fix, nl=nl, fr=fr, en=en, blocks=blocks, degrades=code in _WHOLE_CONNECTION)


# Problems of the connection, not of one document.
_WHOLE_CONNECTION: Final = frozenset(
    {"missing_right", "no_division_access", "app_scope_missing", "licence_expired", "user_blocked", "customer_blocked"}
    | {"division_blocked"}
)

# ruff: noqa: E501 - a sentence stays on one line, beside its translations
# fmt: off
PROBLEMS: Final = ProblemCatalogue((
    # ── who may do what (§5.2: licence → user → app → company) ──
    _problem("missing_right", ACCOUNTANT, True,
         "De Exact-gebruiker van de koppeling mist een recht. Geef in Exact Online dit recht aan de gebruiker bij “Verbonden via gebruiker”. Probeer daarna opnieuw.",
         "Il manque un droit à l’utilisateur Exact de la liaison. Donnez ce droit dans Exact Online à l’utilisateur indiqué sous « Connecté via l’utilisateur ». Réessayez ensuite.",
         "The Exact user of the connection lacks a right. Grant it in Exact Online to the user shown at “Connected via user”. Then try again."),
    _problem("no_division_access", ACCOUNTANT, True,
         "De koppeling heeft geen toegang tot deze administratie. Voeg ze toe in Exact Online: Beveiligingscentrum → Mijn apps → Administraties beheren. Probeer daarna opnieuw.",
         "La liaison n’a pas accès à ce dossier. Ajoutez-le dans Exact Online : Centre de sécurité → Mes applications → Gérer les sociétés. Réessayez ensuite.",
         "The connection has no access to this company. Add it in Exact Online: Security centre → My apps → Manage companies. Then try again."),
    _problem("app_scope_missing", OPERATOR, True,
         "De Koppel-app mist een toegangsbereik bij Exact Online. De beheerder van Koppel voegt het toe; daarna moet de koppeling opnieuw gelegd worden.",
         "L’application Koppel ne dispose pas du domaine d’accès nécessaire chez Exact Online. Le gestionnaire de Koppel l’ajoute ; ensuite la liaison doit être refaite.",
         "The Koppel app lacks a scope at Exact Online. Koppel’s operator adds it; then the connection must be made again."),
    _problem("licence_expired", ACCOUNTANT, True,
         "Het abonnement van deze administratie bij Exact Online is verlopen. Verleng het en probeer opnieuw.",
         "L’abonnement de ce dossier chez Exact Online a expiré. Renouvelez-le et réessayez.",
         "The Exact Online subscription of this company has expired. Renew it and try again."),
    _problem("user_blocked", ACCOUNTANT, True,
         "De Exact-gebruiker van de koppeling is geblokkeerd of niet meer actief. Activeer de gebruiker en probeer opnieuw, of verbind met een andere.",
         "L’utilisateur Exact de la liaison est bloqué ou inactif. Activez-le et réessayez, ou connectez-vous avec un autre utilisateur.",
         "The Exact user of the connection is blocked or inactive. Activate the user and try again, or connect with another one."),
    _problem("customer_blocked", ACCOUNTANT, True,
         "Exact heeft deze klant geblokkeerd. Neem contact op met Exact. Probeer daarna opnieuw.",
         "Exact a bloqué ce client. Contactez Exact. Réessayez ensuite.",
         "Exact has blocked this customer. Contact Exact. Then try again."),
    _problem("division_blocked", ACCOUNTANT, True,
         "De administratie is in Exact Online tijdelijk geblokkeerd (back-up, conversie of kopie). Probeer opnieuw wanneer dat klaar is.",
         "Le dossier est temporairement bloqué dans Exact Online (sauvegarde, conversion ou copie). Réessayez quand c’est terminé.",
         "The company is temporarily blocked in Exact Online (backup, conversion or copy). Retry when that has finished."),
    # ── counterparty ──
    _problem("relation_account_differs", ACCOUNTANT, True,
         "De verzamelrekening van de relatie verschilt van die van het dagboek. Maak ze gelijk in Exact Online. Probeer daarna opnieuw.",
         "Le compte collectif de la relation diffère de celui du journal. Rendez-les identiques dans Exact Online. Réessayez ensuite.",
         "The relation’s receivable or payable account differs from the journal’s. Make them equal in Exact Online. Then try again."),
    # ── VAT ──
    _problem("vat_code_inclusive", ACCOUNTANT, True,
         "De btw-code rekent inclusief btw en kan niet gebruikt worden. Kies een code van het type exclusief.",
         "Le code TVA calcule TVA comprise et ne peut pas être utilisé. Choisissez un code de type hors TVA.",
         "The VAT code calculates including VAT and cannot be used. Choose a code of the exclusive type."),
    # ── period, condition, number ──
    _problem("entry_number_not_numeric", ACCOUNTANT, True,
         "Het documentnummer kan geen boekstuknummer zijn: Exact wil alleen cijfers. Laat Exact nummeren (entry_numbers in de instellingen van de koppeling).",
         "Le numéro du document ne peut pas être un numéro d’écriture : Exact n’accepte que des chiffres. Laissez Exact numéroter (entry_numbers dans les paramètres de la liaison).",
         "The document number cannot be an entry number: Exact wants digits only. Let Exact number the entries (entry_numbers in the settings of the connection)."),
    # ── the entry itself ──
    _problem("totals_differ", ACCOUNTANT, True,
         "De boeking in Exact Online verschilt van het document. Vergelijk beide, verbeter de boeking en zeg daarna dat het document geboekt is.",
         "L’écriture dans Exact Online diffère du document. Comparez-les, corrigez l’écriture, puis indiquez que le document est comptabilisé.",
         "The entry in Exact Online differs from the document. Compare both, correct the entry, and then say that the document is booked."),
    _problem("entry_not_balanced", KOPPEL, False,
         "Exact Online vindt de boeking niet in evenwicht door een afronding. Meld dit document aan Koppel, en probeer opnieuw zodra het verholpen is.",
         "Exact Online juge l’écriture déséquilibrée à cause d’un arrondi. Signalez ce document à Koppel, et réessayez dès que c’est corrigé.",
         "Exact Online finds the entry out of balance through rounding. Report this document to Koppel, and try again once it is repaired."),
    _problem("attachment_too_large", ENTREPRENEUR, False,
         "Een bijlage is groter dan de 10 MB die Exact Online aanvaardt. Lever een kleiner bestand aan.",
         "Une pièce jointe dépasse les 10 Mo acceptés par Exact Online. Fournissez un fichier plus petit.",
         "An attachment is larger than the 10 MB Exact Online accepts. Provide a smaller file."),
    _problem("type_left_open", ACCOUNTANT, False,
         "Het totaal van dit document is negatief. Exact Online kan het daarom als creditnota bewaren, of een creditnota als factuur. Controleer het type van de boeking en de btw-vakken.",
         "Le total de ce document est négatif. Exact Online peut donc le conserver comme note de crédit, ou une note de crédit comme facture. Vérifiez le type de l’écriture et les grilles TVA.",
         "The total of this document is negative. Exact Online may therefore keep it as a credit note, or a credit note as an invoice. Check the type of the entry and its VAT boxes."),
    _problem("files_gone", ACCOUNTANT, True,
         "Het Document met de bestanden van deze boeking staat niet meer in Exact Online. Probeer opnieuw: Koppel maakt het dan opnieuw aan.",
         "Le Document contenant les fichiers de cette écriture n’est plus dans Exact Online. Réessayez : Koppel le recrée alors.",
         "The Document with the files of this entry is no longer in Exact Online. Retry, and Koppel makes it again."),
    # ── the digital mailbox, ScanService and CODA (§3.10, §3.11) ──
    _problem("mailbox_missing", ACCOUNTANT, True,
         "Deze administratie heeft geen digitale postbus in Exact Online, of haar licentie bevat er geen. Activeer de postbus voor deze administratie en probeer opnieuw, of laat documenten naar een dagboek gaan (destination in de instellingen van de koppeling; voor rekeninguittreksels destination.statement).",
         "Ce dossier n’a pas de boîte postale numérique dans Exact Online, ou sa licence n’en comprend pas. Activez-la pour ce dossier et réessayez, ou laissez les documents aller vers un journal (destination dans les paramètres de la liaison ; pour les extraits, destination.statement).",
         "This company has no digital mailbox in Exact Online, or its licence includes none. Activate the mailbox for this company and try again, or let documents go to a journal (destination in the settings of the connection; for statements destination.statement)."),
    _problem("scan_service_missing", ACCOUNTANT, True,
         "Deze administratie heeft geen ScanService in Exact Online. Activeer ScanService en probeer opnieuw, of kies mailbox of journal als destination in de instellingen van de koppeling.",
         "Ce dossier n’a pas ScanService dans Exact Online. Activez ScanService et réessayez, ou choisissez mailbox ou journal comme destination dans les paramètres de la liaison.",
         "This company has no ScanService in Exact Online. Activate ScanService and try again, or choose mailbox or journal as destination in the settings of the connection."),
    _problem("message_refused", ACCOUNTANT, False,
         "Exact Online heeft dit document in de digitale postbus of ScanService niet verwerkt. Kijk in de postbus waarom, en probeer daarna opnieuw: Koppel stuurt dan een nieuw bericht. Boek het niet ook met de hand.",
         "Exact Online n’a pas traité ce document dans la boîte postale numérique ou ScanService. Vérifiez-y pourquoi, puis réessayez : Koppel envoie alors un nouveau message. Ne le comptabilisez pas aussi à la main.",
         "Exact Online did not process this document in the digital mailbox or ScanService. See there why, and then try again: Koppel sends a new message. Do not book it by hand as well."),
    _problem("statement_account_unknown", ACCOUNTANT, True,
         "Geen bank- of kasdagboek van Exact Online heeft deze rekening. Vul het IBAN in bij het dagboek en importeer opnieuw, of noem het dagboek bij statement_journals in de instellingen van de koppeling.",
         "Aucun journal de banque ou de caisse d’Exact Online ne porte ce compte. Indiquez l’IBAN dans le journal et relancez l’importation, ou citez le journal dans statement_journals des paramètres de la liaison.",
         "No bank or cash journal of Exact Online has this account. Fill in the IBAN at the journal and import again, or name the journal at statement_journals in the settings of the connection."),
    _problem("statement_gap", ACCOUNTANT, True,
         "Het beginsaldo van dit uittreksel is niet het saldo van het dagboek in Exact Online. Boek eerst de ontbrekende uittreksels of lever ze aan, en probeer opnieuw. Kijk ook na of de bank ze niet zelf al naar Exact stuurt.",
         "Le solde initial de cet extrait n’est pas le solde du journal dans Exact Online. Comptabilisez d’abord les extraits manquants ou fournissez-les, puis réessayez. Vérifiez aussi que la banque ne les envoie pas déjà à Exact.",
         "The opening balance of this statement is not the balance of the journal in Exact Online. First enter the missing statements or provide them, and retry. See also that the bank does not send them to Exact already."),
    _problem("bank_not_linked", ACCOUNTANT, False,
         "Geen dagboek van Exact Online heeft deze rekening. Vul het IBAN in bij het bankdagboek en koppel de postbus aan de rekening, anders leest Exact het uittreksel niet in.",
         "Aucun journal d’Exact Online ne porte ce compte. Indiquez l’IBAN dans le journal de banque et liez la boîte postale au compte, sinon Exact n’importe pas l’extrait.",
         "No journal of Exact Online has this account. Fill in the IBAN at the bank journal and link the mailbox to the account, else Exact does not import the statement."),
))
# fmt: on
