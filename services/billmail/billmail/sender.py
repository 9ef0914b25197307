"""Who we are to those who get our mails."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from koppel_connector import ConnectorError, Problem, Vendor
from koppel_connector.contract import MailCall
from koppel_connector.mail.addresses import domain_of, is_within
from koppel_connector.mail.settings import MailApplication

from .settings import BillmailServiceSettings, BillmailSettings


@dataclass(frozen=True)
class OfficeMailApplication(MailApplication):
    """Where mails are handed in, who they are from, and for whom we may send."""

    sender_domains: tuple[str, ...] = ()


def application_of(settings: BillmailServiceSettings) -> OfficeMailApplication:
    """Return what the settings of the service say."""
    return OfficeMailApplication(
        mail=settings.mail_server,
        mail_from=settings.mail_from,
        sender_domains=settings.sender_domains,
        return_path=settings.return_path,
        signer=settings.dkim_signer,
    )


class Sender:
    """The sender of one connection's mails."""

    def __init__(self, vendor: Vendor[BillmailSettings]) -> None:
        application = vendor.application
        assert isinstance(application, OfficeMailApplication) and application.return_path is not None
        self._application = application
        self.bounces_to = application.return_path.of_connection(vendor.connection.id)
        """The sender of the envelope, the same in every mail."""
        self.address = vendor.settings.sender or application.mail_from
        """Of the header ``From``."""

    @property
    def problem(self) -> Problem | None:
        """Why a mail may not be from it: a domain that does not let our server in makes every mail look forged."""
        domain = domain_of(self.address)
        if is_within(domain, self._application.sender_domains):
            return None
        return Problem("sender_not_allowed", domain=domain)

    @property
    def sign(self) -> Callable[[bytes], bytes] | None:
        """What signs its mails; None where the service has no key."""
        signer = self._application.signer
        return partial(signer.sign, domain_of(self.address)) if signer is not None else None

    def message_id(self, name: str) -> str:
        """Return a Message-ID, without angle brackets."""
        return f"{name}@{domain_of(self._application.mail_from)}"


async def hand_in(vendor: Vendor[BillmailSettings], call: MailCall) -> None:
    """Send a mail; a problem says of which address, from whom, and how large.

    Raises:
        ConnectorError: what to do next, when the mail was not taken.
    """
    try:
        await vendor.send_mail(call)
    except ConnectorError as failure:
        if failure.problem is not None:
            params = {"address": ", ".join(call.recipients), "sender": Sender(vendor).address}
            failure.problem.params.update({**params, "size": megabytes(len(call.content()))})
        raise


def megabytes(size_bytes: int) -> str:
    """Return a size as people read it."""
    return f"{max(size_bytes / 1e6, 0.1):.1f}"
