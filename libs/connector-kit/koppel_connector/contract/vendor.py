"""An open connection, as a connector sees it: the only way to the vendor."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Generic
from uuid import UUID

from .answers import VendorAnswer
from .calls import Call
from .mail import MailCall, MailReply
from .master_data import MasterDataStore
from .memory import Memory
from .profile import Application
from .type_parameters import SettingsT


@dataclass(frozen=True)
class Connection:
    """Who is connected to what."""

    id: UUID
    dossier_id: UUID
    firm_id: UUID
    state: str
    connected_via_user: str | None = None


class Vendor(ABC, Generic[SettingsT]):
    """An open connection: the only way to reach the vendor."""

    connection: Connection
    settings: SettingsT
    """The connector's ``settings_model``, secrets included."""
    master_data: MasterDataStore
    memory: Memory
    application: Application

    @abstractmethod
    async def call(self, call: Call) -> VendorAnswer:
        """Make one call and return its answer, judged as success by ``Connector.classify``.

        Token, then budget, then a committed line in the sync log, then the bytes under one total deadline, then the
        outcome. While a delivery is in hand, every call counts as made for it.

        Raises:
            ConnectorError: what to do next, when the answer is not a success.
        """

    @abstractmethod
    async def send_mail(self, call: MailCall) -> MailReply:
        """Hand in one message and return the reply to it, taken for a success by ``Connector.classify_mail``.

        As ``call`` does, but for the token: ``MailServer`` holds the login. What fails before the content is handed over
        cannot have acted; a connection that is lost afterwards may have.

        Raises:
            ConnectorError: what to do next, when the reply is not a success.
            ValueError: the application has no mail server, or the message cannot be written.
        """
