"""What people set on a document and its counterparty in Koppel; it comes before what a vendor or the settings say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from .document import Document


@dataclass(frozen=True)
class Overrides:
    """Journal and ledger accounts chosen by people (R142, R146)."""

    journal: str | None = None
    ledger_account: str | None = None
    by_line: Mapping[str, str] = field(default_factory=dict)
    """Ledger account by line id."""
    counterparty_journal: str | None = None
    counterparty_ledger_account: str | None = None

    @classmethod
    def of(cls, document: Document, connection_id: UUID) -> "Overrides":
        """Return the choices made on the document, and on the relation it was recognised as when it was filed.

        Args:
            document: what is booked.
            connection_id: where; a journal that was chosen for this connection comes before the one for every target (R141).
        """
        relation = document.relation
        return cls(
            journal=document.journals.get(connection_id) or document.journal,
            ledger_account=document.ledger_account,
            by_line={line.id: line.ledger_account for line in document.lines if line.ledger_account},
            counterparty_journal=relation.journal if relation else None,
            counterparty_ledger_account=relation.ledger_account if relation else None,
        )
