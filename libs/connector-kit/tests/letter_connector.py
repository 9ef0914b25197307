"""A connector that posts letters by mail: no HTTP, nothing that could be searched or read back."""

from email.message import EmailMessage
from typing import Any

from pydantic import BaseModel, SecretStr

from koppel_connector import (
    ActionRequired,
    Application,
    CannotTell,
    Connector,
    ConnectorError,
    DeliveryContext,
    Problem,
    Profile,
    Sent,
    Target,
)
from koppel_connector.contract import (
    MailCall,
    MailReply,
    MailServer,
    PasswordProfile,
    RateLimited,
    classify_by_mail_code,
)
from koppel_connector.service import connector_service
from koppel_connector.settings import ConnectorSettings
from koppel_mesh.messages import DocumentKind


class LetterServiceSettings(ConnectorSettings):
    letter_port: int = 9


class LetterSettings(BaseModel):
    address: str | None = None
    password: SecretStr | None = None


class LetterConnector(Connector):
    profile = Profile(
        name="connector-paper",
        title="Post",
        auth=PasswordProfile(),
        targets={DocumentKind.SALES_INVOICE: Target(on_ambiguous="review", reads_back=False, settle_s=0.0)},
    )
    settings_model = LetterSettings

    def application(self, service_settings: Any, settings: Any) -> Application:
        server = MailServer("127.0.0.1", service_settings.letter_port, "none")
        if settings.password is not None:
            server = MailServer(server.host, server.port, "none", "koppel", settings.password)
        return Application(mail=server)

    async def prepare(self, context: DeliveryContext) -> Any:
        letter = EmailMessage()
        letter["Message-ID"] = f"<{context.remote_ref}@koppel.example>"
        letter["From"], letter["To"] = "post@koppel.example", context.vendor.settings.address
        letter["Subject"] = context.remote_ref
        letter.set_content("Zie bijlage – één factuur.\n.\nEinde\n")
        for file in context.document.content:
            content = await context.content(file.role)
            letter.add_attachment(content, maintype="application", subtype="octet-stream", filename=file.role)
        return letter

    async def send(self, context: DeliveryContext, prepared: Any) -> Sent:
        address = context.vendor.settings.address
        await context.vendor.send_mail(MailCall("letter", prepared, "bounces@koppel.example", (address,)))
        return Sent(context.remote_ref)

    async def lookup(self, context: DeliveryContext) -> CannotTell:
        return CannotTell("letters cannot be searched")

    def classify_mail(self, reply: MailReply) -> ConnectorError | None:
        match reply.code:
            case 450:
                return RateLimited()
            case 550:
                return ActionRequired(Problem("forbidden_by_vendor", reply.text))
        return classify_by_mail_code(reply)


SERVICE = connector_service(LetterConnector(), settings=LetterServiceSettings)
