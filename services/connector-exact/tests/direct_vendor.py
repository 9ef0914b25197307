"""An open connection to the sandbox for tests: a login at a running sandbox, and deliveries taken through the connector by hand.

``DirectVendor`` is a ``Vendor`` without the kit's database behind it: real HTTP to the real sandbox, judged by the connector.
What the kit adds (tokens, budgets, the sync log) is tested through the service in test_service.py and in the kit.
"""

from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

import httpx2

from connector_exact import answers
from connector_exact.connector import ExactConnector
from connector_exact.settings import ExactSettings
from koppel_bookkeeping import CannotBook, Document
from koppel_connector.contract import (
    Application,
    Call,
    Connection,
    Delivery,
    DeliveryContext,
    MailCall,
    MailReply,
    OutcomeUnknown,
    Vendor,
    VendorAnswer,
)
from koppel_connector.testing import document_factory
from koppel_connector.testing.master_data import MasterDataInProcess
from koppel_connector.testing.memory import MemoryInProcess
from koppel_mesh.clock import utc_now
from koppel_mesh.ids import new_id
from koppel_mesh.messages import DocumentKind

SAMPLES = Path(__file__).parent / "samples"
CONNECTOR = ExactConnector()


@dataclass
class MadeCall:
    """One call that left, for the tests that count."""

    method: str
    operation: str
    status: int


class DirectVendor(Vendor):
    """An open connection to the sandbox."""

    def __init__(self, base_url: str, token: str, settings: ExactSettings) -> None:
        self.application = Application(base_url)
        self.connection = Connection(new_id(), new_id(), new_id(), "connected")
        self.settings = settings
        self.master_data = MasterDataInProcess()
        self.memory = MemoryInProcess()
        self.calls: list[MadeCall] = []
        self.token = token
        self._http = httpx2.AsyncClient(timeout=10, trust_env=False)

    async def call(self, call: Call) -> VendorAnswer:
        sent = {"Accept": "application/json", "Authorization": f"Bearer {self.token}", **call.headers}
        if call.json is not None:
            sent["Content-Type"] = "application/json"
        url = call.path if call.path.startswith("http") else self.application.base_url + call.path
        assert url.startswith(self.application.base_url)
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
        if (failure := CONNECTOR.classify(answer)) is not None:
            raise failure
        return answer

    async def send_mail(self, call: MailCall) -> MailReply:
        raise AssertionError(f"Exact gets no mail: {call.operation}")

    async def close(self) -> None:
        await self._http.aclose()

    async def import_all(self) -> None:
        """Import the division's master data."""
        self.master_data = MasterDataInProcess((await CONNECTOR.import_master_data(self)).lines())
        self.calls.clear()


@dataclass
class SampleDocument:
    """A document as dossier-api would hand it over."""

    kind: str
    files: dict[str, bytes]
    document: dict[str, Any] = field(default_factory=dict)


def sample(
    name: str, kind: str = "sales_invoice", *, pdf: bytes | None = b"%PDF-1.4 sample", **document: Any
) -> SampleDocument:
    """Return one of our samples as a document; ``replace`` swaps text in it."""
    swaps: dict[str, str] = document.pop("replace", {})
    ubl = (SAMPLES / f"own__be-{name}.xml").read_text()
    for old, new in swaps.items():
        assert old in ubl
        ubl = ubl.replace(old, new)
    files = {"ubl": ubl.encode()} | ({"pdf": pdf} if pdf else {})
    return SampleDocument(kind, files, document)


def context_of(
    vendor: DirectVendor,
    document: SampleDocument,
    *,
    progress: dict[str, Any] | None = None,
    remote_uuid: UUID | None = None,
) -> DeliveryContext:
    """Return a delivery of ``document``."""

    async def read(role: str) -> bytes:
        return document.files[role]

    number = new_id()
    return DeliveryContext(
        delivery=Delivery(new_id(), new_id(), 1, "book", DocumentKind(document.kind)),
        remote_ref=f"KPL-{number.hex[-20:].upper()}",
        remote_uuid=remote_uuid or number,
        filed=_document(document),
        dossier={"name": "Voorbeeld Drukkerij BV", "enterprise_number": "0000000196", "language": "nl"},
        vendor=vendor,
        progress=progress if progress is not None else {},
        read_content=read,
        write_progress=lambda _: None,
    )


def _document(sample_document: SampleDocument) -> Document:
    """Return the document as dossier-api answers with it; what is no UBL was entered by hand."""
    readable = sample_document.files.get("ubl") or (SAMPLES / "own__be-01-invoice-ogm-pdf.xml").read_bytes()
    document = document_factory.read(readable, DocumentKind(sample_document.kind), new_id()).document
    content = [
        {"role": role, "media_type": "application/xml", "sha256": sha256(data).hexdigest(), "size_bytes": len(data)}
        for role, data in sample_document.files.items()
    ]
    return Document.model_validate({**document, "content": content, **sample_document.document})


async def prepare(context: DeliveryContext) -> Any:
    """Prepare a delivery; what cannot be booked ends as the kit ends it."""
    try:
        return await CONNECTOR.prepare(context)
    except CannotBook as reason:
        raise answers.refusal(reason.code, reason.detail) from reason


def asked_again(context: DeliveryContext) -> DeliveryContext:
    """Return the delivery as it is after somebody asked to try again."""
    return replace(context, delivery=replace(context.delivery, due_at=utc_now()))


async def allow(address: str) -> dict[str, str]:
    """Give the consent at ``address`` as a person does; return the query with which Exact sends the browser back."""
    async with httpx2.AsyncClient(timeout=10, trust_env=False, follow_redirects=False) as browser:
        consent = await browser.get(address)
    assert consent.status_code == 302, consent.text
    return {name: values[0] for name, values in parse_qs(urlsplit(consent.headers["location"]).query).items()}


async def login(base_url: str, client_id: str, client_secret: str, redirect_uri: str) -> dict[str, Any]:
    """Give the consent and exchange the code."""
    asked = {
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "state": "s",
        "force_login": "1",
    }
    returned = await allow(f"{base_url}/api/oauth2/auth?{urlencode(asked)}")
    form = {
        "grant_type": "authorization_code",
        "code": returned["code"],
        "redirect_uri": redirect_uri,
        "client_id": client_id,
        "client_secret": client_secret,
    }
    async with httpx2.AsyncClient(timeout=10, trust_env=False) as http:
        pair = await http.post(f"{base_url}/api/oauth2/token", data=form)
    assert pair.status_code == 200, pair.text
    return dict(pair.json())


async def book(vendor: DirectVendor, context: DeliveryContext) -> Any:
    """Take a delivery to the vendor and read it back, as the kit would when nothing goes wrong."""
    prepared = await prepare(context)
    sent = await CONNECTOR.send(context, prepared)
    result = await CONNECTOR.read_back(vendor, [context])
    return sent, result[context.delivery.id]


__all__ = [
    "CONNECTOR",
    "SAMPLES",
    "DirectVendor",
    "SampleDocument",
    "allow",
    "asked_again",
    "book",
    "context_of",
    "login",
    "prepare",
    "sample",
]
