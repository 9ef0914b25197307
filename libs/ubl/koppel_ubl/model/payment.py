"""How the document is to be, or was, paid."""

from dataclasses import dataclass
from datetime import date

from koppel_ubl.identifiers import normalise_iban


@dataclass(frozen=True, slots=True)
class PaymentMeans:
    """BG-16 with BG-17 (account), BG-18 (card) and BG-19 (direct debit)."""

    code: str | None = None
    """BT-81: UNCL 4461, e.g. 30 credit transfer, 10 cash, 49 direct debit"""
    name: str | None = None
    """BT-82"""
    reference: str | None = None
    """BT-83: remittance information, as written"""
    account: str | None = None
    """BT-84, as written"""
    account_name: str | None = None
    """BT-85"""
    bic: str | None = None
    """BT-86"""
    card_number: str | None = None
    """BT-87: the last digits only, one hopes"""
    card_network: str | None = None
    """cbc:NetworkID beside the card number"""
    card_holder: str | None = None
    """BT-88"""
    mandate: str | None = None
    """BT-89"""
    debited_account: str | None = None
    """BT-91"""
    due_on: date | None = None
    """cbc:PaymentDueDate: BT-9 of a credit note"""
    instruction_id: str | None = None
    """cbc:InstructionID: where e-FFF files put the structured reference"""
    instruction_note: str | None = None

    @property
    def iban(self) -> str | None:
        """The account when it is an IBAN with right check digits."""
        return normalise_iban(self.account) if self.account else None
