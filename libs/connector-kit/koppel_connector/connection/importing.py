"""Importing master data: once after connecting, on request, whenever the connector's settings ask for it, and nightly.

With it the company behind the connection is compared with the dossier: divisions move and are renamed.

The lines go to the table ``master`` for the mapping; relations and ledger accounts go to dossier-api for people.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_connector.calls.patient_vendor import PatientVendor
from koppel_connector.calls.vendor import LeaseLost, OpenVendor, open_vendor
from koppel_connector.contract import MasterData, MasterRecord
from koppel_connector.contract.errors import (
    ActionRequired,
    ConnectorError,
    RateLimited,
    ReauthorisationRequired,
    Rejected,
)
from koppel_connector.contract.problems import Problem, internal
from koppel_connector.contract.storable import storable
from koppel_connector.infrastructure_errors import is_infrastructure_error
from koppel_connector.kit import Kit
from koppel_mesh.http.internal_client import InternalCallError
from koppel_mesh.messages import ConnectionState
from koppel_mesh.prepared_sql import Statement
from koppel_mesh.service import Context

from . import import_claims
from .breaker import Answered, Outage
from .comparing import compare_company
from .events import ConnectionEvent, LoginRefused, ProblemFound, VendorAnswered
from .import_claims import ImportClaim, claim_import
from .master_data import replace_lines
from .missing_settings import missing_settings
from .rights import probe_rights
from .store import COLUMNS, ConnectionRow

AWAITS_FIRST_IMPORT = "(c.imported_at IS NULL AND coalesce(c.import_due_at <= clock_timestamp(), false))"
"""The first import of a connection ``c`` runs or is next: nothing can be chosen yet, which is nobody's fault.

After a try that failed it is due later, and what is missing then is told.
"""
REFRESH_BATCH = 20
PUT_BATCH = 50_000
"""As many as dossier-api takes at once: only from a list that is whole can it tell what went at the vendor."""
TOLD_FROM_FAILURES = 2
log = structlog.get_logger(__name__)

_WANT = Statement("""
    UPDATE connection SET import_due_at = clock_timestamp(), import_failures = 0 WHERE id = :id AND state <> 'disconnected'
""")
# Asked often, it is brought once: what is wanted already is left as it is.
_WANT_SOON = Statement("""
    UPDATE connection SET import_due_at =
        greatest(clock_timestamp(), imported_at + CAST(:pause_s AS float8) * interval '1 second')
    WHERE (CAST(:id AS uuid) IS NULL OR id = :id)
        AND (CAST(:scope AS text) IS NULL OR coalesce(books_scope, limit_scope) = :scope)
        AND state IN ('connected', 'degraded') AND imported_at IS NOT NULL AND import_due_at IS NULL
""")
# One that was never made can end the problem too, unless it was refused, which the connection shows then.
_WANT_FOR = Statement("""
    UPDATE connection SET import_due_at = greatest(clock_timestamp(),
        coalesce(imported_at, connection.changed_at) + CAST(:pause_s AS float8) * interval '1 second')
    FROM delivery d WHERE d.id = :delivery_id AND connection.id = d.connection_id AND connection.import_due_at IS NULL
        AND (connection.imported_at < d.created_at OR connection.imported_at IS NULL AND connection.state = 'connected')
""")
_REFRESH = Statement("""
    UPDATE connection SET import_due_at = clock_timestamp() WHERE id IN (
        SELECT id FROM connection WHERE state = 'connected' AND import_due_at IS NULL
            AND imported_at < clock_timestamp() - CAST(:max_age_s AS float8) * interval '1 second'
        ORDER BY imported_at LIMIT :batch FOR UPDATE SKIP LOCKED)
    RETURNING id
""")
# As rarely as the others: since the day before nothing has become of it.
_NEVER_IMPORTED = Statement(f"""
    SELECT {COLUMNS} FROM connection WHERE state = 'connected' AND import_due_at IS NULL AND imported_at IS NULL
        AND changed_at < clock_timestamp() - CAST(:max_age_s AS float8) * interval '1 second'
        AND (CAST(:after AS uuid) IS NULL OR id > CAST(:after AS uuid))
    ORDER BY id LIMIT :batch
""")
# One that is due already may run: it would be run once more for nothing.
_WANT_MISSING = Statement("""
    UPDATE connection SET import_due_at = clock_timestamp()
    WHERE id = :id AND state IN ('connected', 'degraded') AND (imported_at IS NULL OR import_failures > 0)
        AND (import_due_at IS NULL OR import_due_at > clock_timestamp())
""")


async def want_import_of(tx: AsyncConnection, kit: Kit, connection_id: UUID | None, scope: str | None) -> None:
    """Have the master data of one connection, or of all that lead to the same books, imported soon."""
    values = {"id": connection_id, "scope": scope, "pause_s": kit.settings.master_data_pause_s}
    await _WANT_SOON.run(tx, values)


async def want_import_for(tx: AsyncConnection, kit: Kit, delivery_id: UUID, problem: Problem | None) -> None:
    """Have the master data imported again after a problem that may come of it; once for a delivery, which then goes on."""
    if problem is not None and problem.code in kit.profile.master_data_problems:
        await _WANT_FOR.run(tx, {"delivery_id": delivery_id, "pause_s": kit.settings.master_data_pause_s})


async def want_import_again(
    tx: AsyncConnection, kit: Kit, connection_id: UUID, problem: Mapping[str, Any] | None
) -> None:
    """Have the master data imported now, where a person has a delivery tried again whose problem may come of it."""
    if problem is not None and problem["code"] in kit.profile.master_data_problems:
        await _WANT.run(tx, {"id": connection_id})


async def refresh_master_data(context: Context) -> bool:
    """Want what is too old imported again, a few connections at a time; True when there may be more."""
    kit: Kit = context.resources
    async with kit.database.transaction() as tx:
        values = {"max_age_s": kit.settings.master_data_max_age_s, "batch": REFRESH_BATCH}
        refreshed = len(await _REFRESH.all(tx, values))
    if refreshed + await _refresh_never_imported(kit):
        kit.wake("imports")
    return refreshed == REFRESH_BATCH


async def _refresh_never_imported(kit: Kit) -> int:
    """Want imports that were refused or given up before there was any, of connections that work; return of how many."""
    wanted, after = 0, None
    while True:
        values = {"max_age_s": kit.settings.master_data_max_age_s, "batch": REFRESH_BATCH, "after": after}
        async with kit.database.transaction() as tx:
            rows = [kit.connections.open_row(row) for row in await _NEVER_IMPORTED.all(tx, values)]
            ready = [row for row in rows if not missing_settings(kit, row.settings, "import")]
            for row in ready:
                await want_missing_import(tx, kit, row)
        wanted += len(ready)
        if len(rows) < REFRESH_BATCH:
            return wanted
        after = rows[-1].id


async def want_import(tx: AsyncConnection, kit: Kit, row: ConnectionRow) -> None:
    """Have the master data imported soon, if the settings tell of what; else a change of them does."""
    if not missing_settings(kit, row.settings, "import"):
        await _WANT.run(tx, {"id": row.id})


async def want_missing_import(tx: AsyncConnection, kit: Kit, row: ConnectionRow) -> None:
    """Have an import made now that never was, or that failed or was refused when it was last tried."""
    if not missing_settings(kit, row.settings, "import"):
        await _WANT_MISSING.run(tx, {"id": row.id})


async def serve_imports(context: Context) -> bool:
    """Run one wanted import beside everything else; True when there may be another."""
    kit: Kit = context.resources
    # An import waits for its vendor for minutes: half of the places are for documents.
    if kit.closing or len(kit.importing) >= max(kit.settings.workers // 2, 1):
        return False
    claim = await claim_import(kit)
    if claim is None:
        return False
    kit.start_batch(claim.connection_id, lambda: _run(kit, claim), "imports")
    return True


async def probe_by_import(kit: Kit, connection_id: UUID) -> Outage | Answered | None:
    """Run the import that is due of a connection whose vendor is away; return how the vendor was, None where none is due."""
    claim = await claim_import(kit, probed=connection_id)
    if claim is None:
        return None
    return await _run(kit, claim, is_probe=True)


async def _run(kit: Kit, claim: ImportClaim, *, is_probe: bool = False) -> Outage | Answered | None:
    vendor: OpenVendor | None = None
    try:
        async with kit.database.reading() as reading:
            row = await kit.connections.read(reading, claim.connection_id)
        assert row is not None
        if missing := missing_settings(kit, row.settings, "import"):
            await _without_settings(kit, claim, row, missing)
            return None
        vendor = await open_vendor(kit, row)
        vendor.is_probe = is_probe
        vendor.make_way()
        await compare_company(kit, vendor)
        await probe_rights(kit, vendor)
        patient = PatientVendor(kit, vendor, claim.owner_id)
        master_data = await kit.connector.import_master_data(patient)
        await _subscribe(kit, patient)
        await _tell_dossier(kit, row, master_data)
        await _keep(kit, claim, vendor, master_data)
        kit.wake("reconciler")
    except (ReauthorisationRequired, ActionRequired, Rejected) as failure:
        await _ended(kit, claim, vendor, failure)
    except LeaseLost:
        log.warning("import was taken over", connection=str(claim.connection_id))
        await _note(kit, vendor)
    except Exception as error:
        await _put_off(kit, claim, vendor, error)
    finally:
        kit.importing.discard(claim.connection_id)
        kit.wake("deliveries")  # which waited for the first import, however it ended
    return vendor.observed if vendor else None


async def _keep(kit: Kit, claim: ImportClaim, vendor: OpenVendor, master_data: MasterData) -> None:
    async with kit.database.transaction() as tx:
        put_back = await vendor.flush(tx)
        await replace_lines(tx, claim.connection_id, master_data.lines())
        if not await import_claims.done(tx, claim):
            put_back()
            raise LeaseLost
        if vendor.row.state is ConnectionState.DEGRADED:
            await kit.connections.apply(tx, claim.connection_id, VendorAnswered())


async def _note(kit: Kit, vendor: OpenVendor | None) -> None:
    if vendor is not None:
        async with kit.database.transaction() as tx:
            await vendor.flush(tx)


async def _without_settings(kit: Kit, claim: ImportClaim, row: ConnectionRow, missing: Sequence[str]) -> None:
    """Leave an import whose settings were taken away meanwhile; the change that brings them back has it run."""
    log.info("import waits for settings", connection=str(row.id), missing=missing)
    async with kit.database.transaction() as tx:
        await import_claims.without_settings(tx, claim, row.version)


async def _put_off(kit: Kit, claim: ImportClaim, vendor: OpenVendor | None, error: Exception) -> None:
    """Have a failed import tried again in a while; one that fails again and again ever more rarely, and it is told."""
    problem = _problem_of(error, vendor)
    if problem is not None:
        log.error("import failed", connection=str(claim.connection_id), exc_info=error)
    async with kit.database.transaction() as tx:
        if vendor is not None:
            await vendor.flush(tx)
        if problem is None:
            await import_claims.later(tx, claim, error.until if isinstance(error, RateLimited) else None)
        elif await import_claims.failed(tx, claim) >= TOLD_FROM_FAILURES:
            await kit.connections.apply(tx, claim.connection_id, ProblemFound(problem))


def _problem_of(error: Exception, vendor: OpenVendor | None) -> Problem | None:
    """Return what a person is told of a failure; None where something is away or rationed, which time alone ends."""
    match error:
        case RateLimited():
            return None
        case ConnectorError(problem=problem):
            is_away = vendor is None or isinstance(vendor.observed, Outage)
            return None if is_away else problem or Problem("vendor_unavailable")
        case InternalCallError(is_transient=False):
            return internal(error)
    return None if is_infrastructure_error(error) else internal(error)


async def _ended(kit: Kit, claim: ImportClaim, vendor: OpenVendor | None, failure: ConnectorError) -> None:
    event: ConnectionEvent
    if isinstance(failure, ReauthorisationRequired):
        event = LoginRefused(failure.problem)
    else:
        event = ProblemFound(failure.problem or Problem("rejected_by_vendor"))
    async with kit.database.transaction() as tx:
        if vendor is not None:
            await vendor.flush(tx)
        if await import_claims.refused(tx, claim):
            await kit.connections.apply(tx, claim.connection_id, event)
    kit.wake("reconciler")


async def _subscribe(kit: Kit, vendor: PatientVendor) -> None:
    """Have the vendor report what happens in its books; where it refuses, they are read as before.

    Raises:
        ReauthorisationRequired: the vendor no longer lets calls in.
    """
    if kit.profile.notices is None:
        return
    try:
        await kit.connector.subscribe(vendor, kit.notice_address)
    except ReauthorisationRequired:
        raise
    except ConnectorError as failure:
        log.info("the vendor sends no notices", connection=str(vendor.connection.id), reason=str(failure))


async def _tell_dossier(kit: Kit, row: ConnectionRow, master_data: MasterData) -> None:
    base = f"/dossier-api/v1/dossiers/{row.dossier_id}"
    source = f"{kit.profile.name}/{row.id}"
    await _put(kit, f"{base}/relations", source, [_relation(line) for line in master_data.relations])
    await _put(kit, f"{base}/ledger-accounts", source, [_line(line) for line in master_data.ledger_accounts])


async def _put(kit: Kit, path: str, source: str, items: Sequence[dict[str, Any]]) -> None:
    # An empty list is more often a missing right than an empty book: it takes nothing away.
    for start in range(0, len(items), PUT_BATCH):
        batch = storable(items[start : start + PUT_BATCH])
        await kit.mesh.put_json(path, {"source": source, "replace": len(items) <= PUT_BATCH, "items": batch})


def _line(line: MasterRecord) -> dict[str, Any]:
    return {"code": line.code, "name": line.name, "remote_id": line.remote_id}


def _relation(line: MasterRecord) -> dict[str, Any]:
    known = {
        name: line.data[name]
        for name in ("vat_number", "enterprise_number", "email", "iban", "is_customer", "is_supplier")
        if line.data.get(name) is not None
    }
    return {**_line(line), **known}
