"""The contract between the kit and a connector: values, errors and one abstract class; no input or output.

The names are imported from here; the module of each says what it means:

* ``connector``: the interface: what a connector fills in
* ``profile``: the vendor as data
* ``target``: what becomes of a document of one kind
* ``purpose``: what settings are needed for
* ``limits``: windows of calls, budgets of errors, the pace of reading back
* ``auth``: how calls are let in
* ``vendor``: an open connection
* ``calls``: one call by HTTP
* ``answers``: its answer, and what a status means
* ``mail``: one message by SMTP, and its reply
* ``delivery``: a document on its way
* ``results``: what a step returns
* ``errors``: what it raises instead
* ``problems``: what a person reads, in three languages
* ``booking_problems``: the problems of bookkeeping
* ``company_problems``: the problems of a connection that leads to other books than its dossier's
* ``master_data``: what is imported
* ``memory``: what a vendor answered and will answer again
* ``notices``: what a vendor tells by itself
* ``wire``: exact JSON for a vendor
"""

from .answers import NothingFound, VendorAnswer, classify_by_status, no_answer, retry_after_s
from .auth import Auth, OAuthProfile, PasswordProfile, TokenError, TokenMeaning
from .booking_problems import BOOKING_PROBLEMS
from .calls import Call
from .company_problems import COMPANY_PROBLEMS
from .connector import Connector
from .delivery import Delivery, DeliveryContext, Trace
from .errors import (
    ActionRequired,
    ConnectorError,
    DossierSessionOver,
    OutcomeUnknown,
    RateLimited,
    ReauthorisationRequired,
    Rejected,
    RetryLater,
    RetryNow,
    SessionOver,
    refusal,
)
from .limits import BookSearch, ErrorBudget, HeaderNames, ReadBackPace, Window
from .mail import MailCall, MailReply, MailServer, classify_by_mail_code
from .master_data import MasterData, MasterDataStore, MasterRecord
from .memory import Memory, Remembered
from .notices import (
    AddressProbe,
    ConnectionReported,
    DeliveryBounced,
    EntryChanged,
    MasterDataChanged,
    Notice,
    NoticeEffect,
    NoticeProfile,
    Verified,
)
from .problems import GENERIC, Problem, ProblemCatalogue, ProblemKind, Role
from .profile import Application, Profile
from .purpose import Purpose
from .results import (
    Booked,
    CannotTell,
    CheckStep,
    Differs,
    Found,
    NotBooked,
    NotFound,
    ReadBack,
    RemoteCompany,
    RemoteDossier,
    Sent,
    TurnedDown,
    Vanished,
)
from .target import Target
from .vendor import Connection, Vendor
from .wire import to_json

__all__ = [
    "BOOKING_PROBLEMS",
    "COMPANY_PROBLEMS",
    "GENERIC",
    "ActionRequired",
    "AddressProbe",
    "Application",
    "Auth",
    "BookSearch",
    "Booked",
    "Call",
    "CannotTell",
    "CheckStep",
    "Connection",
    "ConnectionReported",
    "Connector",
    "ConnectorError",
    "Delivery",
    "DeliveryBounced",
    "DeliveryContext",
    "Differs",
    "DossierSessionOver",
    "EntryChanged",
    "ErrorBudget",
    "Found",
    "HeaderNames",
    "MailCall",
    "MailReply",
    "MailServer",
    "MasterData",
    "MasterDataChanged",
    "MasterDataStore",
    "MasterRecord",
    "Memory",
    "NotBooked",
    "NotFound",
    "NothingFound",
    "Notice",
    "NoticeEffect",
    "NoticeProfile",
    "OAuthProfile",
    "OutcomeUnknown",
    "PasswordProfile",
    "Problem",
    "ProblemCatalogue",
    "ProblemKind",
    "Profile",
    "Purpose",
    "RateLimited",
    "ReadBack",
    "ReadBackPace",
    "ReauthorisationRequired",
    "Rejected",
    "Remembered",
    "RemoteCompany",
    "RemoteDossier",
    "RetryLater",
    "RetryNow",
    "Role",
    "Sent",
    "SessionOver",
    "Target",
    "TokenError",
    "TokenMeaning",
    "Trace",
    "TurnedDown",
    "Vanished",
    "Vendor",
    "VendorAnswer",
    "Verified",
    "Window",
    "classify_by_mail_code",
    "classify_by_status",
    "no_answer",
    "refusal",
    "retry_after_s",
    "to_json",
]
