"""An open connection to a sandbox without the kit's database behind it, and deliveries taken through a connector by hand.

Real HTTP to a real server, judged by the connector. What the kit adds (tokens, budgets, the sync log) is tested through the
service. For the many cases of one connector's mapping and refusals, which need no database each.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Generic
from uuid import UUID

import httpx2

from koppel_bookkeeping import CannotBook, Document
from koppel_connector.contract import (
    BOOKING_PROBLEMS,
    GENERIC,
    Application,
    Call,
    Connection,
    Connector,
    Delivery,
    DeliveryContext,
    MailCall,
    MailReply,
    OutcomeUnknown,
    Problem,
    Target,
    Vendor,
    VendorAnswer,
    refusal,
)
from koppel_connector.contract.type_parameters import SettingsT
from koppel_mesh.clock import utc_now
from koppel_mesh.ids import new_id
from koppel_mesh.messages import DocumentKind

from . import document_factory
from .document_factory import DOSSIER_NAME, DOSSIER_NUMBER
from .master_data import MasterDataInProcess
from .memory import MemoryInProcess


@dataclass
class MadeCall:
    """One call that left, for the tests that count."""

    method: str
    operation: str
    status: int


class DirectVendor(Vendor[SettingsT], Generic[SettingsT]):
    """An open connection of one connector.

    Args:
        connector: judges the answers.
        application: where the vendor is.
        settings: of the connection.
        headers: what lets calls in.
    """

    def __init__(
        self,
        connector: Connector,
        application: Application,
        settings: SettingsT,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.connector = connector
        self.application = application
        self.connection = Connection(new_id(), new_id(), new_id(), "connected")
        self.settings = settings
        self.headers = dict(headers or {})
        self.headers_at: dict[str, dict[str, str]] = {}
        """What lets calls in at other APIs (``Call.api``), logged in at once for the whole test."""
        self.master_data = MasterDataInProcess()
        self.memory = MemoryInProcess()
        self.calls: list[MadeCall] = []
        self._http = httpx2.AsyncClient(timeout=10, trust_env=False)

    async def call(self, call: Call) -> VendorAnswer:
        """Make a call over HTTP; a broken connection leaves its outcome unknown."""
        sent = {"Accept": "application/json", **await self._let_in(call), **call.headers}
        if call.json is not None:
            sent["Content-Type"] = "application/json"
        base = self.application.base_of(call.server)
        url = call.path if call.path.startswith("http") else base + call.path
        assert url.startswith(base)
        try:
            got = await self._http.request(
                call.method, url, params=call.params or None, content=call.body(), headers=sent
            )
        except httpx2.TransportError as error:
            self.calls.append(MadeCall(call.method, call.operation, 0))
            raise OutcomeUnknown(repr(error)) from error
        self.calls.append(MadeCall(call.method, call.operation, got.status_code))
        named = {name.lower(): value for name, value in got.headers.items()}
        answer = VendorAnswer(got.status_code, named, got.content, call.operation, call.acts)
        if call.nothing_found is not None and call.nothing_found.is_said_by(answer):
            return replace(answer, found_nothing=True)
        if (failure := self.connector.classify(answer)) is not None:
            raise failure
        return answer

    async def _let_in(self, call: Call) -> Mapping[str, str]:
        if call.logs_in or not call.api:
            return self.headers
        if call.api not in self.headers_at:
            self.headers_at[call.api] = dict(await self.connector.log_in_at(self, call.api))
            self.headers_at[call.api] |= await self.connector.open_dossier_at(self, call.api)
        return self.headers_at[call.api]

    async def send_mail(self, call: MailCall) -> MailReply:
        """Refuse: this is for vendors by HTTP."""
        raise AssertionError(f"no mail: {call.operation}")

    async def close(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    async def import_all(self) -> None:
        """Import the master data, and forget the calls that it took."""
        self.master_data = MasterDataInProcess((await self.connector.import_master_data(self)).lines())
        self.calls.clear()

    # ── one delivery ──

    async def prepare(self, context: DeliveryContext) -> Any:
        """Prepare a delivery; what cannot be booked ends as the kit ends it."""
        catalogue = self.connector.profile.problems.over(BOOKING_PROBLEMS.over(GENERIC))
        try:
            return await self.connector.prepare(context)
        except CannotBook as reason:
            raise refusal(Problem(reason.code, reason.detail or None), catalogue) from reason

    async def send(self, context: DeliveryContext) -> Any:
        """Take a delivery to the vendor, as the kit would when nothing goes wrong."""
        prepared = await self.prepare(context)
        context.first_sent_at = context.first_sent_at or utc_now()
        return await self.connector.send(context, prepared)

    async def book(self, context: DeliveryContext) -> tuple[Any, Any]:
        """Send a delivery and read it back."""
        sent = await self.send(context)
        seen = await self.connector.read_back(self, [context])
        return sent, seen.get(context.delivery.id)


@dataclass
class SampleDocument:
    """A document as dossier-api would hand it over."""

    kind: str
    files: dict[str, bytes]
    changes: dict[str, Any] = field(default_factory=dict)
    """Of the document itself: what people chose, such as ``journal``."""
    entered: bytes | None = None
    """A UBL that says what a person entered for a document without one."""

    def document(self) -> Document:
        """Return it as dossier-api answers with it."""
        ubl = self.files.get("ubl") or self.entered
        assert ubl is not None, "a document without UBL needs what a person entered"
        read = document_factory.read(ubl, DocumentKind(self.kind), new_id()).document
        content = [
            {"role": role, "media_type": "application/xml", "sha256": sha256(data).hexdigest(), "size_bytes": len(data)}
            for role, data in self.files.items()
        ]
        return Document.model_validate({**read, "content": content, **self.changes})


def context_of(
    vendor: DirectVendor,
    sample: SampleDocument,
    *,
    target: Target | None = None,
    progress: dict[str, Any] | None = None,
    remote_uuid: UUID | None = None,
) -> DeliveryContext:
    """Return a delivery of a document, as the kit hands it to a connector."""

    async def read(role: str) -> bytes:
        return sample.files[role]

    number = new_id()
    return DeliveryContext(
        delivery=Delivery(new_id(), new_id(), 1, "book", DocumentKind(sample.kind), target=target),
        remote_ref=f"KPL-{number.hex[-20:].upper()}",
        remote_uuid=remote_uuid or number,
        filed=sample.document(),
        dossier={"name": DOSSIER_NAME, "enterprise_number": DOSSIER_NUMBER, "language": "nl"},
        vendor=vendor,
        progress=progress if progress is not None else {},
        read_content=read,
        write_progress=lambda _: None,
    )
