"""What operators watch of a connector: how long deliveries wait, what is paused, which consents and keys come to their end."""

import math

from koppel_connector.calls import vendor, windows
from koppel_connector.delivery.claims import IN_FRONT
from koppel_connector.kit import Kit
from koppel_connector.tables import NOT_AT_ITS_END
from koppel_mesh.messages import DeliveryState
from koppel_mesh.prepared_sql import Statement
from koppel_mesh.service import Context
from koppel_mesh.telemetry.alerts import Alert
from koppel_mesh.telemetry.metrics import gauge

from .importing import AWAITS_FIRST_IMPORT

_A_DAY_S = 86_400
_WAITING = [state for state in DeliveryState if state not in (DeliveryState.BOOKED, DeliveryState.SUPERSEDED)]

_due = gauge(
    "koppel_delivery_oldest_due_seconds",
    "Age of the oldest delivery that could be worked on now",
    alerts=[
        Alert(
            name="KoppelDeliveriesWait",
            summary="A delivery that nothing keeps has waited {value} for a worker",
            above=300,
            severity="page",
        )
    ],
)
_unknown = gauge(
    "koppel_delivery_oldest_unknown_seconds",
    "Age of the oldest delivery of which nobody knows whether the vendor has it",
    alerts=[
        Alert(
            name="KoppelOutcomeUnknown",
            summary="For {value} nobody has known whether the vendor has a document",
            above=1800,
            severity="ticket",
        )
    ],
)
_unbooked = gauge(
    "koppel_delivery_oldest_unbooked_seconds",
    "Since when the oldest exported delivery has not been seen in the vendor's books",
    alerts=[
        Alert(
            name="KoppelExportedNotBooked",
            summary="A document was exported {value} ago and is not in the books",
            above=3 * _A_DAY_S,
            severity="ticket",
        )
    ],
)
_count = gauge(
    "koppel_deliveries",
    "Deliveries that are not at their end",
    ["state"],
    alerts=[
        Alert(
            name="KoppelPeopleAreWaitedFor",
            summary="{value} deliveries in one state have waited for a person for a day",
            above=0,
            where={"state": "failed|review"},
            lasts="1d",
            severity="ticket",
        )
    ],
)
_paused = gauge("koppel_connections_paused", "Connections that wait for the vendor's budget or for a fault to pass")
_away = gauge(
    "koppel_vendor_longest_away_seconds",
    "For how long the vendor has been away, for the connection that misses it longest",
    alerts=[
        Alert(
            name="KoppelVendorAway",
            summary="The vendor has not answered a connection for {value}",
            above=900,
            severity="ticket",
        )
    ],
)
_breakers = gauge(
    "koppel_endpoint_breakers_open",
    "Endpoints paused by their error budget",
    alerts=[
        Alert(
            name="KoppelBreakerOpen",
            summary="{value} endpoints of the vendor are left alone because they gave too many errors",
            above=0,
            lasts="15m",
            severity="ticket",
        )
    ],
)
_horizon = gauge(
    "koppel_token_expiry_seconds",
    "Until the first refresh token of a usable connection lapses",
    alerts=[
        Alert(
            name="KoppelConsentLapses",
            summary="A consent lapses in {value}, for it is not renewed",
            below=3 * _A_DAY_S,
            lasts="1h",
            severity="ticket",
        )
    ],
)
_unkeyed = gauge(
    "koppel_secrets_under_old_key",
    "Rows not encrypted with the first key",
    alerts=[
        Alert(
            name="KoppelSecretsUnderOldKey",
            summary="{value} secrets are not under the first secret key",
            above=0,
            lasts="1h",
            severity="ticket",
        )
    ],
)
_notices = gauge(
    "koppel_notices_open",
    "Notices of vendors that are not worked off, those that were given up included",
    alerts=[
        Alert(
            name="KoppelNoticesOpen",
            summary="{value} notices of the vendor are not worked off",
            above=0,
            lasts="2h",
            severity="ticket",
        )
    ],
)

_FIRST_IN_SEQUENCE = f"""d.sequence_key IS NULL OR NOT EXISTS (
                SELECT {IN_FRONT.format(delivery="d", books_scope="coalesce(c.books_scope, c.limit_scope)")})"""
WORKABLE = f"""d.state IN ('ready', 'unknown') AND d.due_at <= clock_timestamp()
            AND c.state IN ('connected', 'degraded') AND c.not_before <= clock_timestamp()
            AND c.away_since IS NULL AND NOT {AWAITS_FIRST_IMPORT} AND (d.state = 'unknown' OR {_FIRST_IN_SEQUENCE})"""
"""The deliveries ``d`` of connections ``c`` that a worker could take now: no budget, absence, first import or earlier document
holds them."""
_GAUGES = Statement(f"""
    SELECT
        (SELECT extract(epoch FROM clock_timestamp() - min(d.due_at)) FROM delivery d JOIN connection c
            ON c.id = d.connection_id WHERE {WORKABLE}) AS due_s,
        (SELECT extract(epoch FROM clock_timestamp() - min(unknown_since)) FROM delivery
            WHERE state = 'unknown' AND due_at IS NOT NULL) AS unknown_s,
        (SELECT extract(epoch FROM clock_timestamp() - min(exported_at)) FROM delivery
            WHERE state = 'exported' AND due_at IS NOT NULL) AS unbooked_s,
        (SELECT count(*) FROM connection WHERE (not_before > clock_timestamp() OR away_since IS NOT NULL)
            AND state <> 'disconnected') AS paused,
        (SELECT extract(epoch FROM clock_timestamp() - min(away_since)) FROM connection
            WHERE state <> 'disconnected') AS away_s,
        (SELECT count(*) FROM error_budget WHERE open_until > clock_timestamp()) AS breakers,
        (SELECT extract(epoch FROM min(t.refresh_expires_at) - clock_timestamp()) FROM oauth_token t JOIN connection c
            ON c.id = t.connection_id WHERE c.state IN ('connected', 'degraded')) AS horizon_s,
        (SELECT count(*) FROM oauth_token WHERE key_id <> :key_id)
            + (SELECT count(*) FROM connection WHERE secrets IS NOT NULL AND key_id <> :key_id) AS old_keys,
        (SELECT count(*) FROM notice WHERE handled_at IS NULL) AS notices
""")
_COUNTS = Statement(f"SELECT state, count(*) AS number FROM delivery WHERE {NOT_AT_ITS_END} GROUP BY state")


async def measure(context: Context) -> None:
    """Set the gauges."""
    kit: Kit = context.resources
    name = kit.profile.name
    vendor.count_from_zero(name)
    windows.count_from_zero(name, kit.profile.windows)
    async with kit.database.reading() as reading:
        row = await _GAUGES.one(reading, {"key_id": kit.keys.key_id})
        counts = {each.state: each.number for each in await _COUNTS.all(reading)}
    _due.labels(service=name).set(float(row.due_s or 0))
    _unknown.labels(service=name).set(float(row.unknown_s or 0))
    _unbooked.labels(service=name).set(float(row.unbooked_s or 0))
    _paused.labels(service=name).set(row.paused)
    _away.labels(service=name).set(float(row.away_s or 0))
    _breakers.labels(service=name).set(row.breakers)
    _horizon.labels(service=name).set(math.nan if row.horizon_s is None else float(row.horizon_s))
    _notices.labels(service=name).set(row.notices)
    _unkeyed.labels(service=name).set(row.old_keys)
    for state in _WAITING:
        _count.labels(service=name, state=state).set(counts.get(state, 0))
