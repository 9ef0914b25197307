"""Bodies of the bulk routes by which connectors bring relations and ledger accounts into a dossier."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from .common import Code, Request

ITEMS_MAX = 50_000


def _tidy(value: Any) -> Any:
    """One odd name among thousands must not stop an import: control characters go, and so does what is too long."""
    if not isinstance(value, str):
        return value
    kept = "".join(" " if ord(character) < 32 or ord(character) == 127 else character for character in value)
    return kept.strip()[:200] or None


Given = Annotated[str | None, BeforeValidator(_tidy)]


class Bulk(BaseModel):
    """What connectors send; they may know more fields than we keep."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    source: Code = "import"
    """Whose list this is: ``connector/connection id``. A code is unique within its source."""
    replace: bool = False
    """True when the list is complete: lines of this source that are not in it go."""


class RelationItem(BaseModel):
    """A customer or supplier. Numbers are kept as written in the package, and compared bare."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    code: Code
    name: Given = None
    enterprise_number: Given = None
    vat_number: Given = None
    email: Given = None
    iban: Given = None
    is_customer: bool = False
    is_supplier: bool = False
    journal: Code | None = Field(None, description="Not named, the one that people chose stays")
    ledger_account: Code | None = Field(None, description="Not named, the one that people chose stays")
    remote_id: Given = None


class RelationPatch(Request):
    """What people choose for a relation; ``null`` clears."""

    journal: Code | None = None
    ledger_account: Code | None = None


class RelationsBulk(Bulk):
    """Relations to add or replace, by code."""

    items: Annotated[list[RelationItem], Field(max_length=ITEMS_MAX)]


class LedgerAccountItem(BaseModel):
    """A general ledger account."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    code: Code
    name: Given = None
    remote_id: Given = None


class LedgerAccountsBulk(Bulk):
    """Ledger accounts to add or replace, by code."""

    items: Annotated[list[LedgerAccountItem], Field(max_length=ITEMS_MAX)]


class BulkResult(BaseModel):
    """How many lines were given, and how many of the source's old ones went."""

    stored: int
    removed: int


class RelationBody(RelationItem):
    """A relation as kept."""

    id: UUID
    source: str
    updated_at: datetime


class LedgerAccountBody(LedgerAccountItem):
    """A ledger account as kept."""

    id: UUID
    source: str
    updated_at: datetime
