"""Confirming the company behind a connection, where it is another than the dossier's."""

import json
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, StringConstraints

from koppel_bookkeeping.parties import number_key
from koppel_connector.kit import Kit
from koppel_mesh.clock import utc_now
from koppel_mesh.http.problems import HttpProblem
from koppel_mesh.http.server import CurrentContext
from koppel_mesh.prepared_sql import Statement

from .connections import Writer
from .views import ConnectionView, owned_connection, view_connection, warnings_of

router = APIRouter(prefix="/v1", tags=["connections"])
_KEEP = Statement("""
    UPDATE connection SET company_confirmations = company_confirmations || CAST(:confirmation AS jsonb),
        unblocked_at = clock_timestamp()
    WHERE id = :id
""")


class CompanyConfirmation(BaseModel):
    """Why a connection leads to a company other than its dossier's."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


@router.post("/connections/{connection_id}/confirm-company")
async def confirm_company(
    context: CurrentContext, caller: Writer, connection_id: UUID, given: CompanyConfirmation
) -> ConnectionView:
    """Let documents go to the company that the vendor tells now. Another number later is asked about anew."""
    kit: Kit = context.resources
    async with context.database.transaction() as tx:
        row = await owned_connection(tx, kit, caller, connection_id, lock=True)
        company = row.company
        if company.remote is None or company.problem() is None:
            raise HttpProblem(409, "nothing_to_confirm", "The connection does not lead to another company.")
        confirmation: dict[str, Any] = {
            "numbers": company.numbers,
            "dossier_number": number_key(company.dossier_number),
            "name": company.remote.name,
            "reason": given.reason,
            "confirmed_by": caller.subject,
            "confirmed_at": utc_now().isoformat(),
        }
        await _KEEP.run(tx, {"id": row.id, "confirmation": json.dumps([confirmation])})
        row = await owned_connection(tx, kit, caller, connection_id)
        warnings = await warnings_of(tx, kit, [row])
    kit.wake("reconciler")
    return view_connection(kit, row, warnings=warnings.get(row.id, ()))
