"""What operators watch: how long what was closed has waited for its dossier, and what fails."""

from koppel_mesh.prepared_sql import Statement
from koppel_mesh.service import Context
from koppel_mesh.telemetry.alerts import Alert
from koppel_mesh.telemetry.metrics import gauge

# What is due for longer than a day is tried no more: a person closed that book.
_OLDEST = Statement("""
    SELECT (SELECT coalesce(extract(epoch FROM now() - min(waits_since)), 0) FROM hand_in WHERE due_at IS NOT NULL) AS hand_in_s,
        (SELECT coalesce(extract(epoch FROM now() - min(first_seen_at)), 0) FROM (
            SELECT first_seen_at FROM unfinished_day UNION ALL
            SELECT first_seen_at FROM failed_work WHERE due_at > now() - interval '1 day') failing) AS failing_s
""")
_HAND_IN = gauge(
    "koppel_hand_in_oldest_due_seconds",
    "How long the oldest document that waits for no person has waited to be handed in",
    alerts=[
        Alert(
            name="KoppelTakingsWait",
            summary="The invoice or statement of takings has waited {value} to be handed in",
            above=900,
            severity="page",
        )
    ],
)
_FAILING = gauge(
    "koppel_book_oldest_failure_seconds",
    "How long the oldest day that cannot be entered or closed has failed",
    alerts=[
        Alert(
            name="KoppelBookFails",
            summary="For {value} a day of tickets has not come into its book, or a book has not been closed",
            above=86_400,
            severity="ticket",
        )
    ],
)


async def gauge_backlog(context: Context) -> None:
    """Set the gauges."""
    async with context.database.reading() as reading:
        oldest = await _OLDEST.one(reading)
    _HAND_IN.labels(context.name).set(oldest.hand_in_s)
    _FAILING.labels(context.name).set(oldest.failing_s)
