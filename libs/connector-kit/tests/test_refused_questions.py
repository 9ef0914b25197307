"""A question that the vendor refuses is not asked again for a day; any other failure says nothing about it."""

from datetime import timedelta

import pytest

from koppel_connector import Problem, Rejected, refused_questions
from koppel_connector.contract import RetryLater
from koppel_connector.contract.errors import ConnectorError
from koppel_connector.testing import MemoryInProcess
from koppel_mesh.clock import utc_now

QUESTION = "relations by VAT number"


class Vendor:
    """Answers, or fails, and counts."""

    def __init__(self, failure: ConnectorError | None = None) -> None:
        self.failure = failure
        self.calls = 0

    async def answer(self) -> list[str]:
        self.calls += 1
        if self.failure is not None:
            raise self.failure
        return ["row"]


REFUSAL = Rejected(Problem("vendor_request_wrong", "this $filter is not supported"))


async def test_a_refusal_is_remembered_with_its_problem() -> None:
    memory, vendor = MemoryInProcess(), Vendor(REFUSAL)
    assert await refused_questions.ask(memory, QUESTION, vendor.answer) is None
    assert await refused_questions.ask(memory, QUESTION, vendor.answer) is None
    assert vendor.calls == 1
    known = await refused_questions.known(memory, QUESTION)
    assert known is not None
    assert known.problem == REFUSAL.problem


async def test_another_question_is_asked_all_the_same() -> None:
    memory = MemoryInProcess()
    await refused_questions.remember(memory, QUESTION, REFUSAL)
    assert await refused_questions.ask(memory, "relations by name", Vendor().answer) == ["row"]


async def test_after_a_day_it_is_asked_again() -> None:
    memory, vendor = MemoryInProcess(), Vendor()
    await refused_questions.remember(memory, QUESTION, REFUSAL)
    ((key, kept),) = memory.kept.items()
    await memory.remember(key, kept.value, observed_at=utc_now() - timedelta(days=1))
    assert await refused_questions.ask(memory, QUESTION, vendor.answer) == ["row"]


async def test_a_vendor_that_is_away_refuses_nothing() -> None:
    memory, vendor = MemoryInProcess(), Vendor(RetryLater())
    with pytest.raises(RetryLater):
        await refused_questions.ask(memory, QUESTION, vendor.answer)
    assert await refused_questions.known(memory, QUESTION) is None
