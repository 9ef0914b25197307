"""An invented ledger in memory, for the tests of ``koppel_connector.ledger``: its records, and deliveries without a database."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, NoReturn

from koppel_bookkeeping import Party, Side
from koppel_connector import Application, Call, DeliveryContext, Vendor
from koppel_connector.contract import Connection, Delivery, MailCall, MasterDataStore
from koppel_connector.ledger.records import TypedRecord
from koppel_connector.ledger.relations import RelationRecord, RelationsOfVendor
from koppel_connector.testing import MasterDataInProcess, MemoryInProcess
from koppel_mesh.clock import utc_now
from koppel_mesh.ids import new_id
from koppel_mesh.messages import DocumentKind


@dataclass(frozen=True)
class Journal(TypedRecord):
    kind: ClassVar[str] = "journal"
    side: str
    blocked: bool = False

    def serves(self, side: Side) -> bool:
        return self.side == side


@dataclass(frozen=True)
class VatCode(TypedRecord):
    kind: ClassVar[str] = "vat_code"
    percentage: Decimal = Decimal(21)
    blocked: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "percentage", Decimal(self.percentage))


@dataclass(frozen=True)
class Relation(RelationRecord):
    roles: str = "sale"
    email: str | None = ""

    def has_role(self, side: Side) -> bool:
        return side in self.roles


def relation(code: str, name: str, **fields: Any) -> Relation:
    given: dict[str, Any] = {"vat_number": "", "enterprise_number": "", "blocked": False} | fields
    return Relation(f"id-{code}", code, name, **given)


class Relations(RelationsOfVendor[Relation]):
    """The vendor's relations, and what was asked of it."""

    record = Relation
    name_length_max = 20

    def __init__(self, *held: Relation) -> None:
        self.held = list(held)
        self.asked: list[str] = []

    async def search(self, party: Party) -> list[Relation]:
        self.asked.append("search")
        return self.held

    async def create(self, party: Party, side: Side) -> Relation:
        self.asked.append("create")
        self.held.append(relation("99", party.name[:20], vat_number=party.vat_number, roles=side))
        return self.held[-1]

    async def give_role(self, relation: Relation, side: Side) -> Relation:
        self.asked.append(f"give role of {side}")
        return replace(relation, roles=f"{relation.roles} {side}")

    async def complete(self, relation: Relation, side: Side) -> Relation:
        if relation.email is not None:
            return relation
        self.asked.append("complete")
        return replace(relation, email="an@example.org")


class UnreachableVendor(Vendor[Any]):
    """A vendor to which no call may leave."""

    def __init__(self, master_data: MasterDataStore, settings: Any = None) -> None:
        self.connection = Connection(new_id(), new_id(), new_id(), "connected")
        self.settings = settings
        self.master_data = master_data
        self.memory = MemoryInProcess()
        self.application = Application("")

    async def call(self, call: Call) -> NoReturn:
        raise AssertionError(f"no call may leave: {call.operation}")

    async def send_mail(self, call: MailCall) -> NoReturn:
        raise AssertionError(f"no mail may leave: {call.operation}")


def delivery_to(master_data: MasterDataInProcess, due_at: datetime | None = None, **given: Any) -> DeliveryContext[Any]:
    """Return a delivery of a sales invoice over a connection with this master data."""
    files: dict[str, bytes] = given.pop("files", {})
    asked: list[str] = given.pop("asked", [])

    async def read(role: str) -> bytes:
        asked.append(role)
        return files[role]

    kind = given.pop("kind", DocumentKind.SALES_INVOICE)
    return DeliveryContext(
        delivery=Delivery(new_id(), new_id(), 1, "book", kind, due_at=due_at or utc_now()),
        remote_ref="KPL-1",
        remote_uuid=new_id(),
        filed=given.pop("document", None),
        dossier={},
        vendor=UnreachableVendor(master_data),
        progress={},
        read_content=read,
        write_progress=lambda _: None,
    )
