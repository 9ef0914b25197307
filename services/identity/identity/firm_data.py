"""What the tables of identity hold of firms: clients and their secrets, consents, and who did what."""

from koppel_mesh.firm_data import Age, FirmData, Holding, brussels_day

from . import tables

OF_FIRM = "firm_id = :firm_id AND kind IS DISTINCT FROM 'partner'"
"""Of clients: a partner's own id stands where a firm's would."""
_ACCOUNTABLE = "who had which right and used it (GDPR article 5(2))"

FIRM_DATA = FirmData(
    holdings=(
        Holding(
            table=tables.secret,
            of_firm=f"client IN (SELECT id FROM client WHERE {OF_FIRM})",
            withheld=("hash",),
        ),
        Holding(
            table=tables.consent,
            of_firm="firm_id = :firm_id",
            since=brussels_day("withdrawn_at"),
            kept_because=_ACCOUNTABLE,
            stays_with_firm=True,
        ),
        Holding(
            table=tables.audit_entry,
            of_firm="firm_id = :firm_id",
            since=brussels_day("at"),
            kept_because=_ACCOUNTABLE,
            goes_after=Age("audit_log_days"),
            aged_by="id",
        ),
        Holding(table=tables.client, of_firm=OF_FIRM),
    ),
    nothing_of_a_firm={
        "revocation": "which tokens are refused; a row ends with the last of them, within hours",
        "signing_key": "keys of identity itself",
    },
)
