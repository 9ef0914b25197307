"""A connector that posts letters: no HTTP, no login, nothing that could be searched or read back, as with a mailbox."""

import asyncio
import json
from base64 import b64encode
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel

from koppel_connector import (
    ActionRequired,
    Application,
    Call,
    CannotTell,
    Connector,
    ConnectorError,
    DeliveryContext,
    OutcomeUnknown,
    PasswordProfile,
    Problem,
    Profile,
    RateLimited,
    Rejected,
    Reply,
    Sent,
    VendorAnswer,
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

    async def prepare(self, context: DeliveryContext) -> Any:
        files = {file.role: await context.content(file.role) for file in context.document.content}
        encoded = {role: b64encode(content).decode() for role, content in files.items()}
        return {"reference": context.remote_ref, "to": context.vendor.settings.address, "files": encoded}

    async def send(self, context: DeliveryContext, prepared: Any) -> Sent:
        async def carrier() -> Reply:
            return await _posted(context.vendor.application.base_url, prepared)

        await context.vendor.call(Call("letter", "POST", "", json=prepared, acts=True, carrier=carrier))
        return Sent(context.remote_ref)

    async def lookup(self, context: DeliveryContext) -> CannotTell:
        return CannotTell("letters cannot be searched")

    def classify(self, answer: VendorAnswer) -> ConnectorError | None:
        match answer.status:
            case 250:
                return None
            case 450:
                return RateLimited()
            case 550:
                return ActionRequired(Problem("forbidden_by_vendor", answer.text))
            case status if 500 <= status < 600:
                return Rejected(Problem("rejected_by_vendor", answer.text))
        return OutcomeUnknown(answer.text)


async def _posted(address: str, letter: Any) -> Reply:
    slot = urlsplit(address)
    try:
        reader, writer = await asyncio.open_connection(slot.hostname, slot.port)
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


SERVICE = connector_service(LetterConnector(), settings=LetterServiceSettings)
