"""A way in: what a vendor's webhook, a bounced mail or an agent's receipt tells, and what the kit does about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from .problems import Problem


@dataclass(frozen=True)
class Notice:
    """What came in, byte for byte."""

    address: str
    """Last part of the URL it came to: a connection's id, or the vendor's own key."""
    headers: Mapping[str, str]
    """Names in lower case. What authenticates (``authorization``, ``cookie``) is there for ``verify`` and is not stored."""
    content: bytes
    received_at: datetime


@dataclass(frozen=True)
class Verified:
    """The notice proves where it comes from, by the vendor's own means: a signature, a shared secret."""

    notice_id: str
    """By what a repeat is recognised: the vendor's id of it, else a hash of its content."""


@dataclass(frozen=True)
class AddressProbe:
    """The vendor asks whether the address answers, and says nothing else: it is answered so, and nothing is stored."""


@dataclass(frozen=True)
class NoticeProfile:
    """How a vendor's notices come in, where it is asked to send them (``Connector.subscribe``)."""

    key: str
    """The vendor's own key: what the address of the notices of all its connections ends in."""
    answer_status: Literal[200, 201, 202] = 202
    """What the vendor takes for "arrived"; whatever else makes it repeat the notice."""


@dataclass(frozen=True)
class EntryChanged:
    """Something was done with an entry, or it is gone: it is read back now, and looked up now where its outcome is unknown.

    It is a hint and no proof: what stands in the books is asked of the books. An entry that counts as booked is looked at, too;
    where the books no longer hold it, a person decides whether it is made again.
    """

    remote_ref: str | None = None
    remote_id: str | None = None
    scope: str | None = None
    """The books it speaks of, as ``Connector.books_scope`` names them: needed with ``remote_id``, unless the notice came to one
    connection's own address."""


@dataclass(frozen=True)
class DeliveryBounced:
    """What was taken did not arrive after all: the delivery fails with ``problem``, and may be sent again."""

    problem: Problem
    remote_ref: str | None = None
    remote_id: str | None = None
    scope: str | None = None
    place: str | None = None
    """What of its ``progress`` says where the delivery went: a mailbox. With it, a second one that comes back from the same
    place within ``delivery.notices.SAME_PLACE_DAYS`` is a problem of the connection: ``repeated``, which is given that value."""
    repeated: Problem | None = None


@dataclass(frozen=True)
class ConnectionReported:
    """Something is wrong with the connection whose address the notice came to, not with one document."""

    problem: Problem


@dataclass(frozen=True)
class MasterDataChanged:
    """Journals, accounts or relations changed at the vendor: they are imported again soon."""

    scope: str | None = None
    """As of ``EntryChanged``."""


NoticeEffect = EntryChanged | DeliveryBounced | ConnectionReported | MasterDataChanged
