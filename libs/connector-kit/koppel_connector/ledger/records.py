"""Master data as typed values: read from a vendor's rows, kept by the kit as ``MasterRecord``, looked up by code or id."""

from abc import ABC
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from decimal import Decimal
from typing import Any, ClassVar, Generic, Self, TypeVar

import structlog

from koppel_bookkeeping import CannotBook
from koppel_connector.contract.master_data import MasterDataStore, MasterRecord

Columns = Mapping[str, tuple[str, Callable[[Any], Any]]]
_DECIMALS = (Decimal, "Decimal")
UNREADABLE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What a connector raises over a row or an entry in a shape that it does not know."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class TypedRecord(ABC):
    """A journal, a ledger account, a VAT code of one vendor: a dataclass of strings, numbers, booleans and Decimals."""

    kind: ClassVar[str]
    """As ``MasterRecord.kind``."""

    id: str
    """The vendor's own."""
    code: str
    """What a person sees and writes, without padding."""
    name: str

    columns: ClassVar[Columns] = {}
    """Where each field stands in a vendor's row, and how it is read; empty where a record has a ``read`` of its own."""

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """Read a row of the vendor.

        Raises:
            ValueError: it has no id: nothing could be booked on it.
        """
        record = cls(**{name: read(row.get(column)) for name, (column, read) in cls.columns.items()})
        if not record.id:
            raise ValueError(f"a row of {cls.__name__} without {cls.columns['id'][0]}")
        return record

    def record(self, year: int | None = None) -> MasterRecord:
        """Return the value as the kit keeps it, of one bookyear where the vendor has a list for each."""
        data = {name: str(value) if isinstance(value, Decimal) else value for name, value in asdict(self).items()}
        return MasterRecord(self.kind, self.code, self.id, self.name, {**data, **self.search_keys()}, year)

    def search_keys(self) -> dict[str, Any]:
        """Return what else the record is found by (``MasterDataStore.find``)."""
        return {}

    @classmethod
    def of(cls, record: MasterRecord) -> Self:
        """Return the value of a kept record. Fields that a later version added take their default."""
        types = {field.name: field.type for field in fields(cls)}
        kept: dict[str, Any] = {name: value for name, value in record.data.items() if name in types}
        # As ``record`` keeps them: JSON has no decimals.
        return cls(**kept | {name: Decimal(kept[name]) for name in kept if types[name] in _DECIMALS})


T = TypeVar("T", bound=TypedRecord)
RowT = TypeVar("RowT")
ReadT = TypeVar("ReadT")


class Records(Generic[T]):
    """The imported records of one kind."""

    def __init__(self, store: MasterDataStore, kind: type[T], year: int | None = None) -> None:
        self._store = store
        self._type = kind
        self._year = year

    def by_code(self, code: str) -> T | None:
        """Return the record with this code, as a person writes it."""
        record = self._store.get(self._type.kind, code.strip(), self._year)
        return self._type.of(record) if record else None

    def by_id(self, remote_id: str) -> T | None:
        """Return the record with this id of the vendor's."""
        found = self._store.find(self._type.kind, "remote_id", remote_id, self._year)
        return self._type.of(found[0]) if found else None

    def all_by_code(self) -> dict[str, T]:
        """Return every record by its code."""
        return {record.code: self._type.of(record) for record in self._store.all(self._type.kind, self._year)}


def readable(rows: Iterable[RowT], read: Callable[[RowT], ReadT]) -> list[ReadT]:
    """Read the rows of a list; one that cannot be read is logged and left out, and takes none of the others with it.

    Raises:
        ValueError: not one row can be read: the list has another shape than the connector knows, and is not an empty one.
    """
    found: list[ReadT] = []
    unread: list[Exception] = []
    for row in rows:
        try:
            found.append(read(row))
        except UNREADABLE as error:
            unread.append(error)
    if unread and not found:
        raise ValueError(f"no row can be read: {unread[0]}") from unread[0]
    if unread:
        log.error("rows that cannot be read are left out", count=len(unread), first=repr(unread[0]))
    return found


def records_of(values: Iterable[TypedRecord]) -> tuple[MasterRecord, ...]:
    """Return values as an import hands them in (``MasterData``)."""
    return tuple(value.record() for value in values)


def insist_on_import(store: MasterDataStore) -> None:
    """Raise ``CannotBook`` where accounts, journals or VAT codes were not imported: nothing can be chosen then."""
    if not all(store.all(kind) for kind in ("ledger_account", "journal", "vat_code")):
        raise CannotBook("masters_missing")
