"""Times are aware UTC; dates of business are Europe/Brussels."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

BRUSSELS = ZoneInfo("Europe/Brussels")


def utc_now() -> datetime:
    """Return the present moment, aware, in UTC."""
    return datetime.now(UTC)


def brussels_date(moment: datetime) -> date:
    """Return the calendar day a person in Belgium would name for ``moment``."""
    return moment.astimezone(BRUSSELS).date()
