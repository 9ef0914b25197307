"""What an operator may set for the scheduler."""

from datetime import time, timedelta

from pydantic import Field

from koppel_mesh.settings import MeshSettings

from .rules import Calendar


class SchedulerSettings(MeshSettings):
    """The ``KOPPEL_*`` variables of the scheduler."""

    export_delay_s: float = Field(600.0, ge=0, le=86_400)
    """The "10 minutes" of R053."""
    export_run_day: int = Field(1, ge=1, le=28)
    """Day of the month on which last month goes (R052)."""
    export_run_at: time = time(6, 0)
    """Time of that day, Europe/Brussels."""
    export_patience_s: float = Field(3.0, ge=0, le=8)
    """How long a manual export waits for the fact of a dossier or document that dossier-api has just published."""

    export_repeat_after_s: float = Field(600.0, ge=1, le=86_400)
    """After how long a document that no living connection answers for is announced again; then after twice that, and so on."""

    @property
    def repeat_after(self) -> timedelta:
        """Return ``export_repeat_after_s`` as a span of time."""
        return timedelta(seconds=self.export_repeat_after_s)

    @property
    def calendar(self) -> Calendar:
        """Return what the rules need of these settings."""
        run_at = self.export_run_at.replace(tzinfo=None)
        return Calendar(delay=timedelta(seconds=self.export_delay_s), run_day=self.export_run_day, run_at=run_at)
