"""The imported master data of a connection, in memory, with an index per question asked (``MasterDataStore``)."""

import json
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_connector.contract import MasterDataStore, MasterRecord
from koppel_connector.contract.json_values import decode, encode
from koppel_connector.contract.storable import storable
from koppel_mesh.database import Database
from koppel_mesh.prepared_sql import Statement

BOOKS_KEPT = 200
_READ = Statement("SELECT * FROM master WHERE connection_id = :connection_id")
_DELETE = Statement("DELETE FROM master WHERE connection_id = :connection_id AND kind = ANY(CAST(:kinds AS text[]))")
_WRITE = Statement("""
    INSERT INTO master (connection_id, kind, remote_id, code, name, data, year)
    SELECT CAST(:connection_id AS uuid), given.* FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given
        (kind text, remote_id text, code text, name text, data jsonb, year integer)
    ON CONFLICT (connection_id, kind, remote_id) DO UPDATE SET code = excluded.code, name = excluded.name,
        data = excluded.data, year = excluded.year
""")
_Key = tuple[str, int | None]
_NO_YEAR = 0


def _key_of(line: MasterRecord) -> _Key:
    return line.remote_id, line.year


def _stored_id(line: MasterRecord) -> str:
    return f"{line.remote_id}@{line.year}" if line.year else line.remote_id


def _record_of(row: Any) -> MasterRecord:
    remote_id = row.remote_id.removesuffix(f"@{row.year}") if row.year else row.remote_id
    return MasterRecord(row.kind, row.code, remote_id, row.name, decode(row.data), row.year or None)


def _of_year(lines: list[MasterRecord], year: int | None) -> Sequence[MasterRecord]:
    return lines if year is None else [line for line in lines if line.year in (year, None)]


class StoredMasterData(MasterDataStore):
    """The lines of one connection, read once per import."""

    def __init__(self, database: Database, connection_id: UUID, lines: Iterable[MasterRecord]) -> None:
        self._database = database
        self._connection_id = connection_id
        self._by_kind: dict[str, dict[_Key, MasterRecord]] = defaultdict(dict)
        self._indexes: dict[tuple[str, str], dict[str, list[MasterRecord]]] = {}
        self.changes = 0
        for line in lines:
            self._by_kind[line.kind][_key_of(line)] = line

    def all(self, kind: str, year: int | None = None) -> Sequence[MasterRecord]:
        """Return every line of ``kind``."""
        return _of_year(self._newest_first(kind), year)

    def get(self, kind: str, code: str, year: int | None = None) -> MasterRecord | None:
        """Return the line with this code."""
        found = self.find(kind, "code", code, year)
        return found[0] if found else None

    def find(self, kind: str, key: str, value: str, year: int | None = None) -> Sequence[MasterRecord]:
        """Return the lines whose ``key`` is ``value``."""
        index = self._indexes.get((kind, key))
        if index is None:
            index = defaultdict(list)
            for line in self._newest_first(kind):
                held = getattr(line, key) if key in ("code", "name", "remote_id") else line.data.get(key)
                if held is not None:
                    index[str(held)].append(line)
            self._indexes[kind, key] = index
        return _of_year(index.get(value, []), year)

    def _newest_first(self, kind: str) -> list[MasterRecord]:
        return sorted(self._by_kind.get(kind, {}).values(), key=lambda line: -(line.year or 0))

    async def remember(self, master: MasterRecord) -> None:
        """Add or replace one line, durably."""
        async with self._database.transaction() as tx:
            await write_lines(tx, self._connection_id, (master,))
        self._by_kind[master.kind][_key_of(master)] = master
        for known in [each for each in self._indexes if each[0] == master.kind]:
            del self._indexes[known]
        self.changes += 1


class MasterDataCache:
    """The books of the connections lately used; a new import makes a new one."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._books: OrderedDict[UUID, tuple[int, StoredMasterData]] = OrderedDict()

    async def open(self, connection_id: UUID, version: int) -> StoredMasterData:
        """Return the book of a connection as of ``masters_version``."""
        kept = self._books.get(connection_id)
        if kept is not None and kept[0] == version:
            self._books.move_to_end(connection_id)
            return kept[1]
        async with self._database.reading() as reading:
            rows = await _READ.all(reading, {"connection_id": connection_id})
        book = StoredMasterData(self._database, connection_id, map(_record_of, rows))
        self._books[connection_id] = (version, book)
        while len(self._books) > BOOKS_KEPT:
            self._books.popitem(last=False)
        return book


async def write_lines(tx: AsyncConnection, connection_id: UUID, lines: Sequence[MasterRecord]) -> None:
    """Add or replace lines.

    Raises:
        TypeError: the data of one of them holds what cannot be kept; it says which.
    """
    if not lines:
        return
    unique = {(line.kind, storable(line.remote_id), line.year): line for line in lines}
    for start in range(0, len(unique), 1000):
        rows = [
            {
                "kind": line.kind,
                "remote_id": storable(_stored_id(line)),
                "code": storable(line.code),
                "name": storable(line.name),
                "data": encode(line.data, f"{line.kind} {line.code}: data"),
                "year": line.year or _NO_YEAR,
            }
            for line in list(unique.values())[start : start + 1000]
        ]
        await _WRITE.run(tx, {"connection_id": connection_id, "rows": json.dumps(rows)})


async def replace_lines(tx: AsyncConnection, connection_id: UUID, lines: Sequence[MasterRecord]) -> None:
    """Replace all lines of every kind that ``lines`` holds; a kind it does not hold is left as it is."""
    kinds = sorted({line.kind for line in lines})
    await _DELETE.run(tx, {"connection_id": connection_id, "kinds": kinds})
    await write_lines(tx, connection_id, lines)
