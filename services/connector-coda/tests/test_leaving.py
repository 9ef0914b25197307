"""A firm left: a message that comes late, or is replayed from the dead queue, brings nothing of it back."""

from typing import Any
from uuid import UUID

from koppel_mesh.firm_data.leaving import ask_for_deletion, delete_firm
from koppel_mesh.ids import new_id
from koppel_mesh.messages import ConnectionChanged, ConnectionState, DeliveryChanged, DeliveryState, DossierChanged
from koppel_mesh.messages import ExportRules as Rules

from .conftest import FIRM, Coda

ROWS = """
    SELECT (SELECT count(*) FROM dossier) AS dossiers, (SELECT count(*) FROM connection) AS connections,
        (SELECT count(*) FROM document) AS documents, (SELECT count(*) FROM delivery) AS deliveries
"""


def facts(service: Coda, firm_id: UUID) -> list[Any]:
    """Return every fact that makes a row: a dossier, its connection, a statement that is asked for, and its delivery."""
    document = service.document(data=b"", firm_id=firm_id, dossier_id=new_id())
    of_firm = {"firm_id": firm_id, "dossier_id": document.dossier_id, "version": 1}
    dossier = DossierChanged(name="Bakkerij", enterprise_number="0403170701", language="nl", export=Rules(), **of_firm)
    by = {"connector": "connector-paper", "connection_id": new_id(), **of_firm}
    connection = ConnectionChanged(state=ConnectionState.CONNECTED, **by)
    of_document = {"delivery_id": new_id(), "document_id": document.document_id, "revision": 1}
    delivery = DeliveryChanged(state=DeliveryState.READY, **of_document, **by)
    return [dossier, connection, document, service.ready(document), delivery]


async def test_what_comes_late_brings_nothing_back(service: Coda) -> None:
    late = facts(service, FIRM)
    await service.deliver(*late)
    await ask_for_deletion(service.context, FIRM, "operator")
    assert (await delete_firm(service.context, FIRM)).is_complete
    nothing = {"dossiers": 0, "connections": 0, "documents": 0, "deliveries": 0}
    assert await service.sql(ROWS) == [nothing]
    await service.deliver(*late)
    assert await service.sql(ROWS) == [nothing]


async def test_firms_that_stay_are_taken_from_the_same_batch(service: Coda) -> None:
    await ask_for_deletion(service.context, FIRM, "operator")
    await delete_firm(service.context, FIRM)
    await service.deliver(*facts(service, FIRM), *facts(service, new_id()))
    assert await service.sql(ROWS) == [{"dossiers": 1, "connections": 1, "documents": 1, "deliveries": 1}]
    without_firm = facts(service, FIRM)[1].model_copy(update={"firm_id": None})
    await service.deliver(without_firm)
    assert (await service.sql(ROWS))[0]["connections"] == 2, "a sender of before names no firm"
