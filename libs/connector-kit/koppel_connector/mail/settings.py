"""Settings of a service that mails (``KOPPEL_SMTP_URL``, ``KOPPEL_MAIL_*``), and who its mails are from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import ClassVar, Final, Literal, Self
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

from pydantic import SecretStr, model_validator
from pydantic_core import PydanticCustomError

from koppel_connector.contract import Application, MailCall, MailServer
from koppel_connector.settings import ConnectorSettings
from koppel_mesh.clock import utc_now
from koppel_mesh.settings import MeshSettings

from .addresses import checked, domain_of
from .message import Attachment, Envelope, compose
from .return_path import ReturnPath
from .signing import Signer

Security = Literal["none", "starttls", "tls"]
IMAP_PORTS: Final[Mapping[Security, int]] = {"none": 143, "starttls": 143, "tls": 993}
SMTP_PORTS: Final[Mapping[Security, int]] = {"none": 25, "starttls": 587, "tls": 465}
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Mailbox:
    """Where bounces are read."""

    host: str
    port: int
    security: Security
    username: str
    password: SecretStr


@dataclass(frozen=True)
class MailApplication(Application):
    """Where mails are handed in, and who they are from."""

    mail_from: str = ""
    return_path: ReturnPath | None = None
    """Makes the sender of each envelope."""
    signer: Signer | None = None

    def call(
        self,
        operation: str,
        connection_id: UUID,
        reference: str,
        recipient: str,
        sender_name: str,
        subject: str,
        files: Iterable[Attachment],
    ) -> MailCall:
        """Return a mail of files, whose text is its subject.

        Args:
            operation: what the sync log calls it.
            connection_id: of the delivery; all its mails have one sender of the envelope.
            reference: of the delivery; its Message-ID is made of it, and is the same at every try.
            recipient: one address.
            sender_name: shown beside the address that it is from.
            subject: one line.
            files: to attach.
        """
        domain = domain_of(self.mail_from)
        envelope = Envelope(f"{reference}@{domain}", self.mail_from, sender_name, recipient, utc_now())
        sign = partial(self.signer.sign, domain) if self.signer is not None else None
        assert self.return_path is not None, "who mails says where bounces go"
        bounces_to = self.return_path.of_connection(connection_id)
        return MailCall(operation, compose(envelope, subject, subject, files), bounces_to, (recipient,), sign=sign)


class MailServerSettings(MeshSettings):
    """``KOPPEL_SMTP_URL``, ``KOPPEL_MAIL_*``: where mails go out, who they are from, and what signs them."""

    smtp_url: SecretStr = SecretStr("")
    """``smtp://`` uses STARTTLS and ``smtps://`` TLS; ``?security=none`` neither, as on the loopback. Unset: no mail is sent."""
    mail_from: str = "billmail@koppel.example"
    """Sender of every mail whose office has none of its own; its domain is also that of bounces and Message-IDs."""
    mail_dkim_key_file: Path | None = None
    """A private RSA key in PEM with which every mail is signed (RFC 6376); unset: our server signs, or no mail is signed."""
    mail_dkim_selector: str = "koppel"
    """Under which the public key stands in the DNS: ``koppel._domainkey`` of the domain that a mail is from."""

    @model_validator(mode="after")
    def _can_send_mail(self) -> Self:
        if self.smtp_url.get_secret_value():
            self._needed_in_production("mail_from")
        checked(self.mail_from)
        _ = self.mail_server, self.dkim_signer
        return self

    @cached_property
    def mail_server(self) -> MailServer | None:
        """Where mails are handed in; None where nowhere.

        Raises:
            PydanticCustomError: ``smtp_url`` is no address of a mail server, or would send a password in the clear.
        """
        url = self.smtp_url.get_secret_value()
        return MailServer(*server_of(url, "smtp", SMTP_PORTS, "KOPPEL_SMTP_URL")) if url else None

    @cached_property
    def dkim_signer(self) -> Signer | None:
        """What signs a mail; None where there is no key.

        Raises:
            PydanticCustomError: the file is not there, or holds no key.
        """
        if self.mail_dkim_key_file is None:
            return None
        return Signer.from_file(self.mail_dkim_key_file, self.mail_dkim_selector)


class MailSettings(MailServerSettings, ConnectorSettings):
    """``KOPPEL_MAIL_BOUNCES``, ``KOPPEL_IMAP_URL``: of a connector that mails documents, and reads what comes back."""

    service: ClassVar[str]
    """The name of the service: its bounces are told from those of others by it."""

    mail_bounces: str = ""
    """The mailbox that bounces come to, with ``+tags``; unset: ``bounces@`` the domain of ``mail_from``."""
    imap_url: SecretStr = SecretStr("")
    """The mailbox of bounces: ``imap://user:pass@host`` uses STARTTLS, ``imaps://`` TLS; unset: it is not read."""

    @model_validator(mode="after")
    def _can_read_bounces(self) -> Self:
        checked(self.bounce_address)
        _ = self.mailbox
        return self

    def mail_application(self, base_url: str, client_id: str) -> MailApplication:
        """Return the registration with a vendor that is reached by HTTP and by mail."""
        return MailApplication(
            base_url,
            client_id,
            mail=self.mail_server,
            mail_from=self.mail_from,
            return_path=self.return_path,
            signer=self.dkim_signer,
        )

    @property
    def bounce_address(self) -> str:
        """The mailbox that bounces come to."""
        return self.mail_bounces or f"bounces@{domain_of(self.mail_from)}"

    @cached_property
    def return_path(self) -> ReturnPath:
        """Who the envelopes are from."""
        return ReturnPath(self.service, self.bounce_address, self.secret_keys)

    @cached_property
    def mailbox(self) -> Mailbox | None:
        """The mailbox that bounces are read from; None where none is.

        Raises:
            PydanticCustomError: ``imap_url`` is no address of one, or would send a password in the clear.
        """
        url = self.imap_url.get_secret_value()
        return Mailbox(*server_of(url, "imap", IMAP_PORTS, "KOPPEL_IMAP_URL")) if url else None


def server_of(
    url: str, scheme: str, ports: Mapping[Security, int], variable: str
) -> tuple[str, int, Security, str, SecretStr]:
    """Return host, port, security, user and password of a mail server's URL.

    Raises:
        PydanticCustomError: it is none, or would send its password in the clear.
    """
    parts = urlsplit(url)
    try:
        port, host = parts.port, parts.hostname
    except ValueError:
        port, host = None, None
    security = parse_qs(parts.query).get("security", [""])[0]
    security = security or ("tls" if parts.scheme == f"{scheme}s" else "none" if host in _LOOPBACK else "starttls")
    if parts.scheme not in (scheme, f"{scheme}s") or not host or security not in ("none", "starttls", "tls"):
        params = {"variable": variable, "scheme": scheme}
        raise PydanticCustomError(
            "no_mail_server", "{variable} is not {scheme}://host:port or {scheme}s://user:pass@host", params
        )
    if parts.password and security == "none" and host not in _LOOPBACK:
        raise PydanticCustomError(
            "password_in_the_clear", "{variable} would send its password without TLS", {"variable": variable}
        )
    checked_security: Security = security  # type: ignore[assignment] # one of the three
    return (
        host,
        port or ports[checked_security],
        checked_security,
        unquote(parts.username or ""),
        SecretStr(unquote(parts.password or "")),
    )
