"""How a vendor lets calls in, as data. It composes: a grant or a password first, then perhaps a session of one dossier on top."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

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
    server: str = ""
    """Where these paths are: a name of ``Application.servers``; the base address when empty."""
    access_valid_s: int = 590
    """A call never starts with an older access token."""
    refresh_not_before_s: int = 0
    """The vendor refuses an earlier refresh, counted from when the pair was received."""
    refresh_valid_days: int = 30
    keep_alive_days: int = 7
    """An idle connection is refreshed this often, so that its grant never lapses."""
    authorize_params: Mapping[str, str] = field(default_factory=dict)
    scope: str | None = None
    client_auth: Literal["body", "basic", "public"] = "body"
    """Where our secret stands in a token call; ``public``: there is none (RFC 6749 §2.1)."""
    uses_pkce: bool = False
    """Whether the code is bound to a secret of ours (RFC 7636, S256): asked of public clients."""
    header: str = "Authorization"
    scheme: str = "Bearer"
    """What stands before the access token in ``header``; empty for the token alone."""
    errors: tuple[TokenError, ...] = ()

    def headers(self, access_token: str) -> Mapping[str, str]:
        """Return what lets a call in."""
        return {self.header: f"{self.scheme} {access_token}".strip()}


@dataclass(frozen=True)
class PasswordProfile:
    """Credentials live in the settings, as write-only secret fields."""

    session_valid_s: float | None = None
    """How long a login (``Connector.log_in``) lets calls in. None: there is none, ``request_headers`` carry the password."""


Auth = OAuthProfile | PasswordProfile
