"""What operators watch of statements: gaps in chains that keep statements, and for how long."""

from koppel_mesh.prepared_sql import Statement
from koppel_mesh.service import Context
from koppel_mesh.telemetry.alerts import Alert
from koppel_mesh.telemetry.metrics import gauge

_GAUGES = Statement("""
    SELECT (SELECT count(*) FROM account WHERE state = 'gap' AND owned_by IS NOT NULL) AS gaps,
        (SELECT extract(epoch FROM clock_timestamp() - min(asked_at)) FROM document WHERE asked_at IS NOT NULL) AS waiting_s
""")
_GAPS = gauge("koppel_statement_gaps", "Accounts of whose chain statements are missing")
_WAITING = gauge(
    "koppel_statement_oldest_waiting_seconds",
    "How long the oldest statement that somebody wants to go has waited for its turn",
    alerts=[
        Alert(
            name="KoppelStatementsWait",
            summary="A statement has waited {value} for its turn: mostly an earlier one is missing",
            above=7 * 86_400,
            severity="ticket",
        )
    ],
)


async def gauge_backlog(context: Context) -> None:
    """Set the gauges."""
    async with context.database.reading() as reading:
        row = await _GAUGES.one(reading)
    _GAPS.labels(context.name).set(row.gaps)
    _WAITING.labels(context.name).set(float(row.waiting_s or 0))
