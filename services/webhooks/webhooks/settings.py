"""What an operator may set for webhooks."""

import ssl
from pathlib import Path
from typing import Annotated, Self

import httpx2
from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode

from koppel_connector.mail.settings import MailServerSettings
from koppel_mesh.http.outside_client import OutsideRules


class WebhookSettings(MailServerSettings):
    """The ``KOPPEL_*`` variables of webhooks.

    Without a mail server (``KOPPEL_SMTP_URL``) owners of disabled endpoints are told by the problem of the endpoint alone.
    """

    webhook_retry_schedule_s: Annotated[tuple[float, ...], NoDecode] = (5, 30, 300, 1800, 7200, 18_000, 36_000, 36_000)
    """How long after each failed attempt the next one is made, ±20 %; after the last the delivery is given up (contract §7c)."""
    webhook_deadline_s: float = Field(15.0, gt=0, le=60)
    """For one attempt in all: a token where one is wanted, resolving, connecting, sending and the answer."""
    webhook_concurrency: int = Field(8, ge=1, le=100)
    """Attempts at one endpoint at a time; one that fails gets a single one."""
    webhook_connections: int = Field(400, ge=1, le=500)
    """Attempts of one process at a time."""

    webhook_ports: Annotated[tuple[int, ...], NoDecode] = (443, 8443)
    """Ports of endpoints and authorisation servers that are called."""
    webhook_loopback: bool = False
    """Whether this machine is called too, at any port and without TLS: for developing, where ``KOPPEL_ENV`` is ``local``."""
    webhook_proxy_url: SecretStr | None = None
    """An egress proxy through which every call goes; it has to refuse the inside itself."""
    webhook_client_certificate_file: Path | None = None
    """A certificate and its key in PEM with which we show ourselves to receivers that ask for one (mutual TLS)."""

    webhook_event_days: int = Field(30, ge=1, le=366)
    """For how many days events can be read and replayed."""

    @field_validator("webhook_retry_schedule_s", "webhook_ports", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if not self.secret_keys:
            raise ValueError(
                "KOPPEL_SECRET_KEYS is empty: secrets of endpoints cannot be kept without an encryption key"
            )
        if self.webhook_loopback and self.env != "local":
            raise ValueError("KOPPEL_WEBHOOK_LOOPBACK is for KOPPEL_ENV=local: in production it opens the inside")
        return self

    @property
    def rules(self) -> OutsideRules:
        """Return which addresses may be called; without TLS only on a laptop."""
        is_local = self.env == "local"
        ports = frozenset(self.webhook_ports) | ({80} if is_local else frozenset())
        return OutsideRules(ports, plain_http=is_local, loopback=self.webhook_loopback)

    def tls(self) -> ssl.SSLContext:
        """Return how receivers are known, and how we show ourselves.

        Raises:
            OSError: the file of the certificate cannot be read.
        """
        context: ssl.SSLContext = httpx2.create_ssl_context(trust_env=False)
        if self.webhook_client_certificate_file is not None:
            context.load_cert_chain(self.webhook_client_certificate_file)
        return context
