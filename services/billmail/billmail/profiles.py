"""The mail targets as data: ``profiles.toml``, read once."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from koppel_mesh.messages import DocumentKind

Slot = Literal["sale", "purchase", "receipts", "coda", "coda_pdf", "miscellaneous"]
"""A kind of document as the settings of a mail target know it (contract §7): each may have an address of its own."""
Attachments = Literal["xml_with_pdf", "xml_and_pdf", "pdf", "zip"]
"""What is attached to the mail: the UBL with the PDF inside, both side by side with one stem, the PDF alone, both in a ZIP."""
SLOTS: Final[Mapping[DocumentKind, Slot]] = {
    DocumentKind.SALES_INVOICE: "sale",
    DocumentKind.SALES_CREDIT_NOTE: "sale",
    DocumentKind.PURCHASE_INVOICE: "purchase",
    DocumentKind.PURCHASE_CREDIT_NOTE: "purchase",
    DocumentKind.DAILY_RECEIPTS: "receipts",
    DocumentKind.BANK_STATEMENT: "coda",
    DocumentKind.CASH_STATEMENT: "coda",
    DocumentKind.MISCELLANEOUS: "miscellaneous",
}


class MailProfile(BaseModel):
    """What one receiver of mail is like."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    """What people call it."""
    attachments: tuple[Attachments, ...] = Field(min_length=1)
    """What it can read; the first is what it gets where the connection does not choose."""
    takes: frozenset[str] = frozenset({"xml", "pdf", "zip", "cod"})
    """Endings of the files that it reads."""
    takes_kinds: frozenset[Slot] = frozenset({"sale", "purchase", "receipts", "coda", "coda_pdf", "miscellaneous"})
    takes_encrypted_pdf: bool = True
    size_limit_bytes: int = 10_000_000
    """Of the whole mail as it travels, base64 included."""
    tags: Mapping[Slot, str] = {}
    """What the subject begins with, by which the receiver sorts."""
    has_one_address: bool = False
    """Whether one address takes every kind, so that the first that is filled in serves those without their own."""
    has_own_subject: bool = False
    """Whether the receiver says which subject a mail must have."""
    domains: tuple[str, ...] = ()
    """Where its addresses are, that domain or one below it; empty where anywhere."""
    is_of_one_company: bool = True
    """Whether an address is that of one company; an office's own mailbox takes the documents of all its clients."""
    address_names_enterprise: bool = False
    """Whether an address begins with the enterprise number of the company whose mailbox it is."""
    takes_periods: bool = False
    """Whether a whole period may go there in one mail (R070): to an office outside the platform."""
    retry: Literal["review", "resend"] = "review"
    """What follows a mail whose outcome is unknown: a person says, or it is sent again because the receiver
    drops a file that it has."""


def read_profiles(text: str) -> dict[str, MailProfile]:
    """Return the profiles of a TOML document by name.

    Raises:
        ValueError: it is no TOML, or a profile is not right.
    """
    return {name: MailProfile.model_validate(table) for name, table in tomllib.loads(text).items()}


PROFILES: Final = read_profiles((Path(__file__).parent / "profiles.toml").read_text("utf-8"))
