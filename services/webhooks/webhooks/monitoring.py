"""What operators watch: how long events wait that could be sent."""

from koppel_mesh.prepared_sql import Statement
from koppel_mesh.service import Context
from koppel_mesh.telemetry.alerts import Alert
from koppel_mesh.telemetry.metrics import gauge

_TAKES = "e.state = 'active' AND (e.resume_at IS NULL OR e.resume_at <= now())"
SENDABLE = f"d.due_at <= now() AND {_TAKES}"
"""The deliveries ``d`` of endpoints ``e`` that could be sent now. What is postponed is none: more processes would not send it."""
_OLDEST = Statement(f"""
    SELECT coalesce(extract(epoch FROM now() - min(coalesce(d.postponed_since, d.due_at))), 0) AS age_s
    FROM delivery d JOIN endpoint e ON e.id = d.endpoint_id
    WHERE {SENDABLE} OR d.postponed_since IS NOT NULL AND d.due_at IS NOT NULL AND {_TAKES}
""")
_AGE = gauge(
    "koppel_webhook_oldest_due_seconds",
    "How long the oldest event that could be sent has waited",
    alerts=[
        Alert(
            name="KoppelWebhooksWait",
            summary="An event that nothing keeps has waited {value} to be sent to a partner",
            above=300,
            severity="page",
        )
    ],
)


async def gauge_backlog(context: Context) -> None:
    """Set the gauge."""
    async with context.database.reading() as reading:
        _AGE.labels(context.name).set(float((await _OLDEST.one(reading)).age_s))
