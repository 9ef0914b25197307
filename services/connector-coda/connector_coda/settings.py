"""What an operator may set for connector-coda."""

from datetime import timedelta

from pydantic import Field

from koppel_mesh.settings import MeshSettings


class CodaSettings(MeshSettings):
    """The ``KOPPEL_*`` variables of connector-coda."""

    statement_patience_s: float = Field(5.0, ge=0, le=3600)
    """How long the first statement of an account waits for an earlier one that may still be on its way."""
    statement_repeat_after_s: float = Field(30.0, ge=0.1, le=86_400)
    """After how long a connection that has not answered for a statement is told of it again; then after twice that, and so on."""

    @property
    def patience(self) -> timedelta:
        """Return ``statement_patience_s`` as a span of time."""
        return timedelta(seconds=self.statement_patience_s)
