"""A firm left: a message that comes late, or is replayed from the dead queue, brings nothing of it back."""

from typing import Any

from koppel_mesh.firm_data.leaving import ask_for_deletion, delete_firm
from koppel_mesh.ids import new_id
from koppel_mesh.messages import DeliveryState, ExportFrequency

from .conftest import FIRM

ROWS = """
    SELECT (SELECT count(*) FROM dossier) AS dossiers, (SELECT count(*) FROM connection) AS connections,
        (SELECT count(*) FROM document) AS documents, (SELECT count(*) FROM delivery) AS deliveries
"""


def facts(make: Any, **of: Any) -> list[Any]:
    """Return a fact of each kind that makes a row."""
    dossier = make.dossier(ExportFrequency.AFTER_10_MINUTES, **of)
    document, firm = make.document(dossier), {"firm_id": dossier.firm_id}
    connection = make.connection(dossier).model_copy(update=firm)
    return [dossier, connection, document, make.delivery(document, DeliveryState.BOOKED, **firm)]


async def test_what_comes_late_brings_nothing_back(scheduler: Any, make: Any) -> None:
    late = facts(make)
    await scheduler.deliver(*late)
    await ask_for_deletion(scheduler.context, FIRM, "operator")
    assert (await delete_firm(scheduler.context, FIRM)).is_complete
    nothing = {"dossiers": 0, "connections": 0, "documents": 0, "deliveries": 0}
    assert await scheduler.sql(ROWS) == [nothing]
    for fact in late[1:]:
        await scheduler.deliver(fact)
    await scheduler.deliver(*late)
    assert await scheduler.sql(ROWS) == [nothing], "not even a dossier of nobody, which no deletion would find"


async def test_firms_that_stay_are_taken_from_the_same_batch(scheduler: Any, make: Any) -> None:
    await ask_for_deletion(scheduler.context, FIRM, "operator")
    await scheduler.deliver(*facts(make), *facts(make, firm_id=new_id()))
    assert await scheduler.sql(ROWS) == [{"dossiers": 1, "connections": 1, "documents": 1, "deliveries": 1}]
