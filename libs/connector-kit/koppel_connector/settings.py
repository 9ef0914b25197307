"""Settings every connector has; a connector subclasses it for its vendor's ``KOPPEL_*`` variables."""

from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import NoDecode

from koppel_mesh.settings import MeshSettings

from .connection.breaker import Pace
from .contract import Profile, Target
from .delivery.situation import Patience

STANDARD_SCHEDULE_S = (10.0, 60.0, 300.0, 1800.0, 7200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0)
"""The schedule of Standard Webhooks (messaging §3.6)."""


class ConnectorSettings(MeshSettings):
    """Time and patience (contract §2), so that tests need not wait."""

    retry_schedule_s: Annotated[tuple[float, ...], NoDecode] = STANDARD_SCHEDULE_S
    settle_s: float | None = Field(None, ge=0)
    """Unset: that of each delivery's target."""
    unbooked_after_s: float = Field(86_400.0, ge=0)
    review_after_s: float = Field(86_400.0, ge=0)
    lease_s: float | None = Field(None, gt=0)
    """How long a claimed delivery is left alone; unset: three times the vendor's deadline."""
    deadline_s: float | None = Field(None, gt=0)
    """For one call to the vendor; unset: the vendor's own, from its profile."""
    heartbeat_s: float = Field(1.0, gt=0)
    """How often a process says that it is alive."""
    dead_after_s: float = Field(5.0, gt=0)
    """A process that was not heard of for so long is dead: its claims are taken back, and it sends nothing any more itself."""
    claim_batch: int = Field(8, ge=1, le=50)
    """Deliveries of one connection a worker takes in one go."""
    workers: int = Field(20, ge=1, le=200)
    """Connections served at once by one process."""

    pause_first_s: float = Field(1.0, gt=0)
    """How long a vendor that cannot be reached is left alone at first."""
    pause_share: float = Field(0.01, ge=0, le=1)
    """Part of the time it has been away that is added to the pause."""
    pause_longest_s: float = Field(60.0, gt=0)
    """No pause is longer, unless the vendor asks for it."""

    master_data_max_age_s: float = Field(86_400.0, ge=60)
    """Master data of a connection that works is imported again when it is older."""
    master_data_pause_s: float = Field(300.0, ge=0)
    """Between two imports of one connection that nobody asked for by hand: a notice, or a problem that may come of old data."""

    sync_log_days: int = Field(730, ge=30)
    """How long exchanges with the vendor are kept; when a call that acted left, and how it ended, is kept for ever."""

    def require_vendor_address(self, name: str, live: str) -> None:
        """Give an address that was left unset: in production the vendor's own, on a laptop none at all.

        A laptop that has no sandbox for a vendor must not reach the live one by default.

        Raises:
            PydanticCustomError: of type ``no_vendor_address``; this is a laptop.
        """
        if getattr(self, name):
            return
        if self.env == "production":
            object.__setattr__(self, name, live)
            return
        variable = f"KOPPEL_{name.upper()}"
        raise PydanticCustomError(
            "no_vendor_address", "{variable} is not set and no sandbox stands in for the vendor", {"variable": variable}
        )

    @field_validator("retry_schedule_s", mode="before")
    @classmethod
    def _split_schedule(cls, value: object) -> object:
        return tuple(float(part) for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _heartbeats_fit(self) -> Self:
        if self.dead_after_s < 2 * self.heartbeat_s:
            raise ValueError(
                f"KOPPEL_DEAD_AFTER_S is {self.dead_after_s:g}: less than two heartbeats of {self.heartbeat_s:g} s"
            )
        return self

    def patience(self, target: Target, jitter: float = 1.0) -> Patience:
        """Return the machine's patience with deliveries of a target."""
        return Patience(
            retry_schedule_s=self.retry_schedule_s,
            settle_s=target.settle_s if self.settle_s is None else self.settle_s,
            on_ambiguous=target.on_ambiguous,
            reads_back=target.reads_back,
            may_stay_exported=target.may_stay_exported,
            unbooked_after_s=self.unbooked_after_s,
            review_after_s=self.review_after_s,
            jitter=jitter,
        )

    def pace(self, jitter: float = 1.0) -> Pace:
        """Return how long a vendor that is away is left alone."""
        return Pace(self.pause_first_s, self.pause_share, self.pause_longest_s, jitter)

    def lease_for(self, profile: Profile) -> float:
        """Return how long a claim lasts without being renewed.

        Raises:
            ValueError: a call may outlast what is left of a claim before it is renewed, at its half; nothing could leave then.
        """
        deadline_s = self.deadline_for(profile)
        if self.lease_s is not None and self.lease_s < 2 * deadline_s:
            raise ValueError(
                f"KOPPEL_LEASE_S is {self.lease_s:g}; {profile.name} needs {2 * deadline_s:g}, twice its deadline"
            )
        return self.lease_s or 3 * deadline_s

    def deadline_for(self, profile: Profile) -> float:
        """Return how long one call to the vendor may take."""
        return self.deadline_s or profile.deadline_s
