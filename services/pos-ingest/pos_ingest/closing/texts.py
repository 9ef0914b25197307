"""What stands on a period's invoice and its detail, in the three languages of dossiers."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from koppel_ubl.model import Period

Language = Literal["nl", "fr", "en"]


@dataclass(frozen=True, kw_only=True)
class Texts:
    """The words of one language."""

    language: Language
    receipts: str
    detail: str
    days: str
    totals: str
    payments: str
    day: str
    entry: str
    concerns: str
    remark: str
    vat: str
    amount: str
    base: str
    tax: str
    method: str
    total: str
    period: str
    invoice: str
    kinds: dict[str, str]
    exemptions: dict[str, str]
    """Why there is no VAT, by the category of the receipts."""
    reference: str = "DAGONTVANGSTEN"
    """The buyer reference by which dossier-api knows receipts; one word for all languages."""
    credit_reference: str = "CREDIT DAGONTVANGSTEN"

    def line(self, category: str, rate: Decimal) -> str:
        """Return the name of an invoice line."""
        return f"{self.receipts} {self.exemptions.get(category) or f'{rate.normalize():f} %'}"

    def note(self, period: Period) -> str:
        """Return the note of an invoice: which days it is about."""
        return f"{self.receipts} {period.start:%d.%m.%Y} - {period.end:%d.%m.%Y}"


TEXTS: Final[dict[str, Texts]] = {
    "nl": Texts(
        language="nl",
        receipts="Dagontvangsten",
        detail="Detail van de dagontvangsten",
        days="Ontvangsten per dag",
        totals="Btw per tarief",
        payments="Betaalwijzen",
        day="Dag",
        entry="Soort",
        concerns="Betreft dag",
        remark="Omschrijving",
        vat="Btw %",
        amount="Bedrag incl. btw",
        base="Maatstaf",
        tax="Btw",
        method="Betaalwijze",
        total="Totaal",
        period="Periode",
        invoice="Nummer",
        kinds={"normal": "Gewoon", "single": "Afzonderlijk", "correction": "Correctie", "closed": "Gesloten"},
        exemptions={
            "E": "vrijgesteld van btw",
            "G": "uitvoer, vrijgesteld van btw",
            "O": "buiten het toepassingsgebied van de btw",
        },
    ),
    "fr": Texts(
        language="fr",
        receipts="Recettes journalières",
        detail="Détail des recettes journalières",
        days="Recettes par jour",
        totals="TVA par taux",
        payments="Modes de paiement",
        day="Jour",
        entry="Genre",
        concerns="Concerne le",
        remark="Description",
        vat="TVA %",
        amount="Montant TVA comprise",
        base="Base",
        tax="TVA",
        method="Mode de paiement",
        total="Total",
        period="Période",
        invoice="Numéro",
        kinds={"normal": "Ordinaire", "single": "Séparé", "correction": "Correction", "closed": "Fermé"},
        exemptions={
            "E": "exonéré de TVA",
            "G": "exportation, exonérée de TVA",
            "O": "hors champ d'application de la TVA",
        },
    ),
    "en": Texts(
        language="en",
        receipts="Daily receipts",
        detail="Detail of the daily receipts",
        days="Receipts by day",
        totals="VAT by rate",
        payments="Ways of payment",
        day="Day",
        entry="Kind",
        concerns="Concerns day",
        remark="Description",
        vat="VAT %",
        amount="Amount incl. VAT",
        base="Base",
        tax="VAT",
        method="Way of payment",
        total="Total",
        period="Period",
        invoice="Number",
        kinds={"normal": "Normal", "single": "Single", "correction": "Correction", "closed": "Closed"},
        exemptions={"E": "exempt from VAT", "G": "export, exempt from VAT", "O": "outside the scope of VAT"},
    ),
}
