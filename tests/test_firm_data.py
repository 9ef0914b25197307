"""The SQL that follows from the declarations of every service, on its real tables."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from koppel_mesh.database import Database
from koppel_mesh.firm_data.export import held_of, holdings_of, lines_of
from koppel_mesh.firm_data.statements import sql_of, years
from koppel_mesh.ids import new_id
from koppel_mesh.service import installed_services

SERVICES = {name: service for name, service in installed_services().items() if service.lineages}


@pytest.mark.parametrize("name", SERVICES)
async def test_every_declaration_is_sql_that_runs(name: str, make_database: Callable[..., str]) -> None:
    service, now = SERVICES[name], datetime.now(UTC)
    database = Database(make_database(service), name)
    settings = service.settings.model_construct()
    values: dict[str, Any] = {"firm_id": new_id(), **years(now, 10)}
    try:
        for holding in holdings_of(service):
            sql = sql_of(holding)
            async with database.transaction() as tx:
                for statement in (sql.summary, sql.under_way, sql.blank, sql.leave, sql.end):
                    if statement is not None:
                        await statement.one(tx, values)
        assert [line async for line in lines_of(database, holdings_of(service), values["firm_id"])] == [
            b'{"end":true,"rows":0}\n'
        ]
        assert await held_of(database, holdings_of(service), values["firm_id"], now=now, settings=settings) == []
    finally:
        await database.close()
