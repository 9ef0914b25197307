"""What the tables of a connector hold of firms.

What was sent stays with the number that the vendor gave it; how the vendor was reached, what it answered and whom its books
name goes with the firm.
"""

from koppel_mesh.firm_data import Age, FirmData, Holding, brussels_day

from . import tables

NOTICES_KEEP_DAYS = 30

_OF_CONNECTION = "connection_id IN (SELECT id FROM connection WHERE firm_id = :firm_id)"
_SENT_ON = brussels_day("delivery.created_at")

FIRM_DATA = FirmData(
    holdings=(
        Holding(
            table=tables.notice,
            of_firm="address IN (SELECT CAST(id AS text) FROM connection WHERE firm_id = :firm_id)",
            withheld=("headers",),
            goes_after=Age(NOTICES_KEEP_DAYS, only="what was handled goes"),
        ),
        Holding(
            table=tables.attempt,
            of_firm=_OF_CONNECTION,
            since=f"(SELECT {_SENT_ON} FROM delivery WHERE attempt.acts AND delivery.id = attempt.delivery_id)",
            kept_because="proof that a kept document was booked once, without what was sent and answered",
            blanked={"request": "NULL", "response": "NULL", "message": "NULL"},
            aged_by="delivery_id",
            goes_after=Age("sync_log_days", only="questions go, calls that acted lose `request` and `response`"),
        ),
        Holding(
            table=tables.delivery,
            of_firm="firm_id = :firm_id",
            since=_SENT_ON,
            kept_because="the entry number under which a kept document stands in the books",
            blanked={"progress": "'{}'", "problem": "CASE WHEN state = 'review' THEN problem END"},
            under_way=tables.OUTCOME_IS_OPEN,
            to_do=(
                "What the vendor does not answer for may wait for ever: mend the connection, or look in the vendor's books and "
                "say booked or abandon (POST /{service}/v1/deliveries/{id}/resolve)."
            ),
            aged_by="id",
        ),
        Holding(table=tables.master, of_firm=_OF_CONNECTION),
        Holding(table=tables.memory, of_firm=_OF_CONNECTION),
        Holding(table=tables.oauth_token, of_firm=_OF_CONNECTION, withheld=("ciphertext", "key_id")),
        Holding(table=tables.login, of_firm="firm_id = :firm_id", withheld=("opening_token",)),
        Holding(
            table=tables.connection,
            of_firm="firm_id = :firm_id",
            since=f"(SELECT max({_SENT_ON}) FROM delivery WHERE delivery.connection_id = connection.id)",
            kept_because="which books the entries of kept documents stand in",
            withheld=("secrets", "key_id"),
            blanked={
                "settings": "'{}'",
                "secrets": "NULL",
                "key_id": "NULL",
                "connected_via_user": "NULL",
                "login_key": "NULL",
                "problem": "NULL",
                "company_confirmations": "'[]'",
            },
            stays_with_firm=True,
        ),
        Holding(
            table=tables.dossier,
            of_firm="firm_id = :firm_id",
            since=f"(SELECT max({_SENT_ON}) FROM delivery WHERE delivery.dossier_id = dossier.id)",
            kept_because="whose documents were booked",
            stays_with_firm=True,
        ),
    ),
    nothing_of_a_firm={
        "oauth_state_used": "random values, each of one consent",
        "owner": "processes that may hold claims",
        "rate_window": "numbers of calls",
        "error_budget": "numbers of errors",
    },
)
