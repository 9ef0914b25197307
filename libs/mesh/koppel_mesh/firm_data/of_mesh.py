"""What the tables of mesh hold of firms."""

from koppel_mesh import tables

from .holdings import Age, FirmData, Holding

IDEMPOTENCY_KEEP_DAYS = 7

FIRM_DATA = FirmData(
    holdings=(
        Holding(
            table=tables.idempotency_key,
            of_firm="caller LIKE '%/' || CAST(CAST(:firm_id AS uuid) AS text)",
            withheld=("headers", "body"),
            goes_after=Age(IDEMPOTENCY_KEEP_DAYS),
        ),
    ),
    nothing_of_a_firm={
        "outbox": "messages on their way; a row goes when the broker has confirmed it",
        "inbox": "ids of messages",
        "quarantine": "what arrived and was no message; an operator reads and removes it",
        "firm_deletion": "ids of firms that left, which have to outlast them",
    },
)
