"""Settings: the operator's (environment, contract §2) and those of a connection (contract §7)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from koppel_connector.contract import MailServer, Purpose
from koppel_connector.settings import ConnectorSettings

from .addresses import Address, checked, domain_of, enterprise_number_in, is_within
from .profiles import PROFILES, Attachments, MailProfile, Slot
from .return_path import ReturnPath
from .signing import Signer

Security = Literal["none", "starttls", "tls"]
_SMTP_PORTS: Final[Mapping[Security, int]] = {"none": 25, "starttls": 587, "tls": 465}
_IMAP_PORTS: Final[Mapping[Security, int]] = {"none": 143, "starttls": 143, "tls": 993}
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Mailbox:
    """Where bounces are read."""

    host: str
    port: int
    security: Security
    username: str
    password: SecretStr


class BillmailServiceSettings(ConnectorSettings):
    """``KOPPEL_SMTP_URL``, ``KOPPEL_MAIL_FROM``: where mails are handed in, and who they are from."""

    smtp_url: SecretStr = SecretStr("")
    """``smtp://`` uses STARTTLS and ``smtps://`` TLS; ``?security=none`` neither, as on the loopback."""
    mail_from: str = "billmail@koppel.example"
    """Sender of every mail whose office has none of its own; its domain is also that of bounces and Message-IDs."""
    mail_sender_domains: str = ""
    """Domains, with commas, from which offices may send: SPF lets our server in there. That of ``mail_from`` is among them."""

    imap_url: SecretStr = SecretStr("")
    """The mailbox of bounces: ``imap://user:pass@host`` uses STARTTLS, ``imaps://`` TLS; unset: it is not read."""
    mail_bounces: str = ""
    """The mailbox that bounces come to, with ``+tags``; unset: ``bounces@`` the domain of ``mail_from``."""
    mail_dkim_key_file: Path | None = None
    """A private RSA key in PEM with which every mail is signed (RFC 6376); unset: our server signs, or no mail is signed."""
    mail_dkim_selector: str = "koppel"
    """Under which the public key stands in the DNS: ``koppel._domainkey`` of the domain that a mail is from."""

    @model_validator(mode="after")
    def _has_a_server_and_a_sender(self) -> Self:
        self._needed_in_production("smtp_url", "mail_from")
        if not self.smtp_url.get_secret_value():
            self.require_vendor_address("smtp_url", "")
        checked(self.mail_from)
        checked(self.bounce_address)
        _ = self.mail_server, self.mailbox, self.dkim_signer
        return self

    @cached_property
    def mail_server(self) -> MailServer:
        """Where mails are handed in.

        Raises:
            PydanticCustomError: ``smtp_url`` is no address of a mail server, or would send a password in the clear.
        """
        host, port, security, user, password = _parsed(
            self.smtp_url.get_secret_value(), "smtp", _SMTP_PORTS, "KOPPEL_SMTP_URL"
        )
        return MailServer(host, port, security, user, password)

    @cached_property
    def mailbox(self) -> Mailbox | None:
        """The mailbox that bounces are read from; None where none is.

        Raises:
            PydanticCustomError: ``imap_url`` is no address of one, or would send a password in the clear.
        """
        url = self.imap_url.get_secret_value()
        return Mailbox(*_parsed(url, "imap", _IMAP_PORTS, "KOPPEL_IMAP_URL")) if url else None

    @property
    def bounce_address(self) -> str:
        """The mailbox that bounces come to."""
        return self.mail_bounces or f"bounces@{domain_of(self.mail_from)}"

    @cached_property
    def return_path(self) -> ReturnPath:
        """Who the envelopes are from."""
        return ReturnPath(self.bounce_address, self.secret_keys)

    @cached_property
    def dkim_signer(self) -> Signer | None:
        """What signs a mail; None where there is no key.

        Raises:
            PydanticCustomError: the file is not there, or holds no key.
        """
        if self.mail_dkim_key_file is None:
            return None
        return Signer.from_file(self.mail_dkim_key_file, self.mail_dkim_selector)

    @cached_property
    def sender_domains(self) -> tuple[str, ...]:
        """The domains from which mails may be sent."""
        others = (each.strip().lower() for each in self.mail_sender_domains.split(","))
        return (domain_of(self.mail_from), *filter(None, others))


def _parsed(
    url: str, scheme: str, ports: Mapping[Security, int], variable: str
) -> tuple[str, int, Security, str, SecretStr]:
    """Return host, port, security, user and password of a server's URL."""
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


class Addresses(BaseModel):
    """An address for each kind of document."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sale: Address | None = None
    purchase: Address | None = None
    receipts: Address | None = None
    coda: Address | None = None
    coda_pdf: Address | None = None
    miscellaneous: Address | None = None

    @property
    def given(self) -> dict[str, str]:
        """Those that are filled in, by kind."""
        return {name: value for name, value in self.model_dump().items() if value is not None}


def _known(name: str) -> str:
    if name not in PROFILES:
        raise PydanticCustomError("unknown_profile", "choose one of {names}", {"names": ", ".join(PROFILES)})
    return name


def _one_line(text: str) -> str:
    if re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", text):
        raise PydanticCustomError("subject_with_line_breaks", "a subject is one line")
    return text


ProfileName = Annotated[str, AfterValidator(_known), Field(json_schema_extra={"enum": list(PROFILES)})]
Subject = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_one_line)]


class BillmailSettings(BaseModel):
    """The settings of one connection. All may be set later; ``missing`` names what is needed to send."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, serialize_by_alias=True)

    profile: ProfileName | None = None
    addresses: Addresses = Addresses()
    sender: Address | None = Field(None, alias="from")
    """Whom the mails of this office are from; the service's own sender when unset."""
    attachments: Attachments | None = None
    subject: Subject | None = None
    """Where the receiver says which subject a mail must have."""

    @model_validator(mode="after")
    def _fits_the_profile(self) -> Self:
        target, given = self.target, self.addresses.given
        if target is None:
            return self
        for kind, address in given.items():
            if kind not in target.takes_kinds:
                raise _refused("kind_not_taken", "{title} takes no mail of this kind: {what}", target, what=kind)
            if target.domains and not is_within(domain_of(address), target.domains):
                raise _refused("address_lookalike", "{what} is no address of {title}", target, what=address)
        if self.attachments is not None and self.attachments not in target.attachments:
            raise _refused("attachments_not_taken", "{title} does not read {what}", target, what=self.attachments)
        if len(self.enterprise_numbers) > 1:
            numbers = ", ".join(sorted(self.enterprise_numbers))
            raise _refused(
                "addresses_of_two_companies", "these addresses at {title} are of {what}", target, what=numbers
            )
        return self

    @property
    def target(self) -> MailProfile | None:
        """What the receiver is like; None while no profile is chosen."""
        return PROFILES[self.profile] if self.profile is not None else None

    @property
    def enterprise_numbers(self) -> frozenset[str]:
        """The enterprise numbers that the addresses name, where this receiver's do."""
        if self.target is None or not self.target.address_names_enterprise:
            return frozenset()
        return frozenset(filter(None, map(enterprise_number_in, self.addresses.given.values())))

    def address_of(self, slot: Slot) -> str | None:
        """Return where documents of this kind go; None where nowhere."""
        given, target = self.addresses.given, self.target
        if target is None or slot not in target.takes_kinds:
            return None
        others = iter(given.values()) if target.has_one_address and slot != "coda_pdf" else iter(())
        return given.get(slot) or next(others, None)

    def missing(self, purpose: Purpose) -> list[str]:
        """Return the names of what is not filled in; only sending needs anything."""
        if purpose != "send":
            return []
        needed: dict[str, Any] = {"profile": self.profile, "addresses": self.addresses.given}
        if self.target is not None and self.target.has_own_subject:
            needed["subject"] = self.subject
        return [name for name, value in needed.items() if not value]


def _refused(rule: str, sentence: str, target: MailProfile, *, what: str) -> PydanticCustomError:
    return PydanticCustomError(rule, sentence, {"title": target.title, "what": what})
