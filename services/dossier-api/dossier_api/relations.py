"""Relations: the keys they are found by, and which of them a counterparty is (``koppel_bookkeeping.parties``)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_bookkeeping import Party, Side
from koppel_bookkeeping.parties import bare_number, name_key, number_key
from koppel_bookkeeping.parties import recognise as choose
from koppel_mesh.prepared_sql import Statement
from koppel_ubl.identifiers import is_enterprise_number

_KEPT: Final = ("id", "source", "code", "name", "journal", "ledger_account")
"""What of a relation is kept with a document."""
_CANDIDATES: Final = """
    SELECT r.*
    FROM relation r
    WHERE r.dossier_id = d.id AND (
        r.enterprise_number = CAST(:enterprise_number AS text)
        OR r.vat_number = CAST(:vat_number AS text)
        OR r.name_key = CAST(:name_key AS text)
    )
    ORDER BY r.vat_number IS DISTINCT FROM CAST(:vat_number AS text),
        r.enterprise_number IS DISTINCT FROM CAST(:enterprise_number AS text), r.code, r.source
    LIMIT 100
"""
OWNER_AND_CANDIDATES: Final = Statement(f"""
    SELECT d.id, d.firm_id, d.enterprise_number, d.approval_required,
        (SELECT jsonb_agg(to_jsonb(found)) FROM ({_CANDIDATES}) found) AS candidates
    FROM dossier d
    WHERE d.id = :dossier_id
    FOR SHARE OF d
""")
"""The dossier, and the relations that a counterparty may be. The lock keeps the dossier's enterprise number and rules still
while a document is filed under them."""


@dataclass(frozen=True)
class _Candidate:
    """A relation as ``koppel_bookkeeping.parties`` compares it."""

    row: Mapping[str, Any]
    blocked: bool = False
    """Only the vendor knows, and the connector asks it."""

    @property
    def code(self) -> str:
        return str(self.row["code"])

    @property
    def name(self) -> str:
        return str(self.row["name"])

    @property
    def vat_number(self) -> str:
        return self.row["vat_number"] or ""

    @property
    def enterprise_number(self) -> str:
        return self.row["enterprise_number"] or ""

    def has_role(self, side: Side) -> bool:
        return bool(self.row["is_customer"] if side == "sale" else self.row["is_supplier"])

    def is_numbered(self, code: str) -> bool:  # noqa: ARG002 - which number a document means by it, only the connector knows
        return False


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


def recognised(
    candidates: Sequence[Mapping[str, Any]] | None, party: Mapping[str, Any] | None, *, sells: bool
) -> dict[str, Any] | None:
    """Return which of ``OWNER_AND_CANDIDATES`` a counterparty is, as kept with a document; None when it is none of them."""
    told = party or {}
    compared = Party(told.get("name") or "", told.get("vat_number") or "", told.get("enterprise_number") or "")
    found = choose(compared, map(_Candidate, candidates or ()), "sale" if sells else "purchase")
    return {name: found.row[name] for name in _KEPT} if found else None


async def recognise(
    tx: AsyncConnection, dossier_id: UUID, party: dict[str, Any] | None, *, sells: bool
) -> dict[str, Any] | None:
    """Return the relation that ``party`` is, as kept with a document; None when it is none of them."""
    row = await OWNER_AND_CANDIDATES.one(tx, {"dossier_id": dossier_id, **comparable(party)})
    return recognised(row.candidates, party, sells=sells)
