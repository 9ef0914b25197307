"""Every problem that a mail target can report: a sentence for the person who can fix it, in three languages. Data, not code."""

from typing import Final

from koppel_connector.contract import ProblemCatalogue, ProblemKind, Role
from koppel_connector.mail.problems import BOUNCES

ACCOUNTANT: Final[Role] = "accountant"
ENTREPRENEUR: Final[Role] = "entrepreneur"
OPERATOR: Final[Role] = "operator"


def _problem(code: str, who_can_fix: Role, blocks: bool, nl: str, fr: str, en: str) -> ProblemKind:
    return ProblemKind(code, who_can_fix, nl=nl, fr=fr, en=en, blocks=blocks)


# ruff: noqa: E501 - a sentence stays on one line, beside its translations
# fmt: off
PROBLEMS: Final = ProblemCatalogue((
    *BOUNCES.values(),
    # ── the settings ──
    _problem("address_missing", ACCOUNTANT, True,
         "Voor dit soort document is nog geen mailadres ingevuld: {what}. Vul het in bij de instellingen van de koppeling.",
         "Aucune adresse mail n’est encore indiquée pour ce type de document : {what}. Complétez-la dans les paramètres de la liaison.",
         "No mail address is filled in yet for this kind of document: {what}. Enter it in the settings of the connection."),
    _problem("sender_not_allowed", OPERATOR, True,
         "Koppel mag geen mails versturen in naam van {domain}. De beheerder zet dat domein klaar (SPF en DKIM), of kies een andere afzender.",
         "Koppel ne peut pas envoyer de mails au nom de {domain}. Le gestionnaire prépare ce domaine (SPF et DKIM), ou choisissez un autre expéditeur.",
         "Koppel may not send mail in the name of {domain}. The operator prepares that domain (SPF and DKIM), or choose another sender."),
    # ── the document ──
    _problem("pdf_missing", ENTREPRENEUR, True,
         "De ontvanger wil een pdf en dit document heeft er geen. Voeg de pdf toe en probeer opnieuw.",
         "Le destinataire veut un PDF et ce document n’en a pas. Ajoutez le PDF et réessayez.",
         "The receiver wants a PDF and this document has none. Add the PDF and try again."),
    _problem("pdf_protected", ENTREPRENEUR, False,
         "{target} leest geen pdf met een wachtwoord. Lever de pdf zonder wachtwoord aan.",
         "{target} ne lit pas de PDF protégé par un mot de passe. Fournissez le PDF sans mot de passe.",
         "{target} reads no PDF with a password. Provide the PDF without one."),
    _problem("file_type_not_taken", ENTREPRENEUR, False,
         "{target} leest dit type bestand niet. Lever het document in een ander formaat aan.",
         "{target} ne lit pas ce type de fichier. Fournissez le document dans un autre format.",
         "{target} does not read this type of file. Provide the document in another format."),
    _problem("ubl_unreadable", ENTREPRENEUR, False,
         "Het UBL-bestand van dit document kan niet gelezen worden, zodat de pdf er niet bij kan. Lever het document opnieuw aan.",
         "Le fichier UBL de ce document est illisible ; le PDF ne peut pas y être joint. Fournissez de nouveau le document.",
         "The UBL file of this document cannot be read, so the PDF cannot go inside. Provide the document again."),
    _problem("coda_unreadable", ENTREPRENEUR, False,
         "Het CODA-bestand van dit afschrift kan niet gelezen worden, zodat er geen pdf van gemaakt kan worden. Lever het opnieuw aan.",
         "Le fichier CODA de cet extrait est illisible ; il n’est pas possible d’en faire un PDF. Fournissez-le de nouveau.",
         "The CODA file of this statement cannot be read, so no PDF can be made of it. Provide it again."),
    _problem("mail_too_large", ENTREPRENEUR, False,
         "De mail is met {size} MB groter dan de ontvanger aanvaardt. Lever kleinere bestanden aan.",
         "Le mail fait {size} Mo, plus que ce que le destinataire accepte. Fournissez des fichiers plus petits.",
         "The mail has {size} MB, more than the receiver takes. Provide smaller files."),
    _problem("signs_in_file_reversed", ACCOUNTANT, False,
         "De bedragen in het bestand staan met het omgekeerde teken, zoals iemand heeft bevestigd. Het bestand ging ongewijzigd mee; let op bij het boeken.",
         "Les montants du fichier portent le signe inverse, comme une personne l’a confirmé. Le fichier a été envoyé tel quel ; faites attention à la comptabilisation.",
         "The amounts in the file have the opposite sign, as a person confirmed. The file went along unchanged; mind this when it is booked."),
    _problem("period_mail_without", ENTREPRENEUR, False,
         "Deze documenten zijn te groot voor een mail en gingen niet mee. Bezorg ze op een andere manier.",
         "Ces documents sont trop volumineux pour un mail et n’ont pas été joints. Transmettez-les autrement.",
         "These documents are too large for a mail and did not go along. Hand them over in another way."),
    # ── what mail servers say ──
    _problem("address_refused", ACCOUNTANT, True,
         "De mailserver aanvaardt dit adres niet: {address}. Kijk het adres na bij de ontvanger en verbeter het in de koppeling.",
         "Le serveur de mail refuse cette adresse : {address}. Vérifiez-la auprès du destinataire et corrigez-la dans la liaison.",
         "The mail server does not accept this address: {address}. Check it with the receiver and correct it in the connection."),
    _problem("mail_refused", ACCOUNTANT, True,
         "De mailserver weigert deze mail voor {address}. Vraag de ontvanger om de afzender {sender} toe te laten en probeer opnieuw.",
         "Le serveur de mail refuse ce mail pour {address}. Demandez au destinataire d’autoriser l’expéditeur {sender} et réessayez.",
         "The mail server refuses this mail for {address}. Ask the receiver to allow the sender {sender} and try again."),
    _problem("mail_deferred", OPERATOR, False,
         "De mailserver van de ontvanger neemt de mail nog niet aan. We proberen vanzelf opnieuw.",
         "Le serveur de mail du destinataire n’accepte pas encore le mail. Nous réessayons automatiquement.",
         "The receiver’s mail server does not take the mail yet. We try again automatically."),
    _problem("mailbox_full", ACCOUNTANT, False,
         "De mailbox {address} is vol. Vraag de eigenaar om er plaats te maken. We proberen nog enkele keren; daarna kunt u zelf opnieuw proberen.",
         "La boîte mail {address} est pleine. Demandez à son propriétaire d’y faire de la place. Nous réessayons encore quelques fois ; ensuite, vous pouvez réessayer.",
         "The mailbox {address} is full. Ask its owner to make room. We try again a few times; after that, you can try again yourself."),
    _problem("mail_login_refused", OPERATOR, False,
         "De mailserver van Koppel weigert de login. De beheerder kijkt KOPPEL_SMTP_URL na; daarna gaat alles vanzelf verder.",
         "Le serveur de mail de Koppel refuse la connexion. Le gestionnaire vérifie KOPPEL_SMTP_URL ; ensuite tout reprend automatiquement.",
         "Koppel’s mail server refuses the login. The operator checks KOPPEL_SMTP_URL; then everything goes on by itself."),
))
# fmt: on
