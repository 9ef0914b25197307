"""The words of a mail in the three languages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from koppel_mesh.messages import DocumentKind


@dataclass(frozen=True)
class StatementTexts:
    """Of the page of a statement."""

    title: str
    communication: str
    amount: str
    opening: str
    closing: str


@dataclass(frozen=True)
class PeriodTexts:
    """Of the mails of a period."""

    overview: str
    file_name: str
    documents: str
    complete_subject: str
    attached: str
    complete: str
    still_open: str
    remarks: str
    part: str
    last: str
    count: str
    open: str
    number: str
    currency: str
    vat: str
    side: str
    category: str
    rate: str
    base: str
    tax: str
    sides: Mapping[str, str]


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
    period: PeriodTexts
    statement: StatementTexts


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
        statement=StatementTexts(
            title="Rekeninguittreksel",
            communication="Mededeling",
            amount="Bedrag",
            opening="Beginsaldo",
            closing="Eindsaldo",
        ),
        period=PeriodTexts(
            overview="Overzicht",
            file_name="overzicht",
            documents="Documenten",
            complete_subject="Alles is doorgegeven:",
            attached="In bijlage: de documenten van {days} ({count}).",
            complete="Alle documenten van {days} zijn doorgegeven ({count}).",
            still_open="{count} documenten van deze periode wachten nog en zitten er niet bij.",
            remarks="Opmerkingen:",
            part="deel",
            last=", laatste",
            count="Aantal documenten",
            open="Nog niet klaar",
            number="Nummer",
            currency="Munt",
            vat="Btw per tarief",
            side="Soort",
            category="Categorie",
            rate="Tarief",
            base="Maatstaf",
            tax="Btw",
            sides={"sale": "Verkoop", "purchase": "Aankoop"},
        ),
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
        statement=StatementTexts(
            title="Extrait de compte",
            communication="Communication",
            amount="Montant",
            opening="Solde initial",
            closing="Solde final",
        ),
        period=PeriodTexts(
            overview="Aperçu",
            file_name="apercu",
            documents="Documents",
            complete_subject="Tout a été transmis :",
            attached="En annexe : les documents du {days} ({count}).",
            complete="Tous les documents du {days} ont été transmis ({count}).",
            still_open="{count} documents de cette période attendent encore et ne sont pas joints.",
            remarks="Remarques :",
            part="partie",
            last=", dernière",
            count="Nombre de documents",
            open="Pas encore prêts",
            number="Numéro",
            currency="Devise",
            vat="TVA par taux",
            side="Sens",
            category="Catégorie",
            rate="Taux",
            base="Base",
            tax="TVA",
            sides={"sale": "Vente", "purchase": "Achat"},
        ),
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
        statement=StatementTexts(
            title="Statement of account",
            communication="Communication",
            amount="Amount",
            opening="Opening balance",
            closing="Closing balance",
        ),
        period=PeriodTexts(
            overview="Overview",
            file_name="overview",
            documents="Documents",
            complete_subject="Everything is in:",
            attached="Attached: the documents of {days} ({count}).",
            complete="All documents of {days} have been handed over ({count}).",
            still_open="{count} documents of this period still wait and are not attached.",
            remarks="Remarks:",
            part="part",
            last=", last",
            count="Number of documents",
            open="Not ready yet",
            number="Number",
            currency="Currency",
            vat="VAT by rate",
            side="Side",
            category="Category",
            rate="Rate",
            base="Base",
            tax="VAT",
            sides={"sale": "Sales", "purchase": "Purchases"},
        ),
    ),
}


def texts(language: str) -> Texts:
    """Return the words of a language; English where we have none of it."""
    return TEXTS.get(language, TEXTS["en"])
