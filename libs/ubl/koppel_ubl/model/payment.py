"""How the document is to be paid, or was."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, kw_only=True)
class PaymentMeans:
    """BG-16, with its account (BG-17), card (BG-18) or mandate (BG-19)."""

    code: str | None = None
    """BT-81: UNTDID 4461, such as 30 credit transfer, 58 SEPA, 59 direct debit, 10 cash, 48 card."""
    text: str | None = None
    """BT-82."""
    due_date: date | None = None
    """PaymentDueDate: where a credit note has its BT-9."""
    references: tuple[str, ...] = ()
    """BT-83."""
    instruction: str | None = None
    """InstructionID: where e-FFF has the structured reference."""
    instruction_note: str | None = None
    """InstructionNote: where other older documents have it."""
    account: str | None = None
    """BT-84, usually an IBAN."""
    account_name: str | None = None
    """BT-85."""
    bic: str | None = None
    """BT-86."""
    card_number: str | None = None
    """BT-87: the last digits only, one hopes."""
    card_network: str | None = None
    """NetworkID: no business term, but UBL requires one with a card number."""
    card_holder: str | None = None
    """BT-88."""
    mandate: str | None = None
    """BT-89."""
    debited_account: str | None = None
    """BT-91."""
