"""Bodies of ``/v1/dossiers``."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from koppel_mesh.messages import ExportFrequency

from .common import EnterpriseNumber, Line, Request

Language = Literal["nl", "fr", "en"]
Email = Annotated[str, StringConstraints(max_length=254, pattern=r"^[^@\s\x00-\x20]+@[^@\s\x00-\x20]+$")]


class ExportRulesBody(Request):
    """When documents go, and what holds them back."""

    frequency: ExportFrequency = ExportFrequency.NEVER
    approval_required: bool = False
    lock_after_export: bool = False


class NewDossier(Request):
    """A dossier to be made. ``firm_id`` only with a token that is bound to no firm."""

    name: Line
    enterprise_number: EnterpriseNumber
    language: Language = "nl"
    email: Email | None = None
    reference: Line | None = None
    export: ExportRulesBody = ExportRulesBody()
    firm_id: UUID | None = None


class ExportRulesPatch(Request):
    """Some of the rules; the others stay."""

    frequency: ExportFrequency = ExportFrequency.NEVER
    approval_required: bool = False
    lock_after_export: bool = False


class DossierPatch(Request):
    """What to change; what is not given stays. ``null`` clears ``email`` and ``reference``."""

    name: Line = ""
    enterprise_number: EnterpriseNumber = ""
    language: Language = "nl"
    email: Email | None = None
    reference: Line | None = None
    export: ExportRulesPatch = ExportRulesPatch()


class ConnectionBody(BaseModel):
    """A connection of the dossier, as its connector last described it."""

    connection_id: UUID
    connector: str
    state: str
    connected_via_user: str | None


class DossierBody(BaseModel):
    """A dossier."""

    id: UUID
    firm_id: UUID
    name: str
    enterprise_number: str
    language: Language
    email: str | None
    reference: str | None
    export: ExportRulesBody
    created_at: datetime
    updated_at: datetime


class DossierDetail(DossierBody):
    """A dossier with its connections and how many problems are open."""

    connections: list[ConnectionBody] = Field(default_factory=list)
    open_problems: int = 0
