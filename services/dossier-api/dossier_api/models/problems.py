"""Answers about problems. What is answered about documents is ``koppel_bookkeeping.document``, which connectors read too."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from koppel_mesh.messages import LocalisedText


class ProblemItem(BaseModel):
    """An open problem."""

    id: UUID
    code: str
    message: LocalisedText
    who_can_fix: str
    detail: str | None
    dossier_id: UUID
    document_id: UUID | None
    connector: str
    connection_id: UUID
    delivery_id: UUID | None
    first_seen_at: datetime
    last_seen_at: datetime
    count: int
