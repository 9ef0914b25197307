"""Settings: the operator's (environment, contract §2) and those of a connection (contract §7)."""

import re
from functools import cached_property
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from koppel_connector.contract import Purpose
from koppel_connector.mail.addresses import Address, domain_of, enterprise_number_in, is_within
from koppel_connector.mail.settings import MailSettings

from .profiles import PROFILES, Attachments, MailProfile, Slot


class BillmailServiceSettings(MailSettings):
    """``KOPPEL_MAIL_SENDER_DOMAINS``: for whom we may send."""

    service: ClassVar[str] = "billmail"
    mail_sender_domains: str = ""
    """Domains, with commas, from which offices may send: SPF lets our server in there. That of ``mail_from`` is among them."""

    @model_validator(mode="after")
    def _has_a_server_and_a_sender(self) -> Self:
        # What is missing would show with the first document.
        self._needed_in_production("smtp_url", "mail_from")
        if not self.smtp_url.get_secret_value():
            self.require_vendor_address("smtp_url", "")
        return self

    @cached_property
    def sender_domains(self) -> tuple[str, ...]:
        """The domains from which mails may be sent."""
        others = (each.strip().lower() for each in self.mail_sender_domains.split(","))
        return (domain_of(self.mail_from), *filter(None, others))


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
