"""What one vendor is like, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr

from koppel_mesh.messages import DocumentKind

from .auth import Auth
from .limits import BookSearch, ErrorBudget, ReadBackPace, Window
from .mail import MailServer
from .notices import NoticeProfile
from .problems import ProblemCatalogue
from .target import Target


@dataclass(frozen=True)
class Application:
    """Our registration with the vendor: where it is and who we are there."""

    base_url: str = ""
    """Of what goes by HTTP."""
    client_id: str = ""
    client_secret: SecretStr = field(default_factory=lambda: SecretStr(""))
    servers: Mapping[str, str] = field(default_factory=dict)
    """Further base addresses of the vendor, by the name that ``Call.server`` and ``OAuthProfile.server`` give them."""
    mail: MailServer | None = None
    """Of what goes by mail."""

    def base_of(self, server: str) -> str:
        """Return the base address of a server; the main one's when ``server`` is empty.

        Raises:
            KeyError: there is no such server.
        """
        return (self.servers[server] if server else self.base_url).rstrip("/")


@dataclass(frozen=True)
class Profile:
    """What one vendor is like."""

    name: str
    """Service and URL segment: ``connector-exact``."""
    title: str
    """What people call the vendor: ``Exact Online``."""
    auth: Auth
    targets: Mapping[DocumentKind, Target]
    """What becomes of a document of each kind that the vendor takes, whatever the settings (else ``Connector.targets``)."""
    other_auth: tuple[Auth, ...] = ()
    """Other ways in; ``Connector.auth`` says which one a connection uses."""
    dossier_session_valid_s: float | None = None
    """How long a session of one dossier (``Connector.open_dossier``) lets calls in. None: the login is enough."""
    problems: ProblemCatalogue = field(default_factory=ProblemCatalogue)
    master_data_problems: frozenset[str] = frozenset()
    """Codes of problems that may come of master data which has changed at the vendor since it was imported. A document that ends
    in one has it imported again, once."""
    windows: tuple[Window, ...] = ()
    error_budget: ErrorBudget | None = None
    book_search: BookSearch | None = None
    """How the books are searched for entries of others before the first send; None where they cannot be."""
    read_back: ReadBackPace = field(default_factory=ReadBackPace)
    notices: NoticeProfile | None = None
    """Set where the vendor reports what happens in its books by itself, once it is asked to (``Connector.subscribe``)."""
    watch_every_s: float | None = None
    """How often a vendor that tells nothing by itself is asked for changes in its books (``Connector.changes_in_books``)."""
    deadline_s: float = 20.0
    max_inflight: int = 1
    """Deliveries of one connection under way at once; 1 keeps order and is kinder to vendors."""
