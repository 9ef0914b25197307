"""Settings of the identity service."""

from typing import Self
from uuid import UUID

from pydantic import Field, model_validator

from koppel_mesh.settings import MeshSettings

DEMO_FIRM = UUID("0199a000-0000-7000-8000-00000000d0e0")
DEMO_CLIENT = "demo"
DEMO_SECRET = "demo-secret"  # noqa: S105 - contract §3: known to everybody, and made in local mode only

SECRET_LENGTH_MIN = 24
"""The services' own secret is chosen by an operator and sees every firm; partners' secrets are made by us."""


class IdentitySettings(MeshSettings):
    """How long tokens and keys live."""

    token_lifetime_s: int = Field(3600, ge=60, le=86_400)
    partner_token_lifetime_s: int = Field(600, ge=60, le=86_400)
    """Of partners' tokens; at most as long as of others. What a firm withdraws ends with the last of them."""
    token_requests_per_minute: int = Field(120, ge=0)
    """Of one client id from one address, for a token or about one, in one process; 0 for no limit."""
    audit_log_days: int = Field(730, ge=1)
    signing_key_days: int = Field(30, ge=1)

    @model_validator(mode="after")
    def _nobody_guesses_our_secret(self) -> Self:
        given = self.service_client_secret.get_secret_value() if self.service_client_secret else ""
        if self.env == "production" and len(given) < SECRET_LENGTH_MIN:
            raise ValueError(f"KOPPEL_SERVICE_CLIENT_SECRET needs at least {SECRET_LENGTH_MIN} characters")
        return self

    @model_validator(mode="after")
    def _partners_have_the_shorter_tokens(self) -> Self:
        if self.partner_token_lifetime_s > self.token_lifetime_s:
            raise ValueError("KOPPEL_PARTNER_TOKEN_LIFETIME_S is longer than KOPPEL_TOKEN_LIFETIME_S")
        return self

    @model_validator(mode="after")
    def _keys_are_needed(self) -> Self:
        if not self.secret_keys:
            raise ValueError(
                "KOPPEL_SECRET_KEYS is empty: private signing keys cannot be kept without an encryption key"
            )
        return self
