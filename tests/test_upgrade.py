"""A database of the version before lineages, with work in flight, upgrades and goes on: nothing lost, nothing doubled.

``upgrade/`` was written by running commit f8dc02e: its database, the bytes of its documents, and what the sandbox Exact knew when
it was stopped. Two deliveries were unknown (one booked, its answer lost; one that never arrived), one was blocked, one document
waited for a connection, and one was handed in while the broker was away.
"""

import asyncio
import gzip
import json
import shutil
import time
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from koppel_sandbox import installed_sandboxes
from koppel_sandbox.exact.driver import NO_LIMIT

from .firm_client import FirmClient

FIXTURE = Path(__file__).parent / "upgrade"
KEY = "a29wcGVsLXRlc3Qta2V5LW9mLXRoZS1maXh0dXJlLW8="
"""Made for the fixture; it has never kept anything else."""
STOPPED_FOR = "2 hours"
REFRESHABLE_S = 600

_SHIFT = """
    DO $$ DECLARE found record; aged interval; BEGIN
        SELECT now() - max(changed_at) - interval '{stopped_for}' INTO aged FROM connector_exact.delivery;
        FOR found IN SELECT table_schema, table_name, column_name FROM information_schema.columns
            JOIN information_schema.tables USING (table_schema, table_name)
            WHERE table_type = 'BASE TABLE' AND data_type = 'timestamp with time zone'
                AND table_schema NOT IN ('pg_catalog', 'information_schema')
        LOOP
            EXECUTE format('UPDATE %I.%I SET %I = %I + $1', found.table_schema, found.table_name, found.column_name,
                found.column_name) USING aged;
        END LOOP;
    END $$
"""


def restore(url: str) -> None:
    """Restore the database as if it had been stopped two hours ago."""

    async def run() -> None:
        connection = await asyncpg.connect(url)
        await connection.execute((FIXTURE / "database.sql").read_text("utf-8"))
        await connection.execute(_SHIFT.format(stopped_for=STOPPED_FOR))
        await connection.close()

    asyncio.run(run())


def exact_as_it_was(folder: Path) -> Path:
    """Return a folder for the sandbox; the tokens it gave are old enough to be renewed, and not too old."""
    state = json.loads(gzip.decompress((FIXTURE / "exact.json.gz").read_bytes()))
    for token in state["pairs"]:
        token["issued_at"] = time.time() - REFRESHABLE_S
    # What waits in the database is of a dossier with this number; the version before did not compare it.
    state["divisions"][0]["vat_number"] = "BE0000000196"
    # Else the last documents wait for the next minute of the clock.
    state["switches"] |= {"minute_limit": NO_LIMIT, "day_limit": NO_LIMIT}
    (folder / "state.json").write_text(json.dumps(state), "utf-8")
    return folder


@pytest.fixture
def facts() -> Any:
    return json.loads((FIXTURE / "facts.json").read_text("utf-8"))


def test_a_database_with_work_in_flight_upgrades_and_goes_on(run_mesh: Any, facts: Any, tmp_path: Path) -> None:
    (tmp_path / "exact").mkdir()
    blobs = shutil.copytree(FIXTURE / "blobs", tmp_path / "blobs")
    with (
        run_mesh(
            prepare=restore,
            sandbox_folders={"exact": exact_as_it_was(tmp_path / "exact")},
            blob_url=blobs.as_uri(),
            secret_keys=(KEY,),
            settle_s=0.2,
            retry_schedule_s=(0.2,) * 8,
            export_patience_s=0.2,
        ) as mesh,
        mesh.driver(installed_sandboxes()["exact"]) as vendor,
    ):
        firm = FirmClient(mesh.client(UUID(facts["firm_id"])), vendor)
        firm.until_booked(facts["unknown_but_booked"], facts["unknown_and_lost"], facts["in_outbox"])
        for document_id, entry_number in facts["entry_numbers"].items():
            [delivery] = firm.document(document_id)["deliveries"]
            assert (delivery["state"], delivery["entry_number"]) == ("booked", entry_number)
        if (
            problem := firm.problem_of(facts["blocked"])
        ) is not None:  # a renewed token may have unblocked it before us
            firm.partner.post(f"/dossier-api/v1/problems/{problem['id']}/retry")
        firm.connect(facts["unconnected_dossier_id"], vendor.companies[0])
        firm.until_booked(facts["blocked"], facts["waits_for_connection"])
        held = Counter(entry.document_number for entry in vendor.entries(vendor.companies[0]))
        assert dict(held) == {
            **dict.fromkeys(("OLD-BOOKED-1", "OLD-BOOKED-2", "OLD-UNKNOWN-BOOKED", "OLD-UNKNOWN-LOST"), 1),
            **dict.fromkeys(("OLD-BLOCKED", "OLD-WAITS", "OLD-IN-OUTBOX"), 1),
        }
        assert asyncio.run(kept_as_it_was(mesh.database_url))


async def kept_as_it_was(url: str) -> bool:
    """Return whether processes of the version before still find their revision, and what was put aside is still there."""
    connection = await asyncpg.connect(url)
    before = [
        await connection.fetchval(f"SELECT version_num FROM {schema}.alembic_version")
        for schema in ("identity", "dossier_api", "export_scheduler", "connector_exact")
    ]
    put_aside = await connection.fetchval("SELECT body FROM connector_exact.quarantine")
    await connection.close()
    return (before, put_aside) == (["0001", "0001", "0002", "0002"], b"no message of ours")
