"""What comes back for a mail (``bounces``), as sentences for the accountant, in three languages. Data."""

from typing import Final

from koppel_connector.contract import ProblemCatalogue, ProblemKind


def _problem(code: str, is_of_mailbox: bool, nl: str, fr: str, en: str) -> ProblemKind:
    # A mail server that takes the next mail says nothing of the mailbox behind it.
    of_connection = {"degrades": is_of_mailbox, "outlasts_acceptance": is_of_mailbox}
    return ProblemKind(code, "accountant", nl=nl, fr=fr, en=en, blocks=False, **of_connection)


# ruff: noqa: E501 - a sentence stays on one line, beside its translations
# fmt: off
BOUNCES: Final = ProblemCatalogue((
    _problem("mail_bounced", False,
         "De mail kwam terug: de ontvanger heeft dit document niet. Kijk het adres na in de koppeling en probeer opnieuw.",
         "Le mail est revenu : le destinataire n’a pas reçu ce document. Vérifiez l’adresse dans la liaison et réessayez.",
         "The mail came back: the receiver does not have this document. Check the address in the connection and try again."),
    _problem("mailbox_bounces", True,
         "Mails naar {recipient} komen steeds terug. Vraag de ontvanger het juiste adres en verbeter het in de koppeling.",
         "Les mails adressés à {recipient} reviennent à chaque fois. Demandez l’adresse correcte au destinataire et corrigez-la dans la liaison.",
         "Mails to {recipient} keep coming back. Ask the receiver for the right address and correct it in the connection."),
    _problem("mail_bounced_unnamed", True,
         "Een mail van deze koppeling kwam terug en de melding noemt het document niet. Kijk de adressen na en vraag de ontvanger wat ontbreekt.",
         "Un mail de cette liaison est revenu et l’avis ne nomme pas le document. Vérifiez les adresses et demandez au destinataire ce qui manque.",
         "A mail of this connection came back and the notice does not name the document. Check the addresses and ask the receiver what is missing."),
))
# fmt: on
