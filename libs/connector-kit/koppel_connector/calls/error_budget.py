"""The error budget of one endpoint, as a row: it pauses the endpoint before the vendor blocks it (messaging §3.7)."""

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_connector.contract.errors import ConnectorError
from koppel_connector.contract.limits import ErrorBudget
from koppel_mesh.prepared_sql import Statement

_ERROR = Statement("""
    INSERT INTO error_budget AS b (scope, endpoint, errors, window_ends_at)
    VALUES (:scope, :endpoint, 1, clock_timestamp() + :period_s * interval '1 second')
    ON CONFLICT (scope, endpoint) DO UPDATE SET
        errors = CASE WHEN b.window_ends_at <= clock_timestamp() THEN 1 ELSE b.errors + 1 END,
        window_ends_at = CASE WHEN b.window_ends_at <= clock_timestamp()
            THEN clock_timestamp() + :period_s * interval '1 second' ELSE b.window_ends_at END,
        open_until = CASE
            WHEN b.open_until IS NOT NULL THEN clock_timestamp() + :period_s * interval '1 second'
            WHEN b.window_ends_at > clock_timestamp() AND b.errors + 1 >= :capacity THEN b.window_ends_at END,
        probe_until = NULL
""")
_CLOSE = Statement("DELETE FROM error_budget WHERE scope = :scope AND endpoint = :endpoint AND open_until IS NOT NULL")


def concerns(failure: ConnectorError | None, was_probe: bool) -> bool:
    """Return whether an answer has to be recorded: an error, or what a probe found. Mostly not, and then it costs no write."""
    return was_probe or (failure is not None and failure.counts_as_error)


async def record(
    tx: AsyncConnection, scope: str, endpoint: str, budget: ErrorBudget, failure: ConnectorError | None
) -> None:
    """Count what ``classify`` takes for an error of ours; a good answer to a probe opens the endpoint again."""
    key = {"scope": scope, "endpoint": endpoint}
    if failure is None:
        await _CLOSE.run(tx, key)
    elif failure.counts_as_error:
        await _ERROR.run(tx, {**key, "capacity": budget.capacity, "period_s": budget.period_s})
