"""What an operator may set for pos-ingest."""

from typing import Self

from pydantic import Field, model_validator

from koppel_mesh.settings import MeshSettings


class PosSettings(MeshSettings):
    """The ``KOPPEL_*`` variables of pos-ingest."""

    receipts_retention_years: int = Field(10, ge=10, le=100)
    """How many whole years after the year of an entry the sealed book keeps it; ten by law (VAT Code, article 60)."""
    receipts_seal_key_days: int = Field(365, ge=1)
    """After how many days a day is sealed with a new key."""

    tickets_grace_s: float = Field(3600.0, ge=0, le=86_400)
    """How long after midnight in Brussels tickets of the day before are still that day's; then they are entered."""

    @model_validator(mode="after")
    def _keys_are_needed(self) -> Self:
        if not self.secret_keys:
            raise ValueError("KOPPEL_SECRET_KEYS is empty: private seal keys cannot be kept without an encryption key")
        return self
