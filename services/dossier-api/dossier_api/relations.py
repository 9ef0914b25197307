"""Relations: the keys they are found by (``koppel_bookkeeping.parties``), and which of them a counterparty is."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_bookkeeping.parties import bare_number, name_key, number_key
from koppel_mesh.prepared_sql import Statement
from koppel_ubl.identifiers import is_enterprise_number

_BEST = """
    SELECT r.id, r.source, r.code, r.name, r.journal, r.ledger_account
    FROM relation r
    WHERE r.dossier_id = d.id AND (
        r.enterprise_number = CAST(:enterprise_number AS text)
        OR r.vat_number = CAST(:vat_number AS text)
        OR (r.name_key = CAST(:name_key AS text)
            AND (r.enterprise_number IS NULL OR CAST(:enterprise_number AS text) IS NULL)
            AND (r.vat_number IS NULL OR CAST(:vat_number AS text) IS NULL))
    )
    ORDER BY r.enterprise_number IS DISTINCT FROM CAST(:enterprise_number AS text),
        r.vat_number IS DISTINCT FROM CAST(:vat_number AS text),
        CASE WHEN CAST(:sells AS boolean) THEN NOT r.is_customer ELSE NOT r.is_supplier END, r.code, r.source
    LIMIT 1
"""
OWNER_AND_RELATION = Statement(f"""
    SELECT d.id, d.firm_id, d.enterprise_number, d.approval_required, to_jsonb(best) AS relation
    FROM dossier d LEFT JOIN LATERAL ({_BEST}) best ON true
    WHERE d.id = :dossier_id
    FOR SHARE OF d
""")
"""The lock keeps the dossier's enterprise number and rules still while a document is filed under them."""


def comparable(party: Mapping[str, Any] | None) -> dict[str, str | None]:
    """Return a party's keys: enterprise number (also read out of a Belgian VAT number), VAT number, name."""
    party = party or {}
    vat = bare_number(party.get("vat_number"))
    number = number_key(party.get("enterprise_number") or (vat if vat.startswith("BE") else None))
    return {
        "enterprise_number": number if is_enterprise_number(number) else None,
        "vat_number": vat or None,
        "name_key": name_key(party.get("name")) or None,
    }


async def recognise(
    tx: AsyncConnection, dossier_id: UUID, party: dict[str, Any] | None, *, sells: bool
) -> dict[str, Any] | None:
    """Return the relation that ``party`` is, as kept with a document; None when it is none of them."""
    row = await OWNER_AND_RELATION.one(tx, {"dossier_id": dossier_id, "sells": sells, **comparable(party)})
    return dict(row.relation) if row.relation else None
