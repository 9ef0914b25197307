"""One delivery, as a connector gets it in hand."""

import hashlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic
from uuid import UUID

from koppel_bookkeeping import Document
from koppel_mesh.clock import utc_now
from koppel_mesh.messages import DocumentKind

from .problems import Problem
from .target import Target
from .type_parameters import SettingsT
from .vendor import Vendor


@dataclass(frozen=True)
class Delivery:
    """One document on its way to one connection."""

    id: UUID
    document_id: UUID
    revision: int
    operation: str
    kind: DocumentKind
    remote_id: str | None = None
    due_at: datetime = field(default_factory=utc_now)
    """When it was due, by schedule or on request; what the vendor answered before that may be out of date."""
    target: Target | None = None
    """What it was made for, whatever the settings say now; None in a delivery from before there were targets."""
    was_booked: bool = False
    """Whether its entry was seen in the books before: absent now, it is gone."""


@dataclass(frozen=True)
class Trace:
    """An earlier delivery of the same document that may have changed something in the same books."""

    delivery: Delivery
    remote_ref: str
    remote_uuid: UUID
    progress: Mapping[str, Any]
    """What its connector saved on the way."""
    first_sent_at: datetime


@dataclass
class DeliveryContext(Generic[SettingsT]):
    """What a connector gets in hand for one delivery."""

    delivery: Delivery
    remote_ref: str
    """``KPL-`` and 20 characters: the same for the same (connection, operation, document, revision), always."""
    remote_uuid: UUID
    """UUIDv5 of the same key, for vendors that take a client's id."""
    filed: Document | None
    """As ``document``; None in ``read_back``, which goes by ``progress``."""
    dossier: Mapping[str, Any]
    """``id``, ``name``, ``enterprise_number``, ``language``."""
    vendor: Vendor[SettingsT]
    progress: dict[str, Any]
    """JSON scratch that outlives us: read it before each step, so that a resumed send repeats no finished step."""
    read_content: Callable[[str], Awaitable[bytes]]
    write_progress: Callable[[dict[str, Any]], None]
    first_sent_at: datetime | None = None
    """When the first call left that may have changed something at the vendor for this delivery; since when to search."""
    traces: tuple[Trace, ...] = ()
    """Earlier deliveries of the document, mostly through another connection, that may have changed something in the same books.

    Before the kit sends, it has ``lookup`` search for each of them: an entry that is there is a person's to judge."""

    @property
    def document(self) -> Document:
        """Return the document as dossier-api answers with it, amounts as on paper.

        Raises:
            LookupError: in ``read_back``, for which documents are not read.
        """
        if self.filed is None:
            raise LookupError("reading back goes by what the delivery saved, not by the document")
        return self.filed

    async def content(self, role: str, at_hand: Iterable[bytes] = ()) -> bytes:
        """Return the bytes of one file of the document: ``ubl``, ``pdf`` or ``coda``.

        Args:
            role: which file.
            at_hand: files found inside another one; the one with the right hash is taken instead of being asked for again.

        Raises:
            KeyError: the document has no such file.
        """
        wanted = self.document.file(role)
        for file in at_hand:
            if wanted is not None and hashlib.sha256(file).hexdigest() == wanted.sha256:
                return file
        return await self.read_content(role)

    async def save(self, **progress: Any) -> None:
        """Note what was reached. It is durable before the next call's bytes leave, and with the outcome at the latest."""
        self.progress.update(progress)
        self.write_progress(self.progress)

    async def warn(self, warnings: Sequence[Problem]) -> None:
        """Tell with the delivery what a person should know of an entry that is booked all the same.

        They replace those of an earlier try, and are kept in ``progress`` as ``warnings``; the catalogue has their sentences.
        """
        kept = [{"code": each.code, "detail": each.detail} for each in warnings]
        if kept != self.progress.get("warnings", []):
            await self.save(warnings=kept)
