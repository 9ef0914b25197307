"""A connector that posts letters: no HTTP, no login, nothing that could be searched or read back, as with a mailbox."""

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel

from koppel_connector import (
    Application,
    Blocked,
    Call,
    CannotTell,
    Connector,
    OutcomeUnknown,
    PasswordProfile,
    Problem,
    Profile,
    Rejected,
    Reply,
    Sent,
    Throttled,
    VendorAnswer,
    Verdict,
    Work,
)
from koppel_connector.service import connector_service
from koppel_connector.settings import ConnectorSettings
from koppel_mesh.http.client import NotSent, Unanswered
from koppel_mesh.messages import DocumentKind


class LetterServiceSettings(ConnectorSettings):
    letter_base_url: str = "post://127.0.0.1:9"


class LetterSettings(BaseModel):
    address: str | None = None


class LetterConnector(Connector):
    profile = Profile(
        name="connector-paper",
        title="Post",
        kinds=frozenset({DocumentKind.SALES_INVOICE}),
        auth=PasswordProfile(),
        settle_s=0.0,
        on_ambiguous="review",
        reads_back=False,
    )
    settings_model = LetterSettings

    def application(self, service_settings: Any, settings: Any) -> Application:
        return Application(service_settings.letter_base_url)

    async def prepare(self, work: Work) -> Any:
        return {"reference": work.remote_ref, "to": work.vendor.settings.address}

    async def send(self, work: Work, prepared: Any) -> Sent:
        async def carrier() -> Reply:
            return await _posted(work.vendor.application.base_url, prepared)

        await work.vendor.call(Call("letter", "POST", "", json=prepared, acts=True, carrier=carrier))
        return Sent(work.remote_ref)

    async def lookup(self, work: Work) -> CannotTell:
        return CannotTell("letters cannot be searched")

    def classify(self, answer: VendorAnswer) -> Verdict | None:
        match answer.status:
            case 250:
                return None
            case 450:
                return Throttled()
            case 550:
                return Blocked(Problem("forbidden_by_vendor", answer.text))
            case status if 500 <= status < 600:
                return Rejected(Problem("rejected_by_vendor", answer.text))
        return OutcomeUnknown(answer.text)


async def _posted(address: str, letter: Any) -> Reply:
    place = urlsplit(address)
    try:
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
    except OSError as error:
        raise NotSent(repr(error)) from error
    try:
        writer.write(json.dumps(letter).encode() + b"\n")
        answer = await reader.readline()
    finally:
        writer.close()
    if not answer.endswith(b"\n"):
        raise Unanswered("the answer is cut off")
    return Reply(int(answer[:3]), {}, answer.strip())


SERVICE = connector_service(
    LetterConnector(), settings=LetterServiceSettings, migrations=Path(__file__).parent / "migrations" / "versions"
)
