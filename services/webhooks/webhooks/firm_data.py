"""What the tables of webhooks hold of firms: endpoints, their secrets, and what they were sent.

An endpoint that serves other firms as well is not the firm's: it shows who these are and how their partner is reached. What such
an endpoint was sent is the firm's as far as its events are.
"""

from koppel_mesh.firm_data import Age, FirmData, Holding

from . import tables

_EVENT_DAYS = Age("webhook_event_days")
"""Days of partitions, which are dropped with all they hold."""
_SERVES_IT_ALONE = "firm_id = :firm_id AND (firm_ids IS NULL OR firm_ids <@ ARRAY[CAST(:firm_id AS uuid)])"
_OF_ENDPOINT = f"endpoint_id IN (SELECT id FROM endpoint WHERE {_SERVES_IT_ALONE})"
_OF_EVENT = "(recorded_at, event_id) IN (SELECT recorded_at, id FROM event WHERE firm_id = :firm_id)"

FIRM_DATA = FirmData(
    holdings=(
        Holding(
            table=tables.attempt,
            of_firm="event_id IN (SELECT id FROM event WHERE firm_id = :firm_id)",
            goes_after=_EVENT_DAYS,
        ),
        Holding(
            table=tables.delivery,
            of_firm=_OF_EVENT,
            under_way="due_at IS NOT NULL AND leased_until > now()",
            goes_after=_EVENT_DAYS,
        ),
        Holding(table=tables.event, of_firm="firm_id = :firm_id", goes_after=_EVENT_DAYS),
        Holding(table=tables.subject, of_firm="firm_id = :firm_id"),
        Holding(
            table=tables.owner_mail,
            of_firm=_OF_ENDPOINT,
            goes_after=Age("webhook_event_days", only="what was sent or given up goes"),
        ),
        Holding(table=tables.secret, of_firm=_OF_ENDPOINT, withheld=("sealed", "key_id")),
        Holding(
            table=tables.endpoint,
            of_firm=_SERVES_IT_ALONE,
            withheld=("auth_sealed", "auth_key_id", "challenge"),
        ),
    ),
    nothing_of_a_firm={"known": "the newest state by the id of a document, delivery, connection or period"},
)
