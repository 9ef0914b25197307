"""An account with ten years of daily statements: a new one costs what it costs in a new account."""

import time

from connector_coda import arranging, releasing

from .conftest import Coda
from .samples import SAVINGS, chain

DAYS, DAYS_IN_A_FILE = 3650, 730


async def test_a_new_statement_costs_the_same_after_ten_years(service: Coda) -> None:
    statements = chain(DAYS + 3, coded_number=0)
    files = [statements[first : first + DAYS_IN_A_FILE] for first in range(0, DAYS, DAYS_IN_A_FILE)]
    documents = [await service.file(*each) for each in files]
    assert await service.gone() == documents
    young = chain(4, iban=SAVINGS, coded_number=0)
    await service.file(young[0])
    await service.gone()
    old_s = new_s = 0.0
    for old, new in zip(statements[DAYS:], young[1:], strict=True):
        old_s += await cost_s(service, old)
        new_s += await cost_s(service, new)
    assert old_s < 3 * new_s + 0.05


async def cost_s(service: Coda, statement: object) -> float:
    """Return the processor time, ours and the driver's, of arranging and releasing one more statement."""
    document = service.document(statement)  # type: ignore[arg-type]
    await service.deliver(document, service.ready(document))
    begun = time.process_time()
    await service.work()
    spent = time.process_time() - begun
    assert await service.gone() == [document.document_id]
    return spent


async def test_a_backlog_goes_without_looking_at_all_of_it_each_time(service: Coda) -> None:
    documents = [service.document(each) for each in chain(120)]
    await service.deliver(*documents, *(service.ready(each) for each in documents))
    await service.work()
    begun = time.process_time()
    assert await service.gone() == [each.document_id for each in documents]
    assert time.process_time() - begun < 6.0
    assert not await arranging.arrange_dossier(service.context)
    assert not await releasing.release_statements(service.context)
