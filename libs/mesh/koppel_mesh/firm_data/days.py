"""Days in SQL, for declarations of tables."""

from koppel_mesh.clock import BRUSSELS


def brussels_day(moment: str) -> str:
    """Return the SQL for the day that a person in Belgium would name for a moment: at New Year its year is not that of UTC."""
    return f"CAST({moment} AT TIME ZONE '{BRUSSELS.key}' AS date)"
