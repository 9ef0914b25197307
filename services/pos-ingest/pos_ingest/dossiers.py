"""Dossiers as pos-ingest knows them: whose they are and what they are called."""

import json
from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.auth import Caller, require
from koppel_mesh.http.internal_client import InternalCallError
from koppel_mesh.http.problems import HttpProblem, not_found
from koppel_mesh.messages import DossierChanged, newest
from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.service import Context

BEFORE_ALL_FACTS = -1
"""The version of what is asked for: any fact counts more."""
Writer = Annotated[Caller, Depends(require("receipts:write"))]

_KEEP = Statement("""
    INSERT INTO dossier AS held (id, firm_id, name, enterprise_number, language, version)
    SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (id uuid, firm_id uuid, name text, enterprise_number text,
        language text, version integer)
    ON CONFLICT (id) DO UPDATE SET firm_id = excluded.firm_id, name = excluded.name,
        enterprise_number = excluded.enterprise_number, language = excluded.language, version = excluded.version
    WHERE held.version <= excluded.version
""")
_DOSSIER = Statement("SELECT id, firm_id, name, enterprise_number, language FROM dossier WHERE id = :id")
_FIELDS = ("firm_id", "name", "enterprise_number", "language")


async def on_dossier_changed(_: Context, tx: AsyncConnection, events: Sequence[DossierChanged]) -> None:
    """Keep what a dossier is called and to whom it belongs."""
    rows = [
        {"id": one.dossier_id, "version": one.version} | {name: getattr(one, name) for name in _FIELDS}
        for one in newest(events).values()
    ]
    await _KEEP.run(tx, {"rows": json.dumps(rows, default=str)})


async def insist_on_dossier(context: Context, caller: Caller, dossier_id: UUID) -> Record:
    """Return a dossier's row; one that we have not heard of yet is asked for at dossier-api.

    Raises:
        HttpProblem: 404 unless the caller may see it; 503 when it has to be asked for and dossier-api is away.
    """
    async with context.database.reading() as reading:
        row = await _DOSSIER.one_or_none(reading, {"id": dossier_id})
    if row is None:
        await _introduce(context, dossier_id)
        async with context.database.reading() as reading:
            row = await _DOSSIER.one(reading, {"id": dossier_id})
    if not caller.may_see(row.firm_id):
        raise not_found("dossier")
    return row


async def _introduce(context: Context, dossier_id: UUID) -> None:
    try:
        known = await context.mesh.get_json(f"/dossier-api/v1/dossiers/{dossier_id}")
    except InternalCallError as error:
        if error.status == 404:
            raise not_found("dossier") from error
        title = "dossier-api does not answer right now."
        raise HttpProblem(503, "dossier_api_away", title, headers={"Retry-After": "5"}) from error
    row = {"id": dossier_id, "version": BEFORE_ALL_FACTS} | {name: known[name] for name in _FIELDS}
    async with context.database.transaction() as tx:
        await _KEEP.run(tx, {"rows": json.dumps([row], default=str)})


def who(caller: Caller) -> str:
    """Return who did something, as it is kept."""
    return caller.subject[:200]
