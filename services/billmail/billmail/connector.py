"""The mail connector: one document a mail, to the address that the connection has for its kind (R072)."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final, Literal

from koppel_connector import (
    ActionRequired,
    CannotTell,
    CheckStep,
    Connector,
    ConnectorError,
    DeliveryContext,
    NotFound,
    Problem,
    Profile,
    Purpose,
    Rejected,
    Sent,
    Target,
    Vendor,
)
from koppel_connector.contract import (
    MailCall,
    MailReply,
    Notice,
    NoticeEffect,
    PasswordProfile,
    RemoteCompany,
    Verified,
)
from koppel_connector.mail import bounces
from koppel_connector.mail.message import Envelope, compose
from koppel_mesh.clock import utc_now
from koppel_mesh.messages import DocumentKind

from .answers import classify
from .attaching import Contents, attachments_of, insist_on_taken, stem_of
from .message import subject_of, text_of
from .problems import PROBLEMS
from .profiles import SLOTS, MailProfile, Slot
from .readable import as_statement_pdf, with_readable_pdf
from .sender import OfficeMailApplication, Sender, application_of, hand_in, megabytes
from .settings import BillmailServiceSettings, BillmailSettings

MAIL: Final = "mail"
MAIL_PDF: Final = "mail_pdf"
"""The PDF of a statement, which has an address of its own beside the statement's."""
RESEND_AFTER_S: Final = 300.0
"""How long a receiver may need to file what it took, before the same again is dropped as a repeat."""
PROFILE: Final = Profile(
    name="billmail",
    title="BillMail",
    auth=PasswordProfile(),
    targets=dict.fromkeys(DocumentKind, Target(MAIL, "review", reads_back=False, settle_s=0.0)),
    problems=PROBLEMS,
    deadline_s=60.0,
)


# The contract hands some methods arguments that they do not need.
# ruff: noqa: ARG002


class BillmailConnector(Connector[BillmailSettings, MailCall, BillmailServiceSettings]):
    """Mailboxes. Nothing there can be searched or read back; what a receiver is like, its ``MailProfile`` says."""

    profile = PROFILE
    settings_model = BillmailSettings

    def application(
        self, service_settings: BillmailServiceSettings, settings: BillmailSettings
    ) -> OfficeMailApplication:
        """Return where mails are handed in, and who they are from."""
        return application_of(service_settings)

    def books_scope(self, settings: BillmailSettings) -> str | None:
        """A mailbox of one company is its books: two connections to it would bring a document there twice."""
        target, addresses = settings.target, settings.addresses.given.values()
        return " ".join(sorted(set(addresses))) if target and target.is_of_one_company and addresses else None

    def targets(self, kind: DocumentKind, settings: BillmailSettings) -> tuple[Target, ...] | Problem:
        """Return a mail for the document and, of a statement, one for its PDF, as far as there are addresses for them."""
        profile, slot = settings.target, SLOTS[kind]
        if profile is None:
            return Problem("settings_missing", missing="profile")
        if slot not in profile.takes_kinds:
            return Problem("kind_not_taken", kind.value)
        slots: dict[str, Slot] = {MAIL: slot, MAIL_PDF: "coda_pdf"} if slot == "coda" else {MAIL: slot}
        found = tuple(_target(profile, name) for name, each in slots.items() if settings.address_of(each))
        return found or Problem("address_missing", what=slot)

    def missing_settings(self, settings: BillmailSettings, purpose: Purpose) -> list[str]:
        """Return what must be filled in first."""
        return settings.missing(purpose)

    async def remote_company(self, vendor: Vendor[BillmailSettings]) -> RemoteCompany | None:
        """Return the company that the addresses name, where this receiver's do."""
        numbers = vendor.settings.enterprise_numbers
        return RemoteCompany(", ".join(vendor.settings.addresses.given.values()), tuple(numbers)) if numbers else None

    async def check(self, vendor: Vendor[BillmailSettings]) -> AsyncIterator[CheckStep]:
        """Yield whether there are addresses, and whether we may send as this office. Nothing is sent."""
        given = vendor.settings.addresses.given
        problem = None if given else Problem("address_missing", what="addresses")
        yield CheckStep("addresses", problem is None, problem, detail=", ".join(given) or None)
        sender = Sender(vendor)
        yield CheckStep("sender", sender.problem is None, sender.problem, detail=sender.address)

    # ── one document ──

    async def prepare(self, context: DeliveryContext[BillmailSettings]) -> MailCall:
        """Write the mail: the same Message-ID at every try, by which a receiver knows a repeat."""
        vendor, document = context.vendor, context.document
        settings, sender = vendor.settings, Sender(vendor)
        profile, slot = settings.target, _slot_of(context)
        recipient = settings.address_of(slot)
        if profile is None or recipient is None:
            raise ActionRequired(Problem("address_missing", what=slot))
        if (problem := sender.problem) is not None:
            raise ActionRequired(problem)
        language = str(context.dossier["language"])
        style = settings.attachments or profile.attachments[0]
        contents = await _contents_of(context)
        if context.delivery.operation == MAIL_PDF:
            contents = await asyncio.to_thread(as_statement_pdf, contents, language)
        else:
            contents = await asyncio.to_thread(with_readable_pdf, contents, style, language)
        files = attachments_of(contents, style, stem_of(document))
        insist_on_taken(profile, files)
        await context.warn([Problem("signs_in_file_reversed")] if document.signs_reversed else [])
        envelope = Envelope(
            message_id=sender.message_id(context.remote_ref),
            sender=sender.address,
            sender_name=str(context.dossier["name"]),
            recipient=recipient,
            sent_at=utc_now(),
        )
        subject = settings.subject or subject_of(document, profile.tags.get(slot, ""), language)
        text = text_of(document, str(context.dossier["name"]), str(context.dossier["enterprise_number"]), language)
        message = compose(envelope, subject, text, files)
        call = MailCall(MAIL, message, sender.bounces_to, (recipient,), sign=sender.sign)
        if (size := len(call.content())) > profile.size_limit_bytes:
            limit = f"{profile.title}: at most {profile.size_limit_bytes / 1e6:.0f} MB"
            raise Rejected(Problem("mail_too_large", limit, size=megabytes(size)))
        return call

    async def send(self, context: DeliveryContext[BillmailSettings], prepared: MailCall) -> Sent:
        """Hand the mail in."""
        vendor = context.vendor
        (recipient,) = prepared.recipients
        await context.save(**{bounces.RECIPIENT: recipient})
        await hand_in(vendor, prepared)
        return Sent(str(prepared.message["Message-ID"]))

    async def lookup(self, context: DeliveryContext[BillmailSettings]) -> NotFound | CannotTell:
        """Say that a mail may go again where the receiver drops a file that it has."""
        profile = context.vendor.settings.target
        if profile is not None and profile.retry == "resend":
            return NotFound()
        return CannotTell("a mailbox cannot be searched")

    # ── what comes back ──

    def verify(
        self, notice: Notice, service_settings: BillmailServiceSettings, settings: BillmailSettings | None
    ) -> Verified | None:
        """Return the proof that a mail answers one of ours: the envelope's sender that it was sent to."""
        return bounces.verify(notice, service_settings.return_path)

    def receive(self, notice: Notice) -> Sequence[NoticeEffect]:
        """Return what it means: a bounce fails its delivery, a holiday notice nothing at all."""
        return bounces.receive(notice)

    def classify_mail(self, reply: MailReply) -> ConnectorError | None:
        """Judge a reply."""
        return classify(reply)


def _target(profile: MailProfile, operation: str) -> Target:
    on_ambiguous: Literal["lookup", "review"] = "lookup" if profile.retry == "resend" else "review"
    return Target(operation, on_ambiguous, reads_back=False, settle_s=RESEND_AFTER_S)


def _slot_of(context: DeliveryContext) -> Slot:
    return "coda_pdf" if context.delivery.operation == MAIL_PDF else SLOTS[context.delivery.kind]


async def _contents_of(context: DeliveryContext) -> Contents:
    """Read the files of a document."""
    return Contents(**{each.role: await context.content(each.role) for each in context.document.content})
