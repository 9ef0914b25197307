"""A connection's master data without a database, for a connector's own tests."""

from collections.abc import Iterable

from koppel_connector.contract.master_data import MasterDataStore, MasterRecord


class MasterDataInProcess(MasterDataStore):
    """Keeps records as long as the test runs."""

    def __init__(self, records: Iterable[MasterRecord] = ()) -> None:
        self.records = list(records)

    def all(self, kind: str, year: int | None = None) -> list[MasterRecord]:
        """Return every record of ``kind``, the newest year first."""
        of_kind = [each for each in self.records if each.kind == kind and (year is None or each.year in (year, None))]
        return sorted(of_kind, key=lambda record: -(record.year or 0))

    def get(self, kind: str, code: str, year: int | None = None) -> MasterRecord | None:
        """Return the record with this code."""
        return next((record for record in self.all(kind, year) if record.code == code), None)

    def find(self, kind: str, key: str, value: str, year: int | None = None) -> list[MasterRecord]:
        """Return the records whose ``key`` is ``value``."""
        return [record for record in self.all(kind, year) if _held(record, key) == value]

    async def remember(self, master: MasterRecord) -> None:
        """Add or replace one record."""
        of_master = (master.kind, master.remote_id, master.year)
        self.records = [each for each in self.records if (each.kind, each.remote_id, each.year) != of_master]
        self.records.append(master)


def _held(record: MasterRecord, key: str) -> str | None:
    held = getattr(record, key) if key in ("code", "name", "remote_id") else record.data.get(key)
    return None if held is None else str(held)
