"""The words of a mail in the three languages. Data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from koppel_mesh.messages import DocumentKind


@dataclass(frozen=True)
class Texts:
    """One language."""

    attached: str
    document: str
    date: str
    party: str
    total: str
    dossier: str
    kinds: Mapping[DocumentKind, str]


TEXTS: Final[Mapping[str, Texts]] = {
    "nl": Texts(
        attached="Het document zit in bijlage.",
        document="Document",
        date="Datum",
        party="Tegenpartij",
        total="Totaal",
        dossier="Dossier",
        kinds={
            DocumentKind.SALES_INVOICE: "Verkoopfactuur",
            DocumentKind.SALES_CREDIT_NOTE: "Creditnota verkoop",
            DocumentKind.PURCHASE_INVOICE: "Aankoopfactuur",
            DocumentKind.PURCHASE_CREDIT_NOTE: "Creditnota aankoop",
            DocumentKind.DAILY_RECEIPTS: "Dagontvangsten",
            DocumentKind.BANK_STATEMENT: "Bankafschrift",
            DocumentKind.CASH_STATEMENT: "Kasblad",
            DocumentKind.MISCELLANEOUS: "Divers document",
        },
    ),
    "fr": Texts(
        attached="Le document se trouve en annexe.",
        document="Document",
        date="Date",
        party="Contrepartie",
        total="Total",
        dossier="Dossier",
        kinds={
            DocumentKind.SALES_INVOICE: "Facture de vente",
            DocumentKind.SALES_CREDIT_NOTE: "Note de crédit vente",
            DocumentKind.PURCHASE_INVOICE: "Facture d’achat",
            DocumentKind.PURCHASE_CREDIT_NOTE: "Note de crédit achat",
            DocumentKind.DAILY_RECEIPTS: "Recettes journalières",
            DocumentKind.BANK_STATEMENT: "Extrait de compte",
            DocumentKind.CASH_STATEMENT: "Feuille de caisse",
            DocumentKind.MISCELLANEOUS: "Document divers",
        },
    ),
    "en": Texts(
        attached="The document is attached.",
        document="Document",
        date="Date",
        party="Counterparty",
        total="Total",
        dossier="Dossier",
        kinds={
            DocumentKind.SALES_INVOICE: "Sales invoice",
            DocumentKind.SALES_CREDIT_NOTE: "Sales credit note",
            DocumentKind.PURCHASE_INVOICE: "Purchase invoice",
            DocumentKind.PURCHASE_CREDIT_NOTE: "Purchase credit note",
            DocumentKind.DAILY_RECEIPTS: "Daily receipts",
            DocumentKind.BANK_STATEMENT: "Bank statement",
            DocumentKind.CASH_STATEMENT: "Cash statement",
            DocumentKind.MISCELLANEOUS: "Miscellaneous document",
        },
    ),
}
