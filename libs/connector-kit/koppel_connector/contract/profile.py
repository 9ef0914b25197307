"""What one vendor is like, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import SecretStr

from koppel_mesh.messages import DocumentKind

from .limits import ErrorBudget, Window
from .problems import ProblemCatalogue

TokenMeaning = Literal["too_early", "spent", "revoked", "misconfigured", "transient"]


@dataclass(frozen=True)
class TokenError:
    """One line of the table "what a refusal of the token endpoint means". The first line that fits wins."""

    meaning: TokenMeaning
    status: int | None = None
    error: str | None = None
    description: str | None = None
    """Part of ``error_description`` or of a ``Reason`` header, compared without case."""


@dataclass(frozen=True)
class OAuthProfile:
    """OAuth 2.0 authorization code with rotating refresh tokens."""

    authorize_path: str
    token_path: str
    access_valid_s: int = 590
    """A call never starts with an older access token."""
    refresh_not_before_s: int = 0
    """The vendor refuses an earlier refresh, counted from when the pair was received."""
    refresh_valid_days: int = 30
    keep_alive_days: int = 7
    """An idle connection is refreshed this often, so that its grant never lapses."""
    authorize_params: Mapping[str, str] = field(default_factory=dict)
    scope: str | None = None
    client_auth: Literal["body", "basic"] = "body"
    errors: tuple[TokenError, ...] = ()


@dataclass(frozen=True)
class PasswordProfile:
    """Credentials live in the settings, as write-only secret fields."""

    session_valid_s: float | None = None
    """How long a login (``Connector.log_in``) lets calls in. None: there is none, ``request_headers`` carry the password."""


@dataclass(frozen=True)
class Application:
    """Our registration with the vendor: where it is and who we are there."""

    base_url: str
    client_id: str = ""
    client_secret: SecretStr = field(default_factory=lambda: SecretStr(""))


@dataclass(frozen=True)
class Profile:
    """What one vendor is like."""

    name: str
    """Service and URL segment: ``connector-exact``."""
    title: str
    """What people call the vendor: ``Exact Online``."""
    kinds: frozenset[DocumentKind]
    auth: OAuthProfile | PasswordProfile
    settle_s: float
    """How long the vendor may need before a search finds what it just stored."""
    problems: ProblemCatalogue = field(default_factory=ProblemCatalogue)
    windows: tuple[Window, ...] = ()
    error_budget: ErrorBudget | None = None
    deadline_s: float = 20.0
    on_ambiguous: Literal["lookup", "resend_safe", "review"] = "lookup"
    reads_back: bool = True
    """False for targets that cannot be asked: there ``exported`` is the end."""
    max_inflight: int = 1
    """Deliveries of one connection under way at once; 1 keeps order and is kinder to vendors."""
    operation: str = "book"
    """Part of the delivery key: what a delivery does at the vendor. It never changes, or every document would go again."""
