"""An open connection to the sandbox for tests: a login there, and deliveries taken through the connector by hand."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

import httpx2

from connector_exact.connector import ExactConnector
from connector_exact.settings import ExactSettings
from koppel_connector import testing
from koppel_connector.contract import Application, DeliveryContext
from koppel_connector.testing import SampleDocument
from koppel_mesh.clock import utc_now

SAMPLES = Path(__file__).parent / "samples"
CONNECTOR = ExactConnector()


class DirectVendor(testing.DirectVendor[ExactSettings]):
    """An open connection to the sandbox."""

    def __init__(self, base_url: str, token: str, settings: ExactSettings) -> None:
        super().__init__(CONNECTOR, Application(base_url), settings)
        self.token = token

    @property
    def token(self) -> str:
        """The access token that its calls carry."""
        return self.headers["Authorization"].removeprefix("Bearer ")

    @token.setter
    def token(self, token: str) -> None:
        self.headers["Authorization"] = f"Bearer {token}"


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
    return SampleDocument(kind, files, document, entered=(SAMPLES / "own__be-01-invoice-ogm-pdf.xml").read_bytes())


def context_of(
    vendor: DirectVendor,
    document: SampleDocument,
    *,
    progress: dict[str, Any] | None = None,
    remote_uuid: UUID | None = None,
) -> DeliveryContext:
    """Return a delivery of ``document``."""
    return testing.context_of(vendor, document, progress=progress, remote_uuid=remote_uuid)


async def prepare(context: DeliveryContext) -> Any:
    """Prepare a delivery; what cannot be booked ends as the kit ends it."""
    assert isinstance(context.vendor, DirectVendor)
    return await context.vendor.prepare(context)


async def book(vendor: DirectVendor, context: DeliveryContext) -> Any:
    """Take a delivery to the vendor and read it back, as the kit would when nothing goes wrong."""
    return await vendor.book(context)


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
